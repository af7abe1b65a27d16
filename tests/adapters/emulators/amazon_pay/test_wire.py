"""Amazon Pay's emulator on the wire: what its documents say, with a client of the test's own."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from Crypto.PublicKey import RSA

from kessai.gateway import Request
from kessai_adapters.amazon_pay.signing import Signer
from kessai_adapters.emulators import NoReply, OutOfPlay
from kessai_adapters.emulators.amazon_pay import (
    DEFAULT_KEY_ID,
    AmazonPayEmulator,
    as_pem,
    merchant_key,
)

SIGNER = Signer(
    RSA.import_key(as_pem(merchant_key())), DEFAULT_KEY_ID, "AMZN-PAY-RSASSA-PSS", "jp"
)


def yen(amount):
    return {"amount": str(amount), "currencyCode": "JPY"}


class Merchant:
    """Signs and sends; keeps the last status."""

    def __init__(self, **settings):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.emulator = AmazonPayEmulator(clock=lambda: self.now, **settings)
        self.status = 0
        self.keys = 0

    def sends(self, method, path, body=None, key=None):
        if method == "POST" and key is None:
            self.keys += 1
            key = f"key-{self.keys}"
        request = Request(
            method=method,
            url=f"{self.emulator.base_url}/v2/{path}",
            headers=(("x-amz-pay-idempotency-key", key),) if key else (),
            body=json.dumps(body).encode() if body is not None else b"",
        )
        sealed = SIGNER.sealed(request, self.now, bytes(16))
        reply = self.emulator.handle(
            method, f"/v2/{path}", dict(sealed.headers), sealed.body
        )
        self.status = reply.status
        return json.loads(reply.body)

    def session(self, kind="OneTime", intent="Authorize", **more):
        session = {
            "storeId": "s",
            "webCheckoutDetails": {
                "checkoutResultReturnUrl": "https://shop.example/r?a=1"
            },
            "chargePermissionType": kind,
            "paymentDetails": {"paymentIntent": intent, "chargeAmount": yen(1200)},
            "merchantMetadata": {"merchantReferenceId": "o-1"},
            **more,
        }
        return self.sends("POST", "checkoutSessions", session)["checkoutSessionId"]

    def completed(self, **more):
        session = self.session(**more)
        self.emulator.consumer.approve("o-1")
        path = f"checkoutSessions/{session}/complete"
        return self.sends("POST", path, {"chargeAmount": yen(1200)})

    def charged(self, **more):
        return self.completed(**more)["chargeId"]

    def captures(self, charge, amount, key=None):
        body = {"captureAmount": yen(amount)}
        return self.sends("POST", f"charges/{charge}/capture", body, key)

    def refunds(self, charge, amount, key=None):
        body = {"chargeId": charge, "refundAmount": yen(amount)}
        return self.sends("POST", "refunds", body, key)

    def state(self, path):
        shown = self.sends("GET", path)["statusDetails"]
        return shown["state"], shown.get("reasonCode")


@pytest.fixture
def merchant():
    return Merchant()


def test_a_session_is_completed_with_its_amount_once_its_buyer_has_approved(merchant):
    session = merchant.session()
    path = f"checkoutSessions/{session}"
    early = merchant.sends("POST", f"{path}/complete", {"chargeAmount": yen(1200)})
    assert (merchant.status, early["reasonCode"]) == (
        422,
        "InvalidCheckoutSessionStatus",
    )
    merchant.emulator.consumer.approve("o-1")
    other = merchant.sends("POST", f"{path}/complete", {"chargeAmount": yen(1)})
    assert (merchant.status, other["reasonCode"]) == (422, "AmountMismatch")
    done = merchant.sends("POST", f"{path}/complete", {"chargeAmount": yen(1200)})
    assert (merchant.status, done["statusDetails"]["state"]) == (200, "Completed")
    assert merchant.state(f"charges/{done['chargeId']}") == ("Authorized", None)
    again = merchant.sends("POST", f"{path}/complete", {"chargeAmount": yen(1200)})
    assert again["reasonCode"] == "InvalidCheckoutSessionStatus"


def test_a_pending_authorization_is_202_and_only_where_it_is_allowed(merchant):
    merchant.emulator.misbehave("pending", command="complete")
    assert merchant.completed()["chargeId"]
    assert merchant.status == 200
    merchant.emulator.misbehave("pending", command="complete")
    may = {"paymentIntent": "Authorize", "chargeAmount": yen(1200)}
    payment = {**may, "canHandlePendingAuthorization": True}
    charge = merchant.charged(paymentDetails=payment)
    assert merchant.status == 202
    merchant.now += timedelta(hours=25)
    assert merchant.state(f"charges/{charge}") == ("Declined", "TransactionTimedOut")


def test_a_charge_is_captured_once_and_not_beyond_its_amount(merchant):
    charge = merchant.charged()
    assert merchant.captures(charge, 1201)["reasonCode"] == "TransactionAmountExceeded"
    assert merchant.captures(charge, 1000)["captureAmount"] == yen(1000)
    again = merchant.captures(charge, 1)
    assert (merchant.status, again["reasonCode"]) == (422, "InvalidChargeStatus")


def test_a_capture_after_seven_days_is_under_way_at_first(merchant):
    charge = merchant.charged()
    merchant.now += timedelta(days=7, seconds=1)
    shown = merchant.captures(charge, 1000)
    assert shown["statusDetails"]["state"] == "CaptureInitiated"
    merchant.emulator.complete("o-1")
    assert merchant.state(f"charges/{charge}") == ("Captured", None)


def test_a_charge_expires_after_30_days_and_a_permission_after_180(merchant):
    done = merchant.completed()
    merchant.now += timedelta(days=30)
    assert merchant.state(f"charges/{done['chargeId']}") == (
        "Canceled",
        "ExpiredUnused",
    )
    merchant.now += timedelta(days=150)
    permission = merchant.sends(
        "GET", f"chargePermissions/{done['chargePermissionId']}"
    )
    assert permission["statusDetails"]["state"] == "Closed"
    assert permission["statusDetails"]["reasons"] == [{"reasonCode": "Expired"}]


def test_a_refund_is_under_way_at_first_and_a_charge_states_totals_alone(merchant):
    charge = merchant.charged(intent="AuthorizeWithCapture")
    refund = merchant.refunds(charge, 500)
    assert (merchant.status, refund["statusDetails"]["state"]) == (
        201,
        "RefundInitiated",
    )
    assert merchant.sends("GET", f"charges/{charge}")["refundedAmount"] is None
    merchant.emulator.complete("o-1")
    assert merchant.state(f"refunds/{refund['refundId']}") == ("Refunded", None)
    assert merchant.sends("GET", f"charges/{charge}")["refundedAmount"] == yen(500)


def test_refunds_may_exceed_the_capture_by_15_percent_and_no_more(merchant):
    charge = merchant.charged(intent="AuthorizeWithCapture")
    assert "refundId" in merchant.refunds(charge, 1200)
    assert "refundId" in merchant.refunds(charge, 180)
    assert merchant.refunds(charge, 1)["reasonCode"] == "TransactionAmountExceeded"


def test_the_same_request_under_a_key_is_answered_as_at_first_years_later(merchant):
    charge = merchant.charged()
    first = merchant.captures(charge, 1000, "k")
    merchant.refunds(charge, 300)
    merchant.emulator.complete("o-1")
    merchant.now += timedelta(days=3_650)
    assert merchant.captures(charge, 1000, "k") == first
    other = merchant.captures(charge, 999, "k")
    assert (merchant.status, other["reasonCode"]) == (400, "DuplicateIdempotencyKey")


@pytest.mark.parametrize("key", ["k" * 33, "k k", "ä", ""])
def test_a_key_has_32_plain_characters_at_most(merchant, key):
    charge = merchant.charged()
    merchant.captures(charge, 1000, key or " ")
    assert merchant.status == 400


def test_a_cancel_is_a_delete_with_a_body(merchant):
    charge = merchant.charged()
    path = f"charges/{charge}/cancel"
    assert merchant.sends("DELETE", path)["reasonCode"] == "InvalidParameterValue"
    merchant.sends("DELETE", path, {"cancellationReason": "x"})
    assert merchant.state(f"charges/{charge}") == ("Canceled", "MerchantCanceled")
    assert merchant.sends("DELETE", path, {"cancellationReason": "x"})[
        "reasonCode"
    ] == ("InvalidChargeStatus")


def test_a_recurring_permission_is_charged_until_it_is_closed(merchant):
    monthly = {"frequency": {"unit": "Variable", "value": "0"}, "amount": yen(980)}
    payment = {"paymentIntent": "Confirm"}
    done = merchant.completed(
        kind="Recurring", recurringMetadata=monthly, paymentDetails=payment
    )
    permission = done["chargePermissionId"]
    assert done["chargeId"] is None
    body = {
        "chargePermissionId": permission,
        "chargeAmount": yen(980),
        "captureNow": True,
    }
    charge = merchant.sends("POST", "charges", {**body, "softDescriptor": "CLUB"})
    assert charge["statusDetails"]["state"] == "Captured"
    path = f"chargePermissions/{permission}/close"
    merchant.sends(
        "DELETE", path, {"closureReason": "x", "cancelPendingCharges": False}
    )
    refused = merchant.sends("POST", "charges", body)
    assert refused["reasonCode"] == "InvalidChargePermissionStatus"


@pytest.mark.parametrize(
    "price",
    [
        {"amount": 1200, "currencyCode": "JPY"},
        {"amount": "12.00", "currencyCode": "JPY"},
        {"amount": "1e3", "currencyCode": "USD"},
        {"amount": "0", "currencyCode": "USD"},
        {"amount": "1.005", "currencyCode": "USD"},
        {"amount": "1", "currencyCode": "XXX"},
    ],
)
def test_an_amount_is_a_decimal_string_of_its_currency(merchant, price):
    permission = merchant.completed()["chargePermissionId"]
    body = {"chargePermissionId": permission, "chargeAmount": price}
    refused = merchant.sends("POST", "charges", body)
    assert (merchant.status, refused["reasonCode"]) == (400, "InvalidParameterValue")


def test_no_charge_is_above_10_000_000_yen(merchant):
    permission = merchant.completed()["chargePermissionId"]
    body = {"chargePermissionId": permission, "chargeAmount": yen(10_000_001)}
    assert merchant.sends("POST", "charges", body)["reasonCode"] == (
        "TransactionAmountExceeded"
    )


def test_nothing_can_be_listed(merchant):
    for path in ("charges", "refunds", "chargePermissions", "charges?limit=1"):
        merchant.sends("GET", path)
        assert merchant.status == 404


def test_who_asks_too_often_is_throttled_and_nothing_was_done():
    merchant = Merchant(throttles=True)
    permission = merchant.completed()["chargePermissionId"]
    body = {"chargePermissionId": permission, "chargeAmount": yen(1)}
    statuses = []
    for _ in range(3):
        merchant.sends("POST", "charges", body)
        statuses.append(merchant.status)
    assert statuses == [201, 201, 429]
    merchant.now += timedelta(seconds=1)
    merchant.sends("POST", "charges", body)
    assert merchant.status == 201
    assert len(merchant.emulator.books.charges) == 4


def test_what_the_network_does_is_played(merchant):
    charge = merchant.charged()
    merchant.emulator.misbehave("lose_reply", command="capture")
    with pytest.raises(NoReply):
        merchant.captures(charge, 1000)
    assert merchant.state(f"charges/{charge}") == ("Captured", None)


def test_a_browser_decides_on_the_page_and_returns_with_the_sessions_id(merchant):
    session = merchant.session()
    emulator = merchant.emulator
    page = emulator.handle("GET", f"/checkout/{session}", {}, b"")
    assert b"o-1 1200 JPY" in page.body
    done = emulator.handle("POST", f"/checkout/{session}", {}, b"act=approve")
    assert done.headers["Location"] == (
        f"https://shop.example/r?a=1&amazonCheckoutSessionId={session}"
    )
    with pytest.raises(OutOfPlay):
        emulator.consumer.decline("o-1")


def test_a_notification_says_what_has_changed_and_neither_state_nor_amount(merchant):
    charge = merchant.charged()
    last = json.loads(merchant.emulator.take_notifications()[-1].body)
    assert last["Type"] == "Notification"
    message = json.loads(last["Message"])
    assert message.pop("NotificationId").startswith("n-")
    assert message == {
        "MerchantID": merchant.emulator.merchant_id,
        "ObjectType": "CHARGE",
        "ObjectId": charge,
        "ChargePermissionId": charge.rpartition("-")[0],
        "NotificationType": "STATE_CHANGE",
        "NotificationVersion": "V2",
    }
