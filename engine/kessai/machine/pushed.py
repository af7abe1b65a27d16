"""What a push says, held against the trail: told before, borne out, or left over.

Being signed makes a push the gateway's, not true: it may be late, be repeated, or speak
of what the gateway's own look-up does not list. Nothing here applies one; what is left
over is kept, for whoever must find out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from kessai.gateway import Evidence, Outcome, Source
from kessai.limits import LISTING_LAG
from kessai.machine.compile import Machine
from kessai.machine.events import (
    ENDED,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Reported,
    Reversed,
    endings,
)
from kessai.machine.facts import Unlisted
from kessai.machine.phases import Phase
from kessai.machine.settle import EXPIRE, matching
from kessai.machine.transaction import Operation, Transaction

NOT_LISTED = "not_listed"
"""The reason of a discrepancy: a push said it, and the look-up after it did not."""


def is_kept(trail: Iterable[Event], evidence: Evidence) -> bool:
    """Whether the trail shows `evidence` as a discrepancy already."""
    return any(
        isinstance(event, Discrepancy) and _same(event.evidence, evidence)
        for event in trail
    )


def is_replay(
    transaction: Transaction, trail: Iterable[Event], evidence: Evidence
) -> bool:
    """Whether a push about this very exchange was applied, and nothing else is open."""
    is_open = any(
        operation.command == evidence.command
        for operation in transaction.operations.values()
    )
    return (
        evidence.exchange is not None
        and not is_open
        and any(
            isinstance(event, Reported)
            and event.outcome in ENDED
            and event.evidence.source is Source.PUSH
            and _same(event.evidence, evidence)
            for event in trail
        )
    )


def is_explained(machine: Machine, trail: list[Event], evidence: Evidence) -> bool:
    """Whether the trail holds what `evidence` says, or it says nothing that lasts."""
    command = evidence.command
    if command is None or is_kept(trail, evidence):
        return True
    if _is_strange(machine, evidence):
        return False
    rule = machine.commands.get(command)
    lasts = evidence.outcome in {*ENDED, Outcome.REVERSED}
    if not lasts or (rule is not None and rule.spec.reads):
        return True
    return any(
        amount is None or evidence.amount is None or amount == evidence.amount
        for amount in _told(machine, trail, evidence)
    )


def may_be_listed_yet(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> bool:
    """Whether the list may only run behind, about what is looked up until it is settled.

    What is in flight is not settled from a list that two could be meant by.
    """
    meant = _meant(machine, transaction, evidence)
    if any(operation.phase is Phase.BEGUN for operation in meant):
        return True
    told = evidence.reported_at
    is_young = told is not None and abs(now - told) < LISTING_LAG
    return is_young and bool(meant)


def left_over(
    machine: Machine,
    transaction: Transaction,
    evidence: Evidence,
    unlisted: Iterable[Unlisted],
    now: datetime,
) -> Event | None:
    """How evidence is kept that neither the trail nor a look-up accounts for.

    None for a failure that takes nothing back: it moved nothing.
    """
    if _is_strange(machine, evidence):
        return Discrepancy(now, "not_in_lifecycle", evidence)
    moved = evidence.outcome in {Outcome.SUCCEEDED, Outcome.REVERSED}
    if moved or _meant(machine, transaction, evidence):
        return Discrepancy(now, NOT_LISTED, evidence)
    if any(gone.command == evidence.command for gone in unlisted):
        return Discrepancy(now, "contradicts_earlier", evidence)
    return None


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether both say the same; a look-up's exchanges have ids of their own."""
    exchanges = one.source is not other.source or one.exchange == other.exchange
    return exchanges and (one.command, one.outcome, one.amount) == (
        other.command,
        other.outcome,
        other.amount,
    )


def _is_strange(machine: Machine, evidence: Evidence) -> bool:
    """Whether no look-up could ever bear it out: the lifecycle has no such command."""
    command = evidence.command
    return command not in machine.commands and command != EXPIRE


def _meant(
    machine: Machine, transaction: Transaction, evidence: Evidence
) -> list[Operation]:
    """The open operations that `evidence` may be about."""
    if evidence.outcome is Outcome.REVERSED:
        return []
    return matching(
        machine, transaction, evidence.command, evidence.amount, evidence.outcome
    )


def _told(
    machine: Machine, trail: Iterable[Event], evidence: Evidence
) -> list[int | None]:
    """The amounts for which the trail knows this command to have this outcome."""
    trail = tuple(trail)
    if evidence.outcome is Outcome.REVERSED:
        reversals = (event for event in trail if isinstance(event, Reversed))
        return [e.amount for e in reversals if e.command == evidence.command]
    told: list[int | None] = []
    for operation, report in endings(trail):
        if report.outcome is not evidence.outcome or report.evidence.never_sent:
            continue
        # An update before the approval changes what the application's push tells.
        alongside = machine.commands[operation.command].spec.alongside
        if evidence.command in {operation.command, *alongside}:
            amount = report.evidence.amount
            told.append(operation.amount if amount is None else amount)
    if evidence.outcome is Outcome.SUCCEEDED:
        told += _told_from_outside(trail, evidence.command)
    return told


def _told_from_outside(
    trail: Iterable[Event], command: str | None
) -> Iterator[int | None]:
    """The amounts of what the gateway did by itself under `command`."""
    for event in trail:
        if isinstance(event, External) and event.command == command:
            yield event.amount
        elif isinstance(event, Lapsed) and command == EXPIRE:
            yield None
