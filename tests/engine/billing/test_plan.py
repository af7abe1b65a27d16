"""A plan is a bill for each agreement and period, however often it is made."""

from datetime import UTC, date, datetime

import pytest

from kessai import MemoryStore
from kessai.errors import InvalidInput


def test_a_plan_has_a_bill_for_each_agreement_and_period(shop):
    shop.agrees("A", "B")
    report = shop.plan("A", "B", until=date(2026, 4, 1))
    assert (report.written, report.standing, report.sums) == (6, 0, {"JPY": 5880})
    first, second, *_ = shop.listed()
    assert (first.agreement, first.period) == ("A", date(2026, 1, 31))
    assert (first.charge, first.key) == ("A-20260131", "bill-A-20260131")
    assert first.due_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert first.terms == "agreed=980"
    assert second.period == date(2026, 2, 28)


def test_planned_again_nothing_is_written_twice(shop):
    shop.agrees("A", "B")
    shop.plan("A")
    before = shop.listed()
    report = shop.plan("A", "B")
    assert (report.written, report.standing, report.differing) == (1, 1, 0)
    assert shop.listed()[:1] == before


def test_a_second_bill_of_a_period_is_not_planned_whatever_its_amount(shop):
    shop.agrees("A")
    shop.plan("A")
    before = shop.listed()
    report = shop.plan("A", amount=500)
    assert (report.written, report.standing, report.differing) == (0, 1, 1)
    assert shop.listed() == before


def test_a_dry_run_reports_the_same_and_writes_nothing(shop):
    shop.agrees("A", "B")
    shop.plan("A")
    report = shop.plan("A", "B", dry_run=True)
    assert (report.written, report.standing, report.sums) == (1, 1, {"JPY": 980})
    assert len(shop.listed()) == 1


def test_what_no_charge_can_be_made_for_is_skipped_with_the_reason(shop):
    shop.agrees("A")
    shop.do("authorize", "order", lifecycle="one_time", amount=100)
    report = shop.plan("nobody", "A", "order")
    assert report.skipped == {"nobody": "no_agreement", "order": "not_charged"}
    assert (report.skips, report.written) == (2, 1)


def test_what_no_command_could_have_is_refused_when_it_is_planned(shop):
    shop.agrees("A")
    with pytest.raises(InvalidInput, match="amount"):
        shop.plan("A", amount=9.8)
    assert shop.listed() == []


def test_a_plan_is_the_same_in_memory(shop):
    shop.agrees("A")
    kept = MemoryStore()
    assert kept.bills.totals("2026-01") == []
    shop.plan("A")
    assert kept.bills.add(shop.listed()) == []
    assert kept.bills.listed("2026-01", ("", ""), 9) == shop.listed()
