"""A store within a shop's transaction: what fails there leaves the rest of it alone."""

import pytest
from shop_database import OnAServer

from kessai.errors import InvalidInput, VersionConflict
from kessai.testing.store_kit.conformance import Book


def test_what_conflicts_is_undone_and_the_transaction_goes_on(database):
    with database.transaction() as connection:
        within = database.store.within(connection)
        Book(within).begin()
        with pytest.raises(VersionConflict):
            Book(within).begin()
        database.orders_in(connection)
    assert database.orders() == ["order-1"]
    ((_, records),) = database.store.trails()
    assert len(records) == 1


def test_a_key_that_is_taken_is_undone_as_well(database):
    with database.transaction() as connection:
        within = database.store.within(connection)
        Book(within).begin(key="k")
        with pytest.raises(VersionConflict, match="taken"):
            Book(within, "order-2").begin(key="k")
        Book(within, "order-3").begin()
    assert [name for name, _ in database.store.trails()] == ["order-1", "order-3"]


def test_what_others_see_waits_for_the_commit(database):
    with database.transaction() as connection:
        within = database.store.within(connection)
        Book(within).begin()
        assert within.load(None, "order-1", None).transaction is not None
        assert database.store.load(None, "order-1", None).transaction is None
    assert database.store.load(None, "order-1", None).transaction is not None


def test_another_database_of_the_same_server_is_refused(server, url, their_url):
    import psycopg

    database = OnAServer(url, their_url)
    server.run("DROP DATABASE IF EXISTS elsewhere", "CREATE DATABASE elsewhere")
    with psycopg.connect(server.url, dbname="elsewhere") as connection:
        within = database.store.within(connection)
        with pytest.raises(InvalidInput, match="has no tables of kessai"):
            within.load(None, "order-1", None)
        connection.rollback()
    server.run("DROP DATABASE elsewhere")
    database.store.close()
