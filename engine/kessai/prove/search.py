"""Every short story of a lifecycle, shortest first, and what goes wrong in each.

A few amounts are tried (the whole, 60 of 100, the least), and at most two operations of
a command are open at a time: this finds stories, and proves nothing. What it finds is
replayed on the real machine afterwards by `kessai.prove.replay`.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import combinations

import attrs

from kessai.machine.compile import CompiledCommand
from kessai.machine.compile import Step as MachineStep
from kessai.prove import transition
from kessai.prove.algebra import KNOWN, Names
from kessai.prove.rules import Rules, States
from kessai.prove.states import (
    BrokenProperty,
    ProofState,
    broken_at,
    has_footing,
    moved,
    names_at,
    track_states,
    wrongs_at,
)
from kessai.prove.story import StoryStep, TransitionKind
from kessai.prove.wrongs import wrongs_of_step

MOST_OF_ONE = 2
MOST_OPEN = 3
MOST_FLAGS = 5
ROUND = 100
PART = 60
"""Of 100, two parts of 60 are too much: the amounts of such stories."""


@attrs.frozen
class Breadth:
    """How much is searched: more amounts, more states.

    A narrow search goes further: one operation at a time, and nothing external.
    """

    most_states: int
    amounts: tuple[int, ...] = (ROUND, PART)
    ends: bool = False  # try the smallest and the largest amount too
    is_narrow: bool = False


SHALLOW = Breadth(700, (ROUND, 30, 0, -ROUND))
DEEP = Breadth(4_000, (ROUND, PART, 2 * ROUND, 0, -ROUND), ends=True)

FAR = Breadth(6_000, (ROUND, 30), is_narrow=True)
DEAR = 3
"""A step outside the engine counts as this many: a command of one's own is two."""

_OUTSIDE = {TransitionKind.EXTERNAL, TransitionKind.REVERSES}

Starting = Callable[[CompiledCommand, States], tuple[MachineStep, ...]]

Taken = tuple[StoryStep, ProofState | None]
"""A step, and the state after it; None if it cannot be told."""

Path = tuple[ProofState | None, StoryStep]


class StateSearch:
    """All states within `breadth`, with the path to each, and the first of each wrong."""

    def __init__(self, rules: Rules, breadth: Breadth, *, until_wrong: bool = False):
        self._rules = rules
        self._breadth = breadth
        self.came_by: dict[ProofState, Path] = {}
        self.wrong: dict[
            BrokenProperty, tuple[ProofState | None, StoryStep | None]
        ] = {}
        self.lost: dict[BrokenProperty, tuple[ProofState | None, StoryStep]] = {}
        self._until_wrong = until_wrong
        self._todo: list[tuple[int, int, ProofState | None, StoryStep, ProofState]] = []
        self._queued = 0
        self._go()

    def path_to(self, state: ProofState | None) -> tuple[StoryStep, ...]:
        """The steps that lead to `state`."""
        steps: list[StoryStep] = []
        while state is not None:
            state, step = self.came_by[state]
            steps.append(step)
        return numbered(reversed(steps))

    def story_of(self, wrong: BrokenProperty) -> tuple[StoryStep, ...] | None:
        """The steps that show `wrong`, or None where no short story does."""
        at = self.wrong.get(wrong) or self.lost.get(wrong)
        if at is None:
            return None
        state, step = at
        before = self.path_to(state)
        return before if step is None else numbered((*before, step))

    # ── the search ────────────────────────────────────────────────────────────────────

    def _go(self) -> None:
        for step, state in self.openings():
            self._take(0, None, step, state)
        while self._todo and len(self.came_by) < self._breadth.most_states:
            if self._until_wrong and self.wrong:
                return
            cost, _, before, step, state = heappop(self._todo)
            if state in self.came_by or self._is_broken(before, step, state):
                continue
            self.came_by[state] = before, step
            for wrong in wrongs_at(self._rules, state):
                self._note(wrong, state, None)
            for then, after in self._steps(state):
                self._take(cost, state, then, after)

    def _take(
        self,
        cost: int,
        before: ProofState | None,
        step: StoryStep,
        after: ProofState | None,
    ) -> None:
        for wrong in wrongs_of_step(self._rules, before, step, after):
            self._note(wrong, before, step)
        if after is not None and after not in self.came_by:
            self._queued += 1
            further = cost + (DEAR if step.kind in _OUTSIDE else 1)
            heappush(self._todo, (further, self._queued, before, step, after))

    def _is_broken(
        self, before: ProofState | None, step: StoryStep, after: ProofState
    ) -> bool:
        found = tuple(broken_at(self._rules, names_at(self._rules, after)))
        for wrong in found:
            self._note(wrong, before, step)
        return bool(found)

    def _note(
        self, wrong: BrokenProperty, state: ProofState | None, step: StoryStep | None
    ) -> None:
        self.wrong.setdefault(wrong, (state, step))

    def _picks(self, rule: CompiledCommand, names: Names) -> Iterator[int]:
        declared = self._rules.range_of(rule.spec)
        if declared is None:
            yield 0
            return
        low = declared.minimum.evaluate(names)
        high = declared.maximum.evaluate(names)
        picks = [a for a in self._breadth.amounts if low <= a <= high]
        if high < ROUND:
            picks += [high, *([high * 3 // 5] if low <= high * 3 // 5 else [])]
        if self._breadth.ends:
            picks += [low, high]
        if low <= high:
            yield from dict.fromkeys(picks or [low])

    def openings(self) -> Iterator[Taken]:
        """Every beginning of a transaction that is searched from."""
        for rule in self._rules.openings.values():
            given = self._rules.flags_of(rule)
            for on in _some_of(given):
                yield from self._born(rule, on)

    def _born(self, rule: CompiledCommand, on: tuple[str, ...]) -> Iterator[Taken]:
        flags = {flag: int(flag in on) for flag in self._rules.flags}
        zeros = {**dict.fromkeys(self._rules.amounts, 0), **flags}
        for amount in self._picks(rule, zeros):
            names = {**zeros, "amount": amount}
            if not all(transition.allowed(KNOWN, self._rules, (rule, ()), names)):
                continue
            opened = {
                o.track
                for o in rule.spec.opens
                if o.when is None or o.when.evaluate(names)
            }
            states = tuple(
                track.initial if name in opened else None
                for name, track in self._rules.tracks.items()
            )
            step = StoryStep(
                TransitionKind.BEGINS, rule.spec.name, _asked(rule, amount), 0, on
            )
            state = self._begun(rule, states, names, (0,) * len(self._rules.deadlines))
            yield step, state

    def _begun(
        self,
        rule: CompiledCommand,
        states: tuple[str | None, ...],
        names: Names,
        clocks: tuple[int, ...],
        others: tuple[tuple[str, int], ...] = (),
    ) -> ProofState:
        after = transition.applied(KNOWN, rule.spec.reserve, names)
        mine = (rule.spec.name, names["amount"])
        return ProofState(
            states,
            tuple(after[a] for a in self._rules.amounts),
            tuple(after[f] for f in self._rules.flags),
            clocks,
            tuple(sorted((*others, mine))),
        )

    def _steps(self, state: ProofState) -> Iterator[Taken]:
        yield from self._endings(state)
        if not (state.open and self._breadth.is_narrow):
            yield from self._begins(state)
        if not self._breadth.is_narrow:
            yield from self._external(state)
            yield from self._reversals(state)
        if not state.open:
            yield from self._lapses(state)

    # ── begin ───────────────────────────────────────────────────────────────────────

    def _begins(self, state: ProofState) -> Iterator[Taken]:
        if len(state.open) >= MOST_OPEN:
            return
        names, busy = names_at(self._rules, state), [name for name, _ in state.open]
        for rule, steps in self._startable(state, self._rules.steps_from):
            if busy.count(rule.spec.name) >= MOST_OF_ONE:
                continue
            for amount in self._picks(rule, names):
                asked = {**names, "amount": amount}
                if not all(
                    transition.allowed(KNOWN, self._rules, (rule, steps), asked)
                ):
                    continue
                step = StoryStep(
                    TransitionKind.BEGINS, rule.spec.name, _asked(rule, amount)
                )
                after = self._begun(rule, state.states, asked, state.clocks, state.open)
                yield step, after

    def _startable(
        self, state: ProofState, starting: Starting
    ) -> Iterator[tuple[CompiledCommand, tuple[MachineStep, ...]]]:
        busy = {name for name, _ in state.open}
        states = track_states(self._rules, state)
        for rule in self._rules.others.values():
            steps = starting(rule, states)
            if steps and not busy & rule.excludes:
                yield rule, steps

    # ── ends ────────────────────────────────────────────────────────────────────────

    def _endings(self, state: ProofState) -> Iterator[Taken]:
        for operation in dict.fromkeys(state.open):
            name, amount = operation
            rule = self._rules.moving[name]
            rest = list(state.open)
            rest.remove(operation)
            asked = {**names_at(self._rules, state), "amount": amount}
            step = StoryStep(TransitionKind.SUCCEEDS, name, _asked(rule, amount))
            if steps := self._rules.steps_from(rule, track_states(self._rules, state)):
                success = transition.succeeded(KNOWN, steps, asked)
                after = self._moved(state, rule, success)
                yield self._ended(state, step, after, rest)
            step = attrs.evolve(step, kind=TransitionKind.DECLINES)
            yield self._ended(state, step, self._decline(state, rule, asked), rest)

    def _ended(
        self,
        state: ProofState,
        step: StoryStep,
        after: ProofState | None,
        rest: list[tuple[str, int]],
    ) -> Taken:
        if after is not None:
            after = after._replace(open=tuple(rest))
            self._loses(state, step, after)
        return step, after

    def _moved(
        self, state: ProofState, rule: CompiledCommand, success: transition.Success
    ) -> ProofState | None:
        """`state` after `success`; None if it does not lead to exactly one state."""
        if transition.undecided(KNOWN, success):
            return None
        return moved(self._rules, state, rule, success)

    def _decline(
        self, state: ProofState, rule: CompiledCommand, names: Names
    ) -> ProofState:
        after = transition.applied(KNOWN, rule.spec.release, names)
        states = track_states(self._rules, state)
        held = {track: at for track, at in states.items() if at}
        ended = {step.track: step.target for step in rule.declined_from(held)}
        amounts = tuple(after[a] for a in self._rules.amounts)
        return state._replace(
            states=tuple({**states, **ended}.values()), amounts=amounts
        )

    def _loses(self, state: ProofState, step: StoryStep, after: ProofState) -> None:
        """Note whose success could be applied before this end, and cannot any more."""
        for name in {name for name, _ in after.open}:
            if has_footing(self._rules, state, name) and not has_footing(
                self._rules, after, name
            ):
                wrong = BrokenProperty("footing", f"{step.name} {step.kind} {name}")
                self.lost.setdefault(wrong, (state, step))

    # ── without the engine ──────────────────────────────────────────────────────────

    def _external(self, state: ProofState) -> Iterator[Taken]:
        names = names_at(self._rules, state)
        for rule, steps in self._startable(state, self._rules.outside_from):
            for amount in self._picks(rule, names):
                asked = {**names, "amount": amount}
                success = transition.whole_success(KNOWN, rule, steps, asked)
                kept = transition.kept_by_the_net(KNOWN, self._rules, success.after)
                if all(kept):
                    step = StoryStep(
                        TransitionKind.EXTERNAL, rule.spec.name, _asked(rule, amount)
                    )
                    yield step, self._moved(state, rule, success)

    def _reversals(self, state: ProofState) -> Iterator[Taken]:
        names, states = names_at(self._rules, state), track_states(self._rules, state)
        for name, rule in self._rules.machine.reversals.items():
            steps = self._rules.steps_from(rule, states)
            for amount in self._picks(rule, names) if steps else ():
                asked = {**names, "amount": amount}
                success = transition.succeeded(KNOWN, steps, asked)
                if all(transition.kept_by_the_net(KNOWN, self._rules, success.after)):
                    asked_for = _asked(rule, amount)
                    step = StoryStep(TransitionKind.REVERSES, name, asked_for)
                    yield step, self._moved(state, rule, success)

    def _lapses(self, state: ProofState) -> Iterator[Taken]:
        states = track_states(self._rules, state)
        for deadline in transition.deadlines_of(self._rules, states):
            after = transition.applied(
                KNOWN, deadline.commit, names_at(self._rules, state)
            )
            moved = {**states, deadline.track: deadline.target}
            yield (
                StoryStep(TransitionKind.LAPSES, deadline.name),
                state._replace(
                    states=tuple(moved.values()),
                    amounts=tuple(after[a] for a in self._rules.amounts),
                ),
            )


def numbered(steps: Iterable[StoryStep]) -> tuple[StoryStep, ...]:
    """`steps`, each end with the operation that it is of: the first that fits."""
    open_ones: list[tuple[int, StoryStep]] = []
    count = 0
    found: list[StoryStep] = []
    for step in steps:
        if step.kind is TransitionKind.BEGINS:
            count += 1
            open_ones.append((count, step))
            found.append(attrs.evolve(step, operation=count))
        elif step.kind in {TransitionKind.SUCCEEDS, TransitionKind.DECLINES}:
            mine = next(
                (number, begun)
                for number, begun in open_ones
                if (begun.name, begun.amount) == (step.name, step.amount)
            )
            open_ones.remove(mine)
            found.append(attrs.evolve(step, operation=mine[0]))
        else:
            found.append(step)
    return tuple(found)


def _some_of(flags: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every choice of `flags`; of many none, each alone, and all of them."""
    if len(flags) > MOST_FLAGS:
        yield from ((), *((flag,) for flag in flags), flags)
        return
    for count in range(len(flags) + 1):
        yield from combinations(flags, count)


def _asked(rule: CompiledCommand, amount: int) -> int | None:
    return None if rule.spec.amount is None else amount
