"""Steps that several flows take: find the machine, write events, read the trail."""

from collections.abc import Iterable

import attrs

from kessai.errors import TrailBroken, UnknownLifecycle, VersionConflict
from kessai.flow.effects import (
    Append,
    Change,
    Declaration,
    Flow,
    History,
    Load,
    Loaded,
    Recorded,
)
from kessai.gateway import Adapter, Call, Outcome
from kessai.machine import (
    Event,
    Machine,
    Machines,
    Operation,
    Record,
    Reported,
    Transaction,
    append,
    read_record,
)

ATTEMPTS = 100
"""How often a step decides again when another writer was faster."""


@attrs.frozen
class Context:
    """What every flow of an engine works with. Holds no state of its own."""

    machines: Machines
    adapter: Adapter


def contended(transaction_id: str) -> VersionConflict:
    """The error for a transaction that other writers never left alone."""
    message = f"{transaction_id}: others changed it {ATTEMPTS} times while deciding"
    return VersionConflict(message)


def machine_of(context: Context, transaction: Transaction) -> Flow[Machine | None]:
    """The machine that `transaction` began under; None if it never began.

    Raises:
        UnknownLifecycle: its lifecycle file is not in the store.
        TrailBroken: the file in the store has another hash.

    """
    if not transaction.exists:
        return None
    machine = context.machines.by_hash(transaction.lifecycle_hash)
    if machine is not None:
        return machine
    document: bytes | None = yield Declaration(transaction.lifecycle_hash)
    if document is None:
        message = f"{transaction.id}: its lifecycle file is not in the store"
        raise UnknownLifecycle(message)
    learned = context.machines.add(document)
    if learned.lifecycle.hash != transaction.lifecycle_hash:
        message = (
            f"{transaction.id}: the lifecycle file in the store is not the one it began"
            " under"
        )
        raise TrailBroken(message)
    return learned


def load(transaction_id: str) -> Flow[Transaction]:
    """The transaction, blank if the store has none."""
    loaded: Loaded = yield Load(None, transaction_id)
    return loaded.transaction or Transaction(transaction_id)


def write(
    machine: Machine | None, transaction: Transaction, events: Iterable[Event]
) -> Flow[tuple[Transaction, tuple[Recorded, ...]]]:
    """Append `events`, and what they make of the keys of the operations they end.

    Raises:
        VersionConflict: another writer was faster; nothing was written.

    """
    records: list[Record] = []
    closes: list[Recorded] = []
    for event in events:
        if isinstance(event, Reported):
            closes.append(_closed(transaction.operations[event.operation], event))
        transaction, record = append(machine, transaction, event)
        records.append(record)
    if records:
        change = Change(
            transaction=transaction, records=tuple(records), closes=tuple(closes)
        )
        yield Append(change)
    return transaction, tuple(closes)


def read_trail(transaction_id: str) -> Flow[list[Event]]:
    """The events of a transaction, checked against their chain.

    Raises:
        TrailBroken: the chain does not hold.

    """
    records: list[Record] = yield History(transaction_id)
    events: list[Event] = []
    head = ""
    for record in records:
        events.append(read_record(record, head).event)
        head = record.hash
    return events


def call_for(
    context: Context, machine: Machine, transaction: Transaction, operation: Operation
) -> Call:
    """The call that carries out `operation`; the same operation gives the same call."""
    return Call(
        command=operation.command,
        transaction=transaction.id,
        lifecycle=machine.name,
        operation=operation.id,
        amount=operation.amount,
        currency=machine.lifecycle.currency,
        agreement=transaction.agreement,
        parameters=operation.parameters,
        idempotency_key=f"{context.adapter.name}:{operation.id}",
    )


def _closed(operation: Operation, event: Reported) -> Recorded:
    return Recorded(
        key=operation.key,
        request=operation.request,
        command=operation.command,
        transaction=operation.id.rpartition(".")[0],
        outcome=Outcome(event.outcome).value,
        operation=operation.id,
        evidence=event.evidence,
    )
