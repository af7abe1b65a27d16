"""What happens at Stripe, from the start, until an event of each type is sent.

Each type that Stripe's documents name, and that something causes here.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kessai_adapters.emulators.stripe.emulator import StripeEmulator

Act = Callable[["StripeEmulator", str], None]


def _capture(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.capture(order)


def _cancel(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.cancel(order)


def _expire(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.expire(order)


def _refund(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.refund(order)


def _dispute(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.dispute(order)


def _win(emulator: "StripeEmulator", order: str) -> None:
    emulator.portal.win_dispute(order)


def _complete(emulator: "StripeEmulator", order: str) -> None:
    emulator.complete(order)


def _fail(emulator: "StripeEmulator", order: str) -> None:
    emulator.fail(order)


_PAYS: Final = "pm_card_visa"
_ASKS: Final = "pm_card_threeDSecure2Required"
_REFUSED: Final = "pm_card_visa_chargeDeclined"
_REFUNDS_LATER: Final = "pm_card_pendingRefund"

STORIES: Final[Mapping[str, tuple[str | None, tuple[Act, ...]]]] = {
    "payment_intent.created": (None, ()),
    "payment_intent.requires_action": (_ASKS, ()),
    "payment_intent.amount_capturable_updated": (_PAYS, ()),
    "payment_intent.succeeded": (_PAYS, (_capture,)),
    "payment_intent.payment_failed": (_REFUSED, ()),
    "payment_intent.canceled": (_PAYS, (_cancel,)),
    "charge.captured": (_PAYS, (_capture,)),
    "charge.expired": (_PAYS, (_expire,)),
    "charge.refunded": (_PAYS, (_capture, _refund)),
    "refund.created": (_PAYS, (_capture, _refund)),
    "refund.updated": (_REFUNDS_LATER, (_capture, _refund, _complete)),
    "refund.failed": (_REFUNDS_LATER, (_capture, _refund, _fail)),
    "charge.dispute.created": (_PAYS, (_capture, _dispute)),
    "charge.dispute.funds_withdrawn": (_PAYS, (_capture, _dispute)),
    "charge.dispute.funds_reinstated": (_PAYS, (_capture, _dispute, _win)),
    "charge.dispute.closed": (_PAYS, (_capture, _dispute, _win)),
}
"""The card that a payment is made with, if any, and what follows."""
