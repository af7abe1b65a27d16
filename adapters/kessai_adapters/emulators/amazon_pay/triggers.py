"""What happens at Amazon, from the start, until a notification of each kind is sent.

The kinds are those of the objects that have changed, as Amazon's documents name them, and
the envelope that asks for a subscription.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kessai_adapters.emulators.amazon_pay.emulator import AmazonPayEmulator

Act = Callable[["AmazonPayEmulator", str], None]


def _capture(emulator: "AmazonPayEmulator", order: str) -> None:
    emulator.portal.capture(order)


def _refund(emulator: "AmazonPayEmulator", order: str) -> None:
    emulator.portal.refund(order)


def _charge_back(emulator: "AmazonPayEmulator", order: str) -> None:
    emulator.portal.charge_back(order)


STORIES: Final[Mapping[str, tuple[Act, ...]]] = {
    "CHARGE_PERMISSION": (),
    "CHARGE": (),
    "REFUND": (_capture, _refund),
    "CHARGEBACK": (_capture, _charge_back),
}
"""What follows once the buyer has paid."""

SUBSCRIPTION: Final = "SubscriptionConfirmation"

PRICE: Final = {"amount": "1000", "currencyCode": "JPY"}


def session_for(order: str) -> dict[str, Any]:
    """Return what the merchant asks for."""
    return {
        "storeId": "emulator-store",
        "webCheckoutDetails": {},
        "chargePermissionType": "OneTime",
        "paymentDetails": {"paymentIntent": "Authorize", "chargeAmount": PRICE},
        "merchantMetadata": {"merchantReferenceId": order},
    }
