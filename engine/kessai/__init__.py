"""kessai (決済): carries payments through a state machine, never losing track of money.

    from kessai import Command, Engine, MemoryStore

    engine = Engine(adapters=[…], store=MemoryStore())
    engine.execute(Command("authorize", "order-1", lifecycle="one_time", amount=1200,
                           key="checkout-1"))

The public interface is what is exported here, `kessai.errors`, and all of
`kessai.gateway` (for adapters), `kessai.flow` (for stores and drivers) and
`kessai.spec` (lifecycle files). Each name is imported when it is first used, because
pytest and Hypothesis load a part of this package in each of their runs.
`PostgresStore` and `AsyncPostgresStore` need the extra `postgres`, and `Telemetry`
needs `telemetry`.
"""

from kessai.on_demand import TYPE_CHECKING, import_on_demand

if TYPE_CHECKING:
    from kessai.async_engine import AsyncEngine
    from kessai.driver import Clock, FlowRun, Observer, drive, drive_async, observe
    from kessai.evidence.ledger import Unconfirmed
    from kessai.feed.event import FeedEvent
    from kessai.flow import (
        AmountBounds,
        Answer,
        Change,
        Effect,
        Flow,
        ImportedCommand,
        Inquiry,
        Lease,
        Loaded,
        Missing,
        NotificationNotConfirmed,
        Prepared,
        Published,
        Recorded,
        Recovery,
        Search,
        SearchResult,
        Status,
        StillUnderWay,
        Subscriber,
        Undelivered,
    )
    from kessai.gateway import (
        Adapter,
        Call,
        Evidence,
        Exchange,
        Failure,
        ListedExchange,
        Mention,
        Notification,
        Outcome,
        Reception,
        Reply,
        Request,
        Source,
        TwoFunctionAdapter,
    )
    from kessai.http.notifications import (
        NotificationAnswer,
        NotificationEndpoint,
        answer_notification,
        answer_notification_async,
    )
    from kessai.machine import (
        Bounds,
        Command,
        Denial,
        Event,
        Operation,
        Phase,
        Possibility,
        Reason,
        Record,
        Transaction,
    )
    from kessai.machine.chain import AppliedEvent
    from kessai.shell import Engine
    from kessai.spec import Lifecycle, load_file, load_shipped, shipped_names
    from kessai.stores import (
        Answered,
        AsyncStore,
        ForeignObject,
        MemoryStore,
        SQLiteStore,
        StatusGroup,
        Store,
        StoreWarning,
        open_store,
    )
    from kessai.stores import AsyncPostgresStore as AsyncPostgresStore
    from kessai.stores import PostgresStore as PostgresStore
    from kessai.stores.opening import schema
    from kessai.telemetry.logs import LogObserver
    from kessai.telemetry.telemetry import Telemetry as Telemetry
    from kessai.transport import AsyncTransport, Transport
    from kessai.transport.async_http import AsyncHttpTransport
    from kessai.transport.http import HttpTransport
else:
    import_on_demand(
        __name__,
        {
            ".": (
                "async_engine driver errors flow gateway machine shell spec stores "
                "transport"
            ),
            ".async_engine": "AsyncEngine",
            ".driver": "Clock FlowRun Observer drive drive_async observe",
            ".flow": (
                "AmountBounds Answer Change Effect Flow ImportedCommand Inquiry Lease "
                "Loaded Missing "
                "NotificationNotConfirmed Prepared Published Recorded Recovery Search "
                "SearchResult Status StillUnderWay Subscriber Undelivered"
            ),
            ".gateway": (
                "Adapter Call Evidence Exchange Failure ListedExchange Mention Notification"
                " Outcome Reception Reply Request Source TwoFunctionAdapter"
            ),
            ".machine": (
                "Bounds Command Denial Event Operation Phase Possibility Reason "
                "Record Transaction"
            ),
            ".machine.chain": "AppliedEvent",
            ".evidence.ledger": "Unconfirmed",
            ".feed.event": "FeedEvent",
            ".http.notifications": (
                "NotificationAnswer NotificationEndpoint answer_notification"
                " answer_notification_async"
            ),
            ".shell": "Engine",
            ".spec": "Lifecycle load_file load_shipped shipped_names",
            ".stores": (
                "AsyncPostgresStore PostgresStore Answered AsyncStore ForeignObject MemoryStore "
                "SQLiteStore StatusGroup Store StoreWarning open_store"
            ),
            ".stores.opening": "schema",
            ".telemetry.logs": "LogObserver",
            ".telemetry.telemetry": "Telemetry",
            ".transport": "AsyncTransport Transport",
            ".transport.async_http": "AsyncHttpTransport",
            ".transport.http": "HttpTransport",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "Adapter",
    "AmountBounds",
    "Answer",
    "Answered",
    "AppliedEvent",
    "AsyncEngine",
    "AsyncHttpTransport",
    "AsyncStore",
    "AsyncTransport",
    "Bounds",
    "Call",
    "Change",
    "Clock",
    "Command",
    "Denial",
    "Effect",
    "Engine",
    "Event",
    "Evidence",
    "Exchange",
    "Failure",
    "FeedEvent",
    "Flow",
    "FlowRun",
    "ForeignObject",
    "HttpTransport",
    "ImportedCommand",
    "Inquiry",
    "Lease",
    "Lifecycle",
    "ListedExchange",
    "Loaded",
    "LogObserver",
    "MemoryStore",
    "Mention",
    "Missing",
    "Notification",
    "NotificationAnswer",
    "NotificationEndpoint",
    "NotificationNotConfirmed",
    "Observer",
    "Operation",
    "Outcome",
    "Phase",
    "Possibility",
    "Prepared",
    "Published",
    "Reason",
    "Reception",
    "Record",
    "Recorded",
    "Recovery",
    "Reply",
    "Request",
    "SQLiteStore",
    "Search",
    "SearchResult",
    "Source",
    "Status",
    "StatusGroup",
    "StillUnderWay",
    "Store",
    "StoreWarning",
    "Subscriber",
    "Transaction",
    "Transport",
    "TwoFunctionAdapter",
    "Unconfirmed",
    "Undelivered",
    "answer_notification",
    "answer_notification_async",
    "drive",
    "drive_async",
    "load_file",
    "load_shipped",
    "observe",
    "open_store",
    "schema",
    "shipped_names",
]
