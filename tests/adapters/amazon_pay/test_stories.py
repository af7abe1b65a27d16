"""Payments through Amazon Pay itself, from the checkout to the last refund."""

from datetime import timedelta

import pytest

from kessai import Status
from kessai.errors import InvalidInput

WHOLE = {"authorized": 1200, "captured": 1200}
PARTLY = {"authorized": 1200, "captured": 1000, "released": 200}
A_WEEK = timedelta(days=7, seconds=1)


def test_a_buyer_is_sent_to_amazon_and_nothing_is_charged_before_they_are_back(shop):
    asked = shop.does("authorize", "o-1", 1200, "amazon_pay")
    assert asked.status is Status.PENDING
    assert asked.disclosed["page"] == shop.local.waiting()["o-1"]
    assert asked.disclosed["checkout_session"]
    assert shop.emulator.books.charges == {}
    assert shop.comes_back("o-1").status is Status.SUCCEEDED
    assert shop.stands() == ("payment.authorized", {"authorized": 1200})


def test_a_payment_is_captured_with_its_authorization(shop):
    assert shop.authorized(with_capture=True).status is Status.SUCCEEDED
    assert shop.stands() == ("payment.captured", WHOLE)


def test_only_this_payments_buyer_can_complete_it(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay")
    with pytest.raises(InvalidInput, match="amazonCheckoutSessionId"):
        shop.engine.resume("o-1", {"amazonCheckoutSessionId": "session-of-another"})


def test_a_buyer_who_leaves_ends_the_payment(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay")
    shop.emulator.consumer.decline("o-1")
    shop.passes()
    assert shop.stands() == ("payment.failed", {})


def test_a_session_that_nobody_completes_is_over_after_a_day(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay")
    shop.passes(timedelta(hours=25))
    assert shop.stands() == ("payment.failed", {})


def test_a_card_that_is_refused_as_the_buyer_comes_back_ends_the_payment(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay")
    shop.emulator.misbehave("refuse", command="complete")
    answer = shop.comes_back("o-1")
    assert answer.status is Status.DECLINED
    assert answer.evidence.code == "Declined"
    assert shop.stands() == ("payment.failed", {})


def test_an_authorization_may_be_pending_where_that_is_allowed(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay", allow_pending=True)
    shop.emulator.misbehave("pending", command="complete")
    assert shop.comes_back("o-1").status is Status.PENDING
    shop.emulator.complete("o-1")
    shop.hears()
    assert shop.stands() == ("payment.authorized", {"authorized": 1200})


def test_the_reply_to_the_completion_is_lost_and_an_inquiry_finds_the_charge(shop):
    shop.does("authorize", "o-1", 1200, "amazon_pay")
    shop.emulator.misbehave("lose_reply", command="complete")
    assert shop.comes_back("o-1").status is Status.UNKNOWN
    shop.passes()
    assert shop.stands() == ("payment.authorized", {"authorized": 1200})
    assert len(shop.emulator.books.charges) == 1


def test_a_part_is_captured_and_the_rest_is_released(shop):
    shop.authorized()
    assert shop.does("capture", "o-1", 1000).status is Status.SUCCEEDED
    assert shop.stands() == ("payment.captured", PARTLY)
    assert shop.does("capture", "o-1", 1).status is Status.DENIED


def test_the_reply_to_a_capture_is_lost_and_the_same_request_gets_it_again(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_reply", command="capture")
    assert shop.does("capture", "o-1", 1000).status is Status.UNKNOWN
    shop.passes()
    assert shop.stands() == ("payment.captured", PARTLY)
    assert [m.command for m in shop.emulator.books.movements["o-1"]] == [
        *("authorize", "capture"),
    ]


def test_a_late_capture_is_pending_and_may_be_declined_which_ends_the_charge(shop):
    shop.authorized()
    shop.passes(A_WEEK)
    assert shop.does("capture", "o-1", 1000).status is Status.PENDING
    shop.emulator.fail("o-1")
    shop.hears()
    amounts = {"authorized": 1200, "lapsed": 1200}
    assert shop.stands() == ("payment.expired", amounts)


def test_a_late_capture_that_succeeds_is_found_by_the_charges_totals(shop):
    shop.authorized()
    shop.passes(A_WEEK)
    shop.does("capture", "o-1", 1000)
    shop.emulator.complete("o-1")
    shop.passes()
    assert shop.stands() == ("payment.captured", PARTLY)


def test_a_cancel_whose_reply_is_lost_is_not_taken_for_anothers(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_reply", command="cancel")
    assert shop.does("cancel", "o-1", reason="sold out").status is Status.UNKNOWN
    shop.passes()
    amounts = {"authorized": 1200, "released": 1200}
    assert shop.stands() == ("payment.cancelled", amounts)


def test_what_amazon_takes_back_has_lapsed_and_was_not_cancelled(shop):
    shop.authorized()
    shop.emulator.portal.expire("o-1")
    shop.hears()
    assert shop.stands()[0] == "payment.expired"


def test_refunds_are_pending_until_amazon_ends_each(shop):
    shop.authorized(with_capture=True)
    assert shop.does("refund", "o-1", 500).status is Status.PENDING
    assert shop.does("refund", "o-1", 500).status is Status.PENDING
    assert shop.does("refund", "o-1", 500).status is Status.DENIED
    shop.emulator.fail("o-1")  # the first
    shop.hears()
    status, amounts = shop.stands()
    assert (status, amounts["refunding"]) == ("payment.captured", 500)
    shop.emulator.complete("o-1")
    shop.hears()
    assert shop.does("refund", "o-1").evidence is not None
    shop.emulator.complete("o-1")
    shop.hears()
    assert shop.stands() == ("payment.refunded", {**WHOLE, "refunded": 1200})


def test_a_refund_without_a_reply_is_not_presumed_lost_while_it_is_under_way(shop):
    # The charge's total shows it only once it has ended; presumed lost, it would be
    # asked for once more.
    shop.authorized(with_capture=True)
    shop.emulator.misbehave("lose_reply", command="create_refund")
    assert shop.does("refund", "o-1", 500).status is Status.UNKNOWN
    shop.passes()
    assert shop.stands() == ("payment.captured", {**WHOLE, "refunding": 500})
    assert len(shop.emulator.books.refunds) == 1
    shop.emulator.complete("o-1")
    shop.hears()
    assert shop.stands() == ("payment.partially_refunded", {**WHOLE, "refunded": 500})


def test_a_refund_in_the_portal_is_found_and_one_above_the_capture_is_shown(shop):
    shop.authorized(with_capture=True)
    shop.emulator.portal.refund("o-1", 200)
    shop.hears()
    assert shop.stands() == ("payment.partially_refunded", {**WHOLE, "refunded": 200})
    shop.emulator.portal.refund("o-1", 1100)
    shop.hears()
    found = shop.engine.transaction("o-1")
    assert [one.reason for one in found.discrepancies.values()] == ["totals_differ"]


def test_a_throttled_capture_rests_and_is_sent_again(shop):
    shop.authorized()
    shop.emulator.misbehave("http_429", command="capture")
    answer = shop.does("capture", "o-1", 1000)
    assert answer.status is Status.UNKNOWN
    assert answer.evidence.not_before == shop.now + timedelta(minutes=1)
    shop.passes()
    assert shop.stands() == ("payment.captured", PARTLY)


def test_a_permission_is_charged_again_and_again_until_it_is_closed(shop):
    assert shop.consented().status is Status.SUCCEEDED
    kind = {"lifecycle": "amazon_pay_charge", "agreement": "club-7"}
    first = shop.does("create_charge", "month-1", 980, **kind, with_capture=True)
    second = shop.does("create_charge", "month-2", 980, **kind)
    assert {first.status, second.status} == {Status.SUCCEEDED}
    assert shop.does("capture", "month-2").status is Status.SUCCEEDED
    shop.does("refund", "month-2", 980)
    shop.emulator.complete("month-2")
    shop.hears()
    assert shop.stands("month-2")[0] == "payment.refunded"
    assert shop.does("terminate", "club-7").status is Status.SUCCEEDED
    third = shop.does("create_charge", "month-3", 980, **kind)
    assert third.status is Status.DENIED


def test_a_declined_charge_is_declined_for_good(shop):
    shop.consented()
    shop.emulator.misbehave("refuse", command="create_charge")
    kind = {"lifecycle": "amazon_pay_charge", "agreement": "club-7"}
    answer = shop.does("create_charge", "month-1", 980, **kind)
    assert (answer.status, answer.evidence.code) == (Status.DECLINED, "HardDeclined")


def test_the_terms_of_a_permission_change_though_the_reply_is_lost(shop):
    shop.consented()
    shop.emulator.misbehave("lose_reply", command="update_permission")
    weekly = {"unit": "Week", "value": 2}
    answer = shop.does("update_consent", "club-7", 480, frequency=weekly)
    assert answer.status is Status.UNKNOWN
    shop.passes()
    assert shop.stands("club-7") == ("consent.consented", {"agreed": 480})


def test_a_permission_that_the_buyer_closes_is_known_to_be_closed(shop):
    shop.consented()
    shop.emulator.portal.terminate("club-7")
    shop.hears()
    assert shop.stands("club-7")[0] == "consent.terminated"


def test_a_page_that_was_lost_is_had_again_and_opens_no_second_session(shop):
    shop.emulator.misbehave("lose_reply", command="create_session")
    assert shop.does("authorize", "o-1", 1200, "amazon_pay").status is Status.UNKNOWN
    shop.passes()
    assert shop.stands()[0] == "payment.requested"
    assert len(shop.emulator.books.sessions) == 1


def test_amounts_are_decimals_of_their_currency(shop):
    shop.does("authorize", "usd-1", 14_05, "amazon_pay", currency="USD")
    (session,) = shop.emulator.books.sessions.values()
    price = session.details["paymentDetails"]["chargeAmount"]
    assert price == {"amount": "14.05", "currencyCode": "USD"}
