"""Trails in several currencies, one with a refund sent back: verified, covered, shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from kessai import Command, MemoryStore, Transaction
from kessai.audit import verify
from kessai.audit.coverage.totals import covered, from_store
from kessai.audit.reporting import gather, render
from kessai.audit.reporting.plain import plain
from kessai.evidence.outcome import resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, append, compile_lifecycle, decide
from kessai.machine.decide import opened_tracks
from kessai.spec import load_file
from kessai.testing.store_kit.written import changes

WALLET = load_file(Path(__file__).parent.parent / "prove" / "wallet.toml")
MACHINE = compile_lifecycle(WALLET)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Sale:
    """A sale that was captured at once, in `currency`."""

    def __init__(self, order, currency, *, is_named=True):
        self.transaction, self.records, self.now = Transaction(order), [], NOW
        flags = {"with_capture": True}
        self.asks("authorize", 6000, currency=currency, parameters=flags)
        later = currency if is_named else None
        self.asks("refund", 2000, currency=later)

    def asks(self, name, amount, **more):
        self.now += timedelta(minutes=1)
        order = self.transaction.id
        command = Command(name, order, key=f"{order} {name}", amount=amount, **more)
        operation = decide(MACHINE, self.transaction, command, self.now)
        opened = opened_tracks(MACHINE, operation)
        self.append(Begun(self.now, operation, None, opened))
        evidence = self.evidence(name, Outcome.SUCCEEDED, amount)
        self.append(resolve(MACHINE, self.transaction, operation, evidence, self.now))

    def takes_back(self, amount):
        evidence = self.evidence("refund", Outcome.REVERSED, amount)
        event = resolve_external(MACHINE, self.transaction, evidence, self.now)
        self.append(event)
        return event

    def evidence(self, name, outcome, amount):
        return Evidence(
            source=Source.INQUIRY,
            transaction=self.transaction.id,
            command=name,
            outcome=outcome,
            amount=amount,
        )

    def append(self, event):
        self.transaction, record = append(MACHINE, self.transaction, event)
        self.records.append(record)


def stored(*sales):
    store = MemoryStore()
    for sale in sales:
        for change in changes(MACHINE, sale.transaction.id, sale.records):
            store.append(change)
    return store


@pytest.fixture
def sales():
    """Five in each of two currencies: the rules are run, and then repeated."""
    made = [
        Sale(f"{currency}-{number}", currency, is_named=number % 2 == 0)
        for currency in ("JPY", "USD")
        for number in range(5)
    ]
    made[0].takes_back(2000)
    made[5].takes_back(500)
    return made


def test_trails_of_all_currencies_and_a_reversal_hold(sales):
    report = verify(stored(*sales))
    assert report.holds, report.faults.first
    assert report.kinds["reversed"] == 2


def test_an_opening_event_in_another_currency_than_was_asked_for_is_found(sales):
    forged = Sale("forged", "USD")
    begun = Begun(NOW, forged_operation("JPY"), None, ("payment",))
    _, record = append(MACHINE, Transaction("forged"), begun)
    forged.records = [record]
    report = verify(stored(*sales, forged))
    assert [(f.transaction, f.code) for f in report.faults.first] == [
        ("forged", "request_differs")
    ]


def forged_operation(currency):
    command = Command("authorize", "forged", key="k", amount=6000, currency="USD")
    operation = decide(MACHINE, Transaction("forged"), command, NOW)
    return attrs.evolve(operation, currency=currency)


@pytest.mark.parametrize("amount", [1999, 2001, 0])
def test_a_reversal_that_does_not_follow_from_its_evidence_is_found(amount):
    forged = Sale("forged", "USD")
    before = forged.transaction
    event = forged.takes_back(2000)
    forged.transaction, forged.records = before, forged.records[:-1]
    forged.append(attrs.evolve(event, amount=amount))
    report = verify(stored(forged))
    (fault,) = report.faults.first
    assert (fault.number, fault.code) == (5, "not_what_follows")


def test_a_reversal_is_a_point_of_coverage(sales):
    result = covered(WALLET, from_store(stored(*sales)))
    ways = {p.id for p in result.points if p.kind == "reversal"}
    assert len(ways) == 4
    refund = "reversal commit refund payment.partially_refunded ->"
    assert ways - {p.id for p in result.never} == {
        f"{refund} payment.captured when refunded == 0",
        f"{refund} payment.partially_refunded when refunded > 0",
    }


def test_a_report_sums_by_currency_and_lists_what_was_taken_back(sales):
    facts = gather(stored(*sales), "shop", NOW)
    data = plain(facts, "en")
    (one,) = data["lifecycles"]
    assert one["currencies"] == ["JPY", "KWD", "USD"]
    sums = {
        (here["status"], here["currency"]): here["sums"]["refunded"]
        for here in one["amounts"]
    }
    assert sums == {
        ("payment.captured", "JPY"): 0,
        ("payment.partially_refunded", "JPY"): 8000,
        ("payment.partially_refunded", "USD"): 9500,
    }
    outside = data["external"]["first"]
    assert [(o["command_title"], o["amount"], o["currency"]) for o in outside] == [
        ("refund sent back", 2000, "JPY"),
        ("refund sent back", 500, "USD"),
    ]
    taken = [m["succeeded"] for m in one["moves"] if m["is_reversal"]]
    assert sorted(taken) == [0, 0, 1, 1]
    page = render(facts, "html", "ja")
    assert "95.00 USD" in page
    assert "返金の差戻し" in page
