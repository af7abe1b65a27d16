"""From a URL to a store, and the SQL that makes one in a shop's own database."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from kessai.errors import InvalidInput, StoreUnsuitable
from kessai.stores.protocol import Store
from kessai.stores.sqlite import SQLiteStore

FORMS = "memory: or sqlite:///FILE or the path of an SQLite file or postgresql://…"

_POSTGRES = ("postgresql:", "postgres:")


def schema(database: str, name: str | None = None) -> list[str]:
    """The SQL statements that make kessai's tables, for a migration of a shop's own.

    `database` is `postgresql` or `sqlite`, as Django calls them too; on PostgreSQL the
    tables stand in the schema `name`, or in `kessai`. A later kessai brings them up to
    date when it opens them.

    Raises:
        InvalidInput: there is no such database, it has no schemas, or no store could be
            opened in one of that name.
        StoreUnsuitable: the extra that PostgreSQL needs is not installed.

    """
    if database == "sqlite":
        if name is not None:
            message = f"schema {name!r}: is for postgresql; SQLite's files have none"
            raise InvalidInput(message)
        from kessai.stores.schema import statements

        return statements()
    if database != "postgresql":
        message = f"schema: {database!r} is not known; postgresql or sqlite is right"
        raise InvalidInput(message)
    try:
        from kessai.stores.postgres.schema import statements as of_postgresql
    except ImportError as error:
        raise StoreUnsuitable(str(error)) from error
    return [*of_postgresql("kessai" if name is None else name)]


def open_store(
    url: str | Path, *, must_exist: bool = False, to_read: bool = False
) -> Store:
    """The store at `url`: `memory:`, `sqlite:///FILE`, a path, or `postgresql://…`.

    As elsewhere, three slashes are followed by a relative path and four begin an
    absolute one. With `must_exist` no file and no tables are made, so that only looking
    leaves no trace. With `to_read` nothing will be written, and a PostgreSQL server that
    only reads will do.

    Raises:
        InvalidInput: no store is known for the URL.
        StoreMissing: it is not there, but must be.
        StoreUnsuitable: see `SQLiteStore`; or the extra that PostgreSQL needs is not
            installed.
        StoreBusy, StoreFailed: see `SQLiteStore` and `PostgresStore`.

    """
    url = str(url)
    if url.rstrip("/") in {"memory:", ":memory:"}:
        from kessai.stores.memory import MemoryStore  # only who asks for it

        return MemoryStore()
    if url.lower().startswith(_POSTGRES):
        return _postgres(url, must_exist=must_exist, to_read=to_read)
    if "://" not in url and not url.lower().startswith("sqlite:"):
        return _sqlite(url, url, must_exist=must_exist)
    parts = urlsplit(url)
    if not url.lower().startswith("sqlite:///") or parts.query or parts.fragment:
        message = f"--db {parts.scheme}://…: not known here; give {FORMS}"
        raise InvalidInput(message)
    path = unquote(parts.path.removeprefix("/"))
    return _sqlite(path, url, must_exist=must_exist)


def _sqlite(path: str, url: str, *, must_exist: bool) -> SQLiteStore:
    if not path or "\0" in path:
        message = f"{url!r} names no file; give {FORMS}"
        raise InvalidInput(message)
    return SQLiteStore(path, must_exist=must_exist)


def _postgres(url: str, *, must_exist: bool, to_read: bool) -> Store:
    try:
        from kessai.stores.postgres import PostgresStore  # only who asks needs psycopg
    except ImportError as error:
        raise StoreUnsuitable(str(error)) from error
    return PostgresStore(url, must_exist=must_exist, to_read=to_read)
