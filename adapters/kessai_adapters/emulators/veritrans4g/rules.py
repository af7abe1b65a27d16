"""The gateway's own rules: which parameters it takes, and what an order allows.

The first half turns parameters into checked values (the Limits table); the second half
says whether a command may be carried out now (O1–O6, R1–R9). Nothing here changes an
order. Amounts are yen.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from kessai_adapters.emulators.veritrans4g.books import (
    CAPTURED_STATES,
    Order,
    Terms,
    Urls,
)
from kessai_adapters.emulators.veritrans4g.codes import BY_CONSENT, BY_PAYMENT, Code
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.words import (
    Command,
    Consent,
    Kind,
    Payment,
    Step,
)

MOST_ONE_TIME: Final = 10_000_000
"""Yen at most for a one-time payment."""

MOST_RECURRING: Final = 100_000
"""Yen at most for a recurring application, a re-authorization, a consent's terms."""

AUTHORIZATION_LASTS: Final = timedelta(days=30)
"""From the authorization or its last update (O6)."""

SESSION_LASTS: Final = timedelta(hours=24)
"""From the application: after that no consumer can finish it (Amazon Pay)."""

PENDING_LASTS: Final = SESSION_LASTS + timedelta(hours=24)
"""From the application: an authorization that was pending by then has failed."""

MOST_PER_UNIT: Final = {"Year": 1, "Month": 12, "Week": 52, "Day": 365}
"""The greatest `frequencyValue` for each `frequencyUnit`."""

MOST_TEXT: Final = 255
"""Characters at most in a note or a reason."""

MOST_URL_BYTES: Final = 256

Params = Mapping[str, str]

_ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DIGITS: Final = re.compile(r"[0-9]{1,12}")
_URL: Final = re.compile(r"https?://[\x21-\x7e]+")
_FREQUENCY: Final = ("frequencyUnit", "frequencyValue")


# ── parameters ──────────────────────────────────────────────────────────────────────


def strings(params: Mapping[str, Any]) -> Params:
    """Return the parameters of a command; each must be a string."""
    for name, value in params.items():
        if not isinstance(value, str):
            raise Refused(Code.PARAMETER_MALFORMED, name if name.isascii() else "")
    return params


def dummy_flag(params: Mapping[str, Any], *, dummy: bool) -> None:
    """Refuse `dummyRequest` if it contradicts the path's mode."""
    if params.get("dummyRequest", "1" if dummy else "0") != ("1" if dummy else "0"):
        raise Refused(Code.PARAMETER_MALFORMED, "dummyRequest")


def required(params: Params, name: str) -> str:
    """Return a parameter that must be there."""
    value = params.get(name)
    if not value:
        raise Refused(Code.PARAMETER_MISSING, name)
    return value


def choice(params: Params, name: str, choices: str, default: str) -> str:
    """Return a parameter that is one of a few words; absent, the default."""
    value = params.get(name) or default
    if value not in choices.split():
        raise Refused(Code.PARAMETER_MALFORMED, name)
    return value


def flag(params: Params, name: str) -> bool:
    """Return a parameter that is `true` or `false`; absent, false."""
    return choice(params, name, "true false", "false") == "true"


def order_id(params: Params, name: str = "orderId") -> str:
    """Return an order id: 1 to 100 of `A-Z a-z 0-9 - _`."""
    value = required(params, name)
    if not _ORDER_ID.fullmatch(value):
        raise Refused(Code.PARAMETER_MALFORMED, name)
    return value


def number(params: Params, name: str) -> int | None:
    """Return a parameter made of digits, or None."""
    value = params.get(name)
    if not value:
        return None
    if not _DIGITS.fullmatch(value):
        raise Refused(Code.PARAMETER_MALFORMED, name)
    return int(value)


def amount(params: Params, most: int = MOST_ONE_TIME) -> int | None:
    """Return `amount` in yen, 1 to `most`, or None."""
    value = number(params, "amount")
    if value is not None and not 1 <= value <= most:
        raise Refused(Code.AMOUNT_LIMIT, "amount")
    return value


def required_amount(params: Params, most: int = MOST_ONE_TIME) -> int:
    """Return `amount` in yen, 1 to `most`; it must be there."""
    required(params, "amount")
    return amount(params, most) or 0


def text(params: Params, name: str) -> str:
    """Return a note or a reason of at most 255 characters."""
    value = params.get(name, "")
    if len(value) > MOST_TEXT:
        raise Refused(Code.PARAMETER_MALFORMED, name)
    return value


def url(params: Params, name: str) -> str:
    """Return a URL of at most 256 bytes, or an empty text."""
    value = params.get(name, "")
    if value and (len(value) > MOST_URL_BYTES or not _is_url(value)):
        raise Refused(Code.PARAMETER_MALFORMED, name)
    return value


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and _URL.fullmatch(value) is not None


def frequency(params: Params) -> tuple[str, int]:
    """Return how often a consent lets the merchant charge: unit and value."""
    unit = required(params, "frequencyUnit")
    required(params, "frequencyValue")
    value = number(params, "frequencyValue")
    if unit not in MOST_PER_UNIT:
        raise Refused(Code.PARAMETER_MALFORMED, "frequencyUnit")
    if value is None or not 1 <= value <= MOST_PER_UNIT[unit]:
        raise Refused(Code.PARAMETER_MALFORMED, "frequencyValue")
    return unit, value


def notification_urls(params: Params) -> Urls:
    """Return the URLs for items."""
    return Urls(
        authorize_notification=url(params, "authorizePushUrl"),
        capture_notification=url(params, "capturePushUrl"),
        cancel_notification=url(params, "cancelPushUrl"),
    )


@attrs.frozen(kw_only=True)
class Application:
    """What an `Authorize` or a `ReAuthorize` asks for, checked."""

    order_id: str
    kind: Kind
    amount: int
    with_capture: bool
    urls: Urls
    consent_only: bool = False
    terms: Terms | None = None
    note: str = ""
    hide_address: bool = False
    original_order_id: str = ""


def _refuse_for_kind(params: Params, kind: Kind) -> None:
    forbidden = {
        Kind.ONE_TIME: ("consentAuthType", *_FREQUENCY),
        Kind.RECURRING: ("extendExpiration",),
    }
    for name in forbidden.get(kind, ()):
        if name in params:
            raise Refused(Code.PARAMETER_FORBIDDEN, name)


def _page_urls(params: Params) -> Urls:
    notifications = notification_urls(params)
    confirm = url(params, "payConfirmScreenUrl")
    if choice(params, "payConfirmScreenType", "0 1", "0") == "0":
        confirm = ""
    elif not confirm:
        raise Refused(Code.PARAMETER_MISSING, "payConfirmScreenUrl")
    return attrs.evolve(
        notifications,
        success=url(params, "successUrl"),
        cancel=url(params, "cancelUrl"),
        error=url(params, "errorUrl"),
        confirm=confirm,
    )


def _consent_only(params: Params, *, with_capture: bool) -> bool:
    alone = choice(params, "consentAuthType", "0 1", "1") == "0"
    if alone and with_capture:
        raise Refused(Code.PARAMETER_FORBIDDEN, "withCapture")
    return alone


def application(params: Params) -> Application:
    """Read an `Authorize` (O1, R1, R2)."""
    identity = order_id(params)
    recurring = choice(params, "accountingType", "0 1", "0") == "1"
    kind = Kind.RECURRING if recurring else Kind.ONE_TIME
    _refuse_for_kind(params, kind)
    flag(params, "extendExpiration")
    yen = required_amount(params, MOST_RECURRING if recurring else MOST_ONE_TIME)
    note = text(params, "noteToBuyer")
    with_capture = flag(params, "withCapture")
    terms = None
    if recurring:
        unit, value = frequency(params)
        terms = Terms(amount=yen, frequency_unit=unit, frequency_value=value, note=note)
    return Application(
        order_id=identity,
        kind=kind,
        amount=yen,
        with_capture=with_capture,
        consent_only=recurring and _consent_only(params, with_capture=with_capture),
        urls=_page_urls(params),
        terms=terms,
        note=note,
        hide_address=flag(params, "suppressShippingAddressView"),
    )


def reauthorization(params: Params) -> Application:
    """Read a `ReAuthorize` (R7)."""
    return Application(
        order_id=order_id(params),
        original_order_id=order_id(params, "originalOrderId"),
        kind=Kind.REAUTHORIZED,
        amount=required_amount(params, MOST_RECURRING),
        with_capture=flag(params, "withCapture"),
        urls=notification_urls(params),
        note=text(params, "noteToBuyer"),
    )


def new_terms(params: Params, terms: Terms) -> Terms:
    """Return the terms that an `UpdateConsent` leaves (R9): what it names changes."""
    names = ("amount", *_FREQUENCY, "noteToBuyer")
    if not any(params.get(name) for name in names):
        raise Refused(Code.PARAMETER_MISSING, "amount")
    changed = attrs.evolve(
        terms,
        amount=amount(params, MOST_RECURRING) or terms.amount,
        note=text(params, "noteToBuyer") or terms.note,
    )
    if any(name in params for name in _FREQUENCY):
        unit, value = frequency(params)
        changed = attrs.evolve(changed, frequency_unit=unit, frequency_value=value)
    return changed


def amount_limit(order: Order) -> int:
    """Return the most that may be authorized under an order of this kind, in yen."""
    return MOST_ONE_TIME if order.kind is Kind.ONE_TIME else MOST_RECURRING


# ── what an order allows ────────────────────────────────────────────────────────────


def _payment_is(order: Order, *states: Payment) -> None:
    if order.payment not in states:
        raise Refused(BY_PAYMENT[order.payment])
    if order.payment_busy:
        raise Refused(Code.STATE_IN_PROGRESS)


def _consent_lives(order: Order) -> None:
    if order.consent is not Consent.CONSENTED or order.consent_busy:
        raise Refused(BY_CONSENT[order.consent])


def _within(yen: int, most: int) -> int:
    if yen < 1:
        raise Refused(Code.AMOUNT_LIMIT, "amount")
    if yen > most:
        raise Refused(Code.AMOUNT_ABOVE_BALANCE, "amount")
    return yen


def _capture(order: Order, yen: int | None) -> int:
    _payment_is(order, Payment.AUTHORIZED)
    return _within(order.authorized if yen is None else yen, order.authorized)


def _cancel(order: Order, _yen: int | None) -> int:
    _payment_is(order, Payment.AUTHORIZED)
    return order.authorized


def _refund(order: Order, yen: int | None) -> int:
    _payment_is(order, Payment.CAPTURED, Payment.PARTIALLY_REFUNDED)
    if order.refundable == 0:
        raise Refused(Code.STATE_ALL_IN_REFUND)
    return _within(order.refundable if yen is None else yen, order.refundable)


def at_merchants_page(order: Order) -> bool:
    """Return whether the consumer has logged in and the merchant's page is shown (F2)."""
    return bool(order.urls.confirm) and order.step is Step.LOGGED_IN


def _update_authorize(order: Order, yen: int | None) -> int:
    if order.payment is Payment.REQUESTED and not at_merchants_page(order):
        raise Refused(Code.STATE_REQUESTED)
    if order.payment is not Payment.REQUESTED:
        if order.kind is not Kind.ONE_TIME:
            raise Refused(Code.NOT_ONE_TIME)
        _payment_is(order, Payment.AUTHORIZED)
    if yen is None or not 1 <= yen <= amount_limit(order):
        raise Refused(Code.AMOUNT_LIMIT, "amount")
    return yen


def _terminate(order: Order, _yen: int | None) -> None:
    _consent_lives(order)


def _get_address(order: Order, _yen: int | None) -> None:
    if order.kind is Kind.REAUTHORIZED:
        raise Refused(Code.NO_CONSUMER)
    paid = order.payment is Payment.AUTHORIZED or order.payment in CAPTURED_STATES
    consented = order.consent in {Consent.CONSENTED, Consent.TERMINATED}
    if paid or consented or at_merchants_page(order):
        return
    if order.payment is Payment.NONE:
        raise Refused(BY_CONSENT[order.consent])
    raise Refused(BY_PAYMENT[order.payment])


_ALLOWS: Final = {
    Command.CAPTURE: _capture,
    Command.CANCEL: _cancel,
    Command.REFUND: _refund,
    Command.UPDATE_AUTHORIZE: _update_authorize,
    Command.TERMINATE: _terminate,
    Command.UPDATE_CONSENT: _terminate,
    Command.GET_ADDRESS: _get_address,
}


def allow(order: Order, command: Command, yen: int | None) -> int | None:
    """Return the amount the command will move, or raise `Refused` with the reason.

    Capture and refund without an amount take all there is; a command that moves no
    money returns None.
    """
    return _ALLOWS[command](order, yen)


def allow_reauthorization(origin: Order) -> None:
    """Refuse a re-authorization unless its origin's consent lives (R7, R8)."""
    _consent_lives(origin)
