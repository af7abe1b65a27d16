"""Movements of money added up by the days or months of the merchant's zone."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import attrs

from kessai.export.rows import movements
from kessai.stores import Store
from kessai.zones import Period

SPANS: Mapping[str, Callable[[datetime], str]] = {
    "day": lambda at: f"{at:%Y-%m-%d}",
    "month": lambda at: f"{at:%Y-%m}",
}
"""What movements are added up by: the name of a span from a moment in it."""


@attrs.frozen
class Total:
    """What was added to one amount in a day or a month: `span` is its date, or `2026-01`.

    `change` is a sum of so many `movements`, in minor units of `currency`.
    """

    span: str
    account: str
    currency: str
    amount_name: str
    amount_title: str
    movements: int
    change: int


_Key = tuple[str, str, str, str, str]


def totals(store: Store, period: Period, language: str, by: str) -> Iterator[Total]:
    """The totals of the movements that an export has, sorted by span; `by` is of `SPANS`.

    A movement belongs to the day on which it was recorded, by the clocks of the period's
    zone. So where they change a day has 23 or 25 hours.

    Raises:
        TrailBroken: a trail does not hold.

    """
    changes, counts = Counter[_Key](), Counter[_Key]()
    for row in movements(store, period, language).rows:
        amount = row["amount_name"], row["amount_title"]
        key = SPANS[by](row["at"]), row["account"], row["currency"], *amount
        changes[key] += row["change"]
        counts[key] += 1
    for key in sorted(changes):
        yield Total(*key, movements=counts[key], change=changes[key])
