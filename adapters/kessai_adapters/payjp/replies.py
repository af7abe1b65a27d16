"""What a reply to a command is evidence of, and what no reply is evidence of.

Total over every reply: what cannot be understood is UNKNOWN, never an error. Texts for
people (`detail`, `message`) are dropped.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from kessai.gateway import Call, Evidence, Failure, Outcome, Reply
from kessai_adapters.payjp.requests import CUSTOMER, FLOW, METHOD, SETUP
from kessai_adapters.payjp.values import (
    OPERATION,
    ORDER,
    metadata,
    read_amount,
    read_code,
    read_identifier,
    read_time,
    status_of,
)
from kessai_adapters.stated import Members, members_of, says

WAITING = frozenset({"requires_payment_method", "requires_confirmation"})
"""The statuses of a flow that was not confirmed, or failed and may be paid again."""

REFUND_OUTCOMES = MappingProxyType(
    {
        "succeeded": Outcome.SUCCEEDED,
        "pending": Outcome.PENDING,
        "requires_action": Outcome.PENDING,
        "failed": Outcome.DECLINED,
        "canceled": Outcome.DECLINED,
    }
)

_OK = 200
_DECLINES = frozenset({402, 404, 422})
_NOTHING_DONE = MappingProxyType(
    {
        400: frozenset(
            {
                "payment_flow_expired",
                "refund_exceeds_payment",
                "invalid_idempotency_key",
            }
        ),
        429: frozenset({"over_capacity"}),
    }
)
"""The problems by which nothing was done, though their status alone does not say so."""


def unknown(call: Call, code: str = "", **more: Any) -> Evidence:
    """Evidence that shows nothing; the gateway is asked next."""
    return says(call, Outcome.UNKNOWN, code=code, needs_inquiry=True, **more)


def read_object(reply: Reply | Failure, kind: str, *, live: bool) -> Members | None:
    """The object of `kind` that a reply holds, of this mode; None for all else."""
    if isinstance(reply, Failure) or reply.status != _OK:
        return None
    stated = members_of(reply.body)
    is_ours = stated.get("object") == kind and stated.get("livemode") is live
    return stated if is_ours and read_identifier(stated, "id") else None


def no_object(call: Call, reply: Reply | Failure) -> Evidence:
    """What a reply is evidence of that holds no object of ours."""
    if isinstance(reply, Failure):
        never_sent = not reply.sent
        if never_sent and call.resumed is None:
            return says(call, Outcome.DECLINED, never_sent=True)
        return says(call, Outcome.UNKNOWN)
    code = _problem(reply)
    nothing_done = code in _NOTHING_DONE.get(reply.status, ())
    if code and (reply.status in _DECLINES or nothing_done):
        return says(call, Outcome.DECLINED, code=code)
    return unknown(call, code)


def _problem(reply: Reply) -> str:
    """The code of a problem (RFC 9457); empty if the reply is none.

    A declined payment gives the issuer's own code, where there is one. The pages tell
    problems apart by their titles, so a title that has no code stands for it.
    """
    stated = members_of(reply.body)
    title = stated.get("title")
    if stated.get("status") != reply.status or not isinstance(title, str):
        return ""
    errors = stated.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    reason = read_code(first.get("code")) if isinstance(first, dict) else ""
    code = read_code(stated.get("code")) or read_code(title.lower().replace(" ", "_"))
    return reason or code


def is_made_by(call: Call, stated: Members) -> bool:
    """Whether an object was made by the operation of `call`."""
    return is_of(call, stated) and metadata(stated, OPERATION) == call.operation


def is_of(call: Call, stated: Members) -> bool:
    """Whether an object is of the transaction of `call`.

    One that began elsewhere names none: it is known by the gateway's id of it.
    """
    named = metadata(stated, ORDER)
    known = call.references.get(read_code(stated.get("object")))
    is_known = known is not None and stated.get("id") == known
    return named == call.transaction or (named is None and is_known)


def error_code(stated: Members) -> str:
    """Why the last try to pay a flow failed; empty if none did."""
    error = stated.get("last_payment_error")
    if not isinstance(error, Mapping):
        return ""
    return read_code(error.get("code")) or "payment_failed"


def deadlines(stated: Members) -> Mapping[str, datetime]:
    """Until when what is held can be captured, if the flow says so."""
    until = read_time(stated, "expired_at")
    if status_of(stated) != "requires_capture" or until is None:
        return {}
    return {"authorization": until}


def page(stated: Members) -> Mapping[str, Any]:
    """What the consumer needs to go on: the secret for the shop's page, or the action."""
    if status_of(stated) == "requires_action":
        return {"next_action": stated.get("next_action")}
    return {"client_secret": stated.get("client_secret")}


def opened(call: Call, stated: Members, *, confirmed: bool) -> Evidence:
    """What a flow says of the command that opened it.

    A debit card may be charged at once although it was only to be authorized: the
    inquiry lists both.
    """
    references = {FLOW: read_identifier(stated, "id") or ""}
    status = status_of(stated)
    held = "succeeded" if call.parameters.get("with_capture") else "requires_capture"
    failure = error_code(stated)
    amount = read_amount(stated, "amount")
    if status == held and amount is not None:
        return says(
            call,
            Outcome.SUCCEEDED,
            amount=amount,
            exchange=references[FLOW],
            references=references,
            deadlines=deadlines(stated),
        )
    if status in WAITING and confirmed and failure:
        return says(call, Outcome.DECLINED, code=failure, references=references)
    waits = status in {"requires_action", "processing"}
    if waits or (status in WAITING and not confirmed):
        shown = {} if status == "processing" else page(stated)
        return says(call, Outcome.PENDING, references=references, disclosed=shown)
    return unknown(call, references=references)


def captured(call: Call, stated: Members) -> Evidence:
    """What a flow says of its capture."""
    amount = read_amount(stated, "amount_received")
    if status_of(stated) == "succeeded" and amount:
        return says(call, Outcome.SUCCEEDED, amount=amount)
    if status_of(stated) == "processing":
        return says(call, Outcome.PENDING)
    return unknown(call)


def cancelled(call: Call, stated: Members) -> Evidence:
    """What a flow says of its cancellation."""
    reason = stated.get("cancellation_reason")
    if status_of(stated) == "canceled" and reason != "expired":
        return says(call, Outcome.SUCCEEDED)
    return unknown(call)


def refunded(call: Call, stated: Members) -> Evidence:
    """What a refund says of itself."""
    status = status_of(stated)
    outcome = REFUND_OUTCOMES.get(status)
    amount = read_amount(stated, "amount")
    if outcome is None or amount is None:
        return unknown(call)
    code = status if outcome is Outcome.DECLINED else ""
    exchange = read_identifier(stated, "id")
    return says(call, outcome, code=code, amount=amount, exchange=exchange)


def set_up(call: Call, stated: Members) -> Evidence:
    """What a setup flow says of the command that made it."""
    references = setup_references(stated)
    status = status_of(stated)
    if status == "succeeded" and METHOD in references:
        return says(call, Outcome.SUCCEEDED, references=references)
    if status in WAITING | {"requires_action", "processing"}:
        return says(
            call, Outcome.PENDING, references=references, disclosed=page(stated)
        )
    return unknown(call, references=references)


def setup_references(stated: Members) -> dict[str, str]:
    """The ids that a setup flow has: its own, its customer's, what was saved."""
    method = read_identifier(stated, "payment_method_id")
    saved = method if status_of(stated) == "succeeded" else None
    found = {
        SETUP: read_identifier(stated, "id"),
        CUSTOMER: read_identifier(stated, "customer_id"),
        METHOD: saved,
    }
    return {name: value for name, value in found.items() if value}


def terminated(call: Call, stated: Members) -> Evidence:
    """What a payment method says of its detachment."""
    if is_detached(stated):
        return says(call, Outcome.SUCCEEDED)
    return unknown(call)


def is_detached(stated: Members) -> bool:
    """Whether a payment method is no customer's any more."""
    return "customer_id" in stated and stated["customer_id"] is None
