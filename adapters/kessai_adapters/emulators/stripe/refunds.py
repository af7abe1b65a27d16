"""Refunds: asked for again and again until nothing is left, and failing later.

A refund takes its amount from the balance when it is made (`balance_transaction`). One
that fails afterwards gives it back (`failure_balance_transaction`).
"""

from typing import Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.cards import CARDS
from kessai_adapters.emulators.stripe.currencies import check_decimals
from kessai_adapters.emulators.stripe.disputes import DISPUTED
from kessai_adapters.emulators.stripe.errors import missing, not_possible
from kessai_adapters.emulators.stripe.events import Events
from kessai_adapters.emulators.stripe.forms import Params, merged

_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


class Refunds:
    """What can be done to refunds. While it `waits` or `refuses`, new ones do or fail."""

    def __init__(self, books: Books, events: Events) -> None:
        self.waits = False
        self.refuses = False
        self._books = books
        self._events = events

    def create(self, given: Params) -> ApiObject:
        """Refund what was captured, or a part of it."""
        payment = self._payment(given)
        amount = given.positive_integer("amount")
        reason = given.choice("reason", _REASONS)
        metadata = given.metadata()
        given.text("instructions_email")
        given.finish()
        return self.made(payment, amount, reason, metadata)

    def _payment(self, given: Params) -> Payment:
        charge, intent = given.text("charge"), given.text("payment_intent")
        if charge is not None:
            return self._books.of_charge(charge, "charge")
        return self._books.payment(
            intent or given.required("payment_intent"), "payment_intent"
        )

    def made(
        self,
        payment: Payment,
        amount: int | None,
        reason: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ApiObject:
        """A new refund of `amount`, or of all that is left."""
        left = payment.refundable
        if any(dispute["status"] in DISPUTED for dispute in payment.disputes):
            message = "The charge is disputed"
            raise not_possible(message, code="charge_disputed")
        if payment.intent["amount_received"] and not left:
            message = "The charge has already been refunded"
            raise not_possible(message, code="charge_already_refunded")
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            message = f"Refund amount ({amount}) is not within what is left ({left})"
            raise not_possible(message, param="amount")
        check_decimals(amount, payment.intent["currency"])
        refund = add_refund(payment, self._books, amount, self._status(payment))
        refund["reason"], refund["metadata"] = reason, metadata or {}
        if refund["status"] == "pending":
            refund["pending_reason"] = "processing"
        if refund["status"] == "failed":
            self._fails(payment, refund)
        else:
            refund["balance_transaction"] = self._books.new_id("txn")
            self._events.record("refund.created", refund)
            self._tell(payment)
        self._books.keep(payment)
        return refund

    def _status(self, payment: Payment) -> str:
        if self.refuses:
            return "failed"
        method = self._books.method(payment.intent["payment_method"])
        is_waiting = self.waits or CARDS[method["_kind"]].refund_waits
        return "pending" if is_waiting else "succeeded"

    def update(self, name: str, given: Params) -> ApiObject:
        """Change what is said of a refund."""
        payment, refund = self.found(name)
        metadata = given.metadata()
        given.finish()
        refund["metadata"] = merged(refund["metadata"], metadata)
        self._books.keep(payment)
        return refund

    def found(self, name: str) -> tuple[Payment, ApiObject]:
        """A refund, with its payment.

        Raises:
            ApiError: there is none.

        """
        for payment in self._books.payments.values():
            for refund in payment.refunds:
                if refund["id"] == name:
                    return payment, refund
        what = "refund"
        raise missing(what, name)

    def finish(self, payment: Payment, refund: ApiObject, *, good: bool) -> None:
        """End what is pending, or let what has succeeded fail after all.

        Raises:
            OutOfPlay: it has ended.

        """
        if refund["status"] not in ({"pending"} if good else {"pending", "succeeded"}):
            message = f"{refund['id']} has ended"
            raise OutOfPlay(message)
        if good:
            refund["status"] = "succeeded"
            refund.pop("pending_reason", None)
            self._events.record("refund.updated", refund)
        else:
            self._fails(payment, refund)
        self._books.keep(payment)

    def _fails(self, payment: Payment, refund: ApiObject) -> None:
        refund["status"] = "failed"
        refund["failure_reason"] = "expired_or_canceled_card"
        refund.pop("pending_reason", None)
        if refund["balance_transaction"] is not None:
            refund["failure_balance_transaction"] = self._books.new_id("txn")
        count_refunded(payment)
        self._events.record("refund.failed", refund)

    def _tell(self, payment: Payment) -> None:
        if payment.charge is not None:
            self._events.record("charge.refunded", payment.charge)


def add_refund(payment: Payment, books: Books, amount: int, status: str) -> ApiObject:
    """A new refund of a payment."""
    assert payment.charge is not None  # noqa: S101 - something was authorized
    refund: ApiObject = {
        "id": books.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": payment.charge["id"],
        "created": books.now(),
        "currency": payment.intent["currency"],
        "failure_balance_transaction": None,
        "metadata": {},
        "payment_intent": payment.id,
        "reason": None,
        "status": status,
    }
    payment.refunds.append(refund)
    count_refunded(payment)
    return refund


def count_refunded(payment: Payment) -> None:
    """Bring what the charge says of its refunds in step with them."""
    charge = payment.charge
    assert charge is not None  # noqa: S101 - something was authorized
    ended = {"failed", "canceled"}
    standing = [each for each in payment.refunds if each["status"] not in ended]
    charge["amount_refunded"] = sum(each["amount"] for each in standing)
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
