"""Runs that are broken off: whatever ended them, the same file again finishes them.

The totals, the answers and what reached the gateway must be those of a run that nothing
ever interrupted.
"""

import json
import os
import random  # noqa: TID251 - moments to die at, from a fixed seed
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from functools import partial

import pytest

from kessai.cli.main import run_command
from kessai.cli.run import carry_out
from kessai.stores import SQLiteStore, sqlite_rows
from kessai_adapters.emulators.shelf import Shelf

KESSAI = (sys.executable, "-m", "kessai")

MANY = 10_000

NO_ROOM = {2, 4}
"""Before a call nothing was sent (2); after it an outcome is left open (4)."""


def in_a_child(work):
    """Run `work` in a copy of this process; its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 99
        with suppress(BaseException):
            code = work()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Death:
    """Kills its process with SIGKILL just before or just after the nth write."""

    def __init__(self, moment, *, after):
        self.left = moment
        self.after = after

    def around(self, write):
        def dying(*arguments, **options):
            self.left -= 1
            is_now = self.left == 0  # one write may be a part of another
            if is_now and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*arguments, **options)
            if is_now:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return dying

    def strike(self, *arguments):
        SQLiteStore.append_each = self.around(SQLiteStore.append_each)
        sqlite_rows.write_change = self.around(sqlite_rows.write_change)
        Shelf.keep = self.around(Shelf.keep)
        return quietly(*arguments)


def quietly(*arguments):
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the child's own
    sys.stderr = sys.stdout
    return run_command([str(argument) for argument in arguments])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_write_a_second_run_ends_as_if_nothing_had_happened(
    kessai, few, few_expected, database, after
):
    kessai("run", few, "--db", database.path)
    unbroken = database.exchanges(), database.answers()
    for moment in range(1, 200, 2):
        database.forget()
        death = Death(moment, after=after)
        code = in_a_child(partial(death.strike, "run", few, "--db", database.path))
        if code == 0:
            break  # there are no more writes to die at
        assert code == -signal.SIGKILL

        result = kessai("run", few, "--db", database.path, "--json")

        data = result.json
        del data["seconds"]
        assert (moment, data) == (moment, few_expected)
        assert (database.exchanges(), database.answers()) == unbroken
    assert moment > 30


@pytest.mark.slow
def test_killed_again_and_again_a_real_file_ends_with_the_same_totals(
    kessai, orders, expected, database
):
    command = (*KESSAI, "run", str(orders), "--db", str(database.path), "--json")
    chance = random.Random(20101201)  # noqa: S311 - no secret
    killed = 0
    for _ in range(5):
        enough = answered(database) + chance.randrange(20, 150)
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and answered(database) < enough:
            time.sleep(0.01)
        process.kill()
        killed += process.wait() == -signal.SIGKILL

    result = kessai("run", orders, "--db", database.path, "--json")

    assert killed >= 2
    data = result.json
    del data["seconds"]
    assert (result.code, data) == (0, expected)
    assert kessai("audit", "verify", "--db", database.path).code == 0


def answered(database):
    """How many commands have begun, as another process sees it."""
    with suppress(sqlite3.OperationalError):  # the file or its tables are not there yet
        uri = f"file:{database.path}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as reader:
            return reader.execute("SELECT count(*) FROM kessai_answers").fetchone()[0]
    return 0


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def asked_to_stop(request, monkeypatch):
    """Ask this process to stop while its nth line is in hand."""
    ask = carry_out._ask
    which = request.param
    before = signal.getsignal(which)

    @contextmanager
    def at_line(number):
        def asking(wiring, line, *more):
            if line.number == number:
                signal.raise_signal(which)
            return ask(wiring, line, *more)

        with monkeypatch.context() as patch:
            patch.setattr(carry_out, "_ask", asking)
            yield
        assert signal.getsignal(which) is before

    return at_line


def test_asked_to_stop_the_command_in_hand_is_finished_and_the_place_is_reported(
    kessai, few, few_expected, database, asked_to_stop
):
    with asked_to_stop(4):
        stopped = kessai("run", few, "--db", database.path, "--json")

    assert stopped.code == 130
    assert "stopped after line 4; run the same file again to go on" in stopped.err
    assert stopped.json["commands"] == 4
    assert stopped.json["succeeded.reauthorize"] == 1

    again = kessai("run", few, "--db", database.path, "--json")

    data = again.json
    del data["seconds"]
    assert (again.code, data) == (0, few_expected)


def test_asked_twice_it_stops_at_once_and_nothing_is_lost(
    kessai, few, few_expected, database, monkeypatch
):
    ask = carry_out._ask

    def interrupted(wiring, line, *more):
        if line.number == 4:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return ask(wiring, line, *more)

    monkeypatch.setattr(carry_out, "_ask", interrupted)

    stopped = kessai("run", few, "--db", database.path)

    assert stopped.code == 130
    monkeypatch.setattr(carry_out, "_ask", ask)
    data = kessai("run", few, "--db", database.path, "--json").json
    del data["seconds"]
    assert data == few_expected


def test_ctrl_c_at_a_real_process_stops_it_between_two_commands(tmp_path, database):
    many = tmp_path / "many.jsonl"  # more than are done before the signal comes
    begun = {"at": "2024-06-01T00:00:00Z", "command": "authorize"}
    about = {"lifecycle": "one_time", "amount": 100}
    with many.open("w") as file:
        for name in map("order-{}".format, range(MANY)):
            line = begun | about | {"transaction": name, "key": name}
            file.write(json.dumps(line) + "\n")
    command = (*KESSAI, "run", str(many), "--db", str(database.path), "--json")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and answered(database) < 30:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)

    assert process.returncode == 130
    assert b"stopped after line" in err
    assert json.loads(out)["commands"] < MANY
    assert {outcome for _, outcome in database.answers()} <= {"succeeded", "denied"}


@pytest.mark.parametrize("kilobytes", [200, 3000])
def test_a_full_disk_is_reported_and_with_room_again_the_same_file_goes_on(
    kessai, orders, expected, database, kilobytes
):
    def run_without_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024,) * 2)
        return quietly("run", orders, "--db", database.path)

    code = in_a_child(run_without_room)

    assert code in NO_ROOM
    result = kessai("run", orders, "--db", database.path, "--json")
    data = result.json
    del data["seconds"]
    assert (result.code, data) == (0, expected)


def test_a_full_disk_is_reported_in_words(orders, database):
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (320000,) * 2);"
        "from kessai.cli.main import main; main(sys.argv[1:])"
    )
    command = (sys.executable, "-c", script, "run", str(orders))
    done = subprocess.run(
        (*command, "--db", str(database.path)), capture_output=True, check=False
    )

    assert done.returncode in NO_ROOM
    assert b"Traceback" not in done.stderr
    assert b"stopped at line" in done.stderr
    assert str(database.path).encode() in done.stderr


def test_a_store_that_may_not_be_written_is_reported_before_anything_is_sent(
    kessai, few, tmp_path
):
    result = kessai("run", few, "--db", tmp_path / "nowhere" / "orders.db")

    assert result.code == 2
    assert "orders.db: there is no such folder" in result.err


def test_books_that_cannot_be_written_stop_the_run_before_a_later_command_suffers(
    kessai, few, few_expected, database, monkeypatch
):
    keep = Shelf.keep
    writes = iter(range(100))

    def full(shelf, order_id, row):
        if next(writes) >= 6:
            message = "database or disk is full"
            raise sqlite3.OperationalError(message)
        keep(shelf, order_id, row)

    monkeypatch.setattr(Shelf, "keep", full)
    stopped = kessai("run", few, "--db", database.path, "--json")
    assert stopped.code == 2
    assert "the emulator's books cannot be written" in stopped.err
    assert "stopped after line" in stopped.err

    monkeypatch.setattr(Shelf, "keep", keep)
    data = kessai("run", few, "--db", database.path, "--json").json

    del data["seconds"]
    assert data == few_expected


def test_a_command_left_open_by_hand_is_recovered_before_the_first_new_line(
    kessai, few, database
):
    """It began at a later time than any line of the file, and is resolved all the same."""
    do = ("tx", "do", "mine", "authorize", "--lifecycle", "one_time", "--amount", "7")
    death = Death(3, after=False)  # its intent is on the disk, and nothing was sent
    code = in_a_child(partial(death.strike, *do, "--db", database.path))
    assert code == -signal.SIGKILL

    kessai("run", few, "--db", database.path, "--json")

    shown = kessai("tx", "show", "mine", "--db", database.path, "--json").json
    assert shown["states"] == {"payment": "authorized"}
    assert shown["operations"] == []


@pytest.mark.parametrize("first", [True, False])
def test_a_line_that_the_gateway_cannot_be_sent_is_named(kessai, tmp_path, first):
    opens = {
        "at": "2026-04-01T09:00:00Z",
        "command": "authorize",
        "lifecycle": "card",
        "amount": 1200,
        "currency": "JPY",
    }
    paid = {"payment_method": "pm_card_visa"}
    good = {**opens, "transaction": "A-1", "key": "1", "parameters": paid}
    foreign = {"lifecycle": "amazon_pay", "parameters": {"note": "thanks"}}
    bad = {**good, "transaction": "A-2", "key": "2", **foreign}
    file = tmp_path / "two.jsonl"
    lines = [bad, good] if first else [good, bad]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    asked = ("--gateway", "emulator/stripe", "--db", tmp_path / "a.db")

    stopped = kessai("run", file, *asked, "--json")

    number = lines.index(bad) + 1
    assert stopped.code == 2
    assert f"stopped at line {number}; run the same file again" in stopped.err
    assert stopped.json["stopped"]["line"] == number
