"""The contract between the engine and a gateway adapter: plain values both ways.

An adapter is pure. It turns a `Call` into a `Request` (bytes to send) and a `Reply` or
`Failure` (bytes that came back, or did not) into `Evidence`. It opens no connection,
reads no clock, keeps no state: one place does all HTTP (`kessai.transport`), and every
adapter can be tested from recorded bytes.

Amounts are integers in minor units of `currency`; times are aware and in UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import attrs

from kessai.errors import PushRefused

LOOK_UP = "look_up"
"""The command of a `Call` that only asks the gateway what it knows."""


class Outcome(StrEnum):
    """What a piece of evidence says of an operation."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    PENDING = "pending"  # the gateway accepted it and will tell
    UNKNOWN = "unknown"  # no evidence either way: only a look-up settles it


class Source(StrEnum):
    """Where evidence came from. All of it goes through one path."""

    REPLY = "reply"
    PUSH = "push"
    LOOK_UP = "look_up"
    OPERATOR = "operator"


@attrs.frozen(kw_only=True)
class Call:
    """One exchange that the engine wants with the gateway.

    `idempotency_key` derives from the operation, so a resend is the same request.
    `parameters` are the command's own, under the names that the lifecycle declares;
    flags are booleans, `frequency` is `{"unit": …, "value": …}`, the rest is text.
    """

    command: str
    transaction: str
    lifecycle: str
    operation: str = ""
    amount: int | None = None
    currency: str = "JPY"
    agreement: str | None = None
    parameters: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    idempotency_key: str = ""


@attrs.frozen(kw_only=True)
class Request:
    """Bytes for the gateway.

    Headers and body carry credentials: they have no place in a repr.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Reply:
    """Bytes from the gateway. The body may hold personal data: never in a repr."""

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Failure:
    """No reply. `sent` is false only when the request surely never left."""

    sent: bool
    reason: str


@attrs.frozen(kw_only=True)
class ListedExchange:
    """One exchange as the gateway's look-up lists it."""

    command: str
    outcome: Outcome
    amount: int | None = None
    exchange: str | None = None
    at: datetime | None = None


@attrs.frozen(kw_only=True)
class Evidence:
    """What a gateway said of one transaction, free of secrets and personal data.

    `command` is None when the evidence speaks of the whole transaction (a look-up).
    `code` is the gateway's result code, `exchange` its id of the exchange; `amount` is
    what the gateway says the exchange moved, where it says so. `listing` is filled by a
    look-up alone; `found` is False when a look-up does not know the transaction.
    `look_up` asks for one before the outcome is believed ("already captured").
    An operator's evidence names its `actor` and says in `note` how it was found out.

    `disclosed` is for the caller's eyes only (an address, the page that sends the
    consumer on): it is never stored, logged or shown in a repr.
    """

    source: Source
    transaction: str
    command: str | None
    outcome: Outcome
    code: str = ""
    amount: int | None = None
    exchange: str | None = None
    reported_at: datetime | None = None
    found: bool = True
    look_up: bool = False
    never_sent: bool = False
    actor: str = ""
    note: str = ""
    listing: tuple[ListedExchange, ...] = ()
    disclosed: Mapping[str, Any] = attrs.field(
        factory=dict[str, Any], repr=False, eq=False
    )


class PushPartlyRefused(PushRefused):
    """A push is the gateway's, but not all of its notifications can be read.

    `readable` is what the others say: one that is spoilt must not hold them up.
    """

    def __init__(self, message: str, readable: tuple[Evidence, ...]) -> None:
        super().__init__(message)
        self.readable = readable


class Adapter(Protocol):
    """What the engine asks of a gateway: two functions over bytes, and a third for pushes."""

    @property
    def name(self) -> str:
        """The adapter's name, as recorded in the audit trail."""
        ...

    def request(self, call: Call) -> Request:
        """The bytes that carry out `call`; the same call gives the same bytes."""
        ...

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What came of `call`. Never raises on a strange reply: that is UNKNOWN.

        A command that surely never left is DECLINED, with `never_sent`; a look-up that
        was not answered is UNKNOWN, whether it left or not.
        """
        ...

    def push(self, headers: Mapping[str, str], body: bytes) -> tuple[Evidence, ...]:
        """What a push says, one piece of evidence a notification.

        The names of `headers` may be in any case. A signature is checked over the whole
        body before any of it is interpreted, and compared in constant time.

        Raises:
            kessai.errors.PushRefused: it is not the gateway's, or not well-formed.
            PushPartlyRefused: some of its notifications are not; it holds the others.

        """
        ...
