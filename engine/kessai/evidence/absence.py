"""What an inquiry does not list, and what may be presumed of it.

"Not found" is not "failed": a request may still be in flight. An open operation that
the list leaves out stays open until the in-flight limit, after which its request can no
longer arrive. Then it is unlisted, and presumed lost or sent again, as the caller asks.

    11:00  refund 100 (order.5) is sent; no reply
    11:05  an inquiry lists no refund: it may still arrive, order.5 stays open
    11:12  an inquiry, asked past the limit of ten minutes, lists none: it is unlisted
    11:12  presumed lost: order.5 is declined, and its 100 can be refunded once more
"""

from datetime import datetime
from enum import StrEnum

import attrs

from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.attribution import is_attributed_to_another
from kessai.evidence.listing import may_be_listed, resolve_listing
from kessai.evidence.outcome import abandoned, moving, presumed_lost
from kessai.gateway import ListedExchange, Outcome
from kessai.machine.compile import Machine
from kessai.machine.phases import may_be_resent
from kessai.machine.transaction import Operation, Transaction

Listing = tuple[ListedExchange, ...]


class Missing(StrEnum):
    """What becomes of an operation that the gateway's inquiry does not list."""

    KEEP = "keep"  # it stays open: the request may still arrive
    DECLINE = "decline"  # past the in-flight limit it cannot arrive any more
    # As DECLINE, but the same request is sent again instead; unless its success may
    # have been attributed to another operation, or it was refused when sent again.
    RESEND = "resend"


@attrs.frozen
class Presumption:
    """A request sent no later than `sent_by` and not listed can no longer arrive.

    Of what began before `known_since` the gateway has forgotten the keys, if it keeps
    them for a time. Sent again it would be carried out anew, so it is declined.

    So is what was sent again and refused. A charge was lost, and its consent ended:

        11:00  reauthorize 100 (charge.1) is sent, and lost
        11:05  the consent is terminated
        11:20  charge.1 is sent again; "not under this consent", says the reply, which
               ends nothing, as the first request may have been carried out
        11:40  an inquiry, asked past the in-flight limit of both, lists none: charge.1
               is declined, as the next reply would be the same
    """

    sent_by: datetime
    missing: Missing
    known_since: datetime | None = None

    def declines(self, operation: Operation, attempts: Attempts) -> bool:
        """Whether `operation`, which is not listed, is declined for that alone."""
        if self.missing is not Missing.RESEND:
            return self.missing is Missing.DECLINE
        attempt = attempts.get(operation.id)
        if attempt is not None and attempt.is_refused_again:
            return True
        return self.known_since is not None and operation.begun_at < self.known_since


def read_listing(
    case: Case, listing: Listing, presumption: Presumption | None = None
) -> tuple[Operation, ...]:
    """Add what follows from `listing`, and from what it leaves out; returns the latter.

    Nothing is presumed without a `presumption`.
    """
    resolve_listing(case, listing)
    if presumption is None:
        return ()
    unlisted = _unlisted(case, listing, presumption.sent_by)
    lost = _presumed_lost(presumption, unlisted, case.attempts)
    for operation in lost:
        case.add(presumed_lost(operation, case.now))
    if lost:  # exchanges that had to wait for the end of these can be applied now
        resolve_listing(case, listing)
    return unlisted


# A consumer opened the gateway's page on Monday at 9:00 and closed the browser. The
# lifecycle gives them 48 hours. An inquiry on Wednesday at 9:05 shows nothing new, but a
# clock may be wrong, and an approval at 8:59 may still be on its way to the list. One
# that is asked past the in-flight limit, at 9:12, shows nothing either: it is abandoned.


def decline_abandoned(case: Case, presumption: Presumption | None) -> None:
    """Add the decline of an opening command that nobody has finished in time.

    Not where anything was just reported: that may be what came of it.
    """
    if presumption is None or presumption.missing is Missing.KEEP or case.events:
        return
    first = waiting_for_consumer(case.machine, case.transaction)
    if first and first.finish_by and first.finish_by <= presumption.sent_by:
        case.add(abandoned(first, case.now))


def waiting_for_consumer(
    machine: Machine, transaction: Transaction
) -> Operation | None:
    """The opening command that waits for its consumer, if nothing else is open.

    Anything else may yet show what came of it.
    """
    opened = moving(machine, transaction)
    return opened[0] if len(opened) == 1 and opened[0].finish_by else None


# Two refunds of 100 are open: order.4 past the in-flight limit, order.6 in flight. The
# list shows one refund of 100. It may be either's, so it has ended neither, and order.4
# does not count as unlisted. If order.4 were declined now, and the reply to order.6
# then reported a decline, the listed success would belong to nobody.


def _unlisted(case: Case, listing: Listing, sent_by: datetime) -> tuple[Operation, ...]:
    """The open operations, sent no later than `sent_by`, that `listing` leaves out.

    An operation is not unlisted while a listed exchange that has ended nothing may be
    about it. Nor is an opening command while a command alongside it may still arrive,
    and show that the opening one did.
    """
    pending = {
        each.command
        for each in listing
        if each.outcome is Outcome.PENDING
        and case.attempts.get(each.operation or "") is None
    }
    opened = case.transaction.operations.values()
    old = [
        operation
        for operation in opened
        if may_be_resent(operation)
        and operation.sent_at <= sent_by
        and operation.command not in pending
    ]
    if not old:
        return ()
    gone = {operation.id for operation in old} - may_be_listed(case, listing)
    others = [operation for operation in opened if operation.id not in gone]
    return tuple(
        operation
        for operation in old
        if operation.id in gone and not _may_show(case.machine, others, operation)
    )


def _may_show(machine: Machine, others: list[Operation], opening: Operation) -> bool:
    """Whether the success of one of `others` would show that `opening` arrived."""
    name = opening.command
    return machine.commands[name].spec.is_opening and any(
        name in machine.commands[other.command].spec.alongside for other in others
    )


# Refunds order.4 and order.6, both of 100, are past the in-flight limit. The list shows
# one refund, and it was attributed to order.4, the first that was sent. If in truth
# order.6 was carried out, then sending order.6 again would refund 100 twice, or get the
# old answer once more. So order.6 is declined: the worst case is that a later inquiry
# lists one refund more than the trail, and shows it.


def _presumed_lost(
    presumption: Presumption, unlisted: tuple[Operation, ...], attempts: Attempts
) -> tuple[Operation, ...]:
    """Those of `unlisted` that are declined, neither kept open nor sent again."""
    resends = presumption.missing is Missing.RESEND
    return tuple(
        each
        for each in unlisted
        if presumption.declines(each, attempts)
        or (resends and is_attributed_to_another(attempts, each))
    )
