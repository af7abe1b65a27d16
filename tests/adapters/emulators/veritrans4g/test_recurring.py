"""Recurring payments: R1 to R9. A consent and a payment are two things under one id."""

import pytest


def test_consent_and_authorization_come_under_one_id(shop):
    shop.consented("R-1", 1000)
    info = shop.inquire("R-1")
    assert info["orderStatus"] == "authorized"
    assert info["properOrderInfo"]["consentStatus"] == "consented"
    assert info["properOrderInfo"]["accountingType"] == "1"


def test_a_consent_alone_authorizes_nothing(shop):
    shop.consented("R-1", consentAuthType="0")
    assert shop.status("R-1") == "none"
    assert shop.consent("R-1") == "consented"
    assert shop.trail("R-1") == [("Authorize", "success", None)]
    assert shop.refused("Capture", "R-1") == "NH020009"
    assert shop.ok("GetAddress", "R-1")["shippingName"]


def test_a_consent_alone_cannot_be_captured_at_once(shop):
    code = shop.refused(
        "Authorize",
        "R-1",
        amount="5",
        accountingType="1",
        consentAuthType="0",
        frequencyUnit="Day",
        frequencyValue="1",
        withCapture="true",
    )
    assert code == "NP030000"


def test_the_first_payment_lives_and_ends_apart_from_the_consent(shop):
    shop.consented("R-1", 1000, withCapture="true")
    shop.ok("Refund", "R-1")
    assert (shop.status("R-1"), shop.consent("R-1")) == ("refunded", "consented")

    shop.consented("R-2", 1000)
    shop.ok("Terminate", "R-2", closureReason="退会")
    assert (shop.status("R-2"), shop.consent("R-2")) == ("authorized", "terminated")
    shop.ok("Capture", "R-2")
    shop.ok("GetAddress", "R-2")


def test_the_authorization_of_a_recurring_payment_is_not_updated(shop):
    shop.consented("R-1")
    assert shop.refused("UpdateAuthorize", "R-1", amount="5") == "NH020031"


def test_a_reauthorization_is_a_new_order_under_the_consent(shop, emulator):
    shop.consented("R-1", consentAuthType="0")
    reply = shop.ok("ReAuthorize", "R-1-a", originalOrderId="R-1", amount="700")
    assert reply["centerOrderId"]

    info = shop.inquire("R-1-a")
    assert info["properOrderInfo"]["originalOrderId"] == "R-1"
    assert "consentStatus" not in info["properOrderInfo"]
    assert shop.trail("R-1-a") == [("ReAuthorize", "success", "700")]
    shop.ok("Capture", "R-1-a", amount="500")
    shop.ok("Refund", "R-1-a")
    assert emulator.books["R-1-a"].refunded == 500
    assert shop.trail("R-1") == [("Authorize", "success", None)]


def test_a_reauthorization_may_capture_at_once_or_be_cancelled(shop):
    shop.consented("R-1")
    origin = {"originalOrderId": "R-1", "amount": "9"}
    shop.ok("ReAuthorize", "R-1-a", withCapture="true", **origin)
    assert shop.status("R-1-a") == "captured"
    shop.ok("ReAuthorize", "R-1-b", **origin)
    shop.ok("Cancel", "R-1-b")
    assert shop.refused("ReAuthorize", "R-1-b", **origin) == "NH050000"


def test_a_reauthorization_has_no_consumer_and_no_consent_of_its_own(shop):
    shop.consented("R-1")
    shop.ok("ReAuthorize", "R-1-a", originalOrderId="R-1", amount="9")
    assert shop.refused("GetAddress", "R-1-a") == "NH020032"
    assert shop.refused("Terminate", "R-1-a") == "NH020024"
    assert shop.refused("UpdateAuthorize", "R-1-a", amount="5") == "NH020031"
    code = shop.refused("ReAuthorize", "x", originalOrderId="R-1-a", amount="9")
    assert code == "NH020024"


def test_a_terminated_consent_reauthorizes_nothing_more(shop):
    shop.consented("R-1")
    shop.ok("Terminate", "R-1")
    ask = {"originalOrderId": "R-1", "amount": "9"}
    assert shop.refused("ReAuthorize", "R-1-a", **ask) == "NH020022"
    assert shop.search("R-1-a")["searchCount"] == 0
    assert shop.refused("Terminate", "R-1") == "NH020022"
    assert shop.refused("UpdateConsent", "R-1", amount="5") == "NH020022"


def test_a_consent_must_be_given_before_it_is_used(shop, emulator):
    emulator.approve = "ask"
    shop.consented("R-1")
    ask = {"originalOrderId": "R-1", "amount": "9"}
    assert shop.refused("ReAuthorize", "R-1-a", **ask) == "NH020021"
    assert shop.refused("Terminate", "R-1") == "NH020021"

    emulator.consumer.decline("R-1")
    assert (shop.status("R-1"), shop.consent("R-1")) == ("failed", "failed")
    assert shop.refused("ReAuthorize", "R-1-a", **ask) == "NH020023"


def test_a_reauthorization_of_nothing_is_refused(shop):
    shop.authorized("A-1")
    ask = {"amount": "9"}
    unknown = shop.refused("ReAuthorize", "x", originalOrderId="nowhere", **ask)
    one_time = shop.refused("ReAuthorize", "x", originalOrderId="A-1", **ask)
    assert (unknown, one_time) == ("NH010000", "NH020024")


def test_the_terms_of_a_consent_are_updated_again_and_again(shop, emulator):
    shop.consented("R-1", 1000)
    reply = shop.ok("UpdateConsent", "R-1", amount="3000")
    assert "centerTransactionId" not in reply
    shop.ok("UpdateConsent", "R-1", frequencyUnit="Week", frequencyValue="52")
    shop.ok("UpdateConsent", "R-1", noteToBuyer="毎週")

    terms = emulator.books["R-1"].terms
    assert (terms.amount, terms.frequency_unit, terms.note) == (3000, "Week", "毎週")
    assert shop.refused("UpdateConsent", "R-1") == "NP010000"
    assert shop.refused("UpdateConsent", "R-1", amount="100001") == "NH030000"
    assert shop.refused("UpdateConsent", "R-1", frequencyUnit="Day") == "NP010000"


@pytest.mark.parametrize("command", ["Terminate", "UpdateConsent", "ReAuthorize"])
def test_a_pending_termination_holds_the_consent(shop, emulator, command):
    shop.consented("R-1")
    emulator.misbehave("pending", command="Terminate")
    assert shop.send("Terminate", "R-1")["mstatus"] == "pending"

    ask = {"amount": "9", "originalOrderId": "R-1"}
    target = "R-1-a" if command == "ReAuthorize" else "R-1"
    assert shop.refused(command, target, **ask) == "NH020010"
    shop.ok("Capture", "R-1")
    emulator.complete("R-1")
    assert shop.consent("R-1") == "terminated"
