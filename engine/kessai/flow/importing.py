"""Orders that began elsewhere: what was carried out there, taken over by an operator.

A shop moves here from another system, and has payments at its gateway that it must go on
capturing and refunding. Each command that succeeded there is decided as of the time when
it did, so an order comes here only as the rules allow it. Then intent and outcome are
written together: nothing was or will be sent, and what stands there is known to an
operator, by name.
"""

from collections.abc import Mapping
from datetime import datetime

import attrs

from kessai.errors import InvalidInput, VersionConflict
from kessai.evidence.outcome import applied
from kessai.flow.answer import Answer
from kessai.flow.effects import Find, Flow, Load, Loaded, Now, Reference
from kessai.flow.execute import Decided, answer_for, decided_on, taken_again
from kessai.flow.operator import check_signed
from kessai.flow.steps import Context, contended, refuse_archived, write
from kessai.gateway import Evidence, Outcome, Source
from kessai.limits import ATTEMPTS
from kessai.machine import Command, Reported, evolve

IMPORTED = "imported"
"""The code of the evidence that a command was carried out elsewhere."""


@attrs.frozen(kw_only=True)
class ImportedCommand:
    """A command that succeeded elsewhere, at `at` (aware).

    `references` are the gateway's ids for the transaction, by its adapter's names for
    them. `deadlines` are those that the gateway stated then, by the lifecycle's names,
    aware; without them the declared durations count from `at`.
    """

    command: Command
    at: datetime
    references: Mapping[str, str] = attrs.field(factory=dict[str, str])
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict[str, datetime])


def import_command(
    context: Context, imported: ImportedCommand, *, note: str, actor: str
) -> Flow[Answer]:
    """Record that `imported` was carried out elsewhere, as `actor` found out.

    `note` says how. Asked again, it is answered as before. It is denied where the rules
    would not have allowed it then, or where an inquiry has shown it already and nobody
    has claimed that.

    Raises:
        InvalidCommand, AccountUnknown: see `kessai.flow.execute.execute`.
        InvalidInput: it is said to have happened in the future; a command that only
            reads moved nothing; a deadline is not the lifecycle's; another order has
            the references; or the name or the reason is missing or too long.

    """
    check_signed(note, actor)
    now: datetime = yield Now()
    _check(imported, now)
    command = imported.command
    for _ in range(ATTEMPTS):
        loaded: Loaded = yield Load(command.key, command.transaction, command.agreement)
        refuse_archived(loaded)
        try:
            again = yield from taken_again(context, command, loaded)
            if again is not None:
                return again
            decided = yield from decided_on(context, command, loaded, imported.at)
            if isinstance(decided, Answer):
                return decided
            yield from _check_owner(decided, imported.references)
            evidence = _evidence(decided, imported, _signed(note, now), actor)
            yield from _write(decided, evidence)
        except VersionConflict:
            continue
        return (yield from answer_for(decided.transaction, command.key))
    raise contended(command.transaction)


def _check(imported: ImportedCommand, now: datetime) -> None:
    times = {"at": imported.at, **imported.deadlines}
    for name, moment in times.items():
        if moment.utcoffset() is None:
            message = f"{name}: a time with its zone is right"
            raise InvalidInput(message)
    if imported.at > now:
        message = f"at: {imported.at} is in the future: it has not happened elsewhere"
        raise InvalidInput(message)


def _check_owner(decided: Decided, references: Mapping[str, str]) -> Flow[None]:
    """See that the gateway's ids are no other order's, or a payment would count twice.

    Some of them may be: a customer's, say.
    """
    account = decided.account or decided.transaction.account
    others: set[str] | None = None
    for kind, name in references.items():
        found: list[str] = yield Find(Reference(account, kind, name))
        has_it = set(found) - {decided.transaction.id}
        others = has_it if others is None else others & has_it
    if others:
        names = ", ".join(f"{kind} {name}" for kind, name in references.items())
        message = (
            f"references: {min(others)} has {names} already; each payment is imported"
            " once, with an id of its own"
        )
        raise InvalidInput(message)


def _signed(note: str, now: datetime) -> str:
    """The note with the time of the import: the events have those of what happened."""
    return f"{note} ({IMPORTED} {now:%Y-%m-%dT%H:%M:%SZ})"


def _evidence(
    decided: Decided, imported: ImportedCommand, note: str, actor: str
) -> Evidence:
    spec = decided.machine.commands[decided.operation.command].spec
    if spec.reads:
        message = f"{spec.name}: only reads; what moved something is imported"
        raise InvalidInput(message)
    unknown = sorted(imported.deadlines.keys() - decided.machine.lifecycle.deadlines)
    if unknown:
        known = ", ".join(decided.machine.lifecycle.deadlines) or "none"
        message = f"deadlines: {unknown[0]!r} is not one of the lifecycle's: {known}"
        raise InvalidInput(message)
    return Evidence(
        source=Source.OPERATOR,
        transaction=decided.transaction.id,
        command=spec.name,
        outcome=Outcome.SUCCEEDED,
        code=IMPORTED,
        reported_at=imported.at,
        actor=actor,
        note=note,
        references=imported.references,
        deadlines=imported.deadlines,
    )


def _write(decided: Decided, evidence: Evidence) -> Flow[None]:
    """Write intent and outcome, both or neither."""
    machine, operation = decided.machine, decided.operation
    begun = decided.intent()
    opened = evolve(machine, decided.transaction, begun)
    events = applied(machine, opened, operation, evidence, begun.at)
    if not any(isinstance(event, Reported) for event in events):
        message = f"{operation.command}: the lifecycle does not allow its success"
        raise InvalidInput(message)
    yield from write(
        machine,
        decided.transaction,
        [begun, *events],
        agreement=decided.agreement,
        opens=decided.loaded.recorded is None,
        declaration=decided.declaration,
    )
