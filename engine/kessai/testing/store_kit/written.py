"""A trail as the changes by which a flow would have written it, keys and answers too."""

from collections.abc import Iterable, Iterator

from kessai.flow import Change, Recorded
from kessai.flow.effects import learned_references
from kessai.gateway import Evidence
from kessai.machine import (
    Begun,
    Bounds,
    Denied,
    Event,
    Machine,
    Operation,
    Record,
    Reported,
    Transaction,
    evolve,
    read_record,
)


def changes(
    machine: Machine, order: str, records: Iterable[Record]
) -> Iterator[Change]:
    """One change a record; the first of a transaction brings its lifecycle along."""
    transaction = Transaction(order)
    for record in records:
        event = read_record(record, transaction.head).event
        before = transaction
        bound = before.exists or isinstance(event, Begun)
        after = evolve(machine if bound else None, before, event)
        transaction = after.with_head(record.hash)
        yield Change(
            transaction=transaction,
            records=(record,),
            opens=_opened(before, event),
            closes=_closed(before, event),
            declaration=None if before.exists else machine.lifecycle,
            references=learned_references(before.references, transaction),
        )


def _opened(before: Transaction, event: Event) -> Recorded | None:
    if isinstance(event, Begun):
        return recorded(event.operation, "begun")
    return recorded_denial(before.id, event) if isinstance(event, Denied) else None


def _closed(before: Transaction, event: Event) -> tuple[Recorded, ...]:
    if not isinstance(event, Reported):
        return ()
    operation = before.operations[event.operation]
    return (recorded(operation, event.outcome.value, event.evidence),)


def recorded(
    operation: Operation, outcome: str, evidence: Evidence | None = None
) -> Recorded:
    """What stands under the key of an operation."""
    return Recorded(
        key=operation.key,
        request=operation.request,
        command=operation.command,
        transaction=operation.id.rpartition(".")[0],
        outcome=outcome,
        operation=operation.id,
        evidence=evidence,
    )


def recorded_denial(
    transaction: str, denied: Denied, bounds: Bounds | None = None
) -> Recorded:
    """What stands under the key of a refused command."""
    return Recorded(
        key=denied.key,
        request=denied.request,
        command=denied.command,
        transaction=transaction,
        outcome="denied",
        reasons=denied.reasons,
        bounds=bounds,
    )
