"""What of a lifecycle file a proof looks at, made ready once.

Everything here is read off the compiled machine; nothing is declared a second time.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import permutations, product
from math import prod

import attrs

from kessai.errors import InvalidInput
from kessai.machine import Machine
from kessai.machine.compile import CompiledCommand, Step
from kessai.spec import (
    AmountEffect,
    AmountRange,
    CommandSpec,
    Deadline,
    Expression,
    Lifecycle,
)
from kessai.spec.expression import Binary, Name, Node

MOST_WAYS = 2_000
"""Tracks that move together may have so many combinations; more would take hours."""

States = Mapping[str, str | None]
"""The state of each track; None where the opening command did not open it."""


@attrs.frozen
class Situation:
    """States of the tracks that a command moves, and its steps from there."""

    states: States
    steps: tuple[Step, ...]


@attrs.frozen
class GivingBack:
    """A command that pays back: each success raises `given`, never above `whole`."""

    command: str
    whole: str
    given: str


class Rules:
    """A machine as the prover sees it, in one currency (`in_each_currency`).

    `giving_back` is given where it is not to be found out.
    """

    def __init__(
        self, machine: Machine, giving_back: tuple[GivingBack, ...] | None = None
    ) -> None:
        self.machine = machine
        self.lifecycle = machine.lifecycle
        self.tracks = self.lifecycle.tracks
        self._giving_back = giving_back
        self.currency = next(iter(self.lifecycle.currencies))
        self.amounts = tuple(self.lifecycle.amounts)
        self.moving = {
            name: rule for name, rule in machine.commands.items() if not rule.spec.reads
        }

    def range_of(self, spec: CommandSpec) -> AmountRange | None:
        """The amounts that a command takes, of the one currency that is looked at."""
        return None if spec.amount is None else spec.amount[self.currency]

    @cached_property
    def openings(self) -> Mapping[str, CompiledCommand]:
        """The commands that begin a transaction."""
        return {n: r for n, r in self.moving.items() if r.spec.is_opening}

    @cached_property
    def others(self) -> Mapping[str, CompiledCommand]:
        """The commands that move a transaction which is there."""
        return {n: r for n, r in self.moving.items() if not r.spec.is_opening}

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """The flags that some expression names; the others change nothing."""
        named: set[str] = set().union(*(e.names for e in self._expressions()))
        return tuple(flag for flag in self.lifecycle.flags if flag in named)

    def flags_of(self, rule: CompiledCommand) -> tuple[str, ...]:
        """The flags that an opening command may carry."""
        return tuple(flag for flag in self.flags if flag in rule.parameters)

    def _expressions(self) -> Iterator[Expression]:
        found = self.lifecycle
        yield from (guard.holds for guard in found.guards.values())
        yield from (invariant.holds for invariant in found.invariants.values())
        effects: list[AmountEffect] = []
        for _, spec in found.changes:
            effects += (*spec.reserve, *spec.commit, *spec.release)
            effects += [e for move in spec.moves for e in move.commit or ()]
            conditions = [o.when for o in spec.opens] + [m.when for m in spec.moves]
            conditions.append(spec.reports)
            if (amount := self.range_of(spec)) is not None:
                conditions += [amount.minimum, amount.maximum]
            yield from (when for when in conditions if when is not None)
        for deadline in found.deadlines.values():
            effects += deadline.commit
        yield from (effect.value for effect in effects)

    @cached_property
    def codes(self) -> Mapping[str, Mapping[str, int]]:
        """A number for each state of each track."""
        return {
            name: {state: number for number, state in enumerate(track.states)}
            for name, track in self.tracks.items()
        }

    @cached_property
    def together(self) -> tuple[tuple[str, str], ...]:
        """The pairs of amounts, in both orders, that stand together in an expression."""
        amounts = set(self.amounts)
        found = {
            pair
            for expression in self._expressions()
            for pair in permutations(sorted(amounts & expression.names), 2)
        }
        return tuple(sorted(found))

    def is_started(self, deadline: Deadline) -> bool:
        """Whether whatever leads into the state of `deadline` starts it."""
        leading = {
            (section, command.name)
            for section, command in self.lifecycle.changes
            for move in command.moves
            if (move.track, move.target) == (deadline.track, deadline.state)
            and set(move.sources) != {deadline.state}
        }
        return leading <= {("commands", name) for name in deadline.starts}

    @cached_property
    def reserved(self) -> Mapping[str, tuple[str, ...]]:
        """The amounts that hold something back, each with the commands that do so."""
        found: dict[str, list[str]] = {}
        for name, rule in self.moving.items():
            for effect in rule.spec.reserve:
                found.setdefault(effect.target, []).append(name)
        return {amount: tuple(names) for amount, names in found.items()}

    @cached_property
    def situations(self) -> Mapping[str, tuple[Situation, ...]]:
        """For each command, every situation of its tracks in which it has steps."""
        return {
            name: tuple(self._situations(rule)) for name, rule in self.moving.items()
        }

    @cached_property
    def reversals(self) -> Mapping[str, tuple[Situation, ...]]:
        """The same of reversals, by the command whose success is taken back."""
        reversals = self.machine.reversals.items()
        return {name: tuple(self._situations(rule)) for name, rule in reversals}

    def standing(self, tracks: Iterable[str]) -> Iterator[States]:
        """Every way in which `tracks` may stand together.

        Raises:
            InvalidInput: there are too many to ask of each.

        """
        names = tuple(tracks)
        each = [(*self.tracks[name].states, None) for name in names]
        if prod(map(len, each)) > MOST_WAYS:
            message = (
                f"tracks {', '.join(names)}: commands move them together, and they can"
                f" stand in more than {MOST_WAYS:,} ways; a proof looks at each of them"
            )
            raise InvalidInput(message)
        for states in product(*each):
            yield dict(zip(names, states, strict=True))

    def _situations(self, rule: CompiledCommand) -> Iterator[Situation]:
        for stand in self.standing(rule.steps):
            steps = self.steps_from(rule, stand)
            if steps:
                yield Situation(stand, steps)

    @staticmethod
    def steps_from(rule: CompiledCommand, states: States) -> tuple[Step, ...]:
        """The machine's own answer: which steps start from `states`."""
        return rule.steps_from({t: s for t, s in states.items() if s is not None})

    def linked(self, track: str) -> tuple[str, ...]:
        """The tracks that decide which commands move `track`."""
        found = {track}
        for rule in self.others.values():
            if track in rule.steps:
                found.update(rule.steps)
        return tuple(name for name in self.tracks if name in found)

    def giving_tracks(self, pair: GivingBack) -> tuple[str, ...]:
        """The tracks that decide whether `pair` can be carried out."""
        tracks = self.machine.commands[pair.command].steps
        found = {other for track in tracks for other in self.linked(track)}
        return tuple(name for name in self.tracks if name in found)

    @cached_property
    def far(self) -> Mapping[str, Mapping[str, int]]:
        """For each track, how many moves each state is from a final one."""
        return {
            name: self._distances(name, track.final)
            for name, track in self.tracks.items()
        }

    def towards(self, track: str, command: str) -> Mapping[str, int]:
        """How many moves each state of `track` is from one where `command` starts."""
        starts = self.machine.commands[command].steps.get(track, {})
        return self._distances(track, starts)

    def _distances(self, track: str, goals: Iterable[str]) -> Mapping[str, int]:
        edges = {
            (source, move.target)
            for _, move, source in self.lifecycle.moves()
            if move.track == track and move.target is not None
        }
        edges |= {
            (d.state, d.target)
            for d in self.lifecycle.deadlines.values()
            if d.track == track
        }
        far = dict.fromkeys(goals, 0)
        todo = list(far)
        for state in todo:  # it grows while it is gone through
            for source, target in sorted(edges):
                if target == state and source not in far:
                    far[source] = far[state] + 1
                    todo.append(source)
        return far

    @cached_property
    def giving_back(self) -> tuple[GivingBack, ...]:
        """The commands that pay back what another one took, found by their shape.

        Such a command's largest amount is `whole - given - …`, and its success does
        `given += amount`. A capture may look the same (of an authorization); it is the
        last of such a chain that pays back.
        """
        if self._giving_back is not None:
            return self._giving_back
        found = [
            pair
            for rule in self.others.values()
            for pair in _pairs(rule.spec, self.range_of(rule.spec))
        ]
        wholes = {pair.whole for pair in found}
        return tuple(pair for pair in found if pair.given not in wholes)


def in_each_currency(lifecycle: Lifecycle) -> Iterator[Lifecycle]:
    """`lifecycle` in one currency, once for each that has bounds of its own."""
    seen: set[tuple[AmountRange | None, ...]] = set()
    for code in lifecycle.currencies:
        amounts = (spec.amount or {} for _, spec in lifecycle.changes)
        bounds = tuple(amount.get(code) for amount in amounts)
        if bounds not in seen:
            seen.add(bounds)
            yield lifecycle.in_currency(code)


def _pairs(spec: CommandSpec, amount: AmountRange | None) -> Iterator[GivingBack]:
    if amount is None:
        return
    whole, less = _difference(amount.maximum.tree)
    effects = (*spec.commit, *(e for move in spec.moves for e in move.commit or ()))
    raised = {e.target for e in effects if _adds_the_amount(e)}
    for given in less:
        if whole is not None and given in raised:
            yield GivingBack(spec.name, whole, given)


def _difference(tree: Node) -> tuple[str | None, tuple[str, ...]]:
    """`a - b - c` as a, and b and c."""
    less: tuple[str, ...] = ()
    while isinstance(tree, Binary) and tree.operator == "-":
        if isinstance(tree.right, Name):
            less = (tree.right.name, *less)
        tree = tree.left
    return (tree.name if isinstance(tree, Name) else None), less


def _adds_the_amount(effect: AmountEffect) -> bool:
    asked = Name("amount")
    return effect.value.tree == Binary("+", Name(effect.target), asked)
