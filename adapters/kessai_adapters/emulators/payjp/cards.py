"""Customers and their payment methods: test cards and PayPay; what an issuer says.

A card's number is never kept: what it does is.
"""

import hashlib
import re
from typing import Any, Final

from kessai_adapters.emulators.payjp.books import Books, Kept
from kessai_adapters.emulators.payjp.events import Events
from kessai_adapters.emulators.payjp.fields import Fields
from kessai_adapters.emulators.payjp.problems import (
    Problem,
    refuse_missing,
    refuse_status,
    refuse_value,
)

TEST_CARDS: Final = {
    "4242424242424242": "",
    "4000000000080319": "card_declined",
    "4000000000004012": "expired_card",
    "4000000000080202": "card_declined_above_10000",
    "4000000000000077": "incorrect_card_data",
    "4000000900000003": "foreign",
}
"""Published for test keys, and what each does."""

DECLINES_ABOVE: Final = 10_000
_NUMBER: Final = re.compile(r"[0-9]{14,16}")
_CUSTOMER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def declined_for(method: Kept, amount: int) -> str:
    """Why the issuer of `method` declines a payment; empty if it does not."""
    does = str(method.hidden["does"])
    if does == "card_declined_above_10000":
        return "card_declined" if amount > DECLINES_ABOVE else ""
    return "" if does == "foreign" else does


class Cards:
    """What is kept of customers."""

    def __init__(self, books: Books, events: Events) -> None:
        self._books = books
        self._events = events

    def create_customer(self, asked: Fields) -> Kept:
        """`POST /customers`: with an id of the merchant's, or a new one."""
        id_ = asked.text("id")
        if id_ is not None and not _CUSTOMER_ID.fullmatch(id_):
            refuse_value("id", "must be letters, digits, - and _")
        if id_ is not None and id_ in self._books.objects:
            raise Problem(400, "Already Exists", detail="id: is taken")
        method = asked.text("payment_method_id")
        customer = self._books.make(
            "customer",
            id_,
            email=asked.text("email"),
            description=asked.text("description"),
            default_payment_method_id=method,
            metadata=asked.metadata(),
        )
        asked.done()
        if method is not None:
            self._attach(self._books.find("payment_method", method), customer)
        self._books.save(customer)
        self._events.record("customer.created", customer)
        return customer

    def create_method(self, asked: Fields) -> Kept:
        """`POST /payment_methods`: a card, or PayPay."""
        kind = asked.among("type", {"card", "paypay"}) or "card"
        customer = asked.text("customer_id")
        if customer is not None:
            self._books.find("customer", customer)
        card = asked.mapping("card")
        billing = asked.mapping("billing_details")
        metadata = asked.metadata()
        asked.done()
        return self.make_method(kind, customer, card, billing, metadata)

    def make_method(
        self,
        kind: str,
        customer: str | None,
        card: dict[str, Any],
        billing: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Kept:
        """A payment method; `card` has the number, which is not kept."""
        does, details = _card(card) if kind == "card" else ("", {})
        known = dict.fromkeys(("name", "phone", "email"))
        method = self._books.make(
            "payment_method",
            type=kind,
            customer_id=customer,
            detached_at=None,
            billing_details={**known, "address": {}, **(billing or {})},
            metadata=metadata or {},
            **details,
        )
        method.hidden["does"] = does
        self._books.save(method)
        if customer is not None:
            self._events.record("payment_method.attached", method)
        return method

    def attach(self, id_: str, asked: Fields) -> Kept:
        """`POST /payment_methods/{id}/attach`."""
        customer = self._books.find("customer", asked.needed("customer_id"))
        asked.done()
        method = self._books.find("payment_method", id_)
        if method["customer_id"] is not None:
            refuse_status("attached")
        return self._attach(method, customer)

    def detach(self, id_: str, asked: Fields) -> Kept:
        """`POST /payment_methods/{id}/detach`: its customer cannot pay with it any more."""
        asked.done()
        method = self._books.find("payment_method", id_)
        if method["customer_id"] is None:
            refuse_status("detached")
        customer = self._books.find("customer", method["customer_id"])
        method.shown["customer_id"] = None
        self._books.save(method)
        method.shown["detached_at"] = method["updated_at"]
        if customer["default_payment_method_id"] == id_:
            customer.shown["default_payment_method_id"] = None
            self._books.save(customer)
        self._events.record("payment_method.detached", self._books.save(method))
        return method

    def owned(self, customer: str, id_: str) -> Kept:
        """A payment method of this customer.

        Raises:
            Problem: it is nobody's, or somebody else's.

        """
        method = self._books.find("payment_method", id_)
        if method["customer_id"] != customer:
            refuse_missing("payment_method of the customer")
        return method

    def _attach(self, method: Kept, customer: Kept) -> Kept:
        method.shown["customer_id"] = customer.id
        method.shown["detached_at"] = None
        self._events.record("payment_method.attached", self._books.save(method))
        return method


def _card(card: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    number = card.get("number", "4242424242424242")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        refuse_value("card.number", "must be 14 to 16 digits")
    does = TEST_CARDS.get(number)
    if does is None:
        raise Problem(402, "Payment Failed", reason="incorrect_card_data")
    details = {
        "last4": number[-4:],
        "brand": "Visa",
        "exp_month": card.get("exp_month", 12),
        "exp_year": card.get("exp_year", 2030),
        "fingerprint": hashlib.sha256(number.encode()).hexdigest()[:32],
        "country": "US" if does == "foreign" else "JP",
        "funding": None,
    }
    return does, {"card": details}
