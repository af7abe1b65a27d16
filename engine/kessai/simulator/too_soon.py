"""What an event may not state yet: each check compares clocks, or what is under way.

Owns when each operation was last about to be sent, by the clock of who wrote that, and
which leases were given. That is remembered from the events themselves, apart from the
state that the engine derives from them.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from kessai.flow import Change, Lease
from kessai.limits import MARGIN
from kessai.machine import (
    Begun,
    Event,
    Lapsed,
    Reported,
    Resent,
    Resumed,
    Sent,
)
from kessai.machine.chain import AppliedEvent
from kessai.simulator.gateway import BookedOrder
from kessai.simulator.violation import BrokenPromise, Violation

NO_ANSWER = "no_answer"
NOT_FOUND = "not_found"


def is_presumed_lost(event: Event) -> bool:
    """Whether an operation is given up because the gateway does not list it."""
    return (
        isinstance(event, Reported)
        and event.evidence.never_sent
        and event.evidence.code == NOT_FOUND
    )


class TooSoon:
    """Checks each change for what is presumed or lapses before its time."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience
        self._sent_at: dict[str, datetime] = {}

    def check(
        self,
        change: Change,
        under_way: AbstractSet[str],
        booked: BookedOrder | None,
        held: Lease | None,
    ) -> None:
        """See that nothing in `change` comes too soon, or without its lease.

        `under_way` are the operations whose requests can still arrive. `held` is the
        lease of a recoverer who writes.
        """
        for step in change.steps:
            event, order = step.event, change.transaction.id
            self._notes(event)
            if is_presumed_lost(event):
                _can_not_arrive(order, event, under_way)
            if isinstance(event, Reported) and event.evidence.code == NO_ANSWER:
                self._nobody_waits(order, event)
            if isinstance(event, Lapsed):
                _nothing_is_open(order, step)
            if is_presumed_lost(event) or isinstance(event, Resent):
                _is_under(held, change)
        if change.steps:
            _ends_by_then(change, booked)

    def _notes(self, event: Event) -> None:
        if isinstance(event, Begun):
            self._sent_at[event.operation.id] = event.at
        elif isinstance(event, Sent | Resent | Resumed):
            self._sent_at[event.operation] = event.at

    def _nobody_waits(self, order: str, event: Reported) -> None:
        sent_at = self._sent_at.get(event.operation)
        if sent_at is not None and event.at - sent_at < self._patience:
            detail = f"{event.operation}, {event.at - sent_at} after it was sent"
            raise Violation(BrokenPromise.GIVEN_UP_TOO_SOON, order, detail)


def _can_not_arrive(order: str, event: Event, under_way: AbstractSet[str]) -> None:
    assert isinstance(event, Reported)  # noqa: S101 - see `is_presumed_lost`
    if event.operation in under_way:
        raise Violation(BrokenPromise.PRESUMED_LOST_TOO_SOON, order, event.operation)


def _nothing_is_open(order: str, step: AppliedEvent) -> None:
    for operation in step.before.operations.values():
        rule = None if step.machine is None else step.machine.commands
        if rule is not None and not rule[operation.command].spec.reads:
            raise Violation(BrokenPromise.LAPSED_TOO_SOON, order, operation.id)


def _ends_by_then(change: Change, booked: BookedOrder | None) -> None:
    """A deadline counts from when it happened, not from when that was read.

    What the gateway states of it may be the change's next event: nobody reads in between.
    """
    before, after = change.steps[0].before, change.transaction
    known = {} if booked is None else booked.deadlines
    for name, ends in after.deadlines.items():
        theirs = known.get(name)
        is_new = before.deadlines.get(name) != ends
        if is_new and theirs is not None and ends > theirs + MARGIN:
            detail = f"{name} ends at {ends}, at the gateway at {theirs}"
            raise Violation(BrokenPromise.DEADLINE_TOO_LATE, after.id, detail)


def _is_under(held: Lease | None, change: Change) -> None:
    if held is not None and change.lease != held:
        raise Violation(BrokenPromise.WROTE_WITHOUT_LEASE, held.transaction)
