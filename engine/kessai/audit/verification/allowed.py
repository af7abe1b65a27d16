"""Was this event allowed at its place? Everything is decided again, by the same rules.

`decide` and `resolve` are pure: on the transaction before, at the event's own time,
they must give the recorded event again.
"""

from itertools import product

import attrs

from kessai.audit.verification.replay import Library, ReplayBroken
from kessai.errors import InvalidCommand
from kessai.evidence.notification import NOT_LISTED
from kessai.evidence.outcome import (
    close_discrepancy,
    overdue,
    resolve,
    resolve_external,
)
from kessai.evidence.totals import TOTALS_DIFFER
from kessai.gateway import Outcome, Source
from kessai.machine import (
    Archived,
    Begun,
    Closed,
    Command,
    Denial,
    Denied,
    Discrepancy,
    Event,
    External,
    Forgotten,
    Lapsed,
    Learned,
    Machine,
    Operation,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
    Transaction,
    as_of,
    broken_invariants,
    decide,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.decide import opened_tracks
from kessai.machine.events import KIND_OF
from kessai.machine.explained import differ
from kessai.machine.forgotten import FORGOTTEN
from kessai.machine.phases import RESENT, RESUMED, SENT, phase_after
from kessai.machine.references import REFERENCE_DIFFERS, differs, is_new
from kessai.machine.unclaimed import MAY_BE_ANOTHER


@attrs.frozen
class OperationRequest:
    """The request that an operation answers, and the agreement that it was under."""

    command: Command
    agreement: Transaction | None


_BY_HAND = Closed | Forgotten | Archived


def check(library: Library, step: AppliedEvent, *, is_forgotten: bool = False) -> None:
    """Make sure that the lifecycle allows the event of `step`, and what it leaves.

    What `is_forgotten` has no personal texts any more; all else of it is checked.

    Raises:
        Broken: it does not.

    """
    machine, event = step.machine, step.event
    if step.before.archived and not isinstance(event, Archived | Forgotten):
        raise _not_allowed(step, "archived")
    if machine is None or isinstance(event, _BY_HAND | Denied):
        _unmoving(step, event)
        return
    match event:
        case Begun():
            _begun(library, machine, step, event, is_forgotten=is_forgotten)
        case Reported():
            check_reported(machine, step, event)
        case External() | Reversed() | Lapsed() | Learned():
            _stated(machine, step, event)
        case Discrepancy():
            _discrepancy(machine, step, event)
        case Sent() | Resent() | Resumed():
            _sent(machine, step, event)
    check_invariants(machine, step)


def check_invariants(machine: Machine, step: AppliedEvent) -> None:
    """Make sure that everything which must always hold does after `step`.

    Raises:
        Broken: it does not.

    """
    broken = broken_invariants(machine, step.after)
    if broken:
        raise ReplayBroken(step.number, "invariant_broken", ", ".join(broken))


def _unmoving(step: AppliedEvent, event: Event) -> None:
    """What an operator does, a refusal, or evidence of a transaction that never was."""
    match event:
        case Denied():
            return
        case Closed(discrepancy=closed, evidence=evidence):
            if event != close_discrepancy(step.before, closed, evidence, event.at):
                raise _not_allowed(step, f"discrepancy {closed}")
        case Forgotten():
            _forgotten(step, event)
        case Archived():
            _archived(step, event)
        case Discrepancy(reason="unknown_transaction"):
            return
        case _:
            raise _not_allowed(step, "unknown_transaction")


def _archived(step: AppliedEvent, event: Archived) -> None:
    """Only what has ended is archived, by somebody, and the event has its hashes."""
    before = step.before
    if not before.exists or before.operations or before.discrepancies:
        raise _not_allowed(step, "something of it is open")
    if not (event.archive and event.actor):
        raise _not_allowed(step, "no archive is named, or by nobody")


def _forgotten(step: AppliedEvent, event: Forgotten) -> None:
    """Earlier events are declared, by somebody, while nothing needed their texts."""
    earlier = {str(number) for number in range(1, step.number)}
    if step.before.operations:
        raise _not_allowed(step, "operation_open")
    if not (event.events and event.actor and event.note):
        raise _not_allowed(step, "nothing is declared, or by nobody")
    if not earlier.issuperset(event.events):
        raise _not_allowed(step, "an event is declared that is not before it")


def _not_allowed(step: AppliedEvent, detail: str) -> ReplayBroken:
    return ReplayBroken(step.number, "not_allowed", detail)


def _not_what_follows(step: AppliedEvent, detail: str) -> ReplayBroken:
    return ReplayBroken(step.number, "not_what_follows", detail)


def _begun(
    library: Library,
    machine: Machine,
    step: AppliedEvent,
    event: Begun,
    *,
    is_forgotten: bool,
) -> None:
    rule = machine.commands.get(event.operation.command)
    if rule is None:
        raise _not_allowed(step, "not_in_lifecycle")
    agreement = None
    if rule.spec.agreement is not None:
        agreement = _agreement(library, step, event)
    try:
        if is_forgotten:
            event = _with_samples(machine, step.before, event)
        command = _asked(machine, step.before, event, is_opening=rule.spec.is_opening)
    except InvalidCommand as error:
        raise _not_allowed(step, str(error)) from error
    if command is None:
        raise ReplayBroken(step.number, "request_differs")
    _in_its_account(step, event, agreement, is_opening=rule.spec.is_opening)
    check_begun(machine, step, event, OperationRequest(command, agreement))


def _with_samples(machine: Machine, before: Transaction, event: Begun) -> Begun:
    """`event` as it would be with other texts in the place of those that were forgotten.

    What the fingerprint was of is not there any more, so it is made anew: what the rules
    say of all else is decided again.
    """
    operation, declared = event.operation, machine.lifecycle.parameters
    texts = {
        name: declared[name].sample()
        for name, value in operation.parameters.items()
        if value == FORGOTTEN and name in declared
    }
    command = Command(
        operation.command,
        before.id,
        key=operation.key,
        lifecycle=machine.name,
        agreement=event.agreement,
        amount=operation.amount,
        currency=operation.currency or before.currency or None,
        account=event.account or before.account or None,
        parameters={**operation.parameters, **texts},
    )
    asked = attrs.evolve(
        operation, parameters=command.parameters, request=command.fingerprint
    )
    return attrs.evolve(event, operation=asked)


def _in_its_account(
    step: AppliedEvent, event: Begun, agreement: Transaction | None, *, is_opening: bool
) -> None:
    """An account is given once, and a charge has its agreement's."""
    if not is_opening and event.account is not None:
        raise _not_allowed(step, "only an opening command gives an account")
    if agreement is not None and step.after.account != agreement.account:
        raise _not_allowed(step, f"{agreement.id} belongs to another account")


def check_begun(
    machine: Machine, step: AppliedEvent, event: Begun, asked: "OperationRequest"
) -> None:
    """Make sure that `event` begins what is decided on `asked`, and nothing else.

    Raises:
        Broken: it does not.

    """
    operation = event.operation
    verdict = decide(machine, step.before, asked.command, event.at, asked.agreement)
    if isinstance(verdict, Denial):
        raise _not_allowed(step, ", ".join(verdict.codes))
    if verdict != operation or event.opens != opened_tracks(machine, operation):
        raise _not_allowed(step, "the operation is not the one decided on")


def _agreement(library: Library, step: AppliedEvent, event: Begun) -> Transaction:
    """The agreement as it stood when the charge under it began."""
    if event.agreement is None or event.agreement_version is None:
        raise ReplayBroken(step.number, "agreement_unproven", "none is named")
    found = library.agreement(event.agreement, event.agreement_version)
    if isinstance(found, str):
        raise ReplayBroken(step.number, "agreement_unproven", found)
    if not found.deadlines:
        return found
    machine = library.machine(found.lifecycle_hash, step.number)
    return as_of(machine, found, event.at)


def _asked(
    machine: Machine, before: Transaction, event: Begun, *, is_opening: bool
) -> Command | None:
    """The request whose fingerprint the operation bears.

    The request may have left lifecycle, amount and currency to the declaration, and the
    account to the engine; the event holds what was decided, so both forms of each are
    tried.
    """
    operation = event.operation
    lifecycles = (machine.name, None) if is_opening else (None, machine.name)
    amounts = dict.fromkeys((operation.amount, None))
    currencies = (None, operation.currency or before.currency)
    accounts = dict.fromkeys((None, event.account or before.account or None))
    forms = product(accounts, currencies, amounts, lifecycles)
    for account, currency, amount, lifecycle in forms:
        command = Command(
            operation.command,
            before.id,
            key=operation.key,
            lifecycle=lifecycle,
            agreement=event.agreement,
            amount=amount,
            currency=currency,
            account=account,
            parameters=operation.parameters,
        )
        if command.fingerprint == operation.request:
            return command
    return None


def check_reported(machine: Machine, step: AppliedEvent, event: Reported) -> None:
    """Make sure that `event` is what follows from its evidence.

    Raises:
        Broken: it is not.

    """
    operation = _open(step, event.operation)
    _same(step, resolve(machine, step.before, operation, event.evidence, event.at))


def _open(step: AppliedEvent, name: str) -> Operation:
    operation = step.before.operations.get(name)
    if operation is None:
        raise ReplayBroken(step.number, "not_open", name)
    return operation


def _sent(machine: Machine, step: AppliedEvent, event: Sent | Resent | Resumed) -> None:
    """Only what may have been lost on its way is sent again, and what is prepared once.

    A consumer resumes only an opening command whose request is not in flight.
    """
    operation = _open(step, event.operation)
    if isinstance(event, Sent):
        if phase_after(operation.phase, SENT) is None:
            raise _not_allowed(step, f"{operation.id} ({operation.phase})")
        return
    if isinstance(event, Resent):
        if phase_after(operation.phase, RESENT) is None:
            detail = f"{operation.id} ({operation.phase})"
            raise ReplayBroken(step.number, "resent_too_soon", detail)
        return
    if not machine.commands[operation.command].spec.is_opening:
        raise _not_allowed(step, "it is no opening command")
    is_sent = phase_after(operation.phase, RESUMED) is not None
    if not is_sent or operation.is_awaited(event.at):
        raise _not_allowed(step, "its request was still under way")


def _stated(
    machine: Machine, step: AppliedEvent, event: External | Reversed | Lapsed | Learned
) -> None:
    """What the gateway did by itself or stated besides, or a deadline that passed."""
    if isinstance(event, Learned):
        if not is_new(machine, step.before, event.evidence):
            raise _not_what_follows(step, "nothing new")
        return
    if event.evidence is None:
        if event not in overdue(machine, step.before, event.at):
            raise _not_allowed(step, "the deadline had not passed")
        return
    _same(step, resolve_external(machine, step.before, event.evidence, event.at))


def _discrepancy(machine: Machine, step: AppliedEvent, event: Discrepancy) -> None:
    """Evidence may be a discrepancy only where the lifecycle does not allow it."""
    if event.reason == "contradicts_earlier":
        if event.operation in step.before.operations:
            raise _not_what_follows(step, "the operation is open")
        return
    if event.reason == MAY_BE_ANOTHER:
        _doubted(machine, step, event)
        return
    if event.reason == NOT_LISTED and event.evidence.source is Source.NOTIFICATION:
        return  # what the gateway listed at that moment is not kept
    if event.reason in _DIFFERENCES:
        if not _DIFFERENCES[event.reason](step.before, event.evidence):
            raise _not_what_follows(step, "nothing differs")
        return
    if event.operation is None:
        expected: Event | None = resolve_external(
            machine, step.before, event.evidence, event.at
        )
    else:
        operation = _open(step, event.operation)
        expected = resolve(machine, step.before, operation, event.evidence, event.at)
    _same(step, expected)


_DIFFERENCES = {REFERENCE_DIFFERS: differs, TOTALS_DIFFER: differ}
"""What must differ from what is known, by the reason of the discrepancy."""


def _doubted(machine: Machine, step: AppliedEvent, event: Discrepancy) -> None:
    """Doubt stands beside an end that a listed success without an amount has made."""
    evidence = event.evidence
    rule = machine.commands.get(evidence.command or "")
    takes_amount = rule is not None and rule.spec.amount is not None
    if (
        not takes_amount
        or evidence.amount is not None
        or (evidence.source, evidence.outcome) != (Source.INQUIRY, Outcome.SUCCEEDED)
    ):
        raise _not_what_follows(step, "nothing is in doubt")
    if event.operation is None or event.operation in step.before.operations:
        raise _not_what_follows(step, "nothing has ended")


def _same(step: AppliedEvent, expected: Event | None) -> None:
    if step.event != expected:
        kind = "nothing new" if expected is None else KIND_OF[type(expected)]
        raise _not_what_follows(step, kind)
