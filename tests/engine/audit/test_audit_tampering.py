"""What a thief with plain SQL changes is found, and the first bad event is named."""

import json

import pytest
from audited.shop import opened

from kessai.audit import verify


@pytest.fixture
def thief(thieves):
    return thieves


def test_before_the_thief_comes_all_is_well(thief):
    assert thief.faults() == []


def test_an_edited_event_is_found(thief):
    thief.edit("A-1", 6, b'"amount":300', b'"amount":299')
    assert thief.faults() == [("A-1", 6, "record_broken")]


def test_an_edited_event_with_a_new_hash_breaks_the_link_after_it(thief):
    thief.edit("A-1", 7, b'"exchange":"', b'"exchange":"9', rehash=True)
    assert thief.faults() == [("A-1", 8, "record_broken")]


def test_an_edited_last_event_with_a_new_hash_is_not_the_one_the_state_names(thief):
    thief.edit("A-1", 9, b'"exchange":"', b'"exchange":"9', rehash=True)
    assert thief.faults() == [("A-1", None, "state_differs")]


def test_an_edited_amount_with_a_new_hash_does_not_fit_its_request(thief):
    thief.edit("A-1", 8, b'"amount":300', b'"amount":299', rehash=True)
    assert thief.faults() == [("A-1", 8, "request_differs")]


def test_a_removed_event_is_found(thief):
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'A-1' AND number = 6")
    assert thief.faults() == [("A-1", 6, "event_missing")]


def test_a_removed_event_whose_gap_was_closed_is_found(thief):
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'A-1' AND number = 6")
    for number in (7, 8, 9):
        thief.run(
            "UPDATE kessai_events SET number = number - 1"
            " WHERE transaction_id = 'A-1' AND number = ?",
            number,
        )
    assert thief.faults() == [("A-1", 6, "record_broken")]


def test_swapped_events_are_found(thief):
    for old, new in ((6, 0), (8, 6), (0, 8)):
        thief.run(
            "UPDATE kessai_events SET number = ? WHERE transaction_id = 'A-1' AND number = ?",
            new,
            old,
        )
    assert thief.faults() == [
        ("A-1", 6, "record_broken"),
        ("A-1", 7, "position_wrong"),
        ("A-1", 8, "position_wrong"),
    ]


def test_an_event_of_another_transaction_in_its_place_is_found(thief):
    thief.rewrite("A-1", 4, thief.body("A-2", 4), rehash=True)
    assert thief.faults() == [("A-1", 4, "record_broken")]


def test_a_cut_off_tail_is_found(thief):
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'A-1' AND number > 7")
    assert thief.faults() == [("A-1", 8, "tail_cut")]


def test_a_state_set_back_to_an_earlier_one_is_found(thief):
    state = thief.run("SELECT * FROM kessai_states WHERE id = 'A-2'")[0]
    store = thief.open()
    shop = opened(store)
    shop.local.emulator.misbehave("lose_request")
    shop.do("refund", "A-2", amount=1)
    store.close()
    thief.run("DELETE FROM kessai_states WHERE id = 'A-2'")
    values = ", ".join("?" * len(state))
    thief.run(f"INSERT INTO kessai_states VALUES ({values})", *state)  # noqa: S608
    assert thief.faults() == [("A-2", 6, "tail_surplus")]


def test_an_edited_amount_of_a_state_is_found_and_named(thief):
    thief.edit_state("A-1", b'"refunded":600', b'"refunded":300')
    store = thief.open()
    (fault,) = verify(store).faults.first
    store.close()
    assert (fault.transaction, fault.code) == ("A-1", "state_differs")
    assert fault.detail == "amounts.refunded 300, not 600"


@pytest.mark.parametrize(
    "column",
    [
        "version = 4",
        "lifecycle = 'charge'",
        "open_since = '2024-01-01T00:00:00Z'",
        "id = 'B'",
    ],
)
def test_a_column_that_contradicts_its_row_is_found(thief, column):
    thief.run(f"UPDATE kessai_states SET {column} WHERE id = 'A-2'")  # noqa: S608
    found = [fault for fault in thief.faults() if fault[2] == "state_unreadable"]
    assert found == [("B" if column.startswith("id") else "A-2", None, found[0][2])]


def test_a_state_of_rubbish_is_found_and_the_rest_is_read(thief):
    thief.run("UPDATE kessai_states SET state = ? WHERE id = 'A-2'", b"{")
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'R-1-a' AND number = 2")
    assert thief.faults() == [
        ("A-2", None, "state_unreadable"),
        ("R-1-a", 2, "tail_cut"),
    ]


def test_a_vanished_transaction_is_found_by_its_trail(thief):
    thief.run("DELETE FROM kessai_states WHERE id = 'A-2'")
    assert thief.faults() == [("A-2", None, "transaction_missing")]


def test_a_vanished_trail_is_found_by_its_transaction(thief):
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'A-2'")
    assert thief.faults() == [("A-2", None, "trail_missing")]


def test_a_vanished_agreement_is_missed_by_its_charges(thief):
    thief.run("DELETE FROM kessai_states WHERE id = 'R-1'")
    thief.run("DELETE FROM kessai_events WHERE transaction_id = 'R-1'")
    assert thief.faults() == [
        ("R-1", 1, "transaction_gone"),
        ("R-1-a", 1, "agreement_unproven"),
    ]


def test_a_changed_lifecycle_file_is_found_by_the_events_bound_to_it(thief):
    ((document,),) = thief.run(
        "SELECT document FROM kessai_lifecycles WHERE name = 'one_time'"
    )
    kinder = document.replace(b"10_000_000", b"99_000_000")
    assert kinder != document
    thief.run(
        "UPDATE kessai_lifecycles SET document = ? WHERE name = 'one_time'", kinder
    )
    thief.run("DELETE FROM kessai_lifecycles WHERE name = 'charge'")
    assert thief.faults() == [
        ("A-1", 1, "lifecycle_unknown"),
        ("A-2", 1, "lifecycle_unknown"),
        ("R-1-a", 1, "lifecycle_unknown"),
    ]


def test_an_event_bound_to_another_file_is_found(thief):
    ((other,),) = thief.run("SELECT hash FROM kessai_lifecycles WHERE name = 'charge'")
    data = json.loads(thief.body("A-2", 5))
    body = json.dumps({**data, "lifecycle": other}, separators=(",", ":")).encode()
    thief.rewrite("A-2", 5, body, rehash=True)
    assert thief.faults() == [("A-2", 5, "lifecycle_differs")]
