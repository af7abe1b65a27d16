"""Which commands and amounts a fault has touched: what it excuses, and nothing else.

After a late request, a portal or a late reversal evidence may fit nothing, and what the
gateway lists may be of somebody else. That excuses the operations that it can be taken
for, and no other one of the order.
"""

from kessai.evidence.outcome import EXPIRE
from kessai.machine import Machine


class Touched:
    """The commands of each order that a fault touched, with the amounts.

    A gateway that `lists` no exchanges states totals, and any amounts may add up to
    what a fault has moved: then a command is touched with whatever amount.
    """

    def __init__(self, *, lists: bool) -> None:
        self._lists = lists
        self._amounts: dict[tuple[str, str], set[int | None]] = {}

    def add(self, order: str, command: str, amount: int | None) -> None:
        """Note that `command` of `amount` was touched; None stands for any amount."""
        found = self._amounts.setdefault((order, command), set())
        found.add(amount if self._lists else None)

    def late(
        self, machine: Machine | None, order: str, command: str, amount: int | None
    ) -> None:
        """A request arrives late, and may be taken for any other that is listed alike.

        An opening command begins what was given up: what it authorized expires too. The
        success of one shows the amount of an update that arrived alongside it.
        """
        rule = None if machine is None else machine.commands.get(command)
        opens = rule is None or rule.spec.is_opening
        is_bare = rule is None or rule.sets_amount
        self.add(order, command, None if opens or is_bare else amount)
        if opens:
            self.add(order, EXPIRE, None)
        for other in () if rule is None else rule.spec.alongside:
            self.add(order, other, amount)

    def reversed(self, machine: Machine | None, order: str) -> None:
        """A success of `order` was taken back: of any that its lifecycle can reverse."""
        for command in () if machine is None else machine.reversals:
            self.add(order, command, None)

    def covers(self, order: str, command: str | None, amount: int | None) -> bool:
        """Whether an operation or evidence like this may be what a fault touched.

        Evidence without a command is about the whole order, as totals are.
        """
        if command is None:
            return any(touched == order for touched, _ in self._amounts)
        amounts = self._amounts.get((order, command), ())
        return (
            amount in amounts or None in amounts or (amount is None and bool(amounts))
        )
