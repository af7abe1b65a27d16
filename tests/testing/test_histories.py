"""Whole histories: each of them possible, every state reached, nothing thrown away."""

from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from drawing import drawn_until
from hypothesis import given, settings

from kessai import MemoryStore, load_file, load_shipped, shipped_names
from kessai.audit import verify
from kessai.errors import InvalidInput
from kessai.machine import (
    Archived,
    Forgotten,
    Lapsed,
    Reversed,
    broken_invariants,
    fold,
)
from kessai.machine.events import KINDS
from kessai.testing import histories
from kessai.testing.strategies.agreements import agreement_for
from kessai.testing.strategies.lifecycles import machine_of

EXAMPLES = 200
WALLET = load_file(Path(__file__).parent.parent / "engine" / "prove" / "wallet.toml")
ALL = [*map(load_shipped, shipped_names()), WALLET]
"""The shipped lifecycles, and one with several currencies and a reversal."""


@pytest.mark.parametrize("lifecycle", ALL, ids=lambda each: each.name)
def test_the_audit_finds_every_history_allowed_step_by_step(lifecycle):
    @settings(max_examples=60)
    @given(histories(lifecycle))
    def check(history):
        store = MemoryStore()
        history.write_to(store)
        report = verify(store)
        assert report.holds, report.faults.first
        assert store.records(history.transaction.id) == list(history.records)

    check()


@pytest.mark.parametrize("lifecycle", ALL, ids=lambda each: each.name)
def test_every_state_and_every_kind_of_event_is_reached(lifecycle):
    machine = machine_of(lifecycle)
    states, kinds, tries = Counter(), Counter(), [0]

    @settings(max_examples=EXAMPLES)
    @given(histories(lifecycle))
    def look(history):
        tries[0] += 1
        states.update(history.transaction.states.items())
        kinds.update(map(type, history.events))
        assert not broken_invariants(machine, history.transaction)
        again = fold(machine, history.events, history.transaction.id)
        assert again.amounts == history.transaction.amounts

    tracks = machine.lifecycle.tracks.values()
    wanted = {(t.name, state) for t in tracks for state in t.states}
    never = {Forgotten, Archived}
    never |= set() if lifecycle.reversals else {Reversed}
    never |= set() if lifecycle.deadlines else {Lapsed}
    happens = {*KINDS.values()} - never
    rounds = drawn_until(look, lambda: set(states) == wanted and set(kinds) == happens)
    assert tries[0] <= rounds * EXAMPLES * 1.1  # next to nothing is drawn in vain


def test_a_history_may_be_as_long_as_one_likes_and_under_a_given_id():
    lengths = []

    @settings(max_examples=50)
    @given(histories("one_time", most_steps=60, order_id="order-7"))
    def look(history):
        assert history.transaction.id == "order-7"
        assert history.now >= history.events[-1].at
        lengths.append(len(history.events))

    drawn_until(look, lambda: max(lengths) > 30)


def test_a_history_is_in_any_currency_of_its_lifecycle():
    drawn = set()

    @settings(max_examples=50)
    @given(histories(WALLET, most_steps=1))
    def look(history):
        drawn.add(history.transaction.currency)

    drawn_until(look, lambda: drawn >= set(WALLET.currencies))


def test_a_charge_is_made_under_an_agreement_in_force():
    agreement = agreement_for(machine_of("charge"))
    assert agreement.states["consent"] == "consented"
    assert agreement_for(machine_of("one_time")) is None


def test_an_agreement_that_no_short_history_gives_must_be_given(tmp_path):
    written = resources.files("kessai_specs").joinpath("charge.toml").read_text()
    path = tmp_path / "charge.toml"
    path.write_text(written.replace("consent.consented", "payment.expired"))
    with pytest.raises(InvalidInput, match="payment is expired; give one"):
        histories(path)
