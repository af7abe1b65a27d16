"""Searches on SQLite: by which index each is answered, and what is refused."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import AmountBounds, MemoryStore, Search
from kessai.errors import InvalidInput, TrailBroken
from kessai.stores import searching
from kessai.stores.sqlite_rows import moment
from kessai.testing.store_kit.conformance import NOON, Book, _fill

DAY = {"since": NOON, "until": NOON + timedelta(days=1)}
SCAN = re.compile(r"SCAN (kessai_states|kessai_gateway_ids|one)\b(?! USING)")


def cursor(store, **order):
    return store.search(Search(limit=1, **order)).cursor


def plan(path, query):
    """How SQLite would go about `query`, a line a step."""
    with closing(sqlite3.connect(path)) as connection:
        asked = f"EXPLAIN QUERY PLAN {query.text}", query.values
        return [row[3] for row in connection.execute(*asked)]


def plans(path, asked):
    """The plan of each statement that a search makes on the file `path`."""
    step, found = searching.search(asked, moment), []
    with closing(sqlite3.connect(path)) as connection:
        rows = None
        while True:
            try:
                query = next(step) if rows is None else step.send(rows)
            except StopIteration:
                return found
            found.append(plan(path, query))
            rows = connection.execute(query.text, query.values).fetchall()


@pytest.fixture
def filled(sqlite):
    store = sqlite()
    _fill(store)
    return store


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("by", ["changed", "opened"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        DAY,
        {"states": ["captured", "authorized"], "lifecycle": "one_time", **DAY},
        {"states": ["captured"], "account": "shop-1/test"},
        {"amount": AmountBounds("captured", "JPY", 1), "prefix": "order-1"},
        {"is_open": True},
        {"is_discrepant": True},
        {"is_open": True, "is_discrepant": True, "states": ["requested"]},
        {"reference": "r_1"},
        {"reference": "r_1", "reference_kind": "order", "is_open": True},
    ],
)
def test_no_search_scans_a_table(filled, asked, by, newest_first):
    order = {"by": by, "newest_first": newest_first}
    for after in (None, cursor(filled, **order)):
        found = plans(filled.path, Search(**asked, **order, after=after))
        assert found
        for lines in found:
            assert not [line for line in lines if SCAN.search(line)], lines
            assert "AUTOMATIC" not in "".join(lines)


def test_a_page_of_a_state_is_read_in_the_order_of_its_index(filled):
    after = cursor(filled)
    *_, lines = plans(filled.path, Search(states=["captured"], after=after, **DAY))
    (searched,) = [line for line in lines if "kessai_states_changed" in line]
    assert "COVERING INDEX" in searched
    assert "status=? AND changed_at>? AND (changed_at,id)<(?,?)" in searched


def test_states_and_accounts_are_found_by_jumping_from_one_to_the_next(filled):
    lines = plan(filled.path, next(searching.status_groups()))
    searched = [line.partition("kessai_states_changed ")[2] for line in lines]
    assert {
        "(account=? AND lifecycle=? AND status>?)",
        "(account=? AND lifecycle>?)",
        "(account>?)",
    } < set(searched), lines


def test_any_number_of_accounts_is_read_side_by_side(sqlite, monkeypatch):
    monkeypatch.setattr(searching, "SIDE_BY_SIDE", 2)
    store = sqlite()
    for number in range(7):
        Book(store, f"order-{number}", f"shop-{number}/test").begin(
            at=NOON + timedelta(minutes=number)
        )
    asked, found = Search(limit=3), []
    while asked is not None:
        result = store.search(asked)
        found += [each.id for each in result.transactions]
        asked = result.cursor and attrs.evolve(asked, after=result.cursor)
    assert found == [f"order-{number}" for number in reversed(range(7))]


def test_what_matches_rarely_is_looked_for_until_a_page_is_full(sqlite, monkeypatch):
    monkeypatch.setattr(searching, "MOST_READ", 4)
    store = sqlite()
    for number in range(30):
        book = Book(store, f"order-{number:02}")
        book.end(book.begin(amount=1 if number in {3, 17} else 2))
    asked = Search(amount=AmountBounds("authorized", "JPY", 1, 1), limit=1)
    first = store.search(asked)
    second = store.search(attrs.evolve(asked, after=first.cursor))
    found = [each.id for each in first.transactions + second.transactions]
    assert found == ["order-17", "order-03"]
    assert second.cursor is None


def test_a_state_that_is_not_readable_is_said_to_be_broken(filled):
    with closing(sqlite3.connect(filled.path)) as connection, connection:
        connection.execute("UPDATE kessai_states SET state = X'7B' WHERE id = 'odd'")
    assert filled.search(Search(states=["captured"])).transactions
    with pytest.raises(TrailBroken, match="not readable"):
        filled.search(Search(is_open=True))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"states": "captured"}, "states"),
        ({"by": "id"}, "by"),
        ({"since": datetime(2026, 1, 1)}, "since"),  # noqa: DTZ001 - the mistake
        ({"since": NOON, "until": NOON}, "until"),
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"reference": "a\0b"}, "reference"),
        ({"prefix": "\ud800"}, "prefix"),
        ({"reference_kind": "order"}, "reference_kind"),
        ({"after": "x"}, "after"),
        ({"after": ""}, "after"),
        ({"after": "WyJjaGFuZ2VkIl0"}, "after"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(given, named):
    with pytest.raises(InvalidInput, match=f"^{named}: "):
        Search(**given)


@pytest.mark.parametrize("bounds", [(1.0, None), (2, 1), (None, 10**15), (True, None)])
def test_an_amount_is_looked_for_between_whole_numbers_alone(bounds):
    with pytest.raises(InvalidInput, match=r"^amount: captured"):
        AmountBounds("captured", "JPY", *bounds)


def test_a_cursor_belongs_to_its_order():
    store = MemoryStore()
    _fill(store)
    after = cursor(store)
    assert Search(after=after, states=["captured"]).position
    for other in ({"by": "opened"}, {"newest_first": False}):
        with pytest.raises(InvalidInput, match=r"^after: "):
            Search(after=after, **other)


def test_times_are_compared_as_moments_whatever_their_zone(filled):
    tokyo = NOON.astimezone(UTC) + timedelta(hours=5)
    found = filled.search(Search(since=tokyo.astimezone()))
    assert [each.id for each in found.transactions] == ["taken"]
