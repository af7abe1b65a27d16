"""On which days an agreement is charged, and from which moment on. Pure.

A schedule counts from its anchor and not from the date before: an agreement of
31 January is charged on 28 February and on 31 March. A local time that the clocks skip,
or show twice, is decided by the rule of calendars (RFC 5545): the skipped one moves on by
what was skipped, and of two the first counts.

This module knows neither stores nor gateways, and no clock.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs

from kessai.errors import InvalidInput
from kessai.spec.parameters import FREQUENCY_UNITS

if TYPE_CHECKING:
    import whenever

MOST_UNITS = 1_000
"""Of a frequency: more than any agreement has."""

_DAYS = {"Day": 1, "Week": 7}
_MONTHS = {"Month": 1, "Year": 12}


class BusinessDays(StrEnum):
    """What becomes of a date that is no business day."""

    NONE = "none"  # it is charged on that very day
    NEXT = "next"  # on the first business day after it
    PREVIOUS = "previous"  # on the last business day before it


def _business_days(given: str) -> BusinessDays:
    try:
        return BusinessDays(given)
    except ValueError:
        message = f"business_days: {given!r}; one of {', '.join(BusinessDays)} is right"
        raise InvalidInput(message) from None


@attrs.frozen(kw_only=True)
class BillingSchedule:
    """The days on which an agreement is charged: `anchor`, and each period after it.

    A period is `value` times `unit` (`Day`, `Week`, `Month` or `Year`, as a consent's
    frequency has them). The day of the `anchor` that a month does not have is its last.
    A charge is due at the local time `at` in `zone` (a name such as `Asia/Tokyo`), on
    the period's date or as `business_days` move it. No business days are Saturdays,
    Sundays and, where a country is named (`JP`), its `holidays`; these need the extra
    `billing`. From `until` on there are none.

    Raises:
        InvalidInput: there is no such unit, zone or country, or the number of units is
            not within 1 and 1,000.

    """

    anchor: date
    unit: str = "Month"
    value: int = 1
    zone: str = "UTC"
    at: time = time(0)
    business_days: BusinessDays = attrs.field(
        default=BusinessDays.NONE, converter=_business_days
    )
    holidays: str = ""
    until: date | None = None

    def __attrs_post_init__(self) -> None:
        if self.unit not in FREQUENCY_UNITS:
            right = ", ".join(FREQUENCY_UNITS)
            message = f"unit: {self.unit!r}; one of {right} is right"
            raise InvalidInput(message)
        if type(self.value) is not int or not 1 <= self.value <= MOST_UNITS:
            message = f"value: a whole number from 1 to {MOST_UNITS:,} is right"
            raise InvalidInput(message)
        _check_zone(self.zone)
        if self.holidays:
            _holidays(self.holidays)

    def dates(self, since: date, until: date) -> Iterator[date]:
        """The dates of all periods from `since` on and before `until`, in their order.

        They strictly increase, and are the same however the time is cut: what `[a, c)`
        has, `[a, b)` and `[b, c)` have together.
        """
        end = until if self.until is None else min(until, self.until)
        number = self._number_before(since)
        while (found := self._date(number)) is not None and found < end:
            if found >= since:
                yield found
            number += 1

    def due_at(self, period: date) -> datetime:
        """From when on the charge of the `period` of that date is due, in UTC."""
        import whenever

        day = self._charged_on(period)
        local = whenever.PlainDateTime(datetime.combine(day, self.at))
        zoned = local.assume_tz(self.zone, disambiguation="compatible")
        found = zoned.to_instant().to_stdlib()
        return found.astimezone(UTC)

    def _date(self, number: int) -> date | None:
        """The date of a period by its number; None after the last that calendars have."""
        count = number * self.value
        try:
            if self.unit in _DAYS:
                return self.anchor + timedelta(days=count * _DAYS[self.unit])
            shifted = _whenever_date(self.anchor).add(months=count * _MONTHS[self.unit])
        except (OverflowError, ValueError):
            return None
        return shifted.to_stdlib()

    def _number_before(self, since: date) -> int:
        """The number of a period that is not after `since`, or 0 for the first."""
        if self.unit in _DAYS:
            passed = (since - self.anchor).days // _DAYS[self.unit]
        else:
            years, months = since.year - self.anchor.year, since.month
            passed = (years * 12 + months - self.anchor.month) // _MONTHS[self.unit]
        return max(0, passed // self.value - 1)

    def _charged_on(self, period: date) -> date:
        if self.business_days is BusinessDays.NONE:
            return period
        step = timedelta(days=1 if self.business_days is BusinessDays.NEXT else -1)
        while not self._is_business_day(period):
            period += step
        return period

    def _is_business_day(self, day: date) -> bool:
        if day.isoweekday() > 5:  # noqa: PLR2004 - Saturday and Sunday
            return False
        return not self.holidays or day not in _holidays(self.holidays)


def _whenever_date(day: date) -> "whenever.Date":
    import whenever  # only who plans needs it: it takes as long as all of the engine

    return whenever.Date(day)


@lru_cache(maxsize=64)
def _check_zone(zone: str) -> None:
    import whenever

    try:
        whenever.Instant.from_utc(2000, 1, 1).to_tz(zone)
    except (whenever.TimeZoneNotFoundError, ValueError):
        message = f"zone: {zone!r} is not known; a name such as 'Asia/Tokyo' is right"
        raise InvalidInput(message) from None


@lru_cache(maxsize=64)
def _holidays(country: str) -> Any:
    try:
        from holidays import country_holidays
    except ImportError as error:
        message = f"holidays: {country!r} needs the extra: pip install kessai[billing]"
        raise InvalidInput(message) from error
    try:
        return country_holidays(country)
    except NotImplementedError:
        message = f"holidays: {country!r} is not known; a code such as 'JP' is right"
        raise InvalidInput(message) from None
