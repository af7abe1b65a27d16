"""A file of an earlier version is brought up to date whole, with all that was in it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import attrs
from sqlite_utils import Database

from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Discrepancy
from kessai.stores import schema
from kessai.stores.encoding import encode_transaction
from kessai.testing.stores import NOON, Book

SECOND = "2: leases and schedule of recovery, discrepancies"


def first_version(path, transactions):
    """A file as version 1 wrote it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema._migrations().apply(Database(connection), stop_before=SECOND)
        connection.execute(f"PRAGMA application_id = {schema.OWNER}")
        connection.execute("PRAGMA user_version = 1")
        for transaction in transactions:
            connection.execute(
                "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)",
                (
                    transaction.id,
                    transaction.lifecycle,
                    transaction.status,
                    transaction.version,
                    transaction.open_since and transaction.open_since.isoformat(),
                    encode_transaction(transaction),
                ),
            )


class Nowhere:
    """A store for books whose changes are only looked at."""

    def append(self, change):
        pass


def transactions():
    """One that is open, one that has ended, one with a discrepancy."""
    books = [Book(Nowhere(), name) for name in ("open", "ended", "discrepant")]
    operations = [book.begin(key=book.transaction.id) for book in books]
    for book, operation in list(zip(books, operations, strict=True))[1:]:
        book.end(operation)
    told = Evidence(
        source=Source.PUSH,
        transaction="discrepant",
        command="capture",
        outcome=Outcome.SUCCEEDED,
    )
    discrepant = books[-1]
    discrepant.write(discrepant.change([Discrepancy(NOON, "amount_missing", told)]))
    return [book.transaction for book in books]


def test_what_was_open_is_due_and_what_was_discrepant_is_listed(sqlite, tmp_path):
    path = tmp_path / "old.db"
    first_version(path, transactions())
    store = sqlite(path)
    assert sorted(store.transactions(), key=lambda t: t.id) == sorted(
        transactions(), key=lambda t: t.id
    )
    assert store.unsettled(NOON - timedelta(days=1), 9) == ["discrepant"]
    lease = store.claim(NOON, NOON + timedelta(hours=1))
    assert (lease.transaction, lease.number, lease.attempts) == ("open", 1, 0)
    assert store.claim(NOON, NOON + timedelta(hours=1)) is None


def test_a_file_that_was_brought_up_to_date_takes_new_changes(sqlite, tmp_path):
    path = tmp_path / "old.db"
    first_version(path, transactions())
    store = sqlite(path)
    book = Book(store, "open")
    book.transaction = store.load(None, "open", None).transaction
    (operation,) = book.transaction.operations.values()
    change = book.ended(operation)
    store.append(attrs.evolve(change, closes=()))
    assert store.open_transactions(9) == []
    assert store.claim(NOON + timedelta(days=1), NOON + timedelta(days=2)) is None
