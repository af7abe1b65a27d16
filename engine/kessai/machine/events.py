"""What can happen to a transaction. Events are appended, never changed or removed.

Their form as JSON is a lasting contract: old trails must stay readable. Fields without
a value are left out. Times are aware and in UTC.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs
import msgspec

from kessai.errors import TrailBroken
from kessai.gateway import Evidence, Outcome
from kessai.machine.denial import Bounds, Reason
from kessai.machine.stored_evidence import evidence_data
from kessai.machine.transaction import Operation


@attrs.frozen
class Begun:
    """The intent to carry out an operation, durable before any call.

    For an opening command it carries what the transaction begins with, among it the
    account with the gateway. It also carries the version of the agreement that allowed
    it: clocks could not prove which came first. The currency is its operation's.
    What is only `prepared` in a shop's own transaction is sent after a `Sent`.
    """

    at: datetime
    operation: Operation
    agreement: str | None = None
    opens: tuple[str, ...] = ()
    agreement_version: int | None = None
    account: str | None = None
    prepared: bool = False


@attrs.frozen
class Sent:
    """The intent to send a prepared operation's request, durable before any call."""

    at: datetime
    operation: str


@attrs.frozen
class Resumed:
    """The intent to send on what the consumer came back with, durable before any call.

    `request` is the SHA-256 (hex) of the parameters. They are stored nowhere: they are
    tokens, and whoever holds them can make one payment.
    """

    at: datetime
    operation: str
    request: str


@attrs.frozen
class Resent:
    """The intent to send an open operation's request again, durable before any call."""

    at: datetime
    operation: str


@attrs.frozen
class Reported:
    """What came of an operation, by the evidence of a gateway or an operator."""

    at: datetime
    operation: str
    outcome: Outcome
    evidence: Evidence


@attrs.frozen
class External:
    """A command that was carried out at the gateway without the engine's asking."""

    at: datetime
    command: str
    amount: int | None
    evidence: Evidence


@attrs.frozen
class Reversed:
    """A success of `command` that the gateway took back later, by `amount`.

    `operation` is the one that had succeeded, if that is known.
    """

    at: datetime
    command: str
    amount: int | None
    evidence: Evidence
    operation: str | None = None


@attrs.frozen
class Lapsed:
    """A deadline passed, by the clock or as the gateway reported it."""

    at: datetime
    deadline: str
    evidence: Evidence | None = None


@attrs.frozen
class Learned:
    """Ids or deadlines that the gateway stated and that no other event records.

    It moves nothing: an inquiry that lists nothing new may still state them.
    """

    at: datetime
    evidence: Evidence


@attrs.frozen
class Discrepancy:
    """Evidence that the lifecycle does not allow, or whose operation is in doubt.

    It is open until a later event explains it (`kessai.machine.explained`) or an
    operator closes it. `reason` is one of `kessai.evidence.reasons.REASONS`;
    `operation` is the one it was compared with.
    """

    at: datetime
    reason: str
    evidence: Evidence
    operation: str | None = None


@attrs.frozen
class Closed:
    """The closing of a discrepancy, named by its event number, by an operator."""

    at: datetime
    discrepancy: int
    evidence: Evidence


@attrs.frozen
class Forgotten:
    """Personal texts of earlier events were removed, by an operator and for a reason.

    `events` are the numbers of these events, in decimal, each with the SHA-256 (hex) of
    what is left of its record: see `kessai.machine.forgotten`.
    """

    at: datetime
    actor: str
    note: str
    events: Mapping[str, str]


@attrs.frozen
class Archived:
    """The transaction has ended and belongs to an archive: nothing follows, as a rule.

    `archive` is the name of its file, `hashes` are those of the events before. Where
    those are removed, this one still shows what they were.
    """

    at: datetime
    archive: str
    actor: str
    hashes: tuple[str, ...]


@attrs.frozen
class Denied:
    """A command that was denied. It changes nothing but the trail.

    `amount` is what was asked for, `bounds` what would have passed.
    """

    at: datetime
    command: str
    key: str
    request: str
    reasons: tuple[Reason, ...]
    amount: int | None = None
    bounds: Bounds | None = None


Event = (
    Begun
    | Sent
    | Resent
    | Resumed
    | Reported
    | External
    | Reversed
    | Lapsed
    | Learned
    | Discrepancy
    | Closed
    | Forgotten
    | Archived
    | Denied
)

KINDS: Mapping[str, type[Event]] = {
    "begun": Begun,
    "sent": Sent,
    "resent": Resent,
    "resumed": Resumed,
    "reported": Reported,
    "external": External,
    "reversed": Reversed,
    "lapsed": Lapsed,
    "learned": Learned,
    "discrepancy": Discrepancy,
    "closed": Closed,
    "forgotten": Forgotten,
    "archived": Archived,
    "denied": Denied,
}
KIND_OF: Mapping[type[Event], str] = {kind: name for name, kind in KINDS.items()}


def event_data(event: Event) -> dict[str, Any]:
    """`event` as plain data, without empty fields and what must not be stored."""
    data: dict[str, Any] = {}
    for name, plain in _FIELDS[type(event)]:
        value = getattr(event, name)
        if value is None or value is False:
            continue
        if plain is not None:
            data[name] = plain(value)
        elif value != ():
            data[name] = value
    return data


def operation_data(operation: Operation) -> dict[str, Any]:
    """An operation as its first event holds it."""
    data: dict[str, Any] = {
        "id": operation.id,
        "command": operation.command,
        "key": operation.key,
        "request": operation.request,
        "amount": operation.amount,
        "parameters": operation.parameters,
        "begun_at": operation.begun_at,
    }
    if operation.amount is None:
        del data["amount"]
    if operation.currency is not None:
        data["currency"] = operation.currency
    for name in ("references", "agreement_references"):
        if references := getattr(operation, name):
            data[name] = references
    return data


def read_event(kind: str, data: object) -> Event:
    """The event that `event_data` wrote.

    Raises:
        TrailBroken: it is no event.

    """
    if kind not in KINDS:
        message = f"{kind!r} is not a kind of event"
        raise TrailBroken(message)
    if not isinstance(data, dict):
        message = f"not a {kind!r} event: its data are no object"
        raise TrailBroken(message)
    try:
        return msgspec.convert(_with_empty_fields(kind, data), type=KINDS[kind])
    except (msgspec.ValidationError, TypeError) as error:
        message = f"not a {kind!r} event: {error}"
        raise TrailBroken(message) from error


def _with_empty_fields(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """`data` with the empty fields that were left out and that have no default."""
    moved = kind in {"external", "reversed"}
    filled = {"amount": None, **data} if moved else dict(data)
    for part, missing in (("operation", "amount"), ("evidence", "command")):
        value = filled.get(part)
        if isinstance(value, dict):
            filled[part] = {missing: None, **value}
    return filled


_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    Operation: operation_data,
    Evidence: evidence_data,
    Evidence | None: evidence_data,
}
_FIELDS = {
    kind: tuple((field.name, _PLAIN.get(field.type)) for field in attrs.fields(kind))
    for kind in KINDS.values()
}
