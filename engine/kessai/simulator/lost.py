"""What a store has lost that was put back to a copy, while the gateway still has it.

    Tuesday    refund 400 (order.5) is carried out; then Monday's copy is put back
    Wednesday  the gateway is asked: a refund of 400 stands there, and is nobody's
    Wednesday  refund 400 (order.6) is asked for: were it sent, 800 would be paid back

A movement stands until an operator closes it, or another operation has claimed it: one
that was open in the copy, and that a list cannot tell from it. As long as it stands, no
command that equals it may be sent. Afterwards all movements are counted: each is an
operation's success, or is found to be external.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kessai.machine import Transaction
from kessai.machine.transaction import Unclaimed
from kessai.simulator.intents import Intent
from kessai.simulator.touched import Touched

_Movement = tuple[str, str, int | None]


class Lost:
    """The operations that the store has lost, and what still stands of them.

    Of a gateway that `lists` its exchanges each is counted; of one that states totals,
    the sum of each command's amounts.
    """

    def __init__(self, *, lists: bool) -> None:
        self._lists = lists
        self._kinds = Touched(lists=lists)
        self._standing: Counter[_Movement] = Counter()
        self.intents: dict[Intent, int] = {}

    def add(self, intent: Intent, times: int) -> None:
        """Note that `intent` is lost, and was carried out so many `times`."""
        self.intents[intent] = times
        self._kinds.add(*intent.kind)
        if intent.repeats:
            movement = self._movement(*intent.kind)
            self._standing[movement] += times * self._size(intent.amount)

    def covers(self, order: str, command: str | None, amount: int | None) -> bool:
        """Whether an operation or evidence like this may be of one that is lost."""
        return self._kinds.covers(order, command, amount)

    def stands(self, intent: Intent) -> bool:
        """Whether a movement that equals `intent` stands, and nobody claims it."""
        movement = self._movement(*intent.kind)
        return intent.repeats and self._size(intent.amount) <= self._standing[movement]

    def claimed(self, intent: Intent) -> None:
        """`intent` has succeeded, and was not carried out: a lost one was."""
        movement = self._movement(*intent.kind)
        self._standing[movement] -= self._size(intent.amount)

    def closed(self, before: Transaction, number: int) -> None:
        """An operator has closed the movement that event `number` shows, if it does."""
        for each in before.unclaimed:
            if each.event == number:
                self._close(before.id, each)

    def _close(self, order: str, unclaimed: Unclaimed) -> None:
        movement = self._movement(order, unclaimed.command, unclaimed.amount)
        self._standing[movement] -= self._size(unclaimed.amount)

    def of(self, order: str) -> Iterator[Intent]:
        """The lost operations of an order, in the order of their beginning."""
        return (intent for intent in self.intents if intent.order == order)

    @property
    def orders(self) -> Iterable[str]:
        """The orders that have lost an operation."""
        return dict.fromkeys(intent.order for intent in self.intents)

    def _movement(self, order: str, command: str, amount: int | None) -> _Movement:
        return order, command, amount if self._lists else None

    def _size(self, amount: int | None) -> int:
        return 1 if self._lists else amount or 1
