"""F10: the authorization is taken anew, and its 30 days begin anew."""

from datetime import timedelta

import pytest

MONTH = timedelta(days=30)


def test_again_and_again_up_and_down(shop):
    shop.authorized()
    for amount in (1500, 700, 700, 10_000_000, 1):
        shop.clock.pass_by(days=29)
        answer = shop.do("update_authorization", "order", amount=amount)
        assert answer.status == "succeeded"
        assert answer.transaction.amounts["authorized"] == amount
        ends = answer.transaction.deadlines["authorization"]
        assert ends == shop.clock.now + MONTH == shop.order("order").expires_at
    assert shop.do("capture", "order").transaction.amounts["captured"] == 1
    shop.books_agree()


def test_captured_one_second_before_the_deadline(shop):
    shop.authorized()
    shop.clock.pass_by(days=20)
    shop.do("update_authorization", "order", amount=1500)
    shop.clock.pass_by(days=30, seconds=-1)
    assert shop.can("order")["capture"].is_allowed
    assert shop.do("capture", "order").transaction.amounts["captured"] == 1500
    shop.books_agree()


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=400)])
def test_denied_at_the_deadline_and_swept(shop, late):
    shop.authorized()
    shop.clock.pass_by(days=20)
    shop.do("update_authorization", "order", amount=1500)
    shop.clock.now += MONTH + late
    assert not shop.can("order")["capture"].is_allowed
    for command, fields in (("capture", {}), ("update_authorization", {"amount": 5})):
        answer = shop.do(command, "order", **fields)
        assert answer.denial.codes == ("authorization_expired",)
    assert "Capture" not in shop.sent
    transaction = shop.sweep("order")
    assert transaction.status == "payment.expired"
    assert transaction.amounts["released"] == 1500
    assert shop.sweep("order") == transaction
    shop.books_agree()


def test_the_deadline_runs_from_the_approval_not_from_its_notification(shop):
    shop.apply()
    shop.clock.pass_by(hours=23)
    shop.emulator.consumer.approve("order")
    ends = shop.clock.now + MONTH
    late = shop.emulator.take_notifications()
    shop.clock.pass_by(hours=5)
    shop.notification(late)
    assert shop.transaction("order").deadlines["authorization"] == ends
    shop.books_agree()


def test_the_deadline_runs_from_the_approval_also_by_inquiry(shop):
    shop.apply()
    shop.clock.pass_by(hours=23)
    shop.emulator.consumer.approve("order")
    ends = shop.clock.now + MONTH
    shop.emulator.take_notifications()
    shop.clock.pass_by(hours=5)
    shop.recover("order")
    assert shop.transaction("order").deadlines["authorization"] == ends
    shop.books_agree()


def test_the_deadline_of_an_update_whose_reply_was_lost(shop):
    shop.authorized()
    shop.clock.pass_by(days=20)
    ends = shop.clock.now + MONTH
    shop.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    shop.do("update_authorization", "order", amount=1500)
    shop.emulator.take_notifications()
    shop.clock.pass_by(days=2)
    shop.recover("order")
    assert shop.transaction("order").deadlines["authorization"] == ends
    shop.books_agree()


def test_a_refused_update_leaves_amount_and_deadline(shop):
    before = shop.authorized()
    shop.clock.pass_by(days=20)
    shop.emulator.misbehave("refuse", command="UpdateAuthorize")
    answer = shop.do("update_authorization", "order", amount=1500)
    assert answer.status == "declined"
    assert answer.transaction.deadlines == before.deadlines
    assert answer.transaction.amounts == before.amounts
    shop.books_agree()


@pytest.mark.parametrize("before", ["capture", "cancel"])
def test_denied_after_capture_or_cancel(shop, before):
    shop.authorized()
    shop.do(before, "order")
    answer = shop.do("update_authorization", "order", amount=1500)
    assert answer.denial.codes == ("state_not_allowed",)
    shop.books_agree()


def test_a_recurring_authorization_is_not_updated(shop):
    shop.consented()
    answer = shop.do("update_authorization", "plan", amount=1500)
    assert "state_not_allowed" in answer.denial.codes
    assert shop.sent == ["Authorize"]
    shop.books_agree()


@pytest.mark.parametrize("amount", [None, 0, 10_000_001])
def test_it_needs_an_amount_within_the_limits(shop, amount):
    shop.authorized()
    answer = shop.do("update_authorization", "order", amount=amount)
    assert answer.status == "denied"
    assert (answer.denial.bounds.minimum, answer.denial.bounds.maximum) == (
        1,
        10_000_000,
    )
    shop.books_agree()
