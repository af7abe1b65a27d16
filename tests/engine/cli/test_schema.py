"""`kessai schema`: what it prints makes a store that needs nothing more."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy

from kessai import PostgresStore, SQLiteStore, schema
from kessai.errors import InvalidInput
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


def test_the_statements_for_a_migration_by_sqlalchemy(server):
    """As Alembic's `op.execute` has it: a colon or a percent sign is no parameter."""
    with server.database() as url:
        shop = sqlalchemy.create_engine(url.replace("postgresql", "postgresql+psycopg"))
        with shop.begin() as connection:
            for statement in schema("postgresql"):
                connection.execute(sqlalchemy.text(statement))
        shop.dispose()
        beside = "?options=-csearch_path%3Dkessai"
        with PostgresStore(f"{url}{beside}", must_exist=True) as store:
            Book(store).begin()
            assert store.foreign_objects() == []


def test_a_database_that_is_not_known_is_refused():
    with pytest.raises(InvalidInput, match="'mysql' is not known; postgresql or"):
        schema("mysql")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "has no name"),
        ("s" * 64, "at most 63 bytes"),
        ("店" * 22, "at most 63 bytes"),
        ("pg_shop", "pg_"),
        ("$user", "'$user' stands for the user"),
    ],
)
def test_a_schema_that_no_store_could_be_opened_in_is_refused(kessai, name, said):
    refused = kessai("schema", "postgresql", "--schema", name)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err


def test_a_schema_for_sqlite_is_refused(kessai):
    refused = kessai("schema", "sqlite", "--schema", "shop")
    assert (refused.code, refused.out) == (2, "")
    assert "schema 'shop': is for postgresql" in refused.err


def test_what_it_can_be_asked_for_is_listed_legibly(kessai):
    refused = kessai("schema")
    assert refused.code == 2
    assert "\n    postgresql,\n    sqlite" in refused.err
