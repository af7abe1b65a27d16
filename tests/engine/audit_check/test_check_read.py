"""Logs as people have them: columns, encodings, times, money, and rows that are none."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from kessai.audit.log_check import Layout
from kessai.audit.log_check.amounts import Amounts
from kessai.audit.log_check.times import Times
from kessai.audit.log_check.words import BadValue
from kessai.errors import InvalidInput
from kessai.money import Currency

YEN = Currency("JPY", 0)

SALE = "A-1,authorize,2026-01-05 09:05,1000\nA-1,capture,2026-01-06 10:00,600\n"
JAPANESE = "A-1,与信,2026/1/5 9:05,￥1000\nA-1,売上,2026/1/6 10:00,600円\n"
HEADER = "注文番号,種別,日時,金額"


class TestColumns:
    @pytest.mark.parametrize(
        "header",
        [
            "order,command,time,amount",
            "Order ID,Event Type,Created At,Amount",
            "ORDER_NO,action,timestamp,amount",
            "注文番号,種別,日時,金額",
            "取引ID,処理区分,処理日時,取引金額",
        ],
    )
    def test_common_names_are_guessed_and_reported(self, check, header):
        checked_log = check(SALE, header=header)
        assert checked_log.findings.allowed == 2
        assert checked_log.notes[0] == "guessed"
        assert set(checked_log.checked.columns.guessed) == {
            "order",
            "command",
            "time",
            "amount",
        }

    def test_columns_are_mapped_by_name_or_number(self, check):
        given = {"order": "伝票", "command": "2", "time": "いつ", "amount": "税込"}
        checked_log = check(SALE, header="伝票,何,いつ,税込", columns=given)
        assert checked_log.findings.allowed == 2
        assert "guessed" not in checked_log.notes

    def test_a_log_without_a_header_is_mapped_by_numbers(self, check):
        given = {"order": "1", "command": "2", "time": "3", "amount": "4"}
        layout = Layout(has_header=False)
        assert (
            check(SALE, header=None, columns=given, layout=layout).findings.allowed == 2
        )
        with pytest.raises(InvalidInput, match="--no-header"):
            check(SALE, header=None)

    def test_titles_may_stand_above_the_header(self, check):
        text = f"売上一覧,,,\n\n{HEADER}\n{JAPANESE}B,与信,いつか,9\n"
        checked_log = check(text, header=None, layout=Layout(header_line=3))
        assert checked_log.findings.allowed == 2
        assert checked_log.bad == ["time_unknown 6"]
        with pytest.raises(InvalidInput, match="--header-line"):
            check(text, header=None)

    def test_a_date_and_a_time_may_stand_apart(self, check):
        checked_log = check(
            "A,authorize,2026-01-05,09:05,9\nA,capture,2026-01-05,09:06,9\n",
            header="order,command,日付,時刻,amount",
            columns={"time": "日付+時刻"},
        )
        assert checked_log.findings.holds
        assert checked_log.findings.last == datetime(2026, 1, 5, 9, 6, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("header", "columns", "message"),
        [
            (
                "a,b,c,d",
                {},
                "no column for order, command, time; there are: a, b, c, d",
            ),
            ("order,command,time,x", {}, "no column for amount, which authorize"),
            ("order,command,time,amount", {"amount": "金額"}, "no such column"),
            ("order,command,time,amount", {"amout": "x"}, "did you mean 'amount'"),
            ("order,command,日付,日時", {}, "is it '日付' or '日時'"),
            ("order,order,time,amount", {"order": "order"}, "say its number"),
        ],
    )
    def test_what_is_missing_or_may_be_two_is_asked_for(
        self, check, header, columns, message
    ):
        with pytest.raises(InvalidInput, match=message):
            check(SALE, header=header, columns=columns)

    def test_a_column_that_is_no_outcome_can_be_said_to_be_none(self, check):
        rows = SALE.replace("1000", "1000,出荷済").replace("600", "600,出荷済")
        header = "order,command,time,amount,状態"
        assert check(rows, header=header).bad == ["outcome_unknown 2 3"]
        checked_log = check(rows, header=header, columns={"outcome": "-"})
        assert checked_log.findings.holds
        checked_log = check(rows, header=header, outcomes={"出荷済": "succeeded"})
        assert checked_log.findings.holds


class TestBytes:
    @pytest.mark.parametrize(
        ("encoding", "told_as"),
        [
            ("utf-8", "UTF-8"),
            ("utf-8-sig", "UTF-8"),
            ("cp932", "CP932"),
            ("utf-16", "UTF-16"),
        ],
    )
    def test_the_encoding_is_found_out(self, check, encoding, told_as):
        checked_log = check(JAPANESE, header=HEADER, encoding=encoding)
        assert checked_log.findings.allowed == 2
        assert checked_log.checked.encoding == told_as

    def test_the_yen_sign_of_shift_jis_is_a_backslash(self, check):
        checked_log = check(
            r"A,売上,2026/1/5 9:05,\1000", header=HEADER, encoding="cp932"
        )
        assert checked_log.bad == []

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_the_delimiter_is_seen_in_the_header(self, check, delimiter):
        text = SALE.replace(",", delimiter)
        header = delimiter.join(["order", '"command"', "time", "amount"])
        assert check(text, header=header).findings.allowed == 2

    def test_spreadsheets_may_say_the_delimiter(self, check):
        text = "sep=|\norder|command|time|amount\n" + SALE.replace(",", "|")
        assert check(text, header=None).findings.allowed == 2

    def test_a_packed_log_is_unpacked(self, check_file, tmp_path):
        path = tmp_path / "log.csv.gz"
        path.write_bytes(gzip.compress(f"order,command,time,amount\n{SALE}".encode()))
        assert check_file(path, "one_time").findings.allowed == 2
        path.write_bytes(path.read_bytes()[:-12])
        with pytest.raises(InvalidInput, match=r"log\.csv\.gz"):
            check_file(path, "one_time")

    def test_damaged_utf_8_costs_only_its_rows(self, check_file, tmp_path):
        path = tmp_path / "log.csv"
        whole = f"{HEADER}\n{JAPANESE}B-1,与信,2026/1/5 9:05,9\n".encode()
        path.write_bytes(whole.replace("B-1,与".encode(), b"B-1,\xe4\xb8"))
        checked_log = check_file(path, "one_time")
        assert checked_log.bad == ["not_text 4"]
        assert checked_log.findings.allowed == 2

    def test_a_json_list_is_reported_to_be_one(self, check):
        with pytest.raises(InvalidInput, match="one object a line"):
            check('[{"order": "A"}]', header=None)

    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
    def test_an_empty_log_is_reported_so(self, check, text):
        with pytest.raises(InvalidInput, match="empty"):
            check(text, header=None)

    def test_a_log_of_a_header_alone_is_reported_so(self, check):
        with pytest.raises(InvalidInput, match="no rows"):
            check("")


class TestRows:
    def test_a_bad_row_is_reported_by_its_line_and_the_rest_is_checked(self, check):
        checked_log = check(
            "A,authorize,2026-01-05,9\n"
            '"B\nB",authorize,2026-01-05,9\n'
            "C,authorize,whenever,9\n"
            "D,authorize,2026-01-05,nine\n"
            "E,ship,2026-01-05,9\n"
            "F,authorize,2026-01-05,1,234\n"
            ",authorize,2026-01-05,9\n"
            "G,authorize\n"
            "\n,,,\n"
            "H,authorize,2026-01-05,9\n"
        )
        assert checked_log.bad == [
            "cells 8 10",
            "order_invalid 3",
            "time_unknown 5",
            "amount_unknown 6",
            "command_unknown 7",
            "order_missing 9",
        ]
        assert checked_log.findings.allowed == 2

    def test_what_follows_an_unreadable_row_may_be_no_fault(self, check):
        checked_log = check("A,authorize,whenever,9\nA,capture,2026-01-05,9\n")
        assert checked_log.violations == ["3 capture unknown_transaction"]
        assert checked_log.findings.uncertain == 1
        assert checked_log.findings.holds
        assert not checked_log.findings.groups

    def test_a_quote_that_is_not_closed_says_how_far_it_goes(self, check):
        checked_log = check(
            'A,authorize,2026-01-05,9\nB,authorize,2026-01-05,"9\nC,x\n'
        )
        (rows,) = checked_log.findings.most_common_bad()
        assert rows.lines == [3]
        assert "up to line 4: a quote is not closed" in rows.sentence("en")
        assert checked_log.findings.allowed == 1

    def test_card_numbers_are_neither_read_nor_shown(self, check):
        checked_log = check(
            "4111111111111111,authorize,2026-01-05,9\nA,authorize,4111-1111-1111-1111,9\n"
        )
        sentences = [
            rows.sentence("en") for rows in checked_log.findings.most_common_bad()
        ]
        assert len(sentences) == 2
        assert not any("4111" in sentence for sentence in sentences)

    def test_another_currency_is_not_judged(self, check):
        checked_log = check(
            "A,authorize,2026-01-05,9,JPY\nB,authorize,2026-01-05,9,USD\n",
            header="order,command,time,amount,currency",
        )
        assert checked_log.bad == ["currency_differs 3"]

    def test_json_lines_have_their_own_columns(self, check):
        checked_log = check(
            '{"payment":{"id":"A"},"type":"authorize","at":"2026-01-05T09:00:00Z","amount":9}\n'
            '{"payment":{"id":"A"},"type":"capture","at":"2026-01-05T09:00:01Z","amount":9.0}\n'
            '{"payment":{"id":"A"},"type":"refund","at":1767690000,"amount":9.5}\n'
            "{\n"
            '{"payment":{"id":["A"]},"type":"refund","at":"2026-01-07T09:00:00Z","amount":3}\n'
            '{"payment":{"id":"A"},"type":"refund","at":"2026-01-07T09:00:00Z","amount":null}\n',
            header=None,
            columns={"order": "payment.id"},
        )
        assert checked_log.checked.form == "jsonl"
        assert checked_log.findings.allowed == 3
        assert sorted(checked_log.bad) == [
            "amount_decimals 3",
            "not_json 4",
            "order_invalid 5",
        ]


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-01-05T09:05:00Z", "2026-01-05 09:05:00"),
            ("2026-01-05 09:05:00.1234567", "2026-01-05 09:05:00.123456"),
            ("2026-01-05T09:05:00+09:00", "2026-01-05 00:05:00"),
            ("2026-01-05 09:05:00 +0900", "2026-01-05 00:05:00"),
            ("2026-01-05 09:05:00 UTC", "2026-01-05 09:05:00"),
            ("2026-01-05 09:05 JST", "2026-01-05 00:05:00"),
            ("2026/1/5 9:05", "2026-01-05 09:05:00"),
            ("2026/1/5 9:05:07 PM", "2026-01-05 21:05:07"),
            ("2026/01/05 午後0:05", "2026-01-05 12:05:00"),
            ("２０２６年１月５日 ９時５分", "2026-01-05 09:05:00"),
            ("2026.1.5 9:05", "2026-01-05 09:05:00"),
            ("20260105090507", "2026-01-05 09:05:07"),
            ("20260105T0905", "2026-01-05 09:05:00"),
            ("1767603900", "2026-01-05 09:05:00"),
            ("1767603900.25", "2026-01-05 09:05:00.250000"),
            ("1767603900250", "2026-01-05 09:05:00.250000"),
            ("1767603900250000", "2026-01-05 09:05:00.250000"),
        ],
    )
    def test_many_ways_to_write_a_time(self, text, expected):
        time = Times(None).read(text)
        assert time.at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
        assert time.span is None

    @pytest.mark.parametrize(
        "text", ["2026-01-05", "2026/1/5", "2026年1月5日", "20260105", "2026.01.05"]
    )
    def test_a_date_alone_is_a_whole_day(self, text):
        at, _, span = Times(None).read(text)
        assert at == datetime(2026, 1, 5, tzinfo=UTC)
        assert span.until == at + timedelta(days=1, microseconds=-1)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "time_missing"),
            ("01/05/2026", "time_ambiguous_order"),
            ("5.1.2026 9:05", "time_ambiguous_order"),
            ("46027.378", "time_serial"),
            ("2026-13-01", "time_unknown"),
            ("2026/1/5 25:00", "time_unknown"),
            ("2026/1/5 13:00 PM", "time_unknown"),
            ("2026-W01-1", "time_unknown"),
            ("R8/1/5", "time_unknown"),
            ("0001-01-01T00:00:00+09:00", "time_unknown"),
            ("yesterday", "time_unknown"),
        ],
    )
    def test_what_is_no_time_or_may_be_two_is_refused(self, text, code):
        with pytest.raises(BadValue) as refused:
            Times(None).read(text)
        assert refused.value.code == code

    def test_a_format_may_be_said(self):
        times = Times(None, "%d/%m/%Y %H.%M")
        assert times.read("05/01/2026 09.05").at == datetime(
            2026, 1, 5, 9, 5, tzinfo=UTC
        )
        assert Times(None, "%d/%m/%Y").read("05/01/2026").span is not None
        with pytest.raises(BadValue, match="time_unknown"):
            times.read("2026-01-05")

    def test_times_without_an_offset_are_of_the_zone_given(self):
        times = Times(ZoneInfo("Asia/Tokyo"))
        assert times.read("2026/1/5 9:05")[0] == datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
        with_offset = times.read("2026-01-05T09:05:00-05:00")
        assert with_offset.at == datetime(2026, 1, 5, 14, 5, tzinfo=UTC)

    def test_a_time_in_an_hour_that_occurs_twice_may_be_of_either(self):
        times = Times(ZoneInfo("Europe/Berlin"))
        at, _, span = times.read("2026-10-25 02:30")
        assert at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert span == (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True)
        assert times.read("2026-10-25 03:30").span is None

    def test_a_time_that_was_skipped_is_refused(self):
        times = Times(ZoneInfo("Europe/Berlin"))
        with pytest.raises(BadValue) as refused:
            times.read("2026-03-29 02:30")
        assert refused.value.code == "time_skipped"
        assert times.read("2026-03-29 03:00")[0].hour == 1

    def test_every_hour_of_a_year_is_as_the_zone_has_it(self):
        zone = ZoneInfo("Australia/Lord_Howe")  # half an hour of summer time
        times = Times(zone)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while at.year == 2026:
            local = at.astimezone(zone)
            if local.fold == 0:
                text = f"{local:%Y-%m-%d %H:%M}"
                assert times.read(text)[0] == at
            at += timedelta(minutes=30)

    def test_offsets_and_none_are_not_mixed_without_a_zone(self):
        times = Times(None)
        times.read("2026-01-05 09:05")
        with pytest.raises(BadValue) as refused:
            times.read("2026-01-05T09:05:00+09:00")
        assert refused.value.code == "time_mixed"
        mixed = Times(timezone(timedelta(hours=9)))
        assert mixed.read("2026-01-05 09:05") == mixed.read("2026-01-05T09:05:00+09:00")


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("1234", 1234),
            ("1,234", 1234),
            ("１，２３４", 1234),
            ("¥1,234", 1234),
            ("￥1,234,567", 1234567),
            ("1,234円", 1234),
            ("JPY 1234", 1234),
            ("1234.00", 1234),
            ("705.0", 705),
            ("705.0000", 705),
            ("1,234.000", 1234),
            ("1234.000", 1234),
            ("0.000", 0),
            ("'1234", 1234),
            ("'+1234", 1234),
            ("+1000", 1000),
            ("＋１０００", 1000),
            ("¥+1,000", 1000),
            ("0", 0),
            ("", None),
        ],
    )
    def test_yen(self, text, amount):
        assert Amounts(YEN, in_major_units=False).read(text, "capture") == amount

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("12.5", "amount_decimals"),
            ("1.000", "amount_separators"),
            ("705.000", "amount_separators"),
            ("705.5000", "amount_decimals"),
            ("705.0001", "amount_decimals"),
            ("705.", "amount_unknown"),
            ("+-5", "amount_unknown"),
            ("''5", "amount_unknown"),
            ("'-70", "amount_negative"),
            ("70-", "amount_negative"),
            ("12,34", "amount_separators"),
            ("1234,567", "amount_separators"),
            ("$12", "amount_unknown"),
            ("1e3", "amount_unknown"),
            ("0x10", "amount_unknown"),
            ("abc", "amount_unknown"),
            ("-12", "amount_negative"),
            ("(12)", "amount_negative"),
            ("▲12", "amount_negative"),
            ("1" * 16, "amount_too_large"),
            ("1" * 9000, "amount_unknown"),
        ],
    )
    def test_what_is_not_surely_yen_is_refused(self, text, code):
        with pytest.raises(BadValue) as refused:
            Amounts(YEN, in_major_units=False).read(text, "refund")
        assert refused.value.code == code

    def test_dollars_in_major_units(self):
        amounts = Amounts(Currency("USD", 2), in_major_units=True)
        texts = ("12.34", "$1,234.5", "12", "0.01")
        assert [amounts.read(t, "capture") for t in texts] == [1234, 123450, 1200, 1]
        exact = ("12.3400", "12.34000000", "12.0000", "1,234.000", "0.050")
        assert [amounts.read(t, "capture") for t in exact] == [
            1234,
            1234,
            1200,
            123400,
            5,
        ]
        for text in ("12.345", "12.3450", "1.000", "12,34", "12."):
            with pytest.raises(BadValue):
                amounts.read(text, "capture")

    def test_decimal_commas_must_be_said(self):
        amounts = Amounts(Currency("EUR", 2), in_major_units=True, decimal_comma=True)
        assert amounts.read("1.234,56 €", "capture") == 123456
        with pytest.raises(BadValue, match="amount_separators"):
            Amounts(Currency("EUR", 2), in_major_units=True).read("12,50", "capture")

    def test_cents_have_no_fraction(self):
        with pytest.raises(BadValue, match="amount_decimals"):
            Amounts(Currency("USD", 2), in_major_units=False).read("12.34", "capture")

    def test_a_minus_must_be_said_and_then_be_there(self):
        amounts = Amounts(YEN, in_major_units=False, negative=["refund"])
        assert amounts.read("-1,234", "refund") == 1234
        assert amounts.read("(¥500)", "refund") == 500
        for text in ("70-", "'-70", "70 -", "¥70-", "-70.000000", "７０－", "−70"):
            assert amounts.read(text, "refund") == 70
        with pytest.raises(BadValue, match="amount_not_negative"):
            amounts.read("+70", "refund")
        assert amounts.read("1234", "capture") == 1234
        with pytest.raises(BadValue, match="amount_not_negative"):
            amounts.read("12", "refund")
        with pytest.raises(BadValue, match="amount_negative"):
            amounts.read("-12", "capture")


class TestSeveralColumns:
    def test_amounts_in_several_columns_are_added(self, check):
        checked_log = check(
            "A,authorize,2026-01-05,900,100\n"
            'A,capture,2026-01-06,"1,000",\n'
            "A,refund,2026-01-07,,\n",
            header="order,command,time,net,tax",
            columns={"amount": "net+tax"},
        )
        assert checked_log.findings.holds
        assert checked_log.findings.blank_amounts == {"refund": 1}
        assert checked_log.checked.columns.named["amount"] == "net+tax"

    def test_what_comes_in_and_goes_out_may_stand_apart(self, check):
        checked_log = check(
            "A,authorize,2026-01-05,1000,0\n"
            "A,capture,2026-01-06,1000,0\n"
            "A,refund,2026-01-07,0,-300\n",
            header="order,command,time,入金,出金",
            columns={"amount": "入金+出金"},
            negative=["refund"],
        )
        assert checked_log.findings.holds

    def test_a_command_may_have_a_column_of_its_own(self, check):
        rows = (
            "A,authorize,2026-01-05,1000,900,300\n"
            "A,capture,2026-01-06,1000,900,300\n"
            "A,refund,2026-01-07,1000,900,{}\n"
        )
        given = {
            "amount": "authorized",
            "amount:capture": "captured",
            "amount:refund": "refunded",
        }
        header = "order,command,time,authorized,captured,refunded"
        assert check(rows.format(300), header=header, columns=given).findings.holds
        checked_log = check(rows.format(901), header=header, columns=given)
        assert checked_log.violations == ["4 refund amount_above_maximum"]
        wrong = check(rows.format("x"), header=header, columns=given)
        (bad,) = wrong.findings.most_common_bad()
        assert bad.sentence("en").startswith("refunded: x is no amount")

    def test_an_order_may_be_known_by_several_columns(self, check):
        header = "shop,no,command,time,amount"
        given = {"order": "shop+no"}
        sale = "{0},{1},authorize,2026-01-05,9\n{0},{1},capture,2026-01-06,9\n"
        text = sale.format("N", "1") + sale.format("S", "1") + sale.format("N", "2")
        checked_log = check(text, header=header, columns=given)
        assert checked_log.findings.holds
        assert checked_log.findings.histories == 3
        assert "no_order_id" in checked_log.notes

    def test_two_orders_are_never_taken_for_one(self, check):
        sale = "{0},{1},authorize,2026-01-05,9\n"
        pairs = [("a/b", "c"), ("a", "b/c"), ("a\\/b", "c"), ("a\\", "b/c")]
        text = "".join(sale.format(*pair) for pair in pairs)
        checked_log = check(
            text,
            header="shop,no,command,time,amount",
            columns={"order": "shop+no"},
        )
        assert checked_log.findings.histories == len(pairs)

    def test_an_order_of_which_a_part_is_missing_is_none(self, check):
        checked_log = check(
            "N,,authorize,2026-01-05,9\n",
            header="shop,no,command,time,amount",
            columns={"order": "shop+no"},
        )
        assert checked_log.bad == ["order_missing 2"]
        assert "shop+no: empty" in checked_log.findings.most_common_bad()[0].sentence(
            "en"
        )

    def test_the_first_column_that_is_not_empty_may_hold_it(self, check):
        checked_log = check(
            "P1,,authorize,2026-01-05,9\n"
            "P2,P1,capture,2026-01-06,9\n"
            "P3,P1,refund,2026-01-07,9\n",
            header="id,refers to,command,time,amount",
            columns={"order": "refers to|id"},
        )
        assert checked_log.findings.holds
        assert checked_log.findings.histories == 1

    def test_a_charge_names_its_agreement_by_several_columns_too(self, check):
        checked_log = check(
            "N,S,authorize,2026-01-01,500,recurring,,\n"
            "N,C,reauthorize,2026-01-02,300,,N,S\n"
            "N,S,terminate,2026-01-03,,,,\n"
            "N,D,reauthorize,2026-01-04,300,,N,S\n",
            "recurring charge",
            header="shop,no,command,time,amount,lifecycle,shop of it,no of it",
            columns={"order": "shop+no", "agreement": "shop of it+no of it"},
        )
        assert checked_log.violations == ["5 reauthorize agreement_state"]

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"order": "order+nr"}, r"order=order\+nr: no column nr; there are: order"),
            ({"order": "nr|order"}, "no column nr"),
            ({"command": "command+time"}, "no such column"),
            ({"amount:ship": "amount"}, "'amount:ship': no such field|no such field"),
        ],
    )
    def test_a_part_that_is_no_column_is_named(self, check, columns, message):
        with pytest.raises(InvalidInput, match=message):
            check(SALE, columns=columns)

    def test_an_apostrophe_before_a_formula_is_not_the_orders(self, check):
        checked_log = check("'-A1,authorize,2026-01-05,9\n-A1,capture,2026-01-06,9\n")
        assert checked_log.findings.histories == 1


class TestOlderAgreements:
    HEADER = "order,command,time,amount,lifecycle,agreement"

    def check(self, check, text, **reading):
        return check(text, "recurring charge", header=self.HEADER, **reading)

    def test_a_charge_under_one_that_the_log_never_saw_begin_can_be_taken(self, check):
        charge = "C{0},reauthorize,2026-01-0{0} 01:00,300,,S\n"
        text = charge.format(2) + charge.format(3)
        strict = self.check(check, text)
        assert strict.findings.not_allowed == 2
        assert "no_agreements" in strict.notes
        checked_log = self.check(check, text, older_agreements=True)
        assert checked_log.findings.holds
        assert "older_agreements" in checked_log.notes
        note = next(n for n in checked_log.checked.notes if "older" in n.code)
        assert "1, such as S." in note.sentence("en")

    def test_it_ends_where_the_log_ends_it(self, check):
        charge = "C{0},reauthorize,2026-01-0{0} 01:00,300,,S\n"
        checked_log = self.check(
            check,
            charge.format(2)
            + "S,update_consent,2026-01-03 01:00,400,,\n"
            + charge.format(4)
            + "S,terminate,2026-01-05 01:00,,,\n"
            + charge.format(6),
            older_agreements=True,
        )
        assert checked_log.violations == ["6 reauthorize agreement_state"]

    def test_one_that_the_log_sees_begin_is_not_older(self, check):
        checked_log = self.check(
            check,
            "C,reauthorize,2026-01-01 01:00,300,,S\n"
            "S,authorize,2026-01-02 01:00,500,recurring,\n",
            older_agreements=True,
        )
        assert checked_log.violations == ["2 reauthorize agreement_unknown"]
