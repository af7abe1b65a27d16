"""A transaction without its numbers: its abstract state, shared by thousands.

Abstract state, numbers and particulars together are the transaction. Two of the same
abstract state differ only in amounts, times, ids and hashes; `kessai.machine.tracing`
finds out whether that makes a difference to the rules.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

import attrs

from kessai.machine import Machine, Operation, Phase, Transaction
from kessai.machine.tracing import Repeat
from kessai.machine.transaction import Notified, OpenDiscrepancy, Unclaimed

MOST = 4_096
"""So many abstract states, and so many paths from them, are remembered: a store of
strange transactions must not fill the memory."""


@attrs.frozen
class AbstractOperation:
    """An open operation in an abstract state."""

    command: str
    phase: Phase
    has_amount: bool


@attrs.frozen
class Outline:
    """What makes an abstract state: those of the same outline are the same one."""

    lifecycle: str = ""
    currency: str = ""
    has_agreement: bool = False
    states: tuple[tuple[str, str], ...] = ()
    amounts: tuple[str, ...] = ()
    flags: tuple[tuple[str, int], ...] = ()
    deadlines: tuple[str, ...] = ()
    operations: tuple[AbstractOperation, ...] = ()
    concluded: tuple[str, ...] = ()
    has_references: bool = False

    @classmethod
    def of(cls, transaction: Transaction) -> "Outline":
        """The outline of `transaction`."""
        return cls(
            transaction.lifecycle_hash,
            transaction.currency,
            transaction.agreement is not None,
            tuple(transaction.states.items()),
            tuple(transaction.amounts),
            tuple(transaction.flags.items()),
            tuple(transaction.deadlines),
            tuple(
                AbstractOperation(o.command, o.phase, o.amount is not None)
                for o in transaction.operations.values()
            ),
            transaction.concluded,
            bool(transaction.references),
        )


@attrs.define
class Particulars:
    """What is no part of the abstract state: nearly all transactions differ in it."""

    id: str
    agreement: str | None = None
    discrepancies: Mapping[int, OpenDiscrepancy] = attrs.field(
        factory=dict[int, OpenDiscrepancy]
    )
    notified: tuple[Notified, ...] = ()
    version: int = 0
    head: str = ""
    references: Mapping[str, str] = attrs.field(factory=dict[str, str])
    account: str = ""
    denials: int = 0
    unclaimed: tuple[Unclaimed, ...] = ()
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    archived: str = ""

    def take(self, transaction: Transaction) -> None:
        """Become those of `transaction`."""
        for name in _PARTICULARS:
            setattr(self, name, getattr(transaction, name))


_PARTICULARS = tuple(field.name for field in attrs.fields(Particulars))
particulars = attrgetter(*_PARTICULARS)
"""Those of a transaction, or of a walk to it, as a tuple that can be compared."""


@attrs.frozen
class CompiledPath:
    """A step that the rules took once from an abstract state, ready to be repeated."""

    repeat: Repeat
    after: "AbstractState"
    ends: int | None
    """Which of the open operations it ends, if it ends one."""
    moves: Sequence[tuple[str, int]]
    """The balances that it may change, sorted, and their places among the values."""
    noted: tuple[str, ...]
    """What another audit counts of it."""

    def moved(self, before: Sequence[Any], after: Sequence[Any]) -> str | None:
        """What it moved between these values, as `moved_as_json` has it: that is slower."""
        changes = ""
        for name, at in self.moves:
            if change := after[at] - before[at]:
                changes += f',"{name}":{change}'
        return f"{{{changes[1:]}}}" if changes else None


@attrs.frozen(eq=False)
class AbstractState:
    """An outline with its machine, and the compiled paths that are known from it."""

    outline: Outline
    machine: Machine | None = attrs.field(repr=False)
    paths: dict[tuple[object, ...], list[CompiledPath]] = attrs.field(
        factory=dict, repr=False
    )

    @cached_property
    def states(self) -> dict[str, str]:
        """The state of each track."""
        return dict(self.outline.states)

    @cached_property
    def flags(self) -> dict[str, int]:
        """Each flag, worth 1 or 0."""
        return dict(self.outline.flags)

    def may_lapse(self, track: str) -> bool:
        """Whether a deadline ends the state of `track`."""
        if self.machine is None:
            return False
        lapses = (
            self.machine.lapse_from(name, self.states)
            for name in self.outline.deadlines
        )
        return any(step is not None and step.track == track for step in lapses)

    def is_of(self, transaction: Transaction, values: Sequence[Any]) -> bool:
        """Whether `transaction`, with nothing open, is in this state with these `values`.

        Names may come in any order: a file declares them in one, its canonical form in
        another.
        """
        outline, machine = self.outline, self.machine
        late = len(outline.amounts)
        return (
            machine is not None
            and transaction.lifecycle_hash == outline.lifecycle
            and transaction.lifecycle == machine.name
            and transaction.currency == outline.currency
            and transaction.amounts == dict(zip(outline.amounts, values, strict=False))
            and transaction.states == self.states
            and transaction.concluded == outline.concluded
            and transaction.flags == self.flags
            and transaction.deadlines
            == dict(zip(outline.deadlines, values[late:], strict=True))
        )

    def transaction(
        self,
        rest: "Particulars",
        values: Sequence[Any],
        operations: Sequence[Operation],
    ) -> Transaction:
        """The transaction in this state; `rest` is what is no part of the state.

        `values` are its amounts, its deadlines and the amounts of its operations;
        `operations` have the rest of those.
        """
        outline, machine = self.outline, self.machine
        own = dict(zip(_PARTICULARS, particulars(rest), strict=True))
        if machine is None:
            return Transaction(**own)
        middle, late = len(outline.amounts), len(outline.amounts + outline.deadlines)
        opened = zip(outline.operations, operations, values[late:], strict=True)
        return Transaction(
            lifecycle=machine.name,
            lifecycle_hash=outline.lifecycle,
            currency=outline.currency,
            states=dict(outline.states),
            amounts=dict(zip(outline.amounts, values, strict=False)),
            flags=dict(outline.flags),
            deadlines=dict(zip(outline.deadlines, values[middle:], strict=False)),
            operations={
                begun.id: attrs.evolve(
                    begun,
                    command=o.command,
                    phase=o.phase,
                    amount=amount,
                    finish_within=machine.commands[o.command].finish_within,
                )
                for o, begun, amount in opened
            },
            concluded=outline.concluded,
            **own,
        )


def values_of(transaction: Transaction) -> tuple[int | datetime | None, ...]:
    """The numbers and times of `transaction`, in the order of its abstract state."""
    amounts, deadlines = transaction.amounts.values(), transaction.deadlines.values()
    if not transaction.operations:
        return (*amounts, *deadlines)
    opened = transaction.operations.values()
    return (*amounts, *deadlines, *(operation.amount for operation in opened))


class AbstractStates:
    """All abstract states that were met, and how many paths there is still room for."""

    def __init__(self) -> None:
        self._known: dict[Outline, AbstractState] = {}
        self.room = MOST

    def of(self, transaction: Transaction, machine: Machine | None) -> AbstractState:
        """The abstract state of `transaction`."""
        outline = Outline.of(transaction)
        state = self._known.get(outline)
        if state is None:
            state = AbstractState(outline, machine)
            if len(self._known) < MOST:
                self._known[outline] = state
        return state

    def add(
        self, state: AbstractState, key: tuple[object, ...], path: CompiledPath
    ) -> None:
        """Remember a path from `state`, if there is room."""
        if self.room:
            self.room -= 1
            state.paths.setdefault(key, []).append(path)
