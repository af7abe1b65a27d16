"""Currencies and reversals are proved like all else, or refuted by a story."""

from pathlib import Path

import pytest

from kessai.prove import BrokenProperty, PartKind, Replay, Verdict, prove, removals
from kessai.spec import load_file

WALLET = Path(__file__).parent / "wallet.toml"
TEXT = WALLET.read_text("utf-8")

CHARGEBACK = """
[reversals.authorize]
title = { en = "authorization withdrawn", ja = "与信の取消し" }
rule = "X1"
moves = [{ from = "payment.authorized", to = "payment.failed", rule = "X1" }]
commit = ["released += authorized"]
"""


def changed(tmp_path, old, new):
    assert TEXT.count(old) == 1
    path = tmp_path / "wallet.toml"
    path.write_text(TEXT.replace(old, new), "utf-8")
    return load_file(path)


def refuted(proof):
    return {BrokenProperty(f.property, f.subject): f.story for f in proof.refuted}


@pytest.fixture(scope="module")
def proof():
    return prove(load_file(WALLET))


def test_a_lifecycle_of_several_currencies_with_a_reversal_is_proved(proof):
    assert proof.holds, proof.refuted or proof.open
    subjects = {(f.property, f.subject) for f in proof.findings}
    assert {
        ("choice", "reversed refund"),
        ("positive", "reversed refund"),
        ("footing", "refund reverses refund"),
        ("footing", "refund reverses capture"),
    } <= subjects


def test_what_does_not_hold_in_one_currency_does_not_hold(tmp_path):
    """In dollars alone an authorization may be of nothing."""
    lifecycle = changed(tmp_path, 'USD = "50"', 'USD = "-5"')
    story = next(iter(refuted(prove(lifecycle)).values()))
    assert story.currency.code == "USD"


def test_a_reversal_without_a_smallest_amount_would_pay_out_anew(tmp_path):
    lifecycle = changed(
        tmp_path, 'min = "1", max = "refunded"', 'min = "-9", max = "refunded"'
    )
    assert BrokenProperty("positive", "reversed refund") in refuted(prove(lifecycle))


def test_a_reversal_that_takes_the_state_from_what_is_open_is_refuted(tmp_path):
    lifecycle = changed(
        tmp_path, "[reversals.refund]", f"{CHARGEBACK}\n[reversals.refund]"
    )
    wrong = BrokenProperty("footing", "authorize reverses cancel")
    story = refuted(prove(lifecycle))[wrong]
    assert [step.kind for step in story.steps][-1] == "reverses"
    assert Replay(lifecycle, "JPY").run(story.steps).wrong == (wrong,)


def test_each_rule_of_a_reversal_is_missed_or_shown_to_be_redundant():
    found = [r for r in removals(load_file(WALLET)) if r.part.is_reversal]
    missed = {(r.part.kind, str(r.wrong.property)) for r in found if r.wrong}
    assert missed == {
        (PartKind.MINIMUM, "positive"),
        (PartKind.COMMIT, "accounted"),
        (PartKind.CONDITION, "choice"),
    }
    # What is above the refunded amount, the net of invariants keeps out.
    assert [r.part.kind for r in found if r.reason] == [PartKind.MAXIMUM]


def test_a_story_with_a_reversal_is_replayed_on_the_real_machine():
    replay = Replay(load_file(WALLET), "USD")
    replay.begins("authorize", 5000, with_capture=True).succeeds(1)
    replay.begins("refund", 2000).succeeds(2)
    replay.reverses("refund", 2000)
    assert (replay.wrong, replay.refused) == ((), ())
    assert replay.transaction.status == "payment.captured"
    replay.reverses("refund", 1)
    assert replay.refused == ("state_not_allowed",)


def test_verdicts_are_as_grave_as_the_worst_of_any_currency(proof):
    assert {f.verdict for f in proof.findings} == {Verdict.PROVED}
