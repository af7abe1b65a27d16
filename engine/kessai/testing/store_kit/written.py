"""A trail as the changes by which a flow would have written it, keys and answers too."""

from collections.abc import Iterable, Iterator

from kessai.flow import Change, Recorded
from kessai.machine import (
    Begun,
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
        )


def _opened(before: Transaction, event: Event) -> Recorded | None:
    if isinstance(event, Begun):
        return _recorded(event.operation, "begun")
    if isinstance(event, Denied):
        return Recorded(
            key=event.key,
            request=event.request,
            command=event.command,
            transaction=before.id,
            outcome="denied",
            reasons=event.reasons,
        )
    return None


def _closed(before: Transaction, event: Event) -> tuple[Recorded, ...]:
    if not isinstance(event, Reported):
        return ()
    return (_recorded(before.operations[event.operation], event.outcome.value, event),)


def _recorded(
    operation: Operation, outcome: str, report: Reported | None = None
) -> Recorded:
    return Recorded(
        key=operation.key,
        request=operation.request,
        command=operation.command,
        transaction=operation.id.rpartition(".")[0],
        outcome=outcome,
        operation=operation.id,
        evidence=None if report is None else report.evidence,
    )
