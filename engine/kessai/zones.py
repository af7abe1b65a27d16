"""Time zones by their names (`Asia/Tokyo`, `+09:00`, `UTC`), their days, and periods."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec

_OFFSET = re.compile(r"([+-])(\d\d)(?::?([0-5]\d))?", re.ASCII)


def named_zone(text: str) -> tzinfo | None:
    """The zone that is called `text` everywhere; None if there is none here."""
    if text.upper() in {"UTC", "Z"}:
        return UTC
    found = _OFFSET.fullmatch(text)
    try:
        if found is None:
            from zoneinfo import ZoneInfo  # who names no zone needs none loaded

            return ZoneInfo(text)
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(-offset if found[1] == "-" else offset)
    except (KeyError, ValueError, OSError):
        return None


def day_of(day: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first moment of the local date `day` in `zone` and the last, in UTC.

    It has 23 or 25 hours where the clocks change. Where they skip midnight it begins
    with the change, and one that was skipped whole ends before it begins.

    Raises:
        OverflowError: it is not within what a datetime holds.

    """
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    start = midnight.replace(tzinfo=zone)
    end = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    last = end.astimezone(UTC) - timedelta(microseconds=1)
    return start.astimezone(UTC), last


class Period(msgspec.Struct, frozen=True):
    """From `since` on and before `until`, each None for no bound; times in `zone`.

    The time of recording counts, so nothing is ever added to a past period.
    """

    zone: tzinfo
    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Whether `at` lies in the period."""
        return (self.since is None or at >= self.since) and (
            self.until is None or at < self.until
        )

    def local(self, at: datetime | None) -> datetime | None:
        """`at` in the merchant's zone."""
        return None if at is None else at.astimezone(self.zone)
