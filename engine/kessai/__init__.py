"""kessai (決済): carries payments through a state machine, never losing track of money.

    from kessai import Command, Engine, MemoryStore

    engine = Engine(adapter=…, store=MemoryStore())
    engine.execute(Command("authorize", "order-1", lifecycle="one_time", amount=1200,
                           key="checkout-1"))

What is exported here is the public interface, with `kessai.errors`, `kessai.gateway`
(for adapters) and `kessai.spec` (lifecycle files). `PostgresStore` and
`AsyncPostgresStore` are too, imported when asked for: they need the extra `postgres`.
"""

from typing import TYPE_CHECKING

from kessai.flow import Answer, Missing, PushNotConfirmed, Recovery, Status
from kessai.machine import (
    Bounds,
    Command,
    Denial,
    Operation,
    Phase,
    Possibility,
    Reason,
    Transaction,
)
from kessai.push_endpoint import (
    PushAnswer,
    PushEndpoint,
    answer_push,
    answer_push_async,
)
from kessai.shell import AsyncEngine, Engine
from kessai.spec import Lifecycle, load_file, load_shipped, shipped_names
from kessai.stores import MemoryStore, SQLiteStore, Store, StoreWarning, open_store
from kessai.transport import AsyncHttpTransport, HttpTransport

if TYPE_CHECKING:
    from kessai.stores import AsyncPostgresStore as AsyncPostgresStore
    from kessai.stores import PostgresStore as PostgresStore
else:

    def __getattr__(name):
        if name not in {"AsyncPostgresStore", "PostgresStore"}:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from kessai import stores

        return getattr(stores, name)


__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AsyncEngine",
    "AsyncHttpTransport",
    "Bounds",
    "Command",
    "Denial",
    "Engine",
    "HttpTransport",
    "Lifecycle",
    "MemoryStore",
    "Missing",
    "Operation",
    "Phase",
    "Possibility",
    "PushAnswer",
    "PushEndpoint",
    "PushNotConfirmed",
    "Reason",
    "Recovery",
    "SQLiteStore",
    "Status",
    "Store",
    "StoreWarning",
    "Transaction",
    "answer_push",
    "answer_push_async",
    "load_file",
    "load_shipped",
    "open_store",
    "shipped_names",
]
