"""What the database's owner can write anew is found by a seal, and only by a seal."""

from datetime import UTC, datetime, timedelta

import pytest
from audited.both_ways import verify_in_full
from audited.owner import back_up, remove, replace, restore, shop_in
from audited.shop import opened

from kessai import MemoryStore, SQLiteStore
from kessai.audit import verify, write_seal
from kessai.audit.sealing import new_private_key, read_private_key

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def key(tmp_path):
    new_private_key(tmp_path / "key")
    return read_private_key(tmp_path / "key")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.db"
    shop_in(path).engine.close()
    return path


@pytest.fixture
def sealed(tmp_path, path, key):
    """Seal the store as it is now; every seal an hour after the one before."""
    seals = []

    def seal():
        store = SQLiteStore(path)
        out = tmp_path / f"seal-{len(seals)}"
        now = NOON + timedelta(hours=len(seals))
        made = write_seal(store, key, out, now, seals)
        store.close()
        seals.append(made.seal)
        return list(seals)

    return seal


def found(path, seals):
    """The faults with the seals; without them there is none."""
    store = SQLiteStore(path)
    try:
        assert verify(store).faults.first == ()
        report = verify(store, seals=seals)
        stepped = verify_in_full(store, seals=seals)
    finally:
        store.close()
    assert report == stepped
    return [
        (fault.transaction, fault.number, fault.code) for fault in report.faults.first
    ]


def live_on(path):
    """The shop goes on: a refund, another sale."""
    store = SQLiteStore(path)
    shop = opened(store)
    shop.clock.now += timedelta(hours=1)
    shop.asked = 100
    shop.local.emulator.misbehave("lose_request")
    shop.do("refund", "A-1", amount=100)
    shop.sells("A-3")
    shop.engine.close()


def test_a_store_that_only_grew_holds(path, sealed):
    seals = sealed()
    live_on(path)
    assert found(path, seals) == []
    seals = sealed()
    assert found(path, seals) == []
    assert [seal.summary.chains for seal in seals] == [4, 5]


def test_a_chain_written_anew_is_found(path, sealed, tmp_path):
    seals = sealed()
    shop_in(tmp_path / "other.db", captured=800).engine.close()
    replace(path, "A-2", tmp_path / "other.db")
    assert found(path, seals) == [("A-2", 1, "sealed_differs")]


def test_between_two_seals_the_first_event_changed_is_known_more_closely(
    path, sealed, tmp_path
):
    other = back_up(path, tmp_path / "other.db")
    sealed()
    for file, amount in ((path, 100), (other, 200)):
        store = SQLiteStore(file)
        shop = opened(store)
        shop.asked = 200
        shop.do("refund", "A-1", amount=amount)
        shop.engine.close()
    seals = sealed()
    replace(path, "A-1", other)
    store = SQLiteStore(path)
    (fault,) = verify(store, seals=seals).faults.first
    store.close()
    assert (fault.transaction, fault.number, fault.code) == ("A-1", 6, "sealed_differs")
    assert fault.detail == "6-7, 2024-07-01 13:00:00Z"


def test_a_whole_store_written_anew_is_found(path, sealed, tmp_path):
    """The owner had everything happen again, with a little less captured."""
    seals = sealed()
    shop_in(tmp_path / "other.db", captured=899).engine.close()
    restore(tmp_path / "other.db", path)
    assert found(path, seals) == [
        ("A-1", 1, "sealed_differs"),
        ("A-2", 1, "sealed_differs"),
    ]


def test_a_transaction_gone_without_a_trace_is_found(path, sealed):
    seals = sealed()
    for name in ("A-1", "R-1-a"):
        remove(path, name)
    assert found(path, seals) == [
        ("A-1", 1, "sealed_missing"),
        ("R-1-a", 1, "sealed_missing"),
    ]


def test_a_tail_cut_off_with_the_state_set_back_is_found(path, sealed, tmp_path):
    backup = back_up(path, tmp_path / "old.db")
    live_on(path)
    seals = sealed()
    replace(path, "A-1", backup)
    assert found(path, seals) == [("A-1", 6, "sealed_cut")]


def test_an_old_backup_restored_is_found(path, sealed, tmp_path):
    backup = back_up(path, tmp_path / "old.db")
    live_on(path)
    seals = sealed()
    restore(backup, path)
    assert found(path, seals) == [
        ("A-1", 6, "sealed_cut"),
        ("A-3", 1, "sealed_missing"),
    ]


def test_a_backup_older_than_all_transactions_is_found(path, sealed, tmp_path):
    seals = sealed()
    SQLiteStore(tmp_path / "new.db").close()
    restore(tmp_path / "new.db", path)
    lifecycles = seals[0].summary.lifecycles
    assert found(path, seals) == [
        *((name, 1, "sealed_missing") for name in ("A-1", "A-2", "R-1", "R-1-a")),
        *((lifecycle, None, "sealed_lifecycle") for lifecycle in lifecycles),
    ]


def test_a_lifecycle_exchanged_with_all_chains_under_it_is_found(path, sealed):
    """The charge is gone, and the file it ran under: an owner may have had a kinder one."""
    import sqlite3
    from contextlib import closing

    seals = sealed()
    remove(path, "R-1-a")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        ((gone,),) = database.execute(
            "SELECT hash FROM kessai_lifecycles WHERE name='charge'"
        )
        database.execute("DELETE FROM kessai_lifecycles WHERE name = 'charge'")
    assert found(path, seals) == [
        ("R-1-a", 1, "sealed_missing"),
        (gone, None, "sealed_lifecycle"),
    ]


def test_several_seals_name_what_the_oldest_of_them_saw(path, sealed):
    seals = sealed()
    live_on(path)
    seals = sealed()
    remove(path, "A-1")
    remove(path, "A-3")
    store = SQLiteStore(path)
    first, second = verify(store, seals=list(reversed(seals))).faults.first
    store.close()
    assert (first.transaction, first.detail) == ("A-1", "2024-07-01 12:00:00Z")
    assert (second.transaction, second.detail) == ("A-3", "2024-07-01 13:00:00Z")


def test_a_fault_that_needs_no_seal_is_told_as_such(path, sealed):
    import sqlite3
    from contextlib import closing

    seals = sealed()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "DELETE FROM kessai_events WHERE transaction_id='A-1' AND number=5"
        )
    store = SQLiteStore(path)
    (fault,) = verify(store, seals=seals).faults.first
    store.close()
    assert (fault.number, fault.code) == (5, "tail_cut")


def test_what_does_not_hold_is_not_sealed(path, tmp_path, key):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "DELETE FROM kessai_events WHERE transaction_id='A-1' AND number=5"
        )
    before = sorted(tmp_path.iterdir())
    store = SQLiteStore(path)
    made = write_seal(store, key, tmp_path / "seal", NOON)
    store.close()
    assert made.seal is None
    assert made.report.faults.count == 1
    assert sorted(tmp_path.iterdir()) == before


def test_what_does_not_go_on_from_the_seal_before_is_not_sealed(path, sealed):
    seals = sealed()
    remove(path, "A-1")
    assert sealed()[-1] is None
    assert len(seals) == 1


def test_a_chain_that_grows_while_it_is_sealed_is_sealed_as_it_was_read(tmp_path, key):
    class Busy:
        def __getattr__(self, name):
            return getattr(store, name)

        def transactions(self, now):
            shop.do("refund", "A-1", amount=1)
            shop.sells("A-2")
            return store.transactions(now)

    store = MemoryStore()
    shop = opened(store)
    shop.sells("A-1")
    seal = write_seal(Busy(), key, tmp_path / "seal", NOON).seal
    shop.do("refund", "A-1", amount=1)
    assert verify(store, seals=[seal]).holds
    versions = {chain.transaction: chain.version for chain in seal.chains()}
    assert versions == {"A-1": 7, "A-2": 5}


def test_a_seal_that_follows_one_that_was_not_given_is_told(path, sealed):
    sealed()
    _first, second = sealed()
    store = SQLiteStore(path)
    (alone,) = verify(store, seals=[second]).seals
    both = verify(store, seals=[second, _first]).seals
    store.close()
    assert alone.follows_unknown
    assert [seal.follows_unknown for seal in both] == [False, False]
