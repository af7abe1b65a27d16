"""A transaction with any amounts and any number of open operations, for the solver.

Each amount is a whole number, each flag a truth, each track the number of its state (-1
where it was not opened). The open operations of each command are counted and summed up:
`#refund` of them, of `+refund` in all. One that ends is any of them: its amount is a
part of the sum, the whole of it when it is the only one, and leaves the others what the
smallest amount of the command demands.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs

from kessai.machine.compile import CompiledCommand
from kessai.prove import transition
from kessai.prove.algebra import Names, SolverAlgebra, Truth
from kessai.prove.rules import Rules, Situation, States, clock_of
from kessai.prove.story import TransitionKind
from kessai.spec import Deadline, Expression
from kessai.spec.expression import Integer

ABSENT = -1


def state_of(track: str) -> str:
    """The name under which the state of `track` goes."""
    return f"@{track}"


def count_of(command: str) -> str:
    """The name under which the number of open operations of `command` goes."""
    return f"#{command}"


def sum_of(command: str) -> str:
    """The name under which the sum of their amounts goes."""
    return f"+{command}"


@attrs.frozen
class Transition:
    """A transition by a command or a deadline: when it may happen, and its result.

    `after` has what changes. A beginning (`is_first`) comes from nothing.
    """

    kind: TransitionKind
    name: str
    when: Truth
    after: Names
    is_first: bool = False


class Symbols:
    """The solver's names for a transaction, and every transition between two."""

    def __init__(self, z3: Any, rules: Rules) -> None:
        self.z3 = z3
        self.rules = rules
        self.terms = SolverAlgebra(z3, rules.flags)
        self.amount = z3.Int("amount")
        self.names: dict[str, Any] = {name: z3.Int(name) for name in self._numbers()}
        self.names.update({flag: z3.Bool(flag) for flag in rules.flags})
        self.asked: Names = {**self.names, "amount": self.amount}

    def _numbers(self) -> Iterator[str]:
        yield from self.rules.amounts
        yield from map(state_of, self.rules.tracks)
        yield from map(clock_of, self.rules.deadlines)
        for name, rule in self.rules.moving.items():
            yield count_of(name)
            if rule.spec.amount is not None:
                yield sum_of(name)

    def code(self, track: str, state: str | None) -> int:
        """The number of `state`."""
        return ABSENT if state is None else self.rules.codes[track][state]

    # ── what is known of every transaction ──────────────────────────────────────────

    def axioms(self) -> Iterator[Truth]:
        """What counts, sums and states are by themselves."""
        for track, declared in self.rules.tracks.items():
            state = self.names[state_of(track)]
            yield self.terms.every([state >= ABSENT, state < len(declared.states)])
        for clock in map(clock_of, self.rules.deadlines):
            yield self.terms.every([self.names[clock] >= 0, self.names[clock] <= 1])
        for name, rule in self.rules.moving.items():
            count = self.names[count_of(name)]
            yield count >= 0
            if rule.spec.amount is not None:
                total, low = self.names[sum_of(name)], least(self.rules, rule)
                yield self.z3.Implies(count == 0, total == 0)
                if low is not None:
                    yield total >= low * count
                if (high := most(self.rules, rule)) is not None:
                    yield total <= high * count

    def stands(self, states: States) -> Truth:
        """That the tracks of `states` stand so."""
        return self.terms.every(
            self.names[state_of(track)] == self.code(track, state)
            for track, state in states.items()
        )

    def none_open(self, commands: Iterable[str]) -> Truth:
        """That no operation of `commands` is open."""
        return self.terms.every(
            self.names[count_of(name)] == 0
            for name in commands
            if name in self.rules.moving
        )

    def is_one_of(self, name: str) -> Truth:
        """That an operation of `name` is open, of `amount`."""
        rule = self.rules.moving[name]
        count = self.names[count_of(name)]
        if rule.spec.amount is None:
            return self.terms.every([count >= 1, self.amount == 0])
        total, low = self.names[sum_of(name)], least(self.rules, rule)
        known = [count >= 1, self.z3.Implies(count == 1, self.amount == total)]
        if low is not None:
            known += [self.amount >= low, total - self.amount >= low * (count - 1)]
        if (high := most(self.rules, rule)) is not None:
            known += [self.amount <= high, total - self.amount <= high * (count - 1)]
        return self.terms.every(known)

    # ── every transition ────────────────────────────────────────────────────────────

    def transitions(self, only: str | None = None) -> Iterator[Transition]:
        """Every transition of every command from everywhere, every reversal and deadline.

        With `only`, those of the command (and its reversal) or deadline of that name.
        """
        for name, rule in self.rules.moving.items():
            if only in {None, name}:
                yield from self._of_command(name, rule)
        for name, situations in self.rules.reversals.items():
            if only in {None, name}:
                for situation in situations:
                    yield self._reverses(name, situation)
        for deadline in self.rules.lifecycle.deadlines.values():
            if only in {None, deadline.name}:
                yield self._lapses(deadline)

    def _of_command(self, name: str, rule: CompiledCommand) -> Iterator[Transition]:
        if rule.spec.is_opening:
            yield self._born(name, rule)
        for situation in self.rules.situations[name]:
            if not rule.spec.is_opening:
                yield self._begins(name, rule, situation)
            yield self._succeeds(name, rule, situation)
        yield self._declines(name, rule)
        for situation in self.rules.outside.get(name, ()):
            yield self._external(name, rule, situation)

    def _amounts(self, after: Names) -> dict[str, Any]:
        return {name: after[name] for name in self.rules.amounts}

    def _counted(self, name: str, by: int) -> dict[str, Any]:
        counted = {count_of(name): self.names[count_of(name)] + by}
        if sum_of(name) in self.names:
            counted[sum_of(name)] = self.names[sum_of(name)] + by * self.amount
        return counted

    def born(self, rule: CompiledCommand) -> Names:
        """What an opening command begins with: nothing but its flags and its amount."""
        zeros = dict.fromkeys(self.rules.amounts, self.terms.zero)
        given = self.rules.flags_of(rule)
        off = {
            f: self.z3.BoolVal(val=False) for f in self.rules.flags if f not in given
        }
        return {**self.asked, **zeros, **off}

    def _born(self, name: str, rule: CompiledCommand) -> Transition:
        names = self.born(rule)
        after: dict[str, Any] = {
            **{n: t for n, t in names.items() if n in self.rules.flags},
            **self._amounts(transition.applied(self.terms, rule.spec.reserve, names)),
            **dict.fromkeys(map(clock_of, self.rules.deadlines), self.terms.zero),
        }
        for track, declared in self.rules.tracks.items():
            opened = [o for o in rule.spec.opens if o.track == track]
            opens = self.terms.some(
                self.z3.BoolVal(val=True)
                if o.when is None
                else self.terms.truth(o.when, names)
                for o in opened
            )
            initial = self.code(track, declared.initial)
            after[state_of(track)] = self.z3.If(
                opens, self.z3.IntVal(initial), self.z3.IntVal(ABSENT)
            )
        for command in self.rules.moving:
            is_it = int(command == name)
            after[count_of(command)] = self.z3.IntVal(is_it)
            if sum_of(command) in self.names:
                after[sum_of(command)] = self.amount * is_it
        when = [
            *transition.allowed(self.terms, self.rules, (rule, ()), names),
            *self._no_amount(rule),
        ]
        return Transition(
            TransitionKind.BEGINS, name, self.terms.every(when), after, True
        )

    def _no_amount(self, rule: CompiledCommand) -> list[Truth]:
        return [] if rule.spec.amount is not None else [self.amount == 0]

    def may_begin(self, rule: CompiledCommand, situation: Situation) -> list[Truth]:
        """When `decide` lets the command begin, as far as amounts and states show."""
        return [
            self.stands(situation.states),
            self.none_open(rule.excludes),
            *transition.allowed(
                self.terms, self.rules, (rule, situation.steps), self.asked
            ),
            *self._no_amount(rule),
        ]

    def reserved(self, rule: CompiledCommand) -> Names:
        """The amounts after the beginning of an operation of `amount`."""
        return transition.applied(self.terms, rule.spec.reserve, self.asked)

    def _begins(
        self, name: str, rule: CompiledCommand, situation: Situation
    ) -> Transition:
        when = self.terms.every(self.may_begin(rule, situation))
        after = {**self._amounts(self.reserved(rule)), **self._counted(name, 1)}
        return Transition(TransitionKind.BEGINS, name, when, after)

    def moved(self, success: transition.Success) -> dict[str, Any]:
        """The states of the tracks after `success`."""
        after: dict[str, Any] = {}
        for step, enabled in success.enabled:
            name = state_of(step.track)
            target = self.z3.IntVal(self.code(step.track, step.target))
            after[name] = self.z3.If(enabled, target, after.get(name, self.names[name]))
        return after

    def success(self, situation: Situation) -> transition.Success:
        """What the success of an open operation of `amount` makes."""
        return transition.succeeded(self.terms, situation.steps, self.asked)

    def _started(self, rule: CompiledCommand) -> dict[str, Any]:
        return {clock_of(one.name): self.z3.IntVal(1) for one in rule.starts}

    def _succeeds(
        self, name: str, rule: CompiledCommand, situation: Situation
    ) -> Transition:
        success = self.success(situation)
        is_moved = self.terms.some(enabled for _, enabled in success.enabled)
        when = [self.stands(situation.states), self.is_one_of(name), is_moved]
        after = {
            **self._amounts(success.after),
            **self.moved(success),
            **self._started(rule),
            **self._counted(name, -1),
        }
        return Transition(TransitionKind.SUCCEEDS, name, self.terms.every(when), after)

    def _declines(self, name: str, rule: CompiledCommand) -> Transition:
        released = transition.applied(self.terms, rule.spec.release, self.asked)
        after = {**self._amounts(released), **self._counted(name, -1)}
        for track, declared in self.rules.tracks.items():
            state = self.names[state_of(track)]
            for step in chain(
                *(rule.declined_from({track: s}) for s in declared.states)
            ):
                is_there = state == self.code(track, step.source)
                ended = self.z3.IntVal(self.code(track, step.target))
                before = after.get(state_of(track), state)
                after[state_of(track)] = self.z3.If(is_there, ended, before)
        return Transition(TransitionKind.DECLINES, name, self.is_one_of(name), after)

    def _within(self, rule: CompiledCommand) -> Sequence[Truth]:
        declared = self.rules.range_of(rule.spec)
        if declared is None:
            return [self.amount == 0]
        return transition.within(self.terms, declared, self.asked)

    def external(
        self, rule: CompiledCommand, situation: Situation
    ) -> tuple[Truth, transition.Success]:
        """When `resolve_external` applies an external success, and its effect."""
        success = transition.whole_success(
            self.terms, rule, situation.steps, self.asked
        )
        when = [
            self.stands(situation.states),
            self.none_open(rule.excludes),
            *self._within(rule),
            *transition.kept_by_the_net(self.terms, self.rules, success.after),
            self.terms.no(transition.undecided(self.terms, success)),
        ]
        return self.terms.every(when), success

    def _external(
        self, name: str, rule: CompiledCommand, situation: Situation
    ) -> Transition:
        when, success = self.external(rule, situation)
        after = {
            **self._amounts(success.after),
            **self.moved(success),
            **self._started(rule),
        }
        return Transition(TransitionKind.EXTERNAL, name, when, after)

    def reverses(
        self, name: str, situation: Situation
    ) -> tuple[Truth, transition.Success]:
        """When amounts and states allow a reversal, which may come at any time."""
        success = transition.succeeded(self.terms, situation.steps, self.asked)
        when = [
            self.stands(situation.states),
            *self._within(self.rules.machine.reversals[name]),
            *transition.kept_by_the_net(self.terms, self.rules, success.after),
        ]
        return self.terms.every(when), success

    def _reverses(self, name: str, situation: Situation) -> Transition:
        may, success = self.reverses(name, situation)
        one_move = self.terms.no(transition.undecided(self.terms, success))
        when = self.terms.every([may, one_move])
        after = {**self._amounts(success.after), **self.moved(success)}
        return Transition(TransitionKind.REVERSES, name, when, after)

    def _lapses(self, deadline: Deadline) -> Transition:
        stands = self.stands({deadline.track: deadline.state})
        when = self.terms.every([stands, self.none_open(self.rules.moving)])
        after = self._amounts(
            transition.applied(self.terms, deadline.commit, self.asked)
        )
        target = self.code(deadline.track, deadline.target)
        after[state_of(deadline.track)] = self.z3.IntVal(target)
        return Transition(TransitionKind.LAPSES, deadline.name, when, after)


def least(rules: Rules, rule: CompiledCommand) -> int | None:
    """The smallest amount of any operation of the command, where the file fixes it."""
    amount = rules.range_of(rule.spec)
    return None if amount is None else _fixed(amount.minimum)


def most(rules: Rules, rule: CompiledCommand) -> int | None:
    """The largest amount of any operation of the command, where the file fixes it."""
    amount = rules.range_of(rule.spec)
    return None if amount is None else _fixed(amount.maximum)


def _fixed(bound: Expression) -> int | None:
    return bound.tree.value if isinstance(bound.tree, Integer) else None


def readable(rules: Rules, values: Mapping[str, int]) -> str:
    """The numbers of a transaction, as a person reads them."""
    parts: list[str] = []
    for track, declared in rules.tracks.items():
        state = values[state_of(track)]
        if state != ABSENT:
            parts.append(f"{track}.{list(declared.states)[state]}")
    parts += [f"{name} {values[name]}" for name in rules.amounts if values[name]]
    for name in rules.moving:
        if count := values[count_of(name)]:
            total = values.get(sum_of(name))
            of = "" if total is None else f" ({total})"
            parts.append(f"{count} × {name}{of}")
    return ", ".join(parts)
