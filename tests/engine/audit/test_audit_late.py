"""Money that arrives after an authorization has expired: verified, covered, drawn."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kessai import Command, MemoryStore, Transaction
from kessai.audit import verify
from kessai.audit.coverage.totals import covered, from_store
from kessai.diagram.arrows import arrows
from kessai.evidence.outcome import overdue, resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, External, append, compile_lifecycle, decide
from kessai.machine.decide import opened_tracks
from kessai.spec import load_shipped
from kessai.spec.load import rebuild
from kessai.testing.store_kit.written import changes

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATE = {
    "from": "payment.expired",
    "to": "payment.captured",
    "rule": "O2",
    "external": True,
    "commit": ["capturing -= amount", "captured += amount", "released -= amount"],
}


@pytest.fixture(scope="module")
def machine():
    document = json.loads(load_shipped("one_time").document)
    document["commands"]["capture"]["moves"].append(LATE)
    return compile_lifecycle(rebuild(json.dumps(document).encode()))


def evidence(command, amount):
    return Evidence(
        source=Source.INQUIRY,
        transaction="order-1",
        command=command,
        outcome=Outcome.SUCCEEDED,
        amount=amount,
    )


@pytest.fixture
def late(machine):
    """A payment that expired and was captured all the same, in a store."""
    transaction, records = Transaction("order-1"), []

    def note(event):
        nonlocal transaction
        transaction, record = append(machine, transaction, event)
        records.append(record)

    command = Command("authorize", "order-1", key="1", amount=100, currency="JPY")
    operation = decide(machine, transaction, command, NOW)
    note(Begun(NOW, operation, None, opened_tracks(machine, operation)))
    note(resolve(machine, transaction, operation, evidence("authorize", 100), NOW))
    later = NOW + timedelta(days=31)
    for event in overdue(machine, transaction, later):
        note(event)
    event = resolve_external(machine, transaction, evidence("capture", 70), later)
    assert isinstance(event, External)
    note(event)
    store = MemoryStore()
    for change in changes(machine, "order-1", records):
        store.append(change)
    return store, transaction


def test_late_money_is_in_the_balance_and_the_trail_is_found_right(machine, late):
    store, transaction = late
    assert transaction.status == "payment.captured"
    kept = {name: transaction.amounts[name] for name in ("captured", "released")}
    assert kept == {"captured": 70, "released": 30}
    report = verify(store)
    assert report.holds, report.faults.first
    assert report.kinds["external"] == 1


def test_a_late_move_is_covered_by_what_happened_and_is_never_to_be_begun(
    machine, late
):
    store, _ = late
    result = covered(machine.lifecycle, from_store(store))
    late_ones = {p.id for p in result.points if "capture payment.expired" in p.id}
    assert late_ones == {"commit capture payment.expired -> payment.captured"}
    assert late_ones.isdisjoint(p.id for p in result.never)


def test_a_late_move_is_an_arrow_from_the_final_state(machine):
    drawn = arrows(machine.lifecycle, machine.lifecycle.tracks["payment"], "en")
    [late] = [arrow for arrow in drawn if arrow.source == "expired"]
    assert (late.target, late.label) == ("captured", "capture: not asked for here")
