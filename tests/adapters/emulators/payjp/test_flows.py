"""Payment flows and refunds: what each call does, and what the gateway refuses."""

import pytest

from kessai_adapters.emulators import OutOfPlay


def test_a_payment_is_held_and_captured_once_and_the_rest_given_back(shop):
    flow = shop.flow(500)
    assert (flow["status"], flow["amount_capturable"]) == ("requires_capture", 500)
    captured = shop.post(f"payment_flows/{flow['id']}/capture", amount_to_capture=300)
    assert (captured["status"], captured["amount_received"]) == ("succeeded", 300)
    assert captured["amount_capturable"] == 0
    again = shop.post(f"payment_flows/{flow['id']}/capture", amount_to_capture=100)
    assert (shop.status, again["title"]) == (400, "Invalid Status")


def test_no_more_is_captured_than_is_held(shop):
    flow = shop.flow(500)
    shop.post(f"payment_flows/{flow['id']}/capture", amount_to_capture=501)
    assert shop.status == 422


def test_a_payment_is_created_first_and_confirmed_then(shop):
    paid = shop.customer()
    customer = paid["customer_id"]
    made = shop.post("payment_flows", amount=500, currency="jpy", customer_id=customer)
    assert made["status"] == "requires_payment_method"
    flow = shop.post(
        f"payment_flows/{made['id']}/confirm",
        payment_method_id=paid["payment_method_id"],
    )
    assert (flow["status"], flow["amount_received"]) == ("succeeded", 500)


def test_a_payment_method_is_charged_only_with_the_customer_who_owns_it(shop):
    method = shop.customer()["payment_method_id"]
    other = shop.customer()["customer_id"]
    asked = {"amount": 500, "currency": "jpy", "payment_method_id": method}
    shop.post("payment_flows", **asked)
    assert shop.status == 422
    shop.post("payment_flows", customer_id=other, **asked)
    assert shop.status == 404


@pytest.mark.parametrize("amount", [49, 10_000_000, 500.0, "500", True, None])
def test_only_whole_yen_within_the_bounds_are_taken(shop, amount):
    shop.post("payment_flows", amount=amount, currency="jpy")
    assert shop.status == 422


def test_only_yen_are_taken(shop):
    shop.post("payment_flows", amount=500, currency="usd")
    assert shop.status == 422


def test_a_cancellation_needs_its_reason_and_comes_before_the_capture(shop):
    flow = shop.flow()
    place = f"payment_flows/{flow['id']}/cancel"
    shop.post(place)
    assert shop.status == 422
    canceled = shop.post(place, cancellation_reason="requested_by_customer")
    assert (canceled["status"], canceled["amount_capturable"]) == ("canceled", 0)
    paid = shop.captured()
    shop.post(f"payment_flows/{paid['id']}/cancel", cancellation_reason="duplicate")
    assert shop.status == 400


EXTENDED = {"card": {"request_extended_authorization": "if_available"}}


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({}, 7),
        ({"payment_method_options": EXTENDED}, 30),
        ({"payment_method_options": EXTENDED, "number": "4000000900000003"}, 7),
        ({"kind": "paypay"}, 30),
    ],
)
def test_what_nobody_captures_in_time_is_canceled_as_expired(
    shop, emulator, asked, days
):
    flow = shop.flow(**asked)
    if asked.get("kind") == "paypay":
        emulator.consumer.approve(flow["id"])
    shop.clock.advance(days=days, seconds=-1)
    place = f"payment_flows/{flow['id']}"
    assert shop.get(place)["status"] == "requires_capture"
    shop.clock.advance(seconds=1)
    problem = shop.post(f"{place}/capture")
    assert (shop.status, problem["title"]) == (400, "Payment Flow Expired")
    found = shop.get(place)
    assert (found["status"], found["cancellation_reason"]) == ("canceled", "expired")


def test_refunds_take_what_is_left_and_no_more(shop):
    flow = shop.captured(500)
    asked = {"payment_flow_id": flow["id"]}
    first = shop.post("payment_refunds", amount=300, metadata={"a": "b"}, **asked)
    assert (first["status"], first["metadata"]) == ("succeeded", {"a": "b"})
    problem = shop.post("payment_refunds", amount=201, **asked)
    assert (shop.status, problem["title"]) == (400, "Refund Exceeds Payment")
    assert shop.post("payment_refunds", **asked)["amount"] == 200
    problem = shop.post("payment_refunds", amount=1, **asked)
    assert (shop.status, problem["title"]) == (400, "Already Refunded")
    listed = shop.get(f"payment_flows/{flow['id']}/refunds")["data"]
    assert [each["amount"] for each in listed] == [200, 300]
    assert shop.get(f"payment_refunds/{first['id']}") == first


def test_a_refund_is_pending_and_may_fail_later(shop, emulator):
    flow = shop.captured(500)
    emulator.misbehave("pending", command="refund")
    refund = shop.post("payment_refunds", payment_flow_id=flow["id"], amount=400)
    assert refund["status"] == "pending"
    shop.post("payment_refunds", payment_flow_id=flow["id"], amount=101)
    assert shop.status == 400  # what is pending counts
    emulator.fail(flow["id"])
    assert shop.get(f"payment_refunds/{refund['id']}")["status"] == "failed"
    again = shop.post("payment_refunds", payment_flow_id=flow["id"], amount=500)
    assert again["status"] == "succeeded"
    with pytest.raises(OutOfPlay):
        emulator.complete(flow["id"])


def test_nothing_is_refunded_that_was_not_captured(shop):
    flow = shop.flow()
    shop.post("payment_refunds", payment_flow_id=flow["id"], amount=100)
    assert shop.status == 400


@pytest.mark.parametrize(
    ("number", "amount", "reason"),
    [
        ("4000000000080319", 500, "card_declined"),
        ("4000000000004012", 500, "expired_card"),
        ("4000000000000077", 500, "incorrect_card_data"),
        ("4000000000080202", 10_001, "card_declined"),
    ],
)
def test_test_cards_are_declined_and_the_flow_says_why(shop, number, amount, reason):
    problem = shop.flow(amount, number)
    assert (shop.status, problem["title"]) == (402, "Payment Failed")
    assert problem["errors"] == [{"code": reason}]
    (flow,) = shop.get("payment_flows")["data"]
    assert flow["status"] == "requires_payment_method"
    assert flow["last_payment_error"]["code"] == reason


def test_a_card_that_is_declined_above_10_000_yen_pays_10_000(shop):
    assert shop.flow(10_000, "4000000000080202")["status"] == "requires_capture"


def test_a_payment_can_be_under_way_for_a_while(shop, emulator):
    emulator.misbehave("pending", command="create_flow")
    flow = shop.flow()
    assert flow["status"] == "processing"
    emulator.complete(flow["id"])
    assert shop.get(f"payment_flows/{flow['id']}")["status"] == "requires_capture"


def test_flows_of_a_customer_are_listed_newest_first_page_by_page(shop):
    asked = {"amount": 500, "currency": "jpy"}
    customer = shop.customer()["customer_id"]
    made = [
        shop.post("payment_flows", customer_id=customer, **asked)["id"] for _ in "123"
    ]
    shop.post("payment_flows", **asked)
    place = f"payment_flows?customer_id={customer}&limit=2"
    first = shop.get(place)
    assert (first["has_more"], [f["id"] for f in first["data"]]) == (True, made[:0:-1])
    rest = shop.get(f"{place}&starting_after={made[1]}")
    assert (rest["has_more"], [f["id"] for f in rest["data"]]) == (False, made[:1])
