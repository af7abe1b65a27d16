"""How the cost of a search on SQLite grows with the store: exponents, in CPU time.

    uv run python tests/benchmarks/growth.py            # up to 100,000 transactions
    uv run python tests/benchmarks/growth.py 1_000_000  # takes some minutes

Printed are microseconds of one search in each size of store, and the exponent of the
growth from the smallest to the largest: 0 is flat, 1 grows as the store does.
"""

import argparse
import math
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import attrs

from kessai import AmountBounds, Search, SQLiteStore, Transaction
from kessai.machine.transaction import OpenDiscrepancy, Operation
from kessai.stores import sqlite_rows
from kessai.stores.encoding import encode_transaction

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STATES = ("captured",) * 6 + ("refunded",) * 2 + ("cancelled", "expired")
ACCOUNTS = ("veritrans4g/0123456789ab/live", "examplepay/shop/live")
FEW = 20
"""So many of each store are open, so many discrepant and so many failed."""
ENOUGH_SECONDS = 0.2


def main() -> None:
    """Fill stores of growing sizes, and search each for the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("most", type=int, nargs="?", default=100_000)
    most = parser.parse_args().most
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most]
    taken: dict[str, list[float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "store.db"
            SQLiteStore(place).close()
            with closing(sqlite3.connect(place)) as connection, connection:
                _fill(connection, size)
            with closing(SQLiteStore(place)) as store:
                for name, asked in _searches(size).items():
                    taken.setdefault(name, []).append(_seconds(store, asked))
    spread = math.log(sizes[-1] / sizes[0])
    for name, times in taken.items():
        shown = " ".join(f"{t * 1e6:9,.0f}" for t in times)
        exponent = math.log(times[-1] / times[0]) / spread if spread else 0.0
        print(f"{name:34} {shown} µs  {exponent:5.2f}")  # noqa: T201 - its purpose


def _searches(size: int) -> dict[str, Search]:
    """What is looked for; the periods lie in the middle and have as many in any store."""
    middle = BEGINNING + size // 2 * MINUTE
    since, until = middle, middle + DAY
    deep = Search()._cursor(_transaction(size // 2))
    return {
        "changed last": Search(),
        "captured": Search(states=["captured"]),
        "captured on a day": Search(states=["captured"], since=since, until=until),
        "of an account and a lifecycle": Search(
            account=ACCOUNTS[1], lifecycle="one_time"
        ),
        "failed, which is rare": Search(states=["failed"]),
        "half way through": Search(after=deep),
        "opened last": Search(by="opened"),
        "opened on a day": Search(by="opened", since=since, until=until),
        "opened on a day, refunded": Search(
            by="opened", since=since, until=until, states=["refunded"]
        ),
        "open": Search(is_open=True),
        "discrepant": Search(is_discrepant=True),
        "by reference": Search(reference=f"g_{size // 2}"),
        "by reference and its kind": Search(
            reference=f"g_{size // 2}", reference_kind="order"
        ),
        "by prefix": Search(prefix=f"order-{size // 2:08}"),
        "an amount, on a day": Search(
            amount=AmountBounds("captured", "JPY", 1, 1), since=since, until=until
        ),
        "an amount, opened at any time": Search(
            amount=AmountBounds("captured", "JPY", 1, 1), by="opened"
        ),
    }


def _seconds(store: SQLiteStore, asked: Search) -> float:
    """The CPU time of one search, of as many as take long enough to be measured."""
    store.search(asked)
    begin, count = process_time(), 0
    while process_time() - begin < ENOUGH_SECONDS:
        store.search(asked)
        count += 1
    return (process_time() - begin) / count


def _transaction(number: int, size: int = 0) -> Transaction:
    """One a minute; the same few of each store are open, discrepant and failed."""
    at = BEGINNING + number * MINUTE
    state = STATES[number * 7919 % len(STATES)]
    rare = number % (size // FEW) if size else 1
    captured = 1_000 + number % 977
    found = Transaction(
        f"order-{number:08}",
        lifecycle="charge" if number % 5 == 0 else "one_time",
        lifecycle_hash="0" * 64,
        currency="JPY",
        states={"payment": "failed" if rare == 2 else state},
        amounts={"authorized": 2_000, "captured": captured, "refunded": 0},
        version=4,
        head="0" * 64,
        references={"order": f"g_{number}"},
        account=ACCOUNTS[number % 2],
        opened_at=at,
        changed_at=at + MINUTE / 2,
    )
    if rare == 0:
        operation = Operation(f"{found.id}.5", "refund", "k", "", 1, {}, at)
        found = attrs.evolve(found, operations={operation.id: operation})
    elif rare == 1 and size:
        found = attrs.evolve(found, discrepancies={3: _DISCREPANCY})
    return found


_DISCREPANCY: Any = OpenDiscrepancy("x", "inquiry", "refund", "succeeded", 1, None)  # type: ignore[arg-type]


def _fill(connection: sqlite3.Connection, size: int) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.executemany(sqlite_rows._INSERT, _rows(size))
    connection.executemany(
        "INSERT INTO kessai_gateway_ids VALUES (?, 'order', ?, ?)",
        (
            (ACCOUNTS[number % 2], f"g_{number}", f"order-{number:08}")
            for number in range(size)
        ),
    )


def _rows(size: int) -> Iterator[tuple[Any, ...]]:
    for number in range(size):
        found = _transaction(number, size)
        due_at = sqlite_rows.moment(found.due_at)
        state = encode_transaction(found)
        yield (*sqlite_rows._columns(found), due_at, state, found.id)


if __name__ == "__main__":
    main()
