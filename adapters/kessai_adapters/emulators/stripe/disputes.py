"""Disputes: the cardholder's bank withdraws money, and may give it back."""

from typing import Final

from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.events import Events

DISPUTED: Final = frozenset({"needs_response", "under_review"})
"""The statuses of a dispute that has not ended."""


class Disputes:
    """Opens and ends disputes."""

    def __init__(self, books: Books, events: Events) -> None:
        self._books = books
        self._events = events

    def opened(self, payment: Payment, amount: int | None = None) -> ApiObject:
        """A new dispute of what was captured, or of `amount`: it is withdrawn."""
        charge = payment.charge
        assert charge is not None  # noqa: S101 - something was captured
        dispute: ApiObject = {
            "id": self._books.new_id("dp"),
            "object": "dispute",
            "amount": payment.refundable if amount is None else amount,
            "charge": charge["id"],
            "created": self._books.now(),
            "currency": charge["currency"],
            "livemode": False,
            "metadata": {},
            "payment_intent": payment.id,
            "reason": "fraudulent",
            "status": "needs_response",
        }
        payment.disputes.append(dispute)
        charge["disputed"] = True
        self._recorded(payment, dispute, "created", "funds_withdrawn")
        return dispute

    def won(self, payment: Payment, dispute: ApiObject) -> None:
        """End a dispute in the merchant's favour: the money comes back."""
        dispute["status"] = "won"
        self._recorded(payment, dispute, "funds_reinstated", "closed")

    def lost(self, payment: Payment, dispute: ApiObject) -> None:
        """End a dispute in the cardholder's favour."""
        dispute["status"] = "lost"
        self._recorded(payment, dispute, "closed")

    def _recorded(self, payment: Payment, dispute: ApiObject, *kinds: str) -> None:
        self._books.keep(payment)
        for kind in kinds:
            self._events.record(f"charge.dispute.{kind}", dispute)
