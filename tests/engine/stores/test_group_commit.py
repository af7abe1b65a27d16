"""Threads that write at once: one commit for all of them, and each its own outcome."""

import ctypes
import json
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from inside import session
from msgspec.structs import replace

from kessai.errors import CommitUnknown, StoreBusy, StoreFailed, VersionConflict
from kessai.stores import sqlite_writer as module
from kessai.stores.group_commit import GroupCommit
from kessai.testing.store_kit.conformance import Book

THREADS = 8
STRUCK = Path(__file__).with_name("struck.py")


class Watched:
    """The connection of a store: counts its statements, and does what `at` says first."""

    def __init__(self, store):
        self._real = session(store).connection
        self.counted = Counter()
        self.at = {}
        session(store).connection = self

    def execute(self, statement, *values):
        self.counted[statement] += 1
        self.at.get(statement, list)()
        return self._real.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self._real, name)


@pytest.fixture
def store(sqlite):
    return sqlite()


@pytest.fixture
def connection(store):
    return Watched(store)


@contextmanager
def held(store):
    """Another process holds the file meanwhile."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def together(store, works, meanwhile=list):
    """What came of `works`, a thread each, written as one group: results or errors."""
    outcomes = [None] * len(works)

    def run(number):
        try:
            works[number]()
            outcomes[number] = "written"
        except Exception as error:  # noqa: BLE001 - what it is is the question
            outcomes[number] = error

    threads = [
        threading.Thread(target=run, args=(number,)) for number in range(len(works))
    ]
    with held(store):
        for thread in threads:
            thread.start()
        eventually(
            lambda: len(store._own.get().writer._together._waiting) == len(works)
        )
        meanwhile()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return outcomes


def eventually(holds):
    until = monotonic() + 60
    while not holds():
        assert monotonic() < until
        sleep(0.001)


def begins(store, many=THREADS):
    return [Book(store, f"order-{number}").begin for number in range(many)]


def versions(store):
    return {found.id: found.version for found in store.transactions()}


def raises(error):
    def act():
        raise error

    return act


def failure(code):
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    return error


def test_what_many_threads_write_at_once_is_one_commit(store, connection):
    assert together(store, begins(store)) == ["written"] * THREADS
    assert connection.counted["COMMIT"] == 1
    assert versions(store) == {f"order-{number}": 1 for number in range(THREADS)}


def test_a_conflict_of_one_takes_nothing_from_the_others(store, connection):
    """Each was decided on the same version: one wins, the others leave nothing."""
    book = Book(store, "order")
    book.begin()
    captures = [book.begun("get_address", key=f"k{n}")[0] for n in range(3)]
    works = [lambda change=change: store.append(change) for change in captures]
    outcomes = together(store, [*begins(store, 2), *works])
    assert outcomes[:2] == ["written"] * 2
    kinds = Counter(type(outcome).__name__ for outcome in outcomes[2:])
    assert kinds == {"str": 1, "VersionConflict": 2}
    assert versions(store) == {"order": 2, "order-0": 1, "order-1": 1}
    keys = [store.load(f"k{n}", "order", None).recorded is None for n in range(3)]
    assert sorted(keys) == [False, True, True]


def test_a_key_taken_within_the_group_is_a_conflict_that_leaves_no_transaction(store):
    changes = [Book(store, f"order-{n}").begun(key="same")[0] for n in range(3)]
    outcomes = together(
        store, [lambda change=change: store.append(change) for change in changes]
    )
    assert outcomes.count("written") == 1
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 2
    assert len(versions(store)) == len(list(store.trails())) == 1


def test_a_change_that_cannot_be_written_is_the_matter_of_its_own_thread(store):
    change, _ = Book(store, "hopeless").begun()
    record = replace(change.records[0], number=2**70)
    hopeless = replace(change, records=(record,))
    outcomes = together(store, [*begins(store, 3), lambda: store.append(hopeless)])
    assert outcomes[:3] == ["written"] * 3
    assert isinstance(outcomes[3], OverflowError)
    assert len(versions(store)) == 3


def test_a_record_in_the_place_of_another_is_refused_alone(store):
    """Somebody else wrote to the database."""
    session(store).connection.execute(
        "INSERT INTO kessai_events VALUES ('order-0', 1, x'', '', NULL, 9)"
    )
    outcomes = together(store, begins(store, 3))
    assert isinstance(outcomes[0], StoreFailed)
    assert "UNIQUE" in str(outcomes[0])
    assert outcomes[1:] == ["written"] * 2
    assert versions(store) == {"order-1": 1, "order-2": 1}


def test_when_all_have_failed_nothing_is_committed(store, connection):
    book = Book(store, "order")
    stale = book.begun(key="stale")[0]
    book.begin()
    connection.counted.clear()
    outcomes = together(store, [lambda: store.append(stale)] * 3)
    assert {type(outcome) for outcome in outcomes} == {VersionConflict}
    assert connection.counted["COMMIT"] == 0
    assert versions(store) == {"order": 1}


@pytest.mark.parametrize(
    ("statement", "code", "kind"),
    [
        ("COMMIT", sqlite3.SQLITE_IOERR_FSYNC, CommitUnknown),
        ("COMMIT", sqlite3.SQLITE_FULL, StoreFailed),
        ("SAVEPOINT jobs", sqlite3.SQLITE_IOERR, StoreFailed),
        ("BEGIN IMMEDIATE", sqlite3.SQLITE_IOERR, StoreFailed),
    ],
)
def test_what_fails_for_all_is_told_to_each(store, connection, statement, code, kind):
    def meanwhile():
        connection.at[statement] = raises(failure(code))
        begun = connection.counted["BEGIN IMMEDIATE"]  # one may just be going through
        eventually(lambda: connection.counted["BEGIN IMMEDIATE"] > begun)

    outcomes = together(store, begins(store), meanwhile)
    assert {type(outcome) for outcome in outcomes} == {kind}
    assert len({id(outcome) for outcome in outcomes}) == THREADS
    connection.at.clear()
    assert versions(store) == {}
    Book(store).begin()


def test_a_file_held_for_too_long_is_busy_for_all_that_waited(store, monkeypatch):
    monkeypatch.setattr(module, "BUSY_SECONDS", 1.0)
    groups, write = [], store._own.get().writer._together._write
    store._own.get().writer._together._write = lambda group: (
        groups.append(group),
        write(group),
    )
    with held(store), ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(begin) for begin in begins(store)]
        outcomes = {type(one.exception()) for one in waiting}
    assert outcomes == {StoreBusy}
    assert len(groups) < THREADS  # they waited together, and not one after the other
    Book(store).begin()


def test_a_reading_neither_sees_nor_awaits_a_commit_under_way(store, connection):
    book = Book(store)
    operation = book.begin()
    reached, may_go_on = threading.Event(), threading.Event()

    def wait():
        reached.set()
        may_go_on.wait(60)

    connection.at["COMMIT"] = wait
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(book.end, operation)
        assert reached.wait(60)
        assert store.load(None, "order-1", None).transaction.version == 1
        assert len(store.records("order-1")) == 1
        assert store.open_transactions(1) == ["order-1"]
        assert not ending.done()
        may_go_on.set()
        ending.result()
    assert store.load(None, "order-1", None).transaction.version == 2


def test_a_lone_thread_needs_no_second_connection(store):
    book = Book(store)
    book.end(book.begin())
    store.records("order-1")
    assert not store._own.get().readers._idle


def test_who_leads_and_is_interrupted_leaves_the_others_to_the_next(store, connection):
    """Only the one that was interrupted is not written."""
    leader = []

    def interrupt():
        if not leader:
            leader.append(threading.current_thread())
            raise KeyboardInterrupt

    connection.at["SAVEPOINT jobs"] = interrupt
    outcomes = [None] * THREADS
    works = [interruptible(begin, outcomes, n) for n, begin in enumerate(begins(store))]
    together(store, works)
    assert Counter(outcomes) == {"written": THREADS - 1, "interrupted": 1}
    assert len(versions(store)) == THREADS - 1


def test_a_commit_that_is_interrupted_may_be_there(store, connection):
    def interrupt():
        connection.at.clear()
        raise KeyboardInterrupt

    connection.at["COMMIT"] = interrupt
    outcomes = [None] * THREADS
    works = [interruptible(begin, outcomes, n) for n, begin in enumerate(begins(store))]
    counted = together(store, works)
    assert outcomes.count("interrupted") == 1
    unknown = [error for error in counted if isinstance(error, CommitUnknown)]
    assert len(unknown) == THREADS - 1
    Book(store, "after").begin()


def interruptible(work, outcomes, number):
    def run():
        try:
            work()
            outcomes[number] = "written"
        except KeyboardInterrupt:
            outcomes[number] = "interrupted"

    return run


def test_who_is_interrupted_while_waiting_writes_nothing(store):
    outcomes = [None] * 2
    first, second = (
        threading.Thread(target=interruptible(begin, outcomes, number))
        for number, begin in enumerate(begins(store, 2))
    )
    with held(store):
        first.start()
        eventually(lambda: store._own.get().writer._together._is_led)
        second.start()
        eventually(lambda: len(store._own.get().writer._together._waiting) == 2)
        interrupt(second)
        second.join(60)
        assert outcomes == [None, "interrupted"]
    first.join(60)
    assert outcomes == ["written", "interrupted"]
    assert versions(store) == {"order-0": 1}


def interrupt(thread):
    kind = ctypes.py_object(KeyboardInterrupt)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), kind
    )


def test_a_job_whose_leader_vanished_is_unknown_and_holds_nothing_up():
    """However an interrupt strikes, nobody waits for ever."""
    commits = GroupCommit(lambda group: [job.work() for job in group.take()])
    commits._is_led = True
    with ThreadPoolExecutor(1) as pool:
        stranded = pool.submit(commits.run, list)
        eventually(lambda: len(commits._waiting) == 1)
        commits._waiting.clear()  # taken, and never written
        commits._is_led = False
        with pytest.raises(CommitUnknown):
            stranded.result(60)
    assert commits.run(lambda: None) is None


def test_interrupts_at_any_moment_strand_nobody(store):
    """In a process of its own: Python itself loses one in a callback, and complains."""
    run = subprocess.run(
        [sys.executable, str(STRUCK), store.path],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    acknowledged = json.loads(run.stdout)
    counts = Counter(name for name, part in store.trails() for _ in part)
    assert acknowledged.keys() == {"other-0", "other-1", "other-2", "after"}
    for name, count in acknowledged.items():
        # What was under way when a commit was interrupted may be there.
        assert counts[name] in {count, count + 1}
