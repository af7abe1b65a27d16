"""Amounts as Stripe counts them, and as ISO 4217 does."""

import pytest

from kessai.errors import InvalidInput
from kessai.money import minor_digits
from kessai_adapters.stripe.amounts import from_stripe, to_stripe

ZERO = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        (1200, "JPY", 1200),
        (1234, "USD", 1234),
        (700, "ISK", 70_000),
        (700, "UGX", 70_000),
        (70_000, "MGA", 700),
        (1230, "KWD", 1230),
    ],
)
def test_an_amount_goes_there_and_back(amount, currency, sent):
    assert to_stripe(amount, currency) == sent
    assert from_stripe(sent, currency) == amount


@pytest.mark.parametrize("currency", ZERO)
def test_the_other_currencies_without_decimals_are_counted_alike(currency):
    assert minor_digits(currency) == 0
    assert to_stripe(5, currency) == 5


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        (1, "KWD"),
        (150, "MGA"),
        (10, "IQD"),
        (10, "LYD"),
        (100_000_000, "JPY"),
        (1_000_000, "ISK"),
    ],
)
def test_what_stripe_cannot_be_asked_for_is_refused(amount, currency):
    with pytest.raises(InvalidInput, match=f"amounts in {currency} "):
        to_stripe(amount, currency)


def test_a_part_of_a_krona_is_none():
    assert from_stripe(150, "ISK") is None
