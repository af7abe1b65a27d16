"""A shop with an engine on PostgreSQL, and the gateway's stand-in, which never dies."""

from datetime import UTC, datetime, timedelta
from threading import Lock

from kessai import Command, Engine, Missing, Recovery, Status
from kessai.audit import verify
from kessai.errors import CommitUnknown, SafeToResend
from kessai.machine import broken_invariants
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

AMOUNTS = ("authorized", "captured", "released", "refunded", "refunding")
ADAPTER = VeriTrans4G(
    Credentials(DEFAULT_CCID, DEFAULT_KEY),
    dummy=True,
    notification_url="https://shop.example/push",
)


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


class Wire(EmulatorTransport):
    """One request at a time; may break something before the gateway hears of it."""

    _lock = Lock()
    meanwhile = None

    def send(self, request):
        if self.meanwhile is not None:
            self.meanwhile()
        with self._lock:
            return super().send(request)


class Shop:
    def __init__(self, store):
        self.clock = Clock()
        self.emulator = Emulator(clock=self.clock, approve="now")
        self.store = store
        self.wire = Wire(self.emulator)
        self.engine = Engine(
            adapters=[ADAPTER],
            store=store,
            transport=self.wire,
            clock=self.clock,
        )

    def close(self):
        self.engine.close()
        self.emulator.close()

    def do(self, name, transaction, key, **fields):
        return self.engine.execute(Command(name, transaction, key=key, **fields))

    def authorized(self, transaction, amount=1000, **fields):
        """A payment, authorized by the consumer's approval and its notification."""
        fields = {"lifecycle": "one_time", "amount": amount, **fields}
        self.do("authorize", transaction, f"{transaction}:a", **fields)
        for notification in self.emulator.take_notifications():
            self.engine.receive_notification(notification.headers, notification.body)
        assert not self.engine.transaction(transaction).operations

    def insist(self, name, transaction, key, **fields):
        """As a caller is told to: again with the same key until there is an answer."""
        for _ in range(100):
            try:
                return self.do(name, transaction, key, **fields)
            except (SafeToResend, CommitUnknown):
                continue
        raise AssertionError(key)

    def recover(self):
        """Long after, when no request can be under way any more."""
        self.clock.now += timedelta(hours=1)
        self.engine.recover(Recovery(missing=Missing.RESEND))

    def resolve(self):
        for _ in range(5):
            self.recover()
            if not self.store.open_transactions(1):
                return
        raise AssertionError(self.store.open_transactions(100))

    def sent(self, transaction, wire):
        """How often the gateway carried out such a command."""
        exchanges = self.emulator.books[transaction].exchanges
        return sum(exchange.command == wire for exchange in exchanges)

    def books_agree(self):
        """The engine and the gateway believe the same, and every trail holds."""
        machines = {machine.name: machine for machine in self.engine.machines}
        for transaction in self.store.transactions():
            if not transaction.exists:
                continue
            assert broken_invariants(machines[transaction.lifecycle], transaction) == ()
            order = self.emulator.books.find(transaction.id, self.clock.now)
            ours = {name: transaction.amounts[name] for name in AMOUNTS}
            assert ours == {name: getattr(order, name) for name in AMOUNTS}
        report = verify(self.store)
        assert report.faults.first == ()
        assert report.discrepancies.count == 0


def is_over(answer):
    return answer.status in {Status.SUCCEEDED, Status.DECLINED, Status.DENIED}
