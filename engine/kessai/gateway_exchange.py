"""Between the engine and an adapter's own code: adapters lifted, evidence rebuilt.

Adapters are other people's code. An amount of 2**64, a text that is half a surrogate
pair, a time without a zone, a subclass with its own `__eq__`: none of these could be
recorded and read back, and the flow would break off after the request was sent. So no
object that an adapter made enters a flow. Evidence is built anew from values of exact
types, about exactly the transaction and command that were asked about. What cannot be
rebuilt is not evidence, and the outcome is unknown.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.frozen import of_fields
from kessai.gateway import (
    INQUIRY,
    Adapter,
    AnyAdapter,
    Call,
    Evidence,
    Exchange,
    ListedExchange,
    Mention,
    Notification,
    Outcome,
    Reception,
    Request,
    Source,
    TwoFunctionAdapter,
)
from kessai.money import is_amount

UNREADABLE = "unreadable"
"""The code of evidence that its adapter gave and that could not be rebuilt."""

Seal = Callable[[Request, datetime, bytes], Request]

T = TypeVar("T")

_LONGEST = 255
_TEXT = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{0,{_LONGEST}}}")


def lift(adapter: AnyAdapter) -> Adapter:
    """`adapter` in the form that flows use; a two-function adapter is wrapped."""
    given: Any = adapter
    lifted: Adapter = given if hasattr(given, "exchange") else _Lifted(given)
    return lifted


@attrs.frozen
class _Lifted(Adapter):
    """A two-function adapter: one request per command, none about a notification."""

    adapter: TwoFunctionAdapter

    @property
    def name(self) -> str:
        return self.adapter.name

    @property
    def account(self) -> str:
        return getattr(self.adapter, "account", self.adapter.name)

    def exchange(self, call: Call) -> Exchange:
        if call.resumed is not None:
            message = f"{self.name}: nothing that a consumer brings back is sent on"
            raise InvalidInput(message)
        reply = yield self.adapter.request(call)
        return self.adapter.evidence(call, reply)

    def received(self, notification: Notification) -> Reception:
        yield from ()
        return self.adapter.notification(notification.headers, notification.body)


def sealing(adapter: Adapter) -> Seal | None:
    """The `seal` of `adapter`; None if it has the default, which changes nothing."""
    seal = adapter.seal
    return None if getattr(seal, "__func__", None) is Adapter.seal else seal


def gives_pages(adapter: Adapter) -> bool:
    """Whether `adapter` can ask for a consumer's page again; not by the default."""
    return getattr(adapter.page, "__func__", None) is not Adapter.page


def rebuilt(call: Call, given: object) -> Evidence:
    """What an adapter has `given` for `call`, rebuilt; unknown if it is not evidence.

    A reply's evidence is about exactly the command, an inquiry's about none. Never
    raises.
    """
    try:
        evidence = _evidence(given, _source(call))
        about = None if call.command == INQUIRY else call.command
        if (evidence.transaction, evidence.command) == (call.transaction, about):
            return evidence
    except Exception:  # noqa: BLE001, S110 - a value of a stranger's class can raise anything
        pass
    return unknown(call, disclosed=_disclosed(given))


def can_be_kept(evidence: Evidence) -> bool:
    """Whether `evidence` is equal to itself after it is rebuilt."""
    try:
        return _evidence(evidence, evidence.source) == evidence
    except Exception:  # noqa: BLE001 - a value of a stranger's class can raise anything
        return False


def unknown(
    call: Call, code: str = UNREADABLE, *, disclosed: Mapping[str, Any] | None = None
) -> Evidence:
    """The evidence that the outcome of `call` is not known."""
    return Evidence(
        source=_source(call),
        transaction=call.transaction,
        command=None if call.command == INQUIRY else call.command,
        outcome=Outcome.UNKNOWN,
        code=code,
        disclosed=disclosed or {},
    )


def rebuilt_notification(given: object) -> Evidence | Mention:
    """An item of a notification, rebuilt; a reason to inquire if that is impossible.

    Raises:
        NotificationRefused: it names no transaction, so no inquiry is possible.

    """
    try:
        if isinstance(given, Mention):
            elsewhere = given.made_elsewhere is True
            return Mention(_name(given.kind), _name(given.id), made_elsewhere=elsewhere)
        transaction = _name(getattr(given, "transaction", ""))
    except Exception:  # noqa: BLE001 - a value of a stranger's class can raise anything
        message = "notification refused: it names no transaction"
        raise NotificationRefused(message) from None
    try:
        return _evidence(given, Source.NOTIFICATION)
    except Exception:  # noqa: BLE001 - a value of a stranger's class can raise anything
        return Evidence(
            source=Source.NOTIFICATION,
            transaction=transaction,
            command=_command(given),
            outcome=Outcome.UNKNOWN,
            code=UNREADABLE,
            needs_inquiry=True,
        )


def _source(call: Call) -> Source:
    return Source.INQUIRY if call.command == INQUIRY else Source.REPLY


def _command(given: object) -> str | None:
    try:
        return _optional(_text, getattr(given, "command", None))
    except Exception:  # noqa: BLE001 - a value of a stranger's class can raise anything
        return None


def _disclosed(given: object) -> dict[str, Any]:
    """What only the caller may see: it is kept even when the rest is not evidence."""
    try:
        return dict(given.disclosed) if isinstance(given, Evidence) else {}
    except Exception:  # noqa: BLE001 - a value of a stranger's class can raise anything
        return {}


# ── values of exact types; ValueError where there is none ───────────────────────────


def _evidence(given: object, source: Source) -> Evidence:
    stated = _instance(Evidence, given)
    outcome = _exactly(Outcome, stated.outcome)
    never_sent = _exactly(bool, stated.never_sent)
    if stated.source is not source or (never_sent and outcome in _MOVED):
        raise ValueError
    command, exchange, amount = stated.command, stated.exchange, stated.amount
    reported_at, not_before = stated.reported_at, stated.not_before
    listing = _exactly(tuple, stated.listing)
    # Made of every reply, so written out: no more calls than checks.
    fields = {
        "source": source,
        "transaction": _name(stated.transaction),
        "command": None if command is None else _text(command),
        "outcome": outcome,
        "code": _text(stated.code),
        "amount": None if amount is None else _amount(amount),
        "exchange": None if exchange is None else _text(exchange),
        "reported_at": None if reported_at is None else _moment(reported_at),
        "found": _exactly(bool, stated.found),
        "needs_inquiry": _exactly(bool, stated.needs_inquiry),
        "never_sent": never_sent,
        "actor": _text(stated.actor),
        "note": _text(stated.note),
        "echoed": _optional(_text, stated.echoed),
        "listing": tuple([_listed(one) for one in listing]) if listing else (),
        "references": _mapping(_name, stated.references),
        "totals": _mapping(_amount, stated.totals),
        "deadlines": _mapping(_moment, stated.deadlines),
        "not_before": None if not_before is None else _moment(not_before),
        "disclosed": dict(stated.disclosed),
    }
    return of_fields(Evidence, fields)


_MOVED = (Outcome.SUCCEEDED, Outcome.PENDING)


def _listed(given: object) -> ListedExchange:
    stated = _instance(ListedExchange, given)
    return ListedExchange(
        command=_text(stated.command),
        outcome=_exactly(Outcome, stated.outcome),
        amount=_optional(_amount, stated.amount),
        exchange=_optional(_text, stated.exchange),
        at=_optional(_moment, stated.at),
        operation=_optional(_text, stated.operation),
    )


def _instance(kind: type[T], value: object) -> T:
    if isinstance(value, kind):
        return value
    raise ValueError


def _exactly(kind: type[T], value: object) -> T:
    if type(value) is kind:
        return value
    raise ValueError


def _optional(read: Callable[[object], T], value: object) -> T | None:
    return None if value is None else read(value)


def _text(value: object) -> str:
    if (
        type(value) is str  # plain, as nearly always
        and len(value) <= _LONGEST
        and value.isascii()
        and value.isprintable()
    ):
        return value
    if isinstance(value, str):
        plain = str.__str__(
            value
        )  # of a subclass too: what it holds, not what it shows
        if not plain or _TEXT.fullmatch(plain):
            return plain
    raise ValueError


def _name(value: object) -> str:
    if text := _text(value):
        return text
    raise ValueError


def _amount(value: object) -> int:
    if is_amount(value) and value >= 0:
        return value
    raise ValueError


def _moment(value: object) -> datetime:
    moment = _exactly(datetime, value)
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError
    return moment.astimezone(UTC)


def _mapping(read: Callable[[object], T], value: object) -> dict[str, T]:
    if type(value) is dict and not value:  # as nearly always
        return {}
    items = _instance(cast("type[Mapping[object, object]]", Mapping), value).items()
    return {_name(name): read(held) for name, held in items}
