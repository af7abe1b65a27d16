"""When shops begin commands in their own transactions, and what becomes of those.

Most worlds never see it; what they draw is drawn elsewhere, so they are as they are
without this. In the others a shop commits or rolls back, and then one carries out what
was begun, or two, or nobody: a recoverer does, if it is not too late.
"""

from collections import deque
from collections.abc import Sequence

from kessai.limits import CARRY_OUT_WITHIN
from kessai.machine import Command
from kessai.simulator.faults import IN_THE_STORE, Fault
from kessai.simulator.moves import (
    Ask,
    BackUp,
    CarryOut,
    CommitSale,
    Pass,
    Recover,
    Restore,
    RollBackSale,
    Sell,
    TaskStep,
    WorldMove,
)
from kessai.simulator.randomness import Randomness
from kessai.simulator.world import World

_SELLS = 0.3
_SOLD = 0.5
_ISOLATED = 0.5
_BEGUN_ANEW = 0.7
_DECIDED = 0.25
_ROLLED_BACK = 0.15
_FAILS = 0.1
_ALL_THE_SAME = 0.3
_ASKED_ALL_THE_SAME = 0.8
_COPIED = 0.03
_ENOUGH_STEPS = 10


class Selling:
    """Draws whether the shops of one world sell, and what becomes of each sale."""

    def __init__(self, world: World, randomness: Randomness) -> None:
        self._world = world
        self._randomness = randomness
        self._faults = randomness.faults
        self._rng = rng = randomness.of_sales
        self._sells = Fault.ROLLED_BACK in self._faults and rng.random() < _SELLS
        self._planned: deque[WorldMove] = deque()

    def begin(self, asked: Ask) -> Sell | None:
        """A sale in the place of what is `asked`, now and then."""
        is_plain = asked.account or asked.command.name in self._world.reads
        if not self._sells or is_plain or self._rng.random() >= _SOLD:
            return None
        return self._sale(asked.task, asked.command, asked.skew)

    def next(self) -> WorldMove | None:
        """What becomes of a sale, now and then."""
        if not self._sells:
            return None
        if self._planned:
            return self._planned.popleft()
        begun = [n for n, sale in self._world.shops.sales.items() if sale.prepared]
        if begun and self._rng.random() < _DECIDED:
            return self._decide(self._rng.choice(begun))
        again = self._world.shops.begun_anew
        if again and self._rng.random() < _BEGUN_ANEW:
            return self._sale(self._randomness.number(), again.pop())
        return None

    def _sale(self, number: int, command: Command, skew: int = 0) -> Sell:
        return Sell(number, command, skew, is_isolated=self._rng.random() < _ISOLATED)

    def _decide(self, number: int) -> WorldMove:
        """The shop commits, or rolls back; what follows is planned."""
        sale = self._world.shops.sales[number]
        command, is_denied = sale.command, sale.change is None or not sale.change.begins
        draw = self._rng.random()
        if draw < _ROLLED_BACK:
            if self._rng.random() < _ALL_THE_SAME:  # it does not know, or has a mistake
                self._planned.append(self._carrier(command))
            return RollBackSale(number)
        failures = [
            fault
            for fault in (*IN_THE_STORE, Fault.SERIALIZATION_FAILURE)
            if fault in self._faults
        ]
        if failures and draw < _ROLLED_BACK + _FAILS:
            return CommitSale(number, self._rng.choice(failures))
        if not is_denied or draw > _ASKED_ALL_THE_SAME:
            self._planned += self._after(command)
        return CommitSale(number)

    def _after(self, command: Command) -> Sequence[WorldMove]:
        """Who carries out what is committed, and who else is there."""
        one, another = self._carrier(command), self._carrier(command)
        plans: list[list[WorldMove]] = [[], [one], [one], [one, another]]
        if Fault.SAME_KEY in self._faults:
            plans.append([Ask(another.task, command, 0, Fault.SAME_KEY), one])
        if Fault.CLOCK_JUMP in self._faults:
            soon = round(self._world.recovery.patience.total_seconds()) + 1
            late = round(CARRY_OUT_WITHIN.total_seconds()) - 30
            recoverer = self._recoverer(command.transaction)
            plans.append([self._passes(soon), recoverer, one])
            plans.append([self._passes(late), one, recoverer, another])
        copies = {Fault.RESTORED_BACKUP, Fault.CLOCK_JUMP} <= self._faults
        if copies and self._rng.random() < _COPIED:
            steps = [TaskStep(one.task)] * _ENOUGH_STEPS
            return [BackUp(), one, *steps, Restore(), another]
        return self._rng.choice(plans)

    def _carrier(self, command: Command) -> CarryOut:
        return CarryOut(self._randomness.number(), command)

    def _recoverer(self, order: str) -> Recover:
        missing = self._world.recovery.missing
        return Recover(self._randomness.number(), missing, 0, order)

    def _passes(self, seconds: int) -> Pass:
        return Pass(seconds, Fault.CLOCK_JUMP)
