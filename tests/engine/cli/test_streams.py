"""A standard output that ends before the command does: full, closed, or left."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kessai.cli.main import run_command

FULL = os.strerror(errno.ENOSPC)


class Broken(io.RawIOBase):
    """Takes nothing, for one reason."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def writable(self):
        return True

    def write(self, data):
        raise OSError(self.number, os.strerror(self.number))


def on(number):
    return io.TextIOWrapper(Broken(number), "utf-8", write_through=True)


@pytest.fixture
def shown_on(kessai, few, monkeypatch, capsys):
    """Runs a command whose standard output is broken; its exit code, and the rest."""
    assert kessai("run", few, "--db", "orders.db").code == 0

    def shown_on(number, *arguments):
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", on(number))
            code = run_command([str(argument) for argument in arguments])
        return code, capsys.readouterr().err

    return shown_on


DB = ("--db", "orders.db")
COMMANDS = {
    "a table": ("tx", "list", *DB),
    "json": ("tx", "list", "--json", *DB),
    "a trail": ("tx", "show", "one", "--events", *DB),
    "rows": ("export", "movements", *DB),
    "lines of JSON": ("export", "events", "--format", "ndjson", *DB),
    "a run": ("run", "few.jsonl", *DB),
    "a document": ("lifecycle", "show", "one_time", "--format", "md"),
    "help": ("--help",),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_full_disk_is_one_line_and_an_exit_code_of_its_own(shown_on, command):
    code, err = shown_on(errno.ENOSPC, *command)
    assert code == 6
    assert err.count(f"kessai: standard output: {FULL}") == 1


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_who_left_changes_no_exit_code(shown_on, command):
    assert shown_on(errno.EPIPE, *command) == (0, "")


def test_a_reader_who_left_hides_no_denial(shown_on):
    code, _ = shown_on(errno.EPIPE, "tx", "can", "one", "cancel", *DB)
    assert code == 3
    code, err = shown_on(errno.ENOSPC, "tx", "can", "one", "cancel", *DB)
    assert code == 3
    assert FULL in err


def test_a_refund_that_cannot_be_shown_is_found_under_its_key(kessai, shown_on):
    refund = ("tx", "do", "one", "refund", "--amount", 3, "--key", "full-1", *DB)
    code, err = shown_on(errno.ENOSPC, *refund)
    assert code == 6
    assert "what was done is in the store under key full-1" in err
    again = kessai(*refund, "--json").json
    assert (again["status"], again["is_recorded"]) == ("succeeded", True)


def test_an_error_under_json_that_cannot_be_shown_keeps_its_code(shown_on):
    code, err = shown_on(errno.ENOSPC, "tx", "show", "nobody", "--json", *DB)
    assert code == 2
    assert "nobody" in err


def piped(redirection, *command):
    words = " ".join((f"{sys.executable} -m kessai", *command, redirection))
    return subprocess.run(
        ("/bin/bash", "-c", words), capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_python_flushes_nothing_more_at_its_end(kessai, few):
    assert kessai("run", few, *DB).code == 0
    full = piped("> /dev/full", "tx", "list", *DB)
    assert full.returncode == 6
    assert len(full.stderr.splitlines()) == 1
    left = piped("| true; exit ${PIPESTATUS[0]}", "audit", "verify", *DB)
    assert (left.returncode, left.stderr) == (0, "")


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "2>/dev/full"])
def test_a_closed_stream_is_no_traceback(kessai, few, redirection):
    assert kessai("run", few, *DB).code == 0
    closed = piped(redirection, "run", few.name, *DB)
    assert closed.returncode == (6 if redirection.startswith(">") else 0)
    assert "Traceback" not in closed.stderr
