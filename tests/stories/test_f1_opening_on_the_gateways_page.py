"""F1: the consumer approves on the gateway's page, and a notification shows it."""

from html import escape
from urllib.parse import parse_qsl, urlsplit

import pytest

from kessai.errors import NotificationRefused, RedirectRefused
from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.veritrans4g import check_redirect

THANKS = "https://shop.example/thanks"


def test_the_consumer_approves_and_a_notification_shows_it(shop):
    answer = shop.apply()
    assert answer.status == "pending"
    page = shop.emulator.consumer.page_url("order")
    assert escape(page) in answer.disclosed["page"]
    assert page not in repr(answer)
    assert answer.transaction.status == "payment.requested"
    shop.books_agree(still_open=["order"])
    shop.emulator.consumer.log_in("order")
    shop.approve("order")
    assert shop.transaction("order").status == "payment.authorized"
    assert shop.transaction("order").amounts["authorized"] == 1000
    shop.books_agree()


def test_the_first_answer_stands_under_its_key_without_the_page(shop):
    answer = shop.apply()
    fields = {"lifecycle": "one_time", "amount": 1000}
    again = shop.again(answer, **fields)
    assert again.is_recorded
    assert again.status == "pending"
    shop.approve("order")
    assert shop.again(answer, **fields).status == "succeeded"
    assert shop.sent == ["Authorize"]
    shop.books_agree()


@pytest.mark.parametrize("how", ["decline", "refuse_card"])
def test_the_consumer_declines_or_the_card_is_refused(shop, how):
    shop.apply()
    getattr(shop.emulator.consumer, how)("order")
    shop.notification()
    transaction = shop.transaction("order")
    assert transaction.status == "payment.failed"
    assert transaction.amounts["authorizing"] == 0
    denial = shop.do("capture", "order").denial
    assert "state_not_allowed" in denial.codes
    shop.books_agree()


def test_a_closed_browser_leaves_the_opening_pending(shop):
    shop.apply()
    shop.emulator.consumer.log_in("order")
    shop.emulator.consumer.close_browser("order")
    shop.clock.pass_by(hours=2)
    assert [answer.status for answer in shop.recover("order")] == ["pending"]
    assert shop.transaction("order").status == "payment.requested"
    with pytest.raises(OutOfPlay):
        shop.emulator.consumer.approve("order")
    shop.books_agree(still_open=["order"])
    shop.emulator.consumer.log_in("order")
    shop.approve("order")
    assert shop.transaction("order").status == "payment.authorized"
    shop.books_agree()


def test_a_browser_closed_after_approval_changes_nothing(shop):
    shop.apply(success_url=THANKS)
    shop.emulator.consumer.approve("order")
    shop.emulator.consumer.close_browser("order")
    shop.notification()
    assert shop.transaction("order").status == "payment.authorized"
    shop.books_agree()


@pytest.mark.parametrize("wish", ["now", "decline"])
def test_a_notification_that_overtakes_the_reply_resolves_the_opening(shop, wish):
    shop.emulator.approve = wish
    shop.notifications_overtake = True
    answer = shop.apply()
    states = {
        "now": ("succeeded", "payment.authorized"),
        "decline": ("declined", "payment.failed"),
    }
    assert (answer.status, answer.transaction.status) == states[wish]
    assert "page" in answer.disclosed
    shop.books_agree()


def test_notifications_overtake_every_reply(shop):
    shop.emulator.approve = "now"
    shop.notifications_overtake = True
    shop.apply()
    assert shop.do("update_authorization", "order", amount=1500).status == "succeeded"
    assert shop.do("capture", "order", amount=1200).status == "succeeded"
    assert shop.do("refund", "order", amount=200).status == "succeeded"
    assert shop.do("refund", "order").status == "succeeded"
    assert shop.transaction("order").status == "payment.refunded"
    assert shop.transaction("order").discrepancies == {}
    shop.books_agree()


def test_a_notification_that_comes_twice_counts_once(shop):
    shop.apply()
    shop.emulator.consumer.approve("order")
    notifications = shop.notification()
    before = shop.transaction("order")
    shop.notification(notifications)
    assert shop.transaction("order") == before
    shop.books_agree()


def test_a_late_notification_changes_nothing_any_more(shop):
    shop.apply()
    shop.emulator.consumer.approve("order")
    late = shop.emulator.take_notifications()
    shop.recover("order")
    shop.do("capture", "order", amount=600)
    shop.do("refund", "order", amount=100)
    before = shop.transaction("order")
    shop.clock.pass_by(days=3)
    shop.notification(late)
    assert shop.transaction("order") == before
    shop.books_agree()


def test_a_lost_notification_is_made_up_for_by_an_inquiry(shop):
    shop.apply()
    shop.emulator.consumer.approve("order")
    assert shop.emulator.take_notifications()
    [answer] = shop.recover("order")
    assert answer.status == "succeeded"
    assert answer.transaction.status == "payment.authorized"
    shop.books_agree()


@pytest.mark.parametrize("forgery", ["body", "signature", "none", "merchant"])
def test_a_forged_notification_is_refused_and_changes_nothing(shop, forgery):
    shop.apply()
    shop.emulator.consumer.approve("order")
    [notification] = shop.emulator.take_notifications()
    before = shop.transaction("order")
    signed = notification.headers["Content-Hmac"]
    headers, body = dict(notification.headers), notification.body
    match forgery:
        case "body":
            body = body.replace(b"amount0000=1000", b"amount0000=9000")
            assert body != notification.body
        case "signature":
            headers["Content-Hmac"] = signed[:-4] + "0000"
        case "none":
            del headers["Content-Hmac"]
        case "merchant":
            headers["Content-Hmac"] = signed.replace("s=A1", "s=B1")
    with pytest.raises(NotificationRefused):
        shop.notification_raw(headers, body)
    assert shop.transaction("order") == before
    shop.notification([notification])
    assert shop.transaction("order").status == "payment.authorized"
    shop.books_agree()


def test_one_notification_is_about_two_orders(shop):
    shop.apply("order-1", 700)
    shop.apply("order-2", 900)
    shop.emulator.consumer.approve("order-1")
    shop.emulator.consumer.decline("order-2")
    [notification] = shop.emulator.take_notifications(batch=True)
    assert len(notification.notices) == 2
    shop.notification([notification])
    assert shop.transaction("order-1").status == "payment.authorized"
    assert shop.transaction("order-2").status == "payment.failed"
    shop.notification([notification])
    shop.books_agree()


def test_one_notification_is_about_two_commands_of_one_order(shop):
    shop.apply()
    shop.emulator.consumer.approve("order")
    shop.emulator.portal.capture("order", 400)
    [notification] = shop.emulator.take_notifications(batch=True)
    shop.notification([notification])
    assert shop.transaction("order").status == "payment.captured"
    assert shop.transaction("order").amounts["captured"] == 400
    shop.books_agree()


def test_the_browser_comes_back_with_the_gateways_proof(shop):
    shop.apply(success_url=f"{THANKS}?lang=ja")
    query = dict(parse_qsl(urlsplit(shop.approve("order")).query))
    check_redirect(shop.credentials, query)
    assert query["orderId"] == "order"
    for name in ("orderId", "mstatus"):
        with pytest.raises(RedirectRefused):
            check_redirect(shop.credentials, query | {name: "another"})
    shop.books_agree()


def test_the_redirect_alone_is_no_evidence(shop):
    shop.apply(success_url=THANKS)
    browser = shop.emulator.consumer.approve("order")
    check_redirect(shop.credentials, dict(parse_qsl(urlsplit(browser).query)))
    assert shop.transaction("order").status == "payment.requested"
    shop.notification()
    shop.books_agree()


def test_capture_at_once(shop):
    transaction = shop.authorized(with_capture=True)
    assert transaction.status == "payment.captured"
    assert transaction.amounts["captured"] == 1000
    assert shop.do("refund", "order").status == "succeeded"
    shop.books_agree()


@pytest.mark.parametrize(
    ("parameters", "status", "authorized", "captured"),
    [
        ({}, "consent.consented payment.authorized", 1000, 0),
        ({"with_capture": True}, "consent.consented payment.captured", 1000, 1000),
        ({"consent_only": True}, "consent.consented", 0, 0),
    ],
)
def test_a_recurring_opening(shop, parameters, status, authorized, captured):
    transaction = shop.consented(**parameters)
    assert transaction.status == status
    assert transaction.amounts["agreed"] == 1000
    assert transaction.amounts["authorized"] == authorized
    assert transaction.amounts["captured"] == captured
    shop.books_agree()


@pytest.mark.parametrize("parameters", [{}, {"consent_only": True}])
def test_a_recurring_opening_declined(shop, parameters):
    shop.apply_recurring(**parameters)
    shop.emulator.consumer.decline("plan")
    shop.notification()
    assert set(shop.transaction("plan").states.values()) == {"failed"}
    shop.books_agree()


def test_an_id_is_used_once(shop):
    shop.authorized()
    answer = shop.apply()
    assert answer.denial.codes == ("transaction_exists",)
    assert shop.sent.count("Authorize") == 1
    shop.books_agree()
