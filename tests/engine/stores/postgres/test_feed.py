"""The feed beside writers that commit in another order than they write in."""

from contextlib import closing

import psycopg
import pytest

from kessai.errors import InvalidInput
from kessai.flow import Subscriber
from kessai.stores.postgres import appending
from kessai.stores.postgres.server import has_rows, in_psycopg
from kessai.stores.query import perform
from kessai.testing.store_kit.conformance import Book, followed


def names(found):
    return [(each.record.transaction, each.record.number) for each in found]


def read(store, after=""):
    return names(followed(store, 100, after))


class OwnTransaction:
    """A transaction of the database that is its user's own, with what a store writes."""

    def __init__(self, url):
        self.connection = psycopg.connect(url, cursor_factory=psycopg.RawCursor)

    def write(self, book, change):
        perform(appending.append(change, set()), self._ask)
        book.transaction = change.transaction

    def _ask(self, query):
        found = self.connection.execute(*in_psycopg(query), binary=True)
        return found.fetchall() if has_rows(found) else []

    def takes_an_id(self):
        self.connection.execute("SELECT pg_current_xact_id()")


@pytest.fixture
def own(url):
    made = []

    def begin():
        made.append(OwnTransaction(url))
        return made[-1]

    yield begin
    for each in made:
        each.connection.close()


def test_an_event_that_is_committed_late_comes_before_what_was_written_later(
    postgres, own
):
    store = postgres()
    early, late = Book(store, "early"), Book(store, "late")
    transaction = own()
    transaction.write(early, early.begun()[0])
    late.begin()
    assert store.feed("", 100) == []
    assert store.held_back().transaction == "late"
    transaction.connection.commit()
    assert read(store) == [("early", 1), ("late", 1)]


def test_what_is_rolled_back_holds_nothing_back_any_more(postgres, own):
    store, transaction = postgres(), own()
    never = Book(store, "never")
    transaction.write(never, never.begun()[0])
    Book(store, "late").begin()
    assert store.feed("", 100) == []
    transaction.connection.rollback()
    assert read(store) == [("late", 1)]


def test_a_transaction_that_wrote_elsewhere_first_does_not_turn_events_round(
    postgres, own
):
    """Its id is an earlier one than that of the event before its own."""
    store, transaction = postgres(), own()
    transaction.takes_an_id()
    book = Book(store)
    book.begin()
    transaction.write(book, book.denied())
    Book(store, "another").begin()
    transaction.connection.commit()
    assert [e for e in read(store) if e[0] == "order-1"] == [
        ("order-1", 1),
        ("order-1", 2),
    ]
    assert store.misplaced() == []
    first = followed(store, 1)[0]
    assert len(read(store, first.position)) == 2


def test_another_database_of_the_server_holds_the_feed_back_too(postgres, own_server):
    """Ids of transactions count on for the whole server."""
    store = postgres()
    with closing(psycopg.connect(own_server.url, dbname="template1")) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        Book(store).begin()
        assert store.feed("", 100) == []
        assert store.held_back().number == 1
    assert read(store) == [("order-1", 1)]


def test_what_was_restored_into_another_server_is_followed_on(postgres, url):
    """Its positions are moved down, the subscribers' with them; new ones come after."""
    store = postgres()
    book = Book(store)
    operation = book.begin()
    book.end(operation)
    old = followed(store, 1)[0].position
    store.advance(Subscriber(name="mail", position=old, version=1))
    far = 10**12
    with psycopg.connect(url) as server:  # as if from a server that is far ahead
        server.execute("UPDATE kessai_events SET position = position + %s", [far])
        server.execute("UPDATE kessai_states SET position = position + %s", [far])
        server.execute(
            "UPDATE kessai_subscribers SET position = (split_part(position, '.', 1)"
            "::bigint + %s)::text || substr(position, strpos(position, '.'))",
            [far],
        )
    stored = store.subscriber("mail").position
    assert stored.endswith(".1.order-1")
    assert int(stored.split(".")[0]) > far
    restored = postgres()
    Book(restored, "order-2").begin()
    position = restored.subscriber("mail").position
    assert read(restored, position) == [("order-1", 2), ("order-2", 1)]
    with pytest.raises(InvalidInput, match="no position in the feed"):
        restored.feed(stored, 10)
