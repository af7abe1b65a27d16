"""A store of any size, and how long a report of it takes, in CPU time.

    python tests/engine/audit_report/big_store.py --count 20000

The trails are those that the machine makes of sales, refunds and attempts too late; no
gateway is asked, so that making them takes seconds.
"""

import argparse
import sqlite3
import tempfile
import tracemalloc
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import attrs
from msgspec.structs import replace

from kessai import Command, SQLiteStore
from kessai.audit.coverage.totals import from_store
from kessai.audit.reporting import gather, render
from kessai.flow import Change, Recorded
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Denied,
    Operation,
    Reported,
    Transaction,
    append,
    compile_lifecycle,
    decide,
)
from kessai.shell import shipped_lifecycles
from kessai.spec import load_shipped
from kessai.stores.sqlite_rows import write_change

MACHINE = compile_lifecycle(load_shipped("one_time"))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@attrs.define
class Trail:
    """One transaction as it grows, written straight into the file."""

    connection: sqlite3.Connection
    standing: Transaction
    now: datetime
    asked: int = 0

    def do(self, name, **what):
        self.asked += 1
        key = f"{self.standing.id}-{self.asked}"
        command = Command(name, self.standing.id, key=key, **what)
        verdict = decide(MACHINE, self.standing, command, self.now)
        if not isinstance(verdict, Operation):
            request, reasons = command.fingerprint, verdict.reasons
            event = Denied(self.now, name, key, request, reasons, command.amount)
            self._write(event, opens=self._recorded(command, "denied", reasons=reasons))
            return
        opens = ("payment",) if name == "authorize" else ()
        begun = self._recorded(command, "begun", operation=verdict.id)
        self._write(Begun(self.now, verdict, opens=opens), opens=begun)
        self.now += timedelta(seconds=7)
        evidence = Evidence(
            source=Source.REPLY,
            transaction=self.standing.id,
            command=name,
            outcome=Outcome.SUCCEEDED,
        )
        ended = replace(begun, outcome="succeeded", evidence=evidence)
        event = Reported(self.now, verdict.id, Outcome.SUCCEEDED, evidence)
        self._write(event, closes=(ended,))

    def _recorded(self, command, outcome, **more):
        return Recorded(
            key=command.key,
            request=command.fingerprint,
            command=command.name,
            transaction=command.transaction,
            outcome=outcome,
            **more,
        )

    def _write(self, event, **more):
        before = self.standing.version
        self.standing, record = append(MACHINE, self.standing, event)
        change = Change(
            transaction=self.standing,
            records=(record,),
            declaration=None if before else MACHINE.lifecycle,
            **more,
        )
        write_change(self.connection, change, ())


@contextmanager
def filling(path):
    """A connection to a new store at `path`, while it is filled."""
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


def make_long(path, count):
    """Fill a new store at `path` with one transaction of `count` events."""
    with filling(path) as connection:
        trail = Trail(connection, Transaction("T-long"), BEGIN)
        trail.do("authorize", lifecycle="one_time", amount=1_000_000)
        trail.now += timedelta(hours=1)
        trail.do("capture", amount=900_000)
        while trail.standing.version < count - 2:
            trail.do("refund", amount=3)
            if trail.asked % 7 == 0:
                trail.do("capture")
        while trail.standing.version < count:
            trail.do("capture")


def make(path, count):
    """Fill a new store at `path` with `count` transactions; how many events."""
    events = 0
    with filling(path) as connection:
        for number in range(count):
            blank = Transaction(f"T-{number:08d}")
            trail = Trail(connection, blank, BEGIN + timedelta(minutes=number))
            trail.do("authorize", lifecycle="one_time", amount=1000)
            trail.now += timedelta(hours=1 + number % 50)
            trail.do("capture", amount=900)
            if number % 5 == 0:
                trail.do("capture")
            if number % 4 == 0:
                trail.do("refund", amount=100)
            events += trail.standing.version
    return events


def report(path):
    """The facts of the store at `path`, and the most memory that gathering them took."""
    return peak(gathered, path)


def gathered(store):
    """The facts that a report shows of `store`."""
    return gather(store, "big", BEGIN, known=shipped_lifecycles())


def peak(audit, path):
    """What `audit` makes of the store at `path`, and the most memory that took."""
    store = SQLiteStore(path)
    tracemalloc.start()
    try:
        return audit(store), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        store.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.db"
        events = make(path, count)
        store = SQLiteStore(path)
        started = process_time()
        facts = gather(store, "big", BEGIN, known=shipped_lifecycles())
        gathered = process_time()
        page = render(facts, "html")
        rendered = process_time()
        from_store(store)
        covered = process_time()
        store.close()
        peak = report(path)[1]
    each = events / (gathered - started)
    print(f"{count:,} transactions, {events:,} events")  # noqa: T201
    print(f"report    {gathered - started:6.2f} s CPU, {each:,.0f} events/s")  # noqa: T201
    print(f"page      {rendered - gathered:6.2f} s CPU, {len(page):,} characters")  # noqa: T201
    print(f"coverage  {covered - rendered:6.2f} s CPU")  # noqa: T201
    print(f"memory    {peak / 1e6:6.2f} MB at most, traced")  # noqa: T201


if __name__ == "__main__":
    main()
