"""What real commands leave behind holds, however it came about."""

from contextlib import suppress
from datetime import timedelta

import attrs
from audited.both_ways import verify_in_full
from audited.shop import MONTHLY, forge, opened
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kessai import MemoryStore, Missing, Recovery
from kessai.audit import verify
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome, Source
from kessai.limits import NOTHING_IN_FLIGHT
from kessai.machine import Discrepancy
from kessai_adapters.emulators import Fault
from kessai_adapters.emulators.veritrans4g import OwnFault, Refused


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
    shop.resolve("A-1")
    shop.agrees()
    shop.charges()
    shop.do("update_consent", "R-1", amount=600, parameters=MONTHLY)
    shop.do("terminate", "R-1")
    shop.charges("R-1-b")  # after the end: denied
    report = verify(store)
    assert report.faults.first == ()
    assert (report.trails, report.transactions) == (5, 3)
    assert report.events == 22
    assert report.kinds == {"begun": 8, "denied": 3, "reported": 11}


def test_what_the_gateway_did_by_itself_holds(shop, store):
    shop.sells()
    shop.local.emulator.portal.refund("A-1", 100)
    shop.resolve("A-1")
    shop.do("authorize", "A-2", lifecycle="one_time", amount=50)
    shop.resolve("A-2")
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
        source=Source.NOTIFICATION,
        transaction="A-1",
        command="cancel",
        outcome=Outcome.SUCCEEDED,
    )
    forge(store, "A-1", Discrepancy(shop.clock(), "operation_open", evidence))
    report = verify(store)
    assert report.holds
    (waiting,) = report.open_operations.first
    assert (waiting.transaction, waiting.operation.command) == ("A-1", "authorize")
    (found,) = report.discrepancies.first
    assert (found.number, found.reason) == (3, "operation_open")


def test_the_audit_may_run_while_others_write(store):
    class Busy:
        """A store that someone writes to between the audit's two readings."""

        def __getattr__(self, name):
            return getattr(store, name)

        def transactions(self, now):
            shop.do("refund", "A-1", amount=1)
            shop.sells("A-2")
            return store.transactions(now)

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
        st.tuples(st.just("misbehave"), st.sampled_from([*Fault, *OwnFault])),
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
                Recovery(
                    patience=at_once,
                    in_flight_limit=at_once,
                    waits=NOTHING_IN_FLIGHT,
                    missing=missing,
                )
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
        report = verify(store)
        assert report.faults.first == ()
        assert report == verify_in_full(store)


def test_every_fault_speaks_both_languages():
    from kessai.audit.verification.report import TEXTS, AuditFault

    for code in TEXTS:
        fault = AuditFault("A-1", 3, code, "«here»")
        assert fault.sentence("en") != fault.sentence("ja")
        assert str(fault).startswith("A-1 event 3: ")


def test_a_ruined_store_is_counted_and_does_not_fill_the_memory(
    shop, store, monkeypatch
):
    monkeypatch.setattr("kessai.audit.verification.report.MOST", 2)
    for number in range(4):
        shop.do("capture", f"A-{number}")
        transaction = store.load(None, f"A-{number}", None).transaction
        record = store.records(f"A-{number}")[0]
        worse = attrs.evolve(transaction, version=2, head="")
        again = replace(record, number=2)
        store.append(Change(transaction=worse, records=(again,)))
    report = verify(store)
    assert report.faults.count == 4
    assert len(report.faults.first) == 2
    assert not report.holds
