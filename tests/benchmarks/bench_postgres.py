"""The PostgreSQL store against the best form of the same work written by hand.

    uv run pytest tests/benchmarks/bench_postgres.py -s

A command is one reading (key and transaction) and two durable steps: the intent and the
outcome. By hand each step is one statement of psycopg on a connection that the thread
keeps, with the same bytes from the same encoder, and nothing else: no leases, no
schedule, no agreement, no pool, no meaning of errors. Rounds take turns, so that a busy
machine slows down both.
"""

import statistics
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from time import perf_counter, process_time

import psycopg
import pytest

from kessai import PostgresStore
from kessai.stores.encoding import encode_recorded, encode_transaction
from kessai.testing.store_kit.conformance import Book

ROUNDS = 7
COMMANDS = 320  # a round, and four times as many for several threads
RESULTS = []
_names = count()

SCHEMA = """
CREATE TABLE payment (
  id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, open_since timestamptz,
  state bytea NOT NULL
);
CREATE INDEX open_payment ON payment (open_since) WHERE open_since IS NOT NULL;
CREATE TABLE event (
  payment text COLLATE "C", number bigint, body bytea NOT NULL, hash text NOT NULL,
  PRIMARY KEY (payment, number)
);
CREATE TABLE used (
  key text COLLATE "C" PRIMARY KEY, outcome text NOT NULL, detail bytea NOT NULL
);
"""
# ruff: noqa: S608 - texts of this module

LOAD = """
SELECT 0, detail FROM used WHERE key = %(key)s
UNION ALL SELECT 1, state FROM payment WHERE id = %(id)s
"""
EVENT = """
, written AS (INSERT INTO event SELECT id, %(version)s::bigint, %(body)b::bytea,
  %(hash)s::text FROM moved)
"""
BEGIN = f"""
WITH moved AS (INSERT INTO payment (id, version, open_since, state)
  VALUES (%(id)s, %(version)s, %(open_since)s, %(state)b)
  ON CONFLICT (id) DO NOTHING RETURNING id)
{EVENT}, opened AS (INSERT INTO used SELECT %(key)s::text, %(outcome)s::text,
  %(detail)b::bytea FROM moved)
SELECT 1 FROM moved
"""
END = f"""
WITH moved AS (UPDATE payment SET version = %(version)s, open_since = %(open_since)s,
  state = %(state)b WHERE id = %(id)s AND version = %(version)s - 1 RETURNING id)
{EVENT}, closed AS (UPDATE used SET outcome = %(outcome)s, detail = %(detail)b
  FROM moved WHERE key = %(key)s)
SELECT 1 FROM moved
"""


@pytest.fixture(scope="module", autouse=True)
def _tell():
    yield
    print("\n\nPostgreSQL, commands a second, median of the rounds:")  # noqa: T201 - its purpose
    for line in RESULTS:
        print(f"  {line}")  # noqa: T201 - its purpose


def work():
    """The two changes of a command on a transaction of its own."""
    book = Book(None, f"order-{next(_names)}")
    begun, operation = book.begun(key=f"{book.transaction.id}:a")
    book.transaction = begun.transaction
    return begun, book.ended(operation)


def by_hand(change, recorded):
    """The same change as the values of a statement."""
    (record,) = change.records
    return {
        "id": change.transaction.id,
        "version": change.transaction.version,
        "open_since": change.transaction.open_since,
        "state": encode_transaction(change.transaction),
        "body": record.body,
        "hash": record.hash,
        "key": recorded.key,
        "outcome": recorded.outcome,
        "detail": encode_recorded(recorded),
    }


def ours(store, commands):
    for begun, ended in commands:
        store.load(begun.opens.key, begun.transaction.id, None)
        store.append(begun)
        store.append(ended)


def theirs(connection, commands):
    for begun, ended in commands:
        asked = {"key": begun.opens.key, "id": begun.transaction.id}
        connection.execute(LOAD, asked, binary=True).fetchall()
        for statement, change, recorded in (
            (BEGIN, begun, begun.opens),
            (END, ended, ended.closes[0]),
        ):
            values = by_hand(change, recorded)
            found = connection.execute(statement, values, binary=True).fetchall()
            assert found == [(1,)]


def seconds(do, hands, commands):
    """How long it takes when each of `hands` does its share in a thread of its own.

    Besides, how much of it this process computed.
    """
    size = len(commands) // len(hands)
    shares = [commands[at * size : (at + 1) * size] for at in range(len(hands))]
    together = Barrier(len(hands) + 1)

    def run(hand, share):
        together.wait()
        do(hand, share)

    with ThreadPoolExecutor(len(hands)) as pool:
        running = [pool.submit(run, *one) for one in zip(hands, shares, strict=True)]
        together.wait()
        began, before = perf_counter(), process_time()
        for one in running:
            one.result()
        return perf_counter() - began, process_time() - before


@pytest.mark.parametrize("threads", [1, 8, 32])
def test_commands_on_postgresql(server, threads):
    with server.schema() as our_url, server.schema() as their_url:
        store = PostgresStore(our_url, connections=threads)
        hands = [psycopg.connect(their_url, autocommit=True) for _ in range(threads)]
        hands[0].execute(SCHEMA)
        try:
            found = [one_round(store, hands) for _ in range(ROUNDS + 1)][1:]
        finally:
            store.close()
            for hand in hands:
                hand.close()
    done = COMMANDS * min(threads, 4)
    ratio, computed = (
        statistics.median(theirs[at] / ours[at] for ours, theirs in found)
        for at in range(2)
    )
    ours_a_second, theirs_a_second = (
        done / statistics.median(one[at][0] for one in found) for at in range(2)
    )
    RESULTS.append(
        f"{threads:2} threads: {ours_a_second:,.0f}, by hand {theirs_a_second:,.0f}:"
        f" {ratio:.2f} of it; by the CPU time of the process {computed:.2f}"
    )


def one_round(store, hands):
    """Our time and theirs; the first round connects, prepares and is not counted."""
    commands = [work() for _ in range(COMMANDS * min(len(hands), 4))]
    return (
        seconds(ours, [store] * len(hands), commands),
        seconds(theirs, hands, commands),
    )
