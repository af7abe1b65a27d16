"""What a push does: settle at once where only one thing can be meant, else look up.

A push can come twice, late, out of order, or before the reply; it carries no id that
tells it from its repetition. So it is believed on its own only for a command's first
outcome. Afterwards it is a reason to ask the gateway, whose list can be counted. What
that list does not bear out is kept all the same, and applied only if it ever does.
"""

from collections.abc import Mapping
from datetime import datetime

from kessai.errors import (
    KessaiError,
    PushRefused,
    ResendWithSameKey,
    SafeToResend,
    VersionConflict,
)
from kessai.flow.effects import Find, Flow, Now, Reference
from kessai.flow.exchange import hear
from kessai.flow.look_up import look_up
from kessai.flow.steps import (
    ATTEMPTS,
    Context,
    contended,
    load_with_trail,
    machine_of,
    write,
)
from kessai.gateway import Evidence, Mention, Notification, PushPartlyRefused
from kessai.gateway_exchange import rebuilt_notification
from kessai.machine import (
    Discrepancy,
    Event,
    External,
    Machine,
    Operation,
    Transaction,
)
from kessai.machine.events import endings
from kessai.machine.pushed import (
    NOT_LISTED,
    is_explained,
    is_kept,
    is_replay,
    left_over,
    may_be_listed_yet,
)
from kessai.machine.references import REFERENCE_DIFFERS, differs
from kessai.machine.references import is_kept as has_kept_ids
from kessai.machine.settle import beside, matching, settle

_GRAVITY = (PushRefused, SafeToResend, ResendWithSameKey, KessaiError)
# What fails is answered by its worst: what only an operator can mend comes last.


class PushNotConfirmed(SafeToResend):
    """The gateway does not bear out its own push, so far; it shall send it again."""


def receive_push(
    context: Context, headers: Mapping[str, str], body: bytes
) -> Flow[None]:
    """Take in a push: every notification for itself, then raise the worst of what failed.

    One that can never be taken in must not keep those after it from being recorded.

    Raises:
        PushRefused: it is not the gateway's, or a notification cannot be read.
        PushNotConfirmed, StoreBusy, CommitUnknown: the gateway shall send it again.
        TrailBroken, UnknownLifecycle: a transaction must be mended first.

    """
    failed: list[Exception] = []
    now: datetime = yield Now()
    notification = Notification(headers=headers, body=body, at=now)
    try:
        told = yield from hear(context.adapter, notification)
    except PushPartlyRefused as refusal:
        told = refusal.readable
        failed.append(refusal)
    for evidence in told:
        try:
            yield from _take_in(context, rebuilt_notification(evidence))
        except Exception as error:  # noqa: BLE001 - raised below, after the others
            failed.append(error)
    if failed:
        raise max(failed, key=_gravity)


def _take_in(context: Context, said: Evidence | Mention) -> Flow[None]:
    if isinstance(said, Evidence):
        yield from receive(context, said)
        return
    reference = Reference(context.adapter.account, said.kind, said.id)
    mentioned: list[str] = yield Find(reference)
    if not mentioned:  # the reply that brings the id may still be on its way
        message = (
            f"no transaction has the {said.kind} {said.id!r}, so far; send it again"
        )
        raise PushNotConfirmed(message)
    for transaction in mentioned:
        finding = yield from look_up(context, transaction)
        if not finding.readable:
            raise _not_answered(transaction)


def _not_answered(transaction: str) -> PushNotConfirmed:
    message = f"{transaction}: the gateway did not answer a look-up; send it again"
    return PushNotConfirmed(message)


def _gravity(error: Exception) -> int:
    for gravity, kind in enumerate(_GRAVITY):
        if isinstance(error, kind):
            return gravity
    return len(_GRAVITY)


def receive(context: Context, evidence: Evidence) -> Flow[Transaction]:
    """Take in one notification of a push; safe to repeat.

    Raises:
        PushNotConfirmed: a look-up is needed and the gateway did not answer it, or did
            not list what its push says.
        TrailBroken: the transaction's chain does not hold.

    """
    for _ in range(ATTEMPTS):
        transaction, trail = yield from load_with_trail(evidence.transaction)
        machine = yield from machine_of(context, transaction)
        now: datetime = yield Now()
        if machine is None:
            events = _unknown(trail, evidence, now)
        elif differs(transaction, evidence):
            aside = Discrepancy(now, REFERENCE_DIFFERS, evidence)
            events = [] if has_kept_ids(trail, aside) else [aside]
        elif is_replay(transaction, trail, evidence):
            return transaction
        else:
            operation = _only_meaning(machine, transaction, trail, evidence)
            if operation is None:
                return (yield from _confirm(context, machine, evidence))
            event = settle(machine, transaction, operation, evidence, now)
            events = [] if event is None else [event]
            events += beside(machine, transaction, events, evidence, now)
        try:
            transaction, _ = yield from write(machine, transaction, events)
        except VersionConflict:
            continue
        return transaction
    raise contended(evidence.transaction)


def _unknown(trail: list[Event], evidence: Evidence, now: datetime) -> list[Event]:
    """Evidence about a transaction that never came to be is kept, once."""
    if is_kept(trail, evidence):
        return []
    return [Discrepancy(now, "unknown_transaction", evidence)]


def _only_meaning(
    machine: Machine, transaction: Transaction, trail: list[Event], evidence: Evidence
) -> Operation | None:
    command = evidence.command or ""
    candidates = matching(
        machine, transaction, command, evidence.amount, evidence.outcome
    )
    if evidence.look_up or len(candidates) != 1 or _ended_before(trail, command):
        return None
    # An update that runs alongside an application may have changed its amount, or must
    # be settled before it: the gateway's list tells of both.
    if (
        machine.commands[command].spec.is_application
        and len(transaction.operations) > 1
    ):
        return None
    return candidates[0]


def _ended_before(trail: list[Event], command: str) -> bool:
    """Whether an operation of `command` has ended in this transaction already."""
    ours = any(operation.command == command for operation, _ in endings(trail))
    return ours or any(
        isinstance(event, External) and event.command == command for event in trail
    )


def _confirm(
    context: Context, machine: Machine, evidence: Evidence
) -> Flow[Transaction]:
    """Ask the gateway; what it does not bear out is kept, and shall come once more.

    Once kept, it needs not come again: the trail shows it until it is settled.
    """
    finding = yield from look_up(context, evidence.transaction)
    if not finding.readable:
        raise _not_answered(evidence.transaction)
    for _ in range(ATTEMPTS):
        transaction, trail = yield from load_with_trail(evidence.transaction)
        now: datetime = yield Now()
        if is_explained(machine, trail, evidence):
            return transaction
        if may_be_listed_yet(machine, transaction, evidence, now):
            raise _not_listed(evidence)
        left = left_over(machine, transaction, evidence, finding.unlisted, now)
        if left is None:
            return transaction
        try:
            transaction, _ = yield from write(machine, transaction, [left])
        except VersionConflict:
            continue
        if isinstance(left, Discrepancy) and left.reason == NOT_LISTED:
            raise _not_listed(evidence)
        return transaction
    raise contended(evidence.transaction)


def _not_listed(evidence: Evidence) -> PushNotConfirmed:
    message = (
        f"{evidence.transaction}: the gateway's look-up does not list what its push"
        " says; send it again"
    )
    return PushNotConfirmed(message)
