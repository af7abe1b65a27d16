"""When a world's store is put back to an older copy, and what is asked for after that.

Most worlds never see it; what they draw is drawn elsewhere, so they are as they are
without this. In the others the order systems ask for what was lost once more, under the
same keys and under others, and an operator says of some movements that another is meant.
"""

from collections.abc import Iterator

import attrs

from kessai.machine import Command
from kessai.machine.decide import amount_bounds
from kessai.simulator.faults import Fault
from kessai.simulator.moves import BackUp, CloseByHand, Restore, WorldMove
from kessai.simulator.randomness import Randomness
from kessai.simulator.workload import Workload
from kessai.simulator.world import World, asks_first

_RESTORED = 0.3
_PARTS = 0.15
_ENOUGH = 10
_ASKED_AGAIN = 0.1
_CLOSED = 0.03
_UNDER_THE_SAME_KEY = 0.5
_STANDING = 0.8
"""What still stands at the gateway is asked for more often than the rest."""


class Restoring:
    """Draws whether and when one world's store is copied and put back, and what follows."""

    def __init__(
        self, world: World, randomness: Randomness, workload: Workload, commands: int
    ) -> None:
        self._world = world
        self._randomness = randomness
        self._rng = rng = randomness.of_backups
        self._workload = workload
        self._commands = commands
        self._moves: list[tuple[int, WorldMove]] = []
        if Fault.RESTORED_BACKUP in randomness.faults and rng.random() < _RESTORED:
            copied = rng.randrange(1 + commands * 3 // 4)
            restored = copied + rng.randrange(1, 2 + commands // 4)
            self._moves = [(restored, Restore()), (copied, BackUp())]

    def next(self) -> WorldMove | None:
        """The next move of a backup, now and then."""
        asked = len(self._workload.asked)
        if self._moves:
            return self._until_then(asked)
        if not self._world.monitor.lost.intents:
            return None
        draw = self._rng.random()
        if draw < _CLOSED:
            return self._close()
        return self._again() if draw < _ASKED_AGAIN and asked < self._commands else None

    def _until_then(self, asked: int) -> WorldMove | None:
        """The copy, or the restore, or what is lost by that."""
        due, move = self._moves[-1]
        if due <= asked:
            self._moves.pop()
            return move
        is_copied = isinstance(move, Restore)
        return self._part() if is_copied and self._rng.random() < _PARTS else None

    def _part(self) -> WorldMove | None:
        """A little of what can be asked for bit by bit: it could be asked for again."""
        found = list(self._parts())
        return self._workload.ask_again(self._rng.choice(found)) if found else None

    def _parts(self) -> Iterator[Command]:
        key = f"part-{len(self._workload.asked)}"
        for transaction in self._world.transactions():
            machine = self._world.machine(transaction.id)
            for name, rule in machine.commands.items() if machine else ():
                bounds = amount_bounds(rule, transaction.names(), transaction.currency)
                if bounds is None or name not in rule.spec.alongside:
                    continue
                if bounds.maximum > _ENOUGH * bounds.minimum:
                    amount = bounds.minimum * self._rng.randint(1, 2)
                    yield Command(name, transaction.id, key=key, amount=amount)

    def _again(self) -> WorldMove | None:
        """What was lost is asked for once more, be it under the same key."""
        lost = self._world.monitor.lost
        found = [intent for intent in lost.intents if intent.asked is not None]
        standing = [intent for intent in found if lost.stands(intent)]
        if standing and self._rng.random() < _STANDING:
            found = standing
        intent = self._rng.choice(found)
        assert intent.asked is not None  # noqa: S101 - only those are found
        return self._workload.ask_again(self._named(intent.asked))

    def _named(self, command: Command) -> Command:
        if self._rng.random() < _UNDER_THE_SAME_KEY:
            return command
        number = len(self._workload.asked)
        return attrs.evolve(command, key=f"{command.key}-again-{number}")

    def _close(self) -> WorldMove | None:
        known = self._world.store.transactions()
        unclaimed = [each.id for each in known if asks_first(each)]
        if not unclaimed:
            return None
        return CloseByHand(self._randomness.number(), self._rng.choice(unclaimed))
