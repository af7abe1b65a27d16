"""On which days, and from which moment on, an agreement is charged."""

import calendar
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kessai.billing import BillingSchedule, BusinessDays
from kessai.errors import InvalidInput

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
SCHEDULES = st.builds(
    BillingSchedule,
    anchor=DAYS,
    unit=st.sampled_from(["Day", "Week", "Month", "Year"]),
    value=st.integers(1, 40),
)
SPANS = st.timedeltas(timedelta(0), timedelta(days=1500))


def dates(schedule, since, until):
    return [str(day) for day in schedule.dates(since, until)]


def due(*given, **more):
    day = date(*given)
    return BillingSchedule(anchor=day, **more).due_at(day)


def test_an_agreement_of_the_31st_is_charged_on_the_last_day_of_shorter_months():
    schedule = BillingSchedule(anchor=date(2026, 1, 31))
    assert dates(schedule, date(2026, 1, 1), date(2026, 6, 1)) == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31")
    ]


def test_an_agreement_of_29_february_is_charged_on_the_28th_of_other_years():
    schedule = BillingSchedule(anchor=date(2024, 2, 29), unit="Year")
    assert dates(schedule, date(2024, 1, 1), date(2029, 1, 1)) == [
        *("2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29")
    ]


@pytest.mark.parametrize(
    ("unit", "value", "second"),
    [
        ("Day", 10, "2026-01-20"),
        ("Week", 2, "2026-01-24"),
        ("Month", 3, "2026-04-10"),
        ("Year", 1, "2027-01-10"),
    ],
)
def test_a_period_is_a_number_of_units(unit, value, second):
    schedule = BillingSchedule(anchor=date(2026, 1, 10), unit=unit, value=value)
    assert dates(schedule, date(2026, 1, 1), date(2027, 2, 1))[:2] == [
        "2026-01-10",
        second,
    ]


def test_there_is_no_period_from_the_end_on():
    schedule = BillingSchedule(anchor=date(2026, 1, 5), until=date(2026, 3, 5))
    assert dates(schedule, date(2025, 1, 1), date(2027, 1, 1)) == [
        *("2026-01-05", "2026-02-05")
    ]


def test_nothing_comes_after_the_last_day_that_calendars_have():
    schedule = BillingSchedule(anchor=date(9999, 11, 30))
    found = dates(schedule, date(9999, 1, 1), date.max)
    assert found == ["9999-11-30", "9999-12-30"]


@given(SCHEDULES, DAYS, SPANS, SPANS)
def test_dates_increase_and_are_the_same_however_the_time_is_cut(
    schedule, since, first, second
):
    middle, until = since + first, since + first + second
    whole = list(schedule.dates(since, until))
    assert whole == sorted(set(whole))
    assert all(since <= day < until for day in whole)
    cut = [*schedule.dates(since, middle), *schedule.dates(middle, until)]
    assert whole == cut == list(schedule.dates(since, until))


@given(SCHEDULES)
def test_a_date_is_a_whole_number_of_periods_after_the_anchor(schedule):
    anchor = schedule.anchor
    for day in schedule.dates(anchor, anchor + timedelta(days=1000)):
        if schedule.unit in {"Day", "Week"}:
            assert (day - anchor).days % schedule.value == 0
            continue
        last = calendar.monthrange(day.year, day.month)[1]
        assert day.day == min(anchor.day, last)
        months = (day.year - anchor.year) * 12 + day.month - anchor.month
        assert months % schedule.value == 0


def test_a_charge_is_due_at_the_local_time_of_its_zone():
    at = due(2026, 1, 31, zone="Asia/Tokyo", at=time(9))
    assert at == datetime(2026, 1, 31, 0, 0, tzinfo=UTC)


def test_an_hour_that_is_skipped_moves_on_by_what_was_skipped():
    at = due(2026, 3, 29, zone="Europe/Berlin", at=time(2, 30))
    assert at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 of summer


def test_of_an_hour_that_comes_twice_the_first_counts():
    at = due(2026, 10, 25, zone="Europe/Berlin", at=time(2, 30))
    assert at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 of summer


def test_midnight_is_decided_too_where_the_clocks_skip_it():
    at = due(2026, 4, 24, zone="Africa/Cairo")
    assert at == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)  # 01:00 of summer


@pytest.mark.parametrize(
    ("rule", "charged"), [("none", 3), ("next", 7), ("previous", 1)]
)
def test_business_days_know_that_6_may_2026_is_a_holiday_in_japan(rule, charged):
    at = due(2026, 5, 3, business_days=rule, holidays="JP")  # a Sunday, and a holiday
    assert at == datetime(2026, 5, charged, tzinfo=UTC)


def test_without_a_country_only_weekends_are_no_business_days():
    at = due(2026, 5, 3, business_days=BusinessDays.NEXT)
    assert at == datetime(2026, 5, 4, tzinfo=UTC)


def test_a_date_that_is_moved_stays_the_date_of_its_period():
    schedule = BillingSchedule(anchor=date(2026, 1, 31), business_days="next")
    assert dates(schedule, date(2026, 1, 31), date(2026, 2, 1)) == ["2026-01-31"]
    assert schedule.due_at(date(2026, 1, 31)) == datetime(2026, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unit": "Fortnight"}, "unit: 'Fortnight'; one of Year, Month, Week, Day"),
        ({"value": 0}, "value: a whole number from 1 to 1,000"),
        ({"value": True}, "value: a whole number"),
        ({"zone": "Asia/Nowhere"}, "zone: 'Asia/Nowhere' is not known"),
        ({"zone": "../etc"}, "zone: '../etc' is not known"),
        ({"business_days": "maybe"}, "one of none, next, previous is right"),
        ({"holidays": "XX"}, "holidays: 'XX' is not known"),
    ],
)
def test_what_is_no_schedule_is_refused_with_what_would_be_right(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        BillingSchedule(anchor=date(2026, 1, 31), **wrong)
