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
from kessai.evidence.attempts import Case
from kessai.evidence.notification import Then, confirm, weigh
from kessai.flow.effects import Find, Flow, Now, Reference
from kessai.flow.exchange import read_items
from kessai.flow.inquiry import inquire
from kessai.flow.steps import (
    Context,
    contended,
    load_with_attempts,
    load_with_machine,
    read_attempts,
    write,
)
from kessai.gateway import Evidence, Mention, Notification, NotificationPartlyRefused
from kessai.gateway_exchange import rebuilt_notification
from kessai.limits import ATTEMPTS
from kessai.machine import Machine, Transaction
from kessai.machine.events import Learned
from kessai.machine.references import is_new

_GRAVITY = (NotificationRefused, SafeToResend, ResendWithSameKey, KessaiError)
# Of several errors the last in this order is raised: one that an operator must mend.


class NotificationNotConfirmed(SafeToResend):
    """No inquiry confirms the notification yet; the gateway must send it again."""


def receive_notification(
    context: Context,
    headers: Mapping[str, str],
    body: bytes,
    account: str | None = None,
) -> Flow[None]:
    """Take in each item of a notification by itself, then raise the worst error.

    An item that can never be taken in must not keep those after it from being recorded.
    `account` is whose endpoint it came to; with one adapter none need be named.

    Raises:
        AccountUnknown: there is no adapter for the account, or it must be named.
        NotificationRefused: it is not the gateway's, or an item cannot be read.
        NotificationNotConfirmed, StoreBusy, CommitUnknown: the gateway must send it
            again.
        TrailBroken, UnknownLifecycle: a transaction must be mended first.

    """
    adapter = context.adapter_for(account, of="notification: ")
    failed: list[Exception] = []
    now: datetime = yield Now()
    notification = Notification(headers=headers, body=body, at=now)
    try:
        items = yield from read_items(adapter, notification)
    except NotificationPartlyRefused as refusal:
        items = refusal.readable
        failed.append(refusal)
    for item in items:
        try:
            yield from _take_in(context, adapter.account, rebuilt_notification(item))
        except Exception as error:  # noqa: BLE001 - raised below, after the others
            failed.append(error)
    if failed:
        raise max(failed, key=_gravity)


def _take_in(context: Context, account: str, item: Evidence | Mention) -> Flow[None]:
    if isinstance(item, Evidence):
        yield from receive(context, account, item)
        return
    reference = Reference(account, item.kind, item.id)
    mentioned: list[str] = yield Find(reference)
    # The reply that brings the id may still be on its way.
    if not mentioned and not item.made_elsewhere:
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


# A store was restored from a copy that does not know order-9, which was captured and
# refunded since. It is opened once more; before the gateway answers, the notification of
# the first time comes again. Alone it would end the opening command, and nobody would ask
# what was done since: the refund would be carried out twice. So the gateway is asked first.


def receive(context: Context, account: str, evidence: Evidence) -> Flow[Transaction]:
    """Take in one item that came to the endpoint of `account`; safe to repeat.

    Raises:
        NotificationRefused: the transaction belongs to another account.
        NotificationNotConfirmed: an inquiry is needed, and the gateway did not answer
            it or did not list what the item states.
        TrailBroken: the transaction's chain does not hold.

    """
    has_asked = False
    for _ in range(ATTEMPTS):
        transaction, machine = yield from load_with_machine(
            context, evidence.transaction
        )
        if machine is not None and transaction.account != account:
            message = f"notification refused: {transaction.id} is not of {account}"
            raise NotificationRefused(message)
        now: datetime = yield Now()
        found = weigh(machine, transaction, evidence, now, has_asked=has_asked)
        if found.then is Then.ASK_FIRST:
            yield from inquire(context, transaction.id)
            has_asked = True
            continue
        if found.then is Then.READ_TRAIL:
            attempts = yield from read_attempts(transaction)
            found = weigh(machine, transaction, evidence, now, attempts)
        inquires, events = found.then is Then.INQUIRE, found.events
        if inquires and machine and is_new(machine, transaction, evidence):
            events = (Learned(now, evidence),)  # the gateway is asked by that id
        try:
            transaction, _ = yield from write(machine, transaction, events)
        except VersionConflict:
            continue
        if not inquires or machine is None:
            return transaction
        return (yield from _inquire_about(context, machine, evidence))
    raise contended(evidence.transaction)


def _inquire_about(
    context: Context, machine: Machine, evidence: Evidence
) -> Flow[Transaction]:
    """Inquire, record what that does not confirm, and have the item sent once more."""
    inquiry = yield from inquire(context, evidence.transaction)
    if not inquiry.readable:
        raise _not_answered(evidence.transaction)
    transaction, attempts = inquiry.transaction, inquiry.attempts
    for _ in range(ATTEMPTS):
        now: datetime = yield Now()
        case = Case(machine, transaction, attempts, now)
        found = confirm(case, evidence, inquiry.unconfirmed)
        try:
            transaction, _ = yield from write(machine, transaction, found.events)
        except VersionConflict:
            transaction, attempts = yield from load_with_attempts(transaction.id)
            continue
        if found.then is Then.SEND_AGAIN:
            message = (
                f"{transaction.id}: the gateway's inquiry does not list what its"
                " notification states; send it again"
            )
            raise NotificationNotConfirmed(message)
        return transaction
    raise contended(evidence.transaction)
