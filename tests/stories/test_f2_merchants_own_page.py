"""F2: the consumer comes back to the merchant's page before the authorization."""

import pytest

from kessai_adapters.emulators import OutOfPlay

PAGE = "https://shop.example/confirm"
OWN_PAGE = {"merchant_page": True, "merchant_page_url": PAGE}
KINDS = ["one_time", "recurring"]


@pytest.fixture
def apply(shop, kind):
    return {"one_time": shop.apply, "recurring": shop.apply_recurring}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_amount_is_changed_on_the_merchants_page(shop, apply):
    assert apply("order", 1000, **OWN_PAGE).status == "pending"
    assert shop.emulator.consumer.log_in("order") == PAGE
    with pytest.raises(OutOfPlay):
        shop.emulator.consumer.approve("order")

    read = shop.do("get_address", "order", parameters={"details": True})
    assert read.status == "succeeded"
    assert read.disclosed["address"]["shipping_prefecture"]
    page = shop.emulator.consumer.page_url("order")
    assert read.disclosed["redirect_url"] == page

    update = shop.do("update_authorization", "order", amount=1500)
    assert update.status == "succeeded"
    assert update.disclosed["redirect_url"] == page
    assert update.transaction.amounts["authorizing"] == 1500
    assert update.transaction.amounts["authorized"] == 0
    assert shop.do("update_authorization", "order", amount=800).status == "succeeded"

    shop.approve("order")
    transaction = shop.transaction("order")
    assert transaction.states["payment"] == "authorized"
    assert transaction.amounts["authorized"] == 800
    assert transaction.discrepancies == {}
    shop.books_agree()
    assert shop.do("capture", "order").transaction.amounts["captured"] == 800
    shop.books_agree()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_address_is_read_on_the_merchants_page(shop, apply):
    apply("order", 1000, **OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    shop.do("get_address", "order")
    shop.approve("order")
    assert shop.transaction("order").amounts["authorized"] == 1000
    shop.books_agree()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("command", "fields"),
    [("get_address", {}), ("update_authorization", {"amount": 800})],
)
def test_both_are_denied_on_the_gateways_page(shop, apply, command, fields):
    apply("order", 1000)
    answer = shop.do(command, "order", **fields)
    assert answer.status == "denied"
    assert "confirmation_page_not_the_merchants" in answer.denial.codes
    assert not shop.can("order")[command].is_allowed
    assert shop.sent == ["Authorize"]
    shop.books_agree(still_open=["order"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", list(OWN_PAGE))
def test_the_page_needs_its_address_and_the_reverse(shop, apply, given):
    answer = apply("order", 1000, **{given: OWN_PAGE[given]})
    assert answer.denial.codes == ("parameter_missing",)
    assert shop.sent == []


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_consumer_has_logged_in_the_gateway_refuses(shop, apply):
    apply("order", 1000, **OWN_PAGE)
    assert shop.do("get_address", "order").status == "declined"
    early = shop.do("update_authorization", "order", amount=1200)
    assert early.status == "declined"
    shop.emulator.consumer.log_in("order")
    late = shop.do("update_authorization", "order", amount=1300)
    assert late.status == "succeeded"
    shop.approve("order")
    assert shop.transaction("order").amounts["authorized"] == 1300
    shop.books_agree()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shown_by", ["notification", "inquiry"])
def test_the_consumer_approves_while_an_updates_reply_is_lost(shop, apply, shown_by):
    apply("order", 1000, **OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    shop.do("get_address", "order")
    shop.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    lost = shop.do("update_authorization", "order", amount=1500)
    assert lost.status == "unknown"
    shop.clock.pass_by(minutes=5)
    shop.emulator.consumer.approve("order")
    if shown_by == "notification":
        shop.notification()
    else:
        shop.emulator.take_notifications()
        shop.recover("order")
    transaction = shop.transaction("order")
    assert transaction.amounts["authorized"] == 1500
    assert transaction.discrepancies == {}
    assert shop.again(lost, amount=1500).status == "succeeded"
    shop.books_agree()


@pytest.mark.parametrize("kind", KINDS)
def test_the_consumer_approves_while_an_update_is_lost_on_its_way(shop, apply):
    apply("order", 1000, **OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    shop.do("get_address", "order")
    shop.emulator.misbehave("lose_request", command="UpdateAuthorize")
    lost = shop.do("update_authorization", "order", amount=1500)
    assert lost.status == "unknown"
    shop.approve("order")
    transaction = shop.transaction("order")
    assert transaction.states["payment"] == "authorized"
    assert transaction.amounts["authorized"] == 1000
    assert [o.command for o in transaction.operations.values()] == [
        "update_authorization"
    ]
    shop.books_agree(still_open=["order"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_consumer_declines_after_an_update(shop, apply):
    apply("order", 1000, **OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    shop.do("update_authorization", "order", amount=1500)
    shop.emulator.consumer.decline("order")
    shop.notification()
    assert set(shop.transaction("order").states.values()) == {"failed"}
    assert shop.transaction("order").amounts["authorizing"] == 0
    shop.books_agree()
