"""One-time payments: O1 to O6, each accepted and refused."""

import pytest


def test_an_application_is_authorized_when_the_consumer_approves_at_once(shop):
    reply = shop.authorized("A-1", 1000)

    assert "amazon" in reply["responseContents"].lower()
    assert "centerResponseDatetime" not in reply
    assert shop.status("A-1") == "authorized"
    assert shop.trail("A-1") == [("Authorize", "success", "1000")]


def test_authorize_with_capture_is_one_entry_and_a_captured_order(shop):
    shop.captured("A-1", 1000)

    assert shop.status("A-1") == "captured"
    assert shop.trail("A-1") == [("Authorize", "success", "1000")]


def test_an_order_id_serves_one_application_for_ever(shop, emulator):
    shop.authorized("A-1")
    assert shop.refused("Authorize", "A-1", amount="5") == "NH050000"

    emulator.approve = "decline"
    shop.authorized("A-2")
    assert shop.status("A-2") == "failed"
    assert shop.refused("Authorize", "A-2", amount="5") == "NH050000"
    assert len(shop.trail("A-1")) == 1


def test_a_malformed_application_does_not_use_up_its_id(shop):
    assert shop.refused("Authorize", "A-1", amount="ten") == "NP020000"
    assert shop.search("A-1")["searchCount"] == 0
    shop.authorized("A-1")


def test_a_capture_without_amount_takes_all(shop, emulator):
    shop.authorized("A-1", 1000)
    reply = shop.ok("Capture", "A-1")

    assert reply["centerOrderId"]
    assert reply["centerTransactionId"]
    assert reply["centerResponseDatetime"] == "20240601120000"
    assert shop.trail("A-1")[-1] == ("Capture", "success", "1000")
    assert emulator.books["A-1"].captured == 1000


def test_a_partial_capture_releases_the_rest_and_cannot_be_repeated(shop, emulator):
    shop.authorized("A-1", 1000)
    shop.ok("Capture", "A-1", amount="400")

    order = emulator.books["A-1"]
    assert (order.authorized, order.captured, order.released) == (1000, 400, 600)
    assert shop.refused("Capture", "A-1", amount="600") == "NH020003"
    assert shop.trail("A-1")[-1] == ("Capture", "failure", "600")


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "NH030000"), ("1001", "NH040000"), ("-5", "NP020000"), ("٣", "NP020000")],
)
def test_a_capture_outside_the_authorization_is_refused(shop, amount, code):
    shop.authorized("A-1", 1000)
    assert shop.refused("Capture", "A-1", amount=amount) == code
    assert shop.status("A-1") == "authorized"


def test_a_cancel_releases_the_whole_authorization(shop, emulator):
    shop.authorized("A-1", 1000)
    shop.ok("Cancel", "A-1", cancellationReason="在庫なし")

    assert shop.status("A-1") == "cancelled"
    assert emulator.books["A-1"].released == 1000
    assert shop.refused("Cancel", "A-1") == "NH020006"
    assert shop.refused("Capture", "A-1") == "NH020006"


def test_a_cancel_after_capture_is_refused(shop):
    shop.captured("A-1")
    assert shop.refused("Cancel", "A-1") == "NH020003"


def test_refunds_repeat_until_nothing_is_left(shop):
    shop.captured("A-1", 1000)

    assert shop.ok("Refund", "A-1", amount="300")["refundableAmount"] == 700
    assert shop.status("A-1") == "partially_refunded"
    assert shop.refused("Refund", "A-1", amount="701") == "NH040000"
    assert shop.ok("Refund", "A-1")["refundableAmount"] == 0
    assert shop.status("A-1") == "refunded"
    assert shop.refused("Refund", "A-1", amount="1") == "NH020005"


def test_a_refund_before_capture_is_refused(shop):
    shop.authorized("A-1")
    assert shop.refused("Refund", "A-1") == "NH020002"


def test_two_refunds_in_progress_hold_back_what_they_ask_for(shop, emulator):
    shop.captured("A-1", 100)
    emulator.misbehave("pending", command="Refund", times=2)

    first = shop.send("Refund", "A-1", amount="60")
    assert (first["mstatus"], first["refundableAmount"]) == ("pending", 40)
    assert shop.refused("Refund", "A-1", amount="60") == "NH040000"
    assert shop.ok("Refund", "A-1", amount="40")["refundableAmount"] == 0
    assert shop.refused("Refund", "A-1") == "NH020011"

    emulator.fail("A-1")
    assert shop.ok("Refund", "A-1")["refundableAmount"] == 0
    assert emulator.books["A-1"].refunded == 100


def test_an_update_takes_the_authorization_anew(shop, clock, emulator):
    shop.authorized("A-1", 1000)
    clock.pass_days(29)
    reply = shop.ok("UpdateAuthorize", "A-1", amount="2500")
    assert "payRedirectUrl" not in reply
    shop.ok("UpdateAuthorize", "A-1", amount="2000")

    clock.pass_days(29)
    shop.ok("Capture", "A-1")
    assert emulator.books["A-1"].captured == 2000
    assert shop.refused("UpdateAuthorize", "A-1", amount="1") == "NH020003"


def test_an_update_needs_an_amount_within_the_limits(shop):
    shop.authorized("A-1", 1000)
    assert shop.refused("UpdateAuthorize", "A-1") == "NP010000"
    assert shop.refused("UpdateAuthorize", "A-1", amount="10000001") == "NH030000"


@pytest.mark.parametrize("command", ["Capture", "Cancel", "UpdateAuthorize"])
def test_nothing_is_possible_once_the_thirty_days_are_over(shop, clock, command):
    shop.authorized("A-1", 1000)
    clock.pass_days(30)

    assert shop.refused(command, "A-1", amount="10") == "NH020007"
    assert shop.status("A-1") == "expired"


def test_an_expiry_shows_in_the_status_and_not_in_the_list(shop, clock):
    shop.authorized("A-1", 1000)
    clock.pass_days(30)
    assert shop.status("A-1") == "expired"
    assert shop.trail("A-1") == [("Authorize", "success", "1000")]


def test_a_capture_accepted_in_time_may_become_final_after_the_deadline(
    shop, clock, emulator
):
    for order_id in ("A-1", "A-2"):
        shop.authorized(order_id, 1000)
        emulator.misbehave("pending", command="Capture")
        shop.send("Capture", order_id)
    clock.pass_days(31)

    emulator.complete("A-1")
    emulator.fail("A-2")
    assert shop.status("A-1") == "captured"
    assert shop.status("A-2") == "expired"


def test_the_address_is_given_once_the_consumer_has_finished(shop):
    shop.authorized("A-1")
    reply = shop.ok("GetAddress", "A-1")
    assert reply["shippingPrefecture"] == "見本県"
    assert reply["checkoutSessionId"]
    assert reply["buyerId"]
    assert "buyerEmail" not in reply
    assert "payRedirectUrl" not in reply

    more = shop.ok("GetAddress", "A-1", addInfoRespFlag="1")
    assert set(more) - set(reply) == {
        "buyerEmail",
        "buyerName",
        "buyerPhoneNumber",
        "paymentPreferences",
        "billingAddress1",
        "billingAddress2",
        "billingAddress3",
        "billingPrefecture",
        "billingPostalCode",
    }


def test_the_address_stays_readable_through_capture_and_refunds(shop):
    shop.authorized("A-1", 100)
    shop.ok("Capture", "A-1")
    shop.ok("GetAddress", "A-1")
    shop.ok("Refund", "A-1", amount="1")
    shop.ok("GetAddress", "A-1")
    shop.ok("Refund", "A-1")
    shop.ok("GetAddress", "A-1")


def test_the_address_is_not_given_before_or_without_a_payment(shop, emulator):
    emulator.approve = "ask"
    shop.authorized("A-1")
    assert shop.refused("GetAddress", "A-1") == "NH020001"
    emulator.consumer.decline("A-1")
    assert shop.refused("GetAddress", "A-1") == "NH020008"


def test_an_address_that_is_suppressed_is_left_out(shop):
    shop.authorized("A-1", suppressShippingAddressView="true")
    assert "shippingName" not in shop.ok("GetAddress", "A-1")


@pytest.mark.parametrize(
    "command",
    ["Capture", "Cancel", "Refund", "GetAddress", "Terminate", "UpdateConsent"],
)
def test_an_unknown_order_is_refused(shop, command):
    assert shop.refused(command, "nowhere") == "NH010000"


@pytest.mark.parametrize("command", ["Terminate", "UpdateConsent"])
def test_a_one_time_payment_has_no_consent(shop, command):
    shop.authorized("A-1")
    assert shop.refused(command, "A-1", amount="5") == "NH020024"
