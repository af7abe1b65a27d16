"""Operations as the monitor knows them, and what it has seen written of a store.

A store that is put back to an older copy gives the id of a lost operation to another one.
So an operation is known by its id and by the hash of the event that began it.
"""

import attrs

from kessai.machine import Command


@attrs.frozen
class Intent:
    """An operation whose intent is in the store, and the key that it stands under.

    `id` is the operation's id in its store, and `begun` the hash of the event that began
    it. With `repeats` an equal command would move an amount once more; an opening command
    could not, a read moves none, and one that `sets_amount` sets the same again (and may
    be listed without it). `asked` is the command as it was asked for.
    """

    id: str
    order: str
    command: str
    amount: int | None
    key: str
    begun: str = ""
    repeats: bool = True
    asked: Command | None = attrs.field(default=None, eq=False)
    sets_amount: bool = False
    reads: bool = False

    @property
    def opens(self) -> bool:
        """Whether it is an opening command."""
        return self.asked is not None and self.asked.lifecycle is not None

    @property
    def kind(self) -> tuple[str, str, int | None]:
        """What evidence knows it by: its order, its command, and the amount."""
        return self.order, self.command, self.amount


@attrs.define
class Kept:
    """What is in the store, as it was seen written, and what callers were shown of it.

    `operations` are the intents by their ids; those of `prepared` were never sent, as far
    as it knows. `opened` and `promised` are the outcomes
    that the keys were opened with and ended with, `promised_at` the moments when that
    was shown. `last_leases` are the numbers of the last leases.
    """

    operations: dict[str, Intent] = attrs.field(factory=dict[str, Intent])
    prepared: set[str] = attrs.field(factory=set[str])
    opened: dict[str, str] = attrs.field(factory=dict[str, str])
    promised: dict[str, str] = attrs.field(factory=dict[str, str])
    promised_at: dict[str, int] = attrs.field(factory=dict[str, int])
    last_leases: dict[str, int] = attrs.field(factory=dict[str, int])

    def copy(self) -> "Kept":
        """The same, which goes its own way from now on."""
        return Kept(
            dict(self.operations),
            set(self.prepared),
            dict(self.opened),
            dict(self.promised),
            dict(self.promised_at),
            dict(self.last_leases),
        )
