"""How fast the audit is: events a second of CPU time, and against the least by hand.

    uv run pytest tests/benchmarks/bench_audit.py

The same thousand orders as everywhere, in an SQLite file; or KESSAI_BENCH_DB names a
file that is there. On a small one, finding out each way of the rules for the first time
weighs more than all the rest. By hand means: every row read,
its JSON decoded by the standard library, its hash computed, and nothing decided. Both
are timed in turn, in CPU time, so that a machine that slows down slows both.
"""

import hashlib
import json
import os
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path
from time import process_time

import pytest

from kessai import SQLiteStore
from kessai.audit import verify
from kessai.cli.main import run_command

ORDERS = Path(__file__).parents[1] / "data" / "orders-1000.jsonl"
ROUNDS = 9


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("audit") / "orders.db"
    if "KESSAI_BENCH_DB" in os.environ:
        return Path(os.environ["KESSAI_BENCH_DB"])
    run_command(["run", str(ORDERS), "--db", str(path), "--json"])
    return path


def by_hand(path):
    """Read, decode and hash every event."""
    with closing(sqlite3.connect(path)) as connection:
        for body, digest in connection.execute(
            "SELECT body, hash FROM events ORDER BY transaction_id, number"
        ):
            json.loads(body)
            assert hashlib.sha256(body).hexdigest() == digest


def seconds(work):
    begin = process_time()
    work()
    return process_time() - begin


def measured(benchmark, store, path, **how):
    report = verify(store)
    assert report.holds
    pairs = [
        (seconds(lambda: verify(store, **how)), seconds(lambda: by_hand(path)))
        for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    benchmark.extra_info["events_a_second"] = round(report.events / ours)
    benchmark.extra_info["ratio"] = round(ours / theirs, 2)
    print(  # noqa: T201 - its purpose
        f"\n{benchmark.name}: {report.events / ours:,.0f} events/s of CPU time,"
        f" {ours / theirs:.2f} times decoding and hashing by hand"
        f" ({report.events:,} events)"
    )
    benchmark.pedantic(lambda: verify(store, **how), rounds=3)


def test_verify_with_every_step_decided_again(benchmark, database):
    with closing(SQLiteStore(database)) as store:
        measured(benchmark, store, database)


def test_verify_step_by_step_for_other_audits(benchmark, database):
    with closing(SQLiteStore(database)) as store:
        measured(benchmark, store, database, visit=lambda _examined: None)
