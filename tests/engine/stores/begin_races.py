"""Let many shops begin in their own transactions at the same moment, and see what is sent.

    python tests/engine/stores/begin_races.py --rounds 1000 --store shop.db --seed 1
    python tests/engine/stores/begin_races.py --rounds 1000 --store postgresql

In each round 30 threads want the same refund of 60, of 100, under one of three keys. Each
writes a row of its own and begins in the same transaction, at any isolation level; then
it commits, rolls back, or dies after the commit. Who lives carries out; a recoverer comes
after all. Only what was committed is sent, and once: a second refund would be too much.
Prints figures as JSON, after the round in hand once its minutes are over; exits 1 at
the first violation. `postgresql` is the tests' own server; a URL names another.
"""

import argparse
import json
import sqlite3
import sys
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, and shown
from threading import Barrier

from kessai import (
    Command,
    Engine,
    Evidence,
    ListedExchange,
    Outcome,
    PostgresStore,
    Reply,
    Request,
    Source,
    SQLiteStore,
    StoreWarning,
)
from kessai.audit.verification.verify import verify
from kessai.driver import utc_now
from kessai.errors import KessaiError, MustRollBack, NotCommitted, StoreBusy

OPTIMISTIC = 3
"""How often a shop tries as it began; then it waits for the others, as shops do."""

FATES = ("carries out", "carries out", "rolls back", "dies")


class Violation(Exception):
    """Something was sent twice, or not at all, or for what was never committed."""


class PlainAdapter:
    """Says in JSON what is asked."""

    name = "plain"
    account = "plain/test"

    def request(self, call):
        body = json.dumps([call.command, call.transaction, call.amount, call.operation])
        return Request(method="POST", url="plain:", body=body.encode())

    def evidence(self, call, reply):
        is_inquiry = call.command == "inquiry"
        listing = [
            ListedExchange(command=command, outcome=Outcome.SUCCEEDED, amount=amount)
            for command, amount in json.loads(reply.body)
        ]
        return Evidence(
            source=Source.INQUIRY if is_inquiry else Source.REPLY,
            transaction=call.transaction,
            command=None if is_inquiry else call.command,
            outcome=Outcome.SUCCEEDED,
            listing=tuple(listing) if is_inquiry else (),
        )


class PlainGateway:
    """Does all that it is asked, and lists it."""

    def __init__(self):
        self.done = {}

    def send(self, request):
        command, transaction, amount, _ = json.loads(request.body)
        done = self.done.setdefault(transaction, [])
        if command != "inquiry":
            done.append((command, amount))
        return Reply(status=200, body=json.dumps(done).encode())

    def close(self):
        pass


class InFile:
    """A shop's SQLite file."""

    levels = ("BEGIN", "BEGIN IMMEDIATE")
    patient = "BEGIN IMMEDIATE"
    aborted = (sqlite3.OperationalError,)

    def __init__(self, path):
        self._path = path
        self.store = SQLiteStore(path, shared=True)

    def connect(self, level="BEGIN"):
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.execute(level)
        return connection


class OnServer:
    """A shop's PostgreSQL database, at `url`."""

    levels = (None, 2, 3, 4)
    patient = None

    def __init__(self, url):
        import psycopg

        self._psycopg = psycopg
        self.aborted = (
            psycopg.errors.SerializationFailure,
            psycopg.errors.DeadlockDetected,
        )
        self._url = url
        self.store = PostgresStore(url)

    def connect(self, level=None):
        connection = self._psycopg.connect(self._url)
        if level is not None:
            connection.isolation_level = self._psycopg.IsolationLevel(level)
        return connection


class Contest:
    """The rounds on one database, and what came of them."""

    def __init__(self, database, seed):
        self.database = database
        self.random = Random(seed)  # noqa: S311 - of a test
        self.late = timedelta(0)
        self.gateway = PlainGateway()
        self.engine = Engine(
            adapters=[PlainAdapter()],
            store=database.store,
            transport=self.gateway,
            clock=lambda: utc_now() + self.late,
        )
        self.figures = Counter()
        with closing(database.connect()) as connection:
            connection.execute("CREATE TABLE orders (id text PRIMARY KEY)")
            connection.commit()

    def round(self, number, racers):
        """One refund that many want."""
        order = f"order-{number}"
        for command in ("authorize", "capture"):
            lifecycle = "one_time" if command == "authorize" else None
            key = f"{order} {command}"
            asked = Command(command, order, lifecycle=lifecycle, amount=100, key=key)
            self.engine.execute(asked)
        barrier = Barrier(racers)
        plans = [
            (
                order,
                racer,
                self.random.choice(FATES),
                self.random.choice(self.database.levels),
                barrier,
            )
            for racer in range(racers)
        ]
        with ThreadPoolExecutor(racers) as pool:
            committed = [name for name in pool.map(self._race, plans) if name]
        self.late += timedelta(minutes=3)
        self.engine.recover()
        self._judge(order, committed)

    def _race(self, plan):
        order, racer, fate, level, barrier = plan
        key = f"{order} refund {racer % 3}"
        asked = Command("refund", order, amount=60, key=key)
        row = f"{order} {racer}"
        barrier.wait()
        prepared, tries = None, 0
        while prepared is None:
            level = level if tries < OPTIMISTIC else self.database.patient
            prepared = self._sell(asked, row, level, is_kept=fate != "rolls back")
            tries += 1
        self.figures["most tries"] = max(self.figures["most tries"], tries)
        self.figures[fate] += 1
        if fate == "dies":
            return row
        try:
            self.engine.carry_out(prepared)
        except NotCommitted:
            self.figures["not committed"] += 1
        return None if fate == "rolls back" else row

    def _sell(self, asked, row, level, *, is_kept):
        """What was prepared, or None if the transaction must be begun anew."""
        try:
            with closing(self.database.connect(level)) as connection:
                connection.execute(f"INSERT INTO orders VALUES ('{row}')")  # noqa: S608 - ours
                prepared = self.engine.begin(asked, connection=connection)
                if is_kept:
                    connection.commit()
                else:
                    connection.rollback()
                return prepared
        except (MustRollBack, StoreBusy, *self.database.aborted) as error:
            self.figures[type(error).__name__] += 1
            return None

    def _judge(self, order, committed):
        transaction = self.engine.transaction(order)
        sent = self.gateway.done[order].count(("refund", 60))
        refunded = transaction.amounts["refunded"]
        if transaction.operations or refunded != 60 * sent or sent > 1:
            message = f"{order}: {sent} refunds were sent, {transaction}"
            raise Violation(message)
        if committed and not sent:
            message = f"{order}: {len(committed)} committed, and nothing was sent"
            raise Violation(message)
        with closing(self.database.connect()) as connection:
            rows = connection.execute(
                f"SELECT id FROM orders WHERE id LIKE '{order} %'"  # noqa: S608 - ours
            ).fetchall()
        if {name for (name,) in rows} != {*committed}:
            message = f"{order}: {rows} are there, {committed} were committed"
            raise Violation(message)
        self.figures["sent"] += sent


@contextmanager
def opened(store):
    """The database that `store` names."""
    if store != "postgresql":
        yield OnServer(store) if "://" in store else InFile(store)
        return
    sys.path.insert(0, str(Path(__file__).with_name("postgres")))
    from pg.server import running

    with running() as server, server.schema() as url:
        yield OnServer(url)


def run(store, rounds, racers, seed, minutes=60):
    """The figures of so many rounds, or of as many as end in so many minutes.

    Raises:
        Violation: see there.

    """
    with opened(store) as database:
        return _run(Contest(database, seed), rounds, racers, minutes)


def _run(contest, rounds, racers, minutes):
    database, began = contest.database, time.monotonic()
    for number in range(rounds):
        contest.round(number, racers)
        contest.figures["rounds"] += 1
        if time.monotonic() - began > 60 * minutes:
            break
    contest.figures["seconds"] = round(time.monotonic() - began)
    if not verify(database.store).holds:
        message = "the audit finds a fault"
        raise Violation(message)
    database.store.close()
    return dict(contest.figures)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--racers", type=int, default=30)
    parser.add_argument(
        "--store", required=True, help="a new file, postgresql, or a URL"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    try:
        figures = run(**vars(options))
    except (Violation, KessaiError) as error:
        figures = {"violation": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return 1 if "violation" in figures else 0


if __name__ == "__main__":
    sys.exit(main())
