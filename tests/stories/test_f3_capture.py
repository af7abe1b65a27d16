"""F3: all of the authorization is captured, or part of it once."""

import pytest


def test_a_capture_without_an_amount_takes_it_all(shop):
    shop.authorized()
    answer = shop.do("capture", "order")
    assert answer.status == "succeeded"
    assert answer.transaction.amounts["captured"] == 1000
    assert answer.transaction.amounts["released"] == 0
    shop.books_agree()


def test_a_partial_capture_releases_the_rest_and_cannot_be_repeated(shop):
    shop.authorized()
    answer = shop.do("capture", "order", amount=700)
    assert answer.status == "succeeded"
    assert answer.transaction.amounts["captured"] == 700
    assert answer.transaction.amounts["released"] == 300
    second = shop.do("capture", "order", amount=300)
    assert second.status == "denied"
    assert "state_not_allowed" in second.denial.codes
    assert second.may_send_again
    assert shop.sent.count("Capture") == 1
    shop.books_agree()


@pytest.mark.parametrize(
    ("amount", "code"), [(0, "amount_below_minimum"), (1001, "amount_above_maximum")]
)
def test_an_amount_out_of_bounds_is_denied_with_the_bounds(shop, amount, code):
    shop.authorized()
    denial = shop.do("capture", "order", amount=amount).denial
    assert denial.codes == (code,)
    bounds = denial.bounds
    assert (bounds.minimum, bounds.maximum, bounds.default) == (1, 1000, 1000)
    assert shop.can("order")["capture"].bounds == bounds
    assert shop.sent == ["Authorize"]
    shop.books_agree()


def test_nothing_is_captured_before_the_consumer_approves(shop):
    shop.apply()
    answer = shop.do("capture", "order", amount=1000)
    assert {"state_not_allowed", "operation_open"} <= set(answer.denial.codes)
    shop.books_agree(still_open=["order"])


def test_the_first_payment_of_a_recurring_one_is_captured(shop):
    shop.consented()
    answer = shop.do("capture", "plan", amount=400)
    assert answer.transaction.status == "consent.consented payment.captured"
    shop.books_agree()


def test_with_the_consent_alone_there_is_nothing_to_capture(shop):
    shop.consented(consent_only=True)
    answer = shop.do("capture", "plan", amount=400)
    assert "state_not_allowed" in answer.denial.codes
    assert shop.sent == ["Authorize"]
    shop.books_agree()


def test_one_key_captures_once(shop):
    shop.authorized()
    first = shop.do("capture", "order", amount=700)
    again = shop.again(first, amount=700)
    assert (again.status, again.is_recorded) == ("succeeded", True)
    assert shop.again(first, amount=800).denial.codes == ("key_conflict",)
    assert shop.sent.count("Capture") == 1
    shop.books_agree()


def test_the_gateway_refuses_a_capture(shop):
    shop.authorized()
    shop.emulator.misbehave("refuse", command="Capture")
    answer = shop.do("capture", "order", amount=700)
    assert answer.status == "declined"
    assert not answer.may_send_again
    assert answer.transaction.amounts["capturing"] == 0
    shop.notification()
    assert shop.do("capture", "order", amount=500).status == "succeeded"
    shop.books_agree()
