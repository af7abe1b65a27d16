"""What a merchant does by hand in Amazon's portal, and what Amazon does by itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.emulators.amazon_pay.books import Charge, Permission
from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused

if TYPE_CHECKING:
    from kessai_adapters.emulators.amazon_pay.emulator import AmazonPayEmulator


class SellerCentral:
    """Acts on an order's charge, or on its permission."""

    def __init__(self, emulator: "AmazonPayEmulator") -> None:
        self._emulator = emulator

    def capture(self, order: str, amount: int | None = None) -> None:
        """Capture the order's charge, wholly or in part."""
        with self._emulator.at_work() as now:
            charge = self._charge(order, "Authorized")
            amount = charge.price.amount if amount is None else amount
            self._try(lambda: self._emulator.changes.capture(charge, amount, now))

    def cancel(self, order: str) -> None:
        """Cancel the order's charge."""
        with self._emulator.at_work() as now:
            charge = self._charge(order, "Authorized")
            self._emulator.changes.cancel(charge, now)

    def refund(self, order: str, amount: int | None = None) -> None:
        """Refund the order's charge, even more than was captured; final at once here."""
        with self._emulator.at_work() as now:
            charge = self._charge(order, "Captured")
            left = charge.captured - charge.refunded
            amount = left if amount is None else amount
            if amount <= 0:
                message = f"nothing of {order} is left to refund"
                raise OutOfPlay(message)
            changes = self._emulator.changes
            self._try(
                lambda: changes.finish_refund(changes.refund(charge, amount, now), now)
            )

    def charge_back(self, order: str) -> None:
        """Let the buyer's bank take the charge's money back: that is notified alone."""
        with self._emulator.at_work():
            self._emulator.changes.charge_back(self._charge(order, "Captured"))

    def expire(self, order: str) -> None:
        """Let Amazon take the order's authorization back."""
        with self._emulator.at_work() as now:
            charge = self._charge(order, "Authorized")
            self._emulator.changes.void(charge, now)

    def terminate(self, order: str) -> None:
        """Close the order's permission, as the buyer can."""
        with self._emulator.at_work() as now:
            for each in self._emulator.books.of(order):
                if isinstance(each, Permission) and each.state == "Chargeable":
                    self._emulator.changes.close(each, now, "BuyerClosed")
                    return
        message = f"{order} has no open permission"
        raise OutOfPlay(message)

    def _charge(self, order: str, state: str) -> Charge:
        for each in self._emulator.books.of(order):
            if isinstance(each, Charge) and each.state == state:
                return each
        message = f"no charge of {order} is {state}"
        raise OutOfPlay(message)

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        try:
            act()
        except AmazonRefused as refusal:
            raise OutOfPlay(refusal.message) from refusal
