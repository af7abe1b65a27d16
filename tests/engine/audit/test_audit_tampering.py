"""What a thief with plain SQL changes is found, and the first bad event is named."""

import json

import pytest
from audited.shop import opened
from audited.thief import faults

from kessai import SQLiteStore
from kessai.audit import verify


def test_before_the_thief_comes_all_is_well(path):
    assert faults(path) == []


def test_an_edited_event_is_found(path, thief):
    thief.edit("A-1", 6, b'"amount":300', b'"amount":299')
    assert faults(path) == [("A-1", 6, "record_broken")]


def test_an_edited_event_with_a_new_hash_breaks_the_link_after_it(path, thief):
    thief.edit("A-1", 7, b'"exchange":"', b'"exchange":"9', rehash=True)
    assert faults(path) == [("A-1", 8, "record_broken")]


def test_an_edited_last_event_with_a_new_hash_is_not_the_one_the_state_names(
    path, thief
):
    thief.edit("A-1", 9, b'"exchange":"', b'"exchange":"9', rehash=True)
    assert faults(path) == [("A-1", None, "state_differs")]


def test_an_edited_amount_with_a_new_hash_does_not_fit_its_request(path, thief):
    thief.edit("A-1", 8, b'"amount":300', b'"amount":299', rehash=True)
    assert faults(path) == [("A-1", 8, "request_differs")]


def test_a_removed_event_is_found(path, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-1' AND number = 6")
    assert faults(path) == [("A-1", 6, "event_missing")]


def test_a_removed_event_whose_gap_was_closed_is_found(path, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-1' AND number = 6")
    for number in (7, 8, 9):
        thief.run(
            "UPDATE events SET number = number - 1"
            " WHERE transaction_id = 'A-1' AND number = ?",
            number,
        )
    assert faults(path) == [("A-1", 6, "record_broken")]


def test_swapped_events_are_found(path, thief):
    for old, new in ((6, 0), (8, 6), (0, 8)):
        thief.run(
            "UPDATE events SET number = ? WHERE transaction_id = 'A-1' AND number = ?",
            new,
            old,
        )
    assert faults(path) == [("A-1", 6, "record_broken")]


def test_an_event_of_another_transaction_in_its_place_is_found(path, thief):
    thief.rewrite("A-1", 4, thief.body("A-2", 4), rehash=True)
    assert faults(path) == [("A-1", 4, "record_broken")]


def test_a_cut_off_tail_is_found(path, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-1' AND number > 7")
    assert faults(path) == [("A-1", 8, "tail_cut")]


def test_a_state_set_back_to_an_earlier_one_is_found(path, thief):
    state = thief.run("SELECT * FROM transactions WHERE id = 'A-2'")[0]
    store = SQLiteStore(path)
    shop = opened(store)
    shop.local.emulator.misbehave("lose_request")
    shop.do("refund", "A-2", amount=1)
    store.close()
    thief.run("DELETE FROM transactions WHERE id = 'A-2'")
    values = ", ".join("?" * len(state))
    thief.run(f"INSERT INTO transactions VALUES ({values})", *state)  # noqa: S608
    assert faults(path) == [("A-2", 6, "tail_surplus")]


def test_an_edited_amount_of_a_state_is_found_and_named(path, thief):
    thief.edit_state("A-1", b'"refunded":600', b'"refunded":300')
    store = SQLiteStore(path)
    (fault,) = verify(store).faults.first
    store.close()
    assert (fault.transaction, fault.code) == ("A-1", "state_differs")
    assert fault.detail == "amounts.refunded 300, not 600"


@pytest.mark.parametrize(
    "column", ["version = 4", "lifecycle = 'charge'", "open_since = '2024'", "id = 'B'"]
)
def test_a_column_that_contradicts_its_row_is_found(path, thief, column):
    thief.run(f"UPDATE transactions SET {column} WHERE id = 'A-2'")  # noqa: S608
    found = [fault for fault in faults(path) if fault[2] == "state_unreadable"]
    assert found == [("B" if column.startswith("id") else "A-2", None, found[0][2])]


def test_a_state_of_rubbish_is_found_and_the_rest_is_read(path, thief):
    thief.run("UPDATE transactions SET state = x'7b' WHERE id = 'A-2'")
    thief.run("DELETE FROM events WHERE transaction_id = 'R-1-a' AND number = 2")
    assert faults(path) == [
        ("A-2", None, "state_unreadable"),
        ("R-1-a", 2, "tail_cut"),
    ]


def test_a_vanished_transaction_is_found_by_its_trail(path, thief):
    thief.run("DELETE FROM transactions WHERE id = 'A-2'")
    assert faults(path) == [("A-2", None, "transaction_missing")]


def test_a_vanished_trail_is_found_by_its_transaction(path, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-2'")
    assert faults(path) == [("A-2", None, "trail_missing")]


def test_a_vanished_agreement_is_missed_by_its_charges(path, thief):
    thief.run("DELETE FROM transactions WHERE id = 'R-1'")
    thief.run("DELETE FROM events WHERE transaction_id = 'R-1'")
    assert faults(path) == [
        ("R-1", 1, "transaction_gone"),
        ("R-1-a", 1, "agreement_unproven"),
    ]


def test_a_changed_lifecycle_file_is_found_by_the_events_bound_to_it(path, thief):
    ((document,),) = thief.run(
        "SELECT document FROM lifecycles WHERE name = 'one_time'"
    )
    kinder = document.replace(b"10_000_000", b"99_000_000")
    assert kinder != document
    thief.run("UPDATE lifecycles SET document = ? WHERE name = 'one_time'", kinder)
    thief.run("DELETE FROM lifecycles WHERE name = 'charge'")
    assert faults(path) == [
        ("A-1", 1, "lifecycle_unknown"),
        ("A-2", 1, "lifecycle_unknown"),
        ("R-1-a", 1, "lifecycle_unknown"),
    ]


def test_an_event_bound_to_another_file_is_found(path, thief):
    ((other,),) = thief.run("SELECT hash FROM lifecycles WHERE name = 'charge'")
    data = json.loads(thief.body("A-2", 5))
    body = json.dumps({**data, "lifecycle": other}, separators=(",", ":")).encode()
    thief.rewrite("A-2", 5, body, rehash=True)
    assert faults(path) == [("A-2", 5, "lifecycle_differs")]
