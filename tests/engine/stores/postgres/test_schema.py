"""The tables: made whole or not at all, and nobody else's are touched."""

import psycopg
import pytest

from kessai.errors import InvalidInput, StoreFailed, StoreUnsuitable, TrailBroken
from kessai.stores.postgres import schema
from kessai.testing.store_kit.conformance import Book


def run(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def tables(url):
    found = run(
        url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    return {name for (name,) in found}


def test_who_only_looks_makes_no_tables(postgres, url):
    with pytest.raises(InvalidInput, match="there is no store"):
        postgres(must_exist=True)
    assert tables(url) == set()
    Book(postgres()).begin()
    assert postgres(must_exist=True).load(None, "order-1", None).transaction


def test_who_may_only_read_can_look(postgres, url):
    Book(postgres()).begin()
    looking = postgres(f"{url}%20-cdefault_transaction_read_only%3Don", to_read=True)
    assert len(list(looking.trails())) == 1
    with pytest.raises(StoreFailed, match="read-only"):
        Book(looking, "order-2").begin()


def test_tables_of_another_program_are_refused_and_left_alone(postgres, url):
    run(url, "CREATE TABLE kessai_events (what text)")
    with pytest.raises(StoreUnsuitable, match=r"^postgresql://.*: .*another program"):
        postgres()
    assert tables(url) == {"kessai_events"}


def test_other_tables_beside_are_no_matter(postgres, url):
    run(url, "CREATE TABLE customers (name text)")
    Book(postgres()).begin()


def test_tables_of_a_newer_kessai_are_refused(postgres, url):
    postgres()
    run(url, "INSERT INTO kessai_schema (version) VALUES (99)")
    with pytest.raises(
        StoreUnsuitable, match=r"^postgresql://.*schema version 99; this"
    ):
        postgres()


def test_a_search_path_that_leads_nowhere_is_refused(postgres, server):
    from pg.server import with_options

    with pytest.raises(StoreUnsuitable, match="there is no such schema"):
        postgres(with_options(server.url, "-csearch_path=nowhere"))


def test_a_migration_that_fails_leaves_the_version_before(postgres, url, monkeypatch):
    Book(postgres()).begin()
    steps = ("ALTER TABLE kessai_states ADD COLUMN more text", "SELECT 1 / 0")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, steps))
    with pytest.raises(InvalidInput, match="division by zero"):
        postgres()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], steps[:1]))
    Book(postgres(), "order-2").begin()
    assert run(url, "SELECT version FROM kessai_schema ORDER BY 1") == [
        (1,),
        (2,),
        (3,),
    ]
    assert run(url, "SELECT id, more FROM kessai_states ORDER BY 1") == [
        ("order-1", None),
        ("order-2", None),
    ]


@pytest.mark.parametrize("weak", ["off", "local", "remote_write"])
def test_commits_that_are_not_durable_are_refused(postgres, url, weak):
    with pytest.raises(StoreUnsuitable, match=f"synchronous_commit is {weak}"):
        postgres(f"{url}%20-csynchronous_commit%3D{weak}")


def test_a_server_that_does_not_sync_is_refused(postgres, own_server):
    own_server.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    try:
        own_server.restart("fast")
        with pytest.raises(StoreUnsuitable, match="fsync is off, on is needed"):
            postgres()
    finally:
        own_server.run("ALTER SYSTEM RESET fsync")
        own_server.restart("fast")


def test_a_setting_that_is_changed_later_does_not_reach_an_open_store(
    postgres, own_server
):
    store = postgres(connections=1)
    Book(store).begin()  # the pool connects when it likes, but by now it has
    own_server.run(
        "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()"
    )
    try:
        from pg.lent import lent

        with lent(store) as connection:
            found = connection.execute("SHOW synchronous_commit").fetchone()
        assert found == ("on",)
    finally:
        own_server.run(
            "ALTER SYSTEM RESET synchronous_commit", "SELECT pg_reload_conf()"
        )


def test_a_database_in_another_encoding_is_refused(postgres, server):
    from urllib.parse import urlsplit

    server.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        with pytest.raises(StoreUnsuitable, match="its encoding is LATIN1"):
            postgres(urlsplit(server.url)._replace(path="/latin").geturl())
    finally:
        server.run("DROP DATABASE latin")


def test_a_key_that_cannot_be_kept_is_refused_and_not_echoed(postgres):
    store = postgres()
    with pytest.raises(InvalidInput, match="cannot be kept") as caught:
        Book(store).begin(key="secret\0")
    assert "secret" not in str(caught.value)
    assert list(store.trails()) == []


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_name_that_cannot_be_kept_cannot_be_asked_for_either(postgres, character):
    store = postgres()
    with pytest.raises(InvalidInput, match="cannot be kept"):
        store.load(None, f"order{character}", None)


def test_a_key_that_is_too_long_for_the_index_is_refused_and_not_echoed(postgres):
    import secrets

    store, key = postgres(), secrets.token_hex(5000)
    with pytest.raises(InvalidInput, match="index row") as caught:
        Book(store).begin(key=key)
    assert key[:20] not in str(caught.value)
    assert list(store.trails()) == []


def test_a_row_that_someone_changed_is_told_and_the_next_one_is_read(postgres, url):
    store = postgres()
    for name in "abcd":
        Book(store, name).begin()
    run(url, "UPDATE kessai_states SET version = 2 WHERE id = 'b'")
    run(url, "UPDATE kessai_states SET state = 'x' WHERE id = 'c'")
    reading = store.transactions()
    assert next(reading).id == "a"
    for name in "bc":
        with pytest.raises(TrailBroken) as caught:
            next(reading)
        assert caught.value.transaction == name
    assert [found.id for found in reading] == ["d"]


def test_an_event_that_is_there_already_is_no_conflict_to_decide_again(postgres, url):
    """Nobody but a hand in the database can have written it."""
    store, book = postgres(), Book(postgres())
    book.begin()
    run(
        url,
        "INSERT INTO kessai_events SELECT transaction_id, 2, body, hash, moved, position"
        " FROM kessai_events",
    )
    with pytest.raises(StoreFailed, match="events_pkey"):
        book.write(book.denied())
    assert store.load(None, "order-1", None).transaction.version == 1
