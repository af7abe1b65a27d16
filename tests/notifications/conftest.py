"""A shop whose notifications arrive at its endpoint, and the emulator that sends them.

`shop` is an `Engine` behind the plain function, then an `AsyncEngine` behind the ASGI
endpoint; every test is of both.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import (
    AsyncEngine,
    Command,
    Engine,
    MemoryStore,
    NotificationEndpoint,
    SQLiteStore,
    answer_notification,
)
from kessai.audit import verify
from kessai.gateway import Failure, Reply
from kessai.machine import read_events
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    Merchant,
    compose,
)
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

URL = "https://shop.example/push"
OURS = Merchant(ccid=DEFAULT_CCID, secret_key=DEFAULT_KEY)


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


class Line:
    """How the gateway answers inquiries: truly, as it did before, or not at all."""

    def __init__(self):
        self.sent = []
        self.last_list = Reply(status=200)  # that nobody can read
        self.lags = False
        self.is_down = False
        self.overtaken_by = None

    def before(self, request):
        command = request.url.split("/")[5]
        self.sent.append(command)
        if command != "Search":
            return None
        if self.is_down:
            return Failure(sent=True, reason="lost")
        if self.lags:
            return self.last_list
        return None

    def heard(self, reply):
        if self.sent[-1] == "Search":
            self.last_list = reply
        return reply


class Wire(EmulatorTransport):
    def __init__(self, shop):
        super().__init__(shop.emulator)
        self._shop = shop

    def send(self, request):
        line = self._shop.line
        reply = line.before(request) or line.heard(super().send(request))
        if self._shop.notifications_overtake:
            for notification in self._shop.emulator.take_notifications():
                answer = answer_notification(
                    self._shop.engine, notification.headers, notification.body
                )
                assert answer.status == 200
        return reply


class AsyncWire(AsyncEmulatorTransport):
    def __init__(self, shop):
        super().__init__(shop.emulator)
        self._shop = shop

    async def send(self, request):
        line = self._shop.line
        reply = line.before(request)
        if reply is None:
            reply = line.heard(await super().send(request))
        if self._shop.notifications_overtake:
            for notification in self._shop.emulator.take_notifications():
                answer = await call(self._shop.endpoint, *asgi(notification))
                assert answer.status == 200
        return reply


@attrs.frozen
class Answer:
    status: int | None
    headers: dict = attrs.Factory(dict)
    body: bytes = b""
    read: int = 0
    """How many messages the opening command asked for."""


def asgi(notification, *, method="POST"):
    """A notification as an ASGI server hands it over."""
    headers = (
        notification.headers.items()
        if isinstance(notification.headers, dict)
        else notification.headers
    )
    scope = {
        "type": "http",
        "method": method,
        "path": "/any/where",
        "headers": [
            (n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers
        ],
    }
    return scope, [
        {"type": "http.request", "body": notification.body, "more_body": False}
    ]


async def call(app, scope, messages):
    """Have `app` serve one connection on which `messages` arrive; what it answered."""
    answered, waiting = [], list(messages)

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message):
        answered.append(message)

    await app(scope, receive, send)
    read = len(messages) - len(waiting)
    if not answered:
        return Answer(None, read=read)
    start, end = answered
    headers = {n.decode(): v.decode() for n, v in start["headers"]}
    return Answer(start["status"], headers, end["body"], read)


class Shop:
    """One engine behind one endpoint; every method goes on to its end."""

    def __init__(self, kind, store, run, *, dummy=True):
        self.kind, self.store, self.run = kind, store, run
        self.clock, self.line = Clock(), Line()
        self.notifications_overtake = False
        self.emulator = Emulator(clock=self.clock, approve="ask")
        adapter = VeriTrans4G(
            Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=dummy, notification_url=URL
        )
        parts = {"adapters": [adapter], "store": store, "clock": self.clock}
        if kind == "function":
            self.engine = Engine(**parts, transport=Wire(self))
        else:
            self.engine = AsyncEngine(**parts, transport=AsyncWire(self))
            self.endpoint = NotificationEndpoint(self.engine)

    def _end(self, value):
        return self.run(value) if asyncio.iscoroutine(value) else value

    def do(self, name, transaction="order", **fields):
        key = f"{transaction} {name} {len(self.line.sent)}"
        return self._end(
            self.engine.execute(Command(name, transaction, key=key, **fields))
        )

    def recover(self, transaction="order"):
        return self._end(self.engine.recover_transaction(transaction))

    def close_discrepancy(self, number, transaction="order"):
        return self._end(
            self.engine.close_discrepancy(
                transaction, number, evidence="asked", actor="Hanako"
            )
        )

    def transaction(self, transaction="order"):
        return self._end(self.engine.transaction(transaction))

    def deliver(self, *notifications):
        """Deliver `notifications`, or all that are ready; the answers' statuses."""
        chosen = notifications or self.emulator.take_notifications()
        return [self.answer(notification).status for notification in chosen]

    def answer(self, notification):
        if self.kind == "function":
            return answer_notification(
                self.engine, notification.headers, notification.body
            )
        return self.run(call(self.endpoint, *asgi(notification)))

    def signed(self, *notices, by=OURS, at=None):
        """A notification of `notices`, signed by `by`: the gateway's own by default."""
        moment = self.clock.now if at is None else at
        return compose(by, URL, notices, at=moment, serial=1)

    def loses(self, command):
        self.emulator.misbehave("lose_reply", command=command)

    def lags_from_now(self, transaction="order"):
        """Inquiries are answered from now on as they would be now."""
        self.recover(transaction)
        self.line.lags = True

    def kinds(self, transaction="order"):
        return [type(event).__name__ for event in self.events(transaction)]

    def events(self, transaction="order"):
        return list(read_events(self.store.records(transaction)))

    def trail(self):
        return {name: self.kinds(name) for name, _ in self.store.trails()}

    # ── beginnings ──────────────────────────────────────────────────────────────────

    def applied(self, transaction="order", amount=1000, **parameters):
        self.do(
            "authorize",
            transaction,
            lifecycle="one_time",
            amount=amount,
            parameters=parameters,
        )

    def approved(self, transaction="order", amount=1000, **parameters):
        """Approved by the consumer; the notification of it."""
        self.applied(transaction, amount, **parameters)
        self.emulator.consumer.approve(transaction)
        [notification] = self.emulator.take_notifications()
        return notification

    def authorized(self, transaction="order", amount=1000, **parameters):
        notification = self.approved(transaction, amount, **parameters)
        assert self.deliver(notification) == [200]
        return notification

    def captured(self, transaction="order", amount=1000):
        return self.authorized(transaction, amount, with_capture=True)


def notice(transaction, command, status="success", amount=None, **more):
    """One item as the gateway words it."""
    fields = {
        "orderId": transaction,
        "txnType": command,
        "mstatus": status,
        "vResultCode": "A001000000000000",
        "dummy": "1",
        **more,
    }
    return fields if amount is None else {**fields, "amount": str(amount)}


@pytest.fixture
def item():
    return notice


@pytest.fixture
def serve_one(run):
    """Has an ASGI app serve one connection, in the event loop of the test."""

    def serve(app, scope, messages):
        return run(call(app, scope, messages))

    return serve


@pytest.fixture
def as_asgi():
    return asgi


@pytest.fixture(params=["function on sqlite", "asgi on memory"])
def parts(request):
    return request.param.split(" on ")


@pytest.fixture
def kind(parts):
    return parts[0]


@pytest.fixture
def store(parts, tmp_path):
    return MemoryStore() if parts[1] == "memory" else SQLiteStore(tmp_path / "shop.db")


@pytest.fixture
def run():
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def make_shop(kind, run):
    """A shop on a store, in test mode or live."""
    made = []

    def make(store, **more):
        shop = Shop(kind, store, run, **more)
        made.append(shop)
        return shop

    yield make
    for shop in made:
        shop._end(shop.engine.close())
        shop.emulator.close()


@pytest.fixture
def shop(make_shop, store):
    shop = make_shop(store)
    yield shop
    assert verify(store).faults.first == ()


@pytest.fixture
def log(caplog):
    """What was logged, each as (level, text)."""
    caplog.set_level(logging.DEBUG)
    return lambda: [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name.startswith("kessai")
    ]
