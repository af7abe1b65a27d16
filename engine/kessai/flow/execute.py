"""The steps of one command: load, decide, write the intent, call, write the outcome.

The intent is durable before the call and the outcome after it; no store transaction is
open in between. If another writer was faster, the command is decided again.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

import attrs
import msgspec
from msgspec.structs import replace

from kessai.errors import (
    CommitUnknown,
    InvalidCommand,
    InvalidInput,
    SafeToResend,
    TrailBroken,
    VersionConflict,
)
from kessai.evidence.attribution import is_attributed_to_another
from kessai.evidence.outcome import applied, not_carried_out
from kessai.flow.answer import Answer, Status
from kessai.flow.effects import (
    Change,
    Flow,
    History,
    Lease,
    Load,
    Loaded,
    Now,
    Recorded,
)
from kessai.flow.exchange import StartedExchange, carry_on, start
from kessai.flow.inquiry import compare, inquire
from kessai.flow.page import page_again
from kessai.flow.steps import (
    Context,
    agreement_as_of,
    begun_hash,
    call_for,
    commit,
    contended,
    load,
    machine_of,
    read_attempts,
    refuse_archived,
    write,
)
from kessai.gateway import Adapter, Call, Evidence, Outcome
from kessai.gateway_exchange import gives_pages, unknown
from kessai.limits import ATTEMPTS, SEND_WITHIN
from kessai.machine import (
    Begun,
    Command,
    Denial,
    Denied,
    Discrepancy,
    Event,
    Learned,
    Machine,
    Operation,
    Phase,
    Reason,
    Record,
    Reported,
    Sent,
    Transaction,
    append,
    decide,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.decide import key_conflict, opened_tracks, unknown_transaction
from kessai.machine.denial import STRUCTURAL
from kessai.machine.phases import ENDED
from kessai.machine.prepared import why_not_to_send
from kessai.spec import Lifecycle


class Gate(Protocol):
    """What is asked besides the lifecycle: whether the bill of a period allows a charge."""

    @property
    def bill(self) -> tuple[str, date, int]:
        """The bill's agreement and period, and the version it must have at the intent."""
        ...

    def ask(self, loaded: Loaded) -> Flow[Reason | None]:
        """Why the command is not carried out; None if it may be."""
        ...


def execute(
    context: Context,
    command: Command,
    loaded: Loaded | None = None,
    gate: Gate | None = None,
) -> Flow[Answer]:
    """Carry out `command`, or say why not; `loaded` is what its `Load` gave just now.

    What was asked for before is answered as before; then the `gate` is asked.

    Raises:
        InvalidCommand: no lifecycle has the command, it must name its lifecycle, or what
            it names belongs to another account.
        AccountUnknown: there is no adapter for the account, or it must be named.
        VersionConflict: another writer was faster each time.

    """
    for _ in range(ATTEMPTS):
        found: Loaded = loaded or (
            yield Load(command.key, command.transaction, command.agreement)
        )
        refuse_archived(found)
        try:
            taken = yield from take_up(context, command, found, gate=gate)
        except VersionConflict:
            loaded = None
            continue
        if isinstance(taken, Answer):
            return taken
        return (yield from carry_out(context, taken))
    raise contended(command.transaction)


class OperationToSend(msgspec.Struct, frozen=True):
    """An operation whose intent is durable, with the exchange that carries it out.

    With `may_have_arrived` an earlier request of it may have been carried out: that this
    one never left says nothing. That it was declined says something only if it
    `is_replayed`: else the gateway may refuse to do what it has done.
    """

    machine: Machine
    transaction: Transaction
    operation: Operation
    started: StartedExchange
    adapter: Adapter
    may_have_arrived: bool = False
    is_replayed: bool = True


def operation_to_send(
    context: Context, machine: Machine, transaction: Transaction, call: Call
) -> OperationToSend:
    """An operation of `transaction`, ready to be sent by its call (see `call_for`).

    Raises:
        AccountUnknown: it belongs to an account that is not known here.
        InvalidInput: its exchange sends nothing.

    """
    operation = transaction.operations[call.operation]
    adapter = context.adapter_of(transaction)
    started = start(adapter, call)
    if started.first is None:
        message = f"{adapter.name}: sends nothing for {operation.command}"
        raise InvalidInput(message)
    return OperationToSend(machine, transaction, operation, started, adapter)


def take_up(
    context: Context,
    command: Command,
    loaded: Loaded,
    *,
    prepares: bool = False,
    gate: Gate | None = None,
) -> Flow[Answer | OperationToSend]:
    """Decide, and write either the denial or the intent, which only `prepares` it or not.

    Raises:
        InvalidCommand, AccountUnknown: see `execute`.
        VersionConflict: another writer was faster; nothing was written.

    """
    again = yield from taken_again(context, command, loaded)
    if again is not None:
        return again
    if gate is not None and (reason := (yield from gate.ask(loaded))) is not None:
        return (yield from _refuse(context, command, loaded, reason))
    decided = yield from decided_on(context, command, loaded)
    if isinstance(decided, Answer):
        return decided
    bill = None if gate is None else gate.bill
    return (yield from _begin(context, decided, prepares=prepares, bill=bill))


def taken_again(
    context: Context, command: Command, loaded: Loaded
) -> Flow[Answer | None]:
    """The answer to what was asked for before; None if it is to be decided."""
    if loaded.recorded is None or was_denied(command, loaded.recorded):
        return None
    return (yield from _answer_again(context, command, loaded.recorded, loaded))


class Decided(msgspec.Struct, frozen=True):
    """A command that is allowed: its operation, on what was `loaded`.

    `account` is what the transaction is opened in, if it is.
    """

    machine: Machine
    loaded: Loaded
    operation: Operation
    account: str | None

    def intent(self, *, prepares: bool = False) -> Begun:
        """The event of the intent, which only `prepares` it or not."""
        agreement = self.agreement
        return Begun(
            self.operation.begun_at,
            self.operation,
            agreement.id if agreement else None,
            opened_tracks(self.machine, self.operation),
            agreement.version if agreement else None,
            self.account,
            prepares,
        )

    @property
    def transaction(self) -> Transaction:
        """What the command is about, as it was before; a blank one if it opens it."""
        transaction = self.loaded.transaction
        assert transaction is not None  # noqa: S101 - a blank one is put there
        return transaction

    @property
    def agreement(self) -> Transaction | None:
        """The agreement that it is under."""
        rule = self.machine.commands[self.operation.command].spec
        return self.loaded.agreement if rule.agreement else None

    @property
    def declaration(self) -> Lifecycle | None:
        """The lifecycle that a new transaction is bound to."""
        rule = self.machine.commands[self.operation.command].spec
        return self.machine.lifecycle if rule.is_opening else None


def decided_on(
    context: Context, command: Command, loaded: Loaded, at: datetime | None = None
) -> Flow[Answer | Decided]:
    """Decide on what was not asked for before, as of now or `at`; write a denial.

    Raises:
        InvalidCommand, AccountUnknown: see `execute`.
        VersionConflict: another writer was faster; nothing was written.

    """
    transaction = loaded.transaction or Transaction(command.transaction)
    own = yield from machine_of(context, transaction)
    machine = context.machines.for_opening(command, own) or own
    check_account(command, loaded)
    if own is not None:
        context.adapter_of(transaction)
    now: datetime = at or (yield Now())
    if machine is None:
        denial = unknown_transaction(command)
        return (yield from _deny(own, loaded, command, denial, now))
    agreement = yield from agreement_as_of(context, loaded.agreement, now)
    verdict = decide(machine, transaction, command, now, agreement)
    if isinstance(verdict, Denial):
        return (
            yield from _deny(own, loaded, command, verdict, now, decided_by=machine)
        )
    account = None
    if not transaction.exists:
        account = _account_to_open_in(context, command, loaded.agreement)
    loaded = Loaded(loaded.recorded, transaction, loaded.agreement)
    return Decided(machine, loaded, verdict, account)


def check_account(command: Command, loaded: Loaded) -> None:
    """See that what `command` names belongs to the account that it names, if it does.

    Raises:
        InvalidCommand: it belongs to another one.

    """
    for named in (loaded.transaction, loaded.agreement):
        if named is None or not named.exists or command.account is None:
            continue
        if named.account != command.account:
            message = (
                f"account: {named.id} belongs to {named.account}, not to"
                f" {command.account}"
            )
            raise InvalidCommand(message)


def _account_to_open_in(
    context: Context, command: Command, agreement: Transaction | None
) -> str:
    """The account that a new transaction belongs to: its agreement's, if it has one."""
    if agreement is not None:
        return context.adapter_of(agreement).account
    return context.adapter_for(command.account, of=f"{command.name}: ").account


def carry_out(context: Context, to_send: OperationToSend) -> Flow[Answer]:
    """Send an operation whose intent is durable, and write what came of it.

    Raises:
        CommitUnknown: it was sent, and what came of it could not be written.

    """
    until = to_send.operation.sent_at + SEND_WITHIN
    evidence = yield from carry_on(to_send.adapter, to_send.started, until)
    if to_send.may_have_arrived:
        evidence = _of_all_requests(to_send, evidence)
    try:
        return (yield from _conclude(context, to_send, evidence))
    except SafeToResend as error:
        # Before the call it would be safe; now a new key would be a second effect.
        message = (
            f"{to_send.transaction.id}: {to_send.operation.command} was sent, and its"
            f" outcome could not be written ({error}); ask again with the same key"
        )
        raise CommitUnknown(message) from error


# A shop's process has committed its order and capture 60 (order.3, prepared), and died.
#
#     12:00  order.3 is prepared, in the shop's own transaction: surely not sent
#     12:02  a recoverer writes that it is about to be sent: from here on it may be
#     12:02  it is sent, under the key that `begin` gave it
#
# If `carry_out` comes at the same moment, one of the two events conflicts with the other.


def send_prepared(
    context: Context,
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    lease: Lease | None = None,
) -> Flow[Answer]:
    """Send what was only prepared, if that is still allowed; else decline it.

    `transaction` was read by the engine's own store: what it shows is committed.

    Raises:
        VersionConflict, LeaseLost: another writer was faster; nothing was sent.
        CommitUnknown: see `carry_out`.

    """
    agreement = None
    if transaction.agreement is not None:
        agreement = yield from load(transaction.agreement)
    now: datetime = yield Now()
    swept = yield from agreement_as_of(context, agreement, now)
    reason = why_not_to_send(machine, transaction, operation, now, swept)
    if reason is not None:
        ended = [not_carried_out(operation, now, reason)]
        yield from write(machine, transaction, ended, lease)
        return (yield from answer_for(transaction, operation.key))
    records: list[Record] = yield History(transaction.id, denials=False)
    call = call_for(machine, transaction, operation, begun_hash(records, operation))
    to_send = operation_to_send(context, machine, transaction, call)
    sent, _ = yield from write(
        machine,
        transaction,
        [Sent(now, operation.id)],
        lease,
        agreement=agreement,
        is_intent=True,
    )
    operation = sent.operations[operation.id]
    return (
        yield from carry_out(
            context, replace(to_send, transaction=sent, operation=operation)
        )
    )


def _of_all_requests(to_send: OperationToSend, evidence: Evidence) -> Evidence:
    """What the reply to the last request says of an operation that had several."""
    if evidence.never_sent:
        return unknown(to_send.started.call, "not_sent_again")
    if evidence.outcome is Outcome.DECLINED and not to_send.is_replayed:
        return attrs.evolve(evidence, outcome=Outcome.UNKNOWN, needs_inquiry=True)
    return evidence


def was_denied(command: Command, recorded: Recorded) -> bool:
    """Whether this very request was denied before: then it is decided anew.

    Nothing was begun under its key, and what stood against it may have changed since.
    """
    denied = recorded.outcome == Status.DENIED.value
    return denied and recorded.request == command.fingerprint


def _refuse(
    context: Context, command: Command, loaded: Loaded, reason: Reason
) -> Flow[Answer]:
    """Deny `command` for a reason that no lifecycle has."""
    transaction = loaded.transaction or Transaction(command.transaction)
    own = yield from machine_of(context, transaction)
    denial = Denial(
        command=command.name, transaction=command.transaction, reasons=(reason,)
    )
    now: datetime = yield Now()
    return (yield from _deny(own, loaded, command, denial, now))


def _deny(
    own: Machine | None,
    loaded: Loaded,
    command: Command,
    denial: Denial,
    now: datetime,
    *,
    decided_by: Machine | None = None,
) -> Flow[Answer]:
    """Record the denial, unless the very same one is recorded under the key."""
    transaction = loaded.transaction or Transaction(command.transaction)
    request = command.fingerprint
    answer = Answer(
        status=Status.DENIED,
        command=command.name,
        key=command.key,
        transaction=transaction,
        denial=denial,
    )
    recorded = Recorded(
        key=command.key,
        request=request,
        command=command.name,
        transaction=command.transaction,
        outcome=Status.DENIED.value,
        reasons=denial.reasons,
        bounds=denial.bounds,
    )
    if recorded == loaded.recorded:
        return attrs.evolve(answer, is_recorded=True)
    event = Denied(
        now,
        command.name,
        command.key,
        request,
        denial.reasons,
        command.amount,
        denial.bounds,
    )
    after, record = append(own, transaction, event)
    is_conflict = "key_conflict" in denial.codes  # what is recorded there stands
    is_first = loaded.recorded is None
    change = Change(
        transaction=after,
        records=(record,),
        opens=recorded if is_first else None,
        closes=() if is_first or is_conflict else (recorded,),
        steps=(AppliedEvent(event, decided_by or own, transaction, after),),
    )
    yield from commit(change)
    return attrs.evolve(answer, transaction=after)


def _begin(
    context: Context,
    decided: Decided,
    *,
    prepares: bool,
    bill: tuple[str, date, int] | None,
) -> Flow[OperationToSend]:
    """Write the intent.

    If it only `prepares`, nothing may be sent before `send_prepared` has said so.
    """
    machine, loaded, operation = decided.machine, decided.loaded, decided.operation
    event = decided.intent(prepares=prepares)
    begun, record = append(machine, decided.transaction, event)
    # Made before the intent is written: a request that cannot be made leaves no trace.
    call = call_for(machine, begun, operation, record.hash)
    to_send = operation_to_send(context, machine, begun, call)
    recorded = Recorded(
        key=operation.key,
        request=operation.request,
        command=operation.command,
        transaction=begun.id,
        outcome=operation.phase.value,
        operation=operation.id,
    )
    agreement = decided.agreement
    change = Change(
        transaction=begun,
        records=(record,),
        opens=recorded if loaded.recorded is None else None,
        closes=() if loaded.recorded is None else (recorded,),
        agreement=(agreement.id, agreement.version) if agreement else None,
        declaration=decided.declaration,
        bill=bill,
        is_intent=not prepares,
        steps=(AppliedEvent(event, machine, decided.transaction, begun),),
    )
    yield from commit(change)
    return to_send


def _conclude(
    context: Context, to_send: OperationToSend, evidence: Evidence
) -> Flow[Answer]:
    """Write what a reply states of an operation; a notification may have ended it."""
    machine, transaction = to_send.machine, to_send.transaction
    operation = to_send.operation
    if _refused(evidence) and machine.commands[operation.command].spec.is_opening:
        evidence = yield from _unless_it_is_there(context, to_send, evidence)
    for _ in range(ATTEMPTS):
        if (yield from _may_be_counted(transaction, operation, evidence)):
            yield from inquire(context, transaction.id)
            key, disclosed = operation.key, evidence.disclosed
            return (yield from answer_for(transaction, key, disclosed))
        now: datetime = yield Now()
        events = yield from _events(machine, transaction, operation, evidence, now)
        try:
            transaction, closes = yield from write(machine, transaction, events)
        except VersionConflict:
            transaction = yield from load(transaction.id)
            continue
        break
    else:
        raise contended(transaction.id)
    is_open = operation.id in transaction.operations
    if (evidence.needs_inquiry and is_open) or _disagrees(to_send, evidence):
        yield from inquire(context, transaction.id)
        closes = ()
    if closes:
        return to_answer(closes[0], transaction, evidence.disclosed)
    return (yield from answer_for(transaction, operation.key, evidence.disclosed))


# A store was restored from a copy that does not know order-9. Its caller asks to
# authorize 1,200 once more, and the gateway refuses an order id that it has already.
# Believed, the payment would have failed, and the gateway would hold 1,200.


def _unless_it_is_there(
    context: Context, to_send: OperationToSend, evidence: Evidence
) -> Flow[Evidence]:
    """The decline of an opening command, or UNKNOWN if the gateway may have the payment."""
    name = to_send.transaction.id
    seen = yield from compare(context, name, unanswered=to_send.operation.id)
    answered = seen.readable or not seen.lists
    if answered and not any(map(_shows_something, seen.events)):
        return evidence
    return attrs.evolve(evidence, outcome=Outcome.UNKNOWN, needs_inquiry=True)


def _shows_something(event: Event) -> bool:
    declined = isinstance(event, Reported) and event.outcome is Outcome.DECLINED
    return not declined and not isinstance(event, Learned)


def _may_be_counted(
    transaction: Transaction, operation: Operation, evidence: Evidence
) -> Flow[bool]:
    """Whether an inquiry may have counted the exchange of this reply already.

    Then only another inquiry can decide. As long as the operation is as this request's
    intent left it, no inquiry has counted it. A request that never left is not counted.
    """
    if evidence.never_sent or evidence.outcome is Outcome.UNKNOWN:
        return False
    current = transaction.operations.get(operation.id)
    as_sent = (Phase.BEGUN, operation.sent_at)
    if current is not None and (current.phase, current.sent_at) == as_sent:
        return False
    attempts = yield from read_attempts(transaction)
    return is_attributed_to_another(attempts, operation)


def _disagrees(to_send: OperationToSend, evidence: Evidence) -> bool:
    """Whether the gateway declined what the lifecycle allows, or reversed it already.

    It may know of something that the trail does not, such as a refund in its portal.
    The reply is applied all the same; the inquiry after it finds the rest.
    """
    if evidence.outcome is Outcome.REVERSED:
        return True
    rule = to_send.machine.commands[to_send.operation.command].spec
    return _refused(evidence) and not rule.is_opening and not rule.reads


def _refused(evidence: Evidence) -> bool:
    """Whether the gateway itself declined what was sent."""
    return evidence.outcome is Outcome.DECLINED and not evidence.never_sent


def _events(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
    now: datetime,
) -> Flow[list[Event]]:
    current = transaction.operations.get(operation.id)
    if evidence.never_sent and (
        current is None or current.sent_at != operation.sent_at
    ):
        return []  # it was sent again since: this reply is not about that request
    if current is not None:
        return applied(machine, transaction, current, evidence, now)
    if machine.commands[operation.command].spec.reads:
        return []  # presumed lost meanwhile: nothing depends on what it read
    loaded: Loaded = yield Load(operation.key, transaction.id)
    known = loaded.recorded.outcome if loaded.recorded else ""
    if evidence.outcome not in ENDED or known == evidence.outcome.value:
        return []
    return [Discrepancy(now, "contradicts_earlier", evidence, operation.id)]


def answer_for(
    transaction: Transaction,
    key: str,
    disclosed: Mapping[str, Any] | None = None,
) -> Flow[Answer]:
    """The answer that is stored under `key` now."""
    loaded: Loaded = yield Load(key, transaction.id)
    if loaded.recorded is None:
        message = f"{transaction.id}: nothing is stored under the key of its operation"
        raise TrailBroken(message)
    return to_answer(loaded.recorded, loaded.transaction or transaction, disclosed)


def to_answer(
    recorded: Recorded,
    transaction: Transaction,
    disclosed: Mapping[str, Any] | None = None,
    *,
    machine: Machine | None = None,
    currency: str | None = None,
    is_recorded: bool = False,
) -> Answer:
    """The answer for what is stored under a key; `currency` is that of its amounts."""
    denial = None
    if recorded.outcome == Status.DENIED.value:
        denial = Denial(
            command=recorded.command,
            transaction=recorded.transaction,
            reasons=recorded.reasons,
            bounds=recorded.bounds,
            currency=machine.lifecycle.currency(currency) if machine else None,
            texts=STRUCTURAL if machine is None else machine.texts,
        )
    return Answer(
        status=_STATUSES[recorded.outcome],
        command=recorded.command,
        key=recorded.key,
        transaction=transaction,
        operation=recorded.operation,
        denial=denial,
        evidence=recorded.evidence,
        is_recorded=is_recorded,
        disclosed=disclosed or {},
    )


_STATUSES = {Phase.BEGUN.value: Status.UNKNOWN, **{s.value: s for s in Status}}


def _answer_again(
    context: Context, command: Command, recorded: Recorded, loaded: Loaded
) -> Flow[Answer]:
    """The recorded answer, if the request is the same; a conflict if it is not.

    What a shop has prepared and not carried out yet is carried out now.
    """
    transaction = loaded.transaction or Transaction(command.transaction)
    own = yield from machine_of(context, transaction)
    if recorded.request != command.fingerprint:
        now: datetime = yield Now()
        return (yield from _deny(own, loaded, command, key_conflict(command), now))
    opened = transaction.operations.get(recorded.operation or "")
    if own is not None and opened is not None and opened.phase is Phase.PREPARED:
        return (yield from send_prepared(context, own, transaction, opened))
    if own is not None and recorded.operation and own.commands[command.name].spec.reads:
        return (yield from _read_again(context, own, transaction, command, recorded))
    if own is not None and opened and own.commands[opened.command].spec.is_opening:
        return (yield from _opening_again(context, own, transaction, opened, recorded))
    machine = context.machines.for_opening(command, own) or own
    currency = command.currency or transaction.currency
    return to_answer(
        recorded, transaction, machine=machine, currency=currency, is_recorded=True
    )


def _opening_again(
    context: Context,
    machine: Machine,
    transaction: Transaction,
    opened: Operation,
    recorded: Recorded,
) -> Flow[Answer]:
    """The recorded answer, with the consumer's page once more if that can be had."""
    adapter = context.adapters.get(transaction.account)
    if adapter is None:  # a recorded answer needs none
        return to_answer(recorded, transaction, is_recorded=True)
    page = None
    if gives_pages(adapter):
        page = yield from page_again(context, machine, transaction, opened)
        again = yield from answer_for(transaction, recorded.key, page)
    else:
        again = to_answer(recorded, transaction)
    is_lost = page is None and opened.finish_by is not None
    return attrs.evolve(again, is_recorded=True, is_page_lost=is_lost)


def _read_again(
    context: Context,
    machine: Machine,
    transaction: Transaction,
    command: Command,
    recorded: Recorded,
) -> Flow[Answer]:
    """Ask once more for what is stored nowhere; a read has no effect to repeat."""
    call = Call(
        command=command.name,
        transaction=transaction.id,
        lifecycle=machine.name,
        operation=recorded.operation or "",
        currency=transaction.currency,
        parameters=command.parameters,
        tracks=tuple(machine.lifecycle.tracks),
        references=transaction.references,
    )
    adapter = context.adapter_of(transaction)
    started = start(adapter, call)
    evidence = yield from carry_on(adapter, started)
    return to_answer(recorded, transaction, evidence.disclosed, is_recorded=True)
