"""A trail is audited page by page: memory stays flat, and what is found is the same."""

from contextlib import closing
from datetime import UTC, datetime
from functools import partial

import pytest
from audited.shop import opened
from big_store import gathered, make_long, peak

from kessai import SQLiteStore
from kessai.audit import verify, write_seal
from kessai.audit.archiving import archive
from kessai.audit.coverage.totals import from_store
from kessai.audit.reporting import render
from kessai.audit.sealing import new_private_key, read_private_key, read_seal
from kessai.audit.verification import replay, stored
from kessai.audit.verification.fast_path import walk
from kessai.flow.archive import Archivable
from kessai.stores import reading, sqlite

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
SHORT, LONG = 400, 1_600


@pytest.fixture
def in_pages(monkeypatch):
    """Makes every trail a long one that has more events than it is given."""

    def patch(events):
        for module in (reading, sqlite, stored):
            monkeypatch.setattr(module, "PAGE", events)
        for module in (replay, walk):
            monkeypatch.setattr(module, "HISTORY", 1)

    return patch


@pytest.fixture(scope="module")
def trails(tmp_path_factory):
    """Two stores, each with one transaction: one of many events, one of many more."""
    folder = tmp_path_factory.mktemp("long")
    paths = {count: folder / f"{count}.db" for count in (SHORT, LONG)}
    for count, path in paths.items():
        make_long(path, count)
    return paths


@pytest.mark.parametrize("audit", [verify, gathered, from_store])
def test_four_times_the_events_of_a_transaction_take_no_more_memory(
    trails, audit, in_pages
):
    in_pages(50)
    peak(audit, trails[SHORT])  # what is compiled and read once stays
    _, little = peak(audit, trails[SHORT])
    _, much = peak(audit, trails[LONG])
    assert much < 1.5 * little


def test_sealing_a_long_trail_takes_no_more_memory(trails, tmp_path, in_pages):
    in_pages(50)
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")

    def sealed(count, name):
        sealing = partial(write_seal, key=key, path=tmp_path / name, now=NOON)
        made, most = peak(sealing, trails[count])
        assert made.seal.summary.events == count
        return most

    sealed(SHORT, "first")
    assert sealed(LONG, "long") < 1.5 * sealed(SHORT, "short")


def looked_at(path, seals=()):
    """All that audits find in a store."""
    with closing(SQLiteStore(path)) as store:
        facts = gathered(store)
        return (
            verify(store, seals=seals),
            render(facts, "json"),
            facts.heads,
        )


ALTERATIONS = {
    "nothing": "SELECT 1",
    "an event edited": """UPDATE kessai_events
        SET body = CAST(replace(CAST(body AS TEXT), '900', '901') AS BLOB)
        WHERE transaction_id = 'A-1' AND number = 4""",
    "an event gone": """DELETE FROM kessai_events
        WHERE transaction_id = 'A-1' AND number = 4""",
    "the first events gone": """DELETE FROM kessai_events
        WHERE transaction_id = 'A-1' AND number < 4""",
    "the tail gone": """DELETE FROM kessai_events
        WHERE transaction_id = 'A-1' AND number > 3""",
    "an event before the first": """INSERT INTO kessai_events
        SELECT transaction_id, -9223372036854775808, body, hash, moved, 0
        FROM kessai_events WHERE transaction_id = 'A-1' AND number = 1""",
    "movements gone": """UPDATE kessai_events SET moved = NULL
        WHERE transaction_id = 'A-1' AND number > 3""",
    "a state gone": "DELETE FROM kessai_states WHERE id = 'A-1'",
    "a trail gone": "DELETE FROM kessai_events WHERE transaction_id = 'A-1'",
    "an answer gone": """DELETE FROM kessai_answers WHERE key IN
        (SELECT max(key) FROM kessai_answers WHERE transaction_id = 'A-1')""",
    "answers of another outcome": """UPDATE kessai_answers SET outcome = 'declined'
        WHERE transaction_id = 'A-1'""",
    "answers edited": """UPDATE kessai_answers SET recorded =
        CAST(replace(CAST(recorded AS TEXT), 'succeeded', 'declined') AS BLOB)""",
    "an answer too many": """INSERT INTO kessai_answers
        SELECT 'mine', transaction_id, outcome, recorded
        FROM kessai_answers WHERE transaction_id = 'A-1' LIMIT 1""",
    "an answer moved": """UPDATE kessai_answers SET transaction_id = 'A-2' WHERE key IN
        (SELECT min(key) FROM kessai_answers WHERE transaction_id = 'A-1')""",
    "one answer for all": """UPDATE kessai_answers SET recorded =
        (SELECT min(recorded) FROM kessai_answers WHERE transaction_id = 'A-1')""",
}


@pytest.mark.parametrize("statement", ALTERATIONS.values(), ids=ALTERATIONS)
def test_what_is_found_in_pages_is_what_is_found_in_a_whole(thief, statement, in_pages):
    thief.run(statement)
    whole = looked_at(thief.path)
    assert whole[0].holds == (statement == "SELECT 1")
    in_pages(3)
    assert looked_at(thief.path) == whole


def test_a_forgotten_text_is_declared_on_a_later_page(path, tmp_path, in_pages):
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    with closing(SQLiteStore(path)) as store:
        shop = opened(store)
        shop.asked = 100  # keys that nobody has
        gift = {"note": "for Ms Matsumoto"}
        what = {"lifecycle": "one_time", "amount": 1000, "parameters": gift}
        shop.do("authorize", "A-9", **what)
        shop.resolve("A-9")
        shop.do("capture", "A-9", amount=900)
        write_seal(store, key, tmp_path / "seal", NOON)
        shop.engine.forget("A-9", reason="asked for", actor="sato")
    seals = [read_seal(tmp_path / "seal", key.public)]
    whole = looked_at(path, seals)
    in_pages(3)
    assert looked_at(path, seals) == whole
    assert (whole[0].holds, whole[0].unsealed) == (True, 1)


def test_an_archived_trail_has_the_hashes_of_all_its_pages(path, tmp_path, in_pages):
    with closing(SQLiteStore(path)) as store:
        shop, archived = opened(store), tmp_path / "2024.db"
        shop.asked = 100  # keys that nobody has
        shop.sells("A-5")
        shop.do("refund", "A-5", amount=900)
        ended = Archivable(until=NOON)
        assert archive(shop.engine, archived, ended, actor="sato").moved == 1
    whole = looked_at(path), looked_at(archived)
    in_pages(3)
    assert (looked_at(path), looked_at(archived)) == whole
    assert all(each[0].holds for each in whole)


def test_a_seal_ends_on_any_page(path, tmp_path, in_pages):
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    with closing(SQLiteStore(path)) as store:
        seal = write_seal(store, key, tmp_path / "seal", NOON).seal
        shop = opened(store)
        shop.asked = 100  # keys that nobody has
        shop.do("refund", "A-1", amount=1)
    in_pages(3)
    assert looked_at(path, [seal])[0].holds
    with closing(SQLiteStore(path)) as store:
        later = NOON.replace(hour=13)
        assert write_seal(store, key, tmp_path / "next", later, [seal]).seal
