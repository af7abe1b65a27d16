"""Which discrepancies an event explains: they close by themselves.

Evidence that fits nothing is set aside, as a discrepancy. Often only something of the
engine's was in its way, and a later inquiry applies it:

    4  begun        order.4 capture 600            its request is lost
    5  discrepancy  capture 500, exchange A        done in the portal: order.4 is open
    6  reported     order.4 declined               presumed lost
    7  external     capture 500, exchange A        the very same: it explains event 5

Nothing is guessed. An event explains what was set aside with the gateway's same id of
the exchange, or, where ids cannot show it, what can be no other, because the lifecycle
allows no second one. Two refunds of 100 without an id may be two: what was set aside
stays open, until an operator closes it. So does what differs in anything it states, and
a reference that contradicts the known one. Totals are all that a gateway holds: a
difference is explained once an event has made them agree.

What is explained is not stored: it follows from the trail, as amounts and states do.
"""

from collections.abc import Mapping

import attrs

from kessai.gateway import Evidence, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Event, Reported
from kessai.machine.references import REFERENCE_DIFFERS
from kessai.machine.transaction import OpenDiscrepancy, Transaction


def differ(transaction: Transaction, evidence: Evidence) -> bool:
    """Whether the gateway states another amount than the trail accounts for."""
    known = transaction.amounts
    return any(known.get(name, n) != n for name, n in evidence.totals.items())


def unexplained(
    machine: Machine, before: Transaction, after: Transaction, event: Event
) -> Mapping[int, OpenDiscrepancy]:
    """The discrepancies that are still open once `event` was applied.

    `after` is the transaction after it, but for its discrepancies.
    """
    known, evidence = before.discrepancies, getattr(event, "evidence", None)
    if evidence is None:
        return known
    applied = _applied(before, event, evidence)
    found = {number for number, one in known.items() if _is_it(one, applied)}
    if not found and _allows_no_second(machine, after, applied):
        alike = {number for number, one in known.items() if _may_be_it(one, applied)}
        found = alike if len(alike) == 1 else found
    return {
        number: one
        for number, one in known.items()
        if number not in found and not _agrees_by_now(one, after, evidence)
    }


def _applied(before: Transaction, event: Event, evidence: Evidence) -> Evidence:
    """`evidence` with the outcome and the amount of its operation that were applied."""
    if not isinstance(event, Reported):
        return evidence
    amount = evidence.amount
    if amount is None:
        amount = before.operations[event.operation].amount
    return attrs.evolve(evidence, outcome=event.outcome, amount=amount)


def _is_it(one: OpenDiscrepancy, applied: Evidence) -> bool:
    """Whether an id shows that both state the same exchange."""
    return (
        _states_the_same(one, applied) and one.exchange == applied.exchange is not None
    )


def _may_be_it(one: OpenDiscrepancy, applied: Evidence) -> bool:
    """Whether no id shows that they state different exchanges.

    An inquiry may give exchanges ids of its own, which no notification states.
    """
    comparable = one.source is applied.source
    has_no_id = None in {one.exchange, applied.exchange}
    return _states_the_same(one, applied) and (has_no_id or not comparable)


def _states_the_same(one: OpenDiscrepancy, applied: Evidence) -> bool:
    return (
        one.reason != REFERENCE_DIFFERS
        and one.command is not None
        and (one.command, one.outcome) == (applied.command, applied.outcome)
        and one.amount in {None, applied.amount}
    )


def _allows_no_second(machine: Machine, after: Transaction, applied: Evidence) -> bool:
    """Whether the lifecycle allows no other success like the one `applied`."""
    if applied.outcome is not Outcome.SUCCEEDED:
        return False
    rule = machine.commands.get(applied.command or "")
    if rule is None:  # a deadline has lapsed
        return not any(machine.lapse_from(d, after.states) for d in machine.deadlines)
    return rule.spec.is_opening or not rule.outside_from(after.states)


def _agrees_by_now(
    one: OpenDiscrepancy, after: Transaction, evidence: Evidence
) -> bool:
    """Whether it was about totals, and all that it stated agrees after the event."""
    of_totals = one.command is None and one.reason != REFERENCE_DIFFERS
    is_covered = bool(one.totals) and one.totals.keys() <= evidence.totals.keys()
    return of_totals and is_covered and not differ(after, evidence)
