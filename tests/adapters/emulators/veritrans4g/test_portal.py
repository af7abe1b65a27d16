"""The portal: what happens at the gateway without anybody asking by the wire."""

import pytest

from kessai_adapters.emulators.veritrans4g import Refused

NOTIFICATIONS = {
    "capturePushUrl": "http://127.0.0.1:1/",
    "cancelPushUrl": "http://127.0.0.1:1/",
}


def test_what_is_done_in_the_portal_shows_in_the_inquiry_and_is_notified(
    shop, emulator
):
    shop.authorized("A-1", 1000, **NOTIFICATIONS)
    emulator.portal.capture("A-1", 600)
    emulator.portal.refund("A-1", 100)

    assert shop.trail("A-1")[1:] == [
        ("Capture", "success", "600"),
        ("Refund", "success", "100"),
    ]
    assert len(emulator.take_notifications()) == 2
    assert shop.refused("Capture", "A-1") == "NH020004"


def test_the_portal_cancels_and_terminates(shop, emulator):
    shop.consented("R-1")
    emulator.portal.cancel("R-1")
    emulator.portal.terminate("R-1")
    assert (shop.status("R-1"), shop.consent("R-1")) == ("cancelled", "terminated")


def test_the_portal_obeys_the_same_rules(shop, emulator):
    shop.captured("A-1", 100)
    for act in (
        lambda: emulator.portal.cancel("A-1"),
        lambda: emulator.portal.refund("A-1", 101),
        lambda: emulator.portal.refund("A-1", 0),
        lambda: emulator.portal.terminate("A-1"),
        lambda: emulator.portal.expire("A-1"),
        lambda: emulator.portal.capture("nowhere"),
    ):
        with pytest.raises(Refused):
            act()
    assert emulator.totals()["refunded"] == 0


def test_the_portal_lets_an_authorization_expire_before_its_time(shop, emulator):
    shop.authorized("A-1")
    emulator.portal.expire("A-1")
    assert shop.status("A-1") == "expired"
    assert shop.refused("Capture", "A-1") == "NH020007"


def test_the_portal_lets_an_abandoned_application_lapse(shop, emulator):
    emulator.approve = "ask"
    shop.authorized("A-1", authorizePushUrl="http://127.0.0.1:1/")
    emulator.portal.expire("A-1")
    assert shop.trail("A-1") == [("Authorize", "failure", "1000")]
    assert len(emulator.take_notifications()) == 1


def test_nothing_expires_while_a_capture_is_in_progress(shop, emulator):
    shop.authorized("A-1")
    emulator.misbehave("pending", command="Capture")
    shop.send("Capture", "A-1")
    with pytest.raises(Refused):
        emulator.portal.expire("A-1")
