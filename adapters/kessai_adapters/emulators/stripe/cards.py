"""The payment methods that stand for a card in tests, by the names that Stripe gives them.

`PaymentMethod` names alone: no card number ever comes here.
"""

from datetime import timedelta
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class CardKind:
    """What a card does when it is charged."""

    brand: str = "visa"
    last4: str = "4242"
    code: str = ""
    """The code of the error that declines it; empty: it is not declined."""
    decline_code: str = ""
    """Why; empty, where the error's code says it already."""
    can_be_saved: bool = True
    """Whether a customer can have it."""
    asks: bool = False
    """Whether 3-D Secure asks the cardholder."""
    asks_always: bool = False
    """Whether it asks about a card that is saved, too, while its owner is away."""
    is_disputed: bool = False
    """Whether the cardholder disputes what was captured, at once."""
    refund_waits: bool = False


_DECLINED: Final = "card_declined"

CARDS: Final = {
    "pm_card_visa": CardKind(),
    "pm_card_mastercard": CardKind(brand="mastercard", last4="4444"),
    "pm_card_amex": CardKind(brand="amex", last4="8431"),
    "pm_card_discover": CardKind(brand="discover", last4="9424"),
    "pm_card_jcb": CardKind(brand="jcb", last4="0505"),
    "pm_card_visa_chargeDeclined": CardKind(
        last4="0002",
        code=_DECLINED,
        decline_code="generic_decline",
        can_be_saved=False,
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": CardKind(
        last4="9995",
        code=_DECLINED,
        decline_code="insufficient_funds",
        can_be_saved=False,
    ),
    "pm_card_chargeDeclinedExpiredCard": CardKind(
        last4="0069", code="expired_card", can_be_saved=False
    ),
    "pm_card_chargeDeclinedProcessingError": CardKind(
        last4="0119", code="processing_error", can_be_saved=False
    ),
    "pm_card_chargeCustomerFail": CardKind(
        last4="0341", code=_DECLINED, decline_code="generic_decline"
    ),
    "pm_card_authenticationRequired": CardKind(
        last4="3184", asks=True, asks_always=True
    ),
    "pm_card_authenticationRequiredOnSetup": CardKind(last4="3155", asks=True),
    "pm_card_threeDSecure2Required": CardKind(last4="3220", asks=True),
    "pm_card_createDispute": CardKind(last4="0259", is_disputed=True),
    "pm_card_pendingRefund": CardKind(last4="7726", refund_waits=True),
}
"""Every one that the emulator knows."""

DECLINED: Final = CARDS["pm_card_visa_chargeDeclined"]
"""How a card is declined that is not by itself."""

_WINDOW: Final = timedelta(days=7)
_VISA_BY_MERCHANT: Final = timedelta(days=4, hours=18)


def window(brand: str, *, off_session: bool) -> timedelta:
    """How long an authorization of a card that is not present can be captured."""
    is_short = brand == "visa" and off_session
    return _VISA_BY_MERCHANT if is_short else _WINDOW
