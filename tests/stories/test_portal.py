"""What someone does in the gateway's portal, without asking the engine."""

from datetime import timedelta

import pytest

from kessai import Missing, Recovery
from kessai.limits import NOTHING_IN_FLIGHT


@pytest.fixture(params=["notification", "inquiry"])
def learn(request, shop):
    """How the engine comes to know."""

    def by_notification(name):
        assert shop.notification()

    def by_inquiry(name):
        shop.emulator.take_notifications()
        shop.recover(name)

    return by_notification if request.param == "notification" else by_inquiry


def assert_external(shop, name):
    assert shop.kinds(name)[-1] == "External"
    assert shop.transaction(name).discrepancies == {}


@pytest.mark.parametrize(("amount", "captured"), [(400, 400), (None, 1000)])
def test_a_capture(shop, learn, amount, captured):
    shop.authorized()
    shop.emulator.portal.capture("order", amount)
    learn("order")
    assert_external(shop, "order")
    assert shop.transaction("order").amounts["captured"] == captured
    assert "state_not_allowed" in shop.do("capture", "order").denial.codes
    shop.books_agree()


def test_a_cancel(shop, learn):
    shop.authorized()
    shop.emulator.portal.cancel("order")
    learn("order")
    assert_external(shop, "order")
    assert shop.transaction("order").status == "payment.cancelled"
    shop.books_agree()


def test_refunds_beside_the_engines_own(shop, learn):
    shop.captured()
    shop.do("refund", "order", amount=100)
    shop.emulator.take_notifications()
    shop.emulator.portal.refund("order", 100)
    shop.emulator.portal.refund("order", 300)
    learn("order")
    assert_external(shop, "order")
    assert shop.transaction("order").amounts["refunded"] == 500
    assert shop.can("order")["refund"].bounds.maximum == 500
    shop.emulator.portal.refund("order")
    learn("order")
    assert shop.transaction("order").status == "payment.refunded"
    shop.books_agree()


def test_a_termination(shop, learn):
    shop.consented()
    shop.emulator.portal.terminate("plan")
    learn("plan")
    assert_external(shop, "plan")
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert charge.denial.codes == ("agreement_state",)
    shop.books_agree()


def test_a_termination_that_the_engine_has_not_heard_of(shop):
    shop.consented()
    shop.emulator.portal.terminate("plan")
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert charge.status != "succeeded"
    shop.notification()
    open_charge = ["charge"] if charge.status == "unknown" else []
    assert shop.transaction("plan").states["consent"] == "terminated"
    shop.books_agree(still_open=open_charge)


def test_an_expired_authorization_is_seen_by_an_inquiry(shop):
    shop.authorized()
    shop.emulator.portal.expire("order")
    assert shop.notification() == []
    shop.recover("order")
    assert shop.kinds("order")[-1] == "Lapsed"
    assert shop.transaction("order").status == "payment.expired"
    assert shop.transaction("order").amounts["released"] == 1000
    shop.books_agree()


def test_an_expired_opening_is_notified_as_a_failure(shop, learn):
    shop.apply()
    shop.emulator.portal.expire("order")
    learn("order")
    assert shop.transaction("order").status == "payment.failed"
    shop.books_agree()


def test_the_engine_captures_what_was_cancelled_in_the_portal(shop):
    shop.authorized()
    shop.emulator.portal.cancel("order")
    answer = shop.do("capture", "order", amount=600)
    assert answer.status == "declined"
    assert not answer.may_send_again
    shop.recover("order")
    assert shop.transaction("order").status == "payment.cancelled"
    shop.books_agree()


def test_the_engine_cancels_what_was_captured_in_the_portal(shop):
    shop.authorized()
    shop.emulator.portal.capture("order", 600)
    answer = shop.do("cancel", "order")
    assert answer.status == "declined"
    shop.recover("order")
    assert shop.transaction("order").amounts["captured"] == 600
    shop.books_agree()


def test_the_engine_captures_another_amount_than_was_captured_in_the_portal(shop):
    shop.authorized()
    shop.emulator.portal.capture("order", 600)
    answer = shop.do("capture", "order", amount=700)
    assert answer.status == "declined"
    shop.recover("order")
    assert shop.transaction("order").amounts["captured"] == 600
    shop.books_agree()


def test_a_refund_in_the_portal_takes_what_the_engine_thinks_is_left(shop):
    shop.captured()
    shop.emulator.portal.refund("order", 800)
    answer = shop.do("refund", "order", amount=300)
    assert answer.status == "declined"
    assert answer.transaction.amounts["refunding"] == 0
    shop.notification()
    assert shop.transaction("order").amounts["refunded"] == 800
    assert shop.can("order")["refund"].bounds.maximum == 200
    shop.books_agree()


def test_a_cancel_in_the_portal_beside_a_lost_capture_is_first_a_discrepancy(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_request", command="Capture")
    assert shop.do("capture", "order", amount=600).status == "unknown"
    shop.emulator.portal.cancel("order")
    shop.notification()
    before = shop.transaction("order")
    assert before.status == "payment.authorized"
    assert len(before.discrepancies) == 1
    shop.recover("order")
    assert len(shop.transaction("order").discrepancies) == 1
    shop.books_agree(still_open=["order"])


def test_an_order_that_the_engine_never_made_is_one_discrepancy(shop):
    shop.authorized()
    shop.emulator.portal.capture("order")
    [notification] = shop.emulator.take_notifications()
    body = notification.body.replace(b"orderId0000=order", b"orderId0000=other")
    signed = shop.emulator.merchant.content_hmac(body)
    for _ in range(2):
        shop.notification_raw({**notification.headers, "Content-Hmac": signed}, body)
    assert shop.kinds("other") == ["Discrepancy"]
    assert shop.do("refund", "other").denial.codes == ("unknown_transaction",)
    shop.notification([notification])
    shop.books_agree()


LOST = [
    ("capture", {"amount": 600}, "capture", 500, "payment.captured"),
    ("capture", {"amount": 600}, "cancel", None, "payment.cancelled"),
    ("cancel", {}, "capture", 500, "payment.captured"),
    ("update_authorization", {"amount": 600}, "capture", 500, "payment.captured"),
    ("update_authorization", {"amount": 600}, "cancel", None, "payment.cancelled"),
]
WIRE = {"capture": "Capture", "cancel": "Cancel"} | {
    "update_authorization": "UpdateAuthorize"
}
NOW = timedelta()


@pytest.mark.parametrize("missing", [Missing.DECLINE, Missing.RESEND])
@pytest.mark.parametrize(("command", "fields", "by_hand", "amount", "status"), LOST)
def test_once_the_lost_command_is_resolved_the_portals_counts(  # noqa: PLR0917
    shop, learn, command, fields, by_hand, amount, status, missing
):
    shop.authorized()
    shop.emulator.misbehave("lose_request", command=WIRE[command])
    lost = shop.do(command, "order", **fields)
    assert lost.status == "unknown"
    act = getattr(shop.emulator.portal, by_hand)
    act("order") if amount is None else act("order", amount)
    learn("order")
    assert shop.transaction("order").status == "payment.authorized"
    recovery = Recovery(
        patience=NOW, in_flight_limit=NOW, waits=NOTHING_IN_FLIGHT, missing=missing
    )
    [resolved] = shop.recover("order", recovery)
    assert (resolved.key, resolved.status) == (lost.key, "declined")
    shop.recover("order")
    assert shop.transaction("order").status == status
    shop.books_agree()
    assert "Discrepancy" in shop.kinds("order")
    assert not shop.transaction("order").discrepancies
    assert shop.store.unresolved(shop.clock.now, 10) == []


@pytest.mark.parametrize(
    ("command", "fields", "by_hand", "amount"), [one[:4] for one in LOST[:3]]
)
def test_what_the_portal_did_waits_while_it_is_not_applied(  # noqa: PLR0917
    shop, learn, command, fields, by_hand, amount
):
    """An operator is wrong about the lost command: the books differ, and it shows."""
    shop.authorized()
    shop.emulator.misbehave("lose_request", command=WIRE[command])
    [lost] = shop.do(command, "order", **fields).transaction.operations
    act = getattr(shop.emulator.portal, by_hand)
    act("order") if amount is None else act("order", amount)
    learn("order")
    (number,) = shop.transaction("order").discrepancies
    shop.resolve("order", lost, "succeeded")
    shop.recover("order")
    assert shop.differences("order") != []
    assert list(shop.transaction("order").discrepancies) == [number]
    assert shop.store.unresolved(shop.clock.now, 10) == ["order"]


def test_a_lost_update_and_an_expiry_in_the_portal(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_request", command="UpdateAuthorize")
    shop.do("update_authorization", "order", amount=600)
    shop.emulator.portal.expire("order")
    recovery = Recovery(
        patience=NOW,
        in_flight_limit=NOW,
        waits=NOTHING_IN_FLIGHT,
        missing=Missing.RESEND,
    )
    assert shop.recover("order", recovery)[0].status == "declined"
    shop.recover("order")
    assert shop.transaction("order").status == "payment.expired"
    shop.books_agree()


def test_the_portal_does_just_what_the_lost_command_wanted(shop, learn):
    shop.authorized()
    shop.emulator.misbehave("lose_request", command="Capture")
    lost = shop.do("capture", "order", amount=600)
    shop.emulator.portal.capture("order", 600)
    learn("order")
    assert shop.again(lost, amount=600).status == "succeeded"
    assert shop.sent.count("Capture") == 1
    shop.books_agree()


def test_a_refund_refused_for_want_of_balance_finds_the_portals(shop):
    shop.authorized()
    shop.do("capture", "order")
    shop.emulator.portal.refund("order", 800)
    refused = shop.do("refund", "order", amount=300)
    assert refused.status == "declined"
    assert shop.transaction("order").amounts["refunded"] == 800
    shop.books_agree()


def test_a_resend_that_is_refused_finds_what_the_portal_did(shop):
    shop.authorized()
    shop.do("capture", "order")
    shop.emulator.misbehave("lose_request", command="Refund")
    shop.do("refund", "order", amount=300)
    shop.emulator.portal.refund("order", 800)
    shop.recover("order")
    recovery = Recovery(
        patience=NOW,
        in_flight_limit=NOW,
        waits=NOTHING_IN_FLIGHT,
        missing=Missing.RESEND,
    )
    [resolved] = shop.recover("order", recovery)
    assert resolved.status == "declined"
    assert shop.transaction("order").amounts["refunded"] == 800
    shop.books_agree()
