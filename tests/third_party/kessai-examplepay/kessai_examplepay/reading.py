"""What ExamplePay states, as evidence; what cannot be relied on is unknown."""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from kessai.errors import NotificationRefused
from kessai.gateway import (
    Call,
    Evidence,
    Failure,
    ListedExchange,
    NotificationPartlyRefused,
    Outcome,
    Reply,
    Source,
)

HEADER = "x-examplepay-signature"

_OUTCOMES = {
    "succeeded": Outcome.SUCCEEDED,
    "declined": Outcome.DECLINED,
    "pending": Outcome.PENDING,
}
_STATUSES = {
    200: {Outcome.SUCCEEDED},
    201: {Outcome.SUCCEEDED},
    202: {Outcome.PENDING},
    402: {Outcome.DECLINED},
}
_OPERATIONS = frozenset({"authorize", "capture", "cancel", "refund", "expire"})
_CODE = re.compile(r"[a-z_]{1,40}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_MOST = 2**53


class _UnreadableError(Exception):
    """It cannot be relied on."""


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Make sure that ExamplePay signed `body`.

    Raises:
        NotificationRefused: it did not.

    """
    given = [value for name, value in headers.items() if name.lower() == HEADER]
    proof = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), proof.encode()):
        message = f"notification refused: {HEADER} does not match its body"
        raise NotificationRefused(message)


def answered(call: Call, reply: Reply | Failure) -> Evidence:
    """What a reply to a command is evidence of."""
    unknown = Evidence(
        source=Source.REPLY,
        transaction=call.transaction,
        command=call.command,
        outcome=Outcome.UNKNOWN,
    )
    if isinstance(reply, Failure):
        if reply.sent:
            return attrs.evolve(unknown, code="no_reply")
        return attrs.evolve(
            unknown, outcome=Outcome.DECLINED, code="not_sent", never_sent=True
        )
    try:
        event = _object(reply.body)
        stated = _event(event)
    except _UnreadableError:
        return attrs.evolve(unknown, code="unreadable")
    ours = (event.get("order"), stated.command) == (call.transaction, call.command)
    if not ours or stated.outcome not in _STATUSES.get(reply.status, ()):
        return attrs.evolve(unknown, code="unreadable")
    return attrs.evolve(
        unknown,
        outcome=stated.outcome,
        code=_code(event),
        amount=stated.amount,
        exchange=stated.exchange,
        reported_at=stated.at,
    )


def inquired(call: Call, reply: Reply | Failure) -> Evidence:
    """What ExamplePay lists of an order, or that it knows none."""
    unknown = Evidence(
        source=Source.INQUIRY,
        transaction=call.transaction,
        command=None,
        outcome=Outcome.UNKNOWN,
    )
    if isinstance(reply, Failure):
        return attrs.evolve(unknown, code="no_reply", never_sent=not reply.sent)
    try:
        listed = _object(reply.body)
        if listed.get("order") != call.transaction:
            raise _UnreadableError
        if (reply.status, listed.get("code")) == (404, "order_not_found"):
            return attrs.evolve(unknown, outcome=Outcome.SUCCEEDED, found=False)
        events = listed.get("events")
        if reply.status != 200 or not isinstance(events, list):
            raise _UnreadableError
        listing = tuple(_event(_checked(event)) for event in events)
    except _UnreadableError:
        return attrs.evolve(unknown, code="unreadable")
    return attrs.evolve(unknown, outcome=Outcome.SUCCEEDED, listing=listing)


def notified(body: bytes) -> tuple[Evidence, ...]:
    """What a verified notification states.

    Raises:
        NotificationRefused: it is not well-formed.
        NotificationPartlyRefused: some of its events are not; it holds the others.

    """
    message = "notification refused: it has no list of events"
    try:
        events = _object(body).get("events")
    except _UnreadableError:
        raise NotificationRefused(message) from None
    if not isinstance(events, list) or not events:
        raise NotificationRefused(message)
    readable = [
        stated for event in events if (stated := _notification_event(event)) is not None
    ]
    if len(readable) < len(events):
        message = (
            f"notification refused: {len(events) - len(readable)} events are unreadable"
        )
        raise NotificationPartlyRefused(message, tuple(readable))
    return tuple(readable)


def _notification_event(event: object) -> Evidence | None:
    try:
        members = _checked(event)
        stated = _event(members)
    except _UnreadableError:
        return None
    order = members.get("order")
    if not isinstance(order, str) or not re.fullmatch(r"[ -~]{1,255}", order):
        return None
    return Evidence(
        source=Source.NOTIFICATION,
        transaction=order,
        command=stated.command,
        outcome=stated.outcome,
        code=_code(members),
        amount=stated.amount,
        exchange=stated.exchange,
        reported_at=stated.at,
    )


def _event(event: Mapping[str, Any]) -> ListedExchange:
    operation, status = event.get("operation"), event.get("status")
    if not isinstance(operation, str) or operation not in _OPERATIONS:
        raise _UnreadableError
    if not isinstance(status, str) or status not in _OUTCOMES:
        raise _UnreadableError
    return ListedExchange(
        command=operation,
        outcome=_OUTCOMES[status],
        amount=_amount(event.get("amount")),
        exchange=_matching(event.get("id"), _ID),
        at=_time(event.get("at")),
    )


def _amount(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < _MOST:
        raise _UnreadableError
    return value


def _code(event: Mapping[str, Any]) -> str:
    return _matching(event.get("code"), _CODE) or ""


def _matching(value: object, pattern: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        return _checked(json.loads(body, object_pairs_hook=_unique))
    except (ValueError, RecursionError):
        raise _UnreadableError from None


def _checked(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _UnreadableError
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member is there twice"
        raise ValueError(message)
    return members
