"""Searches by an engine: what it gives, and when a transaction counts as changed."""

from datetime import timedelta

from kessai import Search


def found(shop, **asked):
    return [each.id for each in shop.call("search", Search(**asked)).transactions]


def test_what_was_captured_in_an_hour_is_found(shop, clock):
    for of in ("order-1", "order-2"):
        shop.asks("authorize", 100, of=of)
    clock.now += timedelta(hours=1)
    began = clock.now
    shop.asks("capture", 60, of="order-1")
    clock.now += timedelta(hours=1)
    shop.asks("capture", 100, of="order-2")
    hour = {"since": began, "until": clock.now}
    assert found(shop, states=["captured"], **hour) == ["order-1"]
    assert found(shop, states=["captured"]) == ["order-2", "order-1"]
    assert found(shop, by="opened", **hour) == []
    everything = shop.call("search")
    assert [each.id for each in everything.transactions] == ["order-2", "order-1"]
    assert everything.cursor is None


def test_a_transaction_is_changed_by_what_is_known_and_not_by_what_is_asked(
    shop, clock, gateway, lost
):
    opened = clock.now
    shop.asks("authorize", 100)
    clock.now += timedelta(hours=1)
    shop.asks("refund", 60)  # denied
    assert shop.transaction().changed_at == opened
    gateway.answers.append(lost)
    shop.asks("capture", 60)
    after = shop.transaction()
    assert (after.opened_at, after.changed_at) == (opened, clock.now)
    assert found(shop, is_open=True) == ["order-1"]
