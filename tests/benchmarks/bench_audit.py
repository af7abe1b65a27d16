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
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest

from kessai import SQLiteStore
from kessai.audit import verify
from kessai.audit.reporting.gather import gather
from kessai.cli.main import run_command

sys.path.append(str(Path(__file__).parents[1] / "engine/audit_report"))

ORDERS = Path(__file__).parents[1] / "data" / "orders-1000.jsonl"
ROUNDS = 9
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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
            "SELECT body, hash FROM kessai_events ORDER BY transaction_id, number"
        ):
            json.loads(body)
            assert hashlib.sha256(body).hexdigest() == digest


def seconds(work):
    begin = process_time()
    work()
    return process_time() - begin


def measured(benchmark, store, path):
    report = verify(store)
    assert report.holds
    pairs = [
        (seconds(lambda: verify(store)), seconds(lambda: by_hand(path)))
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
    benchmark.pedantic(lambda: verify(store), rounds=3)


def test_verify_with_every_step_decided_again(benchmark, database):
    with closing(SQLiteStore(database)) as store:
        measured(benchmark, store, database)


def test_verify_one_long_trail(benchmark, tmp_path):
    """Its events are gone by in pages: memory does not grow with it."""
    from big_store import make_long, peak

    paths = {count: tmp_path / f"{count}.db" for count in (1_000, 20_000)}
    for count, path in paths.items():
        make_long(path, count)
    few, many = (peak(verify, path)[1] for path in paths.values())
    benchmark.extra_info["memory"] = round(many / few, 2)
    print(  # noqa: T201 - its purpose
        f"\n{benchmark.name}: {many / 1e6:.1f} MB at most with 20,000 events,"
        f" {few / 1e6:.1f} MB with 1,000"
    )
    with closing(SQLiteStore(paths[20_000])) as store:
        measured(benchmark, store, paths[20_000])


def test_a_report_against_verifying(benchmark, database):
    """Both go the same ways; a report counts what it meets, besides."""
    with closing(SQLiteStore(database)) as store:
        gather(store, "orders", NOW)
        pairs = [
            (
                seconds(lambda: gather(store, "orders", NOW)),
                seconds(lambda: verify(store)),
            )
            for _ in range(ROUNDS)
        ]
        ratio = statistics.median(report / verified for report, verified in pairs)
        benchmark.extra_info["ratio"] = round(ratio, 2)
        print(f"\n{benchmark.name}: {ratio:.2f} times verifying")  # noqa: T201 - its purpose
        benchmark.pedantic(lambda: gather(store, "orders", NOW), rounds=3)
    assert ratio <= 2
