"""Webhooks: who signed one, and what it is about.

An event shows its object as it was then, and events come in no promised order: so none
is believed, and each is a reason for an inquiry. The signature is checked over the raw
bytes before one of them is interpreted.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Never

from kessai.errors import NotificationRefused
from kessai.gateway import (
    Evidence,
    Failure,
    Mention,
    Notification,
    Outcome,
    Reception,
    Source,
)
from kessai_adapters.stated import Members, inner, members_of
from kessai_adapters.stripe.requests import INTENT, METHOD, SETUP, TRANSACTION
from kessai_adapters.stripe.wire import Api, read_code, read_id

TOLERANCE = timedelta(minutes=5)
"""By how much the time of a signature may differ from that of receipt, either way."""

BODY_LIMIT = 1024 * 1024
"""The longest webhook that is read, in bytes."""

_HEADER = "stripe-signature"
_TIME = re.compile(r"[0-9]{1,12}")
_ABOUT = (
    *("payment_intent.", "setup_intent.", "charge.", "refund."),
    "payment_method.detached",
)
_REFERENCES = frozenset({INTENT, SETUP, METHOD})
_OK, _NOT_FOUND = 200, 404


def _refuse(why: str) -> Never:
    message = f"notification refused: {why}"
    raise NotificationRefused(message)


def verify(
    secrets: tuple[str, ...], headers: Mapping[str, str], body: bytes, at: datetime
) -> None:
    """Make sure that Stripe signed `body` under one of `secrets`, about `at`.

    Raises:
        NotificationRefused: it did not, or the body is longer than `BODY_LIMIT`.

    """
    if not secrets:
        _refuse("no webhook secret is set")
    if len(body) > BODY_LIMIT:
        _refuse(f"its body is longer than {BODY_LIMIT} bytes")
    given = [value for name, value in headers.items() if name.lower() == _HEADER]
    if len(given) != 1:
        _refuse("it must carry Stripe-Signature exactly once")
    parts = [part.strip().partition("=") for part in given[0].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        _refuse("its Stripe-Signature must have one time, in seconds")
    claimed = [value for name, _, value in parts if name == "v1"]
    if not _is_signed(secrets, times[0], body, claimed):
        _refuse("its Stripe-Signature does not match its body")
    if abs(at.timestamp() - int(times[0])) > TOLERANCE.total_seconds():
        _refuse("it was signed too long before it arrived, or after that")


def _is_signed(
    secrets: tuple[str, ...], time: str, body: bytes, claimed: list[str]
) -> bool:
    signed = time.encode() + b"." + body
    found = False
    for secret in secrets:
        right = hmac.digest(secret.encode(), signed, "sha256").hex().encode()
        for each in claimed:  # all are compared, whichever matches
            found |= hmac.compare_digest(right, each.encode())
    return found


def read(api: Api, notification: Notification) -> Reception:
    """What a verified webhook is about; nothing, if it is about no payment.

    Of an object that does not say whose it is, its intent is asked.

    Raises:
        NotificationRefused: it is malformed, or of a test where payments are live, or
            the other way round.

    """
    about = _about(api, members_of(notification.body))
    if read_code(about, "object") in _REFERENCES or _transaction(about):
        return tuple(_reasons(about))
    intent = read_id(about, INTENT)
    if not intent:
        return ()
    reply = yield api.get(f"payment_intents/{intent}")
    if isinstance(reply, Failure) or reply.status not in {_OK, _NOT_FOUND}:
        return (Mention(INTENT, intent),)
    stated = members_of(reply.body)
    return tuple(_reasons({**stated, "object": INTENT, "id": intent}))


def _about(api: Api, event: Members) -> Members:
    """The object of an event; empty if nothing depends on events of its type."""
    kind = event.get("type")
    if event.get("object") != "event" or not isinstance(kind, str):
        _refuse("it is no event of the API v1")
    if event.get("livemode") is not api.credentials.is_live:
        _refuse("it is of a test where payments are live, or the other way round")
    about = inner(inner(event, "data"), "object")
    if not kind.startswith(_ABOUT):
        return {}
    if not about:
        _refuse("it has no object")
    return about


def _reasons(about: Members) -> Iterator[Evidence | Mention]:
    """The reason to inquire about the transaction that an object is of.

    What was not made by kessai may have been imported.
    """
    kind, name = read_code(about, "object"), read_id(about)
    transaction = _transaction(about)
    if name and not transaction:
        yield Mention(kind, name, made_elsewhere=True)
    elif name:
        yield Evidence(
            source=Source.NOTIFICATION,
            transaction=transaction,
            command=None,
            outcome=Outcome.UNKNOWN,
            needs_inquiry=True,
            references={kind: name} if kind in _REFERENCES else {},
        )


def _transaction(about: Members) -> str:
    value = inner(about, "metadata").get(TRANSACTION)
    return value if isinstance(value, str) else ""
