"""A shop with agreements at the gateway's emulator, and a clock moved by hand."""

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from kessai import Command, Engine, SQLiteStore
from kessai.billing import BilledAgreement, BillingSchedule
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.veritrans4g.local import LocalGateway

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MONTHLY = {"unit": "Month", "value": 1}
RUN = "2026-01"
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


class Wire(EmulatorTransport):
    """Counts what is sent; something may happen before a request is."""

    def __init__(self, emulator):
        super().__init__(emulator)
        self.sent = 0
        self.before = lambda: None

    def send(self, request):
        self.sent += 1
        self.before()
        return super().send(request)


class Shop:
    """What a merchant has, whose agreements are billed."""

    def __init__(self, store):
        self.now = BEGIN
        self.store = store
        self.local = LocalGateway(clock=lambda: self.now)
        self.wire = Wire(self.local.emulator)
        self.engine = self.worker(self.wire)
        self.bills = store.bills

    def worker(self, wire=None):
        """Another engine on the same store and gateway."""
        return Engine(
            adapters=[self.local.adapter],
            store=self.store,
            transport=wire or Wire(self.local.emulator),
            clock=lambda: self.now,
        )

    def passes(self, **span):
        self.now += timedelta(**span)

    def at(self, *day):
        self.now = datetime(*day, tzinfo=UTC)

    def do(self, name, transaction, key="", **more):
        command = Command(name, transaction, key=key or f"{transaction}/{name}", **more)
        return self.engine.execute(command)

    def agrees(self, *names, amount=980):
        for name in names:
            self.do(
                "authorize",
                name,
                lifecycle="recurring",
                amount=amount,
                parameters={"frequency": MONTHLY, "consent_only": True},
            )
            self.engine.recover_transaction(name)
            assert self.transaction(name).status == "consent.consented"

    def agrees_to(self, name, amount):
        """The consumer agrees to another amount."""
        self.do(
            "update_consent",
            name,
            key=f"{name}/{amount}",
            amount=amount,
            parameters={"frequency": MONTHLY},
        )

    def transaction(self, name):
        return self.engine.transaction(name)

    def plan(self, *names, anchor=date(2026, 1, 31), amount=980, **more):
        schedule = BillingSchedule(anchor=anchor)
        span = {"since": JANUARY, "until": FEBRUARY} | more
        return self.engine.plan(
            RUN,
            [
                BilledAgreement(agreement=name, amount=amount, schedule=schedule)
                for name in names
            ],
            **span,
        )

    def charge(self, name, agreement="A", period=date(2026, 1, 31), **more):
        command = Command(
            "reauthorize",
            name,
            key=more.pop("key", f"key-{name}"),
            agreement=agreement,
            amount=more.pop("amount", 980),
            **more,
        )
        return self.engine.charge_period(command, period)

    def listed(self):
        return self.bills.listed(RUN, ("", ""), 1000)

    def statuses(self):
        return {bill.charge: bill.status for bill in self.listed()}

    def orders(self):
        """What the gateway charged under an agreement, by its order ids."""
        return {
            name: order.original_order_id
            for name, order in self.local.emulator.books.orders.items()
            if order.original_order_id
        }

    def lease_ends(self):
        """The database's clock goes on until nobody has a lease."""
        with sqlite3.connect(self.store.path) as connection:
            connection.execute("UPDATE kessai_chunks SET leased_until = '2000-01-01'")
        connection.close()


@pytest.fixture
def shop(tmp_path):
    store = SQLiteStore(tmp_path / "shop.db")
    shop = Shop(store)
    yield shop
    shop.local.close()
    store.close()


@pytest.fixture
def wire_kind():
    """The class of wires to the gateway."""
    return Wire
