"""One key, one request, one effect; and ids that the gateway could not take."""

import pytest

from kessai.errors import InvalidCommand


def authorized(shop, transaction="order"):
    shop.apply(transaction, key=f"{transaction}-begun")
    shop.engine.recover_transaction(transaction)


def test_a_key_used_again_for_the_same_request_gives_its_answer_and_sends_nothing(shop):
    authorized(shop)
    first = shop.do("capture", "order", amount=700, key="ship")
    before = shop.traces()

    again = shop.do("capture", "order", amount=700, key="ship")

    assert (first.status, again.status) == ("succeeded", "succeeded")
    assert (first.is_recorded, again.is_recorded) == (False, True)
    assert shop.traces() == before


OTHERS = {
    "another amount": ("capture", "order", {"amount": 701}),
    "no amount": ("capture", "order", {}),
    "another command": ("cancel", "order", {}),
    "another transaction": ("capture", "other", {"amount": 700}),
    "one that never was": ("capture", "nobody", {"amount": 700}),
    "another parameter": ("cancel", "order", {"parameters": {"reason": "x"}}),
    "another lifecycle": ("capture", "order", {"amount": 700, "lifecycle": "one_time"}),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_key_used_again_for_another_request_is_a_conflict(shop, other):
    authorized(shop)
    authorized(shop, "other")
    shop.do("capture", "order", amount=700, key="ship")
    sent, recorded = (
        len(shop.wire.sent),
        shop.store.load("ship", "order", None).recorded,
    )
    amounts = {t.id: t.amounts for t in shop.store.transactions()}

    name, transaction, fields = other
    answer = shop.do(name, transaction, key="ship", **fields)

    assert answer.denial.codes == ("key_conflict",)
    assert len(shop.wire.sent) == sent
    assert shop.store.load("ship", "order", None).recorded == recorded
    standing = {t.id: t.amounts for t in shop.store.transactions() if t.exists}
    assert standing == amounts
    assert shop.do("capture", "order", amount=700, key="ship").status == "succeeded"


def test_keys_that_only_look_alike_are_two(shop):
    authorized(shop)
    for key in ("é", "e\u0301", "É", " é", "é "):
        answer = shop.do("refund", "order", amount=1, key=key)
        assert (answer.is_recorded, answer.key) == (False, key)


@pytest.mark.parametrize(
    "name", ["a" * 101, "a" * 255, "注文", "a b", "a.b", "a/b", "a'--", "order\u200b"]
)
def test_an_id_that_the_gateway_cannot_take_is_denied_before_anything_is_sent(
    shop, name
):
    answer = shop.apply(name)

    assert answer.denial.codes == ("transaction_id_invalid",)
    assert "must be 1 to 100 of A-Za-z0-9_-" in str(answer.denial)
    assert shop.wire.sent == []
    assert shop.do("capture", name).denial.codes == ("unknown_transaction",)


@pytest.mark.parametrize("name", ["a" * 256, "a" * 10_000_000])
def test_an_id_beyond_all_measure_is_refused(shop, name):
    before = shop.traces()
    with pytest.raises(InvalidCommand, match="1 to 255 characters"):
        shop.apply(name)
    assert shop.traces() == before


@pytest.mark.parametrize("name", ["a", "A-1_z", "a" * 100, "-", "0"])
def test_an_id_at_the_limits_reaches_the_gateway(shop, name):
    assert shop.apply(name).status == "pending"
    assert name in shop.gateway.emulator.books
