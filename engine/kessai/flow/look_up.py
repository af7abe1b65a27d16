"""Asking the gateway what it knows, and settling from its answer.

"Not found" is not "failed": a request may still be on its way. What a look-up does not
list stays open unless the caller can rule that out (`Missing`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from kessai.errors import VersionConflict
from kessai.flow.effects import Flow, Now, OpenTransactions, Send
from kessai.flow.steps import (
    ATTEMPTS,
    Context,
    contended,
    load,
    machine_of,
    read_trail,
    write,
)
from kessai.gateway import (
    LOOK_UP,
    Call,
    Evidence,
    Failure,
    Outcome,
    Reply,
    Source,
)
from kessai.machine import (
    Event,
    Machine,
    Operation,
    Phase,
    Transaction,
    evolve,
)
from kessai.machine.facts import settle_facts
from kessai.machine.settle import missing_event, settle


class Missing(StrEnum):
    """What becomes of an operation that the gateway's look-up does not list."""

    KEEP = "keep"  # it stays open: the request may still arrive
    DECLINE = "decline"  # once past the fence it cannot arrive any more
    RESEND = "resend"  # as DECLINE, but the same request is sent instead


@attrs.frozen(kw_only=True)
class Recovery:
    """How operations without an answer are recovered.

    After `patience` a begun operation counts as unanswered. `fence` is how long after
    its beginning a request can still arrive; `missing` says what happens beyond it.
    """

    patience: timedelta = timedelta(seconds=150)
    fence: timedelta = timedelta(minutes=10)
    missing: Missing = attrs.field(default=Missing.KEEP, converter=Missing)


@attrs.frozen(kw_only=True)
class Finding:
    """A transaction after a look-up, and what of it still needs care.

    `readable` is False when the gateway did not answer in a way that says anything.
    """

    transaction: Transaction
    readable: bool
    absent: tuple[Operation, ...] = ()


def look_up(
    context: Context, transaction_id: str, recovery: Recovery | None = None
) -> Flow[Finding]:
    """Ask the gateway about a transaction and settle what its answer settles.

    Raises:
        TrailBroken: the transaction's chain does not hold.
        VersionConflict: other writers never left the transaction alone.

    """
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return Finding(transaction=transaction, readable=False)
    if recovery is not None:
        transaction = yield from _presume_unanswered(machine, transaction, recovery)
    call = Call(command=LOOK_UP, transaction=transaction.id, lifecycle=machine.name)
    reply: Reply | Failure = yield Send(context.adapter.request(call))
    evidence = context.adapter.evidence(call, reply)
    if evidence.outcome is not Outcome.SUCCEEDED:
        return Finding(transaction=transaction, readable=False)
    return (yield from _settle(machine, transaction.id, evidence, recovery))


def open_transactions(limit: int) -> Flow[list[str]]:
    """The ids of transactions with open operations, oldest first."""
    ids: list[str] = yield OpenTransactions(limit)
    return ids


def _presume_unanswered(
    machine: Machine, transaction: Transaction, recovery: Recovery
) -> Flow[Transaction]:
    """Mark begun operations whose caller has surely gone; evidence must settle them."""
    now: datetime = yield Now()
    unanswered = [
        (operation, _no_answer(operation, transaction))
        for operation in transaction.operations.values()
        if operation.phase is Phase.BEGUN
        and now - operation.begun_at >= recovery.patience
    ]
    weighed = [settle(machine, transaction, *said, now) for said in unanswered]
    events = [event for event in weighed if event is not None]
    try:
        transaction, _ = yield from write(machine, transaction, events)
    except VersionConflict:  # someone is at work on it: leave it to them
        transaction = yield from load(transaction.id)
    return transaction


def _no_answer(operation: Operation, transaction: Transaction) -> Evidence:
    return Evidence(
        source=Source.LOOK_UP,
        transaction=transaction.id,
        command=operation.command,
        outcome=Outcome.UNKNOWN,
        code="no_answer",
    )


def _settle(
    machine: Machine,
    transaction_id: str,
    evidence: Evidence,
    recovery: Recovery | None,
) -> Flow[Finding]:
    for _ in range(ATTEMPTS):
        transaction = yield from load(transaction_id)
        trail = yield from read_trail(transaction_id)
        if len(trail) != transaction.version:  # someone wrote between the two readings
            continue
        now: datetime = yield Now()
        events = list(settle_facts(machine, transaction, trail, evidence.facts, now))
        absent: tuple[Operation, ...] = ()
        if recovery is not None:
            settled = _after(machine, transaction, events)
            absent = _absent(settled, evidence, now - recovery.fence)
            if recovery.missing is Missing.DECLINE and absent:
                events.extend(missing_event(operation, now) for operation in absent)
                # What had to wait for their end can be applied now.
                settled = _after(machine, transaction, events)
                told = [*trail, *events]
                events.extend(settle_facts(machine, settled, told, evidence.facts, now))
        try:
            transaction, _ = yield from write(machine, transaction, events)
        except VersionConflict:
            continue
        return Finding(transaction=transaction, readable=True, absent=absent)
    raise contended(transaction_id)


def _after(
    machine: Machine, transaction: Transaction, events: Iterable[Event]
) -> Transaction:
    for event in events:
        transaction = evolve(machine, transaction, event)
    return transaction


def _absent(
    transaction: Transaction, evidence: Evidence, begun_by: datetime
) -> tuple[Operation, ...]:
    """The open operations that the look-up does not list, begun before the fence."""
    listed = {
        fact.command for fact in evidence.facts if fact.outcome is Outcome.PENDING
    }
    return tuple(
        operation
        for operation in transaction.operations.values()
        if operation.phase is Phase.UNKNOWN
        and operation.command not in listed
        and operation.begun_at <= begun_by
    )
