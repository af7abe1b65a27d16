"""An order system before the emulator, and events that nobody asked about."""

from datetime import UTC, datetime, timedelta

import attrs

from kessai import Command, Engine, MemoryStore
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, Operation, Transaction, append
from kessai_adapters.veritrans4g.local import LocalGateway

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


class Clock:
    """Every look at it is a second later."""

    def __init__(self):
        self.now = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@attrs.define
class Shop:
    """An order system on one store, before the emulator."""

    engine: Engine
    local: LocalGateway
    clock: Clock
    asked: int = 0

    def do(self, name, transaction, **what):
        self.asked += 1
        key = f"key-{self.asked:04d}"
        return self.engine.execute(Command(name, transaction, key=key, **what))

    def resolve(self, transaction):
        self.engine.recover_transaction(transaction)

    def sells(self, transaction="A-1"):
        """Five events: applied for, accepted, authorized by inquiry; captured in two."""
        self.do("authorize", transaction, lifecycle="one_time", amount=1000)
        self.resolve(transaction)
        self.do("capture", transaction, amount=900)

    def agrees(self, transaction="R-1"):
        """A consent alone: three events."""
        consent = {**MONTHLY, "consent_only": True}
        self.do(
            "authorize",
            transaction,
            lifecycle="recurring",
            amount=500,
            parameters=consent,
        )
        self.resolve(transaction)

    def charges(self, transaction="R-1-a", agreement="R-1"):
        self.do("reauthorize", transaction, agreement=agreement, amount=400)


def opened(store):
    clock = Clock()
    local = LocalGateway(clock=clock)
    transport = local.transport
    engine = Engine(
        adapters=[local.adapter], store=store, transport=transport, clock=clock
    )
    return Shop(engine, local, clock)


def filled(store):
    """A sale (five events) with two refunds of 300 (nine), another sale, a charge."""
    shop = opened(store)
    shop.sells("A-1")
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=300)
    shop.sells("A-2")
    shop.agrees()
    shop.charges()
    return shop


def forge(store, transaction_id, *events):
    """Append events as the engine would, but without asking whether they may be."""
    transaction = store.load(None, transaction_id, None).transaction
    machine = next(
        m for m in MACHINES if m.lifecycle.hash == transaction.lifecycle_hash
    )
    for event in events:
        transaction, record = append(machine, transaction, event)
        store.append(Change(transaction=transaction, records=(record,)))


MACHINES = Engine(
    adapters=[], store=MemoryStore(), transport=object(), clock=Clock()
).machines


def began(shop, name, transaction, amount, *, number=6, **given):
    command = Command(name, transaction, key="forged", amount=amount, parameters=given)
    at = shop.clock()
    operation = Operation(
        f"{transaction}.{number}",
        name,
        "forged",
        command.fingerprint,
        amount,
        given,
        at,
    )
    return Begun(at, operation)


def evidence_of(transaction, command, outcome=Outcome.SUCCEEDED, amount=None):
    return Evidence(
        source=Source.REPLY,
        transaction=transaction,
        command=command,
        outcome=outcome,
        amount=amount,
    )


def forge_charge(shop, store, version, **account):
    command = Command("reauthorize", "R-1-a", key="f", agreement="R-1", amount=400)
    at = shop.clock()
    operation = Operation(
        "R-1-a.1", command.name, "f", command.fingerprint, 400, {}, at
    )
    machine = next(machine for machine in MACHINES if machine.name == "charge")
    begun = Begun(at, operation, "R-1", ("payment",), version, **account)
    after, record = append(machine, Transaction("R-1-a"), begun)
    change = Change(transaction=after, records=(record,), declaration=machine.lifecycle)
    store.append(change)
