"""What an event does to a transaction, found out once for all of the same shape.

The rules are run on what may differ from one to the next as values that note what is
asked of them. What they must not look at at all is opaque to them.
"""

from collections.abc import Callable, Iterable
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
    Alike,
    CompiledPath,
    Shapes,
    values_of,
)
from kessai.audit.verification.fast_path.tracing import Opaque, Trace, Untraceable
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

Note = Callable[[AppliedEvent], Iterable[str]]
"""Finds in a step what another audit wants to count."""

PARAMETERS = "v, at, begun_at, amount, told"
"""What a repetition takes: the values of the shape, then those of the event."""


@attrs.frozen
class Passed:
    """A step that the rules allowed, with what was known before it was taken.

    `form` is that of the request, where the event begins an operation, and `agreement`
    the shape of its agreement.
    """

    step: AppliedEvent
    shape: AbstractState
    form: RequestForm | None = None
    agreement: AbstractState | None = None


@attrs.frozen
class _FingerprintedCommand:
    """A command as `decide` looks at it, with the fingerprint it is known to have."""

    name: str
    transaction: str
    key: str
    lifecycle: str | None
    agreement: str | None
    amount: int | None
    currency: str | None
    parameters: Any
    fingerprint: str


def way_of(shapes: Shapes, passed: Passed, note: Note) -> CompiledPath | None:
    """The way that `passed` took, to be repeated; None if it cannot be noted down.

    What `note` finds in the step, it finds in each repetition: what it asks of the
    values is part of the way.
    """
    trace, real = Trace(), passed.step
    values = [
        None if value is None else trace.value(f"v[{place}]", value)
        for place, value in enumerate(values_of(real.before))
    ]
    opened = [_opened(o.id) for o in real.before.operations.values()]
    old = real.before
    like = Alike(
        old.id,
        old.agreement,
        _unseen(),
        (),
        old.version,
        _unseen(),
        old.references,
        old.account,
    )
    try:
        before = passed.shape.transaction(like, values, opened)
        event = _noting(trace, real.event)
        after = evolve(real.machine, before, event)
        step = AppliedEvent(event, real.machine, before, after)
        _check(passed, step)
        noted = tuple(note(step))
        repeat = trace.repeat(PARAMETERS, values_of(after))
        reached = shapes.of(after, real.machine)
        way = CompiledPath(repeat, reached, _ended(before, after), noted)
    except (ReplayBroken, Untraceable, OverflowError):
        return None
    return way if _is_repeated(way, shapes, real) else None


def _is_repeated(way: CompiledPath, shapes: Shapes, real: AppliedEvent) -> bool:
    """Whether the way leads where the rules led: asked once, of the very first."""
    values = way.repeat(values_of(real.before), *inputs(real.event))
    shape = shapes.of(real.after, real.machine)
    return values == values_of(real.after) and way.after is shape


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
    """`event` with noting values in the place of its own."""
    named = zip(("at", "begun_at", "amount", "told"), inputs(event), strict=True)
    noting: list[Any] = [None if v is None else trace.value(n, v) for n, v in named]
    at, begun_at, amount, told = noting
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
            evidence = _unseen_evidence(event.evidence, amount, told)
            return attrs.evolve(event, at=at, evidence=evidence)
        case Denied():
            return Denied(at, _unseen(), _unseen(), _unseen(), _unseen(), _unseen())
        case _:
            raise Untraceable


def _unseen_evidence(evidence: Evidence, amount: Any, told: Any) -> Evidence:
    return attrs.evolve(
        evidence,
        transaction=_unseen(),
        code=_unseen(),
        amount=amount,
        exchange=_unseen(),
        reported_at=told,
        actor=_unseen(),
        note=_unseen(),
    )


def _check(passed: Passed, step: AppliedEvent) -> None:
    """What `kessai.audit.verification.allowed.check` makes sure of."""
    event, machine = step.event, step.machine
    if isinstance(event, Denied):
        return
    if machine is None:
        raise Untraceable
    if isinstance(event, Begun):
        check_begun(machine, step, event, _request(passed, machine, step, event))
    elif isinstance(event, Reported):
        check_reported(machine, step, event)
    check_invariants(machine, step)


def _request(
    passed: Passed, machine: Machine, step: AppliedEvent, event: Begun
) -> OperationRequest:
    form, operation = passed.form, event.operation
    if form is None:
        raise Untraceable
    command = _FingerprintedCommand(
        operation.command,
        step.before.id,
        operation.key,
        form.lifecycle,
        event.agreement,
        operation.amount if form.has_amount else None,
        (operation.currency or step.before.currency) if form.has_currency else None,
        operation.parameters,
        operation.request,
    )
    agreement = None
    if machine.commands[operation.command].spec.agreement is not None:
        if passed.agreement is None or event.agreement is None:
            raise Untraceable
        agreement = _agreement(passed.agreement, event.agreement)
    return OperationRequest(cast("Command", command), agreement)


def _agreement(shape: AbstractState, name: str) -> Transaction:
    """An agreement of which only the shape may be looked at."""
    outline = shape.outline
    like = Alike(name, _unseen(), _unseen(), (), _unseen(), _unseen())
    size = len(outline.amounts + outline.deadlines + outline.operations)
    values = [_unseen() for _ in range(size)]
    opened = [_opened(str(place)) for place in range(len(outline.operations))]
    return shape.transaction(like, values, opened)


def _ended(before: Transaction, after: Transaction) -> int | None:
    """Which of the operations open before has ended; what began comes last."""
    old, new = list(before.operations), list(after.operations)
    if new[: len(old)] == old and len(new) <= len(old) + 1:
        return None
    for place in range(len(old)):
        if new == old[:place] + old[place + 1 :]:
            return place
    raise Untraceable
