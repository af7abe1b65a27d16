"""Stores: one protocol, and what keeps it in memory, in SQLite and in PostgreSQL.

`PostgresStore` and `AsyncPostgresStore` are imported when they are asked for: they need
the extra `postgres`. For the same reason no `import *` brings them.
"""

from typing import TYPE_CHECKING

from kessai.on_demand import import_on_demand

if TYPE_CHECKING:
    from kessai.stores.encoding import Answered
    from kessai.stores.memory import MemoryStore
    from kessai.stores.opening import open_store
    from kessai.stores.postgres import AsyncPostgresStore as AsyncPostgresStore
    from kessai.stores.postgres import PostgresStore as PostgresStore
    from kessai.stores.protocol import AsyncStore, ForeignObject, StatusGroup, Store
    from kessai.stores.sqlite import SQLiteStore, StoreWarning
else:
    import_on_demand(
        __name__,
        {
            ".encoding": "Answered",
            ".memory": "MemoryStore",
            ".opening": "open_store",
            ".postgres": "AsyncPostgresStore PostgresStore",
            ".protocol": "AsyncStore ForeignObject StatusGroup Store",
            ".sqlite": "SQLiteStore StoreWarning",
        },
    )

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
