"""Money is an integer in minor units of a currency, checked and never clamped.

This module owns what an amount may be and how it is shown. It knows no lifecycle: how
much of an authorization may be captured is declared there.
"""

from functools import cache
from typing import TypeGuard

from attrs import frozen

from kessai.errors import InvalidInput

AMOUNT_LIMIT = 10**15
"""No amount kessai takes or computes may reach this, in minor units.

It lies far below 2**63, where SQLite would silently turn a sum into a float.
"""

_MOST_SHOWN = 8

MOST_DIGITS = 4
"""No currency has more minor digits."""


def is_amount(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number of minor units that can be stored exactly."""
    return type(value) is int and -AMOUNT_LIMIT < value < AMOUNT_LIMIT


@cache
def minor_digits(currency: str) -> int:
    """How many digits the minor unit of `currency` (ISO 4217 code) has; 0 for JPY.

    Raises:
        InvalidInput: `currency` is not an ISO 4217 code with a minor unit.

    """
    from iso4217 import Currency  # reads its table at import: 20 ms

    try:
        digits = Currency(currency).exponent
    except ValueError:
        digits = None
    if digits is None:
        shown = repr(currency) if len(currency) <= _MOST_SHOWN else "of that length"
        message = f"currency {shown}: not an ISO 4217 code with a minor unit"
        raise InvalidInput(message)
    return int(digits)


@frozen
class Currency:
    """A currency as a lifecycle declares it: its ISO 4217 code and its minor digits."""

    code: str
    digits: int

    def show(self, amount: int) -> str:
        """`1234567` minor units as `1,234,567 JPY`, or as `12,345.67 USD`."""
        sign = "-" if amount < 0 else ""
        units, rest = divmod(abs(amount), 10**self.digits)
        fraction = f".{rest:0{self.digits}d}" if self.digits else ""
        return f"{sign}{units:,}{fraction} {self.code}"


def show_amount(amount: int, currency: Currency | None) -> str:
    """`amount` with its currency; as plain minor units where no currency is known."""
    return f"{amount:,}" if currency is None else currency.show(amount)
