"""Asking the gateway what it knows, and ending what is open by its answer.

What follows from the answer is decided by `kessai.evidence`. Here the gateway is asked,
its answer is compared with the trail as it is by then, and the events are written.
"""

from datetime import datetime, timedelta

import attrs

from kessai.errors import VersionConflict
from kessai.evidence.absence import (
    Missing,
    Presumption,
    may_be_outdated,
    read_listing,
)
from kessai.evidence.attempts import Attempts, Snapshot
from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.outcome import beside, resolve
from kessai.evidence.totals import read_totals
from kessai.flow.effects import Flow, Lease, Now
from kessai.flow.exchange import carry_on, prepare
from kessai.flow.steps import (
    Context,
    contended,
    inquiry_for,
    load,
    load_with_attempts,
    machine_of,
    write,
)
from kessai.gateway import Adapter, Evidence, Outcome, Source
from kessai.limits import (
    ATTEMPTS,
    ESCALATION,
    FIRST_PAUSE,
    IN_FLIGHT_LIMIT,
    LEASE,
    LONGEST_PAUSE,
    REPLY_WITHIN,
    WAITS,
    Waits,
)
from kessai.machine import Discrepancy, Event, Machine, Operation, Transaction
from kessai.machine.references import REFERENCE_DIFFERS, differs


@attrs.frozen(kw_only=True)
class Recovery:
    """How operations without an answer are recovered.

    After `patience` a begun operation counts as unanswered. `in_flight_limit` is how
    long a request can still arrive after it was last about to be sent; `missing` is
    what happens after that. `lease` is how long one recoverer has a transaction to
    itself. An operation that is open for longer than `escalation` is listed for an
    operator. `waits` are those of the engine and its transport; for a gateway in this
    process, `NOTHING_IN_FLIGHT`.

    Raises:
        InvalidInput: `in_flight_limit` is not longer than all of `waits`: a request
            that is presumed lost could still arrive.

    """

    patience: timedelta = REPLY_WITHIN
    in_flight_limit: timedelta = IN_FLIGHT_LIMIT
    missing: Missing = attrs.field(default=Missing.DECLINE, converter=Missing)
    lease: timedelta = LEASE
    escalation: timedelta = ESCALATION
    waits: Waits = WAITS

    def __attrs_post_init__(self) -> None:
        self.waits.check(self.in_flight_limit)

    def known_since(self, adapter: Adapter, now: datetime) -> datetime | None:
        """What began by then is answered from memory if it is sent again `now`.

        Counted until it arrives at the latest. None where the adapter promises nothing.
        """
        if adapter.replays is None:
            return None
        return now + self.in_flight_limit - adapter.replays

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after `attempts` inquiries without success, and one more."""
        return min(FIRST_PAUSE * (1 << min(attempts, 20)), LONGEST_PAUSE)


@attrs.frozen(kw_only=True)
class Inquiry:
    """A transaction after an inquiry, and what still needs care.

    `readable` is False when the gateway gave no answer that states anything; it must
    not be asked again before `not_before`, if it stated that. `lists` is False if it
    has no inquiry, or one that states totals alone: it may have done what it does not
    list. `events` are what it reported that the trail did not know. `unconfirmed` are
    successes that the trail holds and the gateway does not list. `unlisted` are open
    operations that it does not list and that can no longer arrive. `attempts` are those
    of the trail with the events; they do not count when inquiries are compared.
    """

    transaction: Transaction
    readable: bool
    events: tuple[Event, ...] = ()
    unconfirmed: tuple[Unconfirmed, ...] = ()
    unlisted: tuple[Operation, ...] = ()
    lists: bool = True
    not_before: datetime | None = None
    attempts: Attempts = attrs.field(factory=Attempts, repr=False, eq=False)


def inquire(
    context: Context,
    transaction_id: str,
    recovery: Recovery | None = None,
    lease: Lease | None = None,
) -> Flow[Inquiry]:
    """Ask the gateway for all it knows of a transaction, and apply what follows.

    Without `recovery` nothing is presumed of operations that are not listed.

    Raises:
        AccountUnknown: it belongs to an account that is not known here.
        LeaseLost: another recoverer has the transaction now; nothing was changed.
        TrailBroken: the transaction's chain does not hold.

    """
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return Inquiry(transaction=transaction, readable=False)
    adapter = context.adapter_of(transaction)
    for _ in range(ATTEMPTS):
        presumption = None
        if recovery is not None:
            now: datetime = yield Now()
            # The answer may be as old as this moment: the process may sleep before it
            # reads it, and what arrives meanwhile is not in it.
            presumption = Presumption(
                now - recovery.in_flight_limit,
                recovery.missing,
                recovery.known_since(adapter, now),
            )
            transaction = yield from _presume_unanswered(
                machine, transaction, recovery, lease, now
            )
        evidence, lists = yield from _ask(adapter, machine, transaction)
        if evidence.outcome is not Outcome.SUCCEEDED:
            return _unreadable(transaction, evidence, lists=lists)
        answer = _InquiryReply(machine, evidence, lists, presumption, lease)
        inquiry = yield from _apply(answer, transaction)
        if inquiry is not None:
            return inquiry
        transaction = yield from load(transaction_id)
    raise contended(transaction_id)


def compare(context: Context, transaction_id: str) -> Flow[Inquiry]:
    """What an inquiry would report that the trail does not know; writes nothing."""
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return Inquiry(transaction=transaction, readable=False)
    adapter = context.adapter_of(transaction)
    evidence, lists = yield from _ask(adapter, machine, transaction)
    if evidence.outcome is not Outcome.SUCCEEDED:
        return _unreadable(transaction, evidence, lists=lists)
    return (yield from _read(_InquiryReply(machine, evidence, lists), transaction))


@attrs.frozen
class _InquiryReply:
    """What an inquiry reported, and how to read it."""

    machine: Machine
    evidence: Evidence
    lists: bool
    presumption: Presumption | None = None
    lease: Lease | None = None


def _ask(
    adapter: Adapter, machine: Machine, transaction: Transaction
) -> Flow[tuple[Evidence, bool]]:
    """The gateway's answer, and whether it lists exchanges."""
    prepared = prepare(adapter, inquiry_for(machine, transaction))
    if prepared.evidence is not None:
        return prepared.evidence, False
    evidence = yield from carry_on(adapter, prepared)
    return evidence, bool(evidence.listing) or not evidence.totals


def _presume_unanswered(
    machine: Machine,
    transaction: Transaction,
    recovery: Recovery,
    lease: Lease | None,
    now: datetime,
) -> Flow[Transaction]:
    """Mark as unknown the begun operations for which no caller waits any more."""
    unanswered = [
        (operation, _no_answer(operation, transaction))
        for operation in transaction.operations.values()
        if now - operation.sent_at >= recovery.patience
    ]
    weighed = [resolve(machine, transaction, *each, now) for each in unanswered]
    events = [event for event in weighed if event is not None]
    try:
        transaction, _ = yield from write(machine, transaction, events, lease)
    except VersionConflict:  # someone is at work on it: leave it to them
        transaction = yield from load(transaction.id)
    return transaction


def _no_answer(operation: Operation, transaction: Transaction) -> Evidence:
    return Evidence(
        source=Source.INQUIRY,
        transaction=transaction.id,
        command=operation.command,
        outcome=Outcome.UNKNOWN,
        code="no_answer",
    )


def _apply(answer: _InquiryReply, asked: Transaction) -> Flow[Inquiry | None]:
    """Write what follows from a reply; None if the gateway must be asked again.

    If the trail has moved since the gateway was asked, an exchange may be attributed to
    an operation that began later. And totals never state how old they are.
    """
    for _ in range(ATTEMPTS):
        inquiry = yield from _read(answer, asked)
        before = inquiry.transaction
        outdated = (may_be_outdated(answer.machine, event) for event in inquiry.events)
        may_be = not answer.lists or inquiry.unlisted or any(outdated)
        if before.version != asked.version and may_be:
            return None
        try:
            after, _ = yield from write(
                answer.machine, before, inquiry.events, answer.lease
            )
        except VersionConflict:
            continue
        return attrs.evolve(inquiry, transaction=after)
    raise contended(asked.id)


def _read(answer: _InquiryReply, asked: Transaction) -> Flow[Inquiry]:
    """What follows from a reply for a transaction as it is now; writes nothing."""
    transaction, attempts = yield from load_with_attempts(asked.id)
    now: datetime = yield Now()
    machine, evidence = answer.machine, answer.evidence
    if differs(transaction, evidence):
        # It is about something else at the gateway, so it ends no operation.
        return _about_another(
            transaction, attempts, Discrepancy(now, REFERENCE_DIFFERS, evidence)
        )
    snapshot = Snapshot(machine, transaction, attempts, now)
    if answer.lists:
        reading = read_listing(snapshot, evidence.listing, answer.presumption)
    else:
        reading = read_totals(snapshot, evidence, answer.presumption)
    stated = tuple(beside(machine, transaction, reading.events, evidence, now))
    for event in stated:
        attempts.note(event)
    return Inquiry(
        transaction=transaction,
        readable=True,
        events=(*reading.events, *stated),
        unconfirmed=reading.unconfirmed,
        unlisted=reading.unlisted,
        lists=answer.lists,
        attempts=attempts,
    )


def _about_another(
    transaction: Transaction, attempts: Attempts, discrepancy: Discrepancy
) -> Inquiry:
    events = () if attempts.hold(discrepancy) else (discrepancy,)
    for event in events:
        attempts.note(event)
    return Inquiry(
        transaction=transaction, readable=False, events=events, attempts=attempts
    )


def _unreadable(
    transaction: Transaction, evidence: Evidence, *, lists: bool
) -> Inquiry:
    return Inquiry(
        transaction=transaction,
        readable=False,
        lists=lists,
        not_before=evidence.not_before,
    )
