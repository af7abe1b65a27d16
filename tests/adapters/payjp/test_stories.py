"""Payments at PAY.JP, from an order system's point of view: engine, adapter, gateway."""

from datetime import timedelta

import pytest

from kessai import Command
from kessai.errors import InvalidInput, NotificationRefused
from kessai.flow import Missing
from kessai.flow.inquiry import Recovery
from kessai_adapters.emulators.payjp.fields import Fields

LATER = {"minutes": 11}
WAIT = {"lifecycle": "card", "amount": 500}


def outcome(answer):
    return str(answer.status)


def amounts(shop, *names):
    return [shop.transaction().amounts.get(name, 0) for name in names]


def recover(shop, **more):
    shop.pass_(**LATER)
    return shop.engine.recover_transaction("order-7", Recovery(**more))


def test_a_saved_card_is_authorized_captured_in_part_and_refunded_to_zero(shop):
    assert outcome(shop.authorize(500)) == "succeeded"
    assert shop.state() == "authorized"
    shop.ask("capture", amount=300)
    assert amounts(shop, "captured", "released") == [300, 200]
    shop.ask("refund", amount=100, reason="requested_by_customer")
    assert shop.state() == "partially_refunded"
    shop.ask("refund")
    assert shop.state() == "refunded"
    assert shop.gateway.flows.left(shop.flow()) == 0
    assert shop.engine.reconcile("order-7").events == ()


def test_a_payment_is_captured_at_once(shop):
    shop.authorize(500, with_capture=True)
    assert shop.state() == "captured"
    assert shop.flow()["capture_method"] == "automatic"


def test_a_payment_is_cancelled_for_a_reason_that_the_gateway_has(shop):
    shop.authorize()
    with pytest.raises(InvalidInput, match="one of abandoned, duplicate"):
        shop.ask("cancel", reason="the dog ate it")
    shop.ask("cancel", reason="fraudulent")
    assert shop.state() == "cancelled"
    assert shop.flow()["cancellation_reason"] == "fraudulent"


def test_the_shops_page_pays_with_the_secret(shop):
    answer = shop.ask("authorize", **WAIT)
    assert outcome(answer) == "pending"
    flow = shop.flow()
    assert answer.disclosed == {"client_secret": flow["client_secret"]}
    shop.gateway.consumer.refuse_card(flow.id)
    shop.deliver()
    assert shop.state() == "requested"  # another card may be tried
    shop.gateway.consumer.approve(flow.id)
    shop.deliver()
    assert shop.state() == "authorized"


def test_a_shop_that_lost_the_secret_asks_for_it_again(shop):
    shop.ask("authorize", **WAIT)
    shop.keys -= 1
    again = shop.ask("authorize", **WAIT)
    assert again.disclosed == {"client_secret": shop.flow()["client_secret"]}


@pytest.mark.parametrize(
    ("act", "state"), [("approve", "authorized"), ("decline", "failed")]
)
def test_an_issuer_asks_the_consumer(shop, act, state):
    shop.gateway.flows.three_d_secure = True
    answer = shop.authorize(return_url="https://shop.example/back")
    assert outcome(answer) == "pending"
    assert set(answer.disclosed) == {"next_action"}
    flow = shop.flow()
    assert flow["redirect_options"] == {"include_client_secret": False}
    getattr(shop.gateway.consumer, act)(flow.id)
    shop.deliver()
    assert shop.state() == state


def test_paypay_is_asked_for_on_its_own_page_and_held_for_thirty_days(shop):
    paid = shop.customer()
    method = shop.gateway.cards.make_method("paypay", paid["customer"], {})
    answer = shop.ask("authorize", **WAIT, **{**paid, "payment_method": method.id})
    assert outcome(answer) == "pending"
    shop.gateway.consumer.approve(shop.flow().id)
    shop.deliver()
    until = shop.transaction().deadlines["authorization"]
    assert until - shop.now == timedelta(days=30)
    shop.pass_(days=29)
    shop.ask("capture")
    assert shop.state() == "captured"


def test_a_declined_card_leaves_the_flows_id(shop):
    answer = shop.authorize(number="4000000000004012")
    assert (outcome(answer), answer.evidence.code) == ("declined", "expired_card")
    assert shop.state() == "failed"
    assert shop.flow()["last_payment_error"]["code"] == "expired_card"


def test_an_authorization_that_the_gateway_let_lapse_is_expired(shop):
    shop.authorize()
    shop.pass_(days=7)
    shop.engine.sweep("order-7")
    assert shop.state() == "expired"


STATES = {
    "confirm": "authorized",
    "capture": "captured",
    "cancel": "cancelled",
    "refund": "refunded",
}


def asks(shop, command, fault):
    """`command` is asked for, and what the gateway answers suffers `fault`."""
    if command != "confirm":
        shop.authorize(with_capture=command == "refund")
    shop.gateway.misbehave(fault, command=command)
    return shop.authorize() if command == "confirm" else shop.ask(command)


@pytest.mark.parametrize("command", STATES)
def test_a_reply_that_is_lost_is_found_by_an_inquiry(shop, command):
    assert outcome(asks(shop, command, "lose_reply")) == "unknown"
    recover(shop)
    assert shop.state() == STATES[command]


@pytest.mark.parametrize("fault", ["http_500", "garbage", "truncate"])
@pytest.mark.parametrize("command", STATES)
def test_after_a_reply_that_cannot_be_read_the_gateway_is_asked_at_once(
    shop, command, fault
):
    assert outcome(asks(shop, command, fault)) == "succeeded"
    assert shop.state() == STATES[command]


def test_a_flow_that_was_made_and_never_confirmed_has_moved_nothing(shop):
    shop.gateway.misbehave("lose_reply", command="create_flow")
    assert outcome(shop.authorize()) == "unknown"
    recover(shop)
    assert shop.state() == "failed"


def test_a_page_whose_flow_was_lost_is_found_by_its_order(shop):
    shop.gateway.misbehave("lose_reply", command="create_flow")
    assert outcome(shop.ask("authorize", **WAIT)) == "unknown"
    recover(shop)
    assert outcome(shop.engine.execute(shop.last)) == "pending"
    assert shop.flow()["status"] == "requires_payment_method"


def test_a_request_that_was_lost_is_presumed_lost_or_sent_again(shop):
    shop.authorize()
    shop.gateway.misbehave("lose_request", command="capture")
    assert outcome(shop.ask("capture", amount=300)) == "unknown"
    recover(shop, missing=Missing.RESEND)
    assert amounts(shop, "captured") == [300]


def test_a_refund_is_pending_and_fails_later(shop):
    shop.authorize(with_capture=True)
    shop.gateway.misbehave("pending", command="refund")
    assert outcome(shop.ask("refund", amount=200)) == "pending"
    assert amounts(shop, "refunding", "refunded") == [200, 0]
    shop.gateway.fail(shop.flow().id)
    shop.deliver()
    assert amounts(shop, "refunding", "refunded") == [0, 0]
    assert shop.state() == "captured"


def test_two_refunds_of_one_amount_are_told_apart_by_our_ids(shop):
    shop.authorize(with_capture=True)
    shop.gateway.misbehave("lose_request", command="refund")
    assert outcome(shop.ask("refund", amount=100)) == "unknown"
    shop.gateway.misbehave("lose_reply", command="refund")
    assert outcome(shop.ask("refund", amount=100)) == "unknown"
    recover(shop)
    assert amounts(shop, "refunding", "refunded") == [0, 100]


def test_what_is_done_in_the_console_is_external(shop):
    shop.authorize()
    shop.gateway.portal.capture(shop.flow().id, 400)
    shop.gateway.portal.refund(shop.flow().id, 150)
    shop.deliver()
    assert amounts(shop, "captured", "refunded") == [400, 150]
    assert not shop.transaction().discrepancies


def test_a_payment_is_declined_while_the_gateway_has_too_much_to_do(shop):
    shop.authorize()
    shop.gateway.misbehave("over_capacity", command="capture")
    assert shop.ask("capture").evidence.code == "over_capacity"
    assert outcome(shop.ask("capture")) == "succeeded"


@pytest.mark.parametrize(
    "fault", ["idempotency_timeout", "idempotency_infrastructure_error"]
)
def test_an_idempotency_layer_that_fails_proves_nothing(shop, fault):
    shop.authorize()
    shop.gateway.misbehave(fault, command="capture")
    shop.ask("capture")
    recover(shop)
    captured = 500 if fault == "idempotency_timeout" else 0
    assert amounts(shop, "captured", "capturing") == [captured, 0]


def test_a_card_is_saved_charged_and_given_up(shop):
    books = shop.gateway.books
    customer = books.save(books.make("customer", default_payment_method_id=None)).id
    answer = shop.ask("set_up", "club-1", lifecycle="saved_card", customer=customer)
    assert set(answer.disclosed) == {"client_secret"}
    setup = shop.transaction("club-1").references["setup_flow"]
    shop.gateway.consumer.approve(setup)
    shop.deliver()
    assert shop.state("club-1") == "consented"
    charged = shop.ask(
        *("authorize", "charge-1", 980, "saved_card_charge"),
        agreement="club-1",
        with_capture=True,
    )
    assert outcome(charged) == "succeeded"
    shop.ask("terminate", "club-1")
    assert shop.state("club-1") == "terminated"
    assert shop.engine.reconcile("club-1").events == ()


def test_a_card_that_is_detached_in_the_console_ends_the_consent(shop):
    books = shop.gateway.books
    customer = books.save(books.make("customer", default_payment_method_id=None)).id
    shop.ask("set_up", "club-1", lifecycle="saved_card", customer=customer)
    shop.gateway.consumer.approve(shop.transaction("club-1").references["setup_flow"])
    shop.deliver()
    method = shop.transaction("club-1").references["payment_method"]
    shop.gateway.cards.detach(method, Fields(b""))
    shop.deliver()
    assert shop.state("club-1") == "terminated"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"several_captures": True}, "parameter several_captures"),
        ({"save_payment_method": True, "customer": "cus_1"}, "save_payment_method"),
        ({"payment_method": "pm_1"}, "only with the customer"),
        ({"return_url": "https://shop.example/"}, "only with payment_method"),
        ({"payment_method": "no id!", "customer": "cus_1"}, "is no id"),
    ],
)
def test_what_the_gateway_has_not_is_refused_before_anything_is_written(
    shop, asked, why
):
    with pytest.raises(InvalidInput, match=why):
        shop.ask("authorize", **WAIT, **asked)
    assert len(shop.gateway.books) == 0


def test_other_currencies_are_refused_before_anything_is_sent(shop):
    command = Command(
        *("authorize", "order-7"),
        key="key-1",
        lifecycle="card",
        amount=500,
        currency="USD",
    )
    with pytest.raises(InvalidInput, match="the currency must be JPY"):
        shop.engine.execute(command)


def test_a_capture_below_fifty_yen_is_refused(shop):
    shop.authorize()
    with pytest.raises(InvalidInput, match="from 50 to 9999999 yen"):
        shop.ask("capture", amount=49)


def test_a_webhook_with_another_token_is_refused(shop):
    shop.authorize()
    (*_, last) = shop.gateway.take_notifications()
    for token in ("", "whook_" + "f" * 24):
        headers = {**last.headers, "X-Payjp-Webhook-Token": token}
        with pytest.raises(NotificationRefused):
            shop.engine.receive_notification(headers, last.body)


def test_a_forged_webhook_moves_nothing(shop):
    # Who knows the token can write any body; the gateway is asked, and knows better.
    shop.authorize()
    (*_, last) = shop.gateway.take_notifications()
    forged = last.body.replace(b"requires_capture", b"succeeded")
    shop.engine.receive_notification(last.headers, forged)
    assert shop.state() == "authorized"


def test_a_flow_that_is_not_among_the_newest_stays_unknown(shop):
    shop.gateway.misbehave("lose_reply", command="create_flow")
    shop.ask("authorize", **WAIT)
    another = b'{"amount": 500, "currency": "jpy"}'
    for _ in range(100):
        shop.gateway.flows.create(Fields(another))
    recover(shop)
    assert shop.state() == "requested"
    (operation,) = shop.transaction().operations.values()
    assert str(operation.phase) == "unknown"
