"""Money that goes back at the emulator: refunds, those that fail later, disputes."""

import pytest

from kessai_adapters.emulators import OutOfPlay


@pytest.fixture
def captured(merchant):
    return merchant.pays(capture_method="automatic")


def refunds(merchant, paid, amount=None):
    asked = {"payment_intent": paid["id"], "amount": amount}
    return merchant.post("refunds", **asked)


def test_a_payment_is_refunded_until_nothing_is_left(merchant, captured):
    assert refunds(merchant, captured, 300)["status"] == "succeeded"
    error = refunds(merchant, captured, 701)["error"]
    assert (merchant.status, error["param"]) == (400, "amount")
    assert refunds(merchant, captured)["amount"] == 700
    assert refunds(merchant, captured)["error"]["code"] == "charge_already_refunded"
    charge = merchant.get(f"charges/{captured['latest_charge']}")
    assert (charge["amount_refunded"], charge["refunded"]) == (1000, True)


def test_what_was_never_captured_cannot_be_refunded(merchant):
    paid = merchant.pays()
    merchant.post(f"payment_intents/{paid['id']}/capture", amount_to_capture=400)
    assert refunds(merchant, paid, 401)["error"]["param"] == "amount"
    assert refunds(merchant, paid)["amount"] == 400


def test_a_refund_that_has_succeeded_may_fail_after_all(merchant, emulator, captured):
    made = refunds(merchant, captured, 300)
    emulator.fail_later(captured["id"])
    found = merchant.get(f"refunds/{made['id']}")
    assert (found["status"], found["failure_reason"]) == (
        "failed",
        "expired_or_canceled_card",
    )
    assert found["failure_balance_transaction"]
    assert merchant.events()[-1] == "refund.failed"
    assert refunds(merchant, captured)["amount"] == 1000


def test_a_refund_may_be_pending_until_somebody_ends_it(merchant, emulator):
    paid = merchant.pays(1000, "pm_card_pendingRefund", capture_method="automatic")
    made = refunds(merchant, paid, 300)
    assert (made["status"], made["pending_reason"]) == ("pending", "processing")
    emulator.complete(paid["id"])
    assert merchant.get(f"refunds/{made['id']}")["status"] == "succeeded"
    with pytest.raises(OutOfPlay):
        emulator.complete(paid["id"])


@pytest.mark.parametrize("method", ["automatic", "manual"])
def test_a_card_may_be_disputed_as_soon_as_it_was_charged(merchant, method):
    paid = merchant.pays(1000, "pm_card_createDispute", capture_method=method)
    if method == "manual":
        assert merchant.get("disputes", payment_intent=paid["id"])["data"] == []
        merchant.post(f"payment_intents/{paid['id']}/capture", amount_to_capture=400)
    (listed,) = merchant.get("disputes", payment_intent=paid["id"])["data"]
    captured = 400 if method == "manual" else 1000
    assert (listed["amount"], listed["reason"]) == (captured, "fraudulent")
    assert refunds(merchant, paid)["error"]["code"] == "charge_disputed"


def test_a_dispute_withholds_the_money_and_is_lost_or_won(merchant, emulator, captured):
    refunds(merchant, captured, 100)
    dispute = emulator.portal.dispute(captured["id"])
    assert (dispute["amount"], dispute["status"]) == (900, "needs_response")
    assert merchant.get(f"charges/{captured['latest_charge']}")["disputed"] is True
    (listed,) = merchant.get("disputes", payment_intent=captured["id"])["data"]
    assert listed["id"] == dispute["id"]
    assert refunds(merchant, captured)["error"]["code"] == "charge_disputed"
    emulator.portal.win_dispute(captured["id"])
    assert refunds(merchant, captured, 200)["status"] == "succeeded"
    emulator.portal.dispute(captured["id"], 500)
    emulator.portal.lose_dispute(captured["id"])
    assert refunds(merchant, captured)["amount"] == 200
    assert merchant.events()[-3:] == [
        "charge.dispute.closed",
        "refund.created",
        "charge.refunded",
    ]
