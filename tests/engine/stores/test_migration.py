"""A file of an earlier version is brought up to date whole, or is left as it was."""

import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from kessai.errors import StoreFailed
from kessai.stores import schema, sqlite_file
from kessai.testing.store_kit.conformance import Book

ADDS = "ALTER TABLE kessai_states ADD COLUMN seen INTEGER NOT NULL DEFAULT 7"
FAILS = f"{ADDS}; DROP TABLE nowhere"


@pytest.fixture
def old(sqlite, tmp_path):
    """A file of today's version with a transaction, as a later kessai finds it."""
    store = sqlite(tmp_path / "old.db")
    Book(store).begin()
    store.close()
    return store.path


@pytest.fixture
def later(monkeypatch):
    """Make this a later kessai, which knows one more migration."""

    def know(script):
        migrations = (*schema.MIGRATIONS, script)
        for module in (schema, sqlite_file):
            monkeypatch.setattr(module, "MIGRATIONS", migrations)

    return know


def look(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_file_of_an_earlier_version_is_brought_up_to_date(sqlite, old, later):
    later(ADDS)
    store = sqlite(old)
    made = look(old, "SELECT name FROM kessai_schema")
    assert made == [("version 1",), ("version 2",), ("version 3",)]
    assert look(old, "SELECT id, seen FROM kessai_states") == [("order-1", 7)]
    assert store.load(None, "order-1", None).transaction.version == 1
    Book(store, "order-2").begin()


def test_a_new_file_has_what_one_that_was_brought_up_to_date_has(
    sqlite, old, later, tmp_path
):
    later(ADDS)
    new = sqlite(tmp_path / "new.db").path
    sqlite(old)
    schemas = [Database(path).schema for path in (old, new)]
    assert schemas[0] == schemas[1]
    assert "seen" in schemas[0]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    sqlite, old, later, monkeypatch
):
    before = "\n".join(Database(old).conn.iterdump())
    later(FAILS)
    with pytest.raises(StoreFailed, match="nowhere"):
        sqlite(old)
    assert "\n".join(Database(old).conn.iterdump()) == before
    monkeypatch.undo()
    Book(sqlite(old), "order-2").begin()
