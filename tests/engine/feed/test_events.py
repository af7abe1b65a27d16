"""What happened, for others: `engine.events`, `engine.relay`, on both engines."""

import asyncio
from datetime import timedelta

import pytest

from kessai import AsyncEngine, MemoryStore, Record, SQLiteStore
from kessai.driver import observe
from kessai.errors import InvalidInput, TrailBroken, VersionConflict
from kessai.feed import read_feed
from kessai.flow import Published, Subscriber
from kessai.telemetry.logs import LogObserver


@pytest.fixture(params=["memory", "sqlite"])
def shop(request, shop_on, tmp_path):
    is_memory = request.param == "memory"
    return shop_on(MemoryStore() if is_memory else SQLiteStore(tmp_path / "shop.db"))


@pytest.fixture
def noon(shop):
    return shop.now


def seen(events, *names):
    return [tuple(getattr(event, name) for name in names) for event in events]


def test_a_sale_is_read_as_it_happened(shop, noon):
    shop.sells()
    shop.does("refund", amount=5000)
    events = list(shop.engine.events())
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    ended = [event for event in events if event.outcome == "succeeded"]
    assert seen(ended, "kind", "command", "amount", "currency", "status") == [
        ("reported", "authorize", 1000, "JPY", "payment.authorized"),
        ("reported", "capture", 900, "JPY", "payment.captured"),
    ]
    denied = events[-1]
    assert (denied.kind, denied.command, denied.amount) == ("denied", "refund", 5000)
    assert denied.reasons == ("amount_above_maximum",)
    assert denied.at == noon + timedelta(minutes=3)
    trail = shop.engine.store.records("A-1")
    assert [event.id for event in events] == [record.hash for record in trail]


def test_whoever_asks_after_a_position_is_given_what_came_since(shop):
    shop.sells()
    events = list(shop.engine.events())
    for place, event in enumerate(events):
        assert list(shop.engine.events(event.position)) == events[place + 1 :]
    shop.sells("A-2")
    since = list(shop.engine.events(events[-1].position))
    assert {event.transaction for event in since} == {"A-2"}


def test_an_operators_words_are_for_those_who_ask_for_them(shop):
    shop.sells()
    shop.local.emulator.misbehave("lose_request")
    answer = shop.does("refund", amount=100)
    found = {"evidence": "the portal has no refund", "actor": "Sato"}
    shop.now += timedelta(hours=1)
    shop.engine.resolve("A-1", answer.operation, "declined", **found)
    last = list(shop.engine.events())[-1]
    assert (last.source, last.note, last.actor) == ("operator", None, None)
    noted = list(shop.engine.events(with_notes=True))[-1]
    assert (noted.note, noted.actor) == ("the portal has no refund", "Sato")


def test_what_is_no_position_is_refused(shop):
    with pytest.raises(InvalidInput, match="no position in the feed"):
        list(shop.engine.events("tomorrow"))


def test_without_an_engine_the_feed_is_the_same(shop):
    shop.sells()
    assert list(read_feed(shop.engine.store)) == list(shop.engine.events())


def test_an_event_that_was_altered_is_passed_over_by_nobody(shop, monkeypatch):
    shop.sells()
    store = shop.engine.store
    good = store.feed("", 10)

    first, second = good[0], good[1].record
    changed = Record(second.transaction, 2, second.body + b" ", second.hash)

    def altered(after, limit):
        return [] if after else [first, Published(good[1].position, changed)]

    monkeypatch.setattr(store, "feed", altered)
    with pytest.raises(TrailBroken):
        list(shop.engine.events())


# ── subscribers ─────────────────────────────────────────────────────────────────────


def test_a_subscriber_is_given_each_event_once_and_goes_on_where_it_was(shop):
    given = []
    shop.sells()
    assert shop.engine.relay("mail", given.append) == len(given) == 5
    assert shop.engine.relay("mail", given.append) == 0
    shop.does("refund", amount=100)
    shop.engine.relay("mail", given.append)
    assert given == list(shop.engine.events())
    assert shop.engine.relay("another", lambda event: None) == len(given)


def test_what_failed_is_given_again(shop):
    shop.sells()
    given = []

    def fails_at_the_third(event):
        given.append(event.number)
        if len(given) == 3:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        shop.engine.relay("mail", fails_at_the_third)
    shop.engine.relay("mail", fails_at_the_third)
    assert given == [1, 2, 3, 3, 4, 5]


def test_of_two_that_relay_for_one_subscriber_one_is_refused(shop):
    shop.sells()

    def another_is_faster(event):
        shop.engine.store.advance(
            Subscriber(name="mail", position=event.position, version=1)
        )

    with pytest.raises(VersionConflict, match="subscriber 'mail'"):
        shop.engine.relay("mail", another_is_faster)


def test_a_race_that_is_lost_is_no_matter_for_a_log(shop, caplog):
    shop.sells()

    def another_is_faster(event):
        moved = Subscriber(name="mail", position=event.position, version=1)
        shop.engine.store.advance(moved)

    with observe(LogObserver()), pytest.raises(VersionConflict):
        shop.engine.relay("mail", another_is_faster)
    assert not caplog.records


def test_nothing_is_held_back_where_writers_take_turns(shop):
    shop.sells()
    assert shop.engine.feed_lag() == timedelta(0)


def test_the_lag_is_the_age_of_the_first_event_that_waits(shop, noon, monkeypatch):
    shop.sells()
    store = shop.engine.store
    first = store.records("A-1")[0]
    monkeypatch.setattr(store, "held_back", lambda: first)
    shop.now = noon + timedelta(minutes=5)
    assert shop.engine.feed_lag() == timedelta(minutes=4)


def test_the_asynchronous_engine_gives_the_same(shop):
    shop.sells()

    async def story():
        engine = AsyncEngine(adapters=[], store=shop.engine.store, transport=None)
        given = []

        async def handle(event):
            given.append(event)

        read = [event async for event in engine.events()]
        assert await engine.relay("mail", handle) == 5
        assert await engine.relay("mail", handle) == 0
        assert await engine.feed_lag() == timedelta(0)
        assert given == read
        return read

    assert asyncio.run(story()) == list(shop.engine.events())
