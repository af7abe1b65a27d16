"""kessai (決済): carries payments through a state machine, never losing track of money.

    from kessai import Command, Engine, MemoryStore

    engine = Engine(adapter=…, store=MemoryStore())
    engine.execute(Command("authorize", "order-1", lifecycle="one_time", amount=1200,
                           key="checkout-1"))

What is exported here is the public interface, with `kessai.errors`, `kessai.gateway`
(for adapters) and `kessai.spec` (lifecycle files). Each is imported when it is first
used: pytest and Hypothesis load a part of this package in every run of theirs.
`PostgresStore` and `AsyncPostgresStore` need the extra `postgres`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kessai.flow import (
        Answer,
        Missing,
        PushNotConfirmed,
        Recovery,
        Status,
        StillUnderWay,
    )
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
    from kessai.stores import AsyncPostgresStore as AsyncPostgresStore
    from kessai.stores import MemoryStore, SQLiteStore, Store, StoreWarning, open_store
    from kessai.stores import PostgresStore as PostgresStore
    from kessai.transport import AsyncHttpTransport, HttpTransport
else:
    _NAMES = {
        "flow": (
            "Answer",
            "Missing",
            "PushNotConfirmed",
            "Recovery",
            "Status",
            "StillUnderWay",
        ),
        "machine": (
            "Bounds",
            "Command",
            "Denial",
            "Operation",
            "Phase",
            "Possibility",
            "Reason",
            "Transaction",
        ),
        "push_endpoint": (
            "PushAnswer",
            "PushEndpoint",
            "answer_push",
            "answer_push_async",
        ),
        "shell": ("AsyncEngine", "Engine"),
        "spec": ("Lifecycle", "load_file", "load_shipped", "shipped_names"),
        "stores": (
            "AsyncPostgresStore",
            "MemoryStore",
            "PostgresStore",
            "SQLiteStore",
            "Store",
            "StoreWarning",
            "open_store",
        ),
        "transport": ("AsyncHttpTransport", "HttpTransport"),
        "errors": (),
        "gateway": (),
    }
    _AT = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name):
        if name in _NAMES:
            return import_module(f"kessai.{name}")
        if name not in _AT:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"kessai.{_AT[name]}"), name)
        globals()[name] = value
        return value


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
    "StillUnderWay",
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
