"""Transactions and answers in a database: JSON, read back to the same objects."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import attrs
import msgspec

from kessai.errors import TrailBroken
from kessai.flow import Recorded
from kessai.machine import Reason, Transaction
from kessai.machine.events import evidence_data

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_transactions = msgspec.json.Decoder(Transaction)
_recorded = msgspec.json.Decoder(Recorded)


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"a stored {what} is not readable: {error}"
        raise TrailBroken(message) from error


def encode_transaction(transaction: Transaction) -> bytes:
    """A transaction as JSON."""
    return _encode(transaction)


def decode_transaction(raw: bytes) -> Transaction:
    """The transaction that `encode_transaction` wrote.

    Raises:
        TrailBroken: it is none; someone else wrote to the database.

    """
    return _decode(_transactions, raw, "transaction")


def columns_of(
    transaction: Transaction,
) -> tuple[str, str, str, int, datetime | None, int]:
    """What is kept beside a transaction's state, to find it by."""
    return (
        transaction.account,
        transaction.lifecycle,
        transaction.status,
        transaction.version,
        transaction.open_since,
        len(transaction.discrepancies),
    )


def decode_row(
    row: Sequence[Any],
    kept: Callable[[Transaction], tuple[object, ...]] = columns_of,
    stored: Callable[[datetime | None], Any] = lambda at: at,
) -> Transaction:
    """The transaction of a row: its id, what is `kept`, when it is due, its state.

    `stored` is the form that the database has of a time. When it is due are two
    columns: a time, and how often recovery changed nothing. Each such attempt puts the
    time off; before the first, none later than the transaction's own would let an open
    operation be found in time.

    Raises:
        TrailBroken: the row does not agree with itself.

    """
    name, *columns, due_at, attempts, state = row
    try:
        transaction = decode_transaction(state)
    except TrailBroken as error:
        raise TrailBroken(str(error), transaction=name) from error
    if transaction.id != name or kept(transaction) != tuple(columns):
        message = "the columns of a stored transaction do not agree with its state"
        raise TrailBroken(message, transaction=name)
    if due_at is None and not transaction.operations:
        return transaction
    right = stored(transaction.due_at)
    if due_at is None or right is None or (due_at > right and not attempts):
        message = "when a stored transaction is due does not agree with its state"
        raise TrailBroken(message, transaction=name)
    return transaction


def encode_recorded(recorded: Recorded) -> bytes:
    """What is stored under a key as JSON, without what only the caller may see."""
    data: dict[str, Any] = {
        "key": recorded.key,
        "request": recorded.request,
        "command": recorded.command,
        "transaction": recorded.transaction,
        "outcome": recorded.outcome,
    }
    if recorded.operation is not None:
        data["operation"] = recorded.operation
    if recorded.reasons:
        data["reasons"] = recorded.reasons
    if recorded.bounds is not None:
        data["bounds"] = recorded.bounds
    if recorded.evidence is not None:
        data["evidence"] = {"command": None, **evidence_data(recorded.evidence)}
    return _encode(data)


def decode_recorded(raw: bytes) -> Recorded:
    """What `encode_recorded` wrote.

    Raises:
        TrailBroken: it is none; someone else wrote to the database.

    """
    return _decode(_recorded, raw, "answer")


class AnsweredEvidence(msgspec.Struct, frozen=True, gc=False):
    """What decided an answer, as far as an order system may act on it."""

    source: str
    outcome: str
    command: str | None = None
    code: str = ""
    amount: int | None = None
    exchange: str | None = None
    actor: str = ""
    note: str = ""


class Answered(msgspec.Struct, frozen=True, gc=False):
    """What is stored under a key, as far as the trail can prove it."""

    transaction: str
    key: str
    request: str = ""
    command: str = ""
    outcome: str = ""
    operation: str | None = None
    reasons: tuple[Reason, ...] = ()
    evidence: AnsweredEvidence | None = None


_answered = msgspec.json.Decoder(Answered)


def decode_answered(row: Sequence[Any]) -> Answered:
    """The answer of a row: its transaction, key and outcome, and what is recorded.

    If the row does not agree with itself, it is an empty answer.
    """
    transaction, key, outcome, recorded = row
    with suppress(TrailBroken):
        found = _decode(_answered, recorded, "answer")
        if (found.transaction, found.key, found.outcome) == (transaction, key, outcome):
            return found
    return Answered(transaction, key)


def answered(recorded: Recorded) -> Answered:
    """The same for an answer that a store holds as an object."""
    evidence = recorded.evidence
    return Answered(
        recorded.transaction,
        recorded.key,
        recorded.request,
        recorded.command,
        recorded.outcome,
        recorded.operation,
        recorded.reasons,
        None if evidence is None else answered_by(evidence),
    )


def answered_by(evidence: Any) -> AnsweredEvidence:
    """What of `evidence` an answer is compared by: a gateway's, or a record's."""
    return AnsweredEvidence(
        str(evidence.source),
        str(evidence.outcome),
        evidence.command,
        evidence.code,
        evidence.amount,
        evidence.exchange,
        evidence.actor,
        evidence.note,
    )


def undisclosed(recorded: Recorded) -> Recorded:
    """`recorded` without what only its first caller may see."""
    evidence = recorded.evidence
    if evidence is None or not evidence.disclosed:
        return recorded
    kept = attrs.evolve(evidence, disclosed={})
    return msgspec.structs.replace(recorded, evidence=kept)
