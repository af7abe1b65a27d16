"""What follows from totals, where a gateway states those and lists no exchanges.

The trail accounts for some amounts, and the gateway states some. The difference is what
the trail does not know. It is applied only if exactly one explanation fits.

An example: 100 are captured, refunds of 30, 30 and 40 are open, and the gateway states
`refunded` 40. Only the success of the third explains that: it has succeeded, and the
others stay open. With 30, two explanations would fit, and all would stay open.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations

import attrs

from kessai.evidence.absence import Presumption
from kessai.evidence.attempts import Case
from kessai.evidence.outcome import (
    EXPIRE,
    moving,
    presumed_lost,
    resolve,
    resolve_external,
)
from kessai.gateway import Evidence, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event, Reported
from kessai.machine.evolve import evolve
from kessai.machine.explained import differ
from kessai.machine.phase import Phase
from kessai.machine.phases import may_be_resent
from kessai.machine.transaction import Operation, Transaction

TOTALS_DIFFER = "totals_differ"
"""The reason of a discrepancy: the gateway states totals that nothing explains."""

_MOST_OPEN = 8
"""With more open operations, no combination is tried, and all stay open."""


def read_totals(
    case: Case,
    evidence: Evidence,
    presumption: Presumption | None = None,
    *,
    replays: timedelta | None = None,
    lag: frozenset[str] = frozenset(),
) -> tuple[Operation, ...]:
    """Add what follows from the totals of `evidence`; returns what they do not show.

    For as long as `replays` after it began, an operation can be asked about by its key.
    Of the commands in `lag`, totals may show a success only later.

    Nothing is presumed without a `presumption`, nor while anything differs.
    """
    found = resolve_totals(case, evidence, replays)
    for event in found:
        if isinstance(event, Discrepancy):
            case.add_difference(event.reason, event.evidence)
        else:
            case.add(event)
    if presumption is None or found:
        return ()
    shown = [o for o in _not_carried_out(case, evidence) if o.command not in lag]
    unlisted = tuple(each for each in shown if each.sent_at <= presumption.sent_by)
    for operation in unlisted:
        if presumption.declines(operation, case.attempts):
            case.add(presumed_lost(operation, case.now))
    return unlisted


def resolve_totals(
    case: Case, evidence: Evidence, replays: timedelta | None = None
) -> tuple[Event, ...]:
    """The events that explain the totals of `evidence`; none where several would.

    Nor while the gateway would still answer the key of what is open.
    """
    as_if_sent = attrs.evolve(case, transaction=_all_sent(case.transaction))
    opened = moving(case.machine, as_if_sent.transaction)
    if not differ(case.transaction, evidence) or len(opened) > _MOST_OPEN:
        return ()
    if any(operation.phase is Phase.BEGUN for operation in opened):
        return ()  # the reply that is still awaited will decide
    found = list(_by_ours(as_if_sent, opened, evidence))
    if len(found) == 1 and any(_is_of_prepared(case, event) for event in found[0]):
        found = []
    if not found and not opened:
        found = [(event,) for event in _by_others(case, evidence)]
        found = found if len(found) == 1 else []
    if not found:
        return (Discrepancy(case.now, TOTALS_DIFFER, evidence),)
    if len(found) > 1 or any(_answers_again(case, each, replays) for each in opened):
        return ()
    return found[0]


# Refunds order.2 of 2500 and order.3 of 301 have no answer; the first never arrived. In
# the gateway's portal 2199 were refunded, too, or by an operation that a restored store
# does not know. The totals of 2500 look like order.2's. But the gateway still answers the
# key of order.3, with its success: with both, 2801 would be counted. So both are asked
# about by their keys first.


def _answers_again(case: Case, operation: Operation, replays: timedelta | None) -> bool:
    """Whether the gateway answers the key of `operation`, once that is sent again."""
    return (
        replays is not None
        and case.now - operation.begun_at < replays
        and may_be_resent(operation)
    )


# Refunds of 1, order.3 and order.5: the first was sent and has no answer, the second is
# only prepared. A copy of the store with both is put back; since it was made, order.5
# was carried out. The totals of 1 look like order.3's; but order.5 will be sent under the
# key that the gateway knows, and answered as before: 1 would be counted twice.


def _all_sent(transaction: Transaction) -> Transaction:
    """`transaction`, if what is only prepared had been sent all the same."""
    opened = {
        name: attrs.evolve(operation, phase=Phase.UNKNOWN)
        if operation.phase is Phase.PREPARED
        else operation
        for name, operation in transaction.operations.items()
    }
    return attrs.evolve(transaction, operations=opened)


def _is_of_prepared(case: Case, event: Event) -> bool:
    """Whether `event` would end what was never sent, as far as this store knows."""
    opened = case.transaction.operations
    return (
        isinstance(event, Reported) and opened[event.operation].phase is Phase.PREPARED
    )


def _not_carried_out(case: Case, evidence: Evidence) -> tuple[Operation, ...]:
    """The unknown operations that would show in the totals if they had succeeded.

    There are none unless the totals are exactly what the trail accounts for.
    """
    if differ(case.transaction, evidence):
        return ()
    return tuple(
        operation
        for operation in moving(case.machine, case.transaction)
        if may_be_resent(operation)
        and (after := _succeeded(case, (operation,), evidence))
        and differ(after[0], evidence)
    )


def _by_ours(
    case: Case, opened: list[Operation], evidence: Evidence
) -> Iterator[tuple[Event, ...]]:
    """Every set of open operations whose success gives exactly these totals.

    What was authorized by ours may have lapsed since, and what had succeeded before may
    have been taken back.
    """
    besides = [_of(evidence, EXPIRE, None), *_taken_back(case, evidence)]
    for size in range(1, len(opened) + 1):
        for chosen in combinations(opened, size):
            after = _succeeded(case, chosen, evidence)
            if after is None:
                continue
            transaction, events = after
            if not differ(transaction, evidence):
                yield events
                continue
            for stated in besides:
                event = _outside(case.machine, transaction, stated, case.now)
                yield from [(*events, event)] if event else []


# A refund of 1 has succeeded; two are open, of 1 and of 2. The totals have 1 more. Either
# the open one of 1 has succeeded, or that of 2 has, and the first was sent back meanwhile:
# both stay open. What has only just succeeded is not taken back yet.


def _taken_back(case: Case, evidence: Evidence) -> Iterator[Evidence]:
    """The reversal of each earlier success that the lifecycle can reverse."""
    for name in case.machine.reversals:
        for amount in case.attempts.lasting(name):
            yield _of(evidence, name, amount, Outcome.REVERSED)


def _succeeded(
    case: Case, chosen: tuple[Operation, ...], evidence: Evidence
) -> tuple[Transaction, tuple[Event, ...]] | None:
    """The transaction if all of `chosen` succeed; None if that is not allowed."""
    machine, transaction = case.machine, case.transaction
    events: list[Event] = []
    for operation in chosen:
        stated = _of(evidence, operation.command, None)
        event = resolve(machine, transaction, operation, stated, case.now)
        if not isinstance(event, Reported):
            return None
        events.append(event)
        transaction = evolve(machine, transaction, event)
    return transaction, tuple(events)


def _by_others(case: Case, evidence: Evidence) -> Iterator[Event]:
    """Every single external event that gives exactly these totals."""
    machine, transaction = case.machine, case.transaction
    known = transaction.amounts
    amounts = {abs(n - known.get(name, n)) for name, n in evidence.totals.items()} - {0}
    for name, outcome, takes_amount in _possible(machine):
        for amount in amounts if takes_amount else (None,):
            stated = _of(evidence, name, amount, outcome)
            event = _outside(machine, transaction, stated, case.now)
            yield from [event] if event else []


def _outside(
    machine: Machine, transaction: Transaction, stated: Evidence, now: datetime
) -> Event | None:
    """What happened by itself or by others, if it gives just the totals of `stated`."""
    event = resolve_external(machine, transaction, stated, now)
    if isinstance(event, Discrepancy):
        return None
    return None if differ(evolve(machine, transaction, event), stated) else event


def _possible(machine: Machine) -> Iterator[tuple[str, Outcome, bool]]:
    """What can happen at a gateway without us: its name, outcome, and if it has an amount."""
    for name, rule in machine.commands.items():
        yield name, Outcome.SUCCEEDED, rule.spec.amount is not None
    for name, rule in machine.reversals.items():
        yield name, Outcome.REVERSED, rule.spec.amount is not None
    yield EXPIRE, Outcome.SUCCEEDED, False


def _of(
    evidence: Evidence,
    command: str,
    amount: int | None,
    outcome: Outcome = Outcome.SUCCEEDED,
) -> Evidence:
    return attrs.evolve(evidence, command=command, outcome=outcome, amount=amount)
