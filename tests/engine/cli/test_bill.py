"""`kessai bill`: from agreements to a run that is charged and reconciled."""

import json
import sqlite3
from contextlib import closing

import pytest

from kessai.cli.main import run_command

MONTHLY = {"unit": "Month", "value": 1}
SPAN = ("--since", "2026-01-01", "--until", "2026-02-01")


def asked(name):
    return {
        "at": "2026-01-01T00:00:00Z",
        "command": "authorize",
        "transaction": name,
        "key": f"key-{name}",
        "lifecycle": "recurring",
        "amount": 980,
        "frequency": MONTHLY,
        "parameters": {"consent_only": True},
    }


def written(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return str(path)


def line(name, **more):
    return {"agreement": name, "amount": 980, "anchor": "2026-01-31", **more}


@pytest.fixture
def consented(tmp_path, capsys):
    """A store with two agreements at the emulator."""
    file = written(tmp_path / "orders.jsonl", [asked("A"), asked("B")])
    assert run_command(["run", file, "--json"]) == 0
    capsys.readouterr()


@pytest.fixture
def bill(capsys):
    """Runs `kessai bill`; the exit code and what it printed."""

    def run(*arguments):
        code = run_command(["bill", *arguments])
        return code, capsys.readouterr()

    return run


@pytest.fixture
def planned(consented, bill, tmp_path):
    """The run `jan`, of both agreements."""
    file = written(tmp_path / "billed.jsonl", [line("A"), line("B")])
    code, _ = bill("plan", "jan", "--agreements", file, *SPAN)
    assert code == 0


def test_three_commands_lead_to_a_run_that_is_charged_and_reconciled(planned, bill):
    code, out = bill("run", "jan", "--json")
    assert (code, json.loads(out.out)["charged"]) == (0, {"succeeded": 2})
    code, out = bill("report", "jan", "--lang", "en")
    assert code == 0
    assert "All succeeded, and the gateway's books agree." in out.out
    assert "1,960 JPY" in out.out
    code, out = bill("run", "jan", "--lang", "ja")
    assert (code, out.out) == (0, "実行すべき課金はありません。\n")


def test_a_dry_run_says_what_a_plan_would_be_and_writes_nothing(
    consented, bill, tmp_path
):
    lines = [line("A", zone="Asia/Tokyo", at="09:00"), line("nobody")]
    file = written(tmp_path / "billed.jsonl", lines)
    plan = ("plan", "jan", "--agreements", file, *SPAN)
    code, out = bill(*plan, "--dry-run", "--lang", "en")
    assert code == 0
    assert "980 JPY" in out.out
    assert "nobody: there is no such agreement" in out.out
    assert "nothing was written" in out.out
    assert bill("status", "jan")[0] == 2
    _, out = bill(*plan, "--json")
    assert json.loads(out.out) == {
        "run": "jan",
        "dry_run": False,
        "written": 1,
        "standing": 0,
        "differing": 0,
        "skips": 1,
        "skipped": {"nobody": "no_agreement"},
        "sums": {"JPY": 980},
    }


def test_status_says_how_far_a_run_is(planned, bill):
    code, out = bill("status", "jan", "--json")
    assert code == 0
    assert json.loads(out.out) == {
        "run": "jan",
        "totals": [
            {"status": "planned", "currency": "JPY", "number": 2, "amount": 1960}
        ],
        "next_due": "2026-01-31T00:00:00Z",
    }
    _, out = bill("status", "jan", "--lang", "ja")
    assert "計画済み" in out.out
    assert "2026-01-31 00:00:00 UTC" in out.out


def test_a_report_lists_what_was_denied(planned, bill, capsys):
    assert run_command(["tx", "do", "B", "terminate", "--json"]) == 0
    capsys.readouterr()
    bill("run", "jan")
    code, out = bill("report", "jan", "--lang", "en")
    assert code == 0
    assert "B-20260131" in out.out
    assert "agreement_state" in out.out


def test_a_report_finds_a_bill_that_was_altered(planned, bill):
    bill("run", "jan")
    with closing(sqlite3.connect("kessai.db")) as database, database:
        altered = 'replace(bill, \'"status":"succeeded"\', \'"status":"denied"\')'
        database.execute(
            f"UPDATE kessai_bills SET bill = {altered} WHERE agreement = 'A'"  # noqa: S608
        )
    code, out = bill("report", "jan", "--json")
    assert code == 4
    (found,) = json.loads(out.out)["bills"]
    assert (found["charge"], found["finding"]) == ("A-20260131", "differs")


def test_a_report_of_what_is_not_charged_yet_says_so(planned, bill):
    assert bill("report", "jan")[0] == 4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"anchor": "31.01.2026"}, "Invalid RFC3339"),
        ({"amount": 9.8}, "Expected `int`"),
        ({"at": "9 o'clock"}, "is no local time; one such as '09:00' is right"),
        ({"zone": "Tokio"}, "zone: 'Tokio' is not known"),
        ({"frequency": {"unit": "Moon", "value": 1}}, "unit: 'Moon'"),
        ({"business_days": "maybe"}, "business_days: 'maybe'"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
)
def test_a_line_that_is_none_is_refused_with_its_place(
    consented, bill, tmp_path, wrong, message
):
    file = written(tmp_path / "billed.jsonl", [line("A"), line("B", **wrong)])
    code, out = bill("plan", "jan", "--agreements", file, *SPAN)
    assert code == 2
    assert "billed.jsonl:2: " in out.err
    assert message in out.err


def test_a_run_that_is_not_planned_is_refused(consented, bill):
    for command in ("run", "status", "report"):
        code, out = bill(command, "feb")
        assert code == 2
        assert "run 'feb': nothing is planned under that name" in out.err


def test_a_ladder_that_is_none_is_refused_before_anything_is_charged(
    planned, bill, tmp_path
):
    path = tmp_path / "ladder.toml"
    path.write_text("[again]\ncodes = ['X']\nafter_days = [0]\n", "utf-8")
    code, out = bill("run", "jan", "--ladder", str(path))
    assert code == 2
    assert "an attempt follows after a day or more" in out.err
    path.write_text("[again]\ncodes = ['X']\nafter_days = [3]\n", "utf-8")
    code, out = bill("run", "jan", "--ladder", str(path), "--json")
    assert (code, json.loads(out.out)["charged"]) == (0, {"succeeded": 2})
