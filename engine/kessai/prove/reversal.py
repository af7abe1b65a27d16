"""What is wrong with a success that is taken back, at one point of a story."""

from collections.abc import Iterator

from kessai.prove import transition
from kessai.prove.algebra import KNOWN
from kessai.prove.rules import Rules
from kessai.prove.states import (
    BrokenProperty,
    ProofState,
    has_footing,
    moved,
    names_at,
    track_states,
)
from kessai.prove.story import StoryStep


def wrongs_of_reversal(
    rules: Rules, state: ProofState, step: StoryStep
) -> Iterator[BrokenProperty]:
    """What is wrong with the reversal `step`, which begins at `state`."""
    subject, amount = f"reversed {step.name}", step.amount
    if amount is not None and amount < 1:
        yield BrokenProperty("positive", subject)
    rule = rules.machine.reversals[step.name]
    steps = rules.steps_from(rule, track_states(rules, state))
    names = {**names_at(rules, state), "amount": amount or 0}
    success = transition.succeeded(KNOWN, steps, names)
    if transition.undecided(KNOWN, success):
        yield BrokenProperty("choice", subject)
        return
    after = moved(rules, state, success)
    for name in dict.fromkeys(name for name, _ in state.open):
        if has_footing(rules, state, name) and not has_footing(rules, after, name):
            yield BrokenProperty("footing", f"{step.name} {step.kind} {name}")
