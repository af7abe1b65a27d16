"""A story: what was asked for and what came of it, one step after the other."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from kessai.money import Currency
from kessai.prove.spots import Wrong


class Moment(StrEnum):
    """What a step of a story is."""

    BEGINS = "begins"  # a command is asked for and begun
    SUCCEEDS = "succeeds"  # the gateway carried it out
    DECLINES = "declines"  # the gateway did not
    ELSEWHERE = "elsewhere"  # a command was carried out that the engine did not start
    REVERSES = "reverses"  # the gateway took a success back
    LAPSES = "lapses"  # a deadline passed


@attrs.frozen
class Step:
    """One step: of a command, its reversal, or of the deadline `name`.

    `amount` is in minor units. `operation` counts, from 1, the operations in the order
    in which they began; it says which of them succeeds or is declined. `flags` are
    those of an application that are on. `is_stated` says that the gateway's answer names
    the amount that was asked for.
    """

    moment: Moment
    name: str
    amount: int | None = None
    operation: int = 0
    flags: tuple[str, ...] = ()
    is_stated: bool = False


@attrs.frozen
class Told:
    """A step with what it made of the transaction, by the real machine.

    `refused` says why the machine refused it: the codes of a denial, or the reason of a
    discrepancy. `wrong` is what does not hold after it.
    """

    step: Step
    states: Mapping[str, str]
    amounts: Mapping[str, int]
    refused: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()


@attrs.frozen
class Story:
    """Steps that were played on the real machine, with what each of them made."""

    lifecycle: str
    currency: Currency
    told: tuple[Told, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps alone."""
        return tuple(told.step for told in self.told)

    @property
    def wrong(self) -> tuple[Wrong, ...]:
        """Everything that did not hold on the way, in order."""
        found = (wrong for told in self.told for wrong in told.wrong)
        return tuple(dict.fromkeys(found))

    @property
    def last(self) -> Told:
        """The step that the story leads to."""
        return self.told[-1]


def to_the_point(wrong: Wrong, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """`steps`, and the answers that show what comes of a wrong beginning.

    An amount that should not have been reserved is not lost yet: it is when the gateway
    carries out what was begun.
    """
    if not steps or steps[-1].moment is not Moment.BEGINS:
        return steps
    if wrong.property == "evidence":
        return (*steps, _success(steps[-1], is_stated=True))
    if wrong.property in {"invariant", "overlap"}:
        return (*steps, *map(_success, still_open(steps)))
    return steps


def still_open(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The beginnings among `steps` whose operations have not ended."""
    ended = {
        step.operation
        for step in steps
        if step.moment in {Moment.SUCCEEDS, Moment.DECLINES}
    }
    return tuple(
        step
        for step in steps
        if step.moment is Moment.BEGINS and step.operation not in ended
    )


def _success(begun: Step, *, is_stated: bool = False) -> Step:
    return Step(
        Moment.SUCCEEDS, begun.name, begun.amount, begun.operation, (), is_stated
    )
