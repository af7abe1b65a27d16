"""Opening the store that a command names, and naming it to people."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from kessai.cli.terminal.output import note
from kessai.errors import StoreMissing
from kessai.stores import Store, open_store
from kessai.words import Words

_word = Words("accounts")


@contextmanager
def opened_store(
    db: str, making: str | None = None, *, to_read: bool = False
) -> Iterator[Store]:
    """The store `db`, then closed; made, and said so in the language `making`, if given.

    One that is `to_read` may be on a server that writes nothing.

    Raises:
        InvalidInput, StoreUnsuitable, StoreFailed: there is no such store, or it cannot
            be opened.

    """
    try:
        store = open_store(db, must_exist=True, to_read=to_read)
    except StoreMissing:
        if making is None:
            raise
        store = open_store(db)
        note(f"kessai: {_word('made', making, db=shown_store(db))}")
    with closing(store):
        yield store


def shown_store(url: str) -> str:
    """The store as it is named to people: never with a password, nor with who has it."""
    if "://" not in url or url.lower().startswith("sqlite:"):
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
