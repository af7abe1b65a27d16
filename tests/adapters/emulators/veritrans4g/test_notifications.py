"""The notifications: what is in them, where they go, and how they are signed."""

import hashlib
import hmac
from urllib.parse import parse_qsl

import pytest

from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY

URLS = {
    "authorizePushUrl": "http://127.0.0.1:1/authorize",
    "capturePushUrl": "http://127.0.0.1:1/capture",
    "cancelPushUrl": "http://127.0.0.1:1/cancel",
}


def fields(notification):
    return dict(parse_qsl(notification.body.decode(), strict_parsing=True))


def notified(emulator):
    """Take the notifications as (last part of the URL, txnType, mstatus, amount)."""
    return [
        (
            notification.url.rpartition("/")[2],
            fields(notification)["txnType0000"],
            fields(notification)["mstatus0000"],
            fields(notification).get("amount0000"),
        )
        for notification in emulator.take_notifications()
    ]


def test_a_notification_is_signed_over_its_raw_body_with_the_decoded_key(
    shop, emulator
):
    shop.authorized("A-1", **URLS)
    (notification,) = emulator.take_notifications()

    value = hmac.new(
        bytes.fromhex(DEFAULT_KEY), notification.body, hashlib.sha256
    ).hexdigest()
    assert notification.headers == {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Hmac": f"h=HmacSHA256;s={DEFAULT_CCID};v={value}",
    }
    found = fields(notification)
    assert found["numberOfNotify"] == "1"
    assert found["pushTime"] == "20240601120000"
    assert found["pushId"]
    assert found["orderId0000"] == "A-1"
    assert found["vResultCode0000"] == "A001000000000000"
    assert found["dummy0000"] == "0"
    assert found["centerOrderId0000"]
    assert found["centerTransactionId0000"]


def test_each_command_is_notified_to_the_url_of_its_kind(shop, emulator):
    shop.authorized("A-1", 1000, **URLS)
    shop.ok("UpdateAuthorize", "A-1", amount="900")
    shop.ok("Capture", "A-1", amount="800")
    shop.ok("Refund", "A-1", amount="100")
    shop.authorized("A-2", 50, **URLS)
    shop.ok("Cancel", "A-2")
    assert notified(emulator) == [
        ("authorize", "Authorize", "success", "1000"),
        ("authorize", "UpdateAuthorize", "success", "900"),
        ("capture", "Capture", "success", "800"),
        ("cancel", "Refund", "success", "100"),
        ("authorize", "Authorize", "success", "50"),
        ("cancel", "Cancel", "success", "50"),
    ]


def test_consents_and_their_charges_are_notified_each_to_its_own_urls(shop, emulator):
    shop.consented("R-1", 1000, consentAuthType="0", **URLS)
    shop.ok("ReAuthorize", "R-2", originalOrderId="R-1", amount="5", **URLS)
    shop.ok("UpdateConsent", "R-1", amount="5")
    shop.ok("Terminate", "R-1")
    assert notified(emulator) == [
        ("authorize", "Authorize", "success", None),
        ("authorize", "ReAuthorize", "success", "5"),
        ("cancel", "Terminate", "success", None),
    ]


def test_failures_are_notified_too(shop, emulator):
    shop.authorized("A-1", **URLS)
    shop.ok("Cancel", "A-1")
    emulator.take_notifications()
    shop.refused("Capture", "A-1", amount="5")
    emulator.approve = "decline"
    shop.authorized("A-2", **URLS)
    assert notified(emulator) == [
        ("capture", "Capture", "failure", "5"),
        ("authorize", "Authorize", "failure", "1000"),
    ]


def test_nothing_is_notified_before_it_is_final_or_without_a_url(shop, emulator):
    emulator.approve = "ask"
    shop.authorized("A-1", **URLS)
    shop.authorized("A-2")
    emulator.consumer.approve("A-2")
    assert notified(emulator) == []
    emulator.consumer.approve("A-1")
    assert len(emulator.outbox) == 1


@pytest.mark.parametrize(
    ("resolve", "status"), [("complete", "success"), ("fail", "failure")]
)
def test_a_pending_command_is_notified_once_it_is_final(
    shop, emulator, resolve, status
):
    shop.authorized("A-1", **URLS)
    emulator.take_notifications()
    emulator.misbehave("pending", command="Capture")
    shop.send("Capture", "A-1")
    assert notified(emulator) == []
    getattr(emulator, resolve)("A-1")
    assert notified(emulator) == [("capture", "Capture", status, "1000")]


def test_one_body_may_hold_several_notifications(shop, emulator):
    for order_id in ("A-1", "A-2"):
        shop.authorized(order_id, **URLS)
    shop.ok("Capture", "A-1")

    assert [
        notification.url.rpartition("/")[2] for notification in emulator.outbox
    ] == [
        "authorize",
        "authorize",
        "capture",
    ]
    authorize, capture = emulator.take_notifications(batch=True)
    found = fields(authorize)
    assert found["numberOfNotify"] == "2"
    assert (found["orderId0000"], found["orderId0001"]) == ("A-1", "A-2")
    value = hmac.new(bytes.fromhex(DEFAULT_KEY), authorize.body, hashlib.sha256)
    assert authorize.headers["Content-Hmac"].endswith(value.hexdigest())
    assert fields(capture)["numberOfNotify"] == "1"
    assert emulator.take_notifications() == []
