"""Processes that write to one file take turns, and none waits for ever."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from kessai.stores import sqlite_queue as module
from kessai.stores.sqlite_queue import TURN, WriterQueue
from kessai.testing.store_kit.conformance import Book

WRITER = Path(__file__).with_name("writer.py")
PROCESSES = 4


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "store.db"
    path.touch(0o640)
    return path


@pytest.fixture
def queue(database):
    """A maker of queues for one database, as other processes would have them."""
    made = []

    def make(patience=10.0):
        made.append(WriterQueue(database, lambda: patience))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_one_at_a_time_is_at_the_front(queue):
    first, second = queue(), queue(patience=0)
    with first:
        assert first.is_at_the_front
        with second:
            assert not second.is_at_the_front
    with second:
        assert second.is_at_the_front


def test_who_waits_passes_when_the_front_is_left(queue):
    first, second = queue(), queue()
    first.__enter__()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sleep", lambda _: first.__exit__(None, None, None))
        with second:
            assert second.is_at_the_front


def test_one_that_is_stuck_at_the_front_is_waited_for_once(queue, monkeypatch):
    """It was stopped there, say. Nothing depends on the queue but fairness.

    Afterwards the others wait for it as long as a turn lasts: it may only be slow.
    """
    stuck, other = queue(), queue(patience=0.2)
    with stuck:
        begun = monotonic()
        with other:
            assert not other.is_at_the_front
        assert monotonic() - begun >= 0.2
        now = 100.0
        waited = []

        def sleep(seconds):
            nonlocal now
            waited.append(seconds)
            now += seconds

        with monkeypatch.context() as patch:
            patch.setattr(module, "monotonic", lambda: now)
            patch.setattr(module, "sleep", sleep)
            with other:
                assert not other.is_at_the_front
        assert TURN <= sum(waited) < TURN + 2 * module.PAUSE
    with other:
        assert other.is_at_the_front


def test_one_that_was_stuck_is_waited_for_as_ever_once_it_goes_on(queue, monkeypatch):
    stuck, other = queue(), queue(patience=0.05)
    stuck.__enter__()
    with other:
        assert not other.is_at_the_front
    with monkeypatch.context() as patch:
        patch.setattr(module, "monotonic", lambda: 100.0)
        patch.setattr(module, "sleep", lambda _: stuck.__exit__(None, None, None))
        with other:
            assert other.is_at_the_front
    assert not other._is_stuck


def test_whose_turn_it_is_need_not_queue_up_again_until_it_is_over(queue, monkeypatch):
    now = 100.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    first = queue()
    assert not first.is_own_turn
    with first:
        pass
    now += TURN * 0.99
    assert first.is_own_turn
    now += TURN * 0.02
    assert not first.is_own_turn


def test_who_did_not_pass_has_no_turn(queue, monkeypatch):
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    first, second = queue(), queue(patience=0)
    with first, second:
        pass
    assert first.is_own_turn
    assert not second.is_own_turn


def test_in_its_turn_a_store_writes_past_the_queue(sqlite, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TURN", 60.0)
    store = sqlite(tmp_path / "store.db")
    Book(store, "order-1").begin()
    monkeypatch.setattr(module, "_lock", lambda _: pytest.fail("it queued up"))
    Book(store, "order-2").begin()
    assert len(list(store.transactions())) == 2


def test_who_is_overtaken_in_its_turn_queues_up(sqlite, tmp_path, monkeypatch):
    """Another came between two commits: it is waited for as ever."""
    monkeypatch.setattr(module, "TURN", 60.0)
    path = tmp_path / "store.db"
    store, other = sqlite(path), sqlite3.connect(path, isolation_level=None)
    Book(store, "order-1").begin()
    other.execute("BEGIN IMMEDIATE")
    asked, real = [], module._lock

    def lock(file):
        asked.append(file)
        other.execute("COMMIT")
        return real(file)

    monkeypatch.setattr(module, "_lock", lock)
    Book(store, "order-2").begin()
    other.close()
    assert len(asked) == 1
    assert len(list(store.transactions())) == 2


def test_an_interrupt_leaves_the_front_free(queue, monkeypatch):
    first, second = queue(), queue()
    real = module._lock

    def interrupted(file):
        real(file)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_lock", interrupted)
    with pytest.raises(KeyboardInterrupt), first:
        pytest.fail("it did not pass")
    monkeypatch.undo()
    with second:
        assert second.is_at_the_front


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666])
def test_the_file_of_the_queue_is_for_the_users_of_the_database(queue, database, mode):
    database.chmod(mode)
    before = os.umask(0o077)
    try:
        with queue():
            pass
    finally:
        os.umask(before)
    side = database.with_name("store.db-queue")
    assert stat.S_IMODE(side.stat().st_mode) == mode


def test_where_no_file_can_be_made_there_is_no_queue(sqlite, tmp_path):
    (tmp_path / "store.db-queue").mkdir()
    store = sqlite(tmp_path / "store.db")
    Book(store).begin()
    assert store.load(None, "order-1", None).transaction.version == 1


def test_a_link_in_the_place_of_the_file_is_not_followed(queue, database, tmp_path):
    database.with_name("store.db-queue").symlink_to(tmp_path / "elsewhere")
    with queue() as _:
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_who_only_reads_needs_no_queue(sqlite, tmp_path):
    path = tmp_path / "store.db"
    sqlite(path).records("order-1")
    assert not (tmp_path / "store.db-queue").exists()
    Book(sqlite(path)).begin()
    assert (tmp_path / "store.db-queue").exists()


def test_a_file_of_the_queue_that_was_deleted_costs_fairness_alone(sqlite, tmp_path):
    path = tmp_path / "store.db"
    first = sqlite(path)
    Book(first, "order-1").begin()
    (tmp_path / "store.db-queue").unlink()
    second = sqlite(path)
    for number in range(2, 6):
        Book((first, second)[number % 2], f"order-{number}").begin()
    assert len(list(first.transactions())) == 5


@contextmanager
def writers(path, count):
    processes = [
        subprocess.Popen(
            [sys.executable, str(WRITER), "quiet", path, f"order-{number}"],
            stdout=subprocess.DEVNULL,
        )
        for number in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def lengths(store):
    return {found.id: found.version for found in store.transactions()}


def wait_for(store, holds):
    until = monotonic() + 300
    while not holds(found := lengths(store)):
        assert monotonic() < until, found
        sleep(0.01)
    return found


def test_of_processes_that_write_without_pause_none_starves(sqlite, tmp_path):
    """With SQLite's own waiting one commits thousands of times before another once."""
    store = sqlite(tmp_path / "store.db")
    with writers(store.path, PROCESSES):
        begun = wait_for(store, lambda found: len(found) == PROCESSES)
        enough = sum(begun.values()) + PROCESSES * 1_000  # many turns each
        ended = wait_for(store, lambda found: sum(found.values()) >= enough)
    written = [ended[name] - begun[name] for name in begun]
    assert min(written) >= sum(written) / PROCESSES / 4, written


def test_a_writer_that_is_stopped_or_killed_anywhere_lets_the_others_go_on(
    sqlite, tmp_path
):
    """Stopped while it holds the database it blocks all, as long as it is stopped."""
    store = sqlite(tmp_path / "store.db")
    with writers(store.path, 3) as processes:
        wait_for(store, lambda found: len(found) == 3)
        for _ in range(10):
            processes[0].send_signal(signal.SIGSTOP)
            sleep(0.01)
            processes[0].send_signal(signal.SIGCONT)
            sleep(0.01)
        processes[0].kill()
        before = lengths(store)
        others = ("order-1", "order-2")
        wait_for(
            store,
            lambda found: all(found[name] > before[name] + 20 for name in others),
        )
