"""Payment intents at the emulator: from the attempt to the last yen."""

from datetime import timedelta

import pytest

from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.emulators.stripe import StripeEmulator


def test_an_authorization_can_be_captured_until_the_time_that_its_charge_states(
    merchant, clock
):
    paid = merchant.pays(expand={"0": "latest_charge"})
    assert (paid["status"], paid["amount_capturable"]) == ("requires_capture", 1000)
    card = paid["latest_charge"]["payment_method_details"]["card"]
    week = int((clock.now + timedelta(days=7)).timestamp())
    assert (card["brand"], card["capture_before"]) == ("visa", week)
    clock.pass_by(days=7)
    found = merchant.get(f"payment_intents/{paid['id']}")
    assert (found["status"], found["cancellation_reason"]) == ("canceled", "automatic")


@pytest.mark.parametrize(
    ("card", "hours"), [("pm_card_visa", 4 * 24 + 18), ("pm_card_amex", 7 * 24)]
)
def test_off_session_visa_gives_less_time(merchant, clock, card, hours):
    paid = merchant.pays(500, card, off_session=True, expand={"0": "latest_charge"})
    until = paid["latest_charge"]["payment_method_details"]["card"]["capture_before"]
    assert until == int((clock.now + timedelta(hours=hours)).timestamp())


def test_what_a_partial_capture_leaves_over_appears_as_a_refund(merchant):
    paid = merchant.pays()
    path = f"payment_intents/{paid['id']}/capture"
    captured = merchant.post(path, amount_to_capture=400)
    assert (captured["status"], captured["amount_received"]) == ("succeeded", 400)
    refunds = merchant.get("refunds", payment_intent=paid["id"])["data"]
    assert [(each["amount"], each["metadata"]) for each in refunds] == [(600, {})]
    charge = merchant.get(f"charges/{captured['latest_charge']}")
    assert (charge["amount_refunded"], charge["refunded"]) == (600, False)


def test_so_does_what_a_cancel_releases(merchant):
    paid = merchant.pays()
    reason = {"cancellation_reason": "abandoned"}
    ended = merchant.post(f"payment_intents/{paid['id']}/cancel", **reason)
    assert (ended["status"], ended["cancellation_reason"]) == ("canceled", "abandoned")
    (refund,) = merchant.get("refunds", payment_intent=paid["id"])["data"]
    assert refund["amount"] == 1000
    assert merchant.get(f"charges/{ended['latest_charge']}")["refunded"] is True


def test_a_second_capture_is_refused_and_shows_the_intent(merchant):
    paid = merchant.pays()
    path = f"payment_intents/{paid['id']}/capture"
    merchant.post(path)
    error = merchant.post(path)["error"]
    assert merchant.status == 400
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["status"] == "succeeded"


def test_several_captures_need_an_account_that_has_them(merchant, emulator):
    options = {"card": {"request_multicapture": "if_available"}}
    paid = merchant.pays(payment_method_options=options)
    path = f"payment_intents/{paid['id']}/capture"
    merchant.post(path, amount_to_capture=300, final_capture=False)
    assert merchant.status == 400

    emulator._intents.multicapture = True
    paid = merchant.pays(payment_method_options=options)
    path = f"payment_intents/{paid['id']}/capture"
    part = merchant.post(path, amount_to_capture=300, final_capture=False)
    assert (part["status"], part["amount_capturable"]) == ("requires_capture", 700)
    last = merchant.post(path, amount_to_capture=100)
    assert (last["status"], last["amount_received"]) == ("succeeded", 400)
    (refund,) = merchant.get("refunds", payment_intent=paid["id"])["data"]
    assert refund["amount"] == 600


def test_a_decline_shows_the_intent_which_waits_for_another_card(merchant):
    declined = merchant.pays(700, "pm_card_visa_chargeDeclinedInsufficientFunds")
    error = declined["error"]
    assert (merchant.status, error["type"]) == (402, "card_error")
    assert (error["code"], error["decline_code"]) == (
        "card_declined",
        "insufficient_funds",
    )
    intent = error["payment_intent"]
    assert intent["status"] == "requires_payment_method"
    paid = merchant.post(
        f"payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa"
    )
    assert paid["status"] == "requires_capture"
    assert paid["latest_charge"] != intent["latest_charge"]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
    ],
)
def test_only_a_card_that_is_declined_as_such_has_a_decline_code(merchant, card, code):
    error = merchant.pays(1000, card)["error"]
    assert error["code"] == code
    assert "decline_code" not in error


def test_a_refund_is_of_a_positive_amount(merchant):
    paid = merchant.pays(capture_method="automatic")
    asked = {"payment_intent": paid["id"], "amount": 0}
    error = merchant.post("refunds", "k-1", **asked)["error"]
    assert (error["code"], error["param"]) == ("parameter_invalid_integer", "amount")


def test_the_cardholder_passes_the_check_on_the_banks_page(merchant, emulator):
    asked = merchant.pays(
        900, "pm_card_threeDSecure2Required", return_url="https://shop.example/x?o=7"
    )
    assert asked["status"] == "requires_action"
    url = asked["next_action"]["redirect_to_url"]["url"]
    path = url.removeprefix(emulator.base_url)
    shown = emulator.handle("GET", path, {}, b"")
    assert b"3-D Secure" in shown.body
    went_on = emulator.handle("POST", f"{path}/approve", {}, b"")
    assert went_on.status == 303
    assert went_on.headers["Location"].startswith("https://shop.example/x?o=7&payment_")
    found = merchant.get(f"payment_intents/{asked['id']}")
    assert found["status"] == "requires_capture"
    assert b"nothing to do" in emulator.handle("GET", path, {}, b"").body


def test_who_fails_the_check_has_paid_nothing(merchant, emulator):
    asked = merchant.pays(900, "pm_card_threeDSecure2Required")
    assert asked["next_action"]["type"] == "use_stripe_sdk"
    emulator.consumer.decline(asked["id"])
    found = merchant.get(f"payment_intents/{asked['id']}")
    assert found["status"] == "requires_payment_method"
    code = "payment_intent_authentication_failure"
    assert found["last_payment_error"]["code"] == code
    with pytest.raises(OutOfPlay):
        emulator.consumer.approve(asked["id"])


def test_off_session_nobody_can_be_asked(merchant):
    declined = merchant.pays(900, "pm_card_authenticationRequired", off_session=True)
    assert merchant.status == 402
    assert declined["error"]["code"] == "authentication_required"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (150, "isk", "invalid_charge_amount_no_decimal_compatible"),
        (1001, "kwd", None),
    ],
)
def test_an_amount_that_a_currency_has_not_is_refused(merchant, amount, currency, code):
    error = merchant.pays(amount, currency=currency)["error"]
    assert (merchant.status, error.get("code")) == (400, code)
    assert error["param"] == "amount"
    assert merchant.get("payment_intents")["data"] == []


def test_a_list_is_read_page_by_page(merchant, clock):
    first = clock.now
    for _ in range(5):
        merchant.pays(500)
        clock.pass_by(seconds=1)
    page = merchant.get("payment_intents", limit=2)
    assert (len(page["data"]), page["has_more"]) == (2, True)
    after = page["data"][-1]["id"]
    rest = merchant.get("payment_intents", limit=3, starting_after=after)
    assert (len(rest["data"]), rest["has_more"]) == (3, False)
    created = {"lt": int(first.timestamp()) + 2}
    assert len(merchant.get("payment_intents", created=created)["data"]) == 2


def test_what_happened_is_told_in_events(merchant):
    paid = merchant.pays()
    merchant.post(f"payment_intents/{paid['id']}/capture")
    assert merchant.events() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def test_a_parameter_that_there_is_not_is_refused(merchant):
    error = merchant.pays(amont=7)["error"]
    assert (error["code"], error["param"]) == ("parameter_unknown", "amont")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer sk_test_other"}, 401),
        ({"Authorization": "Basic c2tfdGVzdF9rZXNzYWlfZW11bGF0b3I6"}, 200),
        ({"Stripe-Version": "2020-08-27"}, 400),
    ],
)
def test_who_asks_and_in_which_version_is_looked_at(merchant, headers, status):
    merchant._ask("GET", "payment_intents", headers)
    assert merchant.status == status


def test_the_books_are_kept_for_a_later_process(tmp_path, clock, merchant):
    kept = {"clock": clock, "books": tmp_path / "books.db"}
    with StripeEmulator(**kept) as merchant.emulator:
        paid = merchant.pays(1000, "pm_card_visa", "key-1")
    with StripeEmulator(**kept) as merchant.emulator:
        assert merchant.pays(1000, "pm_card_visa", "key-1")["id"] == paid["id"]
        assert merchant.headers["Idempotent-Replayed"] == "true"
        merchant.post(f"payment_intents/{paid['id']}/capture")
    with StripeEmulator(**kept) as merchant.emulator:
        found = merchant.get(f"payment_intents/{paid['id']}")
        assert found["status"] == "succeeded"
        assert merchant.pays()["id"] > paid["id"]
