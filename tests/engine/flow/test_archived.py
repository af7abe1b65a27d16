"""What comes late about an archived transaction: an answer that says where it is."""

from datetime import timedelta

import pytest

from kessai import SQLiteStore
from kessai.audit import verify
from kessai.audit.archiving import archive
from kessai.errors import CommitUnknown, TransactionArchived, VersionConflict
from kessai.flow import Change, History
from kessai.flow.archive import Archivable
from kessai.flow.steps import commit
from kessai.machine import Transaction, read_events

HERE = r"order-1: is archived, in old\.db"


@pytest.fixture
def store(tmp_path):
    store = SQLiteStore(tmp_path / "shop.db")
    yield store
    store.close()


WHY = {"reason": "asked for", "actor": "sato"}


@pytest.fixture
def cancelled(shop):
    shop.asks("authorize", 100, note="for Ms Matsumoto")
    shop.asks("cancel")
    return shop


@pytest.fixture
def archived(cancelled, tmp_path):
    """A payment that was cancelled, and is now in `old.db` alone."""
    return moved(cancelled, tmp_path / "old.db")


def moved(shop, path):
    last = Archivable(until=shop.clock.now + timedelta(days=1))
    engine = shop.another("sync").engine
    assert archive(engine, path, last, actor="sato").moved == 1
    return shop


def test_a_notification_changes_nothing_and_must_be_sent_again(archived, store):
    before = store.records("order-1")
    with pytest.raises(TransactionArchived, match=HERE):
        archived.notification("cancel")
    assert store.records("order-1") == before
    assert verify(store).holds


def test_no_command_reaches_the_gateway(archived, gateway):
    sent = len(gateway.sent)
    for asked in ("authorize", "capture", "refund", "cancel"):
        for key in (None, "new"):
            with pytest.raises(TransactionArchived, match=HERE):
                archived.asks(asked, 100, key=key)
    assert len(gateway.sent) == sent


def test_a_commit_that_raised_is_found_in_what_is_left_of_its_trail(archived, store):
    """The last event's: another who archives the same has removed the rest meanwhile."""
    (left,) = store.records("order-1")
    committing = commit(Change(transaction=Transaction("order-1"), records=(left,)))
    next(committing)
    committing.throw(CommitUnknown())
    assert committing.throw(VersionConflict()) == History("order-1")
    with pytest.raises(StopIteration):  # and no conflict
        committing.send([left])


def test_recovery_and_sweeps_leave_it_alone(archived):
    archived.clock.passes(days=400)
    assert archived.recover() == []
    with pytest.raises(TransactionArchived, match=HERE):
        archived.call("sweep", "order-1")


def test_its_texts_are_forgotten_in_the_archive(archived, tmp_path):
    with pytest.raises(TransactionArchived, match=HERE):
        archived.call("forget", "order-1", **WHY)
    with SQLiteStore(tmp_path / "old.db") as old:
        shop = type(archived)("sync", old, archived.gateway, archived.clock)
        (found,) = shop.call("forget", "order-1", **WHY)
        assert found.fields == {1: ("note",)}
        assert verify(old).holds


def test_what_was_forgotten_is_archived_as_it_is_left(cancelled, store, tmp_path):
    cancelled.call("forget", "order-1", **WHY)
    moved(cancelled, tmp_path / "old.db")
    assert verify(store).holds
    with SQLiteStore(tmp_path / "old.db") as old:
        assert verify(old).holds
        kinds = [type(event).__name__ for event in read_events(old.records("order-1"))]
    assert kinds[-2:] == ["Forgotten", "Archived"]
