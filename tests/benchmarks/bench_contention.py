"""Many that write to one SQLite file: eight processes, and the threads of one.

    uv run pytest tests/benchmarks/bench_contention.py -s

A command is one reading (key and transaction) and two durable steps: the intent and the
outcome. By hand each step is three statements, with the same bytes from the same encoder,
and nothing else: no leases, no schedule, no agreement, no meaning of errors. For threads
it is group commit written by hand; processes have SQLite's own busy handler there.
Rounds take turns, so that a busy machine slows down both.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier, Lock, local
from time import perf_counter
from typing import NamedTuple

import pytest

from kessai import SQLiteStore, StoreWarning
from kessai.stores.encoding import encode_recorded, encode_transaction
from kessai.testing.store_kit.conformance import Book

ROUNDS = 9
COMMANDS = 160  # a round, and four times as many for several threads
PROCESSES = 8
SECONDS = 3.0
TURNS = 5  # of the processes, by hand and ours
RESULTS = []
_names = count()

SCHEMA = """
CREATE TABLE payment (
  id TEXT PRIMARY KEY, version INTEGER, open_since TEXT, state BLOB
) STRICT;
CREATE INDEX open_payment ON payment (open_since) WHERE open_since IS NOT NULL;
CREATE TABLE event (
  payment TEXT, number INTEGER, body BLOB, hash TEXT, PRIMARY KEY (payment, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE used (key TEXT PRIMARY KEY, outcome TEXT, detail BLOB)
  STRICT, WITHOUT ROWID;
"""
LOAD = "SELECT 0, detail FROM used WHERE key = ? UNION ALL SELECT 1, state FROM payment"
LOAD += " WHERE id = ?"
BEGIN = "INSERT INTO payment (version, open_since, state, id) VALUES (?, ?, ?, ?)"
BEGIN += " ON CONFLICT DO NOTHING"
END = "UPDATE payment SET version = ?, open_since = ?, state = ? WHERE id = ?"
END += " AND version = ? - 1"
EVENT = "INSERT INTO event VALUES (?, ?, ?, ?)"
OPEN = "INSERT INTO used (outcome, detail, key) VALUES (?, ?, ?)"
CLOSE = "UPDATE used SET outcome = ?, detail = ? WHERE key = ?"


class Plain:
    """By hand: each step commits by itself, and waits as SQLite does."""

    def __init__(self, path):
        self.path = path
        self._db = self._connect()

    def _connect(self):
        connection = sqlite3.connect(
            self.path, timeout=60, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def make(self):
        self._db.executescript(SCHEMA)

    def load(self, key, order, _):
        return self._db.execute(LOAD, (key, order)).fetchall()

    def append(self, change):
        self._db.execute("BEGIN IMMEDIATE")
        assert self._write(change)
        self._db.execute("COMMIT")

    def _write(self, change):
        execute = self._db.execute
        after, (record,) = change.transaction, change.records
        at = after.open_since and after.open_since.isoformat()
        values = (after.version, at, encode_transaction(after), after.id)
        if change.opens is not None:
            moved, statement, recorded = execute(BEGIN, values), OPEN, change.opens
        else:
            moved = execute(END, (*values, after.version))
            statement, recorded = CLOSE, change.closes[0]
        if moved.rowcount != 1:
            return False
        execute(EVENT, (after.id, record.number, record.body, record.hash))
        execute(statement, (recorded.outcome, encode_recorded(recorded), recorded.key))
        return True

    def close(self):
        self._db.close()


class Grouped(Plain):
    """By hand: one of the threads that wait writes for all; each reads by itself."""

    def __init__(self, path):
        super().__init__(path)
        self._waiting, self._lock, self._is_led = deque(), Lock(), False
        self._own = local()

    def load(self, key, order, _):
        if not hasattr(self._own, "db"):
            self._own.db = self._connect()
        return self._own.db.execute(LOAD, (key, order)).fetchall()

    def append(self, change):
        job = [change, Lock(), None]
        job[1].acquire()
        with self._lock:
            self._waiting.append(job)
            leads, self._is_led = not self._is_led, True
        if not leads:
            job[1].acquire()
        if job[2] is None:
            self._lead()
        assert job[2]

    def _lead(self):
        self._db.execute("BEGIN IMMEDIATE")
        with self._lock:
            jobs, self._waiting = self._waiting, deque()
        written = [self._write(job[0]) for job in jobs]
        self._db.execute("COMMIT")
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0][1].release()
        for job, is_written in zip(jobs, written, strict=True):
            job[2] = is_written
            job[1].release()


def work(name):
    """The two changes of a command on a transaction of its own."""
    book = Book(None, name)
    begun, operation = book.begun(key=f"{name}:a")
    book.transaction = begun.transaction
    return begun, book.ended(operation)


def carry_out(store, command):
    begun, ended = command
    store.load(begun.opens.key, begun.transaction.id, None)
    store.append(begun)
    store.append(ended)


@pytest.fixture(scope="module", autouse=True)
def _tell():
    yield
    print("\n\nSQLite under contention:")  # noqa: T201 - its purpose
    for line in RESULTS:
        print(f"  {line}")  # noqa: T201 - its purpose


# ── threads ─────────────────────────────────────────────────────────────────────────


def seconds(store, commands, threads):
    """How long it takes when each thread does its share."""
    together = Barrier(threads + 1)

    def run(number):
        together.wait()
        for command in commands[number::threads]:
            carry_out(store, command)

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(run, number) for number in range(threads)]
        together.wait()
        began = perf_counter()
        for one in running:
            one.result()
        return perf_counter() - began


@pytest.mark.parametrize("threads", [1, 8, 32])
def test_threads_of_one_process(tmp_path, threads):
    hand = (Plain if threads == 1 else Grouped)(tmp_path / "hand.db")
    hand.make()
    store = SQLiteStore(tmp_path / "ours.db")
    done = COMMANDS * min(threads, 4)
    found = []
    for _ in range(ROUNDS + 1):
        commands = [work(f"order-{next(_names)}") for _ in range(done)]
        pair = (seconds(one, commands, threads) for one in (store, hand))
        found.append(tuple(pair))
    hand.close()
    store.close()
    ratio = statistics.median(theirs / ours for ours, theirs in found[1:])
    ours, theirs = (
        done / statistics.median(one[at] for one in found[1:]) for at in range(2)
    )
    RESULTS.append(
        f"{threads:2} threads: {ours:,.0f} commands/s, by hand {theirs:,.0f}:"
        f" {ratio:.2f} of it"
    )


# ── processes ───────────────────────────────────────────────────────────────────────


def test_eight_processes_on_one_file(tmp_path):
    hand = Plain(tmp_path / "hand.db")
    hand.make()
    hand.close()
    SQLiteStore(tmp_path / "ours.db").close()
    measured = {"ours": [], "hand": []}
    for _ in range(TURNS):
        for which, rounds in measured.items():
            rounds.append(Told.of(run_together(which, tmp_path / f"{which}.db")))
    for which, rounds in measured.items():
        speed, evenness, longest = map(statistics.median, zip(*rounds, strict=True))
        RESULTS.append(
            f"{PROCESSES} processes, {which}: {speed:,.0f} commands/s; the slowest"
            f" {evenness:.2f} of the mean; longest command {longest:.3f} s"
        )
    pairs = zip(measured["ours"], measured["hand"], strict=True)
    ratio = statistics.median(ours.speed / hand.speed for ours, hand in pairs)
    RESULTS.append(f"{PROCESSES} processes: {ratio:.2f} of it by hand")
    assert min(one.evenness for one in measured["ours"]) >= 0.5


class Told(NamedTuple):
    """What the processes of one round did."""

    speed: float
    """Commands a second, of all together."""
    evenness: float
    longest: float

    @classmethod
    def of(cls, measured):
        done = [one["commands"] for one in measured]
        return cls(
            sum(done) / SECONDS,
            min(done) / statistics.mean(done),
            max(one["longest"] for one in measured),
        )


def run_together(which, path):
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, which, path, f"{next(_names)}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0]) for process in processes]


def one_process(which, path, name):
    warnings.simplefilter("ignore", StoreWarning)
    store = {"ours": SQLiteStore, "hand": Plain}[which](path)
    tell("ready")
    sys.stdin.readline()
    until = perf_counter() + SECONDS
    done = longest = 0
    while (begin := perf_counter()) < until:
        carry_out(store, work(f"order-{name}-{done}"))
        longest = max(longest, perf_counter() - begin)
        done += 1
    tell(json.dumps({"commands": done, "longest": longest}))


def tell(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    one_process(*sys.argv[1:])
