"""The plain steps of a log, taken fast: what a lifecycle asks of amounts and time alone.

Nearly every row of a log is a command that succeeded while nothing else was open. Which
reasons against it come from states, flags and parameters alone is the same for all rows
of a kind in the same situation. So the first is decided and carried out in full, by
`decide` and `evolve`; from then on only the declared bounds, guards, deadlines, effects
and invariants are evaluated. A plan is used only if it led to the very same result the
first time, and whatever it does not take is decided in full: it never denies.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import attrs

from kessai.machine import Machine, Transaction
from kessai.machine.compile import CompiledCommand, Step, end_of
from kessai.machine.decide import id_pattern
from kessai.machine.evolve import apply_effects
from kessai.machine.invariants import broken_amounts
from kessai.spec import AmountEffect, Deadline
from kessai.spec.expression import Evaluate

Deadlines = Mapping[str, datetime]
PlanKey = int | tuple[int, str, str]


@attrs.define(eq=False)
class QuietSituation:
    """All of a transaction but its amounts and times; nothing is open in it.

    `plans` are by the number of a class of rows and the state of its agreement, if it
    names one; None where there can be none.
    """

    machine: Machine | None
    currency: str
    states: Mapping[str, str]
    flags: Mapping[str, int]
    plans: dict["PlanKey", "Plan | None"] = attrs.field(factory=dict)


class Situations:
    """Every situation once, so that its plans are made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], QuietSituation] = {}
        self.blank = self.of(None, "", {}, {})
        """That of what never came to be."""

    def of(
        self,
        machine: Machine | None,
        currency: str,
        states: Mapping[str, str],
        flags: Mapping[str, int],
    ) -> QuietSituation:
        """The situation of a transaction of `machine`."""
        name = "" if machine is None else machine.name
        key = (name, currency, tuple(states.items()), tuple(flags.items()))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = QuietSituation(machine, currency, states, flags)
        return found


class Taken(NamedTuple):  # one is made for every row
    """Where a step led."""

    situation: QuietSituation
    amounts: Mapping[str, int]
    deadlines: Deadlines


@attrs.define(eq=False)
class Plan:
    """What remains to be asked of a row of one kind in one situation."""

    machine: Machine
    currency: str
    takes_amount: bool
    minimum: Evaluate | None
    maximum: Evaluate | None
    default: Evaluate | None
    guards: Sequence[Evaluate]
    passed: Sequence[str]
    effects: tuple[AmountEffect, ...]
    steps: Sequence[Step]
    starts: Sequence[Deadline]
    fits_id: Callable[[str], Any] | None
    states: Mapping[str, str]
    flags: Mapping[str, int]
    reads: bool
    situations: Situations
    leads_to: dict[tuple[bool, ...], QuietSituation] = attrs.field(factory=dict)

    def take(
        self,
        amounts: Mapping[str, int],
        deadlines: Deadlines,
        amount: int | None,
        when: tuple[datetime, datetime],
    ) -> Taken | None:
        """Where the step leads; None when it is to be decided in full.

        `when` is the first moment at which it may have happened, and the last.
        """
        names = {**amounts, **self.flags}
        asked = self._amount(names, amount)
        if asked is None or not self._may(names, asked, deadlines, when[0]):
            return None
        names["amount"] = asked
        after = apply_effects(self.effects, names, amounts)
        if broken_amounts(self.machine, after):
            return None
        situation = self._situation(names)
        if situation is None:
            return None
        if self.starts:
            deadlines = self._restarted(deadlines, when[1])
        return Taken(situation, after, deadlines)

    def _amount(self, names: Mapping[str, int], amount: int | None) -> int | None:
        """The amount within its bounds, 0 where none is taken; None if it is not."""
        if self.minimum is None or self.maximum is None:
            return 0
        if amount is None:
            if self.default is None:
                return None
            amount = self.default(names)
        within = self.minimum(names) <= amount <= self.maximum(names)
        return amount if within else None

    def _may(
        self,
        names: dict[str, int],
        amount: int,
        deadlines: Deadlines,
        at: datetime,
    ) -> bool:
        for deadline in self.passed:
            ends = deadlines.get(deadline)
            if ends is not None and at >= ends:
                return False
        names["amount"] = amount
        return not self.guards or all(holds(names) for holds in self.guards)

    def _situation(self, after: Mapping[str, int]) -> QuietSituation | None:
        chosen = tuple([s.enabled(after) for s in self.steps])
        found = self.leads_to.get(chosen)
        if found is None:
            steps = [s for s, is_on in zip(self.steps, chosen, strict=True) if is_on]
            if not steps and not self.reads:
                return None
            states = {**self.states, **{s.track: s.target for s in steps}}
            found = self.situations.of(self.machine, self.currency, states, self.flags)
            self.leads_to[chosen] = found
        return found

    def _restarted(self, deadlines: Deadlines, at: datetime) -> Deadlines:
        after = dict(deadlines)
        for deadline in self.starts:
            ends = end_of(deadline, at)
            before = after.get(deadline.name)
            after[deadline.name] = ends if before is None else max(before, ends)
        return after


def plan_for(
    machine: Machine,
    rule: CompiledCommand,
    begun: Transaction,
    situations: Situations,
) -> Plan | None:
    """The plan of rows like the one that led to `begun`, with its operation open.

    None where what opens a track depends on the amount.
    """
    spec = rule.spec
    if any(o.when is not None and "amount" in o.when.names for o in spec.opens):
        return None
    candidates = rule.steps_from(begun.states)
    old = () if spec.is_opening else candidates
    declared = None if spec.amount is None else spec.amount[begun.currency]
    default = None if declared is None else declared.default
    return Plan(
        machine=machine,
        currency=begun.currency,
        takes_amount=declared is not None,
        minimum=None if declared is None else declared.minimum.evaluate,
        maximum=None if declared is None else declared.maximum.evaluate,
        default=None if default is None else default.evaluate,
        guards=[
            guard.holds.evaluate
            for guards in (rule.guards, *(step.guards for step in old))
            for guard in guards
        ],
        passed=[
            deadline.name
            for deadline in (() if spec.is_opening else rule.deadlines)
            if begun.states.get(deadline.track) == deadline.state
        ],
        effects=spec.reserve + (candidates[0].commit if candidates else ()),
        steps=candidates,
        starts=rule.starts,
        fits_id=(
            id_pattern(machine.lifecycle.identifier).fullmatch
            if spec.is_opening
            else None
        ),
        states=begun.states,
        flags=begun.flags,
        reads=spec.reads,
        situations=situations,
    )
