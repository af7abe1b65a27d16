"""`kessai import`: a file of what was carried out elsewhere becomes orders that go on."""

import json
import signal

import pytest

from kessai.stores import sqlite_file

BY = ("--evidence", "export of the old shop", "--actor", "sato")
AUTHORIZED = {
    "at": "2026-04-01T09:00:00Z",
    "key": "old-1",
    "command": "authorize",
    "transaction": "A-1",
    "lifecycle": "one_time",
    "amount": 1000,
    "references": {"intent": "pi_1"},
    "deadlines": {"authorization": "2026-04-20T09:00:00Z"},
}
CAPTURED = {
    "at": "2026-04-02T09:00:00Z",
    "key": "old-2",
    "command": "capture",
    "transaction": "A-1",
    "amount": 600,
}


@pytest.fixture
def imported(kessai, tmp_path):
    """Imports these lines into one store."""

    def imported(*lines, more=()):
        file = tmp_path / "old.jsonl"
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        file.write_text("\n".join(texts), "utf-8")
        return kessai("import", file, "--db", tmp_path / "new.db", *BY, *more)

    return imported


def test_what_is_imported_is_told_in_sums_and_can_be_looked_at(
    kessai, imported, tmp_path
):
    done = imported(AUTHORIZED, CAPTURED, more=("--json",))
    assert done.code == 0
    assert done.json == {
        "transactions": 1,
        "commands": 2,
        "denied": {},
        "succeeded.authorize": 1,
        "succeeded.capture": 1,
        "payment.captured": 1,
        "captured": 600,
        "refunded": 0,
    }
    found = kessai("tx", "list", "--db", tmp_path / "new.db", "--json")
    (order,) = found.json["transactions"]
    assert order["states"] == {"payment": "captured"}
    assert kessai("audit", "verify", "--db", tmp_path / "new.db").code == 0


def test_it_is_imported_once_however_often_the_file_is(imported):
    first = imported(AUTHORIZED, CAPTURED, more=("--json",)).json
    assert imported(AUTHORIZED, CAPTURED, more=("--json",)).json == first


def test_an_order_after_the_other_is_fine_whatever_their_times(imported):
    later = {**AUTHORIZED, "at": "2026-05-01T09:00:00Z"}
    earlier = {**AUTHORIZED, "key": "old-3", "transaction": "A-2", "references": {}}
    assert imported(later, earlier, more=("--json",)).json["transactions"] == 2


def test_a_line_that_the_rules_do_not_allow_is_told_and_the_others_are_imported(
    imported,
):
    other = {**AUTHORIZED, "key": "old-3", "transaction": "A-2", "references": {}}
    done = imported(AUTHORIZED, {**CAPTURED, "amount": 1001}, other)
    assert done.code == 3
    assert "line 2: A-1: The amount 1,001 JPY is above" in done.err


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("references", [], "references: a list; an object by name is right"),
        ("references", {"intent": 1}, "'intent': not one of references"),
        ("deadlines", {"authorization": "soon"}, "a time with its zone is right"),
        ("reference", {}, "unknown field 'reference'"),
    ],
)
def test_a_file_with_a_mistake_imports_nothing(imported, tmp_path, field, value, says):
    done = imported(AUTHORIZED, {**CAPTURED, field: value})
    assert done.code == 2
    assert says in done.err
    assert "old.jsonl:2:" in done.err
    assert not (tmp_path / "new.db").exists()


def test_a_command_file_says_nothing_of_what_a_gateway_stated(kessai, tmp_path):
    file = tmp_path / "orders.jsonl"
    file.write_text(json.dumps(AUTHORIZED), "utf-8")
    done = kessai("run", file, "--db", "memory:")
    assert done.code == 2
    assert "unknown field 'references'" in done.err


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2999-01-01T00:00:00Z", "old.jsonl:2:8: at: in the future"),
        ("2026-03-31T09:00:00Z", "old.jsonl:2:8: at: earlier than line 1 of the same"),
    ],
)
def test_what_cannot_be_an_orders_history_is_found_before_anything_is_written(
    imported, tmp_path, at, says
):
    done = imported(AUTHORIZED, {**CAPTURED, "at": at})
    assert done.code == 2
    assert says in done.err
    assert not (tmp_path / "new.db").exists()


def test_what_shows_only_in_the_store_is_told_with_its_line(imported):
    other = {**AUTHORIZED, "key": "old-3", "transaction": "A-2"}
    done = imported(AUTHORIZED, CAPTURED, other)
    assert done.code == 2
    assert "line 3: references: A-1 has intent pi_1 already" in done.err


def test_a_success_that_the_gateway_does_not_list_is_told_by_reconcile(
    kessai, imported, tmp_path
):
    imported(AUTHORIZED)
    told = kessai("reconcile", "--db", tmp_path / "new.db")
    assert told.code == 4
    assert "the gateway does not list it" in told.out


def test_an_empty_file_is_fine(imported):
    assert imported("", more=("--json",)).json["transactions"] == 0


def test_asked_to_stop_while_the_store_is_made_it_is_made_whole(
    imported, kessai, tmp_path, monkeypatch
):
    make = sqlite_file.make_durable

    def making(connection):
        signal.raise_signal(signal.SIGTERM)
        make(connection)

    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("broken off"))
    try:
        with monkeypatch.context() as patch:
            patch.setattr(sqlite_file, "make_durable", making)
            stopped = imported(AUTHORIZED)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert stopped.code == 130
    assert kessai("tx", "list", "--db", tmp_path / "new.db").code == 0
    assert imported(AUTHORIZED).code == 0


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_id_that_the_gateway_does_not_know_is_told_as_that(
    kessai, imported, tmp_path, language
):
    wrong = {
        **AUTHORIZED,
        "lifecycle": "card",
        "currency": "JPY",
        "references": {"payment_intent": "pi_wrong"},
    }
    at_stripe = ("--gateway", "emulator/stripe")
    assert imported(wrong, more=at_stripe).code == 0
    asked = ("reconcile", "--db", tmp_path / "new.db", *at_stripe)
    told = kessai(*asked, "--lang", language)
    assert told.code == 4
    sentence = {"en": "knows nothing under that id", "ja": "そのIDは見つからない"}
    assert sentence[language] in told.out
    (difference,) = kessai(*asked, "--json").json["differences"]
    assert difference["kind"] == "id_not_known"
