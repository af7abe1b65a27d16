"""The engine and the emulator that an order system is tried on, one world a story.

The engine is the real one; its flows are stepped through the simulator's world, so that
a fault can be injected into any effect, and everything is checked that the simulator
checks.
"""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import entry_points
from itertools import count
from typing import Any, TypeVar

import attrs

from kessai.errors import AdapterMissing
from kessai.flow import Append, Flow, Send
from kessai.flow.effects import Effect
from kessai.gateway import Failure, Reply, Request
from kessai.machine import Command, Machines
from kessai.shell import Engine
from kessai.simulator import Fault, PlayedGateway, Stage, Violation, World
from kessai.simulator.faults import DEATHS, IN_THE_STORE, ON_THE_WIRE
from kessai.simulator.moves import TaskStep
from kessai.simulator.tasks import Role, Task
from kessai.spec import Lifecycle
from kessai.stores import MemoryStore

T = TypeVar("T")

EMULATORS = "kessai.emulators"
MOMENTS = ("intent", "call", "outcome")
"""Where a fault can occur: as the intent is written, on the wire, as the outcome is."""

IN_A_CALL = frozenset({*DEATHS, *IN_THE_STORE, *ON_THE_WIRE}) - {
    Fault.SLOW_REQUEST,
    Fault.FAILED_REFUND,
}
"""The faults that one call of an engine can suffer."""


class Died(BaseException):
    """The process that called the engine ends here: nothing after it is carried out."""


@attrs.frozen
class FaultInjection:
    """A fault that is injected when its moment comes."""

    fault: Fault
    moment: str
    detail: str = ""


def stage_of(lifecycles: list[Lifecycle], emulator: str, **options: Any) -> Stage:
    """What worlds are made of: the lifecycles, an installed emulator, a store in memory.

    Raises:
        AdapterMissing: no emulator of that name is installed.

    """
    found = {point.name: point for point in entry_points(group=EMULATORS)}
    if emulator not in found:
        known = ", ".join(sorted(found)) or "none"
        message = f"emulator {emulator!r} is not installed; installed are: {known}"
        raise AdapterMissing(message)
    factory = found[emulator].load()

    def make(clock: Callable[[], datetime]) -> PlayedGateway:
        gateway: PlayedGateway = factory(clock=clock, **options).played()
        return gateway

    return Stage(Machines(lifecycles), make, MemoryStore)


class StagedEngine(Engine):
    """An engine whose every effect happens in a world, and may suffer a fault.

    `injection` waits for its moment; `meanwhile` is what others do while a reply
    is on its way. `found` is a promise of the engine's own that was broken.
    """

    def __init__(self, world: World, lifecycles: list[Lifecycle]) -> None:
        super().__init__(
            adapters=world.gateway.adapters,
            store=world.store,
            transport=_Unused(),
            lifecycles=lifecycles,
            clock=lambda: world.now,
        )
        self.injection: FaultInjection | None = None
        self.meanwhile: Callable[[], None] | None = None
        self.found: Violation | None = None
        self.answers: list[str] = []
        self._world = world
        self._numbers = count(1)
        self._command: Command | None = None

    def execute(self, command: Command) -> Any:
        """See `Engine.execute`."""
        self._command = command
        answer = super().execute(command)
        self.answers.append(answer.status.value)
        return answer

    def drive(self, flow: Flow[T]) -> T:
        """Carry a flow to its end in the world, or to where the world breaks it off."""
        command, self._command = self._command, None
        role = Role.RECEIVER if command is None else Role.WORKER
        order = "" if command is None else command.transaction
        task = Task(next(self._numbers), role, flow, order, command=command)
        try:
            self._to_its_end(task)
        except Violation as violation:
            self.found = self.found or violation
            raise
        outcome: Any = task.outcome
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return] # what the flow returns

    def _to_its_end(self, task: Task) -> None:
        world, writes = self._world, 0
        world.start(task)
        while task.number in world.tasks:
            effect = task.effect
            writes += isinstance(effect, Append)
            self._step(task, _moment(effect, writes))

    def _step(self, task: Task, moment: str) -> None:
        injected = self.injection
        if injected is not None and injected.moment == moment:
            self.injection, fault = None, injected.fault
            self._world.play(TaskStep(task.number, fault, detail=injected.detail))
            if fault in DEATHS:
                raise Died(fault)
            return
        others = self.meanwhile
        is_call = moment == "call" and others is not None
        self._world.play(TaskStep(task.number, hold=is_call))
        if is_call and others is not None:
            self.meanwhile = None
            others()


def _moment(effect: Effect | None, writes: int) -> str:
    match effect:
        case Append():
            return "intent" if writes == 1 else "outcome"
        case Send(_, until) if until is not None:
            return "call"
        case _:
            return ""


class _Unused:
    """The world carries what is sent, not a transport."""

    def send(self, request: Request) -> Reply | Failure:
        raise AssertionError(request)

    def close(self) -> None:
        pass
