"""A pooler in between: one that pools transactions is refused, and the setting named."""

import pytest

from kessai.errors import StoreUnsuitable
from kessai.testing.store_kit.conformance import Book


@pytest.fixture
def pooled(own_server, url):
    """A maker of poolers before the server; their user's schema is empty at first."""
    from contextlib import ExitStack
    from urllib.parse import unquote

    from pg.bouncer import NoBouncer, pooling

    with ExitStack() as held:
        schema = unquote(url).rpartition("=")[2]

        def start(mode, **settings):
            try:
                return held.enter_context(pooling(own_server, schema, mode, **settings))
            except NoBouncer as error:
                pytest.skip(str(error))

        yield start


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("takes_turns", [0, 1])
def test_pooled_transactions_are_refused_and_nothing_is_made(
    own_server, pooled, opened, mode, takes_turns
):
    url = pooled(mode, server_round_robin=takes_turns, min_pool_size=2)
    for _ in range(2):  # with no idle backend yet, and with some
        with pytest.raises(StoreUnsuitable, match="pool_mode = session"):
            opened(url)
    made = "SELECT 1 FROM pg_class WHERE relname = 'kessai_schema' AND relkind = 'r'"
    assert own_server.run(made) == []


def test_pooled_sessions_carry_a_payment(pooled, opened):
    url = pooled("session")
    store = opened(url)
    book = Book(store)
    book.end(book.begin())
    assert [name for name, _ in store.trails()] == ["order-1"]
    assert opened(url, to_read=True).load(None, "order-1", None).transaction


def test_what_a_stranger_left_in_a_pooled_session_is_not_taken_over(
    own_server, pooled, opened
):
    """Not even if the pooler resets nothing between its clients."""
    import psycopg

    url = pooled("session", server_reset_query="", default_pool_size=2)
    with psycopg.connect(url, autocommit=True) as stranger:
        stranger.execute("CREATE TEMPORARY TABLE kessai_events (what text)")
        stranger.execute("SET search_path = public")
    with psycopg.connect(url, autocommit=True) as stranger:
        assert stranger.execute("SHOW search_path").fetchone() == ("public",)
        stranger.execute("RESET search_path")
    store = opened(url, connections=1)
    Book(store).begin()
    assert len(store.records("order-1")) == 1


def test_a_schema_in_the_url_is_refused_by_a_pooler_with_what_helps(pooled, opened):
    url = pooled("session")
    with pytest.raises(StoreUnsuitable, match="ALTER ROLE … SET search_path"):
        opened(f"{url}?options=-csearch_path%3Dshop")
