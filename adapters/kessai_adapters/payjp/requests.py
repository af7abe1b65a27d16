"""What each command sends: its path, its members, its key.

What may be asked for, and when, is the lifecycle's affair; here is only refused what the
wire has no place for.
"""

from typing import Any

import attrs

from kessai.gateway import Call, Request
from kessai_adapters.carried import as_json, wrong
from kessai_adapters.payjp.credentials import Credentials
from kessai_adapters.payjp.values import (
    CONFIRMED_BY,
    OPERATION,
    ORDER,
    SERVER,
    is_identifier,
)
from kessai_adapters.stated import Members

FLOW = "payment_flow"
SETUP = "setup_flow"
CUSTOMER = "customer"
METHOD = "payment_method"
"""The references that a transaction has at the gateway, by the wire's words for them."""

PAGE = 100
"""How much of a list is asked for; no more is given."""

LEAST, MOST = 50, 9_999_999
"""What can be paid, in yen."""

CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
REFUND_REASONS = CANCEL_REASONS[1:]
PLAIN_REASON = "requested_by_customer"

_CURRENCY = "JPY"

_OPENING = frozenset({CUSTOMER, "description"})
CARRIED = {
    "authorize": _OPENING
    | {METHOD, "return_url", "with_capture", "several_captures", "save_payment_method"},
    "capture": frozenset[str](),
    "cancel": frozenset({"reason"}),
    "refund": frozenset({"reason"}),
    "set_up": _OPENING | {METHOD, "return_url"},
    "terminate": frozenset[str](),
}
"""The parameters that each command can have; of some, only a value that says no."""


@attrs.frozen
class Sender:
    """Makes the requests of an account at `host`."""

    credentials: Credentials = attrs.field(repr=False)
    host: str

    def get(self, path: str) -> Request:
        """A request that reads."""
        return Request(method="GET", url=self._url(path), headers=self._headers())

    def post(self, call: Call, path: str, members: Members, step: str = "") -> Request:
        """A request that moves something: it has the key of its `step`."""
        key = ("Idempotency-Key", call.key(step))
        return Request(
            method="POST",
            url=self._url(path),
            headers=(*self._headers(), ("Content-Type", "application/json"), key),
            body=as_json(members),
        )

    def _url(self, path: str) -> str:
        return f"{self.host}/v2/{path}"

    def _headers(self) -> tuple[tuple[str, str], ...]:
        bearer = f"Bearer {self.credentials.secret_key}"
        return (("Authorization", bearer), ("Accept", "application/json"))


def is_of_agreement(call: Call) -> bool:
    """Whether it opens a charge of a saved payment method."""
    return call.agreement is not None


def is_confirmed_here(call: Call) -> bool:
    """Whether this server confirms the payment, and not the consumer's page."""
    return is_of_agreement(call) or call.parameters.get("payment_method") is not None


def create_flow(call: Call) -> Members:
    """`POST /payment_flows`, without confirming it."""
    for name in ("several_captures", "save_payment_method"):
        if call.parameters.get(name):
            raise wrong(call, f"parameter {name}: PAY.JP has no such thing")
    here = is_confirmed_here(call)
    if not here and call.parameters.get("return_url") is not None:
        message = "parameter return_url: only with payment_method; else the page has it"
        raise wrong(call, message)
    members: dict[str, Any] = {
        "amount": amount(call, LEAST),
        "currency": "jpy",
        "capture_method": "automatic" if _flag(call, "with_capture") else "manual",
        "metadata": _metadata(call) | ({CONFIRMED_BY: SERVER} if here else {}),
    }
    if here:
        _ = _method(call)
        # Whoever has the secret could pay in another way what was declined here.
        members["redirect_options"] = {"include_client_secret": False}
    return {**members, **_given(customer_id=_customer(call), description=_text(call))}


def confirm_flow(call: Call) -> Members:
    """`POST /payment_flows/{id}/confirm`."""
    return_url = call.parameters.get("return_url")
    return {"payment_method_id": _method(call), **_given(return_url=return_url)}


def capture(call: Call) -> Members:
    """`POST /payment_flows/{id}/capture`."""
    return {"amount_to_capture": amount(call, LEAST)}


def cancel(call: Call) -> Members:
    """`POST /payment_flows/{id}/cancel`; the gateway has four reasons."""
    return {"cancellation_reason": _reason(call, CANCEL_REASONS) or PLAIN_REASON}


def refund(call: Call) -> Members:
    """`POST /payment_refunds`; the gateway has three reasons."""
    return {
        "payment_flow_id": known(call, FLOW),
        "amount": amount(call, 1),
        "metadata": _metadata(call),
        **_given(reason=_reason(call, REFUND_REASONS)),
    }


def create_setup(call: Call) -> Members:
    """`POST /setup_flows`: what is saved may be charged while the customer is away."""
    for name in ("payment_method", "return_url"):
        if call.parameters.get(name) is not None:
            raise wrong(call, f"parameter {name}: a setup flow of PAY.JP takes none")
    customer = _customer(call)
    if customer is None:
        raise wrong(call, "parameter customer: is missing")
    return {
        "customer_id": customer,
        "usage": "off_session",
        "metadata": _metadata(call),
        **_given(description=_text(call)),
    }


def known(call: Call, reference: str) -> str:
    """The gateway's id that the call is about.

    Raises:
        InvalidInput: it is not known, so there is nothing to be asked.

    """
    value = call.references.get(reference)
    if value is None or not is_identifier(value):
        raise wrong(call, f"the gateway's id of the {reference} is not known")
    return value


def amount(call: Call, least: int) -> int:
    """The amount in yen, which the gateway takes.

    Raises:
        InvalidInput: it does not, or the currency is another one.

    """
    if call.currency != _CURRENCY:
        raise wrong(call, f"the currency must be {_CURRENCY}")
    if type(call.amount) is not int or not least <= call.amount <= MOST:
        raise wrong(call, f"the amount must be from {least} to {MOST} yen at PAY.JP")
    return call.amount


def _metadata(call: Call) -> dict[str, str]:
    return {OPERATION: call.operation, ORDER: call.transaction}


def _given(**members: Any) -> Members:
    return {name: value for name, value in members.items() if value is not None}


def _customer(call: Call) -> str | None:
    if is_of_agreement(call):
        return _of_agreement(call, CUSTOMER)
    return _id(call, "customer")


def _method(call: Call) -> str:
    if is_of_agreement(call):
        return _of_agreement(call, METHOD)
    method = _id(call, "payment_method")
    if method is None or _customer(call) is None:
        message = "parameter payment_method: only with the customer who owns it"
        raise wrong(call, message)
    return method


def _of_agreement(call: Call, reference: str) -> str:
    value = call.agreement_references.get(reference)
    if value is None or not is_identifier(value):
        raise wrong(call, f"the {reference} of its agreement is not known")
    return value


def _id(call: Call, parameter: str) -> str | None:
    value = call.parameters.get(parameter)
    if value is None or is_identifier(value):
        return value
    raise wrong(call, f"parameter {parameter}: is no id of PAY.JP's")


def _text(call: Call) -> str | None:
    value = call.parameters.get("description")
    if value is None or isinstance(value, str):
        return value
    raise wrong(call, "parameter description: must be text")


def _flag(call: Call, parameter: str) -> bool:
    value = call.parameters.get(parameter)
    if isinstance(value, bool | None):
        return value is True
    raise wrong(call, f"parameter {parameter}: must be true or false")


def _reason(call: Call, words: tuple[str, ...]) -> str | None:
    value = call.parameters.get("reason")
    if value is None or value in words:
        return value
    raise wrong(call, f"parameter reason: must be one of {', '.join(words)}")
