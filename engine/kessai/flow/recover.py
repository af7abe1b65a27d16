"""Resolving what has no answer, and letting deadlines lapse: never by time alone."""

from contextlib import suppress
from datetime import datetime

import attrs
from msgspec.structs import replace

from kessai.errors import (
    LeaseLost,
    RecoveryFailed,
    ResendWithSameKey,
    SafeToResend,
    VersionConflict,
)
from kessai.evidence.absence import Missing
from kessai.evidence.inquiry import Inquiry
from kessai.evidence.outcome import overdue
from kessai.flow.answer import Answer
from kessai.flow.effects import Claim, Flow, History, Lease, Now, Release
from kessai.flow.execute import (
    answer_for,
    carry_out,
    operation_to_send,
    send_prepared,
)
from kessai.flow.failures import RecoveryFailure, stopped_by
from kessai.flow.inquiry import Recovery, inquire
from kessai.flow.steps import (
    Context,
    begun_hash,
    call_for,
    load,
    load_with_machine,
    machine_of,
    write,
)
from kessai.limits import LONGEST_REST
from kessai.machine import (
    Machine,
    Operation,
    Phase,
    Record,
    Resent,
    Transaction,
)
from kessai.machine.phases import may_be_resent
from kessai.machine.prepared import is_too_late

_TIRED = 6
"""How many inquiries without success a failure counts as: a pause of half an hour."""


def recover_due(context: Context, recovery: Recovery) -> Flow[list[Answer] | None]:
    """Recover the transaction that is due longest; None when none is due.

    It is leased meanwhile, so that no two recoverers work on the same one. Afterwards
    it is not due for a while, which grows each time nothing was resolved.

    Raises:
        RecoveryFailed: it cannot be recovered, which is noted in the store; it rests for
            half an hour and more.
        StoreBusy, StoreFailed, CommitUnknown: the store cannot be read or written.

    """
    now: datetime = yield Now()
    lease: Lease | None = yield Claim(now, now + recovery.lease, context.accounts)
    if lease is None:
        return None
    try:
        done = yield from _recover(context, lease.transaction, recovery, lease)
    except VersionConflict:  # others are at work on it
        yield from _release(lease, recovery, failure=lease.failure)
        return []
    except (SafeToResend, ResendWithSameKey):
        yield from _release(lease, recovery, failure=lease.failure)
        raise
    except Exception as error:  # every recoverer would meet it: the others have a turn
        now = yield Now()
        failure = RecoveryFailure.after(lease.failure, now, stopped_by(error))
        tired = attrs.evolve(lease, attempts=lease.attempts + _TIRED)
        yield from _release(tired, recovery, failure=failure)
        raise RecoveryFailed({lease.transaction: failure.error}) from error
    yield from _release(lease, recovery, done.not_before)
    return done.answers


def recover_all_due(
    context: Context, recovery: Recovery, limit: int
) -> Flow[list[Answer]]:
    """As `recover_due`, for at most `limit` transactions; one holds up no other.

    Raises:
        RecoveryFailed: some cannot be recovered. It holds the answers of the others.

    """
    answers: list[Answer] = []
    failures: dict[str, str] = {}
    for _ in range(limit):
        try:
            found = yield from recover_due(context, recovery)
        except RecoveryFailed as error:
            failures.update(error.failures)
            continue
        if found is None:
            break
        answers += found
    if failures:
        raise RecoveryFailed(failures, answers)
    return answers


def _release(
    lease: Lease,
    recovery: Recovery,
    not_before: datetime | None = None,
    *,
    failure: RecoveryFailure | None = None,
) -> Flow[None]:
    now: datetime = yield Now()
    due_at = now + recovery.pause(lease.attempts)
    yield Release(lease, max(due_at, not_before or due_at), failure)


def recover(
    context: Context,
    transaction_id: str,
    recovery: Recovery,
    lease: Lease | None = None,
) -> Flow[list[Answer]]:
    """Inquire about one transaction; returns the answers of all operations found open.

    Raises:
        TrailBroken: the transaction's chain does not hold.

    """
    done = yield from _recover(context, transaction_id, recovery, lease)
    return done.answers


@attrs.frozen
class _Recovered:
    """A transaction after a recovery, and when the gateway may be asked again."""

    answers: list[Answer]
    not_before: datetime | None


def _recover(
    context: Context, transaction_id: str, recovery: Recovery, lease: Lease | None
) -> Flow[_Recovered]:
    before = yield from load(transaction_id)
    waits: list[datetime | None] = []
    is_answered = True
    try:
        inquiry = yield from inquire(context, transaction_id, recovery, lease)
        is_answered = inquiry.readable
        if inquiry.not_before is not None:
            now: datetime = yield Now()  # a mistake of the gateway's is not obeyed long
            waits.append(min(inquiry.not_before, now + LONGEST_REST))
        yield from _send_prepared(context, inquiry, recovery, lease)
        again = yield from _to_resend(context, inquiry, recovery)
        if again:
            yield from _resend(context, inquiry, again, recovery, lease)
    except LeaseLost:
        pass  # another recoverer works on it, and will change it
    answers: list[Answer] = []
    for operation in before.operations.values():
        answer = yield from answer_for(before, operation.key)
        is_over = operation.id not in answer.transaction.operations
        answers.append(attrs.evolve(answer, is_inquiry_answered=is_answered or is_over))
        opened = answer.transaction.operations.values()
        waits += [other.not_before for other in opened]
    return _Recovered(answers, max(filter(None, waits), default=None))


def _send_prepared(
    context: Context, inquiry: Inquiry, recovery: Recovery, lease: Lease | None
) -> Flow[None]:
    """Send what nobody has carried out since it was prepared, or decline it.

    It surely was not sent, as far as this store knows. One that was restored from a
    backup may not know it. So nothing is sent while the gateway has not answered, or
    while anything differs; nor where it lists nothing, and would not know the key.
    """
    asked = inquiry.transaction
    for waiting in asked.operations.values():
        now: datetime = yield Now()
        if waiting.phase is not Phase.PREPARED:
            continue
        if now - waiting.begun_at < recovery.patience:
            continue
        transaction, machine = yield from load_with_machine(context, asked.id)
        if machine is None or transaction.operations.get(waiting.id) != waiting:
            continue
        known_since = recovery.known_since(context.adapter_of(transaction), now)
        is_replayed = known_since is not None and waiting.begun_at >= known_since
        is_asked = inquiry.readable or (is_replayed and not inquiry.lists)
        may_go = is_asked and not transaction.discrepancies
        if may_go or is_too_late(waiting, now):
            with suppress(VersionConflict):  # it was carried out just now
                yield from send_prepared(context, machine, transaction, waiting, lease)


def _to_resend(
    context: Context, inquiry: Inquiry, recovery: Recovery
) -> Flow[tuple[Operation, ...]]:
    """The open operations whose very requests are to be sent once more.

    A gateway that lists nothing may repeat its first answer to a key that it knows, for
    a while. Until then a resend is the way to ask; after it, only an operator can find
    out.
    """
    opened = inquiry.transaction.operations
    if inquiry.lists or inquiry.unlisted:
        resends = recovery.missing is Missing.RESEND
        return tuple(o for o in inquiry.unlisted if resends and o.id in opened)
    now: datetime = yield Now()
    known_since = recovery.known_since(context.adapter_of(inquiry.transaction), now)
    if known_since is None:
        return ()
    return tuple(
        operation
        for operation in opened.values()
        if may_be_resent(operation)
        and operation.due_at <= now
        and operation.begun_at >= known_since
    )


# A store was restored from a copy in which order-9 is authorized without an answer. Before
# that is sent again, the gateway cannot be asked: its id of the payment is not known. Since
# then 400 were refunded. The key is answered again, with the id; only an inquiry after it
# shows the refund, which would else be carried out once more.


def _resend(
    context: Context,
    inquiry: Inquiry,
    operations: tuple[Operation, ...],
    recovery: Recovery,
    lease: Lease | None,
) -> Flow[None]:
    transaction = inquiry.transaction
    machine = yield from machine_of(context, transaction)
    assert machine is not None  # noqa: S101 - an inquiry was made under it
    records: list[Record] = yield History(transaction.id)
    for operation in operations:
        # The request is made before the intent is written, as for every intent.
        begun = begun_hash(records, operation)
        call = call_for(machine, transaction, operation, begun)
        to_send = operation_to_send(context, machine, transaction, call)
        now: datetime = yield Now()
        known_since = recovery.known_since(context.adapter_of(inquiry.transaction), now)
        if known_since is not None and operation.begun_at < known_since:
            continue  # it slept, and the gateway has forgotten the key
        intent = yield from _intend(machine, operation, transaction.id, now, lease)
        if intent is not None:
            sent = replace(
                to_send,
                transaction=intent,
                operation=intent.operations[operation.id],
                may_have_arrived=operation not in inquiry.unlisted,
            )
            yield from carry_out(context, sent)
            if sent.may_have_arrived:
                yield from inquire(context, transaction.id, lease=lease)


def _intend(
    machine: Machine,
    operation: Operation,
    transaction_id: str,
    now: datetime,
    lease: Lease | None,
) -> Flow[Transaction | None]:
    """Record the intent to send `operation` again; None if that is no longer right.

    From now on every inquiry knows that a request may be in flight once more.
    """
    transaction = yield from load(transaction_id)
    if transaction.operations.get(operation.id) != operation:
        # A notification was faster, or another recoverer, or it was declined instead.
        return None
    resent = [Resent(now, operation.id)]
    try:
        after, _ = yield from write(machine, transaction, resent, lease, is_intent=True)
    except VersionConflict:
        return None
    return after


def sweep(context: Context, transaction_id: str) -> Flow[Transaction]:
    """Let the deadlines that have passed lapse, if nothing is open.

    The gateway is asked first: a capture or a cancel may have been carried out without
    a report. Without its answer nothing lapses.

    Raises:
        AccountUnknown: it belongs to an account that is not known here.

    """
    transaction, machine = yield from load_with_machine(context, transaction_id)
    if machine is None:
        return transaction
    context.adapter_of(transaction)
    now: datetime = yield Now()
    if not any(overdue(machine, transaction, now)):
        return transaction
    inquiry = yield from inquire(context, transaction_id)
    transaction = inquiry.transaction
    if not inquiry.readable:
        return transaction
    try:
        transaction, _ = yield from write(
            machine, transaction, overdue(machine, transaction, now)
        )
    except VersionConflict:  # another writer works on it: nothing lapses meanwhile
        transaction = yield from load(transaction_id)
    return transaction
