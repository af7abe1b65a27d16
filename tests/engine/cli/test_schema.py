"""`kessai schema`: what it prints makes a store that needs nothing more."""

import sqlite3
from contextlib import closing

from kessai import PostgresStore, SQLiteStore
from kessai.testing.store_kit.conformance import Book


def test_the_tables_for_a_shops_sqlite_file(kessai, tmp_path):
    printed = kessai("schema", "sqlite")
    assert printed.code == 0
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id)")
        connection.executescript(printed.out)
    with SQLiteStore(tmp_path / "shop.db", must_exist=True) as store:
        Book(store).begin()


def test_the_tables_for_a_shops_postgresql(kessai, server):
    from pg.server import with_options

    name = 'shop "1"'
    quoted = '"shop ""1"""'
    printed = kessai("schema", "postgresql", "--schema", name)
    assert printed.code == 0
    try:
        server.run(printed.out)
        url = with_options(server.url, r"-csearch_path=" + quoted.replace(" ", r"\ "))
        with PostgresStore(url, must_exist=True) as store:
            Book(store).begin()
            assert store.foreign_objects() == []
    finally:
        server.run(f"DROP SCHEMA IF EXISTS {quoted} CASCADE")
