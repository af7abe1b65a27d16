"""Stories of card payments: by the lifecycles, on the real machine, with no gateway.

Each follows what the documents of the gateways say, rule by rule.
"""

import pytest

from kessai.prove import Replay
from kessai.spec import load_shipped


def card(amount: int = 1000, *, currency: str = "USD", **flags: bool) -> Replay:
    """A card payment that was authorized."""
    replay = Replay(load_shipped("card"), currency)
    return replay.begins("authorize", amount, **flags).succeeds(1)


def stands(replay: Replay, *names: str) -> tuple[object, ...]:
    """The payment's state, and the amounts called `names`."""
    assert replay.refused == ()
    transaction = replay.transaction
    amounts = (transaction.amounts[name] for name in names)
    return transaction.states["payment"], *amounts


def test_one_capture_of_a_part_releases_the_rest() -> None:
    payment = card().begins("capture", 600).succeeds(2)
    assert stands(payment, "captured", "released") == ("captured", 600, 400)
    assert payment.begins("capture", 1).refused == ("state_not_allowed",)


def test_parts_are_captured_one_by_one_only_where_that_was_asked_for() -> None:
    assert card().begins("capture_part", 600).refused == (
        "several_captures_not_asked_for",
    )
    payment = card(several_captures=True).begins("capture_part", 600).succeeds(2)
    assert stands(payment, "captured", "released") == ("partially_captured", 600, 0)
    payment.begins("capture_part", 300).succeeds(3)
    payment.begins("capture", 50).succeeds(4)
    assert stands(payment, "captured", "released") == ("captured", 950, 50)


def test_the_last_part_ends_the_captures() -> None:
    payment = card(several_captures=True).begins("capture_part", 1000).succeeds(2)
    assert stands(payment, "captured", "released") == ("captured", 1000, 0)


def test_what_was_not_captured_in_time_is_released() -> None:
    assert stands(card().lapses("authorization"), "released") == ("expired", 1000)
    payment = card(several_captures=True).begins("capture_part", 600).succeeds(2)
    assert stands(payment.lapses("rest"), "captured", "released") == (
        "captured",
        600,
        400,
    )


def test_a_cancel_is_of_the_whole_and_before_any_capture() -> None:
    assert stands(card().begins("cancel").succeeds(2), "released") == (
        "cancelled",
        1000,
    )
    payment = card(several_captures=True).begins("capture_part", 600).succeeds(2)
    assert payment.begins("cancel").refused == ("state_not_allowed",)


def test_refunds_repeat_to_zero_and_one_may_fail_later() -> None:
    payment = card(with_capture=True).begins("refund", 400).succeeds(2)
    payment.begins("refund", 600).succeeds(3)
    assert stands(payment, "refunded") == ("refunded", 1000)
    assert stands(payment.reverses("refund", 600), "refunded") == (
        "partially_refunded",
        400,
    )
    assert stands(payment.reverses("refund", 400), "refunded") == ("captured", 0)


@pytest.mark.parametrize("refunded", [0, 400])
def test_a_dispute_that_is_won_gives_the_money_back(refunded: int) -> None:
    payment = card(with_capture=True)
    if refunded:
        payment.begins("refund", refunded).succeeds(2)
    before = stands(payment)
    payment.external("dispute", 600)
    assert stands(payment, "disputed") == ("disputed", 600)
    assert stands(payment.external("win_dispute"), "disputed") == (*before, 0)


def test_a_dispute_that_is_lost_pays_the_cardholder() -> None:
    payment = card(with_capture=True).external("dispute", 1000)
    payment.external("lose_dispute")
    assert stands(payment, "charged_back", "disputed") == ("charged_back", 1000, 0)
    part = card(with_capture=True).external("dispute", 700).external("lose_dispute")
    assert stands(part, "charged_back") == ("partially_refunded", 700)
    assert stands(part.begins("refund", 300).succeeds(2), "refunded") == (
        "refunded",
        300,
    )


def test_nobody_here_can_ask_for_a_dispute_or_pay_back_what_is_disputed() -> None:
    payment = card(with_capture=True)
    assert payment.begins("dispute", 1).refused == ("external_command",)
    payment = card(with_capture=True).external("dispute", 900)
    assert payment.begins("refund", 101).refused == ("amount_above_maximum",)
    payment = card(with_capture=True).external("dispute", 900)
    payment.begins("refund", 100).succeeds(2)
    assert stands(payment, "refunded", "disputed") == ("disputed", 100, 900)


def test_a_refund_under_way_ends_though_a_dispute_came_between() -> None:
    payment = card(with_capture=True).begins("refund", 400).external("dispute", 600)
    assert stands(payment.succeeds(2), "refunded", "disputed") == (
        "disputed",
        400,
        600,
    )


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [("USD", 50, 99_999_999), ("JPY", 50, 9_999_999), ("ISK", 1, 999_999)],
)
def test_each_currency_has_its_bounds(currency: str, least: int, most: int) -> None:
    for amount, refused in (
        (least - 1, ("amount_below_minimum",)),
        (least, ()),
        (most, ()),
        (most + 1, ("amount_above_maximum",)),
    ):
        replay = Replay(load_shipped("card"), currency)
        if amount:  # a request for nothing is no command
            assert replay.begins("authorize", amount).refused == refused


def test_a_saved_method_is_charged_until_the_consent_is_terminated() -> None:
    consent = Replay(load_shipped("saved_card"), "USD")
    consent.begins("set_up").succeeds(1)
    assert consent.transaction.states == {"consent": "consented"}

    def charge() -> Replay:
        replay = Replay(load_shipped("saved_card_charge"), "USD", consent)
        return replay.begins("authorize", 1000, with_capture=True)

    assert stands(charge().succeeds(1), "captured") == ("captured", 1000)
    consent.begins("terminate").succeeds(2)
    assert charge().refused == ("agreement_state",)
