"""The short way and the long way say the same, whatever stands in the store."""

import hashlib
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from audited.both_ways import verify_in_full
from audited.shop import began, evidence_of, forge
from audited.thief import Thief, faults
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kessai import MemoryStore, SQLiteStore
from kessai.audit import verify
from kessai.audit.verification import canonical
from kessai.audit.verification.fast_path import states, walk
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome
from kessai.machine import (
    Begun,
    Bounds,
    Denied,
    Discrepancy,
    External,
    Lapsed,
    Operation,
    Reason,
    Record,
    Reported,
    Resent,
    Transaction,
)
from kessai.machine.tracing import Opaque, Trace, Untraceable


def same_both_ways(store):
    """The report."""
    short, long = verify(store), verify_in_full(store)
    assert short == long
    return short


@pytest.fixture
def in_full(monkeypatch):
    """How many events were decided in full."""
    counted = []
    whole = walk.TrailWalk._in_full

    def counting(self, record, known):
        counted.append(record)
        return whole(self, record, known)

    monkeypatch.setattr(walk.TrailWalk, "_in_full", counting)
    return counted


@pytest.fixture
def put_together(monkeypatch):
    """Of which transactions a trail was put together, to be compared in full."""
    counted = []
    whole = walk.TrailWalk.transaction

    def counting(self):
        counted.append(self.id)
        return whole(self)

    monkeypatch.setattr(walk.TrailWalk, "transaction", counting)
    return counted


def test_a_transaction_as_its_trail_leaves_it_is_not_put_together(
    shop, store, put_together
):
    shop.sells("A-1")
    verify(store)
    met = len(put_together)  # before each event, as none was known
    for number in range(2, 10):
        shop.sells(f"A-{number}")
    put_together.clear()
    assert verify(store).holds
    assert len(put_together) == met
    assert {*put_together} == {"A-1"}


ASIDE = {
    "reason": "operation_open",
    "source": "inquiry",
    "command": "cancel",
    "outcome": "succeeded",
    "amount": None,
    "exchange": None,
}


@pytest.mark.parametrize(
    "edit",
    [
        {"states": {"payment": "refunded"}},
        {"amounts": {"captured": 7}},
        {"amounts": {"tipped": 0}},
        {"flags": {"details": 1}},
        {"deadlines": {"authorization": "2030-01-01T00:00:00Z"}},
        {"deadlines": {"parole": "2030-01-01T00:00:00Z"}},
        {"currency": "USD"},
        {"lifecycle": "two_times"},
        {"lifecycle_hash": "0" * 64},
        {"agreement": "P-1"},
        {"discrepancies": {"3": ASIDE}},
        {"denials": 1},
    ],
    ids=str,
)
def test_a_transaction_that_differs_in_one_place_is_found(edit, thief, path):
    thief.merge_into_state("A-1", edit)
    assert faults(path)[0] == ("A-1", None, "state_differs")


def test_a_history_like_others_before_it_is_repeated_not_decided(shop, store, in_full):
    for number in range(10):
        shop.sells(f"A-{number}")
        shop.do("refund", f"A-{number}", amount=100 + number)
    assert same_both_ways(store).events == 70
    assert len(in_full) == 7


def test_charges_take_the_short_way_too(shop, store, in_full):
    shop.agrees()
    for number in range(10):
        shop.charges(f"R-1-{number}")
    assert same_both_ways(store).events == 23
    assert len(in_full) < 10


def test_parameters_that_are_texts_are_decided_each_time(shop, store, in_full):
    for number in range(3):
        shop.do(
            "authorize",
            f"A-{number}",
            lifecycle="one_time",
            amount=1000,
            parameters={"note": f"order {number}"},
        )
    assert same_both_ways(store).holds
    assert sum(record.number == 1 for record in in_full) == 3


FORGED = {
    "a second capture": lambda shop: [began(shop, "capture", "A-9", 50)],
    "more than is left": lambda shop: [began(shop, "refund", "A-9", 901)],
    "nothing": lambda shop: [began(shop, "refund", "A-9", 0)],
    "less than nothing": lambda shop: [began(shop, "refund", "A-9", -5)],
    "a false number": lambda shop: [began(shop, "refund", "A-9", 1, number=7)],
    "never begun": lambda shop: [
        Reported(shop.clock(), "A-9.6", Outcome.SUCCEEDED, evidence_of("A-9", "refund"))
    ],
    "against its evidence": lambda shop: [
        began(shop, "refund", "A-9", 100),
        Reported(
            shop.clock(),
            "A-9.6",
            Outcome.SUCCEEDED,
            evidence_of("A-9", "refund", Outcome.DECLINED),
        ),
    ],
    "another amount": lambda shop: [
        External(shop.clock(), "refund", 900, evidence_of("A-9", "refund", amount=1))
    ],
    "too early": lambda shop: [Lapsed(shop.clock(), "authorization")],
    "no need": lambda shop: [
        Discrepancy(shop.clock(), "x", evidence_of("A-9", "refund", amount=100))
    ],
    "sent again": lambda shop: [Resent(shop.clock(), "A-9.1")],
    "another key": lambda shop: [
        attrs.evolve(
            begun := began(shop, "refund", "A-9", 5),
            operation=attrs.evolve(begun.operation, request="0" * 64),
        )
    ],
    "begun at another time": lambda shop: [
        attrs.evolve(
            begun := began(shop, "refund", "A-9", 5),
            at=begun.at + timedelta(seconds=1),
        )
    ],
    "a time without a zone": lambda shop: [
        attrs.evolve(
            began(shop, "refund", "A-9", 5), at=shop.clock().replace(tzinfo=None)
        )
    ],
}


@pytest.mark.parametrize("forged", FORGED)
def test_forged_among_many_that_are_right_it_is_found_all_the_same(shop, store, forged):
    """Every way that the right ones take is known by then."""
    for number in range(10):
        shop.sells(f"A-{number}")
        if number < 9:
            shop.do("refund", f"A-{number}", amount=100)
    forge(store, "A-9", *FORGED[forged](shop))
    report = same_both_ways(store)
    assert [fault.transaction for fault in report.faults.first] == ["A-9"]
    assert report.faults.first[0].number in {6, 7}


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), rehash=st.booleans())
def test_any_byte_changed_in_any_event_is_found(path, data, rehash):
    """With the old hash at that event; with a new one there or right after it."""
    thief = Thief(path)
    rows = thief.run("SELECT transaction_id, number, body, hash FROM kessai_events")
    name, number, body, digest = data.draw(st.sampled_from(rows))
    at = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != body[at]))
    changed = body[:at] + bytes([byte]) + body[at + 1 :]
    thief.rewrite(name, number, changed, rehash=rehash)
    found = [fault for fault in faults(path) if fault[0] == name]
    store = SQLiteStore(path)
    same_both_ways(store)
    store.close()
    thief.run(
        "UPDATE kessai_events SET body = ?, hash = ? WHERE transaction_id = ? AND number = ?",
        *(body, digest, name, number),
    )
    assert found
    if not rehash:
        assert found == [(name, number, "record_broken")]
    elif found[0][1] is not None:
        assert found[0][1] in {number, number + 1}


def test_what_is_left_of_a_full_memory_is_decided_in_full(
    shop, store, in_full, monkeypatch
):
    monkeypatch.setattr(states, "MOST", 2)
    for number in range(5):
        shop.sells(f"A-{number}")
    assert same_both_ways(store).holds
    assert len(in_full) > 10


LEFT_OUT = {
    *("disclosed", "listing", "phase", "last_sent_at", "resumed_at", "not_before"),
    *("references", "agreement_references", "totals", "deadlines", "echoed"),
    "finish_within",
    "prepared",
}
"""What is not stored, or is so rare that an event with it is decided in full."""


def test_the_short_forms_have_the_fields_of_the_events():
    for form, event in (
        (canonical.BegunForm, Begun),
        (canonical.OperationForm, Operation),
        (canonical.ReportedForm, Reported),
        (canonical.EvidenceForm, Evidence),
        (canonical.ReasonForm, Reason),
        (canonical.BoundsForm, Bounds),
        (canonical.DeniedForm, Denied),
    ):
        fields = {field.name for field in attrs.fields(event)} - LEFT_OUT
        assert set(form.__struct_fields__) == fields


def test_agreements_that_name_each_other_do_not_go_round_for_ever(shop, store):
    shop.agrees()
    shop.charges("R-1-a")
    first = store.records("R-1-a")[0]
    body = first.body.replace(b'"agreement":"R-1"', b'"agreement":"R-1-a"')
    digest = hashlib.sha256(body).hexdigest()
    transaction = store.load(None, "R-1-a", None).transaction
    begun = attrs.evolve(transaction, version=1, head=digest)
    round_and_round = MemoryStore()
    round_and_round.append(
        Change(transaction=begun, records=(Record("R-1-a", 1, body, digest),))
    )
    assert same_both_ways(round_and_round).faults.count == 1


def _plus(value):
    return value + 1.5


def _less(value):
    return value < "a"


def _half(value):
    return value / 2


def _name(value):
    return value.name


# ── values that note what is asked of them ──────────────────────────────────────────


def test_a_pass_is_repeated_for_values_that_answer_alike():
    trace = Trace()
    a, b = trace.value("a", 5), trace.value("b", 3)
    assert a > b
    assert a - b
    repeat = trace.repeat("a, b", (a - b, 2 * a + 1, -b, 7, None))
    assert repeat(5, 3) == (2, 11, -3, 7, None)
    assert repeat(10, 1) == (9, 21, -1, 7, None)
    assert repeat(1, 10) is None


def test_a_sum_that_runs_over_is_never_repeated():
    trace = Trace()
    end = trace.value("end", datetime.max.replace(tzinfo=UTC))
    with pytest.raises(OverflowError):
        _ = end + timedelta(days=1)
    assert trace.repeat("end", (end,))(datetime(2024, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("ask", [str, bool, hash, len, iter, repr, _plus, _name])
def test_what_must_not_be_looked_at_says_so(ask):
    with pytest.raises(Untraceable):
        ask(Opaque())


@pytest.mark.parametrize("ask", [str, hash, _plus, _less, _half])
def test_what_cannot_be_noted_down_says_so(ask):
    with pytest.raises((Untraceable, TypeError)):
        ask(Trace().value("a", 1))


def test_a_blank_transaction_has_the_blank_shape():
    assert states.Outline.of(Transaction("x")) == states.Outline()
