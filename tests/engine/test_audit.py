"""The audit: what real commands leave behind holds, and no tampering with it does."""

import hashlib
import json
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai import (
    Command,
    Engine,
    HttpTransport,
    MemoryStore,
    Missing,
    Recovery,
    SQLiteStore,
)
from kessai.audit import verify
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Discrepancy,
    External,
    Lapsed,
    Operation,
    Reported,
    Transaction,
    append,
)
from kessai_adapters.emulator import Fault, Refused
from kessai_adapters.local import LocalGateway

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


class Clock:
    """Every look at it is a second later."""

    def __init__(self):
        self.now = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@attrs.define
class Shop:
    """An order system on one store, before the emulator."""

    engine: Engine
    local: LocalGateway
    clock: Clock
    asked: int = 0

    def do(self, name, transaction, **what):
        self.asked += 1
        key = f"key-{self.asked:04d}"
        return self.engine.execute(Command(name, transaction, key=key, **what))

    def settle(self, transaction):
        self.engine.recover_transaction(transaction)

    def sells(self, transaction="A-1"):
        """Five events: applied for, accepted, authorized by look-up; captured in two."""
        self.do("authorize", transaction, lifecycle="one_time", amount=1000)
        self.settle(transaction)
        self.do("capture", transaction, amount=900)

    def agrees(self, transaction="R-1"):
        """A consent alone: three events."""
        consent = {**MONTHLY, "consent_only": True}
        self.do(
            "authorize",
            transaction,
            lifecycle="recurring",
            amount=500,
            parameters=consent,
        )
        self.settle(transaction)

    def charges(self, transaction="R-1-a", agreement="R-1"):
        self.do("reauthorize", transaction, agreement=agreement, amount=400)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    store = SQLiteStore(tmp_path / "shop.db")
    yield store
    store.close()


def opened(store):
    clock = Clock()
    local = LocalGateway(clock=clock)
    transport = HttpTransport(local.wire)
    engine = Engine(
        adapter=local.adapter, store=store, transport=transport, clock=clock
    )
    return Shop(engine, local, clock)


@pytest.fixture
def shop(store):
    return opened(store)


# ── what holds ──────────────────────────────────────────────────────────────────────


def test_an_empty_store_holds(store):
    report = verify(store)
    assert report.holds
    assert (report.transactions, report.events) == (0, 0)


def test_whatever_commands_can_do_leaves_trails_that_hold(shop, store):
    shop.do("capture", "never", amount=1)
    shop.sells()
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=700)  # more than is left: denied
    shop.local.emulator.misbehave("lose_reply", command="Refund")
    shop.do("refund", "A-1")
    shop.settle("A-1")
    shop.agrees()
    shop.charges()
    shop.do("update_consent", "R-1", amount=600, parameters=MONTHLY)
    shop.do("terminate", "R-1")
    shop.charges("R-1-b")  # after the end: denied
    report = verify(store)
    assert report.faults.first == ()
    assert report.transactions == 5
    assert report.events == 22
    assert report.kinds == {"begun": 8, "denied": 3, "reported": 11}


def test_what_the_gateway_did_by_itself_holds(shop, store):
    shop.sells()
    shop.local.emulator.portal.refund("A-1", 100)
    shop.settle("A-1")
    shop.do("authorize", "A-2", lifecycle="one_time", amount=50)
    shop.settle("A-2")
    shop.clock.now += timedelta(days=31)
    shop.engine.sweep("A-2")
    report = verify(store)
    assert report.faults.first == ()
    assert report.kinds["external"] == 1
    assert report.kinds["lapsed"] == 1


def test_open_operations_and_discrepancies_are_told_and_are_no_faults(shop, store):
    shop.local.emulator.approve = "ask"
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    evidence = Evidence(
        source=Source.PUSH,
        transaction="A-1",
        command="cancel",
        outcome=Outcome.SUCCEEDED,
    )
    forge(store, "A-1", Discrepancy(shop.clock(), "operation_open", evidence))
    report = verify(store)
    assert report.holds
    (waiting,) = report.open_operations.first
    assert (waiting.transaction, waiting.operation.command) == ("A-1", "authorize")
    (aside,) = report.discrepancies.first
    assert (aside.number, aside.reason) == (3, "operation_open")


def test_the_audit_may_run_while_others_write(store):
    class Busy:
        """A store that someone writes to between the audit's two readings."""

        def __getattr__(self, name):
            return getattr(store, name)

        def transactions(self):
            shop.do("refund", "A-1", amount=1)
            shop.sells("A-2")
            return store.transactions()

    shop = opened(store)
    shop.sells()
    report = verify(Busy())
    assert report.faults.first == ()
    assert report.events == 12


COMMANDS = st.sampled_from(
    ["capture", "cancel", "refund", "update_consent", "terminate", "reauthorize"]
)
AMOUNTS = st.sampled_from([None, 1, 300, 1000])
STEPS = st.lists(
    st.one_of(
        st.tuples(COMMANDS, st.sampled_from(["A-1", "R-1", "R-1-a"]), AMOUNTS),
        st.tuples(st.just("misbehave"), st.sampled_from(list(Fault))),
        st.tuples(st.just("by hand"), st.sampled_from(["refund", "cancel", "expire"])),
        st.tuples(st.just("recover"), st.sampled_from(list(Missing))),
        st.tuples(st.just("wait"), st.integers(-1, 31)),
    ),
    min_size=5,
    max_size=25,
)


def live(shop, step):
    """One thing that happens; what is impossible then does not."""
    match step:
        case "misbehave", fault:
            shop.local.emulator.misbehave(fault)
        case "by hand", act:
            with suppress(Refused):
                getattr(shop.local.emulator.portal, act)("A-1")
        case "recover", missing:
            at_once = timedelta(0)
            shop.engine.recover(
                Recovery(patience=at_once, fence=at_once, missing=missing)
            )
        case "wait", days:
            shop.clock.now += timedelta(days=days)
            shop.engine.sweep("A-1")
        case "reauthorize", _, amount:
            shop.do("reauthorize", "R-1-a", agreement="R-1", amount=amount)
        case name, transaction, amount:
            parameters = MONTHLY if name == "update_consent" else {}
            shop.do(name, transaction, amount=amount, parameters=parameters)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_no_history_is_accused_wrongly(steps):
    store = MemoryStore()
    shop = opened(store)
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.agrees()
    for step in steps:
        live(shop, step)
        assert verify(store).faults.first == ()


# ── tampering with the database ─────────────────────────────────────────────────────


class Thief:
    """Someone with the database's password and plain SQL."""

    def __init__(self, path):
        self.path = path

    def run(self, sql, *values):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            return database.execute(sql, values).fetchall()

    def body(self, transaction, number):
        ((body,),) = self.run(
            "SELECT body FROM events WHERE transaction_id = ? AND number = ?",
            transaction,
            number,
        )
        return body

    def rewrite(self, transaction, number, body, *, rehash):
        digest = hashlib.sha256(body).hexdigest()
        self.run(
            "UPDATE events SET body = ?, hash = iif(?, ?, hash)"
            " WHERE transaction_id = ? AND number = ?",
            body,
            rehash,
            digest,
            transaction,
            number,
        )

    def edit(self, transaction, number, old, new, *, rehash=False):
        body = self.body(transaction, number)
        assert old in body
        self.rewrite(transaction, number, body.replace(old, new), rehash=rehash)

    def edit_state(self, transaction, old, new):
        ((state,),) = self.run(
            "SELECT state FROM transactions WHERE id = ?", transaction
        )
        assert old in state
        self.run(
            "UPDATE transactions SET state = ? WHERE id = ?",
            state.replace(old, new),
            transaction,
        )


@pytest.fixture
def path(tmp_path):
    """A sale (five events) with two refunds of 300 (nine), another sale, a charge."""
    path = tmp_path / "shop.db"
    store = SQLiteStore(path)
    shop = opened(store)
    shop.sells("A-1")
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=300)
    shop.sells("A-2")
    shop.agrees()
    shop.charges()
    shop.engine.close()
    return path


@pytest.fixture
def thief(path):
    return Thief(path)


def faults(path):
    store = SQLiteStore(path)
    try:
        report = verify(store)
    finally:
        store.close()
    assert report.holds == (not report.faults.first)
    assert report.faults.count == len(report.faults.first)
    return [(f.transaction, f.number, f.code) for f in report.faults.first]


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
    assert faults(path) == [("R-1-a", 1, "agreement_unproven")]


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


# ── whole chains that a program wrote without asking ────────────────────────────────


def forge(store, transaction_id, *events):
    """Append events as the engine would, but without asking whether they may be."""
    transaction = store.load(None, transaction_id, None).transaction
    machine = next(
        m for m in MACHINES if m.lifecycle.hash == transaction.lifecycle_hash
    )
    for event in events:
        transaction, record = append(machine, transaction, event)
        store.append(Change(transaction=transaction, records=(record,)))


MACHINES = Engine(
    adapter=None, store=MemoryStore(), transport=object(), clock=Clock()
).machines


def began(shop, name, transaction, amount, number=6):
    command = Command(name, transaction, key="forged", amount=amount)
    at = shop.clock()
    operation = Operation(
        f"{transaction}.{number}", name, "forged", command.fingerprint, amount, {}, at
    )
    return Begun(at, operation)


def evidence_of(transaction, command, outcome=Outcome.SUCCEEDED, amount=None):
    return Evidence(
        source=Source.REPLY,
        transaction=transaction,
        command=command,
        outcome=outcome,
        amount=amount,
    )


def first_fault(store):
    (fault,) = verify(store).faults.first
    return fault.number, fault.code, fault.detail


def test_a_second_capture_was_not_allowed(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "capture", "A-1", 50))
    assert first_fault(store) == (6, "not_allowed", "state_not_allowed")


def test_a_refund_of_more_than_is_left_was_not_allowed(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "refund", "A-1", 901))
    assert first_fault(store) == (6, "not_allowed", "amount_above_maximum")


def test_a_capture_after_the_deadline_was_not_allowed(shop, store):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.settle("A-1")
    shop.clock.now += timedelta(days=30)
    forge(store, "A-1", began(shop, "capture", "A-1", 1000, number=4))
    assert first_fault(store) == (4, "not_allowed", "authorization_expired")


def test_an_operation_under_a_false_number_was_not_decided_on(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "refund", "A-1", 1, number=99))
    assert first_fault(store)[:2] == (6, "not_allowed")


def test_a_result_of_what_was_never_begun_is_found(shop, store):
    shop.sells()
    evidence = evidence_of("A-1", "refund")
    reported = Reported(shop.clock(), "A-1.6", Outcome.SUCCEEDED, evidence)
    forge(store, "A-1", reported)
    assert first_fault(store) == (6, "not_open", "A-1.6")


def test_a_success_against_its_own_evidence_is_found(shop, store):
    shop.sells()
    declined = evidence_of("A-1", "refund", Outcome.DECLINED)
    forge(
        store,
        "A-1",
        began(shop, "refund", "A-1", 100),
        Reported(shop.clock(), "A-1.6", Outcome.SUCCEEDED, declined),
    )
    assert first_fault(store)[:2] == (7, "not_what_follows")


def test_an_external_refund_of_another_amount_than_its_evidence_is_found(shop, store):
    shop.sells()
    evidence = evidence_of("A-1", "refund", amount=100)
    forge(store, "A-1", External(shop.clock(), "refund", 900, evidence))
    assert first_fault(store) == (6, "not_what_follows", "external")


def test_a_deadline_that_had_not_passed_is_found(shop, store):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.settle("A-1")
    forge(store, "A-1", Lapsed(shop.clock(), "authorization"))
    assert first_fault(store)[:2] == (4, "not_allowed")


def test_evidence_put_aside_without_need_is_found(shop, store):
    shop.sells()
    refund = evidence_of("A-1", "refund", amount=100)
    forge(store, "A-1", Discrepancy(shop.clock(), "invariant_broken", refund))
    assert first_fault(store) == (6, "not_what_follows", "external")


def test_a_charge_after_the_end_of_its_agreement_was_not_allowed(shop, store):
    shop.agrees()
    shop.do("terminate", "R-1")
    agreement = store.load(None, "R-1", None).transaction
    forge_charge(shop, store, agreement.version)
    assert first_fault(store) == (1, "not_allowed", "agreement_state")


def test_a_charge_at_a_version_that_its_agreement_never_had_proves_nothing(shop, store):
    shop.agrees()
    forge_charge(shop, store, 99)
    assert first_fault(store)[:2] == (1, "agreement_unproven")


def forge_charge(shop, store, version):
    command = Command("reauthorize", "R-1-a", key="f", agreement="R-1", amount=400)
    at = shop.clock()
    operation = Operation(
        "R-1-a.1", command.name, "f", command.fingerprint, 400, {}, at
    )
    machine = next(machine for machine in MACHINES if machine.name == "charge")
    begun = Begun(at, operation, "R-1", ("payment",), version)
    after, record = append(machine, Transaction("R-1-a"), begun)
    change = Change(transaction=after, records=(record,), declaration=machine.lifecycle)
    store.append(change)


def test_every_fault_speaks_both_languages():
    from kessai.audit.report import TEXTS, Fault

    for code in TEXTS:
        fault = Fault("A-1", 3, code, "«here»")
        assert fault.sentence("en") != fault.sentence("ja")
        assert str(fault).startswith("A-1 event 3: ")


def test_a_ruined_store_is_counted_and_does_not_fill_the_memory(
    shop, store, monkeypatch
):
    monkeypatch.setattr("kessai.audit.report.MOST", 2)
    for number in range(4):
        shop.do("capture", f"A-{number}")
        transaction = store.load(None, f"A-{number}", None).transaction
        record = store.records(f"A-{number}")[0]
        worse = attrs.evolve(transaction, version=2, head="")
        again = attrs.evolve(record, number=2)
        store.append(Change(transaction=worse, records=(again,)))
    report = verify(store)
    assert report.faults.count == 4
    assert len(report.faults.first) == 2
    assert not report.holds
