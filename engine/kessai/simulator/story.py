"""A list of moves as people read it: who does what, and what comes of it."""

from collections.abc import Iterator, Sequence

import attrs

from kessai.flow import Answer
from kessai.flow.effects import Effect
from kessai.machine import Command
from kessai.simulator.faults import MEANINGS, Fault
from kessai.simulator.moves import (
    Arrive,
    Ask,
    ComeBack,
    Consume,
    Deliver,
    Finish,
    InPortal,
    LoseNotification,
    Move,
    Pass,
    Recover,
    Sweep,
    TakeBack,
    TaskStep,
)
from kessai.simulator.run import conclude, living
from kessai.simulator.tasks import Task
from kessai.simulator.violation import Violation
from kessai.simulator.world import Stage, World
from kessai.words import Words


def narrate(stage: Stage, moves: Sequence[Move], language: str = "en") -> Iterator[str]:
    """The story of `moves`, a line each, replayed for it."""
    narrator = _Narrator(language)
    with living(stage) as world:
        try:
            for move in moves:
                yield narrator.line(world, move)
            yield narrator.resolves()
            conclude(world)
        except Violation as violation:
            yield f"! {violation}"


@attrs.define
class _Narrator:
    """Writes in one language what a move is about to do, and what came of it."""

    language: str

    def line(self, world: World, move: Move) -> str:
        """Play `move`; the line that describes it."""
        task = _task_of(world, move)
        effect = None if task is None else task.effect
        try:
            world.play(move)
        except Violation as violation:
            line = self._narrated(move, task, effect)
            raise Violation(
                violation.code, violation.order, f"{violation.detail}  [{line}]"
            ) from violation
        clock = f"{world.now:%d %H:%M:%S}"
        return f"{clock}  {self._narrated(move, task, effect)}{_came_of(world, move, task)}"

    def resolves(self) -> str:
        """The line before everything resolves."""
        return Words("simulation.lines")("resolves", self.language)

    def _narrated(self, move: Move, task: Task | None, effect: Effect | None) -> str:
        match move:
            case Ask():
                text = f"#{move.task} worker: {_asked(move.command)}"
            case Recover():
                of = f" of {move.order}" if move.order else ""
                text = f"#{move.task} recoverer{of}, missing={move.missing}"
            case Sweep():
                text = f"#{move.task} sweeper: {move.order}"
            case Deliver():
                text = f"#{move.task} notification {move.number} of {move.order}"
            case LoseNotification():
                text = f"notification {move.number} of {move.order} is lost"
            case TaskStep():
                text = f"#{move.task} {_effect(task, effect)}"
                text += " (kept)" if move.hold else ""
            case ComeBack():
                text = f"#{move.task} worker: resume {move.order}"
            case _:
                text = _outside(move)
        fault = getattr(move, "fault", None)
        return text + self._fault(fault) + _skew(move)

    def _fault(self, fault: Fault | None) -> str:
        if fault is None:
            return ""
        return f" — {fault}: {MEANINGS(fault, self.language)}"


def _outside(move: Move) -> str:
    match move:
        case Arrive():
            text = f"the request of #{move.task} arrives"
        case Pass():
            text = f"{move.seconds:,} s pass"
        case Consume():
            text = f"consumer of {move.order}: {move.act}"
        case InPortal():
            text = f"portal: {move.act} {move.order} {move.amount or ''}".rstrip()
        case Finish():
            end = "succeeds" if move.good else "fails"
            text = f"what is pending of {move.order} {end}"
        case TakeBack():
            text = f"a success of {move.order} is taken back"
        case _:
            text = str(move)
    return text


def _skew(move: Move) -> str:
    skew = getattr(move, "skew", 0)
    return f" (clock {skew:+} s)" if skew else ""


def _asked(command: Command) -> str:
    parts = [command.name, command.transaction]
    if command.amount is not None:
        parts.append(str(command.amount))
    if command.agreement is not None:
        parts.append(f"under {command.agreement}")
    flags = [name for name, value in command.parameters.items() if value is True]
    return " ".join([*parts, *flags, f"key={command.key}"])


def _effect(task: Task | None, effect: Effect | None) -> str:
    if task is None or effect is None:
        return "-"
    name = type(effect).__name__
    if name == "Append":
        records = effect.change.records  # type: ignore[union-attr]
        return f"{name} {', '.join(f'event {r.number}' for r in records)}"
    if name == "Send":
        way = effect.request.url.rpartition("//")[2]  # type: ignore[union-attr]
        _, is_second, rest = way.rpartition("/v2/")
        return (
            f"{name} {rest.partition('/')[0] if is_second else way.partition('/')[2]}"
        )
    return name


def _task_of(world: World, move: Move) -> Task | None:
    return world.tasks.get(getattr(move, "task", -1))


def _came_of(world: World, move: Move, task: Task | None) -> str:
    if task is None or task.number in world.tasks or not isinstance(move, TaskStep):
        return ""
    outcome = task.outcome
    if isinstance(outcome, Answer):
        return f" → {outcome.status}"
    if isinstance(outcome, Exception):
        return f" → {type(outcome).__name__}"
    return " → ends"
