"""A transaction without its numbers: its shape, which thousands have in common.

Shape and numbers together are the transaction. Two of the same shape differ in amounts,
moments, ids and hashes alone; whether that makes a difference to the rules is for
`kessai.audit.verification.fast_path.tracing` to find out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from kessai.audit.verification.fast_path.tracing import Repeat
from kessai.machine import Machine, Operation, Phase, Transaction
from kessai.machine.transaction import Notified

MOST = 4_096
"""So many shapes, and so many ways to go on from them, are remembered: a store of
strange transactions must not fill the memory."""


@attrs.frozen
class AbstractOperation:
    """An open operation in a shape."""

    command: str
    phase: Phase
    has_amount: bool


@attrs.frozen
class Outline:
    """What makes a shape: two transactions with the same outline have the same one."""

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
class Alike:
    """What has no part in a shape: nearly all transactions differ in it."""

    id: str
    agreement: str | None = None
    discrepancies: tuple[int, ...] = ()
    notified: tuple[Notified, ...] = ()
    version: int = 0
    head: str = ""
    references: Mapping[str, str] = attrs.field(factory=dict[str, str])
    account: str = ""
    denials: int = 0


@attrs.frozen
class CompiledPath:
    """A way from one shape on that the rules have taken: to where, and with what."""

    repeat: Repeat
    after: "AbstractState"
    ends: int | None
    """Which of the open operations it ends, if it ends one."""
    noted: tuple[str, ...] = ()
    """What another audit counts of it."""


def _states_of(shape: "AbstractState") -> dict[str, str]:
    return dict(shape.outline.states)


def _flags_of(shape: "AbstractState") -> dict[str, int]:
    return dict(shape.outline.flags)


@attrs.frozen(eq=False)
class AbstractState:
    """An outline with the machine it is of, and the ways on from it that are known."""

    outline: Outline
    machine: Machine | None = attrs.field(repr=False)
    ways: dict[tuple[object, ...], list[CompiledPath]] = attrs.field(
        factory=dict, repr=False
    )
    states: dict[str, str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_states_of, takes_self=True)
    )
    flags: dict[str, int] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_flags_of, takes_self=True)
    )

    def is_of(self, transaction: Transaction, values: Sequence[Any]) -> bool:
        """Whether `transaction`, with nothing open, has this shape and these `values`.

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
        like: "Alike",
        values: Sequence[Any],
        operations: Sequence[Operation],
    ) -> Transaction:
        """The transaction of this shape; `like` is what has no part in it.

        `values` are its amounts, its deadlines and the amounts of its operations;
        `operations` say the rest of those.
        """
        outline, machine = self.outline, self.machine
        if machine is None:
            return Transaction(
                like.id,
                discrepancies=like.discrepancies,
                version=like.version,
                head=like.head,
                denials=like.denials,
            )
        middle, late = len(outline.amounts), len(outline.amounts + outline.deadlines)
        opened = zip(outline.operations, operations, values[late:], strict=True)
        return Transaction(
            like.id,
            machine.name,
            outline.lifecycle,
            outline.currency,
            like.agreement,
            dict(outline.states),
            dict(zip(outline.amounts, values, strict=False)),
            dict(outline.flags),
            dict(zip(outline.deadlines, values[middle:], strict=False)),
            {begun.id: _operation(o, begun, amount) for o, begun, amount in opened},
            like.discrepancies,
            outline.concluded,
            like.notified,
            like.version,
            like.head,
            like.references,
            like.account,
            like.denials,
        )


def _operation(opened: AbstractOperation, begun: Operation, amount: Any) -> Operation:
    return Operation(
        begun.id,
        opened.command,
        begun.key,
        begun.request,
        amount,
        begun.parameters,
        begun.begun_at,
        opened.phase,
        begun.resent_at,
        begun.currency,
        begun.references,
        begun.agreement_references,
        begun.resumed_at,
        begun.not_before,
    )


def values_of(transaction: Transaction) -> tuple[int | datetime | None, ...]:
    """The numbers and moments of `transaction`, in the order of its shape."""
    amounts, deadlines = transaction.amounts.values(), transaction.deadlines.values()
    if not transaction.operations:
        return (*amounts, *deadlines)
    opened = transaction.operations.values()
    return (*amounts, *deadlines, *(operation.amount for operation in opened))


class Shapes:
    """All shapes that were met, and how many ways there is still room for."""

    def __init__(self) -> None:
        self._shapes: dict[Outline, AbstractState] = {}
        self.room = MOST

    def of(self, transaction: Transaction, machine: Machine | None) -> AbstractState:
        """The shape of `transaction`."""
        outline = Outline.of(transaction)
        shape = self._shapes.get(outline)
        if shape is None:
            shape = AbstractState(outline, machine)
            if len(self._shapes) < MOST:
                self._shapes[outline] = shape
        return shape

    def add(
        self, shape: AbstractState, key: tuple[object, ...], way: CompiledPath
    ) -> None:
        """Remember a way on from `shape`, if there is room."""
        if self.room:
            self.room -= 1
            shape.ways.setdefault(key, []).append(way)
