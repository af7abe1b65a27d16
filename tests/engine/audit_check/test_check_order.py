"""The order of what happened: dates, hours that occur twice, newest rows first, nanoseconds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kessai.audit.log_check.times import Times
from kessai.audit.log_check.words import BadValue

NEW_YORK = ZoneInfo("America/New_York")


class TestDays:
    def test_a_date_among_times_keeps_the_files_order_within_its_day(self, check):
        checked_log = check(
            "A,authorize,2026-01-05 09:00,9\n"
            "A,capture,2026-01-05,9\n"
            "A,refund,2026-01-05 10:00,9\n"
        )
        assert checked_log.findings.holds
        assert "whole_days" in checked_log.notes

    def test_other_days_are_sorted_by_time_all_the_same(self, check):
        checked_log = check(
            "A,refund,2026-01-07,9\n"
            "A,authorize,2026-01-05 09:00,9\n"
            "B,authorize,2026-01-05 09:00,9\n"
            "A,capture,2026-01-05,9\n"
        )
        assert checked_log.findings.holds

    def test_a_charge_of_the_day_keeps_the_files_order_with_its_agreement(self, check):
        rows = [
            "S,authorize,2026-01-01 01:00,500,recurring,",
            "C,reauthorize,2026-01-03 10:00,300,,S",
            "S,terminate,2026-01-03,,,",
        ]
        header = "order,command,time,amount,lifecycle,agreement"
        names = "recurring charge"
        assert check("\n".join(rows), names, header=header).findings.holds
        rows[1:] = rows[:0:-1]
        later = check("\n".join(rows), names, header=header)
        assert later.violations == ["4 reauthorize agreement_state"]

    @pytest.mark.parametrize(
        ("text", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-01-05", 24)]
    )
    def test_a_day_has_as_many_hours_as_its_zone_gives_it(self, text, hours):
        at, _, span = Times(NEW_YORK).read(text)
        assert span.until - at == timedelta(hours=hours, microseconds=-1)

    def test_a_day_may_begin_after_midnight(self):
        at, _, span = Times(ZoneInfo("Africa/Cairo")).read("2026-04-24")
        assert at == datetime(2026, 4, 23, 22, tzinfo=UTC)
        assert span.until - at == timedelta(hours=23, microseconds=-1)

    def test_a_day_that_a_zone_skipped_is_refused(self):
        with pytest.raises(BadValue) as refused:
            Times(ZoneInfo("Pacific/Apia")).read("2011-12-30")
        assert refused.value.code == "time_skipped"

    def test_a_long_days_last_hour_is_part_of_it(self, check):
        rows = "A,authorize,2026-11-01,9\nA,capture,{},9\n"
        # Thirty days after the last moment of 1 November: 25 hours after its first.
        last = rows.format("2026-12-01 23:59:59")
        late = rows.format("2026-12-02 00:00:00")
        assert check(last, zone=NEW_YORK).findings.holds
        assert check(late, zone=NEW_YORK).violations == [
            "3 capture authorization_expired"
        ]


class TestTheHourThatOccursTwice:
    def test_the_files_order_holds_and_the_verdict_is_marked(self, check):
        checked_log = check(
            "A,authorize,2026-11-01 01:50,12\nA,capture,2026-11-01 01:10,12\n",
            zone=NEW_YORK,
        )
        findings = checked_log.findings
        assert findings.holds
        assert (findings.allowed, findings.histories_unsure) == (2, 1)
        assert "twice" in checked_log.notes

    def test_what_is_not_allowed_in_it_is_perhaps_no_fault(self, check):
        checked_log = check(
            "A,capture,2026-11-01 01:10,12\n"
            "A,authorize,2026-11-01 01:50,12\n"
            "A,refund,2026-11-03 01:50,12\n",
            zone=NEW_YORK,
        )
        findings = checked_log.findings
        assert (findings.uncertain, findings.violations, findings.after) == (2, 0, 0)
        assert findings.holds
        assert not checked_log.checked.holds

    def test_what_it_cannot_have_changed_stays_a_violation(self, check):
        checked_log = check(
            "A,authorize,2026-11-01 01:50,12\nA,capture,2026-11-01 03:10,13\n",
            zone=NEW_YORK,
        )
        assert checked_log.findings.violations == 1
        assert checked_log.findings.histories_unsure == 0

    def test_a_deadline_that_ends_between_the_two_has_not_surely_passed(self, check):
        rows = "A,authorize,2026-10-02 {},12\nA,capture,2026-11-01 01:30,12\n"
        assert check(rows.format("02:00"), zone=NEW_YORK).findings.holds
        early = check(rows.format("01:00"), zone=NEW_YORK)
        assert early.violations == ["3 capture authorization_expired"]

    @pytest.mark.parametrize(
        ("zone", "hour"), [("EDT", 5), ("EST", 6), ("-04:00", 5), ("-05:00", 6)]
    )
    def test_a_zone_that_is_written_says_which_it_was(self, zone, hour):
        expected = datetime(2026, 11, 1, hour, 10, tzinfo=UTC)
        times = Times(NEW_YORK)
        assert times.read("2026-11-01 01:10", zone) == (expected, 0, None)
        assert times.read(f"2026-11-01 01:10 {zone}") == (expected, 0, None)
        if zone.isalpha():
            by_form = Times(NEW_YORK, "%d/%m/%Y %H:%M %Z")
            assert by_form.read(f"01/11/2026 01:10 {zone}") == (expected, 0, None)


class TestZones:
    FORM = "%Y-%m-%d %H:%M:%S %Z"

    @pytest.mark.parametrize(
        ("text", "zone", "expected"),
        [
            ("2026-01-05 10:00:00 UTC", "Asia/Tokyo", "2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00 GMT", "America/New_York", "2026-01-05T10:00:00Z"),
            ("2026-01-05 10:00:00 JST", None, "2026-01-05T01:00:00Z"),
            ("2026-01-05 10:00:00 EST", "Asia/Tokyo", "2026-01-05T15:00:00Z"),
            ("2026-07-05 10:00:00 EST", "America/New_York", "2026-07-05T15:00:00Z"),
            ("2026-03-08 02:30:00 UTC", "America/New_York", "2026-03-08T02:30:00Z"),
            ("2026-01-05 10:00:00 CST", "Asia/Shanghai", "2026-01-05T02:00:00Z"),
            ("2026-01-05 10:00:00 CST", "America/Chicago", "2026-01-05T16:00:00Z"),
            ("2026-01-05 10:00:00 Asia/Tokyo", None, "2026-01-05T01:00:00Z"),
        ],
    )
    def test_a_zone_in_the_text_is_the_times_own(
        self, monkeypatch, text, zone, expected
    ):
        for machine in ("UTC", "Asia/Tokyo", "America/New_York"):
            monkeypatch.setenv("TZ", machine)
            given = None if zone is None else ZoneInfo(zone)
            moment = datetime.fromisoformat(expected)
            assert Times(given, self.FORM).read(text).at == moment
            assert Times(given).read(text).at == moment

    @pytest.mark.parametrize("zone", ["CST", "IST", "BST", "XYZ", "Mars/Olympus"])
    def test_a_zone_that_may_be_several_or_none_is_refused(self, zone):
        for times in (Times(None, self.FORM), Times(None)):
            with pytest.raises(BadValue) as refused:
                times.read(f"2026-01-05 10:00:00 {zone}")
            assert refused.value.code == "zone_unknown"

    def test_a_column_may_hold_the_zone(self, check):
        checked_log = check(
            "A,authorize,2026-01-05 09:00,9,Asia/Tokyo\n"
            "A,capture,2026-01-05 01:00,9,UTC\n"
            "A,refund,2026-01-04 21:00,9,EST\n"
            "B,authorize,2026-01-05 09:00,9,CST\n",
            header="order,command,time,amount,timezone",
        )
        assert checked_log.findings.allowed == 3
        assert checked_log.bad == ["zone_unknown 5"]
        wrong = checked_log.findings.most_common_bad()[0]
        assert wrong.sentence("en").startswith("timezone: CST is no zone")

    def test_a_date_is_a_day_of_the_zone_in_its_column(self):
        at, _, span = Times(None).read("2026-01-05", "Asia/Tokyo")
        assert at == datetime(2026, 1, 4, 15, tzinfo=UTC)
        assert span.until - at == timedelta(days=1, microseconds=-1)

    def test_a_log_with_zones_in_some_rows_asks_for_that_of_the_others(self, check):
        checked_log = check(
            "A,authorize,2026-01-05 09:00,9,JST\nA,capture,2026-01-05 10:00,9,\n",
            header="order,command,time,amount,timezone",
        )
        assert checked_log.bad == ["time_mixed 3"]


class TestNewestFirst:
    # One history with all rows of a day of one time, and another day to show the way.
    NEWEST = (
        "B,capture,2026-01-07 10:00,9\n"
        "B,authorize,2026-01-07 10:00,9\n"
        "A,refund,2026-01-06,9\n"
        "A,capture,2026-01-05,9\n"
        "A,authorize,2026-01-05,9\n"
    )

    def test_it_is_found_out_and_told(self, check):
        checked_log = check(self.NEWEST)
        assert checked_log.findings.holds
        assert "newest_first" in checked_log.notes
        assert check(self.NEWEST, in_memory=2).findings == checked_log.findings

    def test_what_is_said_goes_before_what_is_found_out(self, check):
        checked_log = check(self.NEWEST, first="oldest")
        assert checked_log.findings.not_allowed == 3
        assert "newest_first" not in checked_log.notes
        by_file = check(self.NEWEST, order="file")
        assert by_file.findings.not_allowed == 3
        assert "not_reversed" in by_file.notes
        assert check(self.NEWEST, order="file", first="newest").findings.holds

    def test_it_is_found_out_of_a_file_that_stands_by_orders(self, check):
        history = (
            "{0},refund,2026-01-{1} 10:00,9\n"
            "{0},capture,2026-01-{1} 09:00,9\n"
            "{0},authorize,2026-01-{1} 09:00,9\n"
        )
        text = "".join(history.format(f"O{n}", f"{n + 1:02}") for n in range(20))
        assert check(text).findings.holds

    def test_a_late_row_of_a_long_log_does_not_turn_it(self, check):
        rows = [f"A{n},authorize,2026-01-{n + 1:02},9" for n in range(20)]
        rows += [f"A{n},capture,2026-01-20,9" for n in range(20)]
        rows.insert(10, "B,authorize,2026-01-02,9\nB,capture,2026-01-02,9")
        checked_log = check("\n".join(rows))
        assert checked_log.findings.holds
        assert "newest_first" not in checked_log.notes

    def test_charges_and_agreements_of_one_time_are_turned_alike(self, check):
        checked_log = check(
            "E,reauthorize,2026-01-05,300,,S\n"
            "D,reauthorize,2026-01-04,300,,S\n"
            "C,reauthorize,2026-01-03,300,,S\n"
            "S,authorize,2026-01-03,500,recurring,\n",
            "recurring charge",
            header="order,command,time,amount,lifecycle,agreement",
        )
        assert checked_log.findings.holds


class TestNanoseconds:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-01-05T09:05:00.123456789Z",
            "2026-01-05 09:05:00.123456789",
            "2026-01-05T09:05:00.123456789+00:00",
            "2026/1/5 9:05:00.123456789",
            "1767603900.123456789",
            "1767603900123456789",
        ],
    )
    def test_they_are_read(self, text):
        at, nanoseconds, _ = Times(None).read(text)
        assert at == datetime(2026, 1, 5, 9, 5, 0, 123456, tzinfo=UTC)
        assert nanoseconds == 789

    def test_they_are_read_by_a_format(self):
        times = Times(None, "%d.%m.%Y %H:%M:%S.%f")
        assert times.read("05.01.2026 09:05:00.123456789").nanoseconds == 789
        assert times.read("05.01.2026 09:05:00.1").nanoseconds == 0

    @pytest.mark.parametrize("in_memory", [1, 100])
    def test_they_order_what_one_microsecond_holds(self, check, in_memory):
        checked_log = check(
            "A,refund,2026-01-05T09:05:00.000000900Z,9\n"
            "A,capture,2026-01-05T09:05:00.000000020Z,9\n"
            "A,authorize,2026-01-05T09:05:00.000000003Z,9\n"
            "B,authorize,2026-01-05T09:06:00Z,9\n",
            in_memory=in_memory,
            first="oldest",
        )
        assert checked_log.findings.holds
