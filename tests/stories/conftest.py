"""A shop with an engine, and the gateway's stand-in on the other side of the wire."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kessai import (
    AsyncEngine,
    Command,
    Engine,
    MemoryStore,
    SQLiteStore,
)
from kessai.audit import verify
from kessai.flow import Missing, Recovery
from kessai.machine import broken_invariants, read_events
from kessai.simulator import differences
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G
from kessai_adapters.veritrans4g.played import booked_order

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEEP = Recovery(missing=Missing.KEEP)  # what is not listed stays open
HELD = ("authorizing", "capturing")  # the gateway never shows what is under way
MONTHLY = {"unit": "Month", "value": 1}


class Clock:
    def __init__(self):
        self.now = BEGIN

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


class Died(BaseException):
    """The process is gone in the middle of a call."""


class Wire(EmulatorTransport):
    """Counts what is sent; may do something before the reply reaches the engine."""

    def __init__(self, shop):
        super().__init__(shop.emulator)
        self._shop = shop

    def send(self, request):
        self._shop.sent.append(command_in(request))
        self._shop.may_die("before")
        reply = super().send(request)
        self._shop.may_die("after")
        if self._shop.notifications_overtake:
            for notification in self._shop.emulator.take_notifications():
                self._shop.engine.receive_notification(
                    notification.headers, notification.body
                )
        return reply


class AsyncWire(AsyncEmulatorTransport):
    def __init__(self, shop):
        super().__init__(shop.emulator)
        self._shop = shop

    async def send(self, request):
        self._shop.sent.append(command_in(request))
        self._shop.may_die("before")
        reply = await super().send(request)
        self._shop.may_die("after")
        if self._shop.notifications_overtake:
            for notification in self._shop.emulator.take_notifications():
                await self._shop.engine.receive_notification(
                    notification.headers, notification.body
                )
        return reply


def command_in(request):
    """`Capture` of `https://HOST/test-paynow/v2/Capture/amazonpay`."""
    return request.url.split("/")[5]


class Shop:
    """One engine, one emulator, one clock; every method drives the engine to its end."""

    def __init__(self, make_engine, wire, store, run):
        self.clock = Clock()
        self.sent = []
        self.notifications_overtake = False
        self.dies = None
        self.credentials = Credentials(DEFAULT_CCID, DEFAULT_KEY)
        self.adapter = VeriTrans4G(
            self.credentials, dummy=True, notification_url="https://shop.example/push"
        )
        self.emulator = Emulator(clock=self.clock, approve="ask")
        self.store = store
        self.engine = make_engine(
            adapters=[self.adapter], store=store, transport=wire(self), clock=self.clock
        )
        self._run = run
        self._keys = 0

    def do(self, name, transaction, *, key=None, **fields):
        if key is None:
            self._keys += 1
            key = f"key-{self._keys}"
        command = Command(name, transaction, key=key, **fields)
        return self._run(self.engine.execute(command))

    def die(self, moment, name, transaction, *, key, **fields):
        """The process dies `before` the gateway hears of the command, or `after`."""
        self.dies = moment
        with pytest.raises(Died):
            self.do(name, transaction, key=key, **fields)

    def may_die(self, moment):
        if self.dies == moment:
            self.dies = None
            raise Died

    def again(self, answer, **fields):
        """The same request under the same key."""
        return self.do(answer.command, answer.transaction.id, key=answer.key, **fields)

    def recover(self, transaction, recovery=KEEP):
        return self._run(self.engine.recover_transaction(transaction, recovery))

    def resolve(self, transaction, operation, outcome):
        found = {"evidence": "read in the portal", "actor": "Sato"}
        self._run(self.engine.resolve(transaction, operation, outcome, **found))

    def notification(self, notifications=None):
        """Deliver `notifications`, or all that the gateway has ready; those delivered."""
        delivered = (
            self.emulator.take_notifications()
            if notifications is None
            else list(notifications)
        )
        for notification in delivered:
            self.notification_raw(notification.headers, notification.body)
        return delivered

    def notification_raw(self, headers, body):
        self._run(self.engine.receive_notification(headers, body))

    def can(self, transaction):
        """Every command by its name."""
        found = self._run(self.engine.can(transaction))
        return {possibility.command: possibility for possibility in found}

    def sweep(self, transaction):
        return self._run(self.engine.sweep(transaction))

    def transaction(self, transaction):
        return self._run(self.engine.transaction(transaction))

    def order(self, transaction):
        """The order as the gateway has it."""
        return self.emulator.books.find(transaction, self.clock.now)

    def events(self, transaction):
        return list(read_events(self.store.records(transaction)))

    def kinds(self, transaction):
        return [type(event).__name__ for event in self.events(transaction)]

    # ── beginnings that many stories share ──────────────────────────────────────────

    def apply(self, transaction="order", amount=1000, **parameters):
        return self.do(
            "authorize",
            transaction,
            lifecycle="one_time",
            amount=amount,
            parameters=parameters,
        )

    def apply_recurring(self, transaction="plan", amount=1000, **parameters):
        return self.do(
            "authorize",
            transaction,
            lifecycle="recurring",
            amount=amount,
            parameters={"frequency": MONTHLY, **parameters},
        )

    def approve(self, transaction):
        """The consumer approves and the notification comes; where the browser goes."""
        self.clock.pass_by(minutes=1)
        browser = self.emulator.consumer.approve(transaction)
        self.notification()
        return browser

    def authorized(self, transaction="order", amount=1000, **parameters):
        self.apply(transaction, amount, **parameters)
        self.approve(transaction)
        return self.transaction(transaction)

    def captured(self, transaction="order", amount=1000):
        return self.authorized(transaction, amount, with_capture=True)

    def consented(self, transaction="plan", amount=1000, **parameters):
        self.apply_recurring(transaction, amount, **parameters)
        self.approve(transaction)
        return self.transaction(transaction)

    def differences(self, transaction):
        """In what the engine's books and the gateway's differ."""
        order = self.order(transaction)
        booked = None if order is None else booked_order(order)
        return list(differences(self.transaction(transaction), booked))

    # ── the end of every story ──────────────────────────────────────────────────────

    def books_agree(self, *, still_open=()):
        """Engine and gateway have the same books, also after every late notification."""
        self._books_agree(set(still_open))
        late = self.emulator.take_notifications()
        self.notification(late)
        self.notification(late)
        self._books_agree(set(still_open))

    def _books_agree(self, still_open):
        machines = {machine.name: machine for machine in self.engine.machines}
        standing = {t.id: t for t in self.store.transactions() if t.exists}
        orders = self.emulator.books.orders
        assert orders.keys() <= standing.keys()
        for transaction in standing.values():
            assert broken_invariants(machines[transaction.lifecycle], transaction) == ()
            assert bool(transaction.operations) == (transaction.id in still_open)
            if transaction.id not in still_open:
                assert self.differences(transaction.id) == []
                assert not any(transaction.amounts[name] for name in HELD)
        report = verify(self.store)
        assert report.faults.first == ()
        assert report.open_operations.count >= len(still_open)


WAYS = [
    ("sync", "sqlite"),
    ("async", "memory"),
]
"""How a flow is driven and where it is kept know nothing of each other: two will do."""


@pytest.fixture(params=WAYS, ids="-".join)
def way(request):
    """How the engine is driven, and where it keeps its transactions."""
    return request.param


@pytest.fixture
def driver(way):
    """What makes an engine, what carries its bytes, and what waits for its methods."""
    if "sync" in way:
        yield Engine, Wire, lambda value: value
        return
    with asyncio.Runner() as runner:

        def run(coroutine):
            return runner.run(coroutine)

        yield AsyncEngine, AsyncWire, run


@pytest.fixture
def shop(way, driver, tmp_path):
    make_engine, wire, run = driver
    store = SQLiteStore(tmp_path / "shop.db") if "sqlite" in way else MemoryStore()
    shop = Shop(make_engine, wire, store, run)
    yield shop
    run(shop.engine.close())
    shop.emulator.close()
