"""What is wrong with a success that is taken back, at one point of a story."""

from collections.abc import Iterator

from kessai.prove import moments
from kessai.prove.algebra import KNOWN
from kessai.prove.rules import Rules
from kessai.prove.spots import (
    Spot,
    Wrong,
    has_footing,
    moved,
    names_at,
    states_at,
)
from kessai.prove.story import Step


def wrongs_of_reversal(rules: Rules, spot: Spot, step: Step) -> Iterator[Wrong]:
    """What must not be said of the reversal `step`, which begins at `spot`."""
    subject, amount = f"reversed {step.name}", step.amount
    if amount is not None and amount < 1:
        yield Wrong("positive", subject)
    rule = rules.machine.reversals[step.name]
    steps = rules.steps_from(rule, states_at(rules, spot))
    names = {**names_at(rules, spot), "amount": amount or 0}
    success = moments.succeeded(KNOWN, steps, names)
    if moments.undecided(KNOWN, success):
        yield Wrong("choice", subject)
        return
    after = moved(rules, spot, success)
    for name in dict.fromkeys(name for name, _ in spot.open):
        if has_footing(rules, spot, name) and not has_footing(rules, after, name):
            yield Wrong("footing", f"{step.name} {step.moment} {name}")
