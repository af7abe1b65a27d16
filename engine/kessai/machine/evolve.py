"""What a transaction is after an event. Pure and total: any event on any transaction.

`fold` over a transaction's events is its state, so the trail proves the balances. An
event that the lifecycle does not allow changes no amount and no state; whether it may
be appended at all is decided beforehand, by `decide` and `kessai.evidence`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from kessai.machine.compile import CompiledCommand, Machine, Step, end_of
from kessai.machine.decide import opening_flags
from kessai.machine.events import (
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Learned,
    Reported,
    Resent,
    Resumed,
    Reversed,
)
from kessai.machine.phases import RESENT, RESUMED, Phase, phase_after
from kessai.machine.references import learned, stated
from kessai.machine.transaction import Operation, Transaction
from kessai.spec import AmountEffect


def evolve(
    machine: Machine | None, transaction: Transaction, event: Event
) -> Transaction:
    """`transaction` after `event`. `machine` is None while no lifecycle is known."""
    if machine is None or isinstance(event, Denied | Discrepancy | Closed):
        return _unmoved(transaction, event)
    match event:
        case Begun():
            return _begun(machine, transaction, event)
        case Resent() | Resumed():
            return _sent_again(transaction, event)
        case Reported():
            after = _reported(machine, transaction, event)
        case External() | Reversed():
            after = _at_gateway(machine, transaction, event)
        case Lapsed():
            after = _lapsed(machine, transaction, event)
        case _:
            after = transaction.next()
    return _with_statements(machine, after, event)


def _with_statements(
    machine: Machine,
    after: Transaction,
    event: Reported | External | Reversed | Lapsed | Learned,
) -> Transaction:
    """The transaction with the ids and deadlines that the event's evidence states."""
    evidence = event.evidence
    if evidence is None or not (evidence.references or evidence.deadlines):
        return after
    return attrs.evolve(
        after,
        references=learned(after, evidence),
        deadlines=stated(machine, after, evidence),
    )


def _unmoved(transaction: Transaction, event: Event) -> Transaction:
    """The transaction after an event that moves nothing."""
    if isinstance(event, Denied):
        return transaction.next(denials=transaction.denials + 1)
    noted = transaction.discrepancies
    if isinstance(event, Discrepancy):
        noted = (*noted, transaction.version + 1)
    elif isinstance(event, Closed):
        noted = tuple(number for number in noted if number != event.discrepancy)
    return transaction.next(discrepancies=noted)


def fold(
    machine: Machine | None, events: Iterable[Event], transaction_id: str
) -> Transaction:
    """The state that `events` lead to, from nothing."""
    transaction = Transaction(transaction_id)
    for event in events:
        transaction = evolve(machine, transaction, event)
    return transaction


def apply_effects(
    effects: tuple[AmountEffect, ...],
    names: Mapping[str, int],
    amounts: Mapping[str, int],
) -> dict[str, int]:
    """`amounts` after `effects`; each effect sees the result of the one before."""
    if not effects:
        return dict(amounts)
    seen = dict(names)
    changed = dict(amounts)
    for effect in effects:
        changed[effect.target] = seen[effect.target] = effect.value.evaluate(seen)
    return changed


def committed(
    candidates: tuple[Step, ...], transaction: Transaction, amount: int | None
) -> tuple[dict[str, int], list[Step]]:
    """The amounts after a success by `candidates`, and the one enabled step a track."""
    names = transaction.names(amount)
    effects = candidates[0].commit if candidates else ()
    amounts = apply_effects(effects, names, transaction.amounts)
    after = {**names, **amounts}
    steps = [step for step in candidates if step.enabled(after)]
    return amounts, steps


def _begun(machine: Machine, transaction: Transaction, event: Begun) -> Transaction:
    operation = event.operation
    rule = machine.commands.get(operation.command)
    if rule is None or not _may_begin(rule, transaction, operation):
        return transaction.next()
    if rule.spec.is_opening:
        transaction = _born(machine, transaction, event)
    names = transaction.names(operation.amount)
    return transaction.next(
        amounts=apply_effects(rule.spec.reserve, names, transaction.amounts),
        operations={**transaction.operations, operation.id: operation},
    )


def _may_begin(
    rule: CompiledCommand, transaction: Transaction, operation: Operation
) -> bool:
    if rule.spec.is_opening:
        return not transaction.exists
    fresh = operation.id not in transaction.operations
    return fresh and bool(rule.steps_from(transaction.states))


def _born(machine: Machine, transaction: Transaction, event: Begun) -> Transaction:
    lifecycle = machine.lifecycle
    return Transaction(
        transaction.id,
        lifecycle.name,
        lifecycle.hash,
        event.operation.currency or "",
        event.agreement,
        _initial(machine, event.opens),
        machine.zeros,
        opening_flags(machine, event.operation.parameters),
        discrepancies=transaction.discrepancies,
        version=transaction.version,
        head=transaction.head,
        account=event.account or "",
        denials=transaction.denials,
    )


def _initial(machine: Machine, tracks: Iterable[str]) -> dict[str, str]:
    found = {name: machine.tracks[name] for name in tracks if name in machine.tracks}
    return {name: track.initial for name, track in found.items() if track.initial}


def _sent_again(transaction: Transaction, event: Resent | Resumed) -> Transaction:
    operation = transaction.operations.get(event.operation)
    trigger = RESENT if isinstance(event, Resent) else RESUMED
    phase = phase_after(operation.phase, trigger) if operation else None
    if operation is None or phase is None:
        return transaction.next()
    again = attrs.evolve(operation, phase=phase)
    if trigger == RESENT:
        again = attrs.evolve(again, resent_at=event.at)
    else:
        again = attrs.evolve(again, resumed_at=event.at)
    return transaction.next(operations={**transaction.operations, operation.id: again})


def _reported(
    machine: Machine, transaction: Transaction, event: Reported
) -> Transaction:
    operation = transaction.operations.get(event.operation)
    rule = machine.commands.get(operation.command) if operation else None
    phase = phase_after(operation.phase, event.outcome) if operation else None
    if operation is None or rule is None or phase is None:
        return transaction.next()
    if phase is Phase.SUCCEEDED:
        return _succeeded(transaction, rule, operation, event)
    if phase is Phase.DECLINED:
        return _declined(transaction, rule, operation, event)
    not_before = event.evidence.not_before
    waiting = attrs.evolve(operation, phase=phase, not_before=not_before)
    operations = {**transaction.operations, operation.id: waiting}
    return transaction.next(operations=operations)


def _succeeded(
    transaction: Transaction,
    rule: CompiledCommand,
    operation: Operation,
    event: Reported,
) -> Transaction:
    starting = rule.steps_from(transaction.states)
    amounts, steps = committed(starting, transaction, operation.amount)
    if not steps and not rule.spec.reads:
        return transaction.next()
    return transaction.next(
        states=_moved(transaction, steps),
        amounts=amounts,
        deadlines=_restarted(rule, transaction, event),
        operations=_without(transaction, operation),
        concluded=transaction.with_concluded(operation.command),
        notified=transaction.with_notified(event.evidence),
    )


def _moved(transaction: Transaction, steps: Iterable[Step]) -> Mapping[str, str]:
    return {**transaction.states, **{step.track: step.target for step in steps}}


def _without(transaction: Transaction, ended: Operation) -> dict[str, Operation]:
    return {k: o for k, o in transaction.operations.items() if k != ended.id}


def _declined(
    transaction: Transaction,
    rule: CompiledCommand,
    operation: Operation,
    event: Reported,
) -> Transaction:
    names = transaction.names(operation.amount)
    return transaction.next(
        states=_moved(transaction, rule.declined_from(transaction.states)),
        amounts=apply_effects(rule.spec.release, names, transaction.amounts),
        operations=_without(transaction, operation),
        concluded=transaction.with_concluded(operation.command),
        notified=transaction.with_notified(event.evidence),
    )


def at_gateway(
    machine: Machine, transaction: Transaction, event: External | Reversed
) -> tuple[dict[str, int], list[Step]]:
    """The amounts after what the gateway did unasked, and the one step per track.

    It is reserved and committed at once; a reversal has nothing to reserve.
    """
    rule = _unasked(machine, event)
    starting = () if rule is None else rule.outside_from(transaction.states)
    if rule is None or not starting:
        return dict(transaction.amounts), []
    names = transaction.names(event.amount)
    reserved = apply_effects(rule.spec.reserve, names, transaction.amounts)
    return committed(starting, transaction.next(amounts=reserved), event.amount)


def _unasked(machine: Machine, event: External | Reversed) -> CompiledCommand | None:
    taken_back = isinstance(event, Reversed)
    return (machine.reversals if taken_back else machine.commands).get(event.command)


def _at_gateway(
    machine: Machine, transaction: Transaction, event: External | Reversed
) -> Transaction:
    rule = _unasked(machine, event)
    amounts, steps = at_gateway(machine, transaction, event)
    if rule is None or not steps:
        return transaction.next()
    return transaction.next(
        states=_moved(transaction, steps),
        amounts=amounts,
        deadlines=_restarted(rule, transaction, event),
        concluded=transaction.with_concluded(event.command),
    )


def _lapsed(machine: Machine, transaction: Transaction, event: Lapsed) -> Transaction:
    step = machine.lapse_from(event.deadline, transaction.states)
    if step is None:
        return transaction.next()
    names = transaction.names()
    return transaction.next(
        states=_moved(transaction, [step]),
        amounts=apply_effects(step.commit, names, transaction.amounts),
    )


def _restarted(
    rule: CompiledCommand,
    transaction: Transaction,
    event: Reported | External | Reversed,
) -> Mapping[str, datetime]:
    """The deadlines, with those that a success of `rule` starts begun anew.

    They count from when the gateway states that it happened. Evidence may come late and
    out of order, so the latest end counts.
    """
    if not rule.starts:
        return transaction.deadlines
    stated_at = event.evidence.reported_at
    happened = event.at if stated_at is None else min(stated_at, event.at)
    deadlines = dict(transaction.deadlines)
    for deadline in rule.starts:
        ends = end_of(deadline, happened)
        deadlines[deadline.name] = max(ends, deadlines.get(deadline.name, ends))
    return deadlines
