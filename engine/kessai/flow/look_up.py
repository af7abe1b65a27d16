"""Asking the gateway what it knows, and settling from its answer.

"Not found" is not "failed": a request may still be on its way. What a look-up does not
list stays open unless the caller can rule that out (`Missing`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from kessai.errors import VersionConflict
from kessai.flow.effects import Flow, Lease, Now
from kessai.flow.exchange import carry_on, prepare
from kessai.flow.steps import (
    ATTEMPTS,
    Context,
    contended,
    inquiry_for,
    load,
    load_with_trail,
    machine_of,
    write,
)
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Discrepancy,
    Event,
    External,
    Machine,
    Operation,
    Phase,
    Reported,
    Transaction,
    evolve,
)
from kessai.machine.facts import (
    Unlisted,
    settle_facts,
    unaccounted,
    unlisted,
)
from kessai.machine.references import REFERENCE_DIFFERS, differs, is_kept
from kessai.machine.settle import beside, missing_event, settle
from kessai.machine.totals import not_carried_out, settle_totals
from kessai.machine.transaction import PATIENCE
from kessai.machine.whose import is_counted_for_another, meant

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=6)


class Missing(StrEnum):
    """What becomes of an operation that the gateway's look-up does not list."""

    KEEP = "keep"  # it stays open: the request may still arrive
    DECLINE = "decline"  # once past the fence it cannot arrive any more
    # As DECLINE, but the same request is sent instead; not where what another one did
    # may have been taken for its doing, or the other way round.
    RESEND = "resend"


@attrs.frozen(kw_only=True)
class Recovery:
    """How operations without an answer are recovered.

    After `patience` a begun operation counts as unanswered. `fence` is how long after
    it was last about to be sent a request can still arrive: longer than all that the
    engine and the transport wait, with a margin for the network and for clocks that
    differ. `missing` says what happens beyond it. `lease` is for how long one recoverer
    has a transaction for itself. What is open for longer than `escalation` is listed
    for an operator.
    """

    patience: timedelta = PATIENCE
    fence: timedelta = timedelta(minutes=10)
    missing: Missing = attrs.field(default=Missing.DECLINE, converter=Missing)
    lease: timedelta = timedelta(minutes=10)
    escalation: timedelta = timedelta(hours=24)

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after `attempts` look-ups in vain, and one more."""
        return min(_FIRST_PAUSE * (1 << min(attempts, 20)), _LONGEST_PAUSE)


@attrs.frozen(kw_only=True)
class Finding:
    """A transaction after a look-up, and what of it still needs care.

    `readable` is False when the gateway did not answer in a way that says anything;
    it wants to be asked again at `not_before`, where it says so. `lists` is False where
    it has no inquiry, or one that states totals alone: it may have done what it does
    not list.
    `events` are what it told that the trail did not know; `unlisted` are successes that
    the trail knows and the gateway does not list. `absent` are open operations whose
    request can no longer arrive.
    """

    transaction: Transaction
    readable: bool
    events: tuple[Event, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()
    absent: tuple[Operation, ...] = ()
    lists: bool = True
    not_before: datetime | None = None


def look_up(
    context: Context,
    transaction_id: str,
    recovery: Recovery | None = None,
    lease: Lease | None = None,
) -> Flow[Finding]:
    """Ask the gateway for all it knows of a transaction, and settle from that.

    Without `recovery` nothing is presumed of what is not listed.

    Raises:
        LeaseLost: another recoverer has the transaction now; nothing was changed.
        TrailBroken: the transaction's chain does not hold.

    """
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return Finding(transaction=transaction, readable=False)
    for _ in range(ATTEMPTS):
        asked_at: datetime | None = None
        if recovery is not None:
            now: datetime = yield Now()
            asked_at = now
            transaction = yield from _presume_unanswered(
                machine, transaction, recovery, lease, now
            )
        evidence, lists = yield from _ask(context, machine, transaction)
        if evidence.outcome is not Outcome.SUCCEEDED:
            return Finding(
                transaction=transaction,
                readable=False,
                lists=lists,
                not_before=evidence.not_before,
            )
        case = _Case(machine, evidence, recovery, lease, asked_at)
        settle_by = _settle if lists else _settle_totals
        finding = yield from settle_by(case, transaction)
        if finding is not None:
            return finding
        transaction = yield from load(transaction_id)
    raise contended(transaction_id)


def compare(context: Context, transaction_id: str) -> Flow[Finding]:
    """What a look-up would tell that the trail does not know; writes nothing."""
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return Finding(transaction=transaction, readable=False)
    evidence, lists = yield from _ask(context, machine, transaction)
    if evidence.outcome is not Outcome.SUCCEEDED:
        return Finding(transaction=transaction, readable=False, lists=lists)
    transaction, trail = yield from load_with_trail(transaction_id)
    now: datetime = yield Now()
    find = _found if lists else _found_by_totals
    return find(_Case(machine, evidence), transaction, trail, now)


@attrs.frozen
class _Case:
    """What a look-up said, and how it is to be taken.

    It tells what stood at `asked_at` at the earliest: whoever reads the answer may have
    slept since, and what arrived meanwhile is not in it.
    """

    machine: Machine
    evidence: Evidence
    recovery: Recovery | None = None
    lease: Lease | None = None
    asked_at: datetime | None = None


def _ask(
    context: Context, machine: Machine, transaction: Transaction
) -> Flow[tuple[Evidence, bool]]:
    """What the gateway answers, and whether that lists exchanges."""
    prepared = prepare(context.adapter, inquiry_for(machine, transaction))
    if prepared.evidence is not None:
        return prepared.evidence, False
    evidence = yield from carry_on(context.adapter, prepared)
    return evidence, not evidence.totals


def _presume_unanswered(
    machine: Machine,
    transaction: Transaction,
    recovery: Recovery,
    lease: Lease | None,
    now: datetime,
) -> Flow[Transaction]:
    """Mark begun operations whose caller has surely gone; evidence must settle them."""
    unanswered = [
        (operation, _no_answer(operation, transaction))
        for operation in transaction.operations.values()
        if operation.phase is Phase.BEGUN
        and now - operation.sent_at >= recovery.patience
    ]
    weighed = [settle(machine, transaction, *said, now) for said in unanswered]
    events = [event for event in weighed if event is not None]
    try:
        transaction, _ = yield from write(machine, transaction, events, lease)
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


def _settle(case: _Case, transaction: Transaction) -> Flow[Finding | None]:
    """Write what a look-up makes of a transaction; None if it must be asked again.

    An answer that is older than the trail may only seem not to fit it, what was pending
    in it may have ended since, an amount set outside may have been set anew, and what
    it lists may be counted for what it does not.
    """
    asked = transaction.version
    for _ in range(ATTEMPTS):
        transaction, trail = yield from load_with_trail(transaction.id)
        now: datetime = yield Now()
        found = _found(case, transaction, trail, now)
        stale = (_may_be_stale(case.machine, event) for event in found.events)
        doubtful = found.absent or any(stale)
        if transaction.version != asked and doubtful:
            return None
        try:
            after, _ = yield from write(
                case.machine, transaction, found.events, case.lease
            )
        except VersionConflict:
            continue
        return attrs.evolve(found, transaction=after)
    raise contended(transaction.id)


def _settle_totals(case: _Case, transaction: Transaction) -> Flow[Finding | None]:
    """Write what totals make of a transaction; None if they are older than its trail."""
    asked = transaction.version
    transaction, trail = yield from load_with_trail(transaction.id)
    now: datetime = yield Now()
    if transaction.version != asked:
        return None
    found = _found_by_totals(case, transaction, trail, now)
    try:
        after, _ = yield from write(case.machine, transaction, found.events, case.lease)
    except VersionConflict:
        return None
    return attrs.evolve(found, transaction=after)


def _found_by_totals(
    case: _Case, transaction: Transaction, trail: list[Event], now: datetime
) -> Finding:
    """What stated totals make of a transaction; nothing is written."""
    machine, evidence, recovery = case.machine, case.evidence, case.recovery
    if differs(transaction, evidence):
        return _about_another(case, transaction, trail, now)
    events = settle_totals(machine, transaction, evidence, now)
    events = tuple(event for event in events if not is_kept(trail, event))
    events += tuple(beside(machine, transaction, events, evidence, now))
    absent: tuple[Operation, ...] = ()
    if recovery is not None and case.asked_at is not None and not events:
        sent_by = case.asked_at - recovery.fence
        shown = not_carried_out(machine, transaction, evidence, now)
        absent = tuple(o for o in shown if o.sent_at <= sent_by and not o.resumed_at)
        if recovery.missing is Missing.DECLINE:
            events = tuple(missing_event(operation, now) for operation in absent)
    return Finding(
        transaction=transaction,
        readable=True,
        events=events,
        absent=absent,
        lists=False,
    )


def _about_another(
    case: _Case, transaction: Transaction, trail: list[Event], now: datetime
) -> Finding:
    """The answer is about something else at the gateway: it settles nothing here."""
    aside = Discrepancy(now, REFERENCE_DIFFERS, case.evidence)
    new = () if is_kept(trail, aside) else (aside,)
    return Finding(transaction=transaction, readable=False, events=new)


def _may_be_stale(machine: Machine, event: Event) -> bool:
    """Whether `event` may not follow from an answer that is as new as the trail."""
    match event:
        case Reported(outcome=outcome):
            return outcome is Outcome.PENDING
        case External(command=command):
            return machine.commands[command].sets_amount
        case _:
            return isinstance(event, Discrepancy)


def _found(
    case: _Case, transaction: Transaction, trail: list[Event], now: datetime
) -> Finding:
    """What the evidence of a look-up makes of a transaction; nothing is written."""
    machine, facts, recovery = case.machine, case.evidence.facts, case.recovery
    if differs(transaction, case.evidence):
        return _about_another(case, transaction, trail, now)
    events = list(settle_facts(machine, transaction, trail, facts, now))
    events += beside(machine, transaction, events, case.evidence, now)
    absent: tuple[Operation, ...] = ()
    if recovery is not None and case.asked_at is not None:
        settled, told = _after(machine, transaction, events), [*trail, *events]
        absent = _absent(case, settled, told, case.asked_at - recovery.fence)
        given_up = _given_up(recovery.missing, absent, told)
        missing = [missing_event(operation, now) for operation in given_up]
        if missing:
            # What had to wait for their end can be applied now.
            settled, told = _after(machine, settled, missing), [*told, *missing]
            waited = settle_facts(machine, settled, told, facts, now)
            events += [*missing, *waited]
    return Finding(
        transaction=transaction,
        readable=True,
        events=tuple(events),
        unlisted=unlisted(machine, [*trail, *events], facts),
        absent=absent,
    )


def _given_up(
    missing: Missing, absent: tuple[Operation, ...], trail: list[Event]
) -> tuple[Operation, ...]:
    """Those of `absent` that are declined.

    Two that are listed alike may have been taken for each other: sent again, the one
    that was carried out would be twice, or be answered with what it did before.
    """
    if missing is Missing.DECLINE:
        return absent
    if missing is Missing.KEEP:
        return ()
    return tuple(each for each in absent if is_counted_for_another(trail, each))


def _after(
    machine: Machine, transaction: Transaction, events: Iterable[Event]
) -> Transaction:
    for event in events:
        transaction = evolve(machine, transaction, event)
    return transaction


def _absent(
    case: _Case, transaction: Transaction, trail: list[Event], sent_by: datetime
) -> tuple[Operation, ...]:
    """The open operations that the look-up does not list, sent before the fence.

    None is absent that something listed may be about which has settled nothing: while
    one that is alike is in flight, nobody can tell whose success is listed. Nor is an
    application while anything alongside it may still arrive, and show that it did.
    """
    machine, facts = case.machine, case.evidence.facts
    pending = {fact.command for fact in facts if fact.outcome is Outcome.PENDING}
    old = [
        operation
        for operation in transaction.operations.values()
        if operation.phase is Phase.UNKNOWN
        and operation.resumed_at is None  # the gateway had heard of it before
        and operation.sent_at <= sent_by
        and operation.command not in pending
    ]
    if not old:
        return ()
    listed = [
        operation
        for fact in unaccounted(machine, trail, facts)
        for operation in meant(machine, transaction, trail, fact)
    ]
    gone = [operation for operation in old if operation not in listed]
    others = [o for o in transaction.operations.values() if o not in gone]
    return tuple(each for each in gone if not _may_show(machine, others, each))


def _may_show(
    machine: Machine, others: list[Operation], application: Operation
) -> bool:
    """Whether one of `others` can only succeed if `application`, if it is one, has."""
    name = application.command
    return machine.commands[name].spec.is_application and any(
        name in machine.commands[other.command].spec.alongside for other in others
    )
