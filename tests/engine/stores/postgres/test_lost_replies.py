"""A wire that breaks tells nothing of a commit: that is said, and sorted out."""

from contextlib import suppress
from datetime import timedelta
from time import monotonic, sleep

import pytest
from pg.proxy import AFTER, BEFORE, MOMENTS, UNDERWAY
from pg.shop import Shop

from kessai import Status
from kessai.errors import CommitUnknown, StoreFailed
from kessai.testing.store_kit.conformance import NOON, OURS, Book

INSERT, UPDATE = b"INSERT INTO kessai_states", b"moved AS (UPDATE kessai_states"


@pytest.fixture
def store(postgres, proxy):
    """A store behind the wire that can be cut."""
    return postgres(proxy.url, connections=1)


@pytest.fixture
def shop(store):
    shop = Shop(store)
    yield shop
    shop.emulator.close()


def eventually(condition):
    until = monotonic() + 60
    while not condition() and monotonic() < until:
        sleep(0.01)
    return condition()


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_append_whose_reply_is_lost_is_unknown_wherever_it_was_lost(
    postgres, store, proxy, moment
):
    book, others = Book(store), postgres()
    change, operation = book.begun(key="k")
    proxy.cut(INSERT, moment)
    with pytest.raises(CommitUnknown, match="may or may not be there"):
        store.append(change)
    assert proxy.happened.wait(60)
    if moment == BEFORE:
        assert others.records("order-1") == []
        store.append(change)
    assert eventually(lambda: others.records("order-1") == list(change.records))
    assert store.load("k", "order-1", None).recorded == change.opens
    book.transaction = change.transaction
    proxy.cut(UPDATE, moment)
    with pytest.raises(CommitUnknown):
        store.append(book.ended(operation))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_reading_whose_reply_is_lost_failed_and_can_be_repeated(store, proxy, moment):
    Book(store).begin()
    proxy.cut(b"FROM kessai_answers WHERE key", moment)
    with pytest.raises(StoreFailed):
        store.load("k", "order-1", None)
    assert store.load("k", "order-1", None).transaction is not None


def test_a_reading_of_all_that_breaks_off_failed(store, proxy):
    Book(store).begin()
    proxy.cut(b"array_agg", AFTER)
    with pytest.raises(StoreFailed):
        list(store.trails())
    assert len(list(store.trails())) == 1


def test_a_claim_whose_reply_is_lost_is_nobodys_until_it_ends(store, proxy):
    Book(store).begin()
    now, until = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    proxy.cut(b"SKIP LOCKED", AFTER)
    with pytest.raises(CommitUnknown):
        store.claim(now, until, OURS)
    assert store.claim(now, until, OURS) is None
    again = store.claim(until, until + timedelta(hours=1), OURS)
    assert again.number == 2
    proxy.cut(b"leased_until = NULL", BEFORE)
    with pytest.raises(CommitUnknown):
        store.release(again, until)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", ["intent", "outcome"])
def test_a_capture_happens_once_whichever_of_its_commits_is_not_confirmed(
    shop, proxy, step, moment
):
    """Vendure #3680: the gateway call succeeds, the local transaction does not."""
    shop.authorized("order-1")
    if step == "intent":
        proxy.cut(UPDATE, moment)
    else:
        shop.wire.meanwhile = lambda: proxy.cut(UPDATE, moment)
    answer = None
    with suppress(CommitUnknown):
        answer = shop.do("capture", "order-1", "c")
    assert proxy.happened.wait(60)
    shop.wire.meanwhile = None
    if step == "outcome" or moment == BEFORE:
        assert answer.status is Status.SUCCEEDED
    elif moment == AFTER:  # the intent is there, and who wrote it cannot be told
        assert answer is None
        assert shop.sent("order-1", "Capture") == 0
    shop.resolve()
    assert shop.insist("capture", "order-1", "c").status is Status.SUCCEEDED
    assert shop.sent("order-1", "Capture") == 1
    shop.books_agree()


@pytest.mark.parametrize("moment", [BEFORE, UNDERWAY, AFTER])
def test_a_new_store_is_whole_or_not_there_when_its_making_breaks_off(
    postgres, proxy, moment
):
    proxy.cut(b"COMMIT\0", moment)
    with pytest.raises(CommitUnknown):
        postgres(proxy.url)
    Book(postgres()).begin()
