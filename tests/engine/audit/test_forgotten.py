"""Forgotten texts and the audit: a declared removal holds, any other is found."""

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from audited.shop import forge, opened
from audited.thief import Thief

from kessai import SQLiteStore
from kessai.audit import verify, write_seal
from kessai.audit.sealing import new_private_key, read_private_key, read_seal
from kessai.machine import Forgotten
from kessai.machine.forgotten import without_texts

NOON = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2024, 7, 2, 12, 0, tzinfo=UTC)
WHY = {"reason": "asked for", "actor": "sato"}
GIFT = "for Ms Matsumoto"
NAME = "A-9"


@pytest.fixture
def sold(thieves):
    """A sale with a note, its texts not yet forgotten."""
    with closing(thieves.open()) as store:
        shop = opened(store)
        shop.asked = 100  # keys that nobody has
        note = {"note": GIFT}
        shop.do("authorize", NAME, lifecycle="one_time", amount=1000, parameters=note)
        shop.resolve(NAME)
        shop.do("capture", NAME, amount=900)
    return thieves


@pytest.fixture
def forgotten(sold):
    """The same with its texts forgotten, by event 6."""
    with closing(sold.open()) as store:
        opened(store).engine.forget(NAME, **WHY)
    return sold


def test_a_seal_made_before_still_checks(sold, tmp_path):
    new_private_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    with closing(sold.open()) as store:
        assert write_seal(store, key, tmp_path / "seal", NOON).seal
        opened(store).engine.forget(NAME, **WHY)
        seal = read_seal(tmp_path / "seal", key.public)
        report = verify(store, seals=[seal])
        seals = [seal, write_seal(store, key, tmp_path / "next", LATER, [seal]).seal]
        again = verify(store, seals=seals)
    assert report.holds
    assert report.kinds["forgotten"] == 1
    assert (report.unsealed, again.unsealed) == (
        1,
        0,
    )  # the next seal binds what is left


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"amount":1000', b'"amount":1001'),
        (b"[forgotten]", GIFT.encode()),
        (b"[forgotten]", b"another text"),
        (b'"note":"[forgotten]"', b""),
    ],
    ids=["amount", "text put back", "another text", "field removed"],
)
def test_what_is_left_of_a_record_cannot_be_changed(forgotten, old, new):
    assert forgotten.faults() == []
    forgotten.edit(NAME, 1, old, new)
    assert forgotten.faults() == [(NAME, 1, "record_broken")]


def test_a_text_that_nobody_declared_as_forgotten_is_missed(sold):
    left = without_texts(sold.body(NAME, 1))
    sold.rewrite(NAME, 1, left.body, rehash=False)
    assert sold.faults() == [(NAME, 1, "record_broken")]


def test_a_declaration_that_was_removed_is_missed(forgotten):
    forgotten.run(
        "DELETE FROM kessai_events WHERE transaction_id = ? AND number = 6", NAME
    )
    assert forgotten.faults() == [(NAME, 1, "record_broken")]


def test_only_texts_can_be_declared_as_forgotten(sold):
    """A declared record without the mark of a text, or before its texts are gone."""
    body = sold.body(NAME, 4)
    bent = body.replace(b'"amount":900', b'"amount":901')
    assert bent != body
    _declares(sold, 4, without_texts(bent).digest)
    sold.rewrite(NAME, 4, bent, rehash=False)
    assert sold.faults() == [(NAME, 4, "record_broken")]


@pytest.mark.parametrize("number", [6, 7, 0])
def test_only_what_came_before_can_be_declared(sold, number):
    _declares(sold, number, "0" * 64)
    ((name, event, code),) = sold.faults()
    assert (name, event) == (NAME, 6)
    assert code == ("record_broken" if number == event else "not_allowed")


def _declares(thief, number, digest):
    with closing(thief.open()) as store:
        forge(store, NAME, Forgotten(NOON, "sato", "x", {str(number): digest}))


def test_nothing_of_a_forgotten_text_is_left_in_the_file(tmp_path):
    """Nor in its log: not of the event, of an answer, or of the state while it was open."""
    path = tmp_path / "shop.db"
    with closing(SQLiteStore(path)) as store:
        shop = opened(store)
        for number in range(20):
            note = {"note": f"{GIFT} {number}"}
            name = f"A-{number}"
            shop.do("authorize", name, lifecycle="one_time", amount=9, parameters=note)
            shop.resolve(name)
        assert GIFT.encode() in _files(path)
        shop.engine.forget(*(f"A-{number}" for number in range(20)), **WHY)
        assert GIFT.encode() not in _files(path)
        assert verify(store).holds
    assert json.loads(Thief(path).body("A-0", 1))["data"]["operation"]["amount"] == 9


def _files(path):
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
