"""Transactions and answers in a database: JSON, read back to the same objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from kessai import flow
from kessai.errors import TrailBroken
from kessai.machine import Transaction
from kessai.machine.record import canonical
from kessai.stores.schedule import Schedule

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import Recorded, Undelivered

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_transactions = msgspec.json.Decoder(Transaction)


@cache
def _recorded() -> msgspec.json.Decoder[Recorded]:
    return msgspec.json.Decoder(flow.Recorded)


@cache
def _undelivered() -> msgspec.json.Decoder[tuple[Undelivered, ...]]:
    return msgspec.json.Decoder(tuple[flow.Undelivered, ...])


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
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
    transaction: Transaction, stored: Callable[[datetime | None], Any] = lambda at: at
) -> tuple[str, str, str, int, Any, int, Any, Any]:
    """What is kept beside a transaction's state, to find it by.

    `stored` is the form that the database has of a time.
    """
    return (
        transaction.account,
        transaction.lifecycle,
        transaction.status,
        transaction.version,
        stored(transaction.open_since),
        len(transaction.discrepancies),
        stored(transaction.opened_at),
        stored(transaction.changed_at),
    )


def decode_row(
    row: Sequence[Any],
    now: datetime | None = None,
    *,
    stored: Callable[[datetime | None], Any] = lambda at: at,
) -> Transaction:
    """The transaction of a row: its id, its `columns_of`, its schedule, its state.

    `stored` is the form that the database has of a time; `now` is for the schedule.

    Raises:
        TrailBroken: the row does not agree with itself, or keeps recovery off.

    """
    name, *columns, due_at, attempts, lease, leased_until, failure, state = row
    try:
        transaction = decode_transaction(state)
    except TrailBroken as error:
        raise TrailBroken(str(error), transaction=name) from error
    if transaction.id != name or columns_of(transaction, stored) != tuple(columns):
        message = "the columns of a stored transaction do not agree with its state"
        raise TrailBroken(message, transaction=name)
    written = encode_transaction(transaction)
    if written != state and _has_more(state, written):
        message = "a stored transaction has a member twice, or one that nothing reads"
        raise TrailBroken(message, transaction=name)
    schedule = Schedule(due_at, attempts, lease, leased_until, failure)
    schedule.check(transaction, stored, now)
    return transaction


def _has_more(state: bytes, written: bytes) -> bool:
    """Whether `state` has more than is `written` of it: an older one has less."""
    members = msgspec.json.decode(state)
    return _encode(members) != state or not _within(
        members, msgspec.json.decode(written)
    )


def _within(part: Any, whole: Any) -> bool:
    if not isinstance(part, dict):
        return bool(part == whole)
    return all(name in whole and _within(part[name], whole[name]) for name in part)


def encode_recorded(recorded: Recorded) -> bytes:
    """What is stored under a key as JSON, without what only the caller may see."""
    from kessai.machine.stored_evidence import evidence_data

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
    return canonical(data)


def decode_recorded(raw: bytes) -> Recorded:
    """What `encode_recorded` wrote.

    Raises:
        TrailBroken: it is none; someone else wrote to the database.

    """
    return _decode(_recorded(), raw, "answer")


def decode_undelivered(raw: bytes) -> tuple[Undelivered, ...]:
    """What is stored of a subscriber besides its position.

    Raises:
        TrailBroken: it is none; someone else wrote to the database.

    """
    return _decode(_undelivered(), raw, "subscriber")


class Answered(msgspec.Struct, frozen=True, gc=False):
    """What is stored under a key, as it is stored: `recorded` is JSON."""

    transaction: str
    key: str
    outcome: str
    recorded: bytes

    @classmethod
    def of(cls, recorded: Recorded) -> Answered:
        """What a store keeps of `recorded`."""
        return cls(
            recorded.transaction,
            recorded.key,
            recorded.outcome,
            encode_recorded(recorded),
        )

    def read(self) -> Recorded | None:
        """What was stored; None if the row does not agree with itself."""
        try:
            found = decode_recorded(self.recorded)
        except TrailBroken:
            return None
        return found if Answered.of(found) == self else None


def undisclosed(recorded: Recorded) -> Recorded:
    """`recorded` without what only its first caller may see."""
    evidence = recorded.evidence
    if evidence is None or not evidence.disclosed:
        return recorded
    kept = attrs.evolve(evidence, disclosed={})
    return msgspec.structs.replace(recorded, evidence=kept)
