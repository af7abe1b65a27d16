"""A charge never begins under an agreement that is about to end: proved, or a story."""

import pytest

from kessai.prove import BrokenProperty, Replay, prove
from kessai.spec import load_shipped

WRONG = BrokenProperty("agreement", "reauthorize")
FORGOTTEN = (', unless_open = ["terminate"]', "")
CANCELLED = """[commands.withdraw]
title = { en = "withdraw", ja = "撤回" }
rule  = "R8"
moves = [{ from = "consent.consented", to = "consent.terminated", rule = "R8" }]

[commands.terminate]"""


def refuted(proof):
    return {BrokenProperty(f.property, f.subject): f.story for f in proof.refuted}


def test_a_charge_while_its_agreement_is_being_terminated_is_refuted(mistaken):
    lifecycle = mistaken("charge", FORGOTTEN)
    story = refuted(prove(lifecycle))[WRONG]
    *_, last = story.agreement.steps
    assert (last.kind, last.name) == ("begins", "terminate")
    agreement = Replay(load_shipped("recurring")).run(story.agreement.steps)
    replay = Replay(lifecycle, agreement=agreement).run(story.steps)
    assert replay.wrong == (WRONG,)
    assert replay.refused == ()


def test_the_race_is_denied_by_the_shipped_lifecycle():
    agreement = Replay(load_shipped("recurring"))
    agreement.begins("authorize", 100).succeeds(1).begins("terminate")
    replay = Replay(load_shipped("charge"), agreement=agreement)
    assert replay.begins("reauthorize", 100).refused == ("agreement_operation_open",)
    assert replay.wrong == ()


def test_every_command_that_ends_the_agreement_counts(mistaken, tmp_path):
    """An agreement of one's own, in which the consent can be withdrawn as well."""
    agreement = mistaken("recurring", ("[commands.terminate]", CANCELLED))
    charge = load_shipped("charge")
    assert WRONG not in refuted(prove(charge))
    story = refuted(prove(charge, [agreement]))[WRONG]
    assert story.agreement.steps[-1].name == "withdraw"


def test_an_agreement_without_the_state_that_is_asked_for_is_refuted(mistaken):
    lifecycle = mistaken("charge", ("consent.consented", "consent.given"))
    assert refuted(prove(lifecycle))[WRONG] is None


def test_an_agreement_that_nobody_knows_is_taken_as_given(mistaken):
    lifecycle = mistaken("charge", ('lifecycle = "recurring"', 'lifecycle = "another"'))
    proof = prove(lifecycle)
    assert proof.holds
    assert "agreement" not in {f.property for f in proof.findings}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_story_tells_both_transactions_and_is_pasted_as_both(
    kessai, planted, language
):
    path = planted("charge", FORGOTTEN)
    result = kessai("prove", path, "--lang", language)
    assert result.code == 5
    begun = {
        "en": "on the agreement, terminate is begun",
        "ja": "承諾取引で terminate を開始",
    }
    assert begun[language] in result.out
    assert 'agreement = Replay(load_shipped("recurring"), "JPY")' in result.out
    assert 'agreement.begins("terminate")' in result.out
    [found] = kessai("prove", path, "--json").json["lifecycles"]
    [wrong] = [p for p in found["properties"] if p["property"] == "agreement"]
    assert wrong["agreement"][-1]["name"] == "terminate"
    scope = {}
    exec(compile(wrong["test"], "pasted.py", "exec"), scope)  # noqa: S102 - as pasted
    with pytest.raises(AssertionError):
        scope["test_agreement_reauthorize"]()
    path.write_text(load_text("charge"), "utf-8")
    scope["test_agreement_reauthorize"]()


def load_text(name):
    from importlib import resources

    return resources.files("kessai_specs").joinpath(f"{name}.toml").read_text("utf-8")
