"""When a notification can be applied alone, and what is recorded of it otherwise.

A signature proves that a notification is the gateway's, not that it is true: it may be
late, repeated, come before the reply, or state what the gateway's own inquiry does not
list. No id in it distinguishes it from its repetition. So it is applied alone only for
a command's first outcome.

    11:00  refund 100 (order.4) succeeds, and its notification is applied
    11:05  refund 100 (order.6) is sent
    11:06  the notification of order.4 comes again: it states exactly what the
           notification of order.6 would state

So after a command's first outcome, a notification is a reason for an inquiry, which
lists both refunds or one. What the list does not confirm is recorded.

`weigh` says what follows before an inquiry, and `confirm` what follows after it; the
flow of notifications acts on it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

import attrs

from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.attribution import candidates
from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.outcome import EXPIRE, applied
from kessai.gateway import Evidence, Outcome
from kessai.limits import LISTING_LAG
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event
from kessai.machine.phase import Phase
from kessai.machine.phases import ENDED
from kessai.machine.references import REFERENCE_DIFFERS, differs
from kessai.machine.transaction import (
    REMEMBERED,
    Notified,
    Operation,
    Transaction,
)

NOT_LISTED = "not_listed"
"""The reason of a discrepancy: a notification stated it, and the inquiry after it did
not list it."""


class Then(StrEnum):
    """What is done once the events are written."""

    ANSWER = "answer"  # that is all
    READ_TRAIL = "read the trail"  # the state alone does not show it: weigh again
    ASK_FIRST = "ask first"  # inquire, then weigh again
    INQUIRE = "inquire"  # ask the gateway, then `confirm`
    SEND_AGAIN = "send again"  # the gateway must send it again: it may be listed later


@attrs.frozen
class Consequence:
    """What follows from a notified item: the events to write, and what is done then."""

    then: Then = Then.ANSWER
    events: tuple[Event, ...] = ()


def weigh(
    machine: Machine | None,
    transaction: Transaction,
    evidence: Evidence,
    now: datetime,
    attempts: Attempts | None = None,
    *,
    has_asked: bool = False,
) -> Consequence:
    """What follows from an item before the gateway is asked about it.

        it is about a transaction that was never opened   recorded, once
        it states another id than is known                recorded, once
        it ends an opening command, before any answer     an inquiry, unless it `has_asked`
        it is the first outcome of its command            applied
        it was applied before, and nothing is open        nothing
        anything else                                     an inquiry

    The trail is read only if that needs the `attempts`.
    """
    if machine is None or differs(transaction, evidence):
        return _about_another(machine, evidence, now, attempts)
    operation = first_outcome(machine, transaction, evidence)
    if operation is not None:
        if not has_asked and _may_be_of_a_lost_order(machine, operation):
            return Consequence(Then.ASK_FIRST)
        events = applied(machine, transaction, operation, evidence, now)
        return Consequence(events=tuple(events))
    repeated = is_repeated(transaction, evidence, attempts)
    if repeated is None:
        return Consequence(Then.READ_TRAIL)
    return Consequence(Then.ANSWER if repeated else Then.INQUIRE)


def _may_be_of_a_lost_order(machine: Machine, operation: Operation) -> bool:
    """Whether an item that ends `operation` may be of one that the store has lost.

    The order is opened once more, and the gateway has not answered that yet.
    """
    is_unanswered = operation.phase in {Phase.BEGUN, Phase.UNKNOWN}
    return is_unanswered and machine.commands[operation.command].spec.is_opening


def _about_another(
    machine: Machine | None,
    evidence: Evidence,
    now: datetime,
    attempts: Attempts | None,
) -> Consequence:
    """Evidence about another transaction, or about none, is recorded once."""
    if attempts is None:
        return Consequence(Then.READ_TRAIL)
    if machine is None:
        is_known = is_recorded(attempts, evidence)
        other = Discrepancy(now, "unknown_transaction", evidence)
    else:
        other = Discrepancy(now, REFERENCE_DIFFERS, evidence)
        is_known = attempts.hold(other)
    return Consequence(events=() if is_known else (other,))


def confirm(
    case: Case, evidence: Evidence, unconfirmed: Iterable[Unconfirmed]
) -> Consequence:
    """What follows from an item once an inquiry has been applied.

        the trail holds what it states             nothing
        the list may only be late                  it must be sent again
        the list does not confirm a success, or
        the end of what is open                    recorded, and it must be sent again
        it contradicts a success, or the
        lifecycle has no such command              recorded
        a decline of anything else                 nothing

    Once it is recorded, the gateway need not send it again: the next time it is held.
    """
    if is_accounted_for(case, evidence):
        return Consequence()
    if may_be_listed_yet(case, evidence):
        return Consequence(Then.SEND_AGAIN)
    event = unmatched(case, evidence, unconfirmed)
    if event is None:
        return Consequence()
    again = event.reason == NOT_LISTED
    return Consequence(Then.SEND_AGAIN if again else Then.ANSWER, (event,))


def first_outcome(
    machine: Machine, transaction: Transaction, evidence: Evidence
) -> Operation | None:
    """The operation that `evidence` ends without an inquiry; None if one is needed.

    Only the transaction is read, however long its trail is.
    """
    command = evidence.command or ""
    if evidence.needs_inquiry or command in transaction.concluded:
        return None
    found = _candidates(machine, transaction, evidence)
    if len(found) != 1:
        return None
    # An update that runs alongside an opening command may have changed its amount, or
    # must be applied before it: the gateway's list shows both.
    is_opening = machine.commands[command].spec.is_opening
    return None if is_opening and len(transaction.operations) > 1 else found[0]


def is_repeated(
    transaction: Transaction, evidence: Evidence, attempts: Attempts | None = None
) -> bool | None:
    """Whether this item was applied before, and nothing is open that it may be about.

    None if only the trail can show it, as after many notifications: ask once more then,
    with the `attempts`.
    """
    is_open = any(
        o.command == evidence.command for o in transaction.operations.values()
    )
    notified = Notified.of(evidence)
    if is_open or notified is None:
        return False
    if notified in transaction.notified or len(transaction.notified) < REMEMBERED:
        return notified in transaction.notified
    if attempts is None:
        return None
    return any(Notified.of(end.report.evidence) == notified for end in attempts.ends)


def is_recorded(attempts: Attempts, evidence: Evidence) -> bool:
    """Whether `evidence` is a discrepancy already, open or closed."""
    known = attempts.discrepancies.values()
    return any(_same(each.evidence, evidence) for each in known)


def is_accounted_for(case: Case, evidence: Evidence) -> bool:
    """Whether the trail holds what `evidence` states, or nothing depends on it."""
    command = evidence.command
    if command is None or is_recorded(case.attempts, evidence):
        return True
    if _is_undeclared(case.machine, evidence):
        return False
    rule = case.machine.commands.get(command)
    lasts = evidence.outcome in {*ENDED, Outcome.REVERSED}
    if not lasts or (rule is not None and rule.spec.reads):
        return True
    return any(
        amount is None or evidence.amount is None or amount == evidence.amount
        for amount in _known_amounts(case, evidence)
    )


def may_be_listed_yet(case: Case, evidence: Evidence) -> bool:
    """Whether the list may only be late, about an operation that stays due anyhow.

    A list that may be about two operations ends none while one of them is in flight.
    """
    found = _candidates(case.machine, case.transaction, evidence)
    if any(operation.phase is Phase.BEGUN for operation in found):
        return True
    stated_at = evidence.reported_at
    is_young = stated_at is not None and abs(case.now - stated_at) < LISTING_LAG
    return is_young and bool(found)


def unmatched(
    case: Case, evidence: Evidence, unconfirmed: Iterable[Unconfirmed]
) -> Discrepancy | None:
    """The discrepancy for evidence that neither trail nor inquiry accounts for.

    None for a decline that contradicts no success: it moved nothing.
    """
    if _is_undeclared(case.machine, evidence):
        return Discrepancy(case.now, "not_in_lifecycle", evidence)
    moved = evidence.outcome in {Outcome.SUCCEEDED, Outcome.REVERSED}
    if moved or _candidates(case.machine, case.transaction, evidence):
        return Discrepancy(case.now, NOT_LISTED, evidence)
    if any(success.command == evidence.command for success in unconfirmed):
        return Discrepancy(case.now, "contradicts_earlier", evidence)
    return None


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether both state the same; an inquiry gives exchanges ids of its own."""
    exchanges = one.source is not other.source or one.exchange == other.exchange
    return exchanges and (one.command, one.outcome, one.amount) == (
        other.command,
        other.outcome,
        other.amount,
    )


def _is_undeclared(machine: Machine, evidence: Evidence) -> bool:
    """Whether no inquiry can confirm it, as the lifecycle has no such command."""
    command = evidence.command
    return command not in machine.commands and command != EXPIRE


def _candidates(
    machine: Machine, transaction: Transaction, evidence: Evidence
) -> list[Operation]:
    stated = (evidence.command, evidence.amount, evidence.outcome)
    return candidates(machine, transaction, *stated)


def _known_amounts(case: Case, evidence: Evidence) -> Iterator[int | None]:
    """The amounts that the trail holds for this command with this outcome."""
    for end in case.attempts.ends:
        report = end.report
        if report.outcome is evidence.outcome and not report.evidence.never_sent:
            # An update before the approval changes what the opening command's states.
            alongside = case.machine.commands[end.operation.command].spec.alongside
            if evidence.command in {end.operation.command, *alongside}:
                yield end.amount
    for command, amount, outcome in case.attempts.outside:
        if (command, outcome) == (evidence.command, evidence.outcome):
            yield amount
