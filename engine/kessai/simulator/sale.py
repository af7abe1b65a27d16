"""A sale: a shop's own database transaction, in which it writes an order and begins a command.

A database has two who write the same take turns, or refuses one of them. Here nobody waits:
whoever comes to the commit second is refused. So everything happens that can happen there.
"""

from datetime import datetime
from typing import cast

import attrs

from kessai.driver import perform_within
from kessai.errors import MustRollBack, VersionConflict
from kessai.flow import Change, Effect, Loaded, Prepared
from kessai.flow.effects import Result
from kessai.machine import Command, Transaction
from kessai.simulator.tasks import Task
from kessai.stores import Store


@attrs.define(eq=False)
class Sale:
    """A `Within` over any store: what is written waits for the commit.

    One that `is_isolated` does not see what others commit after it began. `prepared` is
    what `begin` has come to.
    """

    store: Store
    task: Task
    command: Command
    is_isolated: bool
    prepared: Prepared | None = None
    change: Change | None = None
    _seen: dict[str, Loaded] = attrs.field(factory=dict[str, Loaded])

    def perform(self, effect: Effect, now: datetime) -> Result:
        """Perform what `begin` asks for, as an engine does."""
        return cast("Result", perform_within(effect, self, lambda: now))

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        found = self.store.load(key, transaction, agreement)
        return self._seen.setdefault(transaction, found) if self.is_isolated else found

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return self.store.declaration(lifecycle_hash)

    def append(self, change: Change) -> None:
        """See `Within.append`."""
        if not self._fits(change):
            error = MustRollBack if self.is_isolated else VersionConflict
            raise error(change.transaction.id)
        self.change = change

    def give_up(self) -> None:
        """See `Within.give_up`: the world itself ends what has failed."""

    def _fits(self, change: Change) -> bool:
        key = None if change.opens is None else change.opens.key
        name, version = change.agreement or (None, 0)
        found = self.store.load(key, change.transaction.id, name)
        is_free = key is None or found.recorded is None
        expected = change.expected_version
        return (
            is_free
            and _version(found.transaction) == expected
            and _version(found.agreement) == version
        )


@attrs.define
class Shops:
    """The shops of a world: their sales under way, by the numbers of their tasks.

    `begun_anew` are the commands of transactions that lost against others. `orders` are
    the committed ones, by the keys of their commands, and those that were `copied`.
    """

    sales: dict[int, Sale] = attrs.field(factory=dict[int, Sale])
    begun_anew: list[Command] = attrs.field(factory=list[Command])
    orders: dict[str, Command] = attrs.field(factory=dict[str, Command])
    copied: dict[str, Command] = attrs.field(factory=dict[str, Command])


def _version(transaction: Transaction | None) -> int:
    return 0 if transaction is None else transaction.version
