"""Nothing is left out or assumed in silence."""

import json

import pytest

A = "A,authorize,2026-01-05 10:00:00,1000\nA,capture,2026-01-05 11:00:00,1000\n"
HEADER = "order,command,time,amount\n"


@pytest.fixture
def told(kessai, tmp_path):
    def run(text, *options):
        log = tmp_path / "log.csv"
        log.write_text(text, "utf-8")
        return kessai(
            "audit", "check", log, "--lifecycle", "one_time", "--lang", "en", *options
        )

    return run


class TestLeftOut:
    @pytest.mark.parametrize(
        "row",
        [
            ",payout,,2000",
            ",payout,05 Jan 2026,2000",
            ",payout,2026-01-05T10:00:00Z,2000",
            "po,payout,n/a,",
            ",payout,46027.5,-1",
            ",payout,2026-13-45,x",
            "po,payout",
            "po,payout,2026-01-05,1,234",
        ],
    )
    @pytest.mark.parametrize("at_the_end", [False, True])
    def test_rows_said_to_be_left_out_need_nothing_else(self, check, row, at_the_end):
        text = A + row + "\n" if at_the_end else row + "\n" + A
        checked_log = check(text, commands={"payout": "-"})
        assert checked_log.bad == []
        assert checked_log.findings.left_out == 1
        assert checked_log.findings.allowed == 2

    def test_they_need_no_known_currency_or_lifecycle(self, check):
        checked_log = check(
            A.replace("1000\n", "1000,JPY,,\n") + "B,payout,,5,XXX,nothing,maybe\n",
            header="order,command,time,amount,currency,lifecycle,with_capture",
            commands={"payout": "-"},
        )
        assert checked_log.bad == []
        assert checked_log.findings.left_out == 1

    def test_damaged_ones_are_left_out_too(self, check_file, tmp_path):
        path = tmp_path / "log.csv"
        path.write_bytes(f"{HEADER}売上,x,,\n{A}".encode() + b"\xe4\xb8,payout,,\n")
        checked_log = check_file(
            path, "one_time", encoding="utf-8", commands={"payout": "-", "x": "-"}
        )
        assert checked_log.bad == []
        assert checked_log.findings.left_out == 2

    def test_an_outcome_can_leave_rows_out(self, check):
        checked_log = check(
            A.replace("1000\n", "1000,ok\n") + "B,ship,soon,x,assigned\n",
            header="order,command,time,amount,result",
            outcomes={"assigned": "-"},
        )
        assert checked_log.bad == []
        assert checked_log.findings.left_out == 1


class TestBlankAmounts:
    @pytest.mark.parametrize("command", ["capture", "refund"])
    def test_an_amount_read_from_nothing_is_told(self, check, command):
        rows = A + "A,refund,2026-01-06,1000\n"
        full = check(rows)
        line = next(line for line in rows.splitlines() if command in line)
        blank = check(rows.replace(line, line.removesuffix("1000")))
        assert blank.findings.holds
        assert [n for n in blank.notes if n not in full.notes] == ["blank_amounts"]
        note = next(n for n in blank.checked.notes if n.code == "blank_amounts")
        assert f"{command} = 1" in note.sentence("en")

    def test_it_is_counted_by_shortcuts_too(self, check):
        rows = "".join(A.replace("A,", f"A{n},") for n in range(20))
        blank = check(rows.replace("11:00:00,1000", "11:00:00,"))
        assert blank.findings.blank_amounts == {"capture": 20}

    def test_a_command_without_a_column_for_its_amount_is_told_of(self, check):
        columns = {
            "amount:authorize": "price",
            "amount:update_authorization": "price",
            "amount": "-",
        }
        checked_log = check(A, header="order,command,time,price", columns=columns)
        assert checked_log.findings.holds
        assert checked_log.findings.blank_amounts == {"capture": 1}
        assert "blank_amounts" in checked_log.notes

    def test_what_takes_no_amount_or_moved_none_is_not_counted(self, check):
        first = A.splitlines()[0]
        cancelled = check(f"{first}\nA,cancel,2026-01-06,\n")
        assert "blank_amounts" not in cancelled.notes
        declined = check(
            f"{first},ok\nA,capture,2026-01-06,,denied\n",
            header="order,command,time,amount,result",
        )
        assert "blank_amounts" not in declined.notes

    def test_a_currency_read_from_nothing_is_told(self, check):
        header = "order,command,time,amount,currency"
        rows = A.replace("1000\n", "1000,JPY\n")
        assert "blank_currencies" not in check(rows, header=header).notes
        blank = check(rows.replace("JPY", "", 1), header=header)
        assert "blank_currencies" in blank.notes


class TestJsonKeys:
    def rows(self, count):
        for number in range(count):
            yield {
                "order": f"A{number}",
                "command": "authorize",
                "time": "2026-01-05T10:00:00Z",
                "amount": 5,
            }

    def test_a_key_of_the_last_row_counts(self, check):
        rows = list(self.rows(150))
        rows[-1] |= {"outcome": "declined", "details": {"currency": "JPY"}}
        rows.append(rows[-1] | {"command": "capture", "outcome": "ok"})
        text = "\n".join(map(json.dumps, rows))
        checked_log = check(text, header=None)
        assert checked_log.violations == [
            "151 capture state_not_allowed amount_above_maximum"
        ]
        assert checked_log.checked.columns.named["outcome"] == "outcome"

    def test_numbers_with_exponents_are_written_out(self, check):
        text = "\n".join(map(json.dumps, self.rows(2))).replace(": 5", ": 1.2E5")
        assert check(text, header=None).findings.holds
        assert check(text.replace("E5", "E-5"), header=None).bad == [
            "amount_decimals 1 2"
        ]
        assert check(text.replace("E5", "E99999"), header=None).bad == [
            "amount_unknown 1 2"
        ]

    def test_too_many_keys_are_refused_with_what_would_help(self, told):
        rows = [{f"k{n}": 1} | row for n, row in enumerate(self.rows(10_001))]
        result = told("\n".join(map(json.dumps, rows)))
        assert result.code == 2
        assert "more than 10,000 different names" in result.err


class TestDetails:
    TEXT = HEADER + "".join(f"X{n},capture,2026-01-05,9\n" for n in range(1_200))

    def test_they_say_what_they_left(self, told):
        assert "… and 1,180 more; --limit" in told(self.TEXT, "--details").out
        result = told(self.TEXT, "--details", "--limit", 1_150)
        assert result.out.count("X1149, line") + result.out.count("X1149:") == 1
        assert "… and 50 more" in result.out

    def test_a_limit_beyond_all_shows_all(self, told):
        result = told(self.TEXT, "--details", "--limit", 2_000)
        assert "X1199:" in result.out
        assert "more;" not in result.out

    def test_json_says_it_too(self, told):
        found = told(self.TEXT, "--json").json
        assert (len(found["details"]), found["details_left_out"]) == (20, 1_180)
        found = told(self.TEXT, "--json", "--limit", 2_000).json
        assert (len(found["details"]), found["details_left_out"]) == (1_200, 0)


def test_what_is_perhaps_a_fault_ends_with_2_and_says_perhaps(told):
    rows = "A,capture,2026-11-01 01:10,12\nA,authorize,2026-11-01 01:50,12\n"
    result = told(HEADER + rows, "--timezone", "America/New_York", "--details")
    assert result.code == 2
    assert "! Every step was allowed, or perhaps was" in result.out
    assert "(perhaps)" in result.out
    assert (
        told(HEADER + rows, "--timezone", "America/New_York", "--json").json["holds"]
        is False
    )
