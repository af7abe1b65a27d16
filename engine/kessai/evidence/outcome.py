"""What evidence means for a transaction: the event to append, or none.

All evidence goes through here: from replies, notifications, inquiries and operators. A
success is applied only if the lifecycle allows it and its invariants hold afterwards;
otherwise it becomes a discrepancy. Evidence is never dropped and never forces a state.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from kessai.gateway import Evidence, Outcome, Source
from kessai.machine.compile import CompiledCommand, Machine, Step
from kessai.machine.decide import amount_bounds
from kessai.machine.events import (
    Closed,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Learned,
    Reported,
    Reversed,
)
from kessai.machine.evolve import at_gateway, committed
from kessai.machine.invariants import broken_amounts
from kessai.machine.phase import Phase
from kessai.machine.phases import phase_after
from kessai.machine.references import REFERENCE_DIFFERS, differs, is_new
from kessai.machine.transaction import Operation, Transaction

Amounts = Mapping[str, int]

EXPIRE = "expire"
"""The command of a listed exchange by which the gateway let a deadline lapse."""


def resolve(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
    now: datetime,
) -> Event | None:
    """The event by which `evidence` about `operation` enters the trail.

    None when it states nothing new: the operation stays open in the same phase.
    """
    rule = machine.commands[operation.command]
    if rule.spec.reads:
        return _end_of_read(operation, evidence, now)
    outcome = evidence.outcome
    if outcome is Outcome.REVERSED:
        # It had succeeded before; its reversal is an event of its own.
        outcome = Outcome.SUCCEEDED
    if phase_after(operation.phase, outcome) is None:
        return None
    event = Reported(now, operation.id, outcome, evidence)
    if outcome is not Outcome.SUCCEEDED:
        return event
    wrong = _wrong_amount(rule, transaction, operation, evidence)
    starting = rule.steps_from(transaction.states)
    # As in `evolve`, without making the rest of the transaction.
    made = committed(starting, transaction, operation.amount)
    wrong = wrong or _impossible(machine, starting, made)
    if wrong:
        return Discrepancy(now, wrong, evidence, operation.id)
    return event


def applied(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
    now: datetime,
) -> list[Event]:
    """All events by which `evidence` about `operation` enters the trail."""
    event = resolve(machine, transaction, operation, evidence, now)
    events = [] if event is None else [event]
    if evidence.references or evidence.deadlines:
        stated = beside(machine, transaction, evidence, now)
        if isinstance(event, Reported):  # it records itself what its evidence states
            stated = (each for each in stated if not isinstance(each, Learned))
        events += stated
    return events


def beside(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Iterator[Event]:
    """What `evidence` states beside outcomes.

    An id that differs from the known one is a discrepancy. An id or a deadline that no
    event records yet is an event of its own.
    """
    if differs(transaction, evidence):
        yield Discrepancy(now, REFERENCE_DIFFERS, evidence)
    if is_new(machine, transaction, evidence):
        yield Learned(now, evidence)


def resolve_external(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Event:
    """The event for what the gateway did without the engine's asking."""
    is_reversal = evidence.outcome is Outcome.REVERSED
    if evidence.command == EXPIRE and not is_reversal:
        return _lapse(machine, transaction, evidence, now)
    declared = machine.reversals if is_reversal else machine.commands
    rule = declared.get(evidence.command or "")
    if rule is None:
        reason = "not_reversible" if is_reversal else "not_in_lifecycle"
        return Discrepancy(now, reason, evidence)
    name = rule.spec.name
    if rule.spec.is_opening:
        # A transaction has one opening command: this is it, but not as asked for, or
        # after it had ended.
        ours = [
            operation.id
            for operation in transaction.operations.values()
            if operation.command == name and operation.phase is not Phase.PREPARED
        ]
        reason = "amount_differs" if ours else "state_not_allowed"
        return Discrepancy(now, reason, evidence, *ours)
    amount = evidence.amount if rule.spec.amount else None
    if rule.spec.amount and amount is None:
        return Discrepancy(now, "amount_missing", evidence)
    busy = [o for o in transaction.operations.values() if o.command in rule.excludes]
    if busy:
        return Discrepancy(now, "operation_open", evidence)
    kind = Reversed if is_reversal else External
    event = kind(now, name, amount, evidence)
    wrong = _impossible_outside(machine, rule, transaction, event)
    return Discrepancy(now, wrong, evidence) if wrong else event


def presumed_lost(operation: Operation, now: datetime) -> Event:
    """The event for an operation whose request can no longer arrive."""
    return _presumed(operation, now, "not_found", never_sent=True)


def abandoned(operation: Operation, now: datetime) -> Event:
    """The event for an opening command that its consumer can no longer finish."""
    return _presumed(operation, now, "abandoned", never_sent=False)


def not_carried_out(operation: Operation, now: datetime, code: str) -> Event:
    """The event for what was only prepared, and must not be sent any more."""
    return _presumed(operation, now, code, never_sent=True, source=Source.REPLY)


def _presumed(
    operation: Operation,
    now: datetime,
    code: str,
    *,
    never_sent: bool,
    source: Source = Source.INQUIRY,
) -> Event:
    evidence = Evidence(
        source=source,
        transaction=operation.id.rpartition(".")[0],
        command=operation.command,
        outcome=Outcome.DECLINED,
        code=code,
        never_sent=never_sent,
    )
    return Reported(now, operation.id, Outcome.DECLINED, evidence)


def close_discrepancy(
    transaction: Transaction, number: int, evidence: Evidence, now: datetime
) -> Closed | None:
    """The event that closes discrepancy `number`; None if that one is not open.

    An external movement that nobody claims is closed in the same way.
    Only an operator who gives a name and says how it was found out can do that.
    """
    signed = evidence.source is Source.OPERATOR and evidence.actor and evidence.note
    shown = (*transaction.discrepancies, *transaction.unclaimed_events)
    if not signed or number not in shown:
        return None
    return Closed(now, number, evidence)


def overdue(
    machine: Machine, transaction: Transaction, now: datetime
) -> Iterator[Lapsed]:
    """The deadlines of `transaction` that have passed; none while anything is open."""
    if moving(machine, transaction):
        return
    for name, ends in transaction.deadlines.items():
        if now >= ends and machine.lapse_from(name, transaction.states):
            yield Lapsed(now, name)


def moving(machine: Machine, transaction: Transaction) -> list[Operation]:
    """The open operations that may change a state; a read does not."""
    rules = machine.commands
    opened = transaction.operations.values()
    return [each for each in opened if not rules[each.command].spec.reads]


def _end_of_read(operation: Operation, evidence: Evidence, now: datetime) -> Event:
    """The end of a read: it ends whatever its outcome, as nothing depends on it."""
    good = evidence.outcome is Outcome.SUCCEEDED
    outcome = Outcome.SUCCEEDED if good else Outcome.DECLINED
    return Reported(now, operation.id, outcome, evidence)


def _wrong_amount(
    rule: CompiledCommand,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
) -> str:
    if evidence.amount is None:
        return ""
    expected = expected_amount(rule, transaction, operation)
    same = expected is None or evidence.amount == expected
    return "" if same else "amount_differs"


def expected_amount(
    rule: CompiledCommand, transaction: Transaction, operation: Operation
) -> int | None:
    """The amount that evidence of this operation's success must state."""
    if rule.spec.reports is None:
        return None
    names = transaction.names(operation.amount)
    return rule.spec.reports.evaluate(names)


def _impossible(
    machine: Machine, starting: tuple[Step, ...], made: tuple[Amounts, list[Step]]
) -> str:
    """Why what a success has `made` cannot be applied; empty when it can."""
    amounts, steps = made
    if not starting:
        return "state_not_allowed"
    if broken_amounts(machine, amounts):
        return "invariant_broken"
    one_a_track = len(steps) == len({step.track for step in starting})
    return "" if one_a_track else "state_conflict"


def _impossible_outside(
    machine: Machine,
    rule: CompiledCommand,
    transaction: Transaction,
    event: External | Reversed,
) -> str:
    """Why an external success cannot be applied; empty when it can."""
    starting = rule.outside_from(transaction.states)
    bounds = amount_bounds(rule, transaction.names(), transaction.currency)
    amount = event.amount or 0
    if starting and bounds and not bounds.minimum <= amount <= bounds.maximum:
        return "amount_out_of_bounds"
    return _impossible(machine, starting, at_gateway(machine, transaction, event))


def _lapse(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Event:
    for name in machine.deadlines:
        if machine.lapse_from(name, transaction.states):
            if moving(machine, transaction):
                return Discrepancy(now, "operation_open", evidence)
            return Lapsed(now, name, evidence)
    return Discrepancy(now, "state_not_allowed", evidence)
