"""What replies to commands are evidence of, and what no reply is evidence of.

Total over every reply: what cannot be understood is UNKNOWN, never an error. Messages for
people are dropped: they may repeat what a buyer typed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from kessai.gateway import (
    ID_NOT_KNOWN,
    Call,
    Evidence,
    Failure,
    Outcome,
    Reply,
)
from kessai_adapters.amazon_pay.values import (
    read_code,
    read_price,
    read_time,
    reason_of,
    state_of,
)
from kessai_adapters.stated import Members, inner, members_of, says

REST = timedelta(minutes=1)
"""How long a throttled merchant leaves Amazon alone: no document says how long."""

TOO_MANY = 429

NOT_CARRIED_OUT = frozenset(
    {
        *("CurrencyMismatch", "InvalidAPIVersion", "InvalidHeaderValue"),
        *("InvalidParameterCombination", "InvalidParameterValue", "InvalidRequest"),
        *("InvalidRequestFormat", "InvalidSandboxSimulationSpecified"),
        *("MissingHeader", "MissingHeaderValue", "MissingParameterValue"),
        *("UnauthorizedAccess", "UnrecognizedField"),
    }
)
"""Codes of a request that was not carried out. `DuplicateIdempotencyKey` is none: an
earlier one under the key may have been."""

NOT_AS_IT_STANDS = frozenset(
    {
        *("AmountMismatch", "InvalidChargePermissionStatus", "InvalidChargeStatus"),
        *("InvalidCheckoutSessionStatus", "CheckoutSessionCanceled"),
        *("ResourceNotFound", "TransactionAmountExceeded"),
    }
)
"""Codes of a request that was not carried out because of what there is, or was before: an
inquiry shows it."""

_OPENED = {
    "AuthorizationInitiated": Outcome.PENDING,
    "Authorized": Outcome.SUCCEEDED,
    "CaptureInitiated": Outcome.SUCCEEDED,
    "Captured": Outcome.SUCCEEDED,
    "Declined": Outcome.DECLINED,
}
_REFUSED = range(400, 500)
_NOT_FOUND = 404
_CAPTURED_LATE = timedelta(days=7)


def unclear(call: Call, reply: Reply | Failure, **more: Any) -> Evidence:
    """No evidence either way; only an inquiry, or the same request again, resolves it."""
    if isinstance(reply, Failure):
        return says(call, Outcome.UNKNOWN, code="NoReply", **more)
    rest = rests_until(reply)
    return says(call, Outcome.UNKNOWN, code=code_of(reply), not_before=rest, **more)


def unanswered(call: Call, reply: Reply | Failure) -> Evidence:
    """No answer to the first request of an inquiry."""
    if not isinstance(reply, Failure) and reply.status == _NOT_FOUND:
        return says(call, Outcome.UNKNOWN, code=ID_NOT_KNOWN)
    never_sent = isinstance(reply, Failure) and not reply.sent
    return unclear(call, reply, never_sent=never_sent)


def refused(call: Call, reply: Reply | Failure) -> Evidence:
    """What it means that the first reply does not state what was asked for."""
    if isinstance(reply, Failure):
        if not reply.sent and call.resumed is None:
            code = "NotConnected"
            return says(call, Outcome.DECLINED, code=code, never_sent=True)
        return unclear(call, reply)
    code = code_of(reply)
    asks = code in NOT_AS_IT_STANDS
    if reply.status in _REFUSED and (asks or code in NOT_CARRIED_OUT):
        return says(call, Outcome.DECLINED, code=code, needs_inquiry=asks)
    return unclear(call, reply)


def is_as_it_stands(reply: Reply | Failure) -> bool:
    """Whether a reply refuses a request for what there is, or was done before."""
    return (
        isinstance(reply, Reply)
        and reply.status in _REFUSED
        and code_of(reply) in NOT_AS_IT_STANDS
    )


def code_of(reply: Reply) -> str:
    """The reason code of a reply, or its status."""
    return read_code(members_of(reply.body).get("reasonCode")) or f"HTTP{reply.status}"


def rests_until(reply: Reply | Failure) -> datetime | None:
    """Until when Amazon must be left alone: after too many requests, by its own clock."""
    if isinstance(reply, Failure) or reply.status != TOO_MANY:
        return None
    for name, value in reply.headers:
        if name.lower() == "date":
            try:
                return parsedate_to_datetime(value).astimezone(UTC) + REST
            except (ValueError, OverflowError):
                return None
    return None


def of_charge(call: Call, stated: Members, references: Mapping[str, str]) -> Evidence:
    """What a charge's state says of the command that made it."""
    outcome = _OPENED.get(state_of(stated), Outcome.UNKNOWN)
    if outcome is Outcome.DECLINED and is_declined_late(stated):
        outcome = Outcome.SUCCEEDED
    moved = outcome in {Outcome.SUCCEEDED, Outcome.PENDING}
    return says(
        call,
        outcome,
        code=reason_of(stated),
        amount=read_price(stated.get("chargeAmount"), call.currency) if moved else None,
        references=references,
        deadlines=deadlines_of(stated),
    )


def is_declined_late(stated: Members) -> bool:
    """Whether a declined charge was authorized before: its capture was declined.

    An authorization is under way for a day at most, a capture only after seven.
    """
    created = read_time(stated.get("creationTimestamp"))
    changed = read_time(inner(stated, "statusDetails").get("lastUpdatedTimestamp"))
    return bool(created and changed and changed - created >= _CAPTURED_LATE)


def deadlines_of(stated: Members) -> dict[str, datetime]:
    """When an authorized charge lapses, if it states that."""
    ends = read_time(stated.get("expirationTimestamp"))
    return {"authorization": ends} if ends and state_of(stated) == "Authorized" else {}
