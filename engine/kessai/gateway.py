"""The contract between the engine and a gateway adapter: plain values both ways.

An adapter is pure. It turns a `Call` into a `Request` (bytes to send) and a `Reply` or
`Failure` (bytes that came back, or did not) into the next request or into `Evidence`.
It opens no connection, reads no clock, keeps no state: one place does all HTTP
(`kessai.transport`), and every adapter can be tested from recorded bytes.

Amounts are integers in minor units of `currency`; times are aware and in UTC.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.outcomes import Outcome as Outcome  # noqa: PLC0414 - part of it
from kessai.outcomes import Source as Source  # noqa: PLC0414

INQUIRY = "inquiry"
"""The command of a `Call` that only asks the gateway what it knows."""

ID_NOT_KNOWN = "id_not_known"
"""The code of an inquiry that the gateway answered: it knows nothing under that id.

The outcome is UNKNOWN. The id may be wrong, or another account's: that it is not known
does not show that nothing was carried out.
"""


_KEY_LENGTH = 32


@attrs.frozen(kw_only=True, slots=False)  # faster to make
class Call:
    """One exchange that the engine wants with the gateway.

    `parameters` are the command's own, under the names that the lifecycle declares;
    flags are booleans, `frequency` is `{"unit": …, "value": …}`, the rest is text.
    `declared` are the names of all that the lifecycle declares for the command, and
    `tracks` those of its tracks. An adapter that must know what kind of payment it is
    looks at them, never at the lifecycle's name.

    `references` are the gateway's ids for the transaction; `agreement_references` are
    those for the agreement, where the command opens a charge under it. Both are as they
    were known when the operation began. A resend gets the same ids, so that it is the
    same request; an exchange that is resumed gets those known by then.

    `resumed` is what the consumer came back with, in the exchange that sends it on;
    None in every other exchange. `begun_at` is when the operation began; of an inquiry,
    when the transaction was opened.
    """

    command: str
    transaction: str
    lifecycle: str
    operation: str = ""
    amount: int | None = None
    currency: str = "JPY"
    agreement: str | None = None
    parameters: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    declared: frozenset[str] = frozenset()
    tracks: tuple[str, ...] = ()
    references: Mapping[str, str] = attrs.field(factory=dict)
    agreement_references: Mapping[str, str] = attrs.field(factory=dict)
    resumed: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    begun_at: datetime | None = None
    seed: str = attrs.field(default="", repr=False)

    def key(self, step: str = "") -> str:
        """The idempotency key of one request: 32 characters of `[A-Za-z0-9_-]`.

        `step` names the request where the exchange has several. The same operation and
        step always give the same key, and no other operation or step gives it.

        It is made from the hash of the event that began the operation. That hash covers
        the chain before it, the time, the caller's key and the request. So a store that
        was restored from a backup never gives a lost operation's key to a new one.

        Raises:
            InvalidInput: the call is an inquiry. An inquiry has no key: with one, the
                gateway would repeat an old answer.

        """
        if not self.seed:
            message = f"{self.command}: a call that moves nothing has no key"
            raise InvalidInput(message)
        digest = hashlib.sha256(f"{self.seed}\n{step}".encode()).digest()
        return urlsafe_b64encode(digest)[:_KEY_LENGTH].decode()


@attrs.frozen(kw_only=True)
class Request:
    """Bytes for the gateway.

    Headers and body carry credentials, so no repr shows them.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Reply:
    """Bytes from the gateway. The body may hold personal data, so no repr shows it."""

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Failure:
    """No reply came. `sent` is false only if the request certainly never left."""

    sent: bool
    reason: str


@attrs.frozen(kw_only=True)
class ListedExchange:
    """One exchange as the gateway lists it in its answer to an inquiry.

    `operation` is the engine's id of the operation, where the gateway echoes it.
    """

    command: str
    outcome: Outcome
    amount: int | None = None
    exchange: str | None = None
    at: datetime | None = None
    operation: str | None = None


@attrs.frozen(kw_only=True, slots=False)  # see `of_fields`
class Evidence:
    """What a gateway stated of one transaction, free of secrets and personal data.

    `command` is None when the evidence is about the whole transaction (an inquiry).
    `code` is the gateway's result code, `exchange` its id of the exchange. `amount` is
    what the exchange moved, if the gateway states it. `listing` is filled only by an
    inquiry; `found` is False when the gateway does not know the transaction.
    `needs_inquiry` asks for an inquiry before the outcome is believed ("already
    captured"). An operator's evidence names its `actor`, and its `note` says how it was
    found out. `echoed` is our id of the operation, as a listed exchange echoed it: the
    engine takes it from the list.

    `references` are ids that the gateway gave, by the adapter's names for them. Only
    ids that a transaction has one of are listed; a refund's own id is its `exchange`.
    `totals` are amounts of the whole transaction, by the lifecycle's names for them,
    from a gateway that states totals and lists no exchanges; a `listing` beside them has
    those that can be asked about by id, and leaves out others. `deadlines` are times that
    the gateway states, by the lifecycle's names for the deadlines; they take precedence
    over declared durations. Until `not_before` the gateway must not be asked again.

    `disclosed` is for the caller only (an address, the page that sends the consumer
    on): it is never stored, logged or shown in a repr.
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
    needs_inquiry: bool = False
    never_sent: bool = False
    actor: str = ""
    note: str = ""
    listing: tuple[ListedExchange, ...] = ()
    references: Mapping[str, str] = attrs.field(factory=dict)
    totals: Mapping[str, int] = attrs.field(factory=dict)
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict)
    not_before: datetime | None = None
    echoed: str | None = None
    disclosed: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False)


@attrs.frozen(kw_only=True)
class Notification:
    """A notification as it arrived: header names in any case, the body's raw bytes.

    `at` is when it arrived, for signatures that expire.
    """

    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    at: datetime


@attrs.frozen
class Mention:
    """Something happened to what the gateway calls `id`: a reason to inquire.

    `kind` is the name under which the adapter reports that id in `references`. If no
    transaction has the id, its reply may still be on its way, and the gateway must send
    the notification again. Not so of what was `made_elsewhere`, as the object itself
    shows: it is an imported transaction's, or nobody's here.
    """

    kind: str
    id: str
    made_elsewhere: bool = attrs.field(default=False, kw_only=True)


class NotificationPartlyRefused(NotificationRefused):
    """A notification is the gateway's, but not all of its items can be read.

    `readable` holds the items that can: a malformed one must not hold them up.
    """

    def __init__(self, message: str, readable: tuple[Evidence | Mention, ...]) -> None:
        super().__init__(message)
        self.readable = readable


Exchange = Generator[Request, Reply | Failure, Evidence]
"""What an adapter does for a call: it yields requests, and returns the evidence."""

Reception = Generator[Request, Reply | Failure, tuple[Evidence | Mention, ...]]
"""How an adapter reads a notification: it may ask the gateway before it returns."""


class Adapter(Protocol):
    """What the engine needs of an adapter.

    A class that names this one as its base has the defaults of `replays`, `totals_lag`,
    `page` and `seal`.
    For a gateway that needs one request per command, `TwoFunctionAdapter` is less work.
    """

    @property
    def name(self) -> str:
        """The adapter's name, as recorded in the audit trail."""
        ...

    @property
    def account(self) -> str:
        """The account that the payments belong to: merchant and environment."""
        ...

    @property
    def replays(self) -> timedelta | None:
        """How long the gateway repeats its first answer to a key that it knows.

        None if it does not repeat answers, or if its documents do not promise it.
        """
        return None

    @property
    def totals_lag(self) -> frozenset[str]:
        """The commands whose success the totals of an inquiry may show only later.

        So totals never show that such a command was not carried out. None by default.
        """
        return frozenset()

    def exchange(self, call: Call) -> Exchange:
        """Carry out `call`: yield each request, get its reply, return the evidence.

        The same call and the same replies give the same requests and evidence. The
        first request is made before the engine records its intent to send. So what
        cannot be sent at all is refused there, by InvalidInput. Once a request was
        sent, whatever is raised counts as UNKNOWN. Every request that moves something
        carries `call.key(step)`. An exchange has at most 20 requests.

        The evidence is about exactly this transaction and command; that of an inquiry
        (`INQUIRY`) has no command. A command of which no request left is DECLINED, with
        `never_sent`. An inquiry without an answer is UNKNOWN. An adapter for a gateway
        without inquiries returns UNKNOWN and makes no request.
        """
        ...

    def page(self, call: Call) -> Exchange:  # noqa: ARG002
        """Ask once more for the page of an opening command that waits for its consumer.

        It moves nothing: each request only reads, or is one that the exchange of `call`
        has sent, with its key, so that the gateway repeats its answer. As long as the
        gateway surely knows the keys (`replays`), `call` is the very same. After that,
        and where there is no such promise, it has no keys, and the `references` that are
        known by now. Of the evidence only what it discloses is used. By default there is
        nothing to be asked.
        """
        yield from ()
        message = f"{self.name}: discloses no page again"
        raise InvalidInput(message)

    def seal(self, request: Request, at: datetime, nonce: bytes) -> Request:  # noqa: ARG002
        """`request` as it is sent at `at`: for signatures with a date or a salt.

        Pure: the same 16 bytes of `nonce` and the same time give the same bytes.
        """
        return request

    def received(self, notification: Notification) -> Reception:
        """What each item of a notification states, or mentions.

        A signature is checked over the whole body before any of it is interpreted, and
        compared in constant time. The adapter may ask the gateway where it must.

        Raises:
            kessai.errors.NotificationRefused: it is not the gateway's or is malformed.
            NotificationPartlyRefused: some items are malformed; it holds the others.

        """
        ...


class TwoFunctionAdapter(Protocol):
    """An adapter for a gateway that needs one request per command.

    It is two functions over bytes, and a third for notifications. The engine makes an
    `Adapter` of it (`kessai.gateway_exchange.lift`).
    """

    @property
    def name(self) -> str:
        """The adapter's name, as recorded in the audit trail."""
        ...

    def request(self, call: Call) -> Request:
        """The bytes that carry out `call`; the same call gives the same bytes."""
        ...

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What came of `call`. Never raises: a reply it cannot read is UNKNOWN.

        A command that certainly never left is DECLINED, with `never_sent`. An inquiry
        without an answer is UNKNOWN, whether it left or not.
        """
        ...

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence, ...]:
        """What a notification states: one piece of evidence per item.

        The names of `headers` may be in any case. A signature is checked over the whole
        body before any of it is interpreted, and compared in constant time.

        Raises:
            kessai.errors.NotificationRefused: it is not the gateway's or is malformed.
            NotificationPartlyRefused: some items are malformed; it holds the others.

        """
        ...


AnyAdapter = Adapter | TwoFunctionAdapter
"""What an engine can be made with."""
