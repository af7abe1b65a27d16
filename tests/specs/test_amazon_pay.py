"""Stories of Amazon Pay's own lifecycles, on the real machine, with no gateway."""

import pytest

from kessai.prove import Replay
from kessai.spec import load_shipped


def paid(amount: int = 1200, *, currency: str = "JPY", **flags: bool) -> Replay:
    """A payment that was authorized."""
    replay = Replay(load_shipped("amazon_pay"), currency)
    return replay.begins("authorize", amount, **flags).succeeds(1)


def stands(replay: Replay, *names: str) -> tuple[object, ...]:
    """The payment's state, and the amounts called `names`."""
    assert replay.refused == ()
    found = replay.transaction
    return found.states["payment"], *(found.amounts[name] for name in names)


def test_a_charge_is_captured_once_and_the_rest_is_released() -> None:
    payment = paid().begins("capture", 1000).succeeds(2)
    assert stands(payment, "captured", "released") == ("captured", 1000, 200)
    assert payment.begins("capture", 1).refused == ("state_not_allowed",)


def test_what_expires_has_lapsed_and_what_the_merchant_cancels_is_released() -> None:
    expired = paid().lapses("authorization")
    assert stands(expired, "lapsed", "released") == ("expired", 1200, 0)
    cancelled = paid().begins("cancel").succeeds(2)
    assert stands(cancelled, "lapsed", "released") == ("cancelled", 0, 1200)


def test_refunds_repeat_until_nothing_is_left() -> None:
    payment = paid(with_capture=True).begins("refund", 1000).succeeds(2)
    assert stands(payment, "refunded") == ("partially_refunded", 1000)
    assert payment.begins("refund", 201).refused == ("amount_above_maximum",)
    payment = paid(with_capture=True).begins("refund", 1200).succeeds(2)
    assert stands(payment, "refunded") == ("refunded", 1200)


@pytest.mark.parametrize(
    ("currency", "most"),
    [
        ("JPY", 10_000_000),
        ("USD", 150_000_00),
        ("EUR", 150_000_00),
        ("GBP", 150_000_00),
    ],
)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("amazon_pay", "authorize"),
        ("amazon_pay_charge", "create_charge"),
        ("amazon_pay_recurring", "authorize"),
        ("amazon_pay_recurring", "update_consent"),
    ],
)
def test_each_currency_has_its_largest_charge(
    name: str, command: str, currency: str, most: int
) -> None:
    amount = load_shipped(name).commands[command].amount
    assert amount is not None
    assert amount[currency].minimum.evaluate({}) == 1
    assert amount[currency].maximum.evaluate({}) == most


def test_a_charge_lasts_30_days_and_a_session_one() -> None:
    for name in ("amazon_pay", "amazon_pay_charge"):
        (deadline,) = load_shipped(name).deadlines.values()
        assert (deadline.seconds, deadline.target) == (30 * 24 * 3600, "expired")
    for name in ("amazon_pay", "amazon_pay_recurring"):
        abandoned = load_shipped(name).commands["authorize"].abandoned
        assert abandoned is not None
        assert abandoned.seconds == 24 * 3600


def test_a_charge_needs_a_permission_that_nobody_is_closing() -> None:
    needed = load_shipped("amazon_pay_charge").commands["create_charge"].agreement
    assert needed is not None
    assert (needed.lifecycle, needed.state) == ("amazon_pay_recurring", "consented")
    assert needed.unless_open == ("terminate",)
