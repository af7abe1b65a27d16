"""Which amounts are taken in which currency, where that is not as in ISO 4217.

Amounts are integers in the currency's minor unit as Stripe counts it: ISK and UGX have
two decimals here, though the last two digits must be 0.
"""

from typing import Final

from kessai_adapters.emulators.stripe.errors import invalid

_WHOLE_ONLY: Final = frozenset({"isk", "ugx"})
_THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_LEAST: Final = {"jpy": 50, "usd": 50}
_MOST: Final = 99_999_999
"""Eight digits, in any currency."""
_CODE_LENGTH: Final = 3


def check_currency(currency: str) -> None:
    """Refuse what is no currency in lower case."""
    if (
        len(currency) != _CODE_LENGTH
        or not currency.isalpha()
        or not currency.islower()
    ):
        message = "Invalid currency"
        raise invalid(message, param="currency")


def check_amount(amount: int, currency: str) -> None:
    """Refuse an amount of a new payment that Stripe does not take."""
    if amount > _MOST:
        message = f"Amount must be no more than {_MOST}"
        raise invalid(message, code="amount_too_large", param="amount")
    if amount < _LEAST.get(currency, 1):
        message = "Amount must convert to at least 50 cents."
        raise invalid(message, code="amount_too_small", param="amount")
    check_decimals(amount, currency)


def check_decimals(amount: int, currency: str) -> None:
    """Refuse digits that the currency does not have in truth."""
    if currency in _WHOLE_ONLY and amount % 100:
        code = "invalid_charge_amount_no_decimal_compatible"
        message = f"Amounts in {currency} must be whole: the last two digits must be 0"
        raise invalid(message, code=code, param="amount")
    if currency in _THREE_DECIMALS and amount % 10:
        message = f"Amounts in {currency} must end in 0"
        raise invalid(message, param="amount")
