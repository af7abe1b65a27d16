"""F7: another authorization under the consent, with an id of its own."""

import pytest


def test_a_charge_is_authorized_captured_and_refunded_on_its_own(shop):
    plan = shop.consented()
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=900)
    assert charge.status == "succeeded"
    assert charge.transaction.status == "payment.authorized"
    assert charge.transaction.agreement == "plan"
    assert shop.order("charge").original_order_id == "plan"
    shop.do("capture", "charge", amount=700)
    shop.do("refund", "charge", amount=200)
    after = shop.do("refund", "charge").transaction
    assert after.status == "payment.refunded"
    assert after.amounts["released"] == 200
    assert shop.transaction("plan") == plan
    shop.books_agree()


def test_captured_at_once(shop):
    shop.consented(consent_only=True)
    charge = shop.do(
        "reauthorize",
        "charge",
        agreement="plan",
        amount=900,
        parameters={"with_capture": True},
    )
    assert charge.transaction.status == "payment.captured"
    assert charge.transaction.amounts["captured"] == 900
    shop.books_agree()


def test_cancelled(shop):
    shop.consented()
    shop.do("reauthorize", "charge", agreement="plan", amount=900)
    assert shop.do("cancel", "charge").transaction.status == "payment.cancelled"
    shop.books_agree()


def test_many_charges_under_one_consent(shop):
    shop.consented(consent_only=True)
    for month in range(1, 13):
        shop.clock.pass_by(days=30)
        name = f"charge-{month}"
        charge = shop.do("reauthorize", name, agreement="plan", amount=100 * month)
        assert charge.status == "succeeded"
        assert shop.do("capture", name).status == "succeeded"
    shop.books_agree()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 100}, "agreement_missing"),
        ({"amount": 100, "agreement": "nobody"}, "agreement_unknown"),
        ({"amount": 100, "agreement": "order"}, "agreement_unknown"),
        ({"amount": 100, "agreement": "unfinished"}, "agreement_state"),
        ({"amount": 100, "agreement": "declined"}, "agreement_state"),
        ({"amount": 0, "agreement": "plan"}, "amount_below_minimum"),
        ({"amount": 100_001, "agreement": "plan"}, "amount_above_maximum"),
        ({"agreement": "plan"}, "amount_missing"),
    ],
)
def test_it_is_denied_without_a_living_consent_or_a_fitting_amount(shop, fields, code):
    shop.consented("plan")
    shop.authorized("order")
    shop.apply_recurring("declined")
    shop.emulator.consumer.decline("declined")
    shop.notification()
    shop.apply_recurring("unfinished")
    answer = shop.do("reauthorize", "charge", **fields)
    assert answer.denial.codes == (code,)
    assert "ReAuthorize" not in shop.sent
    assert "charge" not in shop.emulator.books
    shop.books_agree(still_open=["unfinished"])


def test_a_used_id_is_denied(shop):
    shop.consented()
    shop.do("reauthorize", "charge", agreement="plan", amount=100)
    for used in ("charge", "plan"):
        again = shop.do("reauthorize", used, agreement="plan", amount=100)
        assert "transaction_exists" in again.denial.codes
    assert shop.sent.count("ReAuthorize") == 1
    shop.books_agree()


def test_a_charge_expires_after_30_days(shop):
    shop.consented()
    shop.do("reauthorize", "charge", agreement="plan", amount=100)
    shop.clock.pass_by(days=30)
    answer = shop.do("capture", "charge")
    assert answer.denial.codes == ("authorization_expired",)
    assert shop.sweep("charge").status == "payment.expired"
    shop.sweep("plan")
    shop.books_agree()


def test_the_gateway_refuses_a_charge(shop):
    shop.consented()
    shop.emulator.misbehave("refuse", command="ReAuthorize")
    refused = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert refused.status == "declined"
    assert refused.transaction.status == "payment.failed"
    shop.notification()
    other = shop.do("reauthorize", "charge-2", agreement="plan", amount=100)
    assert other.status == "succeeded"
    shop.books_agree()
