"""Errors about what a store holds name the store: the one who reads them may have many."""

from collections.abc import Iterator
from contextlib import contextmanager

from kessai.errors import StoreMissing, StoreUnsuitable


@contextmanager
def naming(store: object) -> Iterator[None]:
    """Have a refusal of what is in `store`, its file or its server, begin with its name."""
    try:
        yield
    except (StoreMissing, StoreUnsuitable) as error:
        message = f"{store}: {error}"
        raise type(error)(message) from error
