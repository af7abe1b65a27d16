"""Many worlds, one after the other, each from a seed of its own."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import attrs

from kessai.simulator.faults import ALL, Fault
from kessai.simulator.moves import WorldMove
from kessai.simulator.quiescence import Quiescence
from kessai.simulator.scheduler import Scheduler
from kessai.simulator.violation import Violation
from kessai.simulator.world import Stage, World

COMMANDS_EACH = 200
"""How many commands one world lives through: small books are compared quickly."""


@attrs.frozen(kw_only=True)
class FoundViolation:
    """A violation, the seed that leads to it, and the moves that do."""

    seed: int
    commands: int
    faults: frozenset[Fault]
    violation: Violation
    moves: tuple[WorldMove, ...]


@attrs.define
class Figures:
    """What was played so far.

    `excused` are the operations of a command and an amount that a fault touched, so
    that evidence may fit nothing. All others were carried out as often as was answered.
    """

    worlds: int = 0
    commands: int = 0
    accepted: int = 0
    operations: int = 0
    resolved: int = 0
    excused: int = 0
    recoveries: int = 0
    orders: int = 0
    discrepancies: int = 0
    faults: Counter[Fault] = attrs.field(factory=Counter[Fault])
    outcomes: Counter[str] = attrs.field(factory=Counter[str])
    finding: FoundViolation | None = None

    @property
    def excused_share(self) -> float:
        """The share of the operations that a fault excuses; 0 if there is none."""
        return self.excused / self.operations if self.operations else 0.0

    def add(self, other: "Figures") -> None:
        """Count `other` in, and keep the first finding."""
        for field in attrs.fields(Figures):
            if field.name != "finding":
                both = getattr(self, field.name) + getattr(other, field.name)
                setattr(self, field.name, both)
        self.finding = self.finding or other.finding


@contextmanager
def living(stage: Stage) -> Iterator[World]:
    """A world, closed afterwards."""
    world = World(stage)
    try:
        yield world
    finally:
        world.close()


def simulate(
    stage: Stage,
    seed: int,
    commands: int,
    faults: Iterable[Fault] = ALL,
    after_each: Callable[[Figures], bool] = lambda _: True,
) -> Figures:
    """Play `commands` commands in worlds of the seeds from `seed` on.

    Ends with the first violation, or when `after_each`, given the figures of one world,
    returns False. The same arguments play the same worlds.
    """
    total, chosen = Figures(), frozenset(faults)
    while total.finding is None and total.commands < commands:
        each = min(COMMANDS_EACH, commands - total.commands)
        figures = play_world(stage, seed + total.worlds, each, chosen)
        total.add(figures)
        if not after_each(figures):
            break
    return total


def play_world(
    stage: Stage, seed: int, commands: int, faults: frozenset[Fault]
) -> Figures:
    """Play one world to its end."""
    moves: list[WorldMove] = []
    with living(stage) as world:
        scheduler = Scheduler(seed, world, faults, commands)
        finding = None
        try:
            while (move := scheduler.next()) is not None:
                moves.append(move)
                world.play(move)
            conclude(world)
        except Violation as violation:
            finding = FoundViolation(
                seed=seed,
                commands=commands,
                faults=faults,
                violation=violation,
                moves=tuple(moves),
            )
        return _figures(world, finding)


def conclude(world: World) -> None:
    """Let a world resolve, compare the books, and audit the trails.

    Raises:
        Violation: something was lost, or done twice, or does not hold.

    """
    quiescence = Quiescence(world)
    quiescence.resolve()
    quiescence.compare()
    quiescence.audit()


def replay(stage: Stage, moves: Iterable[WorldMove]) -> Violation | None:
    """The violation that `moves` lead to, if any."""
    with living(stage) as world:
        try:
            for move in moves:
                world.play(move)
            conclude(world)
        except Violation as violation:
            return violation
    return None


def _figures(world: World, finding: FoundViolation | None) -> Figures:
    found = list(world.store.transactions())
    unresolved = sum(len(transaction.operations) for transaction in found)
    operations = len(world.monitor.operations)
    return Figures(
        worlds=1,
        commands=world.commands,
        accepted=world.accepted,
        operations=operations,
        resolved=operations - unresolved,
        excused=world.monitor.excused,
        recoveries=world.recovered,
        orders=sum(transaction.exists for transaction in found),
        discrepancies=sum(len(transaction.discrepancies) for transaction in found),
        faults=world.faults,
        outcomes=world.monitor.outcomes,
        finding=finding,
    )
