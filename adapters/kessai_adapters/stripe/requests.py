"""What each command is at Stripe, and what of it goes on the wire."""

from collections.abc import Mapping

from kessai.errors import InvalidInput
from kessai.gateway import Call, Request
from kessai_adapters.carried import check_carried, wrong
from kessai_adapters.stripe.amounts import to_stripe
from kessai_adapters.stripe.wire import Api

INTENT = "payment_intent"
CHARGE = "charge"
CUSTOMER = "customer"
METHOD = "payment_method"
SETUP = "setup_intent"
"""The names of Stripe's ids in a transaction's references."""

TRANSACTION = "kessai_transaction"
OPERATION = "kessai_operation"
"""Our ids in the metadata of Stripe's objects: never anything about a person."""

CAPTURES = ("capture", "capture_part")
CAPTURED = "kessai_{command}_{number}"
"""Where the metadata of an intent say of each capture how much, and which operation."""

PAID_IN = "kessai_paid_in"
BROWSER = "browser"
"""In the metadata of an intent that the consumer confirms by Stripe's script."""

CANCEL_REASONS = frozenset(
    {"abandoned", "duplicate", "fraudulent", "requested_by_customer"}
)
REFUND_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
"""What Stripe takes. `fraudulent` of a refund also blocks the card and the e-mail."""


_SHOWN = (METHOD, "return_url", "description")
_PARAMETERS: Mapping[str, frozenset[str]] = {
    "authorize": frozenset(
        {*_SHOWN, CUSTOMER, "with_capture", "several_captures", "save_payment_method"}
    ),
    "capture": frozenset(),
    "capture_part": frozenset(),
    "cancel": frozenset({"reason"}),
    "refund": frozenset({"reason"}),
    "set_up": frozenset({*_SHOWN, CUSTOMER}),
    "terminate": frozenset(),
}
"""What each command can carry."""


def request_of(api: Api, call: Call) -> Request:
    """The request that carries out `call`.

    Raises:
        InvalidInput: there is no such command, or Stripe cannot be asked for it.

    """
    check_carried(call, _PARAMETERS, "Stripe")
    if call.resumed is not None:
        raise wrong(call, "nothing that a consumer brings back is sent on")
    return _MAKERS[call.command](api, call)


def _authorize(api: Api, call: Call) -> Request:
    """Create an intent, and confirm it if it is known what to pay with.

    Under an agreement the payment method is that one's, and the customer is away.
    """
    given = call.parameters
    method, customer = _text(call, METHOD), _text(call, CUSTOMER)
    if call.agreement is not None:
        method, customer = _of_agreement(call, METHOD), _of_agreement(call, CUSTOMER)
    saves = given.get("save_payment_method")
    several = {"request_multicapture": "if_available"}
    return api.post(
        "payment_intents",
        call,
        amount=_amount(call),
        currency=call.currency.lower(),
        capture_method="automatic" if given.get("with_capture") else "manual",
        payment_method_options={"card": several if _several(call) else {}},
        setup_future_usage="off_session" if saves else None,
        off_session=True if call.agreement is not None else None,
        **_with_a_card(call, method, customer),
        expand=("latest_charge",),
    )


def _several(call: Call) -> bool:
    return call.parameters.get("several_captures") is True


def _of_agreement(call: Call, name: str) -> str:
    known = call.agreement_references.get(name)
    if known is None:
        raise wrong(call, f"the {name} of its agreement is not known")
    return known


def _with_a_card(
    call: Call, method: str | None, customer: str | None
) -> dict[str, object]:
    """What an intent of either kind has in common.

    Without a payment method, Stripe's script confirms it in the consumer's browser, with
    the secret that is disclosed; it names the page to return to itself.
    """
    return_url = _text(call, "return_url")
    return {
        "payment_method_types": ("card",),
        METHOD: method,
        CUSTOMER: customer,
        "confirm": True if method else None,
        "return_url": return_url if method else None,
        "description": _text(call, "description"),
        "metadata": {
            **_ours(call),
            PAID_IN: None if method else BROWSER,
        },
    }


def _ours(call: Call) -> dict[str, str]:
    return {TRANSACTION: call.transaction, OPERATION: call.operation}


def _set_up(api: Api, call: Call) -> Request:
    """Create a setup intent, by which a card is saved to be charged later."""
    shared = _with_a_card(call, _text(call, METHOD), _text(call, CUSTOMER))
    return api.post("setup_intents", call, usage="off_session", **shared)


def _terminate(api: Api, call: Call) -> Request:
    """Detach the payment method: Stripe charges nothing to it any more."""
    method = call.references.get(METHOD)
    if method is None:
        raise wrong(call, "Stripe's id of the payment method is not known")
    return api.post(f"payment_methods/{method}/detach", call)


def captured_as(call: Call) -> str:
    """The name under which an intent's metadata have a capture."""
    number = call.operation.rpartition(".")[2]
    return CAPTURED.format(command=call.command, number=number)


def _capture(api: Api, call: Call) -> Request:
    """Capture; unless it is a part, what is left is released."""
    amount = _amount(call)
    return api.post(
        f"payment_intents/{_intent(call)}/capture",
        call,
        amount_to_capture=amount,
        final_capture=False if call.command == "capture_part" else None,
        metadata={captured_as(call): f"{amount} {call.operation}"},
        expand=("latest_charge",),
    )


def _cancel(api: Api, call: Call) -> Request:
    return api.post(
        f"payment_intents/{_intent(call)}/cancel",
        call,
        cancellation_reason=_reason(call, CANCEL_REASONS),
        expand=("latest_charge",),
    )


def _refund(api: Api, call: Call) -> Request:
    return api.post(
        "refunds",
        call,
        payment_intent=_intent(call),
        amount=None if call.amount is None else _amount(call),
        reason=_reason(call, REFUND_REASONS),
        metadata=_ours(call),
    )


_MAKERS = {
    "authorize": _authorize,
    "capture": _capture,
    "capture_part": _capture,
    "cancel": _cancel,
    "refund": _refund,
    "set_up": _set_up,
    "terminate": _terminate,
}


def _intent(call: Call) -> str:
    if INTENT in call.references:
        return call.references[INTENT]
    raise wrong(call, "Stripe's id of the payment is not known")


def _amount(call: Call) -> int:
    if type(call.amount) is not int or call.amount < 0:
        raise wrong(call, "the amount must be an integer, not below 0")
    try:
        return to_stripe(call.amount, call.currency)
    except InvalidInput as mistake:
        raise wrong(call, str(mistake)) from None


def _text(call: Call, parameter: str) -> str | None:
    value = call.parameters.get(parameter)
    if value is None or isinstance(value, str):
        return value
    raise wrong(call, f"parameter {parameter}: must be text")


def _reason(call: Call, known: frozenset[str]) -> str | None:
    reason = _text(call, "reason")
    if reason is None or reason in known:
        return reason
    raise wrong(call, f"parameter reason: must be one of {', '.join(sorted(known))}")
