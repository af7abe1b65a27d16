"""Every mistake planted in a shipped file is refused, refuted, or known to lose nothing."""

import os
import re
from collections import Counter

import attrs
import pytest
from lifecycle_mutants import mutants

from kessai.errors import InvalidLifecycle
from kessai.machine import compile_lifecycle
from kessai.prove import Replay, prove
from kessai.prove.rules import Rules
from kessai.prove.search import SHALLOW, StateSearch
from kessai.prove.states import names_at
from kessai.prove.story import to_the_point
from kessai.spec import load_shipped
from kessai.spec.load import rebuild

SURVIVORS = {
    r"amount\.max: ": "a limit of the gateway: amounts are right whatever it is",
    r"\.to: payment\.partially_refunded$": "only the name of the state is wrong",
    r"\.moves\.\d dropped$": "less may be asked for; nothing is lost by that",
    r"guards without confirmation_page_not_the_merchants": "a rule of the gateway's pages",
    r"\.denies without ": "a matter of time: the gateway declines what comes too late",
    r"\.starts without update_authorization": "the deadline does not begin anew",
    r"^commands\.update_consent\.moves\.0\.to: ": "it ends the consent; no money follows",
    r"^commands\.authorize\.reports dropped": "what is agreed is accounted, too",
    r"^commands\.update_authorization\.commit\.0: agreed = ": "the same; evidence differs",
}
"""The mutants of which all is proved, and why nothing is lost by each."""

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
"""All mutants are judged then, else every eighth."""

BREADTH = attrs.evolve(SHALLOW, ends=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one_time", "recurring"])
def test_every_mutant_is_found_or_loses_nothing(name):
    every = 1 if IS_LONG else 8
    fates = fates_of_mutants(name, every)
    assert fates["refuted"] >= 250 // every
    assert fates["refused"] >= 90 // every
    assert fates["not proved"] <= 1
    assert fates["proved"] <= 20 // every + 4


def test_some_mutants_from_everywhere_are_found_or_lose_nothing():
    assert fates_of_mutants("one_time", every=20)["refuted"] >= 10


def fates_of_mutants(name, every=1):
    """What becomes of every so manyth mutant; one that loses money must be found."""
    whole = rebuild(load_shipped(name).document)  # in the order of its mutants
    behaviour = _behaviour(whole)
    fates = Counter()
    for mistake, document in [*mutants(whole).items()][::every]:
        fate = _fate(document)
        if fate == "proved" and not any(re.search(r, mistake) for r in SURVIVORS):
            fate = "the same in each of the shortest stories"
            assert _behaviour(rebuild(document)) == behaviour, mistake
        fates[fate] += 1
    return fates


def _fate(document):
    """What the file's author is told: that it cannot be read, or what a proof says."""
    try:
        lifecycle = rebuild(document)
    except InvalidLifecycle:
        return "refused"
    machine = compile_lifecycle(lifecycle)
    search = StateSearch(Rules(machine), SHALLOW, until_wrong=True)
    for wrong in search.wrong:
        steps = to_the_point(wrong, search.story_of(wrong))
        if wrong in Replay(machine).run(steps).wrong:
            return "refuted"
    proof = prove(lifecycle)
    return "refuted" if proof.refuted else "proved" if proof.holds else "not proved"


def _behaviour(lifecycle):
    """Each state that is reached, with the amounts that evidence must then state."""
    rules = Rules(compile_lifecycle(lifecycle))
    return {
        (state, *(_stated(rules, state, *operation) for operation in state.open))
        for state in StateSearch(rules, BREADTH).came_by
    }


def _stated(rules, state, command, amount):
    reports = rules.moving[command].spec.reports
    names = {**names_at(rules, state), "amount": amount}
    return reports and reports.evaluate(names)
