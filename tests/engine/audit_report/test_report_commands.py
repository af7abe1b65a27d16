"""`kessai audit report` and `kessai audit coverage`, as they are typed."""

import json
import os
import subprocess
import sys

import pytest
from busy_shop import spoil

from kessai import SQLiteStore
from kessai.audit.coverage.totals import from_store
from kessai.cli.audit.report import shown_store
from kessai.spec import shipped_names

AT = "2026-04-01T12:00:00Z"


@pytest.fixture
def coverage_file(busy, tmp_path):
    path = tmp_path / "coverage.json"
    path.write_bytes(from_store(busy).encoded())
    return path


# ── report ──────────────────────────────────────────────────────────────────────────


def test_a_report_is_a_page_unless_asked_otherwise(kessai, busy_path, tmp_path):
    done = kessai("audit", "report", "--db", busy_path, "--out", "r.html", "--at", AT)
    assert (done.code, done.out) == (0, "")
    assert "r.html: transactions 12, events 78; everything holds." in done.err
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize("form", ["html", "json", "csv"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_same_store_and_moment_give_the_same_bytes(
    kessai, busy_path, form, language
):
    how = ("--db", busy_path, "--at", AT, "--format", form, "--lang", language)
    first, second = (kessai("audit", "report", *how) for _ in range(2))
    assert first.out == second.out
    assert len(first.out) > 1_000


def test_what_was_tested_comes_from_the_file(kessai, busy_path, coverage_file):
    how = ("--db", busy_path, "--format", "json", "--coverage", coverage_file)
    report = json.loads(kessai("audit", "report", *how).out)
    assert report["has_coverage"]
    assert report["lifecycles"][0]["coverage"]["exercised"] == 18


def test_a_store_that_does_not_hold_is_reported_and_exits_with_5(
    kessai, own_path, tmp_path
):
    spoil(own_path, "A-2", 4, b'"amount":1800', b'"amount":1801')
    done = kessai(
        "audit", "report", "--db", own_path, "--out", "r.html", "--lang", "ja"
    )
    assert done.code == 5
    assert "1 件に異常があります" in done.err
    assert "異常あり" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (["--at", "yesterday"], "--at 'yesterday': not a moment"),
        (["--at", "2026-01-01T00:00:00"], "with a time zone"),
        (["--out", "nowhere/r.html"], "--out nowhere/r.html: there is no such folder"),
        (["--coverage", "nothing.json"], "nothing.json: No such file"),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--db", "nothing.db"], "nothing.db: there is no store"),
    ],
)
def test_wrong_input_is_reported_in_a_line(kessai, busy_path, wrong, shown):
    given = [] if "--db" in wrong else ["--db", busy_path]
    done = kessai("audit", "report", *given, *wrong)
    assert done.code == 2
    assert shown in done.err
    assert "Traceback" not in done.err


def test_a_terminal_is_no_place_for_a_page(kessai, busy_path, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = kessai("audit", "report", "--db", busy_path)
    assert (done.code, done.out) == (2, "")
    assert "give --out FILE" in done.err


def test_an_interrupted_or_failing_write_leaves_the_old_report(
    kessai, busy_path, tmp_path, monkeypatch
):
    report = tmp_path / "r.html"
    report.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    done = kessai("audit", "report", "--db", busy_path, "--out", report, "--force")
    assert done.code == 2
    assert "No space left on device" in done.err
    assert report.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("shop.db", "shop.db"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        (
            "postgresql://kim:secret@db.example:5432/shop?sslmode=x",
            "postgresql://db.example:5432/shop",
        ),
        ("postgresql://kim@db.example/shop", "postgresql://db.example/shop"),
    ],
)
def test_a_report_names_the_store_and_nobodys_password(url, shown):
    assert shown_store(url) == shown


def test_a_terminal_without_unicode_gets_the_page_in_utf_8(busy_path):
    command = ("kessai", "audit", "report", "--lang", "ja")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command, "--db", busy_path],
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0
    assert "監査報告書" in done.stdout.decode("utf-8")


@pytest.mark.skipif(os.name != "posix", reason="there is no such device")
def test_what_is_no_file_is_written_through_and_not_replaced(
    kessai, busy_path, tmp_path
):
    nowhere, there = tmp_path / "nowhere.html", tmp_path / "link.html"
    nowhere.symlink_to(os.devnull)
    there.symlink_to("r.html")
    for out in (nowhere, there):
        assert kessai("audit", "report", "--db", busy_path, "--out", out).code == 0
        assert out.is_symlink()
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")


# ── coverage ────────────────────────────────────────────────────────────────────────


def test_what_was_never_exercised_comes_first_with_its_rule(kessai, coverage_file):
    done = kessai("audit", "coverage", coverage_file, "--lifecycle", "one_time")
    assert done.code == 0
    first, heading = done.out.splitlines()[:2]
    assert "18 of 99 exercised, 18.1 %" in first
    assert heading.strip() == "Never exercised"
    assert "the passed deadline authorization refuses update authorization" in done.out
    assert done.out.index("Never exercised") < done.out.index("Guards, both ways")


def test_stores_and_files_are_merged(kessai, busy_path, coverage_file):
    def counted(*sources):
        done = kessai("audit", "coverage", *sources, "--lifecycle", "charge", "--json")
        (report,) = json.loads(done.out)
        return {point["id"]: point["count"] for point in report["all"]}

    store = counted("--db", busy_path)
    both = counted(coverage_file, "--db", busy_path)
    assert store["begin reauthorize at payment.requested"] == 1
    assert both["begin reauthorize at payment.requested"] == 2


def test_without_a_lifecycle_all_shipped_ones_are_shown(kessai, coverage_file):
    done = kessai("audit", "coverage", coverage_file, "--format", "json")
    report = json.loads(done.out)
    assert [one["lifecycle"] for one in report] == list(shipped_names())


@pytest.mark.parametrize(("share", "code"), [(15, 0), (18.1, 0), (20, 5), (100, 5)])
def test_too_little_fails_a_build(kessai, coverage_file, share, code):
    how = ("--lifecycle", "one_time", "--fail-under", share)
    done = kessai("audit", "coverage", coverage_file, *how)
    assert done.code == code
    assert ("Below" in done.out) == bool(code)


def test_a_lifecycle_file_of_ones_own_is_taken(kessai, coverage_file, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[lifecycle]\n")
    done = kessai("audit", "coverage", coverage_file, "--lifecycle", own)
    assert done.code == 2
    assert "own.toml" in done.err


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ([], "Give a FILE"),
        (["nothing.json"], "nothing.json: No such file"),
        (["--db", "nothing.db"], "there is no store"),
    ],
)
def test_nothing_to_count_is_reported_in_a_line(kessai, wrong, shown):
    done = kessai("audit", "coverage", *wrong)
    assert done.code == 2
    assert shown in done.err
    assert "Traceback" not in done.err


def test_the_lines_are_japanese_when_asked(kessai, coverage_file):
    how = ("--lifecycle", "one_time", "--lang", "ja", "--fail-under", "90")
    done = kessai("audit", "coverage", coverage_file, *how)
    assert "99 項目中 18 項目を実行済み" in done.out
    assert "一度も実行されていない項目" in done.out
    assert "90 % 未満のライフサイクル: one_time" in done.out


def test_an_empty_store_has_exercised_nothing(kessai, tmp_path):
    SQLiteStore(tmp_path / "empty.db").close()
    done = kessai("audit", "coverage", "--db", "empty.db", "--lifecycle", "charge")
    assert "0 of 60 exercised, 0 %" in done.out
