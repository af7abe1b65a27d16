"""The simulator: seeded worlds in which everything goes wrong, and no money is lost.

    figures = simulate(stage, seed=1, commands=10_000)
    assert figures.finding is None

Order systems, workers, recoverers and a gateway's stand-in live on one virtual clock in
one process; the flows are the engine's own, stepped one effect at a time in an order
that a seed decides. The same seed makes the same world, fault for fault. A violation is
cut down to the shortest story that still shows it.
"""

from kessai.simulator.faults import ALL, MEANINGS, Fault, parse_faults, written
from kessai.simulator.gateway import (
    BookedOrder,
    MakeGateway,
    Notice,
    PlayedGateway,
    differences,
)
from kessai.simulator.run import (
    COMMANDS_EACH,
    Figures,
    FoundViolation,
    play_world,
    replay,
    simulate,
)
from kessai.simulator.shrink import shortest
from kessai.simulator.story import narrate
from kessai.simulator.violation import Violation
from kessai.simulator.world import Stage, World

__all__ = [
    "ALL",
    "COMMANDS_EACH",
    "MEANINGS",
    "BookedOrder",
    "Fault",
    "Figures",
    "FoundViolation",
    "MakeGateway",
    "Notice",
    "PlayedGateway",
    "Stage",
    "Violation",
    "World",
    "differences",
    "narrate",
    "parse_faults",
    "play_world",
    "replay",
    "shortest",
    "simulate",
    "written",
]
