"""A list of moves as people read it: who does what, and what comes of it."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import attrs

from kessai.flow import Answer, Append, Send
from kessai.flow.effects import Effect
from kessai.machine import Command
from kessai.simulator.faults import MEANINGS, Fault
from kessai.simulator.moves import (
    Ask,
    CarryOut,
    Finish,
    InPortal,
    Recover,
    Sell,
    TaskStep,
    WorldMove,
)
from kessai.simulator.run import conclude, living
from kessai.simulator.tasks import Task
from kessai.simulator.violation import Violation
from kessai.simulator.world import Stage, World
from kessai.words import Words

_MOVES = Words("simulation.moves")


def narrate(
    stage: Stage, moves: Sequence[WorldMove], language: str = "en"
) -> Iterator[str]:
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

    def line(self, world: World, move: WorldMove) -> str:
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

    def _narrated(
        self, move: WorldMove, task: Task | None, effect: Effect | None
    ) -> str:
        kind, values = type(move).__name__, attrs.asdict(move, recurse=False)
        match move:
            case Ask() | Sell() | CarryOut():
                values["command"] = _asked(move.command)
            case TaskStep():
                values["effect"] = "-" if task is None else _shown(effect)
                kind += "Kept" if move.hold else ""
            case Recover(order=""):
                kind = "RecoverAny"
            case Finish(good=False):
                kind = "FinishBadly"
            case InPortal(amount=None):
                values["amount"] = ""
            case _:  # its own fields say all
                pass
        text = _MOVES(kind, self.language, **values).rstrip()
        text += self._fault(values.get("fault"), values.get("detail"))
        for name in ("skew", "account"):
            if said := values.get(name):
                text += _MOVES(name, self.language, **{name: said})
        return text

    def _fault(self, fault: Fault | None, detail: str | None) -> str:
        if fault is None:
            return ""
        which = f"{fault} ({detail})" if detail else fault
        return f" — {which}: {MEANINGS(fault, self.language)}"


def _asked(command: Command) -> str:
    parts = [command.name, command.transaction]
    if command.amount is not None:
        parts.append(str(command.amount))
    if command.agreement is not None:
        parts.append(f"under {command.agreement}")
    flags = [name for name, value in command.parameters.items() if value is True]
    return " ".join([*parts, *flags, f"key={command.key}"])


def _shown(effect: Effect | None) -> str:
    match effect:
        case Append(change):
            return f"Append {', '.join(f'event {r.number}' for r in change.records)}"
        case Send(request):
            return f"Send {urlsplit(request.url).path}"
        case None:
            return "-"
        case _:
            return type(effect).__name__


def _task_of(world: World, move: WorldMove) -> Task | None:
    return world.tasks.get(getattr(move, "task", -1))


def _came_of(world: World, move: WorldMove, task: Task | None) -> str:
    if task is None or task.number in world.tasks or not isinstance(move, TaskStep):
        return ""
    outcome = task.outcome
    if isinstance(outcome, Answer):
        return f" → {outcome.status}"
    if isinstance(outcome, Exception):
        return f" → {type(outcome).__name__}"
    return " → ends"
