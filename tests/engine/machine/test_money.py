"""Money is an integer in minor units; and every error says whether to send again."""

import pytest

import kessai
from kessai import errors
from kessai.flow import NotificationNotConfirmed
from kessai.money import AMOUNT_LIMIT, Currency, is_amount, minor_digits, show_amount


@pytest.mark.parametrize("value", [0, 1, -1, AMOUNT_LIMIT - 1, 1 - AMOUNT_LIMIT])
def test_a_whole_number_below_the_limit_is_an_amount(value):
    assert is_amount(value)


@pytest.mark.parametrize(
    "value", [AMOUNT_LIMIT, -AMOUNT_LIMIT, 1.0, True, "1", None, 10**30]
)
def test_nothing_else_is_an_amount(value):
    assert not is_amount(value)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1234567, "JPY", "1,234,567 JPY"),
        (0, "JPY", "0 JPY"),
        (-1234, "JPY", "-1,234 JPY"),
        (1234567, "USD", "12,345.67 USD"),
        (5, "USD", "0.05 USD"),
        (-5, "USD", "-0.05 USD"),
        (1000, "KWD", "1.000 KWD"),
        (999_999_999_999_999, "JPY", "999,999,999,999,999 JPY"),
    ],
)
def test_an_amount_is_shown_in_units_of_its_currency(amount, currency, shown):
    known = Currency(currency, minor_digits(currency))
    assert known.show(amount) == show_amount(amount, known) == shown


def test_an_amount_of_no_known_currency_is_shown_in_plain_minor_units():
    assert show_amount(-1234567, None) == "-1,234,567"


@pytest.mark.parametrize("currency", ["", "YEN", "jpy", "XXX", "XAU", "392"])
def test_what_is_no_currency_has_no_minor_unit(currency):
    with pytest.raises(errors.InvalidInput, match="not an ISO 4217 code"):
        minor_digits(currency)


def test_every_error_answers_in_its_type_whether_it_may_be_sent_again():
    answers = {errors.SafeToResend, errors.ResendWithSameKey, errors.NeverResend}
    ours = (e for e in errors.KessaiError.__subclasses__() if "kessai" in e.__module__)
    assert set(ours) == answers
    assert issubclass(errors.StoreBusy, errors.SafeToResend)
    assert issubclass(errors.StoreFailed, errors.SafeToResend)
    assert issubclass(errors.VersionConflict, errors.SafeToResend)
    assert issubclass(NotificationNotConfirmed, errors.SafeToResend)
    assert issubclass(errors.CommitUnknown, errors.ResendWithSameKey)


def test_an_invalid_lifecycle_tells_all_its_mistakes():
    error = errors.InvalidLifecycle(("first", "second"))
    assert error.mistakes == ("first", "second")
    assert str(error) == "first\nsecond"


def test_everything_that_is_public_is_there():
    assert all(hasattr(kessai, name) for name in kessai.__all__)
