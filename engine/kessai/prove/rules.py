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
from kessai.prove.pools import (
    AmountPool,
    GivingBack,
    commits_of,
    giving_back,
    pool_of,
    pools_in,
    used_up,
)
from kessai.spec import (
    AmountEffect,
    AmountRange,
    CommandSpec,
    Expression,
    Lifecycle,
)

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
class Goal:
    """Where `track` is to get: the pairs of states of which the second is nearer."""

    track: str
    nearer: frozenset[tuple[str, str]]


def clock_of(deadline: str) -> str:
    """The name under which it goes whether `deadline` was started: 1, or 0."""
    return f"~{deadline}"


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
        self.deadlines = self.lifecycle.deadlines
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
        return tuple(flag for flag in self.lifecycle.flags if flag in self.named)

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
    def named(self) -> frozenset[str]:
        """Every name that some expression uses."""
        return frozenset().union(*(each.names for each in self._expressions()))

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
    def outside(self) -> Mapping[str, tuple[Situation, ...]]:
        """The same of what the gateway does unasked: more may be possible then."""
        return {
            name: tuple(self._situations(rule, outside=True))
            for name, rule in self.others.items()
        }

    @cached_property
    def reversals(self) -> Mapping[str, tuple[Situation, ...]]:
        """The same of reversals, by the command whose success is taken back."""
        reversals = self.machine.reversals.items()
        return {name: tuple(self._situations(rule)) for name, rule in reversals}

    def combinations(self, tracks: Iterable[str]) -> Iterator[States]:
        """Every combination of states that `tracks` may have.

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

    def _situations(
        self, rule: CompiledCommand, *, outside: bool = False
    ) -> Iterator[Situation]:
        starting = self.outside_from if outside else self.steps_from
        for stand in self.combinations(rule.tracks if outside else rule.steps):
            steps = starting(rule, stand)
            if steps:
                yield Situation(stand, steps)

    def ways_from(self, rule: CompiledCommand, states: States) -> tuple[Step, ...]:
        """The steps by which it goes on from `states`, asked for or decided elsewhere."""
        if rule.spec.is_asked_for:
            return self.steps_from(rule, states)
        return self.outside_from(rule, states)

    @staticmethod
    def steps_from(rule: CompiledCommand, states: States) -> tuple[Step, ...]:
        """The machine's own answer: which steps start from `states`."""
        return rule.steps_from({t: s for t, s in states.items() if s is not None})

    @staticmethod
    def outside_from(rule: CompiledCommand, states: States) -> tuple[Step, ...]:
        """The same of a success that nobody asked for."""
        return rule.outside_from({t: s for t, s in states.items() if s is not None})

    def linked(self, track: str) -> tuple[str, ...]:
        """The tracks that decide which commands move `track`."""
        found = {track}
        for rule in self.others.values():
            if track in rule.steps:
                found.update(rule.steps)
        return tuple(name for name in self.tracks if name in found)

    @cached_property
    def giving_tracks(self) -> Mapping[GivingBack, tuple[str, ...]]:
        """For each command that pays back, the tracks that decide whether it can."""
        return {
            pair: tuple(
                dict.fromkeys(
                    other
                    for track in self.machine.commands[pair.command].steps
                    for other in self.linked(track)
                )
            )
            for pair in self.giving_back
        }

    @cached_property
    def to_the_end(self) -> Mapping[str, Goal]:
        """For each track, the goal of getting to a final state."""
        return {
            name: self._goal(name, track.final) for name, track in self.tracks.items()
        }

    @cached_property
    def to_give_back(self) -> Mapping[tuple[str, str], Goal]:
        """For each track and each command that pays back, getting to where it starts."""
        return {
            (track, pair.command): self._goal(track, starts)
            for pair in self.giving_back
            for track in self.giving_tracks[pair]
            for starts in [self.machine.commands[pair.command].steps.get(track, {})]
        }

    def _goal(self, track: str, ends: Iterable[str]) -> Goal:
        """How `ends` are neared: by moves that lead there, or that cannot be undone.

        Neither can go on for ever, so that each way leads to an end, however long.
        """
        moves = [m for m in self.lifecycle.moves() if m[1].track == track]
        asked = {s for _, move, s in moves if not move.external and move.target != s}
        edges = {
            (source, move.target)
            for command, move, source in moves
            if move.target is not None
            if not move.external or (source not in asked and not command.is_asked_for)
        }
        edges |= {
            (d.state, d.target) for d in self.deadlines.values() if d.track == track
        }
        back = [(target, source) for source, target in edges]
        far = _distances(back, ends)
        leads_to = {state: _distances(edges, [state]) for state in far}
        nearer = {
            (one, other)
            for one, other in edges
            if one in far and other in far and one != other
            if far[other] < far[one] or one not in leads_to[other]
        }
        return Goal(track, frozenset(nearer))

    @cached_property
    def giving_back(self) -> tuple[GivingBack, ...]:
        """The commands that pay back what another one took."""
        if self._giving_back is not None:
            return self._giving_back
        return giving_back(self._largest(asked=True), self.reserved)

    @cached_property
    def pools(self) -> tuple[AmountPool, ...]:
        """What invariants and largest amounts take parts from."""
        found = [
            *(pool_of(most, self.reserved) for _, most in self._largest()),
            *(
                pool
                for invariant in self.lifecycle.invariants.values()
                for pool in pools_in(invariant.holds, self.reserved)
            ),
        ]
        return tuple(dict.fromkeys(pool for pool in found if pool is not None))

    @cached_property
    def used_up(self) -> Mapping[AmountPool, tuple[str, ...]]:
        """The pools of which nothing may be left, with the tracks that end them."""
        return {
            pool: self._tracks_taking(pool)
            for pool in used_up(self.lifecycle, self.pools)
        }

    def is_final(self, track: str, state: str | None) -> bool:
        """Whether nothing more can be asked for on `track` in `state`."""
        return state in self.tracks[track].final

    def _tracks_taking(self, pool: AmountPool) -> tuple[str, ...]:
        taking = [
            move.track
            for rule in self.others.values()
            if any(effect.target in pool.parts for effect in commits_of(rule.spec))
            for move in rule.spec.moves
        ]
        return tuple(dict.fromkeys(taking))

    def _largest(
        self, *, asked: bool = False
    ) -> Iterator[tuple[CommandSpec, Expression]]:
        """The largest amounts; only of what can be `asked` for, if that is wanted."""
        for rule in self.others.values():
            amount = self.range_of(rule.spec)
            if amount is not None and (rule.spec.is_asked_for or not asked):
                yield rule.spec, amount.maximum


def _distances(
    edges: Iterable[tuple[str, str]], starts: Iterable[str]
) -> Mapping[str, int]:
    """How many of `edges` each state is from `starts`, of those that they lead to."""
    far = dict.fromkeys(starts, 0)
    for state in (todo := list(far)):  # it grows while it is gone through
        for source, target in sorted(edges):
            if source == state and target not in far:
                far[target] = far[state] + 1
                todo.append(target)
    return far


def in_each_currency(lifecycle: Lifecycle) -> Iterator[Lifecycle]:
    """`lifecycle` in one currency, once for each that has bounds of its own."""
    seen: set[tuple[AmountRange | None, ...]] = set()
    for code in lifecycle.currencies:
        amounts = (spec.amount or {} for _, spec in lifecycle.changes)
        bounds = tuple(amount.get(code) for amount in amounts)
        if bounds not in seen:
            seen.add(bounds)
            yield lifecycle.in_currency(code)
