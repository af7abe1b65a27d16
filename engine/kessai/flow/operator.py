"""What an operator found out by hand: evidence with a name and a reason.

What no inquiry can resolve waits for somebody who asks the gateway's support, reads its
portal, or calls the bank. Their finding is recorded under their name, as evidence like
any other.
"""

from collections.abc import Mapping
from datetime import datetime

import attrs

from kessai.card_numbers import has_card_number, without_card_numbers
from kessai.errors import InvalidInput, VersionConflict
from kessai.evidence.outcome import close_discrepancy, resolve
from kessai.flow.answer import Answer
from kessai.flow.effects import Flow, Now
from kessai.flow.execute import answer_for
from kessai.flow.steps import (
    Context,
    contended,
    load_with_machine,
    no_transaction,
    write,
)
from kessai.gateway import Evidence, Outcome, Source
from kessai.limits import ATTEMPTS
from kessai.machine import Operation, Phase, Transaction
from kessai.machine.phases import ENDED

LONGEST_NOTE = 2000
LONGEST_ACTOR = 100


def resolve_by_hand(
    context: Context,
    transaction_id: str,
    operation_id: str,
    outcome: str,
    *,
    note: str,
    actor: str,
    references: Mapping[str, str] | None = None,
) -> Flow[Answer]:
    """End an open operation by what `actor` found out; `note` says how.

    `references` are ids that the gateway gave, if those were found out, too.

    Raises:
        InvalidInput: no operation of that id is open, its caller still waits for the
            gateway's reply, the outcome does not end an operation or it was never sent,
            or the name or the reason is missing or too long.

    """
    evidence = attrs.evolve(
        _by_hand(transaction_id, outcome, note, actor), references=references or {}
    )
    for _ in range(ATTEMPTS):
        transaction, machine = yield from load_with_machine(context, transaction_id)
        now: datetime = yield Now()
        operation = _waiting(transaction, operation_id, now)
        if operation.phase is Phase.PREPARED and outcome != Outcome.DECLINED:
            message = f"{operation_id}: nothing was sent of it: 'declined' is right"
            raise InvalidInput(message)
        assert machine is not None  # noqa: S101 - only what exists has operations
        event = resolve(machine, transaction, operation, evidence, now)
        try:
            transaction, _ = yield from write(
                machine, transaction, [] if event is None else [event]
            )
        except VersionConflict:
            continue
        return (yield from answer_for(transaction, operation.key))
    raise contended(transaction_id)


def close_by_hand(
    context: Context, transaction_id: str, number: int, *, note: str, actor: str
) -> Flow[Transaction]:
    """Close the discrepancy of event `number`: `actor` has dealt with it.

    An external movement that nobody claims is closed, too: what equals it is another
    command, and may be carried out from now on.

    Raises:
        UnknownTransaction: nothing is recorded under that id.
        InvalidInput: that event is neither, or was closed before, or the name or the
            reason is missing or too long.

    """
    evidence = _by_hand(transaction_id, Outcome.SUCCEEDED, note, actor)
    for _ in range(ATTEMPTS):
        transaction, machine = yield from load_with_machine(context, transaction_id)
        now: datetime = yield Now()
        event = close_discrepancy(transaction, number, evidence, now)
        if not transaction.version:
            raise no_transaction(transaction)
        if event is None:
            shown = {*transaction.discrepancies, *transaction.unclaimed_events}
            known = ", ".join(map(str, sorted(shown))) or "none"
            message = (
                f"{transaction_id}: event {number} is no open discrepancy;"
                f" open: {known}"
            )
            raise InvalidInput(message)
        try:
            transaction, _ = yield from write(machine, transaction, [event])
        except VersionConflict:
            continue
        return transaction
    raise contended(transaction_id)


def check_signed(note: str, actor: str) -> None:
    """Make sure that what an operator does has their name and a reason.

    Raises:
        InvalidInput: one is missing or too long, or holds a card number.

    """
    _check_text("evidence", note, LONGEST_NOTE)
    check_actor(actor)


def check_actor(actor: str) -> None:
    """Make sure that what an operator does has their name.

    Raises:
        InvalidInput: it is missing or too long, or holds a card number.

    """
    _check_text("actor", actor, LONGEST_ACTOR)


def _check_text(name: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest or not text.isprintable():
        message = f"{name}: must be 1 to {longest} printable characters"
        raise InvalidInput(message)
    if has_card_number(text):
        message = f"{name}: must hold no card number; a name for it is right"
        raise InvalidInput(message)


def _by_hand(transaction_id: str, outcome: str, note: str, actor: str) -> Evidence:
    """An operator's evidence, if it has a name, a reason and an end."""
    check_signed(note, actor)
    if outcome not in ENDED:
        message = "outcome: must be 'succeeded' or 'declined'"
        raise InvalidInput(message)
    return Evidence(
        source=Source.OPERATOR,
        transaction=transaction_id,
        command=None,
        outcome=Outcome(outcome),
        actor=actor,
        note=note,
    )


def _waiting(transaction: Transaction, name: str, now: datetime) -> Operation:
    if not transaction.exists:
        raise no_transaction(transaction)
    operation = transaction.operations.get(name)
    if operation is None:
        known = ", ".join(transaction.operations) or "none"
        asked = without_card_numbers(repr(name))
        message = f"{transaction.id}: no operation {asked} is open; open: {known}"
        raise InvalidInput(message)
    if operation.is_awaited(now):
        message = (
            f"{name}: its caller still waits for the gateway; ask again after"
            f" {operation.due_at.isoformat(timespec='seconds')}"
        )
        raise InvalidInput(message)
    return operation
