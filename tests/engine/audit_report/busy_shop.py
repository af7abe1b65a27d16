"""A shop whose store has something of everything that a report shows."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import attrs

from kessai import Command, Engine
from kessai.evidence.outcome import resolve_external
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import append, compile_lifecycle
from kessai.spec import load_shipped
from kessai_adapters.veritrans4g.local import LocalGateway

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}
HOSTILE = "<img src=x onerror=alert(1)>\"'&"
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
"""The moment that the reports of these tests speak of."""


class Clock:
    """Every look at it is a second later."""

    def __init__(self):
        self.now = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


@attrs.define
class Shop:
    """An order system on one store, before the emulator."""

    engine: Engine
    local: LocalGateway
    clock: Clock
    asked: int = 0

    @property
    def emulator(self):
        return self.local.emulator

    def do(self, name, transaction, **what):
        self.asked += 1
        key = f"key-{self.asked:04d}"
        return self.engine.execute(Command(name, transaction, key=key, **what))

    def resolve(self, transaction):
        self.engine.recover_transaction(transaction)

    def sells(self, transaction="A-1", amount=1000, captured=900):
        """Applied for, authorized a minute later, captured the next day."""
        self.do("authorize", transaction, lifecycle="one_time", amount=amount)
        self.clock.pass_by(minutes=1)
        self.resolve(transaction)
        self.clock.pass_by(days=1)
        self.do("capture", transaction, amount=captured)

    def agrees(self, transaction="R-1"):
        """A consent alone."""
        consent = {**MONTHLY, "consent_only": True}
        self.do(
            "authorize",
            transaction,
            lifecycle="recurring",
            amount=500,
            parameters=consent,
        )
        self.resolve(transaction)

    def finds(self, transaction):
        """Evidence of a cancel turns up, which the lifecycle does not allow any more."""
        evidence = Evidence(
            source=Source.NOTIFICATION,
            transaction=transaction,
            command="cancel",
            outcome=Outcome.SUCCEEDED,
        )
        store = self.engine.store
        standing = self.engine.transaction(transaction)
        machine = compile_lifecycle(load_shipped(standing.lifecycle))
        event = resolve_external(machine, standing, evidence, self.clock())
        after, record = append(machine, standing, event)
        store.append(Change(transaction=after, records=(record,)))
        return record.number


def opened(store, lifecycles=None):
    clock = Clock()
    local = LocalGateway(clock=clock)
    engine = Engine(
        adapters=[local.adapter],
        store=store,
        transport=local.transport,
        lifecycles=lifecycles,
        clock=clock,
    )
    return Shop(engine, local, clock)


def live(shop):
    """A winter in which everything happens that can happen to a shop."""
    for number in range(1, 9):
        shop.sells(f"A-{number}", 1000 * number, 900 * number)
        shop.clock.pass_by(hours=7 * number)
    _refunds(shop)
    _ends_before_the_capture(shop)
    _charges(shop)
    shop.do("capture", HOSTILE, amount=1)  # of no such order
    shop.emulator.misbehave("lose_reply", command="Refund")
    shop.do("refund", "A-6", amount=60)  # stays open
    shop.finds("A-7")
    number = shop.finds("A-8")
    shop.engine.close_discrepancy(
        "A-8", number, evidence=f"seen {HOSTILE}", actor="Sato <s@x>"
    )
    return shop


def _refunds(shop):
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=700)  # more than is left
    shop.do("refund", "A-1")  # the rest
    shop.do("refund", "A-2", amount=50)
    shop.do("capture", "A-3")  # once is all
    shop.emulator.misbehave("refuse", command="Refund")
    shop.do("refund", "A-4", amount=1)
    shop.emulator.portal.refund("A-5", 100)
    shop.resolve("A-5")


def _ends_before_the_capture(shop):
    shop.do("authorize", "B-1", lifecycle="one_time", amount=50)
    shop.resolve("B-1")
    shop.do("cancel", "B-1")
    shop.do("authorize", "B-2", lifecycle="one_time", amount=70)
    shop.resolve("B-2")
    shop.clock.pass_by(days=31)
    shop.do("capture", "B-2")  # too late
    shop.engine.sweep("B-2")
    shop.do("authorize", "B-3", lifecycle="one_time", amount=10**7 + 1)  # too much


def _charges(shop):
    shop.agrees("R-1")
    shop.do("reauthorize", "R-1-a", agreement="R-1", amount=400)
    shop.resolve("R-1-a")
    shop.do("update_consent", "R-1", amount=600, parameters=MONTHLY)
    shop.do("terminate", "R-1")
    shop.do("reauthorize", "R-1-b", agreement="R-1", amount=400)  # after its end


def spoil(path, transaction, number, old, new):
    """Someone with the database's password edits an event, and its hash with it."""
    place = (transaction, number)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        ((body,),) = database.execute(
            "SELECT body FROM kessai_events WHERE transaction_id = ? AND number = ?",
            place,
        )
        assert old in body
        changed = body.replace(old, new)
        digest = hashlib.sha256(changed).hexdigest()
        database.execute(
            "UPDATE kessai_events SET body = ?, hash = ?"
            " WHERE transaction_id = ? AND number = ?",
            (changed, digest, *place),
        )
