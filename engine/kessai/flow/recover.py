"""Settling what has no answer yet, and moving what is overdue: never by time alone."""

from datetime import datetime

from kessai.errors import KessaiError, LeaseLost, VersionConflict
from kessai.evidence.absence import Missing
from kessai.evidence.outcome import overdue
from kessai.flow.answer import Answer
from kessai.flow.effects import Change, Claim, Flow, Lease, Now, Release
from kessai.flow.execute import answer_for, carry_out, errand_for
from kessai.flow.look_up import Inquiry, Recovery, look_up
from kessai.flow.steps import Context, commit, load, machine_of, write
from kessai.machine import Machine, Operation, Resent, Transaction, append


def recover_due(context: Context, recovery: Recovery) -> Flow[list[Answer] | None]:
    """Recover the transaction that is due longest; None when none is due.

    It is leased meanwhile, so that no two recoverers work on the same one; afterwards
    it rests for a while, longer each time it was in vain.
    """
    now: datetime = yield Now()
    lease: Lease | None = yield Claim(now, now + recovery.lease)
    if lease is None:
        return None
    try:
        answers = yield from recover(context, lease.transaction, recovery, lease)
    except KessaiError:  # it would meet everyone: the others must have their turn
        yield from _release(lease, recovery)
        raise
    yield from _release(lease, recovery)
    return answers


def _release(lease: Lease, recovery: Recovery) -> Flow[None]:
    now: datetime = yield Now()
    yield Release(lease, now + recovery.pause(lease.attempts))


def recover(
    context: Context,
    transaction_id: str,
    recovery: Recovery,
    lease: Lease | None = None,
) -> Flow[list[Answer]]:
    """Look up one transaction; the answers of all operations that were open before.

    Raises:
        TrailBroken: the transaction's chain does not hold.

    """
    before = yield from load(transaction_id)
    try:
        inquiry = yield from look_up(context, transaction_id, recovery, lease)
        if recovery.missing is Missing.RESEND and inquiry.unlisted:
            yield from _resend(context, inquiry, lease)
    except LeaseLost:
        pass  # another recoverer is at it: what stands is theirs to say
    answers: list[Answer] = []
    for operation in before.operations.values():
        answer = yield from answer_for(before, operation.key)
        answers.append(answer)
    return answers


def _resend(context: Context, inquiry: Inquiry, lease: Lease | None) -> Flow[None]:
    machine = yield from machine_of(context, inquiry.transaction)
    assert machine is not None  # noqa: S101 - a look-up was read under it
    for operation in inquiry.unlisted:
        intent = yield from _intend(machine, operation, inquiry.transaction.id, lease)
        if intent is not None:
            again = intent.operations[operation.id]
            errand = errand_for(context, machine, intent, again)
            yield from carry_out(context, errand)


def _intend(
    machine: Machine, operation: Operation, transaction_id: str, lease: Lease | None
) -> Flow[Transaction | None]:
    """Write down that `operation` is sent again; None if that is no longer right.

    Whoever looks it up from now on sees that a request may be on its way once more.
    """
    transaction = yield from load(transaction_id)
    if transaction.operations.get(operation.id) != operation:
        # A push was faster, or another recoverer, or it was declined instead.
        return None
    now: datetime = yield Now()
    after, record = append(machine, transaction, Resent(now, operation.id))
    change = Change(transaction=after, records=(record,), lease=lease, is_intent=True)
    try:
        yield from commit(change)
    except VersionConflict:
        return None
    return after


def sweep(context: Context, transaction_id: str) -> Flow[Transaction]:
    """Move a transaction over the deadlines that have passed, if nothing is open.

    The gateway is asked first: it may have captured or cancelled meanwhile, and not
    have been heard. Without its answer nothing lapses.
    """
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    now: datetime = yield Now()
    if machine is None or not any(overdue(machine, transaction, now)):
        return transaction
    inquiry = yield from look_up(context, transaction_id)
    transaction = inquiry.transaction
    if not inquiry.readable:
        return transaction
    try:
        transaction, _ = yield from write(
            machine, transaction, overdue(machine, transaction, now)
        )
    except VersionConflict:  # something happens to it: nothing lapses meanwhile
        transaction = yield from load(transaction_id)
    return transaction
