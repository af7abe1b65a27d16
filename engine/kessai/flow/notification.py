"""What a notification does: end an operation at once if it can be no other, or inquire.

A notification can come twice, late, out of order, or before the reply, and no id in it
distinguishes it from its repetition. So it is applied alone only for a command's first
outcome; afterwards it is a reason for an inquiry. What the inquiry does not confirm is
recorded all the same, and applied only if a later one does.
"""

from collections.abc import Mapping
from datetime import datetime

from kessai.errors import (
    KessaiError,
    NotificationRefused,
    ResendWithSameKey,
    SafeToResend,
    VersionConflict,
)
from kessai.evidence.notification import (
    NOT_LISTED,
    first_outcome,
    is_accounted_for,
    is_recorded,
    is_repeated,
    may_be_listed_yet,
    unmatched,
)
from kessai.evidence.outcome import beside, resolve
from kessai.flow.effects import Find, Flow, Now, Reference
from kessai.flow.exchange import read_items
from kessai.flow.inquiry import Inquiry, inquire
from kessai.flow.steps import (
    Context,
    contended,
    load,
    load_with_attempts,
    machine_of,
    read_attempts,
    write,
)
from kessai.gateway import Evidence, Mention, Notification, NotificationPartlyRefused
from kessai.gateway_exchange import rebuilt_notification
from kessai.limits import ATTEMPTS
from kessai.machine import Discrepancy, Event, Machine, Transaction
from kessai.machine.references import REFERENCE_DIFFERS, differs

_GRAVITY = (NotificationRefused, SafeToResend, ResendWithSameKey, KessaiError)
# Of several errors the last in this order is raised: one that an operator must mend.


class NotificationNotConfirmed(SafeToResend):
    """No inquiry confirms the notification yet; the gateway must send it again."""


def receive_notification(
    context: Context, headers: Mapping[str, str], body: bytes
) -> Flow[None]:
    """Take in each item of a notification by itself, then raise the worst error.

    An item that can never be taken in must not keep those after it from being recorded.

    Raises:
        NotificationRefused: it is not the gateway's, or an item cannot be read.
        NotificationNotConfirmed, StoreBusy, CommitUnknown: the gateway must send it
            again.
        TrailBroken, UnknownLifecycle: a transaction must be mended first.

    """
    failed: list[Exception] = []
    now: datetime = yield Now()
    notification = Notification(headers=headers, body=body, at=now)
    try:
        items = yield from read_items(context.adapter, notification)
    except NotificationPartlyRefused as refusal:
        items = refusal.readable
        failed.append(refusal)
    for item in items:
        try:
            yield from _take_in(context, rebuilt_notification(item))
        except Exception as error:  # noqa: BLE001 - raised below, after the others
            failed.append(error)
    if failed:
        raise max(failed, key=_gravity)


def _take_in(context: Context, item: Evidence | Mention) -> Flow[None]:
    if isinstance(item, Evidence):
        yield from receive(context, item)
        return
    reference = Reference(context.adapter.account, item.kind, item.id)
    mentioned: list[str] = yield Find(reference)
    if not mentioned:  # the reply that brings the id may still be on its way
        message = (
            f"no transaction has the {item.kind} {item.id!r}, so far; send it again"
        )
        raise NotificationNotConfirmed(message)
    for transaction in mentioned:
        inquiry = yield from inquire(context, transaction)
        if not inquiry.readable:
            raise _not_answered(transaction)


def _not_answered(transaction: str) -> NotificationNotConfirmed:
    message = f"{transaction}: the gateway did not answer an inquiry; send it again"
    return NotificationNotConfirmed(message)


def _gravity(error: Exception) -> int:
    for gravity, kind in enumerate(_GRAVITY):
        if isinstance(error, kind):
            return gravity
    return len(_GRAVITY)


def receive(context: Context, evidence: Evidence) -> Flow[Transaction]:
    """Take in one item; safe to repeat.

    Raises:
        NotificationNotConfirmed: an inquiry is needed, and the gateway did not answer
            it or did not list what the item states.
        TrailBroken: the transaction's chain does not hold.

    """
    for _ in range(ATTEMPTS):
        transaction = yield from load(evidence.transaction)
        machine = yield from machine_of(context, transaction)
        now: datetime = yield Now()
        if machine is None:
            events = yield from _unknown(transaction, evidence, now)
        elif differs(transaction, evidence):
            events = yield from _about_another(transaction, evidence, now)
        else:
            operation = first_outcome(machine, transaction, evidence)
            if operation is None:
                return (yield from _later(context, machine, transaction, evidence))
            event = resolve(machine, transaction, operation, evidence, now)
            events = [] if event is None else [event]
            events += beside(machine, transaction, events, evidence, now)
        try:
            transaction, _ = yield from write(machine, transaction, events)
        except VersionConflict:
            continue
        return transaction
    raise contended(evidence.transaction)


def _unknown(
    transaction: Transaction, evidence: Evidence, now: datetime
) -> Flow[list[Event]]:
    """Evidence about a transaction that was never opened is recorded, once."""
    if transaction.version:
        attempts = yield from read_attempts(transaction)
        if is_recorded(attempts, evidence):
            return []
    return [Discrepancy(now, "unknown_transaction", evidence)]


def _about_another(
    transaction: Transaction, evidence: Evidence, now: datetime
) -> Flow[list[Event]]:
    """Evidence with an id that differs from the known one is recorded, once."""
    attempts = yield from read_attempts(transaction)
    discrepancy = Discrepancy(now, REFERENCE_DIFFERS, evidence)
    return [] if attempts.hold(discrepancy) else [discrepancy]


def _later(
    context: Context, machine: Machine, transaction: Transaction, evidence: Evidence
) -> Flow[Transaction]:
    """An item that cannot be applied alone is a repetition or a reason to inquire."""
    repeated = is_repeated(transaction, evidence)
    if repeated is None:
        transaction, attempts = yield from load_with_attempts(transaction.id)
        repeated = is_repeated(transaction, evidence, attempts)
    if repeated:
        return transaction
    inquiry = yield from inquire(context, transaction.id)
    if not inquiry.readable:
        raise _not_answered(transaction.id)
    return (yield from _confirm(machine, inquiry, evidence))


def _confirm(
    machine: Machine, inquiry: Inquiry, evidence: Evidence
) -> Flow[Transaction]:
    """Record what an inquiry did not confirm, and have it sent once more.

    Once it is recorded, the gateway need not send it again: it is an open discrepancy.
    """
    transaction, attempts = inquiry.transaction, inquiry.attempts
    for _ in range(ATTEMPTS):
        now: datetime = yield Now()
        if is_accounted_for(machine, attempts, evidence):
            return transaction
        if may_be_listed_yet(machine, transaction, evidence, now):
            raise _not_listed(evidence)
        event = unmatched(machine, transaction, evidence, inquiry.unconfirmed, now)
        if event is None:
            return transaction
        try:
            transaction, _ = yield from write(machine, transaction, [event])
        except VersionConflict:
            transaction, attempts = yield from load_with_attempts(transaction.id)
            continue
        if event.reason == NOT_LISTED:
            raise _not_listed(evidence)
        return transaction
    raise contended(evidence.transaction)


def _not_listed(evidence: Evidence) -> NotificationNotConfirmed:
    message = (
        f"{evidence.transaction}: the gateway's inquiry does not list what its"
        " notification states; send it again"
    )
    return NotificationNotConfirmed(message)
