"""What a transaction is after an event. Pure and total: any event on any transaction.

`fold` over a transaction's events is its state, so the trail proves the balances. An
event that the lifecycle does not allow changes no amount and no state; whether it may
be appended at all is decided beforehand, by `decide` and `kessai.evidence`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from kessai.machine.compile import CompiledCommand, Machine, Step, end_of
from kessai.machine.decide import opening_flags
from kessai.machine.events import (
    Archived,
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Forgotten,
    Lapsed,
    Learned,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
)
from kessai.machine.explained import unexplained
from kessai.machine.phase import Phase
from kessai.machine.phases import RESENT, RESUMED, SENT, phase_after
from kessai.machine.references import learned, stated
from kessai.machine.transaction import (
    Changes,
    Notified,
    OpenDiscrepancy,
    Operation,
    Transaction,
    remember,
)
from kessai.machine.unclaimed import with_unclaimed, without_unclaimed
from kessai.spec import AmountEffect


def evolve(
    machine: Machine | None, transaction: Transaction, event: Event
) -> Transaction:
    """`transaction` after `event`. `machine` is None while no lifecycle is known."""
    changes = _changes(machine, transaction, event)
    if changes and not isinstance(event, _UNANSWERED):
        changes["changed_at"] = event.at
    return transaction.next(**changes)


def _changes(
    machine: Machine | None, transaction: Transaction, event: Event
) -> Changes:
    """What `event` changes of `transaction`; nothing if the lifecycle forbids it."""
    if machine is None or isinstance(event, _UNMOVING):
        return _noted(transaction, event)
    match event:
        case Begun():
            return _begun(machine, transaction, event)
        case Sent() | Resent() | Resumed():
            return _sent(transaction, event)
        case Reported():
            changes = _reported(machine, transaction, event)
        case External() | Reversed():
            changes = _at_gateway(machine, transaction, event)
        case Lapsed():
            changes = _lapsed(machine, transaction, event)
        case _:
            changes = Changes()
    if changes and transaction.discrepancies:
        after = transaction.next(**changes)
        left = unexplained(machine, transaction, after, event)
        changes = changes | {"discrepancies": left}
    return changes | _stated(machine, transaction, event, changes)


_UNMOVING = (Denied, Discrepancy, Closed, Forgotten, Archived)
_UNANSWERED = (Begun, Sent, Resent, Resumed, Denied, Archived)
"""What is no change yet, or none at all; but see `_opened`."""


def _noted(transaction: Transaction, event: Event) -> Changes:
    """What an event changes that moves nothing."""
    noted = transaction.discrepancies
    match event:
        case Denied():
            return {"denials": transaction.denials + 1}
        case Discrepancy():
            one = OpenDiscrepancy.of(event.reason, event.evidence)
            return {"discrepancies": {**noted, transaction.version + 1: one}}
        case Archived(archive=archive):
            return {"archived": archive}
        case Closed(discrepancy=closed):
            return {
                "discrepancies": {n: one for n, one in noted.items() if n != closed},
                "unclaimed": without_unclaimed(transaction, closed),
            }
        case _:
            return {}


def _stated(
    machine: Machine,
    transaction: Transaction,
    event: Reported | External | Reversed | Lapsed | Learned,
    changes: Changes,
) -> Changes:
    """The ids and deadlines that the event's evidence states, beside its `changes`."""
    evidence = event.evidence
    if evidence is None or not (evidence.references or evidence.deadlines):
        return {}
    deadlines = changes.get("deadlines", transaction.deadlines)
    return {
        "references": learned(transaction.references, evidence),
        "deadlines": stated(machine, deadlines, evidence),
    }


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
    names: dict[str, int],
    amounts: Mapping[str, int],
) -> dict[str, int]:
    """`amounts` after `effects`, of which each sees the result of the one before.

    `names` have the results, too.
    """
    changed = dict(amounts)
    for effect in effects:
        changed[effect.target] = names[effect.target] = effect.value.evaluate(names)
    return changed


def committed(
    candidates: tuple[Step, ...],
    transaction: Transaction,
    amount: int | None,
    reserve: tuple[AmountEffect, ...] = (),
) -> tuple[dict[str, int], list[Step]]:
    """The amounts after a success by `candidates`, and the one enabled step a track.

    What was not begun by us applies the effects of `reserve` first.
    """
    names = transaction.names(amount)
    effects = reserve + (candidates[0].commit if candidates else ())
    amounts = apply_effects(effects, names, transaction.amounts)
    return amounts, [step for step in candidates if step.enabled(names)]


def _begun(machine: Machine, transaction: Transaction, event: Begun) -> Changes:
    operation = event.operation
    rule = machine.commands.get(operation.command)
    if rule is None or not _may_begin(rule, transaction, operation):
        return {}
    opened = _opened(machine, event) if rule.spec.is_opening else Changes()
    amounts = opened.get("amounts", transaction.amounts)
    flags = opened.get("flags", transaction.flags)
    names = {**amounts, **flags, "amount": operation.amount or 0}
    if event.prepared:
        operation = attrs.evolve(operation, phase=Phase.PREPARED)
    if rule.finish_within is not None:
        operation = attrs.evolve(operation, finish_within=rule.finish_within)
    return opened | {
        "amounts": apply_effects(rule.spec.reserve, names, amounts),
        "operations": {**transaction.operations, operation.id: operation},
    }


def _may_begin(
    rule: CompiledCommand, transaction: Transaction, operation: Operation
) -> bool:
    if rule.spec.is_opening:
        return not transaction.exists
    fresh = operation.id not in transaction.operations
    return fresh and bool(rule.steps_from(transaction.states))


def _opened(machine: Machine, event: Begun) -> Changes:
    """What a transaction begins with, before anything is reserved."""
    lifecycle = machine.lifecycle
    tracks = {
        name: machine.tracks[name] for name in event.opens if name in machine.tracks
    }
    return {
        "lifecycle": lifecycle.name,
        "lifecycle_hash": lifecycle.hash,
        "currency": event.operation.currency or "",
        "agreement": event.agreement,
        "account": event.account or "",
        "states": {n: track.initial for n, track in tracks.items() if track.initial},
        "amounts": machine.zeros,
        "flags": opening_flags(machine, event.operation.parameters),
        "opened_at": event.at,
        "changed_at": event.at,
    }


_SENDING = {
    Sent: (SENT, "last_sent_at"),
    Resent: (RESENT, "last_sent_at"),
    Resumed: (RESUMED, "resumed_at"),
}


def _sent(transaction: Transaction, event: Sent | Resent | Resumed) -> Changes:
    trigger, field = _SENDING[type(event)]
    operation = transaction.operations.get(event.operation)
    phase = phase_after(operation.phase, trigger) if operation else None
    if operation is None or phase is None:
        return {}
    changed: dict[str, Any] = {"phase": phase, field: event.at}
    sent = attrs.evolve(operation, **changed)
    return {"operations": {**transaction.operations, operation.id: sent}}


def _reported(machine: Machine, transaction: Transaction, event: Reported) -> Changes:
    operation = transaction.operations.get(event.operation)
    rule = machine.commands.get(operation.command) if operation else None
    phase = phase_after(operation.phase, event.outcome) if operation else None
    if operation is None or rule is None or phase is None:
        return {}
    if phase is Phase.SUCCEEDED:
        changes = _succeeded(transaction, rule, operation, event)
    elif phase is Phase.DECLINED:
        changes = _declined(transaction, rule, operation)
    else:
        not_before = event.evidence.not_before
        waiting = attrs.evolve(operation, phase=phase, not_before=not_before)
        return {"operations": {**transaction.operations, operation.id: waiting}}
    return changes and changes | _ended(transaction, operation, event)


def _succeeded(
    transaction: Transaction,
    rule: CompiledCommand,
    operation: Operation,
    event: Reported,
) -> Changes:
    starting = rule.steps_from(transaction.states)
    amounts, steps = committed(starting, transaction, operation.amount)
    if not steps and not rule.spec.reads:
        return {}
    return {
        "states": _moved(transaction, steps),
        "amounts": amounts,
        "deadlines": _restarted(rule, transaction, event),
    }


def _declined(
    transaction: Transaction, rule: CompiledCommand, operation: Operation
) -> Changes:
    names = transaction.names(operation.amount)
    return {
        "states": _moved(transaction, rule.declined_from(transaction.states)),
        "amounts": apply_effects(rule.spec.release, names, transaction.amounts),
    }


def _ended(transaction: Transaction, operation: Operation, event: Reported) -> Changes:
    """What the end of an operation changes, however it ended."""
    known, last = transaction.notified, Notified.of(event.evidence)
    opened = transaction.operations.items()
    return {
        "operations": {name: each for name, each in opened if name != operation.id},
        "concluded": _concluded(transaction, operation.command),
        "notified": known if last is None else remember(known, last),
    }


def _moved(transaction: Transaction, steps: Iterable[Step]) -> Mapping[str, str]:
    return {**transaction.states, **{step.track: step.target for step in steps}}


def _concluded(transaction: Transaction, command: str) -> tuple[str, ...]:
    known = transaction.concluded
    return known if command in known else (*known, command)


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
    return committed(starting, transaction, event.amount, rule.spec.reserve)


def _unasked(machine: Machine, event: External | Reversed) -> CompiledCommand | None:
    taken_back = isinstance(event, Reversed)
    return (machine.reversals if taken_back else machine.commands).get(event.command)


def _at_gateway(
    machine: Machine, transaction: Transaction, event: External | Reversed
) -> Changes:
    rule = _unasked(machine, event)
    amounts, steps = at_gateway(machine, transaction, event)
    if rule is None or not steps:
        return {}
    unclaimed = transaction.unclaimed
    if rule.spec.is_asked_for:
        unclaimed = with_unclaimed(transaction, event)
    return {
        "states": _moved(transaction, steps),
        "amounts": amounts,
        "deadlines": _restarted(rule, transaction, event),
        "concluded": _concluded(transaction, event.command),
        "unclaimed": unclaimed,
    }


def _lapsed(machine: Machine, transaction: Transaction, event: Lapsed) -> Changes:
    step = machine.lapse_from(event.deadline, transaction.states)
    if step is None:
        return {}
    names = transaction.names()
    return {
        "states": _moved(transaction, [step]),
        "amounts": apply_effects(step.commit, names, transaction.amounts),
    }


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
