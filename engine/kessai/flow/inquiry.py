"""Asking the gateway what it knows, and ending what is open by its answer.

What follows from the answer is decided by `kessai.evidence`. Here the gateway is asked,
its answer is compared with the trail as it is by then, and the events are written.
"""

from datetime import datetime, timedelta

import attrs

from kessai.errors import InvalidInput, VersionConflict
from kessai.evidence.absence import Missing, Presumption
from kessai.evidence.attempts import Case
from kessai.evidence.inquiry import Inquiry, InquiryAnswer, read
from kessai.evidence.outcome import resolve
from kessai.flow.effects import Flow, Lease, Now
from kessai.flow.exchange import carry_on, start
from kessai.flow.steps import (
    Context,
    contended,
    inquiry_for,
    load,
    load_with_attempts,
    load_with_machine,
    write,
)
from kessai.gateway import Adapter, Evidence, Outcome, Source
from kessai.given import check_fields
from kessai.limits import (
    ATTEMPTS,
    ESCALATION,
    FIRST_PAUSE,
    IN_FLIGHT_LIMIT,
    LEASE,
    LONGEST_PAUSE,
    LONGEST_REST,
    REPLY_WITHIN,
    WAITS,
    Waits,
)
from kessai.machine import Machine, Operation, Transaction, evolve


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
            that is presumed lost could still arrive. Or `lease` is longer than
            `LONGEST_REST`: a recoverer that died would hold things up for that long.

    """

    patience: timedelta = REPLY_WITHIN
    in_flight_limit: timedelta = IN_FLIGHT_LIMIT
    missing: Missing = attrs.field(default=Missing.DECLINE, converter=Missing)
    lease: timedelta = LEASE
    escalation: timedelta = ESCALATION
    waits: Waits = WAITS

    def __attrs_post_init__(self) -> None:
        check_fields(self)
        self.waits.check(self.in_flight_limit)
        if self.lease > LONGEST_REST:
            message = f"lease {self.lease}: {LONGEST_REST} at most"
            raise InvalidInput(message)

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
    transaction, machine = yield from load_with_machine(context, transaction_id)
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
        answer = yield from _ask(adapter, machine, transaction, presumption)
        inquiry = yield from _apply(machine, answer, transaction, lease)
        if inquiry is not None:
            return inquiry
        transaction = yield from load(transaction_id)
    raise contended(transaction_id)


def compare(
    context: Context, transaction_id: str, unanswered: str | None = None
) -> Flow[Inquiry]:
    """What an inquiry would report that the trail does not know; writes nothing.

    It is read as if the operation `unanswered` had got no reply.
    """
    transaction, machine = yield from load_with_machine(context, transaction_id)
    if machine is None:
        return Inquiry(transaction=transaction, readable=False)
    adapter = context.adapter_of(transaction)
    answer = yield from _ask(adapter, machine, transaction)
    return (yield from _read(machine, answer, transaction, unanswered))


def _ask(
    adapter: Adapter,
    machine: Machine,
    transaction: Transaction,
    presumption: Presumption | None = None,
) -> Flow[InquiryAnswer]:
    call = inquiry_for(machine, transaction)
    started = start(adapter, call)
    if started.evidence is not None:
        return InquiryAnswer(started.evidence, lists=False)
    evidence = yield from carry_on(adapter, started)
    return InquiryAnswer(
        evidence,
        lists=not evidence.totals,
        presumption=presumption,
        replays=adapter.replays,
        totals_lag=adapter.totals_lag,
    )


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


def _apply(
    machine: Machine, answer: InquiryAnswer, asked: Transaction, lease: Lease | None
) -> Flow[Inquiry | None]:
    """Write what follows from an answer; None if the gateway must be asked again.

    If the trail has moved since the gateway was asked, an exchange may be attributed to
    an operation that began later. And totals never state how old they are.
    """
    for _ in range(ATTEMPTS):
        inquiry = yield from _read(machine, answer, asked)
        before = inquiry.transaction
        if before.version != asked.version and inquiry.may_be_outdated:
            return None
        try:
            after, _ = yield from write(machine, before, inquiry.events, lease)
        except VersionConflict:
            continue
        return attrs.evolve(inquiry, transaction=after)
    raise contended(asked.id)


def _read(
    machine: Machine,
    answer: InquiryAnswer,
    asked: Transaction,
    unanswered: str | None = None,
) -> Flow[Inquiry]:
    """What follows from an answer for a transaction as it is now; writes nothing."""
    stated = answer.evidence
    if stated.outcome is not Outcome.SUCCEEDED:
        return Inquiry(
            transaction=asked,
            readable=False,
            lists=answer.lists,
            not_before=stated.not_before,
            code=stated.code,
        )
    transaction, attempts = yield from load_with_attempts(asked.id)
    now: datetime = yield Now()
    if (operation := transaction.operations.get(unanswered or "")) is not None:
        event = resolve(
            machine, transaction, operation, _no_answer(operation, transaction), now
        )
        transaction = evolve(machine, transaction, event) if event else transaction
    return read(Case(machine, transaction, attempts, now), answer)
