"""Several processes on one file: one truth, and nothing acknowledged is ever lost."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from inside import session

from kessai.machine import read_record
from kessai.testing.store_kit.conformance import Book

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def start():
    """A starter of writing processes, all of which are gone at the end."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, str(WRITER), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_of_two_processes_that_race_for_each_order_id_exactly_one_wins(
    sqlite, tmp_path, start
):
    """Medusa #16012: check, then act, under READ COMMITTED."""
    path, count = tmp_path / "store.db", 40
    # The file is new: who comes second to make it finds it made.
    processes = [start("race", path, count) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [process.communicate(timeout=300)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    names = sorted(f"order-{number}" for number in range(count))
    assert sorted(won[0] + won[1]) == names
    store = sqlite(path)
    assert [found.id for found in store.transactions()] == names
    assert [len(trail) for _, trail in store.trails()] == [1] * count


def test_many_that_open_a_new_file_at_once_all_find_it_made(sqlite, tmp_path):
    """SQLite tells one of two that make WAL at once that the file is busy, at once."""
    for number in range(80):
        together = Barrier(6)

        def open_it(path=tmp_path / f"{number}.db", together=together):
            together.wait()
            return sqlite(path)

        with ThreadPoolExecutor(6) as pool:
            opened = [pool.submit(open_it) for _ in range(6)]
        stores = [one.result() for one in opened]
        Book(stores[0], "order-1").begin()
        assert stores[-1].load(None, "order-1", None).transaction.version == 1


@pytest.mark.parametrize("after", [1, 7, 40])
def test_all_that_a_killed_process_acknowledged_is_there(
    sqlite, tmp_path, start, after
):
    path = tmp_path / "store.db"
    process = start("trail", path, "order-1")
    for _ in range(after):
        acknowledged = int(process.stdout.readline())
    process.kill()
    printed = process.stdout.read().split()  # also what was read ahead of `readline`
    process.wait()
    acknowledged = max([acknowledged, *map(int, printed)])
    store = sqlite(path)
    records = store.records("order-1")
    # One more may have been written and not been told any more.
    assert len(records) in {acknowledged, acknowledged + 1}
    head = ""
    for record in records:
        read_record(record, head)
        head = record.hash
    transaction = store.load(None, "order-1", None).transaction
    assert (transaction.version, transaction.head) == (len(records), head)
    assert session(store).connection.execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_a_killed_process_leaves_no_lock_behind(sqlite, tmp_path, start):
    path = tmp_path / "store.db"
    store = sqlite(path)
    process = start("trail", path, "order-1")
    process.stdout.readline()
    process.kill()
    process.communicate()
    Book(store, "order-2").begin()
    assert store.load(None, "order-2", None).transaction.version == 1


def test_writers_in_two_processes_both_go_on(sqlite, tmp_path, start):
    path = tmp_path / "store.db"
    processes = [start("trail", path, f"order-{number}") for number in range(2)]
    for process in processes:
        for _ in range(20):
            process.stdout.readline()
    for process in processes:
        process.kill()
        process.communicate()
    found = Counter(name for name, part in sqlite(path).trails() for _ in part)
    assert all(count >= 20 for count in found.values())
