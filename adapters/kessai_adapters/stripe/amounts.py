"""Amounts between ISO 4217's minor units and those that Stripe counts in.

They are the same but for a few currencies. ISK and UGX have no decimals, and Stripe wants
two; MGA has two, and Stripe counts in whole units; of three decimals the last must be 0.
"""

from kessai.errors import InvalidInput

_HUNDREDFOLD = frozenset({"ISK", "UGX"})
_WHOLE = frozenset({"MGA"})
_LAST_DIGIT_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
_NOT_KNOWN = frozenset({"IQD", "LYD"})
"""Three decimals by ISO 4217, and Stripe's documents do not say how it counts them."""

HIGHEST = 99_999_999
"""Stripe takes no amount of more digits, in its own units."""


def to_stripe(amount: int, currency: str) -> int:
    """`amount` minor units of `currency` as Stripe counts them.

    Raises:
        InvalidInput: Stripe cannot be asked for that amount.

    """
    sent, wrong = amount, ""
    if currency in _HUNDREDFOLD:
        sent = amount * 100
    elif currency in _WHOLE:
        sent, rest = divmod(amount, 100)
        wrong = "must be whole" if rest else ""
    elif currency in _LAST_DIGIT_ZERO and amount % 10:
        wrong = "must end in 0"
    elif currency in _NOT_KNOWN:
        wrong = "are not known to Stripe in that currency"
    if sent > HIGHEST:
        wrong = f"must be at most {HIGHEST:,} in Stripe's units"
    if wrong:
        message = f"amounts in {currency} {wrong}"
        raise InvalidInput(message)
    return sent


def from_stripe(amount: int, currency: str) -> int | None:
    """An amount that Stripe states, in ISO 4217's minor units; None if it is none."""
    if currency in _HUNDREDFOLD:
        return amount // 100 if amount % 100 == 0 else None
    return amount * 100 if currency in _WHOLE else amount
