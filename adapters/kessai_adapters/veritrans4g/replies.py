"""What a reply to a command is evidence of, and what no reply is evidence of.

Total over every reply: what cannot be understood is UNKNOWN, never an error. Texts for
people (`merrMsg`) are dropped: they may repeat what a consumer typed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from kessai.gateway import Call, Evidence, Failure, Outcome, Reply, Source
from kessai_adapters.veritrans4g.values import (
    read_amount,
    read_code,
    read_compact_time,
    read_identifier,
    read_outcome,
)
from kessai_adapters.veritrans4g.wire import read_result

NEVER_SENT = "MF02"
BROKEN_OFF = "MF03"
UNREADABLE = "MF99"
_STATUS_CODES = {500: "MF05", 502: "MF06", 503: "MF07"}
_OK = 200

_NOT_IN_THIS_STATE = "NH02"

_ADDRESS = MappingProxyType(
    {
        "shippingName": "shipping_name",
        "shippingPhone": "shipping_phone",
        "shippingPostalCode": "shipping_postal_code",
        "shippingPrefecture": "shipping_prefecture",
        "shippingAddress1": "shipping_address1",
        "shippingAddress2": "shipping_address2",
        "shippingAddress3": "shipping_address3",
        "buyerId": "buyer_id",
        "buyerName": "buyer_name",
        "buyerEmail": "buyer_email",
        "buyerPhoneNumber": "buyer_phone_number",
        "paymentPreferences": "payment_preferences",
        "billingPostalCode": "billing_postal_code",
        "billingPrefecture": "billing_prefecture",
        "billingAddress1": "billing_address1",
        "billingAddress2": "billing_address2",
        "billingAddress3": "billing_address3",
    }
)


def answer(call: Call, reply: Reply | Failure) -> Evidence:
    """What came of `call`, a command of the engine.

    Authorize is PENDING even when it succeeds: the gateway took the opening command,
    and only a notification or an inquiry shows that the consumer approved (O1).
    """
    if isinstance(reply, Failure):
        return _without_reply(call, reply)
    if reply.status != _OK:
        return unknown(call, status_code(reply))
    result = read_result(reply.body)
    if result is None or result.get("orderId", call.transaction) != call.transaction:
        # The result of another transaction is no evidence about this one.
        return unknown(call, UNREADABLE)
    return _reported(call, result)


def status_code(reply: Reply) -> str:
    """Find the vendor's code for an HTTP status other than 200."""
    return _STATUS_CODES.get(reply.status, UNREADABLE)


def unknown(call: Call, code: str) -> Evidence:
    """No evidence either way; only an inquiry resolves it."""
    return Evidence(
        source=Source.REPLY,
        transaction=call.transaction,
        command=call.command,
        outcome=Outcome.UNKNOWN,
        code=code,
    )


def _without_reply(call: Call, failure: Failure) -> Evidence:
    if failure.sent:
        return unknown(call, BROKEN_OFF)
    return attrs.evolve(
        unknown(call, NEVER_SENT), outcome=Outcome.DECLINED, never_sent=True
    )


def _reported(call: Call, result: Mapping[str, Any]) -> Evidence:
    code = read_code(result.get("vResultCode"))
    outcome = read_outcome(result.get("mstatus"))
    needs_inquiry = False
    if outcome is Outcome.SUCCEEDED and call.command == "authorize":
        outcome = Outcome.PENDING
    elif may_be_done(call.command, outcome, code):
        outcome, needs_inquiry = Outcome.UNKNOWN, True
    elif outcome is Outcome.UNKNOWN:
        code = code or UNREADABLE
    return Evidence(
        source=Source.REPLY,
        transaction=call.transaction,
        command=call.command,
        outcome=outcome,
        code=code,
        exchange=read_identifier(result.get("custTxn")),
        reported_at=read_compact_time(result.get("centerResponseDatetime")),
        needs_inquiry=needs_inquiry,
        disclosed=_disclosed(call, result),
    )


def may_be_done(command: str, outcome: Outcome, code: str) -> bool:
    """Whether a failure may be the echo of an earlier success.

    A second capture is answered "not possible in this state", too, if the reply to the
    first was lost. An address is only read: there is nothing to be done already.
    """
    return (
        outcome is Outcome.DECLINED
        and code.startswith(_NOT_IN_THIS_STATE)
        and command != "get_address"
    )


def _disclosed(call: Call, result: Mapping[str, Any]) -> dict[str, Any]:
    disclose = _DISCLOSED.get(call.command)
    return disclose(result) if disclose else {}


def _texts(result: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        ours: _printable(result[theirs])
        for theirs, ours in names.items()
        if isinstance(result.get(theirs), str)
    }


def _printable(text: str) -> str:
    # Half a surrogate pair passes through JSON and breaks whatever prints it later.
    return text.encode("utf-8", "replace").decode()


def _page(result: Mapping[str, Any]) -> dict[str, Any]:
    return _texts(result, {"responseContents": "page"})


def _refundable(result: Mapping[str, Any]) -> dict[str, Any]:
    refundable = read_amount(result.get("refundableAmount"))
    return {} if refundable is None else {"refundable": refundable}


def _redirect(result: Mapping[str, Any]) -> dict[str, Any]:
    return _texts(result, {"payRedirectUrl": "redirect_url"})


def _address(result: Mapping[str, Any]) -> dict[str, Any]:
    disclosed = _texts(
        result,
        {"payRedirectUrl": "redirect_url", "checkoutSessionId": "checkout_session"},
    )
    address = _texts(result, _ADDRESS)
    return {**disclosed, "address": address} if address else disclosed


_DISCLOSED = MappingProxyType(
    {
        "authorize": _page,
        "refund": _refundable,
        "update_authorization": _redirect,
        "get_address": _address,
    }
)
