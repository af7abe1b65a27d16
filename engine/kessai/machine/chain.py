"""The trail of one transaction: canonical events, each bound to the one before.

An event's hash is the SHA-256 of its canonical JSON (RFC 8785: sorted keys, no
insignificant space, UTF-8), which holds the previous hash, the event's number, the
transaction's id and the hash of the lifecycle it ran under. An edit, a removal, a
reordering or a splice from another transaction breaks the chain at the first bad event.
What was forgotten of a record is declared by a later one: `kessai.machine.forgotten`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import attrs
import msgspec

from kessai.errors import TrailBroken
from kessai.gateway import Evidence, Outcome
from kessai.machine.compile import Machine, Step
from kessai.machine.events import (
    KIND_OF,
    Archived,
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
    event_data,
    read_event,
)
from kessai.machine.evolve import at_gateway, committed, evolve
from kessai.machine.forgotten import declared, is_forgotten
from kessai.machine.movements import moved_as_json
from kessai.machine.record import Record, canonical
from kessai.machine.transaction import Operation, Transaction


class AppliedEvent(
    NamedTuple
):  # one is made for every event: an attrs object costs three times
    """One event of a trail, with the transaction before and after it.

    `machine` is that of the lifecycle file that the event is bound to. A new denial has
    the machine that denied: before a transaction exists, no file is bound.
    """

    event: Event
    machine: Machine | None
    before: Transaction
    after: Transaction

    @property
    def number(self) -> int:
        """The event's number in its trail, from 1."""
        return self.before.version + 1

    @property
    def operation(self) -> Operation | None:
        """The operation that the event begins, or is about while it is open."""
        match self.event:
            case Begun(operation=operation):
                return operation
            case Reported() | Sent() | Resent() | Resumed():
                return self.before.operations.get(self.event.operation)
            case _:
                return None

    @property
    def closes(self) -> tuple[int, ...]:
        """The numbers of the discrepancies that it closes, or explains.

        An operator also closes external movements that nobody claims.
        """
        if isinstance(self.event, Closed):
            return (self.event.discrepancy,)
        left = self.after.discrepancies
        return tuple(n for n in self.before.discrepancies if n not in left)

    @property
    def subject(self) -> Operation | External | Reversed | Denied | Evidence | None:
        """What has the command and the amount (minor units) that the event is about."""
        match self.event:
            case External() | Reversed() | Denied():
                return self.event
            case Discrepancy(evidence=evidence):
                return evidence
            case _:
                return self.operation

    @property
    def moves(self) -> list[Step]:
        """The steps by which a success, or its reversal, changed states: one a track."""
        event, machine, operation = self.event, self.machine, self.operation
        if machine is not None and isinstance(event, External | Reversed):
            return at_gateway(machine, self.before, event)[1]
        ended = operation is not None and operation.id not in self.after.operations
        if machine is None or operation is None or not ended:
            return []
        if not isinstance(event, Reported) or event.outcome is not Outcome.SUCCEEDED:
            return []
        starting = machine.commands[operation.command].steps_from(self.before.states)
        return committed(starting, self.before, operation.amount)[1]


def append(
    machine: Machine | None, transaction: Transaction, event: Event
) -> tuple[Transaction, Record]:
    """`transaction` after `event`, and the record that its trail grows by."""
    number = transaction.version + 1
    body = canonical(
        {
            "number": number,
            "transaction": transaction.id,
            "lifecycle": "" if machine is None else machine.lifecycle.hash,
            "previous": transaction.head,
            "kind": KIND_OF[type(event)],
            "data": event_data(event),
        }
    )
    digest = hashlib.sha256(body).hexdigest()
    after = evolve(machine, transaction, event)
    moved = moved_as_json(machine, transaction.amounts, after.amounts)
    record = Record(transaction.id, number, body, digest, moved)
    return after.with_head(digest), record


@attrs.frozen
class RecordedEvent:
    """A record read back: its event, and the hash of the lifecycle it is bound to.

    `members` are all that its JSON holds, whether something reads them or not.
    """

    event: Event
    lifecycle: str
    members: Mapping[str, Any] = attrs.field(repr=False)


def read_record(
    record: Record, previous: str | None, left: str | None = None
) -> RecordedEvent:
    """The event in `record`, after the checks that need no lifecycle.

    `previous` is the hash of the record before it, None where that was not read. `left`
    is the hash of what is left of the record, where its trail declares it as forgotten.

    Raises:
        TrailBroken: the bytes do not have the recorded hash, do not follow `previous`,
            or belong to another transaction or another place.

    """
    where = f"event {record.number} of {record.transaction}"
    if hashlib.sha256(record.body).hexdigest() != (left or record.hash):
        message = f"{where}: its bytes do not have its hash"
        if left:
            message = f"{where}: it is not what was left when its texts were forgotten"
        raise TrailBroken(message)
    body = _decode(record, where)
    expected = {"number": record.number, "transaction": record.transaction}
    if previous is not None:
        expected["previous"] = previous
    for name, value in expected.items():
        if body.get(name) != value:
            message = (
                f"{where}: its '{name}' is not what its place in the chain demands"
            )
            raise TrailBroken(message)
    try:
        event = read_event(str(body.get("kind")), body.get("data"))
    except TrailBroken as error:
        message = f"{where}: {error}"
        raise TrailBroken(message) from error
    if left and not is_forgotten(record.body):
        message = f"{where}: was declared as forgotten, and has no forgotten text"
        raise TrailBroken(message)
    return RecordedEvent(event, str(body.get("lifecycle", "")), body)


def is_whole(record: Record) -> bool:
    """Whether its bytes have its hash: nothing of it was forgotten, or changed."""
    return hashlib.sha256(record.body).hexdigest() == record.hash


def is_removed(records: Sequence[Record]) -> bool:
    """Whether of a trail only the event is left that says which archive has the rest.

    Raises:
        TrailBroken: what is left does not hold.

    """
    if len(records) != 1 or records[0].number == 1:
        return False
    return isinstance(read_record(records[0], None).event, Archived)


def numbered(records: Iterable[Record], number: int) -> Record | None:
    """The record of that number, which may have any place: of a trail a part is read.

    Denials may be left out, and of an archived transaction only the last one is left.
    """
    return next((record for record in records if record.number == number), None)


def left_of(records: Iterable[Record]) -> Mapping[int, str]:
    """What `read_record` needs to know of the forgotten ones among a trail's records."""
    return declared([record.body for record in records])


def read_events(records: Iterable[Record]) -> Iterator[Event]:
    """The events of a whole trail, checked against its chain while they are read.

    Raises:
        TrailBroken: the chain does not hold.

    """
    head, records = "", tuple(records)
    left = left_of(records)
    for record in records:
        yield read_record(record, head, left.get(record.number)).event
        head = record.hash


def read_but_denials(records: Iterable[Record]) -> Iterator[tuple[int, Event]]:
    """The events of a trail that was read without its denials, each with its number.

    Each is checked by itself, and against the one before it if that was read.

    Raises:
        TrailBroken: one was changed, or does not follow the one before.

    """
    number, head, records = 0, "", tuple(records)
    left = left_of(records)
    for record in records:
        if record.number <= number:
            message = f"event {record.number} of {record.transaction}: out of its place"
            raise TrailBroken(message)
        previous = head if record.number == number + 1 else None
        event = read_record(record, previous, left.get(record.number)).event
        yield record.number, event
        number, head = record.number, record.hash


def _decode(record: Record, where: str) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(record.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{where}: not JSON"
        raise TrailBroken(message) from error
    if not isinstance(body, dict):
        message = f"{where}: not an event"
        raise TrailBroken(message)
    return body
