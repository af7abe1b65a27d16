"""One SQLite file for a shop's tables and kessai's: each leaves the other's alone."""

import sqlite3
from contextlib import closing

import pytest

from kessai.errors import StoreUnsuitable
from kessai.testing.store_kit.conformance import Book


@pytest.fixture
def shop(tmp_path):
    """A file of a shop, as Django leaves one, with numbers of its own."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE transactions (id, what)")
        connection.execute("CREATE TABLE log (what)")
        connection.execute("INSERT INTO transactions VALUES (1, 'theirs')")
        connection.execute(
            "CREATE TRIGGER logs AFTER INSERT ON transactions"
            " BEGIN INSERT INTO log VALUES (new.what); END"
        )
        connection.execute("PRAGMA user_version = 7")
        connection.execute("PRAGMA application_id = 8")
    return path


def look(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_shops_file_is_taken_only_where_that_is_asked_for(sqlite, shop):
    with pytest.raises(StoreUnsuitable, match="shared=True"):
        sqlite(shop)
    assert look(shop, "SELECT 1 FROM sqlite_master WHERE name LIKE 'kessai%'") == []


def test_it_keeps_its_tables_and_its_numbers(sqlite, shop):
    Book(sqlite(shop, shared=True)).begin()
    assert look(shop, "SELECT * FROM transactions") == [(1, "theirs")]
    assert look(shop, "PRAGMA user_version") == [(7,)]
    assert look(shop, "PRAGMA application_id") == [(8,)]


def test_every_table_and_index_that_is_made_says_whose_it_is(sqlite, shop):
    before = look(shop, "SELECT name FROM sqlite_master")
    sqlite(shop, shared=True)
    made = {*look(shop, "SELECT name FROM sqlite_master")} - {*before}
    assert len(made) > 6
    assert all("kessai_" in name for (name,) in made)


def test_what_is_there_needs_no_asking_again(sqlite, shop):
    Book(sqlite(shop, shared=True)).begin()
    assert sqlite(shop, must_exist=True).open_transactions(1) == ["order-1"]


def test_a_shop_may_make_its_tables_later(sqlite, tmp_path):
    path = sqlite(tmp_path / "new.db", shared=True).path
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders (id)")
        connection.execute("PRAGMA user_version = 99")
    Book(sqlite(path)).begin()


def test_the_shops_own_triggers_are_no_matter_those_on_our_tables_are(sqlite, shop):
    store = sqlite(shop, shared=True)
    assert store.foreign_objects() == []
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.execute("CREATE VIEW shown AS SELECT id FROM kessai_states")
    assert [(one.kind, one.name) for one in store.foreign_objects()] == [
        ("view", "shown")
    ]
