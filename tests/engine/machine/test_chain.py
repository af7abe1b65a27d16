"""The trail cannot be bent unseen: an edit, another place, another transaction."""

import hashlib

import msgspec
import pytest
from msgspec.structs import replace

from kessai.errors import TrailBroken
from kessai.machine import (
    Archived,
    Closed,
    Denied,
    Discrepancy,
    Forgotten,
    Record,
    read_events,
    read_record,
)
from kessai.machine.chain import is_removed, is_whole, numbered, read_but_denials
from kessai.machine.forgotten import without_texts


@pytest.fixture
def records(story):
    return story("one_time", "authorize 1000, capture 600, refund 100").records


def forged(record, **changes):
    """`record` with fields of its body replaced and its hash made to fit."""
    body = {**msgspec.json.decode(record.body), **changes}
    raw = msgspec.json.encode(body, order="sorted")
    return replace(record, body=raw, hash=hashlib.sha256(raw).hexdigest())


def rehashed(record, raw):
    return replace(record, body=raw, hash=hashlib.sha256(raw).hexdigest())


def test_a_trail_that_nobody_touched_reads_back(records, story):
    lifecycle = story("one_time").machine.lifecycle
    head = ""
    for number, record in enumerate(records, start=1):
        read = read_record(record, head)
        assert record.number == number
        assert read.lifecycle == lifecycle.hash
        head = record.hash


def test_a_trail_is_read_back_to_the_events_that_it_was_made_of(story):
    past = story("one_time", "authorize 1000, capture 600, refund 100")
    assert list(read_events(past.records)) == past.events


@pytest.mark.parametrize("index", range(6))
def test_an_edit_is_found(records, index):
    record = records[index]
    raw = record.body.replace(b"order-1", b"order-2", 1)
    records[index] = replace(record, body=raw)
    with pytest.raises(TrailBroken) as broken:
        list(read_events(records))
    assert str(broken.value) == (
        f"event {index + 1} of order-1: its bytes do not have its hash"
    )


def test_an_edit_with_a_hash_to_fit_is_found_at_the_next_event(records):
    records[2] = forged(records[2], kind="discrepancy")
    with pytest.raises(TrailBroken):
        list(read_events(records))
    data = msgspec.json.decode(records[1].body)["data"]
    fine = forged(records[1], data={**data, "at": "2026-01-01T00:00:00Z"})
    with pytest.raises(TrailBroken, match="event 3 of order-1: its 'previous'"):
        list(read_events([records[0], fine, *records[2:]]))


@pytest.mark.parametrize("gone", range(5))
def test_a_removal_is_found(records, gone):
    with pytest.raises(TrailBroken, match="its 'previous' is not what its place"):
        list(read_events(records[:gone] + records[gone + 1 :]))


def test_a_reordering_is_found(records):
    records[2], records[3] = records[3], records[2]
    with pytest.raises(TrailBroken):
        list(read_events(records))


def test_a_number_that_the_body_does_not_have_is_found(records):
    records[3] = replace(records[3], number=7)
    with pytest.raises(TrailBroken, match="its 'number' is not what its place"):
        list(read_events(records))


def test_an_event_of_another_transaction_is_found(records, story):
    other = story("one_time", "authorize 1000", "order-2").records
    stolen = replace(other[0], transaction="order-1")
    with pytest.raises(TrailBroken, match="its 'transaction' is not what its place"):
        list(read_events([stolen, *records[1:]]))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"a":"\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an event"),
        (b"null", "not an event"),
        (b"{}", "its 'number' is not what its place in the chain demands"),
    ],
)
def test_what_is_no_event_breaks_the_trail_and_is_told_with_its_place(
    records, raw, message
):
    with pytest.raises(TrailBroken) as broken:
        read_record(rehashed(records[0], raw), "")
    assert str(broken.value) == f"event 1 of order-1: {message}"


NO_OBJECT = "not a 'begun' event: its data are no object"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "x"}, "'x' is not a kind of event"),
        ({"kind": None}, "'None' is not a kind of event"),
        ({"kind": ["begun"]}, "\"['begun']\" is not a kind of event"),
        ({"data": {}}, "not a 'begun' event: Object missing required field `at`"),
        ({"data": None}, NO_OBJECT),
        ({"data": []}, NO_OBJECT),
        ({"data": "x"}, NO_OBJECT),
        ({"data": 7}, NO_OBJECT),
        (
            {"kind": "denied"},
            "not a 'denied' event: Object missing required field `command`",
        ),
        (
            {"kind": "external", "data": {"command": "capture"}},
            "not a 'external' event: Object missing required field `at`",
        ),
    ],
)
def test_an_event_of_no_known_kind_breaks_the_trail_and_is_told_with_its_place(
    records, changes, message
):
    with pytest.raises(TrailBroken) as broken:
        read_record(forged(records[0], **changes), "")
    assert str(broken.value) == f"event 1 of order-1: {message}"


def test_an_event_without_a_lifecycle_is_bound_to_none(records):
    assert read_record(forged(records[0], lifecycle=""), "").lifecycle == ""
    body = msgspec.json.decode(records[0].body)
    del body["lifecycle"]
    raw = msgspec.json.encode(body, order="sorted")
    assert read_record(rehashed(records[0], raw), "").lifecycle == ""


def test_a_record_is_bound_to_the_hash_of_its_lifecycle_file(records):
    body = msgspec.json.decode(records[0].body)
    assert set(body) == {
        "data",
        "kind",
        "lifecycle",
        "number",
        "previous",
        "transaction",
    }
    assert isinstance(records[0], Record)
    assert records[0].hash == hashlib.sha256(records[0].body).hexdigest()


# ── a trail of which a part was read, or is left ────────────────────────────────────


@pytest.fixture
def with_denial(story):
    """Four events, of which the third is a denial."""
    past = story("one_time", "authorize 1000")
    denial = past.ask("refund", 60)
    past.append(Denied(past.now, "refund", "k", "", denial.reasons, 60))
    past.begin("capture", 600)
    return past


def test_without_its_denials_each_event_has_the_number_that_it_has_with_them(
    with_denial,
):
    first, second, _, last = with_denial.events
    del with_denial.records[2]
    assert list(read_but_denials(with_denial.records)) == [
        (1, first),
        (2, second),
        (4, last),
    ]


def test_an_event_is_bound_to_the_one_before_it_where_that_was_read(with_denial):
    first, second, _, last = with_denial.records
    bent = forged(second, previous="0" * 64)
    with pytest.raises(TrailBroken, match="event 2 of order-1: its 'previous'"):
        list(read_but_denials([first, bent]))
    # What stands before the last one was left out: nothing can be said of its place.
    bent = forged(last, previous="0" * 64)
    assert [n for n, _ in read_but_denials([first, second, bent])] == [1, 2, 4]


def test_the_first_event_of_a_trail_follows_nothing(records):
    bent = forged(records[0], previous="0" * 64)
    with pytest.raises(TrailBroken, match="event 1 of order-1: its 'previous'"):
        list(read_but_denials([bent]))


@pytest.mark.parametrize("places", [(0, 0), (1, 0), (0, 2, 1)])
def test_a_part_of_a_trail_is_read_in_its_order(records, places):
    message = f"^event {places[-1] + 1} of order-1: out of its place$"
    with pytest.raises(TrailBroken, match=message):
        list(read_but_denials([records[place] for place in places]))


@pytest.fixture
def forgotten(story):
    """A trail of which the operator's words were forgotten, as its last event declares."""
    past = story("one_time", "authorize 1000")
    evidence = past.evidence("chargeback", amount=5)
    past.append(Discrepancy(past.now, "not_in_lifecycle", evidence))
    past.close(3)
    left = without_texts(past.records[3].body)
    past.append(Forgotten(past.now, "hanako", "asked for", {"4": left.digest}))
    past.records[3] = replace(past.records[3], body=left.body)
    return past


@pytest.mark.parametrize(
    "read",
    [read_events, lambda records: [each for _, each in read_but_denials(records)]],
)
def test_what_was_forgotten_is_read_as_what_is_left_of_it(forgotten, read):
    assert not is_whole(forgotten.records[3])
    assert is_whole(forgotten.records[2])
    (closed,) = (each for each in read(forgotten.records) if isinstance(each, Closed))
    assert (closed.evidence.actor, closed.evidence.note) == ("[forgotten]",) * 2


def test_what_is_left_of_a_forgotten_event_cannot_be_edited(forgotten):
    record = forgotten.records[3]
    forgotten.records[3] = replace(record, body=record.body + b" ")
    message = (
        "^event 4 of order-1: it is not what was left when its texts were forgotten$"
    )
    with pytest.raises(TrailBroken, match=message):
        list(read_events(forgotten.records))


def test_an_event_that_has_its_texts_was_not_forgotten(records):
    """Else a declaration would pass an edit of what has no text to forget."""
    bent = forged(records[0], data=msgspec.json.decode(records[0].body)["data"])
    message = (
        "^event 1 of order-1: was declared as forgotten, and has no forgotten text$"
    )
    with pytest.raises(TrailBroken, match=message):
        read_record(bent, "", bent.hash)


def test_of_a_removed_trail_the_event_is_left_that_names_its_archive(records, story):
    past = story("one_time", "authorize! 1000")
    hashes = tuple(record.hash for record in past.records)
    past.append(Archived(past.now, "2025.db", "hanako", hashes))
    assert is_removed(past.records[-1:])
    assert not is_removed(past.records)
    assert not is_removed(past.records[1:])
    assert not is_removed(records[-1:])
    assert not is_removed([])


def test_a_transaction_that_has_one_event_is_not_removed(story):
    past = story("one_time")
    past.append(Archived(past.now, "2025.db", "hanako", ()))
    assert not is_removed(past.records)


def test_an_event_is_found_by_its_number_wherever_it_stands(with_denial):
    del with_denial.records[2]
    assert numbered(with_denial.records, 4) is with_denial.records[2]
    assert numbered(with_denial.records, 3) is None


def test_a_record_says_what_it_moved(story):
    past = story("one_time", "authorize 1000, capture? 600")
    assert [record.moved for record in past.records] == [
        None,
        '{"authorized":1000}',
        None,
    ]


def test_an_event_shows_all_that_its_record_holds(records):
    members = read_record(records[0], "").members
    assert members == msgspec.json.decode(records[0].body)
