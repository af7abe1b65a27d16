"""The buyer at Amazon's page, for a program to play."""

from typing import TYPE_CHECKING

from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.emulators.amazon_pay.books import Session

if TYPE_CHECKING:
    from kessai_adapters.emulators.amazon_pay.emulator import AmazonPayEmulator


class Buyer:
    """Decides about checkout sessions, by the order's id."""

    def __init__(self, emulator: "AmazonPayEmulator") -> None:
        self._emulator = emulator

    def approve(self, order: str) -> str:
        """Confirm the order's session; returns the id that the browser brings back."""
        with self._emulator.at_work():
            session = self._waiting(order)
            session.is_approved = True
            self._emulator.books.changed(order)
            return session.id

    def decline(self, order: str) -> None:
        """Leave the order's session, which ends it."""
        with self._emulator.at_work() as now:
            session = self._waiting(order)
            session.is_declined = True
            self._emulator.changes.cancel_session(session, now, "BuyerCanceled")

    def _waiting(self, order: str) -> Session:
        for session in self._emulator.books.sessions.values():
            if session.reference == order and session.is_waiting:
                return session
        message = f"no checkout session of {order} waits for its buyer"
        raise OutOfPlay(message)
