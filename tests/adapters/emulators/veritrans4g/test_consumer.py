"""The consumer's part of the flows F1 and F2, played by a program."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY

URLS = {
    "successUrl": "https://shop.example/done?cart=7&orderId=forged",
    "cancelUrl": "https://shop.example/cancelled",
    "errorUrl": "https://shop.example/error",
}
OWN_PAGE = {
    **URLS,
    "payConfirmScreenType": "1",
    "payConfirmScreenUrl": "https://shop.example/confirm?cart=7",
}


@pytest.fixture
def consumer(emulator):
    emulator.approve = "ask"
    return emulator.consumer


def query_of(url):
    return parse_qs(urlsplit(url).query, strict_parsing=True)


def is_signed(query):
    """Check a redirect as the merchant does, by the document."""
    letters = str.maketrans({"*": "=", "-": "/", "_": "+", " ": "+"})
    listed = query["authParams"][0].translate(letters)
    names = base64.b64decode(listed, validate=True).decode().split(",")
    values = "".join(query[name][0] for name in names)
    text = f"{DEFAULT_CCID}{values}{DEFAULT_KEY}"
    return query["vAuthInfo"][0] == hashlib.sha256(text.encode()).hexdigest()


def test_nothing_is_authorized_until_the_consumer_has_finished(shop, consumer):
    reply = shop.authorized("A-1", **URLS)

    assert consumer.page_url("A-1") in reply["responseContents"]
    assert shop.trail("A-1") == [("Authorize", "pending", "1000")]
    assert shop.status("A-1") == "requested"
    assert shop.refused("Capture", "A-1") == "NH020001"
    assert shop.refused("Cancel", "A-1") == "NH020001"
    assert shop.refused("UpdateAuthorize", "A-1", amount="5") == "NH020001"


def test_after_approving_the_browser_brings_a_signed_hint(shop, consumer):
    shop.authorized("A-1", **URLS)
    assert consumer.log_in("A-1") == consumer.page_url("A-1")
    url = consumer.approve("A-1")

    assert url.startswith("https://shop.example/done?")
    query = query_of(url)
    assert query["cart"] == ["7"]
    assert query["orderId"] == ["A-1"]
    assert query["mstatus"] == ["success"]
    assert is_signed(query)
    query["mstatus"] = ["failure"]
    assert not is_signed(query)
    assert shop.trail("A-1")[0] == ("Authorize", "success", "1000")


def test_approving_captures_if_the_application_asked_for_it(shop, consumer):
    shop.authorized("A-1", withCapture="true")
    assert consumer.approve("A-1") == ""
    assert shop.status("A-1") == "captured"


def test_declining_fails_the_application_and_leads_to_the_cancel_page(shop, consumer):
    shop.authorized("A-1", **URLS)
    url = consumer.decline("A-1")
    assert url.startswith(URLS["cancelUrl"])
    assert is_signed(query_of(url))
    assert shop.status("A-1") == "failed"
    assert shop.refused("Capture", "A-1") == "NH020008"


def test_a_refused_card_leads_to_the_error_page(shop, consumer):
    shop.authorized("A-1", **URLS)
    url = consumer.refuse_card("A-1")
    assert url.startswith(URLS["errorUrl"])
    assert query_of(url)["mstatus"] == ["failure"]
    assert shop.status("A-1") == "failed"


def test_a_closed_browser_decides_nothing(shop, consumer):
    shop.authorized("A-1")
    consumer.close_browser("A-1")
    assert shop.trail("A-1") == [("Authorize", "pending", "1000")]
    with pytest.raises(OutOfPlay, match="browser is closed"):
        consumer.approve("A-1")
    consumer.log_in("A-1")
    consumer.approve("A-1")
    consumer.close_browser("A-1")
    assert shop.ok("GetAddress", "A-1")["shippingName"]


def test_a_consumer_acts_once(shop, consumer):
    shop.authorized("A-1")
    consumer.approve("A-1")
    for act in (consumer.approve, consumer.decline, consumer.log_in):
        with pytest.raises(OutOfPlay, match="finished"):
            act("A-1")


def test_a_session_lapses_after_a_day_and_the_application_stays_pending(
    shop, consumer, clock
):
    """Amazon Pay cancels the session; the gateway's documents name no end of its own."""
    shop.authorized("A-1")
    clock.pass_days(0.99)
    consumer.log_in("A-1")
    clock.pass_days(0.01)
    for act in (consumer.approve, consumer.decline, consumer.log_in):
        with pytest.raises(OutOfPlay, match="has lapsed"):
            act("A-1")
    assert shop.trail("A-1") == [("Authorize", "pending", "1000")]


def test_no_consumer_sees_a_reauthorization_or_an_unknown_order(shop, emulator):
    shop.consented("R-1")
    emulator.misbehave("pending", command="ReAuthorize")
    shop.send("ReAuthorize", "R-2", originalOrderId="R-1", amount="5")
    for order_id in ("R-2", "nowhere"):
        with pytest.raises(OutOfPlay):
            emulator.consumer.approve(order_id)


def test_at_the_merchants_own_page_the_address_comes_before_the_authorization(
    shop, consumer
):
    shop.authorized("A-1", **OWN_PAGE)
    assert shop.refused("GetAddress", "A-1") == "NH020001"
    assert consumer.log_in("A-1") == OWN_PAGE["payConfirmScreenUrl"]

    address = shop.ok("GetAddress", "A-1")
    assert address["payRedirectUrl"] == consumer.page_url("A-1")
    update = shop.ok("UpdateAuthorize", "A-1", amount="1500")
    assert update["payRedirectUrl"] == consumer.page_url("A-1")
    assert shop.status("A-1") == "requested"

    consumer.approve("A-1")
    assert shop.trail("A-1")[0] == ("Authorize", "success", "1500")
    assert "payRedirectUrl" not in shop.ok("GetAddress", "A-1")


def test_the_consumer_cannot_confirm_where_the_merchant_did_not_lead(shop, consumer):
    shop.authorized("A-1", **OWN_PAGE)
    with pytest.raises(OutOfPlay, match="payRedirectUrl"):
        consumer.approve("A-1")
    consumer.log_in("A-1")
    with pytest.raises(OutOfPlay, match="payRedirectUrl"):
        consumer.approve("A-1")
    assert consumer.decline("A-1").startswith(URLS["cancelUrl"])


def test_a_recurring_application_is_updated_before_its_authorization_only(
    shop, consumer
):
    shop.consented("R-1", 1000, **OWN_PAGE)
    consumer.log_in("R-1")
    code = shop.refused("UpdateAuthorize", "R-1", amount="100001")
    assert code == "NH030000"
    shop.ok("UpdateAuthorize", "R-1", amount="1100")
    consumer.approve("R-1")
    assert shop.status("R-1") == "authorized"
    assert shop.consent("R-1") == "consented"
    assert shop.refused("UpdateAuthorize", "R-1", amount="5") == "NH020031"


def test_a_consent_alone_has_no_authorization_to_update(shop, consumer):
    shop.consented("R-1", consentAuthType="0", **OWN_PAGE)
    consumer.log_in("R-1")
    assert shop.refused("UpdateAuthorize", "R-1", amount="5") == "NH020031"
    shop.ok("GetAddress", "R-1")
    consumer.approve("R-1")
    assert shop.consent("R-1") == "consented"


def test_a_consumer_who_approves_at_once_still_waits_at_the_merchants_page(
    shop, emulator
):
    shop.authorized("A-1", **OWN_PAGE)
    assert shop.status("A-1") == "requested"
    shop.ok("GetAddress", "A-1")
    emulator.consumer.approve("A-1")
    assert shop.status("A-1") == "authorized"
