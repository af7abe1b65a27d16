"""The consumer: asked by the issuer or by PayPay, in the shop's page, and for a card to keep."""

from urllib.parse import urlsplit

import pytest

from kessai_adapters.emulators import OutOfPlay
from kessai_adapters.emulators.payjp import Emulator


def asked_by_issuer(shop, **more):
    three_d = {"card": {"request_three_d_secure": "any"}}
    return shop.flow(payment_method_options=three_d, **more)


def test_an_issuer_asks_the_consumer_who_approves(shop, emulator):
    flow = asked_by_issuer(shop)
    assert flow["status"] == "requires_action"
    assert flow["next_action"]["redirect_to_url"]["url"].startswith("https://")
    emulator.consumer.approve(flow["id"])
    assert shop.states(flow)[-2:] == ["requires_action", "requires_capture"]
    with pytest.raises(OutOfPlay):
        emulator.consumer.approve(flow["id"])


def test_a_flow_is_known_by_the_order_in_its_metadata(shop, emulator):
    for metadata in ({"order": "A-1"}, {"order": "A-2"}):
        asked_by_issuer(shop, metadata=metadata)
    emulator.consumer.decline("A-2")
    emulator.consumer.approve("A-1")
    assert emulator.portal.capture("A-1")["status"] == "succeeded"
    assert emulator.portal.refund("A-1", 200)["amount"] == 200
    assert emulator.portal.cancel("A-2")["status"] == "canceled"
    setup = shop.post("setup_flows", metadata={"order": "A-3"})
    emulator.consumer.approve("A-3")
    assert shop.get(f"setup_flows/{setup['id']}")["status"] == "succeeded"
    with pytest.raises(OutOfPlay):
        emulator.consumer.approve("A-4")


def test_paypay_always_asks_and_may_be_declined(shop, emulator):
    flow = shop.flow(kind="paypay")
    assert flow["status"] == "requires_action"
    emulator.consumer.decline(flow["id"])
    found = shop.get(f"payment_flows/{flow['id']}")
    assert found["status"] == "requires_payment_method"
    assert found["last_payment_error"]["code"] == "authentication_failed"


def test_in_the_shops_page_a_consumer_may_try_another_card(shop, emulator):
    flow = shop.post("payment_flows", amount=500, currency="jpy")
    emulator.consumer.refuse_card(flow["id"])
    emulator.consumer.approve(flow["id"])
    found = shop.get(f"payment_flows/{flow['id']}")
    assert (found["status"], found["last_payment_error"]) == ("succeeded", None)


def test_a_consumer_who_leaves_cancels(shop, emulator):
    flow = shop.post("payment_flows", amount=500, currency="jpy")
    emulator.consumer.leave(flow["id"])
    found = shop.get(f"payment_flows/{flow['id']}")
    assert (found["status"], found["cancellation_reason"]) == ("canceled", "abandoned")


def test_a_checkout_may_have_an_end(clock, shop, emulator):
    emulator.books.consumer_waits = clock.now - clock.now
    flow = shop.post("payment_flows", amount=500, currency="jpy")
    assert shop.get(f"payment_flows/{flow['id']}")["status"] == "canceled"


def test_a_card_is_kept_and_given_up(shop, emulator):
    customer = shop.post("customers", id="cus_1")["id"]
    setup = shop.post("setup_flows", customer_id=customer, usage="off_session")
    emulator.consumer.refuse_card(setup["id"])
    emulator.consumer.approve(setup["id"])
    saved = shop.get(f"setup_flows/{setup['id']}")
    assert saved["status"] == "succeeded"
    method = saved["payment_method_id"]
    listed = shop.get(f"customers/{customer}/payment_methods")["data"]
    assert [each["id"] for each in listed] == [method]
    paid = {"customer_id": customer, "payment_method_id": method, "confirm": True}
    flow = shop.post("payment_flows", amount=500, currency="jpy", **paid)
    assert flow["status"] == "succeeded"
    detached = shop.post(f"payment_methods/{method}/detach")
    assert detached["customer_id"] is None
    shop.post("payment_flows", amount=500, currency="jpy", **paid)
    assert shop.status == 404


def test_a_setup_is_canceled_once(shop):
    setup = shop.post("setup_flows")
    place = f"setup_flows/{setup['id']}/cancel"
    assert shop.post(place, cancellation_reason="duplicate")["status"] == "canceled"
    shop.post(place)
    assert shop.status == 400


@pytest.mark.parametrize(
    ("approve", "status"),
    [("now", "succeeded"), ("decline", "requires_payment_method")],
)
def test_a_consumer_may_be_quick(shop, emulator, approve, status):
    emulator.approve = approve
    flow = shop.post("payment_flows", amount=500, currency="jpy")
    assert flow["status"] == "requires_payment_method"
    assert shop.get(f"payment_flows/{flow['id']}")["status"] == status


def test_a_person_pays_on_the_page_and_is_sent_back(shop, emulator):
    back = "https://shop.example/done"
    flow = asked_by_issuer(shop, return_url=back)
    url = urlsplit(flow["next_action"]["redirect_to_url"]["url"])
    target = f"{url.path}?{url.query}"
    shown = emulator.handle("GET", target, {}, b"")
    assert shown.status == 200
    assert "¥500" in shown.body.decode()
    done = emulator.handle("POST", f"{url.path}/approve", {}, url.query.encode())
    assert (done.status, done.headers["Location"]) == (303, back)
    again = emulator.handle("POST", f"{url.path}/approve", {}, url.query.encode())
    assert again.status == 409


def test_a_page_opens_with_its_secret_alone(shop, emulator):
    flow = asked_by_issuer(shop)
    for query in ("", "?secret=", "?secret=guessed", "?" + "&" * 20):
        page = emulator.handle("GET", f"/consumer/{flow['id']}{query}", {}, b"")
        assert page.status == 404
    assert emulator.handle("GET", "/consumer/pfw_none?secret=x", {}, b"").status == 404


def test_no_card_number_is_kept(tmp_path):
    path = tmp_path / "payjp.db"
    with Emulator(books=path) as emulator:
        emulator.cards.make_method("card", None, {"number": "4242424242424242"})
    assert b"4242424242424242" not in path.read_bytes()
