"""What one event exercised of its lifecycle: ids of points, and where it was denied.

Takes an event with the transaction before and after it, from a replay or from an engine
at work, and believes what `evolve` made of it: an event that changed nothing exercised
nothing.
"""

from collections.abc import Callable, Iterable, Iterator

from kessai.audit.coverage import items as points
from kessai.gateway import Outcome
from kessai.machine import (
    Begun,
    Denied,
    External,
    Lapsed,
    Machine,
    Operation,
    Reason,
    Reported,
    Reversed,
    Transaction,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.compile import CompiledCommand
from kessai.machine.compile import Step as MachineStep
from kessai.machine.decide import amount_bounds, opening_flags
from kessai.spec import Move

ENDS = {"amount_below_minimum": "below", "amount_above_maximum": "above"}


def denied_at(command: str, state: str) -> str:
    """The id under which a refusal of `command` in `state` is counted besides."""
    return f"denied {command} at {state}"


def external_at(command: str, state: str) -> str:
    """The id under which a command that the engine did not start is counted besides."""
    return f"external {command} at {state}"


def exercised(step: AppliedEvent) -> Iterator[str]:
    """The ids of all that the event of `step` exercised; none without a machine."""
    machine, event = step.machine, step.event
    if machine is None:
        return
    match event:
        case Begun():
            yield from _begun(machine, step, event)
        case Reported():
            yield from _reported(machine, step, event)
        case External() if _moved(step):
            at = _sources(step.before, step.moves)
            yield from (external_at(event.command, state) for state in at)
            yield from _successes(points.commit_id, event.command, step)
        case Reversed():
            yield from _successes(points.reversal_id, event.command, step)
        case Lapsed() if step.after.states != step.before.states:
            yield points.lapsed_id(event.deadline)
        case Denied():
            yield from refused(machine, step.before, event.command, event.reasons)
        case _:
            return


def _moved(step: AppliedEvent) -> bool:
    before, after = step.before, step.after
    return (before.states, before.amounts) != (after.states, after.amounts)


def refused(
    machine: Machine, before: Transaction, command: str, reasons: Iterable[Reason]
) -> Iterator[str]:
    """The ids for a denial of `command` under `machine`, where `before` stood."""
    for track, state in before.states.items():
        yield denied_at(command, f"{track}.{state}")
    rule = machine.commands.get(command)
    if rule is None:
        return
    for reason in reasons:
        yield from _reason(rule, before, reason)


def _reason(
    rule: CompiledCommand, before: Transaction, reason: Reason
) -> Iterator[str]:
    name, code = rule.spec.name, reason.code
    if code in ENDS:
        yield points.bound_id(name, ENDS[code])
    elif code in rule.spec.guards:
        yield points.guard_id(code, name, "", passed=False)
    elif code.startswith("agreement_") and rule.spec.agreement is not None:
        yield from _agreement(rule, reason)
    else:
        late = [d.name for d in rule.deadlines if d.code == code]
        yield from (points.late_id(deadline, name) for deadline in late)
        at = [w for w in rule.steps_from(before.states) if code in w.move.guards]
        yield from (
            points.guard_id(code, name, state, passed=False)
            for state in _sources(before, at)
        )
        if not late and not at:
            yield points.denial_id(name, code)


def _agreement(rule: CompiledCommand, reason: Reason) -> Iterator[str]:
    name, needed = rule.spec.name, rule.spec.agreement
    if reason.code != "agreement_operation_open" or needed is None:
        yield points.agreement_id(name, reason.code.removeprefix("agreement_"))
        return
    under_way = str(reason.values.get("operations", ""))
    for other in needed.unless_open:
        if other in {part.split(" ")[0] for part in under_way.split(", ")}:
            yield points.agreement_id(name, f"open {other}")


def _begun(machine: Machine, step: AppliedEvent, event: Begun) -> Iterator[str]:
    operation, before = event.operation, step.before
    rule = machine.commands.get(operation.command)
    if rule is None or operation.id not in step.after.operations:
        return
    name = operation.command
    at = step.after if rule.spec.is_opening else before
    steps = rule.steps_from(at.states)
    for state in _sources(at, steps):
        yield points.begin_id(name, state)
        yield from (
            points.guard_id(code, name, state, passed=True)
            for code in dict.fromkeys(
                code
                for moved in steps
                if state in _sources(at, [moved])
                for code in moved.move.guards
            )
        )
    for opening in rule.spec.opens:
        if opening.when is not None:
            opened = opening.track in event.opens
            yield points.opening_id(name, opening.track, opened=opened)
    for code in rule.spec.guards:
        yield points.guard_id(code, name, "", passed=True)
    if rule.spec.agreement is not None:
        yield points.agreement_id(name, "held")
    yield from _ends(machine, rule, before, operation)


def _ends(
    machine: Machine, rule: CompiledCommand, before: Transaction, operation: Operation
) -> Iterator[str]:
    """Which ends of its bounds an operation's amount stands at."""
    if rule.spec.is_opening:
        flags = opening_flags(machine, operation.parameters)
        names = {**machine.zeros, **flags}
    else:
        names = {**before.amounts, **before.flags}
    bounds = amount_bounds(rule, names, operation.currency or before.currency)
    if bounds is None:
        return
    if operation.amount == bounds.minimum:
        yield points.bound_id(operation.command, "minimum")
    if operation.amount == bounds.maximum:
        yield points.bound_id(operation.command, "maximum")


def _reported(machine: Machine, step: AppliedEvent, event: Reported) -> Iterator[str]:
    operation, before = step.operation, step.before
    if operation is None or operation.id in step.after.operations:
        return
    name = operation.command
    if event.outcome is Outcome.SUCCEEDED:
        yield from _successes(points.commit_id, name, step)
        return
    for state in _sources(before, machine.commands[name].steps_from(before.states)):
        yield points.release_id(name, state)


def _successes(
    point_id: Callable[[str, str, str, Move], str], command: str, step: AppliedEvent
) -> Iterator[str]:
    for moved in step.moves:
        source = step.before.states[moved.track]
        yield point_id(command, moved.track, source, moved.move)


def _sources(at: Transaction, steps: Iterable[MachineStep]) -> Iterable[str]:
    """The states that `steps` start from, each once: several moves may share one."""
    return dict.fromkeys(f"{step.track}.{at.states[step.track]}" for step in steps)
