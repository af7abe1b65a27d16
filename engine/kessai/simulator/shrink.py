"""The shortest story that still fails: moves are left out as long as it does.

Every part of a story is a story, so leaving out is all there is to it: first whatever
is about other orders, then halves, quarters, and at last single moves.
"""

from collections.abc import Callable, Sequence

from kessai.simulator.moves import (
    Ask,
    BackUp,
    Pass,
    Recover,
    Restore,
    Sell,
    WorldMove,
)
from kessai.simulator.run import FoundViolation, replay
from kessai.simulator.world import Stage

MOST_REPLAYS = 3_000
Fails = Callable[[Sequence[WorldMove]], bool]


def shortest(stage: Stage, finding: FoundViolation) -> tuple[WorldMove, ...]:
    """The fewest moves of `finding` that lead to a violation of the same kind."""
    left = MOST_REPLAYS

    def fails(moves: Sequence[WorldMove]) -> bool:
        nonlocal left
        left -= 1
        if left < 0:
            return False
        found = replay(stage, moves)
        return found is not None and found.code == finding.violation.code

    moves = _of_one_order(finding, fails)
    before = len(moves) + 1
    while len(moves) < before:
        before = len(moves)
        moves = _without_chunks(moves, fails)
    return tuple(moves)


def _of_one_order(finding: FoundViolation, fails: Fails) -> list[WorldMove]:
    """The moves about the order that failed, and about the agreement that it is under."""
    moves = list(finding.moves)
    orders = {finding.violation.order}
    orders |= {
        move.command.agreement
        for move in moves
        if isinstance(move, Ask | Sell)
        and move.order in orders
        and move.command.agreement is not None
    }
    tasks = {
        _task(move)
        for move in moves
        if isinstance(move, Recover) or _order(move) in orders
    } - {None}
    mine = [
        move
        for move in moves
        if isinstance(move, Pass | BackUp | Restore)
        or _order(move) in orders
        or _task(move) in tasks
    ]
    return mine if fails(mine) else moves


def _order(move: WorldMove) -> str | None:
    return getattr(move, "order", None)


def _task(move: WorldMove) -> int | None:
    return getattr(move, "task", None)


def _without_chunks(moves: list[WorldMove], fails: Fails) -> list[WorldMove]:
    size = max(1, len(moves) // 2)
    while size:
        place = 0
        while place < len(moves):
            fewer = moves[:place] + moves[place + size :]
            if fails(fewer):
                moves = fewer
            else:
                place += size
        size //= 2
    return moves
