"""A lifecycle compiled to `transitions` machines, one a track, headless.

The machines hold no model: they are the table of who may follow whom, and anyone may
put a model of their own on them. `decide` and `evolve` read the same table, so that
reasons can be gathered where a bare trigger would only say False.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from transitions import Machine as TransitionsMachine

from kessai.machine.denial import STRUCTURAL
from kessai.spec import CommandSpec, Deadline, Effect, Guard, Lifecycle, Move, Text
from kessai.spec.expression import Evaluate


@attrs.frozen
class Step:
    """A move from one state, with its target as the track's machine has it."""

    track: str
    target: str
    move: Move
    enabled: Evaluate | None
    commit: tuple[Effect, ...]
    guards: tuple[Guard, ...]


@attrs.frozen
class CompiledCommand:
    """A command ready to be decided: its steps by track and state, its deadlines.

    `excludes` names the commands whose open operations must end first: every command
    that moves one of the same tracks, except those declared to run alongside.
    `amount_guards` are the codes of the guards that hang on the amount asked for.
    """

    spec: CommandSpec
    steps: Mapping[str, Mapping[str, tuple[Step, ...]]]
    guards: tuple[Guard, ...]
    deadlines: tuple[Deadline, ...]
    starts: tuple[Deadline, ...]
    excludes: frozenset[str]
    parameters: frozenset[str]
    amount_guards: frozenset[str]

    @property
    def sets_amount(self) -> bool:
        """Whether it reserves nothing, so that its amount replaces what stood before."""
        return self.spec.amount is not None and not self.spec.reserve

    def steps_from(self, states: Mapping[str, str]) -> tuple[Step, ...]:
        """Every step that starts from one of `states`, enabled or not."""
        found: tuple[Step, ...] = ()
        for track, by_state in self.steps.items():
            state = states.get(track)
            if state is not None:
                found += by_state.get(state, ())
        return found


@attrs.frozen(eq=False)
class Machine:
    """A compiled lifecycle. `tracks` are live `transitions.Machine` objects."""

    lifecycle: Lifecycle
    tracks: Mapping[str, TransitionsMachine]
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


def compile_lifecycle(lifecycle: Lifecycle) -> Machine:
    """The machine of `lifecycle`."""
    tracks = {name: _track_machine(lifecycle, name) for name in lifecycle.tracks}
    texts = {
        **STRUCTURAL,
        **{guard.code: guard.text for guard in lifecycle.guards.values()},
        **{deadline.code: deadline.text for deadline in lifecycle.deadlines.values()},
        **_titles(lifecycle),
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
                steps=_steps(lifecycle, tracks, reversal, reversal_of(reversal)),
                guards=(),
                deadlines=(),
                starts=(),
                excludes=frozenset(),
                parameters=frozenset(),
                amount_guards=frozenset(),
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
    """What commands and states are called in sentences."""
    titles = {f"title {c.name}": c.title for c in lifecycle.commands.values()}
    for track in lifecycle.tracks.values():
        for name, state in track.states.items():
            titles[f"title {track.name}.{name}"] = Text(
                f"{track.title.en} is {state.en}", f"{track.title.ja}が{state.ja}"
            )
    return titles


def trigger_of(deadline: Deadline) -> str:
    """The trigger under which a track's machine knows the passing of `deadline`."""
    return f"deadline:{deadline.name}"


def reversal_of(reversal: CommandSpec) -> str:
    """The trigger under which a track's machine knows `reversal`."""
    return f"reversal:{reversal.name}"


def _track_machine(lifecycle: Lifecycle, track: str) -> TransitionsMachine:
    declared = lifecycle.tracks[track]
    machine = TransitionsMachine(
        model=None,
        states=list(declared.states),
        initial=declared.initial,
        auto_transitions=False,
    )
    for section, command in lifecycle.changes:
        trigger = command.name if section == "commands" else reversal_of(command)
        for move in command.moves:
            for source in move.sources if move.track == track else ():
                target = source if move.target is None else move.target
                machine.add_transition(
                    trigger, source, target, conditions=_conditions(move)
                )
    for deadline in lifecycle.deadlines.values():
        if deadline.track == track:
            machine.add_transition(
                trigger_of(deadline), deadline.state, deadline.target
            )
    return machine


def _conditions(move: Move) -> list[str | Callable[..., bool | None]]:
    if move.when is None:
        return []
    evaluate = move.when.evaluate
    return [lambda names: bool(evaluate(names))]


def _command(
    lifecycle: Lifecycle, tracks: Mapping[str, TransitionsMachine], spec: CommandSpec
) -> CompiledCommand:
    return CompiledCommand(
        spec=spec,
        steps=_steps(lifecycle, tracks, spec, spec.name),
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


def _steps(
    lifecycle: Lifecycle,
    tracks: Mapping[str, TransitionsMachine],
    spec: CommandSpec,
    trigger: str,
) -> Mapping[str, Mapping[str, tuple[Step, ...]]]:
    """The steps of `spec` by track and state."""
    steps: dict[str, dict[str, tuple[Step, ...]]] = {}
    for move, source in ((own, at) for own in spec.moves for at in own.sources):
        # Read back from the machine: what it does not hold cannot be decided on.
        found = _transition(tracks[move.track], trigger, source, move)
        step = Step(
            track=move.track,
            target=found.dest,
            move=move,
            enabled=None if move.when is None else move.when.evaluate,
            commit=spec.commit if move.commit is None else move.commit,
            guards=tuple(lifecycle.guards[code] for code in move.guards),
        )
        by_state = steps.setdefault(move.track, {})
        by_state[source] = (*by_state.get(source, ()), step)
    return steps


def _transition(
    machine: TransitionsMachine, trigger: str, source: str, move: Move
) -> Any:
    target = source if move.target is None else move.target
    return machine.get_transitions(trigger, source, target)[0]


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
    """When the state of `deadline` ends that began at `begun`.

    What would lie beyond the last year that a datetime can hold ends with it.
    """
    try:
        return begun + timedelta(seconds=deadline.seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
