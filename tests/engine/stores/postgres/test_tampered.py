"""What a thief with the password of the server changes is found there as well."""

import pytest
from audited.shop import opened
from audited.thief import Thief, faults_in

psycopg = pytest.importorskip("psycopg")


class PasswordThief(Thief):
    """The same thief before PostgreSQL."""

    def run(self, sql, *values):
        with psycopg.connect(self.path, autocommit=True) as server:
            done = server.execute(sql.replace("?", "%s"), values)
            return done.fetchall() if done.description else []


@pytest.fixture
def store(postgres):
    """A sale (five events) with two refunds of 300 (nine), another sale, a charge."""
    store = postgres()
    shop = opened(store)
    shop.sells("A-1")
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=300)
    shop.sells("A-2")
    shop.agrees()
    shop.charges()
    return store


@pytest.fixture
def thief(url, store):
    return PasswordThief(url)


def test_before_the_thief_comes_all_is_well(store):
    assert faults_in(store) == []


def test_an_edited_event_is_found(store, thief):
    thief.edit("A-1", 6, b'"amount":300', b'"amount":299')
    assert faults_in(store) == [("A-1", 6, "record_broken")]


def test_an_edited_event_with_a_new_hash_breaks_the_link_after_it(store, thief):
    thief.edit("A-1", 7, b'"exchange":"', b'"exchange":"9', rehash=True)
    assert faults_in(store) == [("A-1", 8, "record_broken")]


def test_an_edited_amount_with_a_new_hash_does_not_fit_its_request(store, thief):
    thief.edit("A-1", 8, b'"amount":300', b'"amount":299', rehash=True)
    assert faults_in(store) == [("A-1", 8, "request_differs")]


def test_a_removed_event_is_found(store, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-1' AND number = 6")
    assert faults_in(store) == [("A-1", 6, "event_missing")]


def test_a_cut_off_tail_is_found(store, thief):
    thief.run("DELETE FROM events WHERE transaction_id = 'A-1' AND number > 7")
    assert faults_in(store) == [("A-1", 8, "tail_cut")]


def test_an_event_of_another_transaction_in_its_place_is_found(store, thief):
    thief.rewrite("A-1", 4, thief.body("A-2", 4), rehash=True)
    assert faults_in(store) == [("A-1", 4, "record_broken")]


@pytest.mark.parametrize(
    "edit",
    [
        {"states": {"payment": "refunded"}},
        {"amounts": {"refunded": 300}},
        {"flags": {"details": 1}},
        {"currency": "USD"},
        {"agreement": "P-1"},
    ],
    ids=str,
)
def test_an_edited_state_is_found(edit, store, thief):
    thief.merge_into_state("A-1", edit)
    assert faults_in(store) == [("A-1", None, "state_differs")]


@pytest.mark.parametrize(
    "column", ["version = 4", "due_at = now(), open_since = now()"]
)
def test_a_column_that_contradicts_its_row_is_found(column, store, thief):
    thief.run(f"UPDATE transactions SET {column} WHERE id = 'A-2'")  # noqa: S608
    assert faults_in(store) == [("A-2", None, "state_unreadable")]


def test_an_answer_that_vanished_is_found(store, thief):
    thief.run("DELETE FROM answers WHERE key = 'key-0002'")
    ((name, _, code),) = faults_in(store)
    assert (name, code) == ("A-1", "answer_missing")


def test_a_vanished_transaction_is_found_by_its_trail(store, thief):
    thief.run("DELETE FROM transactions WHERE id = 'A-2'")
    assert faults_in(store) == [("A-2", None, "transaction_missing")]


def test_a_changed_lifecycle_file_is_found_by_the_events_bound_to_it(store, thief):
    ((document,),) = thief.run(
        "SELECT document FROM lifecycles WHERE name = 'one_time'"
    )
    kinder = document.replace(b"10_000_000", b"99_000_000")
    assert kinder != document
    thief.run("UPDATE lifecycles SET document = ? WHERE name = 'one_time'", kinder)
    assert faults_in(store) == [
        ("A-1", 1, "lifecycle_unknown"),
        ("A-2", 1, "lifecycle_unknown"),
    ]
