"""What follows from a gateway's answer to an inquiry: it lists exchanges, or states totals.

What is listed is read by `listing`, what is left out by `absence`, and totals by
`totals`. The gateway is asked, and what follows is written, by `kessai.flow.inquiry`.
"""

from datetime import datetime, timedelta

import attrs

from kessai.evidence.absence import Presumption, decline_abandoned, read_listing
from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.listing import resolve_listing, unconfirmed
from kessai.evidence.outcome import beside
from kessai.evidence.totals import read_totals
from kessai.gateway import Evidence, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event, External, Reported
from kessai.machine.explained import differ
from kessai.machine.references import REFERENCE_DIFFERS, differs
from kessai.machine.transaction import Operation, Transaction


@attrs.frozen
class InquiryAnswer:
    """What a gateway answered, whether it lists exchanges, and what may be presumed.

    `replays`: for how long it knows keys; None if it promises nothing. `totals_lag`: the
    commands whose success its totals may show only later.
    """

    evidence: Evidence
    lists: bool
    presumption: Presumption | None = None
    replays: timedelta | None = None
    totals_lag: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Inquiry:
    """A transaction after an inquiry, and what still needs care.

    `readable` is False when the gateway gave no answer that states anything; it must
    not be asked again before `not_before`, if it stated that; `code` is the adapter's for
    what was answered instead, `ID_NOT_KNOWN` if the gateway knows nothing under the id
    that it was asked about. `lists` is False if it
    has no inquiry, or one that states totals: it may have done what it does not list. `events` are what it reported that the trail did not know. `unconfirmed` are
    successes that the trail holds and the gateway does not list. `unlisted` are open
    operations that it does not list and that can no longer arrive. `attempts` are those
    of the trail with the events, and `may_be_outdated` says whether the events may be
    wrong if the answer is older than the trail; neither counts when inquiries are
    compared.
    """

    transaction: Transaction
    readable: bool
    events: tuple[Event, ...] = ()
    unconfirmed: tuple[Unconfirmed, ...] = ()
    unlisted: tuple[Operation, ...] = ()
    lists: bool = True
    not_before: datetime | None = None
    code: str = ""
    attempts: Attempts = attrs.field(factory=Attempts, repr=False, eq=False)
    may_be_outdated: bool = attrs.field(default=False, repr=False, eq=False)


def read(case: Case, answer: InquiryAnswer) -> Inquiry:
    """What follows from `answer`, as of the transaction of `case`; nothing is written.

    The events are added to the `case`.
    """
    transaction, evidence = case.transaction, answer.evidence
    unlisted: tuple[Operation, ...] = ()
    missing: tuple[Unconfirmed, ...] = ()
    about_another = differs(transaction, evidence)
    if about_another:  # about something else at the gateway: it ends no operation
        case.add_difference(REFERENCE_DIFFERS, evidence)
    elif answer.lists:
        unlisted = read_listing(case, evidence.listing, answer.presumption)
        missing = unconfirmed(case.machine, case.attempts, evidence.listing)
    else:
        resolve_listing(
            case, evidence.listing
        )  # of some; what is left out says nothing
        unlisted = read_totals(
            case,
            evidence,
            answer.presumption,
            replays=answer.replays,
            lag=answer.totals_lag,
        )
    if not about_another:
        if not differ(case.transaction, evidence):  # else it may be what came of it
            decline_abandoned(case, answer.presumption)
        for event in beside(case.machine, case.transaction, evidence, case.now):
            case.add(event)
    return Inquiry(
        transaction=transaction,
        readable=not about_another,
        events=tuple(case.events),
        unconfirmed=missing,
        unlisted=unlisted,
        lists=answer.lists or about_another,
        attempts=case.attempts,
        may_be_outdated=not answer.lists
        or bool(unlisted)
        or any(_may_be_outdated(case.machine, event) for event in case.events),
    )


def _may_be_outdated(machine: Machine, event: Event) -> bool:
    """Whether `event` may be wrong if the list is older than the trail.

    In an older list an exchange may only seem not to fit, a pending one may have ended
    since, and an amount that was set at the gateway may have been set anew.
    """
    match event:
        case Reported(outcome=outcome):
            return outcome is Outcome.PENDING
        case External(command=command):
            return machine.commands[command].sets_amount
        case _:
            return isinstance(event, Discrepancy)
