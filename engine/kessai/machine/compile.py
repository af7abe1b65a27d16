"""A lifecycle compiled to `transitions` machines, one per track, without a model.

Anyone may put a model of their own on the machines. They are the only table of where a
state goes: `decide`, `evolve` and the prover read the very transitions that a trigger
would take, and evaluate their conditions. So reasons can be gathered where a trigger
would only return False. What a machine does not hold cannot happen. Its triggers are

    capture                  a command
    external:capture         a command that the gateway did where it cannot be asked for
    declined:authorize       an opening command that was declined
    reversal:refund          a command whose success the gateway takes back
    deadline:authorization   a deadline that passes
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, cast

import attrs
from transitions import Machine as TransitionsMachine
from transitions import Transition

from kessai.machine.denial import STRUCTURAL
from kessai.spec import (
    AmountEffect,
    CommandSpec,
    Deadline,
    Guard,
    Lifecycle,
    Move,
    Text,
    Track,
)
from kessai.spec.expression import Evaluate
from kessai.spec.scope import expressions
from kessai.words import joined


class Step(Transition):
    """A transition of a track's machine, with what the lifecycle file adds to it.

    `move` is its declaration in the file, `commit` its effects on amounts, and `guards`
    are what must hold for its operation to begin.
    """

    def __init__(
        self,
        *declared: Any,
        move: Move,
        commit: tuple[AmountEffect, ...],
        guards: tuple[Guard, ...],
    ) -> None:
        super().__init__(*declared)
        self.track = move.track
        self.move = move
        self.commit = commit
        self.guards = guards

    @property
    def target(self) -> str:
        """The state that it leads to."""
        return self.dest or self.source

    def enabled(self, names: Mapping[str, int]) -> bool:
        """Whether its conditions hold under `names`, as a trigger would check them."""
        for condition in self.conditions:
            holds = condition.func
            if isinstance(holds, str) or bool(holds(names)) is not condition.target:
                return False
        return True


class TrackMachine(TransitionsMachine):
    """The machine of one track."""

    transition_cls = Step


Tracks = Mapping[str, TrackMachine]


def steps_of(
    tracks: Tracks, trigger: str, states: Mapping[str, str]
) -> tuple[Step, ...]:
    """The transitions of `trigger` for `tracks` in these `states`, enabled or not."""
    found: tuple[Step, ...] = ()
    for name, track in tracks.items():
        if (event := track.events.get(trigger)) is not None:
            starting: Any = event.transitions.get(states.get(name, ""), ())
            found += tuple(starting)
    return found


@attrs.frozen
class CompiledCommand:
    """A command ready to be decided, or a reversal: its tracks' machines and deadlines.

    `trigger` is its success's trigger in those machines. `excludes` names the commands
    that must have no open operation: every command that moves one of the same tracks,
    except those declared to run alongside. `amount_guards` are the codes of the guards
    that depend on the amount asked for.
    """

    spec: CommandSpec
    trigger: str
    tracks: Tracks = attrs.field(repr=False)
    guards: tuple[Guard, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    starts: tuple[Deadline, ...] = ()
    excludes: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    amount_guards: frozenset[str] = frozenset()

    @cached_property
    def finish_within(self) -> timedelta | None:
        """How long its consumer may take to finish it; None if it involves none."""
        allowed = self.spec.abandoned
        return None if allowed is None else timedelta(seconds=allowed.seconds)

    @property
    def sets_amount(self) -> bool:
        """Whether it reserves nothing, so that its amount replaces the previous one."""
        return self.spec.amount is not None and not self.spec.reserve

    def steps_from(self, states: Mapping[str, str]) -> tuple[Step, ...]:
        """The transitions of a success from `states`, enabled or not."""
        return steps_of(self.tracks, self.trigger, states)

    def outside_from(self, states: Mapping[str, str]) -> tuple[Step, ...]:
        """The same of a success that nobody asked for, whether it could be or not."""
        unasked = steps_of(self.tracks, _external(self.trigger), states)
        return self.steps_from(states) + unasked

    def declined_from(self, states: Mapping[str, str]) -> tuple[Step, ...]:
        """The transitions of a decline from `states`: an opening command's alone."""
        return steps_of(self.tracks, _declined(self.spec), states)

    @property
    def steps(self) -> dict[str, dict[str, tuple[Step, ...]]]:
        """The transitions of a success, by track and state."""
        return {
            name: {
                state: self.steps_from({name: state})
                for state in track.events[self.trigger].transitions
            }
            for name, track in self.tracks.items()
            if self.trigger in track.events
        }


@attrs.frozen(eq=False)
class Machine:
    """A compiled lifecycle. `tracks` are live `transitions.Machine` objects."""

    lifecycle: Lifecycle
    tracks: Tracks
    commands: Mapping[str, CompiledCommand]
    reversals: Mapping[str, CompiledCommand]
    deadlines: Mapping[str, Deadline]
    invariants: tuple[tuple[str, Evaluate], ...]
    zeros: Mapping[str, int]
    flags_off: Mapping[str, int]
    texts: Mapping[str, Text] = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The lifecycle's name."""
        return self.lifecycle.name

    @cached_property
    def balances(self) -> Mapping[str, Text]:
        """The amounts that rules read and no command reserves, with their titles."""
        lifecycle = self.lifecycle
        commands = lifecycle.commands.values()
        reserved = {effect.target for command in commands for effect in command.reserve}
        read = {name for _, found, _ in expressions(lifecycle) for name in found.names}
        return {n: t for n, t in lifecycle.amounts.items() if n in read - reserved}

    def lapse_from(self, deadline: str, states: Mapping[str, str]) -> Step | None:
        """The transition from `states` when `deadline` passes, if there is one."""
        steps = steps_of(self.tracks, f"{_DEADLINE}{deadline}", states)
        return steps[0] if steps else None


def compile_lifecycle(lifecycle: Lifecycle) -> Machine:
    """The machine of `lifecycle`."""
    tracks = {name: _track_machine(lifecycle, name) for name in lifecycle.tracks}
    texts = {
        **STRUCTURAL,
        **{guard.code: guard.text for guard in lifecycle.guards.values()},
        **{deadline.code: deadline.text for deadline in lifecycle.deadlines.values()},
        **_titles(lifecycle),
        **{f"rule {code}": rule.text for code, rule in lifecycle.rules.items()},
    }
    return Machine(
        lifecycle=lifecycle,
        tracks=tracks,
        commands={
            command.name: _command(lifecycle, tracks, command)
            for command in lifecycle.commands.values()
        },
        reversals={
            reversal.name: CompiledCommand(
                spec=reversal,
                trigger=_reversal(reversal),
                tracks=_tracks_of(tracks, reversal),
            )
            for reversal in lifecycle.reversals.values()
        },
        deadlines=lifecycle.deadlines,
        invariants=tuple(
            (invariant.name, invariant.holds.evaluate)
            for invariant in lifecycle.invariants.values()
        ),
        zeros=dict.fromkeys(lifecycle.amounts, 0),
        flags_off=dict.fromkeys(lifecycle.flags, 0),
        texts=texts,
    )


def _titles(lifecycle: Lifecycle) -> dict[str, Text]:
    """The names of commands and states in sentences."""
    titles = {f"title {c.name}": c.title for c in lifecycle.commands.values()}
    for track in lifecycle.tracks.values():
        for name, state in track.states.items():
            titles[f"title {track.name}.{name}"] = joined(
                "is", track=track.title, state=state
            )
    return titles


_DEADLINE = "deadline:"


def trigger_of(deadline: Deadline) -> str:
    """The trigger for the passing of `deadline` in a track's machine."""
    return f"{_DEADLINE}{deadline.name}"


def _external(trigger: str) -> str:
    return f"external:{trigger}"


def _reversal(reversal: CommandSpec) -> str:
    return f"reversal:{reversal.name}"


def _declined(command: CommandSpec) -> str:
    return f"declined:{command.name}"


def _track_machine(lifecycle: Lifecycle, track: str) -> TrackMachine:
    declared = lifecycle.tracks[track]
    machine = TrackMachine(
        model=None,
        states=list(declared.states),
        initial=declared.initial,
        auto_transitions=False,
    )
    for trigger, move, commit in _every_move(lifecycle):
        for source in move.sources if move.track == track else ():
            machine.add_transition(
                trigger,
                source,
                source if move.target is None else move.target,
                conditions=_conditions(move),
                move=move,
                commit=commit,
                guards=tuple(lifecycle.guards[code] for code in move.guards),
            )
    return machine


def _every_move(
    lifecycle: Lifecycle,
) -> Iterator[tuple[str, Move, tuple[AmountEffect, ...]]]:
    """Every trigger with its move, and the effects on amounts of that move."""
    for section, command in lifecycle.changes:
        trigger = command.name if section == "commands" else _reversal(command)
        for move in command.moves:
            commit = command.commit if move.commit is None else move.commit
            yield _external(trigger) if move.external else trigger, move, commit
        for name in dict.fromkeys(opening.track for opening in command.opens):
            track = lifecycle.tracks[name]
            open_in = _states_while_open(lifecycle, track, command)
            yield (
                _declined(command),
                _plain(name, open_in, track.declined, command.rule),
                (),
            )
    for deadline in lifecycle.deadlines.values():
        source, rule = (deadline.state,), deadline.rule
        move = _plain(deadline.track, source, deadline.target, rule)
        yield trigger_of(deadline), move, deadline.commit


def _plain(track: str, sources: tuple[str, ...], target: str, rule: str) -> Move:
    return Move(track=track, sources=sources, target=target, rule=rule)


def _states_while_open(
    lifecycle: Lifecycle, track: Track, opening: CommandSpec
) -> tuple[str, ...]:
    """The states of `track` before `opening` ends: commands alongside may move it."""
    found = [track.initial]
    beside = [
        (source, move.target)
        for command, move, source in lifecycle.moves()
        if move.track == track.name and opening.name in command.alongside
    ]
    for state in found:  # it grows meanwhile
        found += {
            target: None
            for source, target in beside
            if source == state and target is not None and target not in found
        }
    return tuple(found)


def _conditions(move: Move) -> list[str | Callable[..., bool | None]]:
    if move.when is None:
        return []
    return [cast("Callable[..., bool]", move.when.evaluate)]


def _command(
    lifecycle: Lifecycle, tracks: Tracks, spec: CommandSpec
) -> CompiledCommand:
    return CompiledCommand(
        spec=spec,
        trigger=spec.name,
        tracks=_tracks_of(tracks, spec),
        guards=tuple(lifecycle.guards[code] for code in spec.guards),
        deadlines=tuple(
            d for d in lifecycle.deadlines.values() if spec.name in d.denies
        ),
        starts=tuple(d for d in lifecycle.deadlines.values() if spec.name in d.starts),
        excludes=_excludes(lifecycle, spec),
        parameters=frozenset((*spec.required, *spec.optional)),
        amount_guards=frozenset(
            code
            for codes in (spec.guards, *(move.guards for move in spec.moves))
            for code in codes
            if "amount" in lifecycle.guards[code].holds.names
        ),
    )


def _tracks_of(tracks: Tracks, spec: CommandSpec) -> Tracks:
    moved = [move.track for move in spec.moves]
    own = dict.fromkeys([*moved, *(opening.track for opening in spec.opens)])
    return {name: tracks[name] for name in own}


def _excludes(lifecycle: Lifecycle, spec: CommandSpec) -> frozenset[str]:
    if spec.reads:
        return frozenset()
    tracks = {move.track for move in spec.moves}
    return frozenset(
        other.name
        for other in lifecycle.commands.values()
        if not other.reads
        and other.name not in spec.alongside
        and tracks & {move.track for move in other.moves}
    )


def end_of(deadline: Deadline, begun: datetime) -> datetime:
    """When `deadline` passes for a state that began at `begun`.

    It is at most the last moment that a datetime can hold.
    """
    try:
        return begun + timedelta(seconds=deadline.seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
