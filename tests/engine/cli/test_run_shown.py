"""What a person sees of a run: in two languages, on whatever terminal there is."""

import os
import subprocess
import sys
import warnings
from contextlib import closing

import pytest

from kessai import SQLiteStore, StoreWarning
from kessai.cli.run import carry_out
from kessai.testing.store_kit.conformance import Book

KESSAI = (sys.executable, "-m", "kessai")


def run(few, *options, **environment):
    """Run in a process of its own, whose output nobody but a pipe reads."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        (*KESSAI, "run", str(few), *options),
        capture_output=True,
        check=False,
        cwd=few.parent,
        env=kept | environment,
    )


def test_the_report_says_what_happened_and_how_things_stand(kessai, few):
    shown = kessai("run", few, "--db", "memory:", "--lang", "en").out

    rows = [line.split() for line in shown.splitlines()]
    assert ["refund", "2", "1"] in rows
    assert ["one-time", "payment", "payment", "partially", "refunded", "1"] in rows
    assert ["Captured", "900", "JPY"] in rows
    assert ["Refunded", "200", "JPY"] in rows
    assert ["Left", "open", "0"] in rows
    assert ["Discrepancies", "0"] in rows


def test_the_report_speaks_japanese(kessai, few):
    shown = kessai("run", few, "--db", "memory:", "--lang", "ja").out

    rows = [line.split() for line in shown.splitlines()]
    assert ["返金", "2", "1"] in rows
    assert ["都度決済", "決済", "一部返金済", "1"] in rows
    assert ["売上額", "900", "JPY"] in rows


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_terminal_of_forty_columns_folds_and_loses_nothing(few, language):
    done = run(few, "--db", "memory:", "--lang", language, COLUMNS="40", LANG="C.UTF-8")

    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert any(line.split()[-2:] == ["900", "JPY"] for line in lines if line.strip())


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_locale_that_knows_only_ascii_replaces_what_it_cannot_show(few, language):
    done = run(
        few,
        *("--db", "memory:", "--lang", language),
        LC_ALL="C",
        PYTHONIOENCODING="ascii:strict",
        PYTHONUTF8="0",
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"900 JPY" in done.stdout


def test_json_is_one_object_alone_on_standard_output_in_any_locale(few):
    done = run(few, "--db", "orders.db", "--json", LC_ALL="C", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert done.stdout.startswith(b"{\n")
    assert done.stdout.endswith(b"}\n")


def test_what_the_owner_of_a_store_should_know_is_one_line_and_no_traceback(
    kessai, few, tmp_path, monkeypatch
):
    """SQLite's own bug matters where several processes write; who is alone hears nothing."""
    monkeypatch.setattr(
        "kessai.stores.sqlite_durable.has_wal_reset_bug", lambda _: True
    )
    path = tmp_path / "orders.db"
    assert "WAL" not in kessai("run", few, "--db", path, "--json").err

    real, others = carry_out._ask, iter(range(100))

    def ask_beside_another(wiring, line, loaded):
        with closing(SQLiteStore(path)) as other:
            Book(other, f"other-{next(others)}").begin()
        return real(wiring, line, loaded)

    monkeypatch.setattr(carry_out, "_ask", ask_beside_another)
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("always", StoreWarning)
        result = kessai("run", few, "--db", path, "--json")

    assert result.code == 0
    (message,) = [line for line in result.err.splitlines() if "WAL" in line]
    assert message.startswith("kessai: SQLite")
    assert "WAL-reset bug" in message


def test_a_terminal_sees_a_bar_while_the_lines_are_carried_out(few, on_terminal):
    command = ("run", str(few), "--db", "memory:")
    ran = on_terminal(*command, stream="stderr", cwd=few.parent)

    assert ran.code == 0
    seen = ran.seen
    assert b"Carrying out" in seen
    assert b"10" in seen


def test_help_says_what_a_line_has_and_what_the_exit_codes_mean(kessai):
    shown = kessai("run", "--help").out

    for word in ("at", "key", "agreement", "parameters", "130", "4 an outcome"):
        assert word in shown
