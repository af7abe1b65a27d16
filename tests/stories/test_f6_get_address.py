"""F6: the address is read wherever it is allowed, disclosed once, and kept nowhere."""

import pytest

from kessai import SQLiteStore
from kessai_adapters.emulators.veritrans4g import commands

OWN_PAGE = {
    "merchant_page": True,
    "merchant_page_url": "https://shop.example/confirm",
}


def at_merchants_page(shop):
    shop.apply(**OWN_PAGE)
    shop.emulator.consumer.log_in("order")


def partially_refunded(shop):
    shop.captured()
    shop.do("refund", "order", amount=1)


def refunded(shop):
    shop.captured()
    shop.do("refund", "order")


def cancelled(shop):
    shop.authorized()
    shop.do("cancel", "order")


def expired(shop):
    shop.authorized()
    shop.clock.pass_by(days=30)
    shop.sweep("order")


def failed(shop):
    shop.apply()
    shop.emulator.consumer.decline("order")
    shop.notification()


def terminated(shop):
    shop.consented("order")
    shop.do("terminate", "order")


def recurring_failed(shop):
    shop.apply_recurring("order")
    shop.emulator.consumer.decline("order")
    shop.notification()


ALLOWED = {
    "at the merchant's page": at_merchants_page,
    "authorized": lambda shop: shop.authorized(),
    "captured": lambda shop: shop.captured(),
    "partially refunded": partially_refunded,
    "refunded": refunded,
    "consented": lambda shop: shop.consented("order"),
    "consent only": lambda shop: shop.consented("order", consent_only=True),
    "terminated": terminated,
}
DENIED = {
    "at the gateway's page": lambda shop: shop.apply(),
    "recurring, at the gateway's page": lambda shop: shop.apply_recurring("order"),
    "cancelled": cancelled,
    "expired": expired,
    "failed": failed,
    "recurring, failed": recurring_failed,
}


def needles(disclosed):
    """All that must be found nowhere."""
    found = [*disclosed["address"].values()]
    found += [disclosed[name] for name in disclosed if name != "address"]
    return {text for text in found if text}


@pytest.mark.parametrize("state", ALLOWED)
def test_it_is_read_in_every_allowed_state(shop, state):
    ALLOWED[state](shop)
    before = shop.transaction("order")
    assert shop.can("order")["get_address"].is_allowed
    answer = shop.do("get_address", "order")
    assert answer.status == "succeeded"
    assert answer.disclosed["address"]["shipping_name"]
    assert "buyer_email" not in answer.disclosed["address"]
    assert answer.transaction.states == before.states
    assert answer.transaction.amounts == before.amounts
    pending = ["order"] if state.startswith("at") else []
    shop.books_agree(still_open=pending)


@pytest.mark.parametrize("state", DENIED)
def test_it_is_denied_in_every_other_state(shop, state):
    DENIED[state](shop)
    assert not shop.can("order")["get_address"].is_allowed
    answer = shop.do("get_address", "order")
    assert answer.status == "denied"
    assert answer.disclosed == {}
    assert "GetAddress" not in shop.sent
    pending = ["order"] if "at the gateway's page" in state else []
    shop.books_agree(still_open=pending)


def test_a_charge_has_no_consumer_of_its_own(shop):
    shop.consented()
    shop.do("reauthorize", "charge", agreement="plan", amount=300)
    answer = shop.do("get_address", "charge")
    assert answer.denial.codes == ("not_in_lifecycle",)
    shop.books_agree()


def test_an_unknown_order_has_no_address(shop):
    answer = shop.do("get_address", "nobody")
    assert answer.denial.codes == ("unknown_transaction",)
    assert shop.sent == []


def test_the_same_key_reads_again_since_nothing_is_kept(shop):
    shop.authorized()
    first = shop.do("get_address", "order")
    again = shop.again(first)
    assert again.is_recorded
    assert again.disclosed == first.disclosed
    assert shop.sent.count("GetAddress") == 2
    shop.books_agree()


@pytest.mark.parametrize("fault", ["lose_request", "lose_reply", "http_500", "garbage"])
def test_a_read_that_fails_holds_nothing_up(shop, fault):
    shop.authorized()
    shop.emulator.misbehave(fault, command="GetAddress")
    assert shop.do("get_address", "order").status == "declined"
    assert shop.do("get_address", "order").status == "succeeded"
    shop.books_agree()


def test_personal_data_are_kept_nowhere(shop, tmp_path, caplog, capsys, monkeypatch):
    # The stand-in's own are zeros here and there, as result codes and ids are.
    for fields in (commands._SHIPPING, commands._MORE):
        for name in fields:
            monkeypatch.setitem(fields, name, f"植えた {name} planted")
    shop.apply(**OWN_PAGE)
    shop.emulator.consumer.log_in("order")
    answers = [shop.do("get_address", "order", parameters={"details": True})]
    shop.approve("order")
    answers += [
        shop.do("get_address", "order", parameters={"details": True}) for _ in range(2)
    ]
    answers.append(shop.again(answers[0], parameters={"details": True}))
    planted = set().union(*(needles(answer.disclosed) for answer in answers))
    assert len(planted) >= 17
    transaction = shop.transaction("order")
    seen = [
        *map(repr, answers),
        *map(repr, (answer.evidence for answer in answers)),
        repr(transaction),
        *map(repr, shop.events("order")),
        *(record.body.decode() for record in shop.store.records("order")),
        repr(shop.store.load(answers[0].key, "order", None)),
        repr(shop.engine),
        repr(shop.adapter),
        caplog.text,
        *capsys.readouterr(),
    ]
    if isinstance(shop.store, SQLiteStore):
        files = sorted(tmp_path.glob("shop.db*"))
        assert any(file.name == "shop.db-wal" for file in files)
        seen += [file.read_bytes().decode("utf-8", "ignore") for file in files]
        assert any("get_address" in text for text in seen[-len(files) :])
    for text in planted:
        escaped = text.encode("ascii", "backslashreplace").decode()
        for place in seen:
            assert text not in place
            assert escaped not in place
    shop.books_agree()
