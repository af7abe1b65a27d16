"""What can happen next in a world: each move is complete by itself, and can be left out.

A list of moves is a story. What a move refers to and is not there any more makes it a
move without effect, so that any part of a story is a story too.
"""

import attrs

from kessai.flow import Missing
from kessai.machine import Command
from kessai.simulator.faults import Fault


@attrs.frozen
class WorldMove:
    """Something that happens in a world."""


@attrs.frozen
class Ask(WorldMove):
    """An order system has a worker carry out a command.

    Where several accounts share the store, `account` is the one that its process knows;
    None: it knows all. So it is with recoverers.
    """

    task: int
    command: Command
    skew: int = 0
    fault: Fault | None = None
    account: str | None = None

    @property
    def order(self) -> str:
        """The order that the command is about."""
        return self.command.transaction


@attrs.frozen
class Sell(WorldMove):
    """A shop writes an order and begins its command, in a transaction of its own."""

    task: int
    command: Command
    skew: int = 0
    is_isolated: bool = False

    @property
    def order(self) -> str:
        """The order that the command is about."""
        return self.command.transaction


@attrs.frozen
class CommitSale(WorldMove):
    """The shop of that task commits what it has begun."""

    task: int
    fault: Fault | None = None


@attrs.frozen
class RollBackSale(WorldMove):
    """The shop of that task rolls back what it has begun."""

    task: int


@attrs.frozen
class CarryOut(WorldMove):
    """Someone carries out what a shop has begun."""

    task: int
    command: Command
    skew: int = 0

    @property
    def order(self) -> str:
        """The order that the command is about."""
        return self.command.transaction


@attrs.frozen
class Recover(WorldMove):
    """A recoverer takes up the transaction that is due longest, or that of `order`."""

    task: int
    missing: Missing
    skew: int = 0
    order: str = ""
    account: str | None = None


@attrs.frozen
class Sweep(WorldMove):
    """A sweeper looks at an order's deadlines."""

    task: int
    order: str
    skew: int = 0


@attrs.frozen
class Deliver(WorldMove):
    """The order's notification of that number is delivered, to the endpoint of `account`.

    None stands for the account that sent it.
    """

    task: int
    order: str
    number: int
    fault: Fault | None = None
    account: str | None = None


@attrs.frozen
class LoseNotification(WorldMove):
    """The order's notification of that number is lost."""

    order: str
    number: int


@attrs.frozen
class TaskStep(WorldMove):
    """The task's next effect is performed. With `hold` a reply is kept for later."""

    task: int
    fault: Fault | None = None
    hold: bool = False
    detail: str = ""


@attrs.frozen
class Arrive(WorldMove):
    """A request of the task that is still under way arrives."""

    task: int


@attrs.frozen
class Pass(WorldMove):
    """Time passes."""

    seconds: int
    fault: Fault | None = None


@attrs.frozen
class Consume(WorldMove):
    """The consumer does something about an order."""

    order: str
    act: str


@attrs.frozen
class InPortal(WorldMove):
    """Someone does something about an order in the gateway's portal."""

    order: str
    act: str
    amount: int | None = None


@attrs.frozen
class Finish(WorldMove):
    """What is pending of an order at the gateway succeeds or fails."""

    order: str
    good: bool


@attrs.frozen
class ComeBack(WorldMove):
    """The order system sends on what the consumer of an order came back with."""

    task: int
    order: str


@attrs.frozen
class BackUp(WorldMove):
    """The store is copied."""


@attrs.frozen
class Restore(WorldMove):
    """The copy is put in the store's place, once, and the gateway asked about the rest."""


@attrs.frozen
class CloseByHand(WorldMove):
    """An operator says that the first unclaimed movement of an order is another one."""

    task: int
    order: str


@attrs.frozen
class TakeBack(WorldMove):
    """The gateway takes a success of an order back, weeks later."""

    order: str
