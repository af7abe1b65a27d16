"""A story: what was asked for and what came of it, one step after the other."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from kessai.money import Currency
from kessai.prove.states import BrokenProperty


class TransitionKind(StrEnum):
    """What happens to a transaction in one step of a story."""

    BEGINS = "begins"  # a command is asked for and begun
    SUCCEEDS = "succeeds"  # the gateway carried it out
    DECLINES = "declines"  # the gateway did not
    EXTERNAL = "external"  # a command was carried out that the engine did not start
    REVERSES = "reverses"  # the gateway took a success back
    LAPSES = "lapses"  # a deadline passed


@attrs.frozen
class StoryStep:
    """One step: of a command, its reversal, or of the deadline `name`.

    `amount` is in minor units. `operation` counts, from 1, the operations in the order
    in which they began: which of them succeeds or is declined. `flags` are
    those of an opening command that are on. `is_stated`: the gateway's answer states
    the amount that was asked for.
    """

    kind: TransitionKind
    name: str
    amount: int | None = None
    operation: int = 0
    flags: tuple[str, ...] = ()
    is_stated: bool = False


@attrs.frozen
class ReplayedStep:
    """A step, and the transaction that the real machine made of it.

    `refused` gives the reasons why the machine refused it: the codes of a denial, or
    the reason of a discrepancy. `wrong` is what does not hold after it.
    """

    step: StoryStep
    states: Mapping[str, str]
    amounts: Mapping[str, int]
    refused: tuple[str, ...] = ()
    wrong: tuple[BrokenProperty, ...] = ()


@attrs.frozen
class ProofStory:
    """Steps that were replayed on the real machine, each with its result.

    `agreement` is what happened before to the agreement that it is under, where that
    matters.
    """

    lifecycle: str
    currency: Currency
    replayed: tuple[ReplayedStep, ...]
    agreement: "ProofStory | None" = None

    @property
    def steps(self) -> tuple[StoryStep, ...]:
        """The steps alone."""
        return tuple(step.step for step in self.replayed)

    @property
    def wrong(self) -> tuple[BrokenProperty, ...]:
        """Everything that did not hold on the way, in order."""
        found = (wrong for step in self.replayed for wrong in step.wrong)
        return tuple(dict.fromkeys(found))

    @property
    def last(self) -> ReplayedStep:
        """The step that the story leads to."""
        return self.replayed[-1]


def to_the_point(
    wrong: BrokenProperty, steps: tuple[StoryStep, ...]
) -> tuple[StoryStep, ...]:
    """`steps`, and the answers that show what comes of a wrong beginning.

    An amount that should not have been reserved is not lost yet: it is when the gateway
    carries out what was begun.
    """
    if not steps or steps[-1].kind is not TransitionKind.BEGINS:
        return steps
    if wrong.property == "evidence":
        return (*steps, _success(steps[-1], is_stated=True))
    if wrong.property in {"invariant", "overlap"}:
        return (*steps, *map(_success, still_open(steps)))
    return steps


def still_open(steps: tuple[StoryStep, ...]) -> tuple[StoryStep, ...]:
    """The beginnings among `steps` whose operations have not ended."""
    ended = {
        step.operation
        for step in steps
        if step.kind in {TransitionKind.SUCCEEDS, TransitionKind.DECLINES}
    }
    return tuple(
        step
        for step in steps
        if step.kind is TransitionKind.BEGINS and step.operation not in ended
    )


def _success(begun: StoryStep, *, is_stated: bool = False) -> StoryStep:
    return StoryStep(
        TransitionKind.SUCCEEDS,
        begun.name,
        begun.amount,
        begun.operation,
        (),
        is_stated,
    )
