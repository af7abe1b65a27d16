"""F4: before the capture the whole authorization is cancelled, never part of it."""

import pytest


def test_the_whole_authorization_is_released(shop):
    shop.authorized()
    answer = shop.do("cancel", "order", parameters={"reason": "品切れ"})
    assert answer.status == "succeeded"
    assert answer.transaction.status == "payment.cancelled"
    assert answer.transaction.amounts["released"] == 1000
    shop.books_agree()


def test_it_takes_no_amount(shop):
    shop.authorized()
    answer = shop.do("cancel", "order", amount=400)
    assert answer.denial.codes == ("amount_not_taken",)
    assert shop.sent == ["Authorize"]
    shop.books_agree()


@pytest.mark.parametrize("before", ["capture", "cancel"])
def test_it_is_denied_after_a_capture_or_a_cancel(shop, before):
    shop.authorized()
    shop.do(before, "order")
    answer = shop.do("cancel", "order")
    assert answer.denial.codes == ("state_not_allowed",)
    assert shop.sent == ["Authorize", before.capitalize()]
    shop.books_agree()


def test_nothing_follows_a_cancel(shop):
    shop.authorized()
    shop.do("cancel", "order")
    allowed = {name for name, found in shop.can("order").items() if found.is_allowed}
    assert allowed == set()
    shop.books_agree()


def test_the_consent_outlives_the_cancel_of_its_first_payment(shop):
    shop.consented()
    answer = shop.do("cancel", "plan")
    assert answer.transaction.status == "consent.consented payment.cancelled"
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=300)
    assert charge.status == "succeeded"
    shop.books_agree()
