"""Amounts on Amazon's wire: decimal strings in major units, with their currency."""

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused, invalid

DIGITS: Final = {"EUR": 2, "GBP": 2, "JPY": 0, "USD": 2}
"""The ledger currencies, with the digits after their points."""

MOST: Final = {
    "EUR": 15_000_000,
    "GBP": 15_000_000,
    "JPY": 10_000_000,
    "USD": 15_000_000,
}
"""The largest charge, in minor units."""

_DECIMAL: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


@attrs.frozen
class Price:
    """An amount in minor units, and its currency."""

    amount: int
    currency: str

    def on_wire(self) -> dict[str, str]:
        """Return it as Amazon writes it."""
        digits = DIGITS[self.currency]
        if not digits:
            return {"amount": str(self.amount), "currencyCode": self.currency}
        whole, part = divmod(self.amount, 10**digits)
        return {"amount": f"{whole}.{part:0{digits}}", "currencyCode": self.currency}


def price_of(body: Mapping[str, Any], member: str) -> Price:
    """Read the price called `member`; it is above zero and at most the largest charge."""
    given = body.get(member)
    if not isinstance(given, Mapping) or not isinstance(given.get("amount"), str):
        raise invalid(member)
    currency = given.get("currencyCode")
    found = _DECIMAL.fullmatch(given["amount"])
    if currency not in DIGITS or found is None:
        raise invalid(member)
    digits = DIGITS[currency]
    part = (found[2] or "").ljust(digits, "0")
    if len(part) > digits:
        raise invalid(member)
    amount = int(found[1] + part)
    if amount == 0:
        raise invalid(member)
    if amount > MOST[currency]:
        raise AmazonRefused(422, "TransactionAmountExceeded", f"{member} is too large")
    return Price(amount, currency)
