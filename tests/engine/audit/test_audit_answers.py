"""What stands under the keys, against the trails."""

import json

import pytest


@pytest.fixture
def thief(thieves):
    return thieves


def keys_of(thief, transaction):
    found = thief.run(
        "SELECT key FROM kessai_answers WHERE transaction_id = ? ORDER BY key",
        transaction,
    )
    return [key for (key,) in found]


def rewrite(thief, key, **changes):
    ((recorded,),) = thief.run("SELECT recorded FROM kessai_answers WHERE key = ?", key)
    changed = json.dumps({**json.loads(recorded), **changes}).encode()
    thief.run("UPDATE kessai_answers SET recorded = ? WHERE key = ?", changed, key)


def test_a_deleted_answer_is_missed_by_the_event_that_left_it(thief):
    _authorized, captured, *_ = keys_of(thief, "A-1")
    thief.run("DELETE FROM kessai_answers WHERE key = ?", captured)
    assert thief.faults() == [("A-1", 4, "answer_missing")]


def test_an_answer_with_another_outcome_is_found(thief):
    *_, refunded = keys_of(thief, "A-1")
    rewrite(thief, refunded, outcome="declined")
    thief.run("UPDATE kessai_answers SET outcome = 'declined' WHERE key = ?", refunded)
    assert thief.faults() == [("A-1", 8, "answer_differs")]


@pytest.mark.parametrize(
    "change", [{"request": "0" * 64}, {"operation": "A-1.8"}, {"command": "cancel"}]
)
def test_an_answer_about_something_else_is_found(thief, change):
    _authorized, captured, *_ = keys_of(thief, "A-1")
    rewrite(thief, captured, **change)
    assert thief.faults() == [("A-1", 4, "answer_differs")]


@pytest.mark.parametrize("recorded", [b"{", b'{"key":"x"}', b"\xff"])
def test_an_answer_of_rubbish_is_found(thief, recorded):
    _authorized, captured, *_ = keys_of(thief, "A-1")
    thief.run(
        "UPDATE kessai_answers SET recorded = ? WHERE key = ?", recorded, captured
    )
    assert thief.faults() == [("A-1", 4, "answer_differs")]


def test_an_answer_under_a_key_of_its_own_is_found(thief):
    thief.run(
        "INSERT INTO kessai_answers SELECT 'mine', transaction_id, outcome, recorded"
        " FROM kessai_answers WHERE transaction_id = 'A-1' LIMIT 1"
    )
    assert thief.faults() == [("A-1", None, "answer_differs")]


def test_an_answer_moved_to_another_transaction_is_found_there(thief):
    _authorized, captured, *_ = keys_of(thief, "A-1")
    thief.run(
        "UPDATE kessai_answers SET transaction_id = 'A-2' WHERE key = ?", captured
    )
    assert thief.faults() == [("A-2", None, "answer_differs")]


def test_a_transaction_gone_from_everywhere_else_is_found_by_its_answers(thief):
    for table, column in (
        ("kessai_events", "transaction_id"),
        ("kessai_states", "id"),
    ):
        thief.run(f"DELETE FROM {table} WHERE {column} = 'A-2'")  # noqa: S608
    assert thief.faults() == [("A-2", 1, "transaction_gone")]
