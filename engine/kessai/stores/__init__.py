"""Stores: one protocol, and what keeps it in memory, in SQLite and in PostgreSQL.

`PostgresStore` and `AsyncPostgresStore` are imported when they are asked for: they need
the extra `postgres`. For the same reason no `import *` brings them.
"""

from typing import TYPE_CHECKING

from kessai.stores.encoding import Answered
from kessai.stores.memory import MemoryStore
from kessai.stores.opening import open_store
from kessai.stores.protocol import AsyncStore, ForeignObject, StatusGroup, Store
from kessai.stores.sqlite import SQLiteStore, StoreWarning

if TYPE_CHECKING:
    from kessai.stores.postgres import AsyncPostgresStore as AsyncPostgresStore
    from kessai.stores.postgres import PostgresStore as PostgresStore
else:

    def __getattr__(name):
        if name not in {"AsyncPostgresStore", "PostgresStore"}:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from kessai.stores import postgres

        return getattr(postgres, name)


__all__ = [
    "Answered",
    "AsyncStore",
    "ForeignObject",
    "MemoryStore",
    "SQLiteStore",
    "StatusGroup",
    "Store",
    "StoreWarning",
    "open_store",
]
