"""What a gateway's totals say, where it states those and lists no exchanges.

The trail accounts for some amounts, the gateway states some: the difference is what
happened that the trail does not know. It is attributed only where one explanation fits.

An example. 100 are captured, refunds of 30, 30 and 40 are open, and the gateway states
refunded 40. Only the success of the third explains it: that has succeeded, and the
others stay open. Had it stated 30, two explanations would fit, and all would stay open.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations

import attrs

from kessai.gateway import Evidence, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event, External, Reported
from kessai.machine.evolve import evolve
from kessai.machine.settle import settle, settle_external
from kessai.machine.transaction import Operation, Phase, Transaction

TOTALS_DIFFER = "totals_differ"
"""The reason of a discrepancy: the gateway states totals that nothing known explains."""

_MOST_OPEN = 8
"""Of more open operations, no combination is tried: they stay open."""


def differ(transaction: Transaction, evidence: Evidence) -> bool:
    """Whether the gateway states another amount than the trail accounts for."""
    known = transaction.amounts
    return any(known.get(name, n) != n for name, n in evidence.totals.items())


def settle_totals(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> tuple[Event, ...]:
    """The events that explain the totals of `evidence`; none where several would."""
    opened = _moving(machine, transaction)
    if not differ(transaction, evidence) or len(opened) > _MOST_OPEN:
        return ()
    if any(operation.phase is Phase.BEGUN for operation in opened):
        return ()  # the reply that is awaited will tell
    found = list(_by_ours(machine, transaction, opened, evidence, now))
    if not opened:
        found = [(event,) for event in _by_others(machine, transaction, evidence, now)]
        if len(found) != 1:
            return (Discrepancy(now, TOTALS_DIFFER, evidence),)
    return found[0] if len(found) == 1 else ()


def not_carried_out(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> tuple[Operation, ...]:
    """The unknown operations that the totals of `evidence` would show, had they succeeded.

    Only where the totals are just what the trail accounts for.
    """
    if differ(transaction, evidence):
        return ()
    return tuple(
        operation
        for operation in _moving(machine, transaction)
        if operation.phase is Phase.UNKNOWN
        and (after := _succeeded(machine, transaction, (operation,), evidence, now))
        and differ(after[0], evidence)
    )


def _moving(machine: Machine, transaction: Transaction) -> list[Operation]:
    rules = machine.commands
    opened = transaction.operations.values()
    return [o for o in opened if not rules[o.command].spec.reads]


def _by_ours(
    machine: Machine,
    transaction: Transaction,
    opened: list[Operation],
    evidence: Evidence,
    now: datetime,
) -> Iterator[tuple[Event, ...]]:
    """Every set of open operations whose success gives just these totals."""
    for size in range(1, len(opened) + 1):
        for chosen in combinations(opened, size):
            after = _succeeded(machine, transaction, chosen, evidence, now)
            if after and not differ(after[0], evidence):
                yield after[1]


def _succeeded(
    machine: Machine,
    transaction: Transaction,
    chosen: tuple[Operation, ...],
    evidence: Evidence,
    now: datetime,
) -> tuple[Transaction, tuple[Event, ...]] | None:
    """The transaction after a success of all of `chosen`, if the lifecycle allows it."""
    events: list[Event] = []
    for operation in chosen:
        said = _of(evidence, operation.command, None)
        event = settle(machine, transaction, operation, said, now)
        if not isinstance(event, Reported):
            return None
        events.append(event)
        transaction = evolve(machine, transaction, event)
    return transaction, tuple(events)


def _by_others(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Iterator[Event]:
    """Every single command of somebody else that gives just these totals."""
    known = transaction.amounts
    amounts = {abs(n - known.get(name, n)) for name, n in evidence.totals.items()} - {0}
    for name, rule in machine.commands.items():
        for amount in sorted(amounts) if rule.spec.amount else (None,):
            said = _of(evidence, name, amount)
            event = settle_external(machine, transaction, said, now)
            if not isinstance(event, External):
                continue
            if not differ(evolve(machine, transaction, event), evidence):
                yield event


def _of(evidence: Evidence, command: str, amount: int | None) -> Evidence:
    return attrs.evolve(
        evidence, command=command, outcome=Outcome.SUCCEEDED, amount=amount
    )
