"""What an inquiry does not list, and what may be presumed of it.

"Not found" is not "failed": a request may still be on its way. An open operation that
the list leaves out stays open until its request can no longer arrive, the in-flight
limit; then it is unlisted, and presumed lost or sent again, as the caller wants it.

    11:00  refund 100 (order.5) is sent; no reply
    11:05  an inquiry lists no refund: it may still arrive, order.5 stays open
    11:12  an inquiry, asked past the limit of ten minutes, lists none: it is unlisted
    11:12  presumed lost: order.5 is declined, and its 100 can be refunded once more
"""

from datetime import datetime
from enum import StrEnum

import attrs

from kessai.evidence.attempts import Attempts, Snapshot
from kessai.evidence.attribution import is_attributed_to_another
from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.listing import may_be_listed, resolve_listing, unconfirmed
from kessai.evidence.outcome import presumed_lost
from kessai.gateway import ListedExchange, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event, External, Reported
from kessai.machine.phases import RESENT, phase_after
from kessai.machine.transaction import Operation

Listing = tuple[ListedExchange, ...]


class Missing(StrEnum):
    """What becomes of an operation that the gateway's inquiry does not list."""

    KEEP = "keep"  # it stays open: the request may still arrive
    DECLINE = "decline"  # past the in-flight limit it cannot arrive any more
    # As DECLINE, but the same request is sent instead; not where what another one did
    # may have been attributed to it, or the other way round.
    RESEND = "resend"


@attrs.frozen
class Presumption:
    """What was sent by `sent_by`, and is not listed, can no longer arrive.

    Of what began before `known_since` the gateway has forgotten the keys, where it
    keeps them for a time: sent again it would be carried out anew, so it is declined.
    """

    sent_by: datetime
    missing: Missing
    known_since: datetime | None = None

    def declines(self, operation: Operation) -> bool:
        """Whether `operation`, which is not listed, is declined for that alone."""
        if self.missing is not Missing.RESEND:
            return self.missing is Missing.DECLINE
        return self.known_since is not None and operation.begun_at < self.known_since


@attrs.frozen(kw_only=True)
class Reading:
    """What an inquiry makes of a transaction: see `kessai.flow.Inquiry`."""

    events: tuple[Event, ...]
    unconfirmed: tuple[Unconfirmed, ...]
    unlisted: tuple[Operation, ...]


def read_listing(
    snapshot: Snapshot, listing: Listing, presumption: Presumption | None = None
) -> Reading:
    """What `listing` makes of a transaction, and of what it leaves out.

    The attempts of `snapshot` take in the events. Nothing is presumed without a
    `presumption`.
    """
    events = list(resolve_listing(snapshot, listing))
    unlisted: tuple[Operation, ...] = ()
    if presumption is not None:
        snapshot = snapshot.after(events)
        unlisted = _unlisted(snapshot, listing, presumption.sent_by)
        lost = _presumed_lost(presumption, unlisted, snapshot.attempts)
        declined = [presumed_lost(operation, snapshot.now) for operation in lost]
        if declined:
            for event in declined:
                snapshot.attempts.note(event)
            # What had to wait for their end can be applied now.
            freed = resolve_listing(snapshot.after(declined), listing)
            events += [*declined, *freed]
    return Reading(
        events=tuple(events),
        unconfirmed=unconfirmed(snapshot.machine, snapshot.attempts, listing),
        unlisted=unlisted,
    )


def may_be_outdated(machine: Machine, event: Event) -> bool:
    """Whether `event` may not follow from a list that is as new as the trail.

    An older one may only seem not to fit, what was pending in it may have ended since,
    and an amount set outside may have been set anew.
    """
    match event:
        case Reported(outcome=outcome):
            return outcome is Outcome.PENDING
        case External(command=command):
            return machine.commands[command].sets_amount
        case _:
            return isinstance(event, Discrepancy)


# Two refunds of 100 are open, order.4 past the limit and order.6 in flight; the list
# shows one refund of 100, which may be either's, and has ended neither. As long as that
# is so, order.4 is not unlisted: declined now, its success would be lost when the reply
# to order.6 says that it failed.


def _unlisted(
    snapshot: Snapshot, listing: Listing, sent_by: datetime
) -> tuple[Operation, ...]:
    """The open operations that `listing` leaves out, last sent by `sent_by`.

    None of those that a listed exchange may be about which has ended nothing. Nor an
    opening command while anything alongside it may still arrive, and show that it did.
    """
    pending = {
        each.command
        for each in listing
        if each.outcome is Outcome.PENDING
        and snapshot.attempts.get(each.operation or "") is None
    }
    opened = snapshot.transaction.operations.values()
    old = [
        operation
        for operation in opened
        if phase_after(operation.phase, RESENT) is not None
        and operation.resumed_at is None  # the gateway had heard of it before
        and operation.sent_at <= sent_by
        and operation.command not in pending
    ]
    if not old:
        return ()
    gone = {operation.id for operation in old} - may_be_listed(snapshot, listing)
    others = [operation for operation in opened if operation.id not in gone]
    return tuple(
        operation
        for operation in old
        if operation.id in gone and not _may_show(snapshot.machine, others, operation)
    )


def _may_show(machine: Machine, others: list[Operation], opening: Operation) -> bool:
    """Whether one of `others` can only succeed if `opening`, if it opens, has."""
    name = opening.command
    return machine.commands[name].spec.is_opening and any(
        name in machine.commands[other.command].spec.alongside for other in others
    )


# Refunds order.4 and order.6, both of 100, are past the limit; the list shows one, and
# order.4 had it, as the first that was sent. Was it order.6 that was carried out, then
# sending it again would refund 100 twice, or be answered with what it did before.
# Declined, at worst an inquiry finds one refund too few, and shows it.


def _presumed_lost(
    presumption: Presumption, unlisted: tuple[Operation, ...], attempts: Attempts
) -> tuple[Operation, ...]:
    """Those of `unlisted` that are declined, rather than kept or sent again."""
    resends = presumption.missing is Missing.RESEND
    return tuple(
        each
        for each in unlisted
        if presumption.declines(each)
        or (resends and is_attributed_to_another(attempts, each))
    )
