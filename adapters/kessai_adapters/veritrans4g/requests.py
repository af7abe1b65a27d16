"""Which members a command sends, and where each gets its value.

Two tables, as the gateway's documents have them: the members of each command, and the
form of each member. What may be asked for, and when, is the lifecycle's affair.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from kessai.gateway import INQUIRY, Call
from kessai_adapters.carried import check_carried, wrong
from kessai_adapters.veritrans4g.values import AMOUNT_LIMIT

_SERVICE = "amazonpay"
_CURRENCY = "JPY"

NOTIFICATION_PARAMETERS = (
    "authorize_notification_url",
    "capture_notification_url",
    "cancel_notification_url",
)
"""The parameters that default to the adapter's own `notification_url`."""

_MEMBERS = {
    "authorize": (
        "orderId accountingType consentAuthType amount withCapture"
        " suppressShippingAddressView noteToBuyer successUrl cancelUrl errorUrl"
        " authorizePushUrl capturePushUrl cancelPushUrl frequencyUnit frequencyValue"
        " addressRestrictions payConfirmScreenType payConfirmScreenUrl extendExpiration"
    ),
    "capture": "orderId amount",
    "cancel": "orderId cancellationReason",
    "refund": "orderId amount",
    "get_address": "orderId addInfoRespFlag",
    "reauthorize": (
        "orderId originalOrderId amount withCapture noteToBuyer"
        " authorizePushUrl capturePushUrl cancelPushUrl"
    ),
    "update_authorization": "orderId amount",
    "update_consent": "orderId amount frequencyUnit frequencyValue noteToBuyer",
    "terminate": "orderId closureReason",
}


def _order_id(call: Call, _parameter: str, _value: object) -> str:
    return call.transaction


def _original_order_id(call: Call, _parameter: str, _value: object) -> str:
    if call.agreement is None:
        raise wrong(call, "needs the transaction id of its agreement (R7)")
    return call.agreement


def _amount(call: Call, _parameter: str, _value: object) -> str | None:
    if call.amount is None:
        return None
    if type(call.amount) is not int or not 0 <= call.amount < AMOUNT_LIMIT:
        raise wrong(call, "the amount must be an integer of yen, not below 0")
    if call.currency != _CURRENCY:
        # The wire names no currency: 10.00 USD would be taken for 1000 yen.
        raise wrong(call, f"the currency must be {_CURRENCY}")
    return str(call.amount)


def _is_recurring(call: Call) -> bool:
    return "consent" in call.tracks


def _accounting_type(call: Call, _parameter: str, _value: object) -> str:
    return "1" if _is_recurring(call) else "0"


def _consent_auth_type(call: Call, parameter: str, value: object) -> str | None:
    consent_only = _flag(call, parameter, value)
    if _is_recurring(call):
        return "0" if consent_only else "1"
    if consent_only:
        raise wrong(call, f"parameter {parameter}: is for recurring payments (R2)")
    return None


def _flag(call: Call, parameter: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise wrong(call, f"parameter {parameter}: must be true or false")


def _boolean(call: Call, parameter: str, value: object) -> str | None:
    flag = _flag(call, parameter, value)
    return None if flag is None else ("true" if flag else "false")


def _one_or_nothing(call: Call, parameter: str, value: object) -> str | None:
    return "1" if _flag(call, parameter, value) else None


def _text(call: Call, parameter: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise wrong(call, f"parameter {parameter}: must be text")


def _frequency(call: Call, parameter: str, value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        frequency = cast("Mapping[object, object]", value)
        unit, count = frequency.get("unit"), frequency.get("value")
        if len(frequency) == 2 and isinstance(unit, str) and type(count) is int:  # noqa: PLR2004 - unit and value, nothing else
            return unit, str(count)
    message = f"parameter {parameter}: must be a unit (text) and a value (an integer)"
    raise wrong(call, message)


def _frequency_unit(call: Call, parameter: str, value: object) -> str | None:
    frequency = _frequency(call, parameter, value)
    return frequency and frequency[0]


def _frequency_value(call: Call, parameter: str, value: object) -> str | None:
    frequency = _frequency(call, parameter, value)
    return frequency and frequency[1]


_Form = Callable[[Call, str, object], str | None]

_FORMS: dict[str, tuple[str, _Form]] = {
    "orderId": ("", _order_id),
    "originalOrderId": ("", _original_order_id),
    "amount": ("", _amount),
    "accountingType": ("", _accounting_type),
    "consentAuthType": ("consent_only", _consent_auth_type),
    "withCapture": ("with_capture", _boolean),
    "suppressShippingAddressView": ("suppress_shipping_address", _boolean),
    "noteToBuyer": ("note", _text),
    "successUrl": ("success_url", _text),
    "cancelUrl": ("cancel_url", _text),
    "errorUrl": ("error_url", _text),
    "authorizePushUrl": ("authorize_notification_url", _text),
    "capturePushUrl": ("capture_notification_url", _text),
    "cancelPushUrl": ("cancel_notification_url", _text),
    "frequencyUnit": ("frequency", _frequency_unit),
    "frequencyValue": ("frequency", _frequency_value),
    "addressRestrictions": ("address_restrictions", _text),
    "payConfirmScreenType": ("merchant_page", _one_or_nothing),
    "payConfirmScreenUrl": ("merchant_page_url", _text),
    "extendExpiration": ("extend_expiration", _boolean),
    "addInfoRespFlag": ("details", _one_or_nothing),
    "cancellationReason": ("reason", _text),
    "closureReason": ("reason", _text),
}
"""Each member's parameter (empty: it comes from the call itself) and its form."""


_SHAPES = {
    command: tuple((name, *_FORMS[name]) for name in names.split())
    for command, names in _MEMBERS.items()
}
_PARAMETERS = {
    command: frozenset(parameter for _, parameter, _ in shape if parameter)
    for command, shape in _SHAPES.items()
}


def members_of(
    call: Call, defaults: Mapping[str, str], *, dummy: bool
) -> dict[str, Any]:
    """List the members of `call`'s request, but the common and the unset ones.

    `defaults` holds parameters for where `call` has none.

    Raises:
        InvalidInput: the command, or a parameter, is nothing the gateway can be sent.

    """
    if call.command == INQUIRY:
        return _search(call, dummy=dummy)
    check_carried(call, _PARAMETERS, "VeriTrans4G")
    given = call.parameters
    members: dict[str, Any] = {}
    for name, parameter, form in _SHAPES[call.command]:
        value = given.get(parameter)
        if value is None:
            value = defaults.get(parameter)
        text = form(call, parameter, value)
        if text is not None:
            members[name] = text
    return members


def _search(call: Call, *, dummy: bool) -> dict[str, Any]:
    search: dict[str, Any] = {"containDummyFlag": "1"} if dummy else {}
    search["serviceTypeCd"] = [_SERVICE]
    search["searchParameters"] = {"common": {"orderId": call.transaction}}
    return search
