"""A Japanese shop's spreadsheet, saved as Excel saves it there: CP932, yen signs, quotes."""

from pathlib import Path

import pytest

from kessai import load_shipped
from kessai.audit.log_check import LogReading, check_log
from kessai.cli.main import run_command

LOG = Path(__file__).parents[2] / "data" / "shop-log-cp932.csv"
OPTIONS = ("--lifecycle", "one_time", "--timezone", "Asia/Tokyo")


@pytest.fixture
def checked_log(capsys):
    def run(*options):
        code = run_command(["audit", "check", str(LOG), *OPTIONS, *options])
        return code, capsys.readouterr().out

    return run


def test_each_step_that_was_not_allowed_is_reported_with_its_line(checked_log):
    code, out = checked_log("--lang", "en", "--details")
    assert code == 5
    assert "The amount 3,300 JPY is above the largest possible, 3,000 JPY." in out
    assert "The authorization expired at 2026-02-05 22:10:00+09:00." in out
    for place in ("A-1003, line 8", "A-1004, line 14", "A-1005, line 16"):
        assert place in out


def test_what_was_guessed_is_reported_in_both_languages(checked_log):
    for language in ("en", "ja"):
        _, out = checked_log("--lang", language)
        assert "order = 注文番号" in out
        assert "売上 = capture" in out


def test_rows_that_cannot_be_read_are_reported_and_can_be_left_out(checked_log):
    _, out = checked_log("--lang", "en")
    assert "(line 18)" in out
    assert "(line 20)" in out
    _, out = checked_log("--lang", "en", "--command", "発送=-")
    assert "(line 18)" not in out


def test_an_empty_outcome_is_that_of_what_succeeded_and_is_reported(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "order,command,time,amount,outcome\n"
        "A,authorize,2026-01-05 09:00,1000,\n"
        "A,capture,2026-01-06 09:00,1000,declined\n"
        "A,capture,2026-01-06 10:00,1000, \n",
        "utf-8",
    )
    checked = check_log(str(log), [load_shipped("one_time")], LogReading())
    assert checked.findings.allowed == 3
    assert checked.findings.bad_rows == 0
    assert "blank_outcomes" in [note.code for note in checked.notes]


def test_charges_under_an_agreement_of_the_log_take_shortcuts_too(
    tmp_path, monkeypatch
):
    lines = ["order,command,time,amount,agreement,lifecycle"]
    lines += ["R,authorize,2026-01-01 00:00,500,,recurring"]
    for number in range(50):
        at = f"2026-01-02 00:{number:02}"
        lines += [f"C{number},reauthorize,{at},{number + 1},R,charge"]
        lines += [f"C{number},capture,{at},{number + 1},R,charge"]
    lines += ["R,terminate,2026-01-03 00:00,,,recurring"]
    lines += ["D,reauthorize,2026-01-04 00:00,1,R,charge"]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(lines) + "\n", "utf-8")
    decided = []
    from kessai.audit.log_check import history as walk

    decide = walk.decide
    monkeypatch.setattr(walk, "decide", lambda *a: decided.append(a) or decide(*a))
    names = ("recurring", "charge")
    found = check_log(str(log), [load_shipped(n) for n in names]).findings
    assert [v.codes for v in found.in_file_order()] == [("agreement_state",)]
    assert found.allowed == 102
    assert len(decided) < 10
