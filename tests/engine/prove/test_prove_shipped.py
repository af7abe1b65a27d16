"""The shipped lifecycles are right: proved, shown by stories, and held against reality."""

import os
from pathlib import Path

import attrs
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.errors import InvalidInput
from kessai.machine import compile_lifecycle, evolve
from kessai.machine.transaction import Transaction
from kessai.prove import BrokenProperty, Redundancy, Replay, Verdict, prove, removals
from kessai.prove.ablation import removal
from kessai.prove.algebra import KNOWN
from kessai.prove.lemmas import row_of
from kessai.prove.parts import parts
from kessai.prove.proof import Prover
from kessai.prove.rules import in_each_currency
from kessai.prove.states import proof_state, wrongs_at
from kessai.spec import AmountEffect, Expression, load_file, load_shipped, shipped_names
from kessai.testing import histories

CARDS = Path(__file__).with_name("cards.toml")
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
"""Each rule is left out in every currency then, else in the first one."""


@pytest.fixture(params=[*shipped_names(), "cards"], scope="module")
def lifecycle(request):
    return load_file(CARDS) if request.param == "cards" else load_shipped(request.param)


@pytest.fixture(scope="module")
def proof(lifecycle):
    return prove(lifecycle)


def test_everything_is_proved(proof):
    assert [f for f in proof.findings if f.verdict is not Verdict.PROVED] == []
    assert proof.holds
    assert proof.is_limited


def test_every_declared_invariant_is_among_what_is_proved(proof, lifecycle):
    proved = {f.subject for f in proof.findings if f.property == "invariant"}
    assert proved == {*lifecycle.invariants, *lifecycle.amounts}


def test_every_state_is_reached_by_a_story_that_the_machine_replays(proof, lifecycle):
    reached = {f.subject: f.story for f in proof.findings if f.property == "reached"}
    states = {f"{t.name}.{s}" for t in lifecycle.tracks.values() for s in t.states}
    assert reached.keys() == states
    for subject, story in reached.items():
        replay = Replay(lifecycle).run(story.steps)
        track, _, state = subject.partition(".")
        assert replay.transaction.states[track] == state
        assert replay.wrong == ()


def test_the_shortest_story_to_a_partial_refund_needs_no_capture_of_its_own():
    proof = prove(load_shipped("one_time"))
    story = next(
        f.story
        for f in proof.findings
        if (f.property, f.subject) == ("reached", "payment.partially_refunded")
    )
    assert [(s.kind.value, s.name, s.flags) for s in story.steps] == [
        ("begins", "authorize", ("with_capture",)),
        ("succeeds", "authorize", ()),
        ("begins", "refund", ()),
        ("succeeds", "refund", ()),
    ]


def test_who_pays_back_is_found_by_its_shape(lifecycle):
    found = Prover(compile_lifecycle(lifecycle)).rules.giving_back
    if "refund" not in lifecycle.commands:  # an agreement, of which nothing is paid
        assert found == ()
        return
    [pair] = found
    taken_back = [n for n in ("disputed", "charged_back") if n in lifecycle.amounts]
    assert (pair.command, pair.pool.whole, pair.pool.parts) == (
        "refund",
        "captured",
        ("refunded", *taken_back),
    )


def test_an_update_that_is_reported_after_the_approval_is_a_remark_and_no_mistake():
    assert prove(load_shipped("one_time")).too_late == (
        ("authorize", "update_authorization"),
    )


def test_a_property_names_the_rule_that_it_rests_upon(proof, lifecycle):
    for finding in proof.findings:
        if finding.property in lifecycle.invariants:
            assert finding.rule == lifecycle.invariants[finding.subject].rule
        if finding.property in {"choice", "give_back", "dead_end", "positive"}:
            assert finding.rule


def test_what_asks_too_much_of_the_solver_is_not_proved(monkeypatch):
    """Work is counted, not time: a busy machine proves what an idle one does."""
    monkeypatch.setattr("kessai.prove.induction.SOLVER_UNITS", 10)
    proof = prove(load_shipped("one_time"))
    assert not proof.holds
    assert not proof.refuted


# ── the proof speaks of what the engine does ────────────────────────────────────────


@pytest.mark.parametrize("name", shipped_names())
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_whatever_is_proved_holds_throughout_histories_of_the_real_machine(name, data):
    prover = _prover(name)
    history = data.draw(histories(name))
    transaction = Transaction(history.transaction.id)
    for event in history.events:
        transaction = evolve(history.machine, transaction, event)
        if transaction.exists:
            row = row_of(prover.rules, proof_state(prover.rules, transaction))
            broken = [x for x in prover.induction.lemmas if not x.holds(KNOWN, row)]
            assert broken == []
            assert (
                tuple(wrongs_at(prover.rules, proof_state(prover.rules, transaction)))
                == ()
            )


_PROVERS = {}


def _prover(name):
    if name not in _PROVERS:
        _PROVERS[name] = Prover(compile_lifecycle(load_shipped(name)))
    return _PROVERS[name]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x += y * f * (1 - g)", {"x": 3, "y": 5, "f": 1, "g": 0}),
        ("x += y * f * (1 - g)", {"x": 3, "y": 5, "f": 1, "g": 1}),
        ("x = -y + 2 * x - (f or g) * 7", {"x": 3, "y": 5, "f": 0, "g": 1}),
        ("x = (x < y) + (x == 3) * (y >= 5) - not g", {"x": 3, "y": 5, "f": 0, "g": 0}),
        ("x = not (f and g) and x != y", {"x": 3, "y": 5, "f": 1, "g": 0}),
        ("x = (f - 2) * y * (x > y or x <= 3)", {"x": 3, "y": 5, "f": 0, "g": 0}),
    ],
)
def test_the_solver_reads_a_tree_as_the_engine_runs_it(text, names):
    from kessai.prove.algebra import SolverAlgebra

    text = text.replace("- not g", "- (not g)")
    value = AmountEffect.parse(text).value
    terms = SolverAlgebra(z3, ("f", "g"))
    known = {
        name: z3.BoolVal(bool(n)) if name in "fg" else z3.IntVal(n)
        for name, n in names.items()
    }
    assert z3.simplify(terms.number(value, known)).as_long() == value.evaluate(names)
    assert z3.is_true(z3.simplify(terms.truth(value, known))) == bool(
        value.evaluate(names)
    )


def test_many_operations_at_once_are_covered_where_a_walk_sees_but_two():
    """The third of three parts is one too many; no search of two would show it."""
    lifecycle = load_file(CARDS)
    text = "refunded + refunding <= captured and capturing <= 200"
    holds = attrs.evolve(
        lifecycle.invariants["refunded_within_captured"],
        holds=Expression.parse(text),
    )
    narrowed = attrs.evolve(
        lifecycle,
        invariants={**lifecycle.invariants, "refunded_within_captured": holds},
    )
    found = {f.subject: f for f in prove(narrowed).findings}
    assert found["refunded_within_captured"].verdict is not Verdict.PROVED


# ── without each rule ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=shipped_names())
def removed(request):
    lifecycle = load_shipped(request.param)
    if not IS_LONG:  # a currency more needs another bound at most
        lifecycle = next(in_each_currency(lifecycle))
    return lifecycle, list(removals(lifecycle))


def test_each_rule_that_is_left_out_is_missed_or_redundant_for_a_reason(removed):
    lifecycle, found = removed
    assert [r.part for r in found if r.is_open] == []
    kinds = {r.part.kind.value for r in found}
    if "refund" not in lifecycle.commands:  # an agreement moves no money
        assert kinds >= {"exclusion"}
        return
    assert kinds >= {"min", "max", "exclusion", "reserve", "commit", "release", "when"}


def test_each_story_of_a_rule_left_out_is_replayed_by_the_machine_again(removed):
    for each in removed[1]:
        if each.story is None:
            continue
        agreement = None
        if under := each.story.agreement:
            agreement = Replay(load_shipped(under.lifecycle)).run(under.steps)
        replay = Replay(each.part.ablated, agreement=agreement).run(each.story.steps)
        assert each.wrong in replay.wrong or "state_not_allowed" in replay.refused


def test_none_of_those_stories_goes_wrong_with_the_rule_in_place(removed):
    lifecycle, found = removed
    for each in found:
        if each.story is not None and each.wrong.property != "give_back":
            assert Replay(lifecycle).run(each.story.steps).wrong == ()


def test_no_bound_reservation_or_release_on_money_is_redundant(removed):
    lifecycle = removed[0]
    for each in removed[1]:
        part = each.part
        command = lifecycle.commands.get(part.command)
        if part.is_reversal or (command is not None and not command.is_asked_for):
            continue  # what the gateway reports is above zero, and no more than moved
        if part.kind.value in {"min", "reserve", "release"}:
            assert each.story is not None, part
        if part.kind.value == "max" and not part.what.replace("_", "").isdigit():
            assert each.story is not None, part


def test_an_agreement_that_is_not_asked_for_is_another_transactions_matter():
    whole = _prover("charge")
    found = [p for p in parts(whole.rules) if p.kind.value == "agreement"]
    without = {part.what: removal(whole, part) for part in found}
    assert without.keys() == {"consent.consented", "unless_open terminate"}
    assert without["consent.consented"].reason is Redundancy.OTHER_TRANSACTION
    wrong = without["unless_open terminate"].wrong
    assert wrong == BrokenProperty("agreement", "reauthorize")


# ── what cannot be proved at all ────────────────────────────────────────────────────


def test_without_the_solver_the_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(InvalidInput, match=r"pip install 'kessai\[prove\]'"):
        prove(load_shipped("charge"))
