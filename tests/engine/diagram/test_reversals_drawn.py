"""A success that the gateway takes back: a dashed arrow, in every form of the picture."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kessai import Command, Transaction
from kessai.diagram import TransactionPath, render, render_transaction
from kessai.evidence.outcome import resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, append, compile_lifecycle, decide
from kessai.machine.decide import opened_tracks
from kessai.spec import load_file, load_shipped

WALLET = load_file(Path(__file__).parent.parent / "prove" / "wallet.toml")
BACK = "payment.refunded--refund.reversed--payment.captured"
SVG = "{http://www.w3.org/2000/svg}"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def path():
    """50 dollars captured, refunded, and the refund sent back."""
    machine = compile_lifecycle(WALLET)
    transaction, events = Transaction("order-1"), []

    def happens(event):
        nonlocal transaction
        transaction, _ = append(machine, transaction, event)
        events.append(event)

    def evidence_of(command, outcome):
        return Evidence(
            source=Source.INQUIRY,
            transaction="order-1",
            command=command,
            outcome=outcome,
            amount=5000,
        )

    flags = {"currency": "USD", "parameters": {"with_capture": True}}
    for name, more in (("authorize", flags), ("refund", {})):
        command = Command(name, "order-1", key=name, amount=5000, **more)
        operation = decide(machine, transaction, command, NOW)
        happens(Begun(NOW, operation, None, opened_tracks(machine, operation)))
        evidence = evidence_of(name, Outcome.SUCCEEDED)
        happens(resolve(machine, transaction, operation, evidence, NOW))
    back = evidence_of("refund", Outcome.REVERSED)
    happens(resolve_external(machine, transaction, back, NOW))
    return TransactionPath(lifecycle=WALLET, transaction=transaction, events=events)


def named(picture, name):
    """The classes and the lines of the title of what is called `name`."""
    root = ET.fromstring(picture)  # noqa: S314 (made here)
    found = next(element for element in root.iter() if element.get("id") == name)
    return set(found.get("class").split()), found.findtext(f"{SVG}title").split("\n")


def test_a_reversal_is_a_dashed_arrow_of_its_own_with_a_legend():
    picture = render(WALLET, "svg")
    classes, title = named(picture, BACK)
    assert {"reversal", "external-possible"} <= classes
    assert title == [
        "refund sent back: refunded → captured",
        "Condition: refunded = 0",
        "Amount: 1 … refunded (W2)",
        "Rule: W2",
        "The gateway may report it unasked.",
    ]
    assert "taken back later" in picture
    line = next(x for x in render(WALLET, "dot").splitlines() if BACK in x)
    assert 'style="dashed,bold"' in line


def test_a_lifecycle_without_reversals_has_none_in_its_legend():
    assert "taken back later" not in render(load_shipped("one_time"), "svg")


def test_mermaid_and_the_tables_have_it_too():
    assert "refund sent back" in render(WALLET, "mermaid")
    page = render(WALLET, "markdown")
    assert "| refund sent back `refund` (taken back by the gateway) | W2 |" in page
    assert "| refund sent back |  | `refunded -= amount` |  |" in page
    japanese = render(WALLET, "markdown", "ja")
    assert "返金の差戻し `refund` (決済代行会社による差戻し)" in japanese


def test_bounds_that_differ_by_currency_are_shown_for_each():
    page = render(WALLET, "markdown")
    assert "- Currency: `JPY`, `KWD`, `USD`" in page
    assert "authorize `authorize` (JPY) | W1 | `1` | `1_000_000` |" in page
    assert "authorize `authorize` (USD) | W1 | `50` | `10_000_00` |" in page
    _, arrow = named(
        render(WALLET, "svg"), "payment.requested--authorize--payment.authorized"
    )
    assert "Amount: 1 JPY … 1,000,000 JPY (W1)" in arrow
    assert "Amount: 0.50 USD … 10,000.00 USD (W1)" in arrow


def test_the_path_of_a_payment_leads_over_it_in_its_own_currency(path):
    picture = render_transaction(path, "svg", "en")
    classes, title = named(picture, BACK)
    assert "visited" in classes
    assert any("50.00 USD" in note for note in title)
    assert any("not asked for here" in note for note in title)
    assert "current" in named(picture, "payment.captured")[0]
