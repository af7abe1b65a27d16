"""What an event does to a transaction, recorded once for all of the same abstract state.

The rules run on traced values, which record each comparison and each sum. What the
rules must not look at is opaque to them.
"""

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import attrs

from kessai.audit.verification.allowed import (
    OperationRequest,
    check_begun,
    check_invariants,
    check_reported,
)
from kessai.audit.verification.fast_path.requests import RequestForm
from kessai.audit.verification.fast_path.states import (
    AbstractState,
    AbstractStates,
    CompiledPath,
    Particulars,
    values_of,
)
from kessai.audit.verification.replay import ReplayBroken
from kessai.gateway import Evidence
from kessai.machine import (
    Begun,
    Command,
    Denied,
    Event,
    Machine,
    Operation,
    Reported,
    Transaction,
    evolve,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.tracing import Opaque, Trace, Untraceable, in_range

Note = Callable[[AppliedEvent], Iterable[str]]
"""Finds in a step what another audit wants to count."""

PARAMETERS = ("at", "begun_at", "amount", "reported_at")
"""What a repetition takes of the event, after the values of the state: `v0`, `v1`, …"""

Asked = tuple[RequestForm, AbstractState | None]
"""The form of the request that began an operation, and its agreement's state."""


def path_of(
    states: AbstractStates,
    state: AbstractState,
    real: AppliedEvent,
    asked: Asked | None,
    note: Note,
) -> CompiledPath | None:
    """The path that `real`, which the rules allowed, took from `state`.

    It is to be repeated; None if it cannot be recorded. What `note` finds in the step,
    it finds in each repetition: what it asks of the values is part of the path.
    """
    numbers = values_of(real.before)
    names = [f"v{place}" for place in range(len(numbers))]
    trace = Trace(in_range(names[: len(real.before.amounts)]))
    values = [
        None if value is None else trace.value(name, value)
        for name, value in zip(names, numbers, strict=True)
    ]
    opened = [_opened(o.id) for o in real.before.operations.values()]
    old = real.before
    rest = Particulars(
        old.id,
        old.agreement,
        version=old.version,
        head=_unseen(),
        references=old.references,
        account=old.account,
    )
    try:
        before = state.transaction(rest, values, opened)
        event = _noting(trace, real.event)
        after = evolve(real.machine, before, event)
        step = AppliedEvent(event, real.machine, before, after)
        _check(asked, step)
        noted = tuple(note(step))
        parameters = ", ".join((*names, *PARAMETERS))
        repeat = trace.repeat(parameters, values_of(after))
        reached = states.of(after, real.machine)
        path = CompiledPath(repeat, reached, _ended(before, after), _moves(step), noted)
    except (ReplayBroken, Untraceable, OverflowError):
        return None
    return path if _is_repeated(path, states, real) else None


def _is_repeated(
    path: CompiledPath, states: AbstractStates, real: AppliedEvent
) -> bool:
    """Whether the path leads where the rules led: asked once, of the very first."""
    values = values_of(real.after)
    state = states.of(real.after, real.machine)
    repeated = path.repeat(*values_of(real.before), *inputs(real.event))
    return values == repeated and path.after is state


def inputs(event: Event) -> tuple[Any, Any, Any, Any]:
    """The values of an event that a repetition takes."""
    if isinstance(event, Begun):
        operation = event.operation
        return event.at, operation.begun_at, operation.amount, None
    if isinstance(event, Reported):
        evidence = event.evidence
        return event.at, None, evidence.amount, evidence.reported_at
    return event.at, None, None, None


def _unseen() -> Any:
    return Opaque()


def _opened(name: str) -> Operation:
    return Operation(name, "", _unseen(), _unseen(), None, _unseen(), _unseen())


def _noting(trace: Trace, event: Event) -> Event:
    """`event` with traced values in the place of its own."""
    named = zip(PARAMETERS, inputs(event), strict=True)
    noting: list[Any] = [None if v is None else trace.value(n, v) for n, v in named]
    at, begun_at, amount, reported_at = noting
    match event:
        case Begun():
            operation = attrs.evolve(
                event.operation,
                key=_unseen(),
                request=_unseen(),
                amount=amount,
                begun_at=begun_at,
            )
            return attrs.evolve(
                event, at=at, operation=operation, agreement_version=_unseen()
            )
        case Reported():
            evidence = _unseen_evidence(event.evidence, amount, reported_at)
            return attrs.evolve(event, at=at, evidence=evidence)
        case Denied():
            return Denied(at, *(_unseen() for _ in range(6)))
        case _:
            raise Untraceable


def _unseen_evidence(evidence: Evidence, amount: Any, reported_at: Any) -> Evidence:
    return attrs.evolve(
        evidence,
        transaction=_unseen(),
        code=_unseen(),
        amount=amount,
        exchange=_unseen(),
        reported_at=reported_at,
        actor=_unseen(),
        note=_unseen(),
    )


def _check(asked: Asked | None, step: AppliedEvent) -> None:
    """What `kessai.audit.verification.allowed.check` makes sure of."""
    event, machine = step.event, step.machine
    if isinstance(event, Denied):
        return
    if machine is None:
        raise Untraceable
    if isinstance(event, Begun):
        check_begun(machine, step, event, _request(asked, machine, step, event))
    elif isinstance(event, Reported):
        check_reported(machine, step, event)
    check_invariants(machine, step)


def _request(
    asked: Asked | None, machine: Machine, step: AppliedEvent, event: Begun
) -> OperationRequest:
    if asked is None:
        raise Untraceable
    form, charged = asked
    operation = event.operation
    currency = operation.currency or step.before.currency
    command = SimpleNamespace(  # as `decide` looks at it, with its known fingerprint
        name=operation.command,
        transaction=step.before.id,
        key=operation.key,
        lifecycle=form.lifecycle,
        agreement=event.agreement,
        amount=operation.amount if form.has_amount else None,
        currency=currency if form.has_currency else None,
        parameters=operation.parameters,
        fingerprint=operation.request,
    )
    agreement = None
    if machine.commands[operation.command].spec.agreement is not None:
        if charged is None or event.agreement is None:
            raise Untraceable
        agreement = _agreement(charged, event.agreement)
    return OperationRequest(cast("Command", command), agreement)


def _agreement(state: AbstractState, name: str) -> Transaction:
    """An agreement of which only the state may be looked at."""
    outline = state.outline
    rest = Particulars(name, _unseen(), {}, (), _unseen(), _unseen())
    size = len(outline.amounts + outline.deadlines + outline.operations)
    values = [_unseen() for _ in range(size)]
    opened = [_opened(str(place)) for place in range(len(outline.operations))]
    return state.transaction(rest, values, opened)


def _moves(step: AppliedEvent) -> Sequence[tuple[str, int]]:
    """The balances that the step may change, sorted, with their places among the values."""
    old, new = step.before.amounts, step.after.amounts
    held = sorted(step.machine.balances) if step.machine else ()
    # What evolves unchanged is the same traced value, and zero at the beginning.
    changed = [name for name in held if new.get(name, 0) is not old.get(name, 0)]
    if changed and [*old] != [*new]:
        raise Untraceable
    return [(name, [*new].index(name)) for name in changed]


def _ended(before: Transaction, after: Transaction) -> int | None:
    """Which of the operations open before has ended; what began comes last."""
    old, new = list(before.operations), list(after.operations)
    if new[: len(old)] == old and len(new) <= len(old) + 1:
        return None
    for place in range(len(old)):
        if new == old[:place] + old[place + 1 :]:
            return place
    raise Untraceable
