"""`kessai tx totals`: the export's movements, added up by the merchant's days."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kessai import MemoryStore
from kessai.export import EXPORTS, Period, totals
from kessai.testing.store_kit.conformance import NOON, Book

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")


def opened(book, at):
    book.end(book.begin(at=at, declaration=book.machine.lifecycle), at=at)


def sold_each_half_hour(first, hours):
    """A store with a captured sale of 100 yen in each half hour from `first` on."""
    store = MemoryStore()
    for number in range(2 * hours):
        at = first + number * timedelta(minutes=30)
        book = Book(store, f"order-{number:03}")
        opened(book, at)
        book.end(book.begin("capture", at=at), at=at)
    return store


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)]
)
def test_a_day_has_as_many_hours_as_its_clocks_give_it(day, hours):
    store = sold_each_half_hour(
        datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=12), 72
    )
    found = {
        (total.span, total.amount_name): (total.movements, total.change)
        for total in totals(store, Period(NEW_YORK), "en", "day")
    }
    assert (
        found[day, "captured"] == found[day, "authorized"] == (2 * hours, 200 * hours)
    )


@pytest.mark.parametrize("by", ["day", "month"])
@pytest.mark.parametrize("zone", [UTC, TOKYO, NEW_YORK])
def test_totals_are_the_movements_of_the_export_to_the_yen(zone, by):
    store = sold_each_half_hour(datetime(2026, 5, 31, tzinfo=UTC), 60)
    since = datetime(2026, 5, 31, 10, 15, tzinfo=UTC)
    period = Period(zone, since, since + timedelta(days=1))
    expected = Counter()
    for row in EXPORTS["movements"](store, period, "en").rows:
        local = row["at"].isoformat()[: {"day": 10, "month": 7}[by]]
        expected[local, row["amount_name"]] += row["change"]
    found = list(totals(store, period, "en", by))
    assert {(t.span, t.amount_name): t.change for t in found} == expected
    assert [t.span for t in found] == sorted(t.span for t in found)
    assert len({t.span for t in found}) == 2


def test_accounts_and_currencies_are_never_added_up_together():
    store = MemoryStore()
    for account in ("shop-1/test", "shop-2/test"):
        book = Book(store, account[:6], account)
        opened(book, NOON)
    found = list(totals(store, Period(UTC), "ja", "month"))
    assert [(t.account, t.currency, t.change) for t in found] == [
        ("shop-1/test", "JPY", 100),
        ("shop-2/test", "JPY", 100),
    ]
