"""Orders at Stripe, from the command to the money, through the engine."""

from datetime import timedelta

import pytest

from kessai import Status, load_shipped
from kessai.errors import InvalidInput
from kessai.flow.archive import Archivable
from kessai.machine import compile_lifecycle
from kessai_adapters.emulators.stripe.forms import Params


def test_an_order_is_authorized_captured_in_part_and_refunded_to_zero(shop):
    answer = shop.authorizes()
    assert answer.status is Status.SUCCEEDED
    assert set(shop.found().references) == {"payment_intent", "charge"}
    shop.asks("capture", amount=400)
    assert shop.stands() == (
        "payment.captured",
        {"authorized": 1000, "captured": 400, "released": 600},
    )
    shop.asks("refund", amount=150)
    shop.asks("refund")
    status, amounts = shop.stands()
    assert (status, amounts["refunded"]) == ("payment.refunded", 400)
    shop.hears()
    # What was left over appears as a refund, and is none of ours.
    assert shop.stands() == (status, amounts)
    assert not shop.found().discrepancies


def test_an_authorization_is_cancelled(shop):
    shop.authorizes()
    answer = shop.asks("cancel", parameters={"reason": "requested_by_customer"})
    assert answer.status is Status.SUCCEEDED
    shop.hears()
    assert shop.stands()[0] == "payment.cancelled"
    assert not shop.found().discrepancies


def test_an_authorization_lapses_at_the_time_that_stripe_states(shop):
    shop.authorizes()
    shop.clock.pass_by(days=7, minutes=1)
    shop.emulator.payments()
    shop.hears()
    assert shop.stands()[0] == "payment.expired"


def test_a_declined_card_keeps_the_id_of_its_intent(shop):
    answer = shop.authorizes(payment_method="pm_card_visa_chargeDeclined")
    assert (answer.status, answer.evidence.code) == (
        Status.DECLINED,
        "card_declined/generic_decline",
    )
    assert shop.stands() == ("payment.failed", {})
    assert shop.intent in shop.emulator.books.payments
    shop.hears()
    assert not shop.found().discrepancies


@pytest.mark.parametrize(
    ("act", "status"),
    [("approve", "payment.authorized"), ("decline", "payment.failed")],
)
def test_the_cardholder_is_asked_and_answers(shop, act, status):
    answer = shop.authorizes(
        payment_method="pm_card_threeDSecure2Required",
        return_url="https://shop.example/done",
    )
    assert answer.status is Status.PENDING
    assert answer.disclosed["page"].endswith(f"/redirect/{shop.intent}")
    getattr(shop.emulator.consumer, act)(shop.intent)
    shop.hears()
    assert shop.stands()[0] == status


def test_the_page_is_had_again(shop):
    asked = {
        "key": "key-1",
        "amount": 1000,
        "currency": "JPY",
        "parameters": {
            "payment_method": "pm_card_threeDSecure2Required",
            "return_url": "https://shop.example/done",
        },
    }
    first = shop.asks("authorize", **asked)
    shop.clock.pass_by(days=2)
    again = shop.asks("authorize", **asked)
    assert again.disclosed == first.disclosed
    assert len(shop.emulator.books.payments) == 1


def test_in_the_browser_a_consumer_may_try_another_card(shop):
    answer = shop.authorizes(payment_method=None)
    assert set(answer.disclosed) == {"client_secret"}
    shop.emulator.consumer.pay(shop.intent, "pm_card_visa")
    shop.hears()
    assert shop.stands()[0] == "payment.authorized"


def test_a_reply_that_was_lost_is_found_by_what_was_made_since(shop):
    shop.emulator.misbehave("lose_reply", command="payment_intents.create")
    assert shop.authorizes().status is Status.UNKNOWN
    shop.recovers()
    assert shop.stands()[0] == "payment.authorized"
    assert shop.wire.sent == [
        "POST payment_intents",
        "GET payment_intents",
    ]


def test_a_webhook_names_the_intent_whose_reply_was_lost(shop):
    shop.emulator.misbehave("lose_reply", command="payment_intents.create")
    shop.authorizes()
    shop.hears()
    assert shop.stands()[0] == "payment.authorized"
    assert shop.wire.sent[1] == f"GET payment_intents/{shop.intent}"


@pytest.mark.parametrize(
    ("fault", "status"),
    [("http_500", "payment.authorized"), ("http_500_undone", "payment.failed")],
)
def test_a_500_is_settled_by_looking_and_not_by_asking_again(shop, fault, status):
    shop.emulator.misbehave(fault, command="payment_intents.create")
    assert shop.authorizes().status is Status.UNKNOWN
    shop.recovers()
    assert shop.stands()[0] == status
    assert shop.wire.sent.count("POST payment_intents") == 1


def test_too_many_requests_were_not_carried_out(shop):
    shop.authorizes()
    shop.emulator.misbehave("http_429")
    answer = shop.asks("capture", amount=400)
    assert (answer.status, answer.evidence.code) == (Status.DECLINED, "rate_limit")
    assert shop.asks("capture", amount=400).status is Status.SUCCEEDED


def test_captured_already_is_looked_up(shop):
    shop.authorizes()
    shop.emulator.portal.capture(shop.intent, 400)
    answer = shop.asks("capture", amount=400)
    assert answer.status is Status.SUCCEEDED
    assert shop.wire.sent[-2:] == [f"GET payment_intents/{shop.intent}", "GET refunds"]
    assert shop.stands()[1]["captured"] == 400


def test_a_refund_that_fails_weeks_later_is_made_good(shop):
    shop.authorizes(with_capture=True)
    shop.asks("refund", amount=300)
    shop.clock.pass_by(days=21)
    shop.emulator.fail_later(shop.intent)
    shop.hears()
    assert shop.stands() == (
        "payment.captured",
        {"authorized": 1000, "captured": 1000},
    )
    assert shop.asks("refund").status is Status.SUCCEEDED


def test_a_pending_refund_ends_when_stripe_says_so(shop):
    shop.authorizes(payment_method="pm_card_pendingRefund", with_capture=True)
    assert shop.asks("refund", amount=300).status is Status.PENDING
    shop.emulator.complete(shop.intent)
    shop.hears()
    assert shop.stands()[1]["refunded"] == 300


@pytest.mark.parametrize(
    ("end", "status", "amounts"),
    [
        ("win_dispute", "payment.partially_refunded", {}),
        ("lose_dispute", "payment.charged_back", {"charged_back": 900}),
    ],
)
def test_a_dispute_withholds_the_money_until_it_ends(shop, end, status, amounts):
    shop.authorizes(with_capture=True)
    shop.asks("refund", amount=100)
    shop.emulator.portal.dispute(shop.intent)
    shop.hears()
    assert shop.stands()[0] == "payment.disputed"
    assert shop.stands()[1]["disputed"] == 900
    assert not shop.found().unclaimed  # nobody here asks for what the bank decides
    getattr(shop.emulator.portal, end)(shop.intent)
    shop.hears()
    kept = {"authorized": 1000, "captured": 1000, "refunded": 100}
    assert shop.stands() == (status, {**kept, **amounts})


def test_parts_are_captured_one_by_one(shop):
    shop.emulator._intents.multicapture = True
    shop.authorizes(several_captures=True)
    shop.asks("capture_part", amount=300)
    shop.emulator.misbehave("lose_reply", command="payment_intents.capture")
    shop.asks("capture_part", amount=300)
    shop.recovers()
    shop.asks("capture", amount=100)
    shop.hears()
    assert shop.stands() == (
        "payment.captured",
        {"authorized": 1000, "captured": 700, "released": 300},
    )
    assert not shop.found().discrepancies


def test_what_is_refunded_in_the_dashboard_is_seen(shop):
    shop.authorizes()
    shop.asks("capture", amount=400)
    shop.emulator.portal.refund(shop.intent, 100)
    shop.hears()
    assert shop.stands()[1]["refunded"] == 100


def test_a_krona_is_a_hundred_at_stripe(shop):
    given = {"currency": "ISK", "parameters": {"payment_method": "pm_card_visa"}}
    shop.asks("authorize", amount=700, **given)
    assert shop.emulator.books.payments[shop.intent].intent["amount"] == 70_000
    shop.asks("capture", amount=500)
    shop.asks("refund", amount=200)
    shop.hears()
    assert shop.stands()[1]["refunded"] == 200


def test_a_dinar_ends_in_nought(shop):
    with pytest.raises(InvalidInput, match="amounts in KWD must end in 0"):
        shop.asks(
            "authorize",
            amount=1001,
            currency="KWD",
            parameters={"payment_method": "pm_card_visa"},
        )
    assert shop.wire.sent == []


def test_an_order_that_was_charged_back_is_archived_without_an_operator(shop):
    shop.authorizes(900, with_capture=True)
    shop.emulator.portal.dispute(shop.intent)
    shop.hears()
    shop.emulator.portal.lose_dispute(shop.intent)
    shop.hears()
    assert shop.stands()[0] == "payment.charged_back"
    later = Archivable(until=shop.clock.now + timedelta(days=1))
    assert later.has(compile_lifecycle(load_shipped("card")), shop.found())


def test_a_card_is_saved_charged_while_its_owner_is_away_and_let_go(shop):
    name = shop.emulator._methods.create_customer(Params({}))["id"]
    answer = shop.asks(
        "set_up",
        "card-1",
        lifecycle="saved_card",
        currency="JPY",
        parameters={"customer": name, "payment_method": "pm_card_visa"},
    )
    assert answer.status is Status.SUCCEEDED
    references = shop.found("card-1").references
    assert set(references) == {"setup_intent", "payment_method", "customer"}

    charge = {"lifecycle": "saved_card_charge", "agreement": "card-1"}
    paid = shop.asks("authorize", "charge-1", amount=500, currency="JPY", **charge)
    assert paid.status is Status.SUCCEEDED
    shop.asks("capture", "charge-1", amount=500)

    shop.emulator.misbehave("lose_reply", command="payment_methods.detach")
    assert shop.asks("terminate", "card-1").status is Status.UNKNOWN
    shop.recovers()
    assert shop.stands("card-1")[0] == "consent.terminated"
    shop.hears()
    assert not shop.found("card-1").discrepancies
    assert shop.stands("charge-1")[0] == "payment.captured"


def test_a_reason_that_stripe_has_not_is_refused(shop):
    shop.authorizes()
    with pytest.raises(InvalidInput, match="reason: must be one of abandoned"):
        shop.asks("cancel", parameters={"reason": "在庫切れ"})
