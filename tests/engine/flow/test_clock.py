"""The engine's clock: a time of no zone is refused, one of another zone is put in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kessai import MemoryStore
from kessai.errors import InvalidInput
from kessai.machine import read_events

JST = timezone(timedelta(hours=9))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_naive_clock_is_refused_when_the_engine_is_made(observed_shop, kind, clock):
    clock.now = datetime(2026, 1, 2)  # noqa: DTZ001 - that is the mistake
    with pytest.raises(InvalidInput, match="its times have no zone"):
        observed_shop(kind, MemoryStore(), None)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_another_zone_tells_is_kept_in_utc(observed_shop, kind, clock, command):
    clock.now = datetime(2026, 1, 2, 12, tzinfo=JST)
    store = MemoryStore()
    shop = observed_shop(kind, store, None)
    shop.call("execute", command("authorize", 100))
    begun, *_ = read_events(store.records("order-1"))
    assert begun.at == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert b"2026-01-02T03:00:00Z" in store.records("order-1")[0].body
