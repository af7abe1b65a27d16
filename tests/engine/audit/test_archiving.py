"""An archive: what has ended is in it, whole, and can never be done again anywhere."""

import errno
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from audited.shop import filled, opened

from kessai import Command, Engine, MemoryStore, SQLiteStore
from kessai.audit import verify, write_seal
from kessai.audit.archiving import archive
from kessai.audit.sealing import new_private_key, read_private_key, read_seal
from kessai.driver import utc_now
from kessai.errors import (
    InvalidInput,
    StoreFailed,
    StoreUnsuitable,
    TransactionArchived,
)
from kessai.feed.reading import read_feed
from kessai.flow import Subscriber
from kessai.flow.archive import Archivable
from kessai.machine import Archived, read_events

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
ENDED = Archivable(until=NOON)
FAMILY = ["R-2", "R-2-a"]
MOVED = ["A-5", "A-6", *FAMILY]
LABEL = "2024.db"


def end(shop):
    """Two payments that have ended, an agreement with its charge, and others."""
    shop.asked = 100
    shop.sells("A-5")
    shop.do("refund", "A-5", amount=900)
    shop.do("authorize", "A-6", lifecycle="one_time", amount=10)
    shop.resolve("A-6")
    shop.do("cancel", "A-6")
    shop.agrees("R-2")
    shop.charges("R-2-a", "R-2")
    shop.resolve("R-2-a")
    shop.do("cancel", "R-2-a")
    shop.do("terminate", "R-2")
    shop.agrees("R-3")
    shop.charges("R-3-a", "R-3")
    shop.resolve("R-3-a")
    shop.do("terminate", "R-3")


@pytest.fixture
def ended(thieves):
    """The thief before a store with A-1 to A-6, R-1 to R-3 and charges."""
    with closing(thieves.open()) as store:
        end(opened(store))
    return thieves


@pytest.fixture
def shop(ended):
    with closing(ended.open()) as store:
        shop = opened(store)
        shop.asked = 200  # keys that nobody has
        yield shop


@pytest.fixture
def out(tmp_path):
    return tmp_path / LABEL


def moves(shop, out, archivable=ENDED, **more):
    return archive(shop.engine, out, archivable, actor="sato", **more)


def exists(store):
    return [each.id for each in store.transactions() if each.exists]


def test_what_has_ended_is_in_the_archive_alone(shop, out):
    store = shop.engine.store
    before = {name: store.records(name) for name in MOVED}
    others = [name for name in exists(store) if name not in MOVED]
    assert moves(shop, out).moved == len(MOVED)
    assert exists(store) == others
    assert verify(store).holds
    with SQLiteStore(out, must_exist=True) as archived:
        assert exists(archived) == MOVED
        assert verify(archived).holds
        for name in MOVED:
            *records, last = archived.records(name)
            assert records == before[name]
            assert store.records(name) == [last]
            *_, event = read_events([*records, last])
            assert isinstance(event, Archived)
            assert (event.archive, event.actor) == (LABEL, "sato")
        assert archived.load("key-0101", "A-5", None).recorded.outcome == "succeeded"


def test_nothing_is_done_again_under_an_id_or_a_key(shop, out):
    moves(shop, out)
    engine, done = shop.engine, shop.local.emulator.totals
    for command in (
        Command("authorize", "A-5", key="new", lifecycle="one_time", amount=1000),
        Command("authorize", "A-5", key="key-0101", lifecycle="one_time", amount=1000),
        Command("refund", "A-5", key="refund", amount=1),
        Command("authorize", "B-1", key="key-0101", lifecycle="one_time", amount=1000),
        Command("reauthorize", "R-2-b", key="charge", agreement="R-2", amount=1),
    ):
        with pytest.raises(TransactionArchived, match="archived"):
            engine.execute(command)
        if command.transaction != "B-1":  # a preview uses no key
            with pytest.raises(TransactionArchived):
                engine.preview(command)
    for asks in (engine.transaction, engine.can, engine.recover_transaction):
        with pytest.raises(TransactionArchived, match=rf"A-5: is archived, in {LABEL}"):
            asks("A-5")
    with pytest.raises(TransactionArchived):
        engine.reconcile("A-5")
    assert shop.local.emulator.totals == done
    assert verify(engine.store).holds


def test_the_archive_answers_and_carries_nothing_out(shop, out):
    moves(shop, out)
    with SQLiteStore(out) as archived:
        engine = Engine(adapters=[shop.local.adapter], store=archived, transport=None)
        assert engine.transaction("A-5").status == "payment.refunded"
        assert engine.can("A-5") == ()
        with pytest.raises(TransactionArchived):
            engine.execute(Command("refund", "A-5", key="new", amount=1))


def test_what_may_still_move_stays_unless_it_is_said_to_have_ended(shop, out):
    later = Archivable(until=NOON, also=("payment.captured",))
    moves(shop, out, later)
    assert "A-2" not in exists(shop.engine.store)
    assert "A-1" in exists(shop.engine.store)  # partially refunded


def test_what_changed_too_lately_stays(shop, out):
    first = shop.engine.transaction("A-6").changed_at
    assert moves(shop, out, Archivable(until=first)).moved == 1
    assert "A-5" not in exists(shop.engine.store)
    with pytest.raises(InvalidInput, match="is too late"):
        moves(shop, out.with_name("x.db"), Archivable(until=utc_now()))


def test_an_agreement_goes_with_all_its_charges_or_not_at_all(shop, out):
    moves(shop, out)
    assert {"R-3", "R-3-a"} < {*exists(shop.engine.store)}


def test_a_seal_made_before_still_checks(ended, shop, out, tmp_path):
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    store = shop.engine.store
    assert write_seal(store, key, tmp_path / "seal", NOON).seal
    result = moves(shop, out, key=key)
    assert result.moved == len(MOVED)
    seals = [read_seal(tmp_path / "seal", key.public)]
    assert verify(store, seals=seals).holds
    with SQLiteStore(out) as archived:
        assert verify(archived, seals=[read_seal(result.seal, key.public)]).holds
    assert write_seal(store, key, tmp_path / "next", NOON + timedelta(1), seals).seal
    for table, column in {
        "kessai_states": "id",
        "kessai_events": "transaction_id",
    }.items():
        ended.run(f"DELETE FROM {table} WHERE {column} = 'A-5'")  # noqa: S608
    found = {(f.transaction, f.code) for f in verify(store, seals=seals).faults.first}
    assert ("A-5", "sealed_missing") in found or ("A-5", "transaction_gone") in found


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "DELETE FROM kessai_events WHERE transaction_id = 'A-5'",
            "archive_event_missing",
        ),
        (
            "UPDATE kessai_events SET number = 3 WHERE transaction_id = 'A-5'",
            "archive_event_missing",
        ),
        (
            "UPDATE kessai_answers SET outcome = 'begun' WHERE key = 'key-0101'",
            "answer_differs",
        ),
    ],
)
def test_what_is_left_of_an_archived_one_cannot_be_changed(
    ended, shop, out, statement, code
):
    moves(shop, out)
    assert ended.faults() == []
    ended.run(statement)
    assert ("A-5", code) in [(name, code) for name, _, code in ended.faults()]


def test_no_subscriber_loses_an_event(shop, out):
    store = shop.engine.store
    events = list(read_feed(store))
    half = events[len(events) // 2]
    subscriber = Subscriber(name="mail", position=half.position, version=1)
    store.advance(subscriber)
    result = moves(shop, out)
    assert (result.moved, result.unread) == (0, len(MOVED))
    assert result.unread_by == ("mail",)
    store.advance(subscriber.moved(position=events[-1].position))
    assert moves(shop, out).moved == len(MOVED)
    following = [(e.transaction, e.kind) for e in read_feed(store, events[-1].position)]
    assert sorted(following) == [(name, "archived") for name in MOVED]
    shop.sells("A-7")
    known = {event.id for event in events}
    assert len(list(read_feed(store, events[-1].position))) == len(MOVED) + 5
    anew = [event for event in read_feed(store) if event.transaction in MOVED]
    assert [event.kind for event in anew] == ["archived"] * len(MOVED)
    assert known.isdisjoint(event.id for event in anew)


class Interrupted:
    """A store that calls `interrupt` before one of its writes."""

    def __init__(self, store, interrupt):
        self._store, self._interrupt, self.left = store, interrupt, 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, change):
        self.left -= 1
        if not self.left:
            self._interrupt()
        self._store.append(change)


def dies():
    raise KeyboardInterrupt


def on(shop, store):
    """An engine that archives on `store`."""
    transport = shop.local.transport
    return Engine(adapters=[], store=store, transport=transport, clock=shop.clock)


def test_a_charge_that_begins_meanwhile_keeps_its_agreement(shop, out):
    """Where the operator took for ended what can still be charged."""
    also = ("payment.authorized", "consent.consented")
    before = shop.engine
    store = Interrupted(before.store, lambda: charges(before))
    store.left = 1

    def charges(engine):
        command = Command("reauthorize", "R-1-b", key="b", agreement="R-1", amount=1)
        assert engine.execute(command).status in {"succeeded", "pending", "declined"}

    shop.engine = on(shop, store)
    moves(shop, out, Archivable(until=NOON, also=also))
    assert {"R-1", "R-1-a", "R-1-b"} < {*exists(before.store)}
    assert "R-3" not in exists(before.store)
    assert verify(before.store).holds
    with SQLiteStore(out) as archived:
        assert "R-1" not in exists(archived)
        assert verify(archived).holds


def test_killed_after_every_single_write_it_ends_with_each_in_one_place(ended, out):
    with closing(ended.open()) as store:
        shop = opened(store)
        others = [name for name in exists(store) if name not in MOVED]
        dying, deaths, moved = Interrupted(store, dies), 0, 0
        shop.engine = on(shop, dying)
        while not moved:
            dying.left = 2  # one more write, then its process dies
            try:
                moved = moves(shop, out).moved
            except KeyboardInterrupt:
                deaths += 1
                assert verify(store).holds
        assert deaths == 2 * len(MOVED) - 1
        assert exists(store) == others
        assert verify(store).holds
    with SQLiteStore(out) as archived:
        assert exists(archived) == MOVED
        assert verify(archived).holds


def test_a_full_disk_removes_nothing(shop, out, monkeypatch):
    append_each = SQLiteStore.append_each

    def full(self, changes):
        if self is shop.engine.store:
            return append_each(self, changes)
        raise StoreFailed("no room")

    before = exists(shop.engine.store)
    with monkeypatch.context() as patched:
        patched.setattr(SQLiteStore, "append_each", full)
        with pytest.raises(StoreFailed):
            archive(shop.engine, out, ENDED, actor="sato")
    assert exists(shop.engine.store) == before
    assert [*out.parent.glob("*.part*")] == []
    assert moves(shop, out).moved == len(MOVED)


def test_no_file_is_written_over(shop, out, tmp_path):
    moves(shop, out)
    assert moves(shop, out).moved == 0
    with SQLiteStore(tmp_path / "other.db") as other:
        filled(other).engine.close()
    with pytest.raises(InvalidInput, match="is no archive of this store"):
        moves(shop, tmp_path / "other.db")
    with pytest.raises(InvalidInput, match="belongs to a database"):
        moves(shop, out.with_name(f"{LABEL}-wal"))
    plain = tmp_path / "notes.txt"
    plain.write_text("mine")
    with pytest.raises((InvalidInput, StoreUnsuitable, StoreFailed)):
        moves(shop, plain)
    assert plain.read_text() == "mine"


def test_a_subscriber_that_nobody_follows_any_more_holds_nothing_up(shop, out):
    shop.engine.store.advance(Subscriber(name="mial", position="", version=1))
    assert moves(shop, out).unread_by == ("mial",)
    assert moves(shop, out, ignoring=["mial"]).moved == len(MOVED)


def test_an_archive_of_itself_would_be_all_that_is_lost(shop, out):
    moves(shop, out)
    link = out.with_name("link.db")
    link.symlink_to(out)
    with SQLiteStore(out) as archived:
        for path in (out, link):
            with pytest.raises(InvalidInput, match="is the store itself"):
                archive(on(shop, archived), path, ENDED, actor="sato")
        assert exists(archived) == MOVED
        assert verify(archived).holds


@pytest.mark.parametrize(
    "actor", ["", " ", "x" * 1000, "a\nb", "4111111111111111", "\x1b[31m"]
)
def test_nothing_is_frozen_by_nobody(shop, out, actor):
    before = [*shop.engine.store.transactions()]
    with pytest.raises(InvalidInput, match="actor: must"):
        archive(shop.engine, out, ENDED, actor=actor)
    assert [*shop.engine.store.transactions()] == before


def killed_after(shop, writes, out):
    """Archive, and die before one of the writes to the store."""
    alive = shop.engine
    dying = Interrupted(alive.store, dies)
    dying.left = writes + 1
    shop.engine = on(shop, dying)
    with pytest.raises(KeyboardInterrupt):
        moves(shop, out)
    shop.engine = alive


def test_what_is_frozen_for_one_archive_goes_into_no_other(shop, out):
    """Else each of the two would have it, and sums over both would count it twice."""
    killed_after(shop, len(MOVED) + 1, out)  # all are frozen, and one is removed
    other = out.with_name("2025.db")
    result = moves(shop, other)
    assert (result.moved, result.elsewhere) == (0, {LABEL: len(MOVED) - 1})
    assert not other.exists()
    folder = out.with_name("moved")
    folder.mkdir()
    with pytest.raises(InvalidInput, match="of that name was made before"):
        moves(shop, folder / LABEL)
    assert moves(shop, out, Archivable(until=NOON - timedelta(days=300))).moved
    with SQLiteStore(out) as archived:
        assert exists(archived) == MOVED


def test_what_was_frozen_goes_into_its_archive_with_all_its_family(shop, out):
    """Broken off, and done again with another measure of what has ended."""
    killed_after(shop, 1, out)
    long_ago = Archivable(until=NOON - timedelta(days=300))
    with pytest.raises(InvalidInput, match=r"R-2-a: is frozen for 2024\.db"):
        moves(shop, out, long_ago)
    assert not out.exists()
    assert moves(shop, out).moved == len(MOVED)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_where_no_archive_can_be_written_nothing_is_frozen(shop, tmp_path, monkeypatch):
    before = [*shop.engine.store.transactions()]

    def full(self, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(StoreFailed, match="cannot be written: Read-only file system"):
        moves(shop, tmp_path / LABEL)
    assert [*shop.engine.store.transactions()] == before


def test_two_archivings_to_one_file_do_not_meet(shop, out):
    inner = []

    def again():
        with pytest.raises(InvalidInput, match="another archiving to it is under way"):
            moves(shop, out)
        inner.append(True)

    store = Interrupted(shop.engine.store, again)
    store.left = 2
    outer = archive(on(shop, store), out, ENDED, actor="sato")
    assert (outer.moved, inner) == (len(MOVED), [True])
    assert [*out.parent.glob(".*.lock")] == []


def test_a_seal_that_is_there_already_is_this_archives_or_none(shop, out, tmp_path):
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    seal = out.with_name(f"{LABEL}.seal")
    seal.write_text("junk")
    with pytest.raises(InvalidInput, match="is there already"):
        moves(shop, out, key=key)
    seal.unlink()
    killed_after(shop, len(MOVED), out)
    seal.write_text("junk")
    with pytest.raises(InvalidInput, match=r"2024\.db\.seal"):
        moves(shop, out, key=key)
    seal.unlink()
    assert moves(shop, out, key=key).moved == len(MOVED)


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_an_archive_is_read_by_those_who_may_read_the_store(tmp_path, out):
    with closing(SQLiteStore(tmp_path / "private.db")) as store:
        store.path.chmod(0o600)
        end(opened(store))
        shop = opened(store)
        moves(shop, out)
    assert out.stat().st_mode & 0o777 == 0o600


def test_memory_has_no_archive(out):
    with pytest.raises(StoreUnsuitable, match="memory"):
        moves(opened(MemoryStore()), out)
