"""The position of one history: a transaction, or what shortcuts need of it."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from kessai.audit.log_check.shortcuts import (
    Plan,
    PlanKey,
    QuietSituation,
    Situations,
    Taken,
    plan_for,
)
from kessai.machine import Machine, Transaction
from kessai.machine.compile import CompiledCommand

When = tuple[datetime, datetime]
"""The first moment at which something may have happened, and the last."""


class Position:
    """The position of a transaction; its machine is None while it was not begun."""

    def __init__(self, name: str, situations: Situations) -> None:
        self.machine: Machine | None = None
        self.situation: QuietSituation | None = situations.blank
        self._name = name
        self._situations = situations
        self._amounts: Mapping[str, int] = {}
        self._deadlines: Mapping[str, datetime] = {}
        self._transaction: Transaction | None = None

    @property
    def transaction(self) -> Transaction:
        """The transaction itself."""
        if self._transaction is None:
            self._transaction = self._as_transaction()
        return self._transaction

    @property
    def open_operations(self) -> int:
        """How many operations are open."""
        return 0 if self.situation is not None else len(self.transaction.operations)

    def move_to(self, machine: Machine | None, transaction: Transaction) -> None:
        """Move to `transaction`, of `machine`."""
        self.machine = machine
        self._transaction = transaction
        self._amounts, self._deadlines = transaction.amounts, transaction.deadlines
        self.situation = None
        if not transaction.operations:
            self.situation = self._situations.of(
                machine,
                transaction.currency,
                transaction.states,
                transaction.flags,
            )

    def takes(self, plan: Plan, amount: int | None, when: When) -> bool:
        """Take the step that `plan` is of; False, and nothing done, if it does not."""
        amounts = self._amounts
        if plan.fits_id is not None:
            if plan.fits_id(self._name) is None:
                return False
            amounts = plan.machine.zeros
        taken = plan.take(amounts, self._deadlines, amount, when)
        if taken is None:
            return False
        self.machine = plan.machine
        self.situation = taken.situation
        self._amounts, self._deadlines = taken.amounts, taken.deadlines
        self._transaction = None
        return True

    def _as_transaction(self) -> Transaction:
        machine, situation = self.machine, self.situation
        if machine is None or situation is None:
            return Transaction(self._name)
        lifecycle = machine.lifecycle
        return Transaction(
            self._name,
            lifecycle.name,
            lifecycle.hash,
            situation.currency,
            states=situation.states,
            amounts=self._amounts,
            flags=situation.flags,
            deadlines=self._deadlines,
        )


@attrs.frozen
class DecidedStep:
    """A step that was decided and carried out in full, from `before` to `after`."""

    machine: Machine
    rule: CompiledCommand
    before: Transaction
    after: Transaction
    amount: int | None
    when: When


def learn(
    situation: QuietSituation, key: PlanKey, step: DecidedStep, known: Situations
) -> None:
    """Keep a plan for rows like that of `step`, if it leads to the very same result."""
    machine, before, after = step.machine, step.before, step.after
    situation.plans[key] = None
    states, amounts = before.states, before.amounts
    if not before.exists:
        tracks = machine.lifecycle.tracks
        states = {track: tracks[track].initial for track in after.states}
        amounts = machine.zeros
    begun = attrs.evolve(after, states=states)
    plan = plan_for(machine, step.rule, begun, known)
    if plan is None:
        return
    taken = plan.take(amounts, before.deadlines, step.amount, step.when)
    if taken is not None and _same(taken, after):
        situation.plans[key] = plan


def _same(taken: Taken, after: Transaction) -> bool:
    """Whether both are the same, in all that a later step may ask for."""
    situation = taken.situation
    return (situation.states, situation.flags, taken.amounts, taken.deadlines) == (
        after.states,
        after.flags,
        after.amounts,
        after.deadlines,
    )
