"""Steps that several flows take: find the machine, write events, read the trail."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from kessai.card_numbers import without_card_numbers
from kessai.errors import (
    AccountUnknown,
    CommitUnknown,
    InvalidInput,
    LeaseLost,
    SafeToResend,
    TrailBroken,
    TransactionArchived,
    UnknownLifecycle,
    UnknownTransaction,
    VersionConflict,
)
from kessai.evidence.attempts import Attempts
from kessai.flow.effects import (
    ARCHIVED,
    Append,
    Change,
    Declaration,
    Flow,
    History,
    Lease,
    Load,
    Loaded,
    Recorded,
    learned_references,
)
from kessai.gateway import INQUIRY, Adapter, AnyAdapter, Call
from kessai.gateway_exchange import lift
from kessai.ids import is_id
from kessai.limits import ATTEMPTS, COMMITS
from kessai.machine import (
    Begun,
    Event,
    Machine,
    Machines,
    Operation,
    Record,
    Reported,
    Transaction,
    append,
    as_of,
    read_but_denials,
    read_events,
)
from kessai.machine.chain import AppliedEvent, numbered
from kessai.machine.command import fingerprint
from kessai.spec import Lifecycle


def _by_account(adapters: Iterable[AnyAdapter]) -> Mapping[str, Adapter]:
    found: dict[str, Adapter] = {}
    for adapter in map(lift, adapters):
        if not is_id(adapter.account):
            message = f"{adapter.name}: its account is no text of one line"
            raise InvalidInput(message)
        if adapter.account in found:
            message = f"adapters: two are for the account {adapter.account}"
            raise InvalidInput(message)
        found[adapter.account] = adapter
    return found


@attrs.frozen
class Context:
    """What every flow of an engine works with. Holds no state of its own.

    `adapters` stand by their accounts. A transaction belongs to one account for good,
    and only that account's adapter is ever asked about it: another gateway, or another
    merchant of the same one, knows nothing of it, and "nothing" would be taken as the
    answer.
    """

    machines: Machines
    adapters: Mapping[str, Adapter] = attrs.field(converter=_by_account)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that can be acted on here."""
        return tuple(self.adapters)

    def adapter_of(self, transaction: Transaction) -> Adapter:
        """The adapter of the account that `transaction` belongs to.

        Raises:
            AccountUnknown: there is none here.

        """
        return self.adapter_for(transaction.account, of=f"{transaction.id}: ")

    def adapter_for(self, account: str | None, *, of: str = "") -> Adapter:
        """The adapter of `account`, or the only one where none is named.

        Raises:
            AccountUnknown: there is none here, or one of several must be named.

        """
        if account is None and len(self.adapters) == 1:
            return next(iter(self.adapters.values()))
        adapter = None if account is None else self.adapters.get(account)
        if adapter is None:
            known = ", ".join(self.adapters) or "none"
            asked = f"{account} is not known" if account else "one must be named"
            message = f"{of}account: {asked} here; known are: {known}"
            raise AccountUnknown(message)
        return adapter


def contended(transaction_id: str) -> VersionConflict:
    """The error for a transaction to which other writers were always faster."""
    message = f"{transaction_id}: others changed it {ATTEMPTS} times while deciding"
    return VersionConflict(message)


def machine_of(context: Context, transaction: Transaction) -> Flow[Machine | None]:
    """The machine that `transaction` began under; None if it never began.

    Raises:
        UnknownLifecycle: its lifecycle file is not in the store.
        TrailBroken: the file in the store is damaged, or another one.

    """
    if not transaction.exists:
        return None
    machine = context.machines.by_hash(transaction.lifecycle_hash)
    if machine is not None:
        return machine
    document: bytes | None = yield Declaration(transaction.lifecycle_hash)
    if document is None:
        message = f"{transaction.id}: its lifecycle file is not in the store"
        raise UnknownLifecycle(message)
    return context.machines.add(document, transaction)


def agreement_as_of(
    context: Context, agreement: Transaction | None, now: datetime
) -> Flow[Transaction | None]:
    """An agreement as it is at `now`, its passed deadlines swept or not.

    Raises:
        UnknownLifecycle, TrailBroken: see `machine_of`.

    """
    if agreement is None or not agreement.deadlines:
        return agreement
    machine = yield from machine_of(context, agreement)
    return agreement if machine is None else as_of(machine, agreement, now)


def no_transaction(blank: Transaction) -> UnknownTransaction:
    """The error for a transaction that does not exist."""
    name = without_card_numbers(repr(blank.id))
    if blank.version:  # something of it was denied, or evidence did not fit
        return UnknownTransaction(f"transaction {name} was never opened")
    return UnknownTransaction(f"there is no transaction {name}")


def load(transaction_id: str) -> Flow[Transaction]:
    """The transaction, blank if the store has none.

    Raises:
        UnknownTransaction: no transaction can have such an id.
        TransactionArchived: only its archive has it.

    """
    if not is_id(transaction_id):
        message = "there is no transaction with such an id"
        raise UnknownTransaction(message)
    loaded: Loaded = yield Load(None, transaction_id)
    found = loaded.transaction or Transaction(transaction_id)
    if found.is_removed:
        raise gone_to_archive(found)
    return found


def gone_to_archive(transaction: Transaction) -> TransactionArchived:
    """The error for a transaction with which nothing is done any more."""
    message = f"{transaction.id}: is archived, in {transaction.archived}"
    return TransactionArchived(message)


def refuse_archived(loaded: Loaded) -> None:
    """See that nothing of what was loaded for a command is archived.

    Raises:
        TransactionArchived: something is.

    """
    for found in (loaded.transaction, loaded.agreement):
        if found is not None and found.archived:
            raise gone_to_archive(found)
    recorded = loaded.recorded
    if recorded is not None and recorded.outcome == ARCHIVED:
        message = f"key {recorded.key!r} was used for {recorded.transaction}, which is archived"
        raise TransactionArchived(message)


def load_with_machine(
    context: Context, transaction_id: str
) -> Flow[tuple[Transaction, Machine | None]]:
    """A transaction and the machine that it began under: see `load`, `machine_of`."""
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    return transaction, machine


def commit(change: Change) -> Flow[None]:
    """Append `change`; if a commit raises, find out whether it was written.

    The change of a failed commit may be in the store all the same, or appear when the
    file is opened again. So the very same change is written once more. Either that
    succeeds, or it conflicts, and then the trail shows which record is in its place.

    Raises:
        VersionConflict, LeaseLost: it is not there; someone else was faster.
        CommitUnknown: it may or may not be there. An intent to send that is there
            raises it, too: another caller may have written the same one, and sent it.

    """
    try:
        yield Append(change)
    except CommitUnknown as error:
        yield from _commit_again(change, error)


def _commit_again(change: Change, unknown: CommitUnknown) -> Flow[None]:
    for _ in range(COMMITS):
        try:
            yield Append(change)
        except CommitUnknown:
            continue
        except (VersionConflict, LeaseLost):
            if not (yield from _is_there(change.records[-1], unknown)):
                raise
            if change.is_intent:
                raise unknown from None
        except SafeToResend:  # now nothing was written, but the first may be there
            raise unknown from None
        return
    raise unknown


def _is_there(record: Record, unknown: CommitUnknown) -> Flow[bool]:
    try:
        records: list[Record] = yield History(record.transaction)
    except SafeToResend:  # this reading wrote nothing; the change may be there
        raise unknown from None
    return numbered(records, record.number) == record


def write(
    machine: Machine | None,
    transaction: Transaction,
    events: Iterable[Event],
    lease: Lease | None = None,
    *,
    agreement: Transaction | None = None,
    is_intent: bool = False,
    opens: bool = False,
    declaration: Lifecycle | None = None,
) -> Flow[tuple[Transaction, tuple[Recorded, ...]]]:
    """Append `events`, and the new outcomes under the keys of their operations.

    With `is_intent` a request is sent once they are written. An `agreement` must still
    be as it is. With `opens` the one operation that ends began under a new key; a
    `declaration` is what a new transaction is bound to.

    Raises:
        TransactionArchived: nothing is written of it any more.
        VersionConflict: another writer was faster; nothing was written.
        LeaseLost: another recoverer has the transaction now; nothing was written.
        CommitUnknown: see `commit`.

    """
    known = transaction.references
    events = list(events)
    if events and transaction.archived:
        raise gone_to_archive(transaction)
    records: list[Record] = []
    closes: list[Recorded] = []
    steps: list[AppliedEvent] = []
    for event in events:
        if isinstance(event, Reported):
            closes.append(closed(transaction.operations[event.operation], event))
        before = transaction
        transaction, record = append(machine, before, event)
        records.append(record)
        steps.append(AppliedEvent(event, machine, before, transaction))
    if records:
        yield from commit(
            Change(
                transaction=transaction,
                records=tuple(records),
                opens=closes[0] if opens else None,
                closes=() if opens else tuple(closes),
                agreement=(agreement.id, agreement.version) if agreement else None,
                declaration=declaration,
                lease=lease,
                is_intent=is_intent,
                steps=tuple(steps),
                references=learned_references(known, transaction),
            )
        )
    return transaction, tuple(closes)


def read_attempts(transaction: Transaction) -> Flow[Attempts]:
    """The attempts of a transaction, as far as its trail has them by now.

    Raises:
        TrailBroken: an event was changed, or does not follow the one before.

    """
    records: list[Record] = yield History(transaction.id, denials=False)
    return Attempts.numbered(read_but_denials(records), transaction.version)


def load_with_attempts(transaction_id: str) -> Flow[tuple[Transaction, Attempts]]:
    """A transaction and its attempts, at one version.

    Denials are not read: a caller may have been refused ten thousand times. What is
    read is counted, so that no other event can be missing.

    Raises:
        VersionConflict: other writers were always faster.
        TrailBroken: an event was changed or is missing, or does not follow.

    """
    transaction = yield from load(transaction_id)
    for _ in range(ATTEMPTS):
        records: list[Record] = yield History(transaction_id, denials=False)
        if len(records) == transaction.version - transaction.denials:
            events = read_but_denials(records)
            return transaction, Attempts.numbered(events, transaction.version)
        before = transaction
        transaction = yield from load(transaction_id)
        if transaction == before:  # nobody wrote between the two readings
            found = len(records) + before.denials
            message = (
                f"{transaction_id}: its trail has {found} events of {before.version}"
            )
            raise TrailBroken(message)
    raise contended(transaction_id)


def call_for(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    begun: str,
    resumed: Mapping[str, str] | None = None,
) -> Call:
    """The call that carries out `operation`; the same operation gives the same call.

    `begun` is the hash of the event that began it; its keys are made from that. If
    `resumed` is given, the keys are others, and the same parameters give the same keys;
    the ids are then those known by now, such as the first reply has named.
    """
    references = operation.references
    if resumed is not None:
        references = transaction.references
        begun = hashlib.sha256(f"{begun} {fingerprint(resumed)}".encode()).hexdigest()
    return Call(
        command=operation.command,
        transaction=transaction.id,
        lifecycle=machine.name,
        operation=operation.id,
        amount=operation.amount,
        currency=transaction.currency,
        agreement=transaction.agreement,
        parameters=operation.parameters,
        declared=machine.commands[operation.command].parameters,
        tracks=tuple(machine.lifecycle.tracks),
        references=references,
        agreement_references=operation.agreement_references,
        resumed=resumed,
        begun_at=operation.begun_at,
        seed=begun,
    )


def inquiry_for(machine: Machine, transaction: Transaction) -> Call:
    """The call that only asks the gateway what it knows of `transaction`."""
    return Call(
        command=INQUIRY,
        transaction=transaction.id,
        lifecycle=machine.name,
        currency=transaction.currency,
        agreement=transaction.agreement,
        tracks=tuple(machine.lifecycle.tracks),
        references=transaction.references,
        begun_at=transaction.opened_at,
    )


def open_opening(machine: Machine, transaction: Transaction) -> Operation | None:
    """The opening command of a transaction, while it is open."""
    for operation in transaction.operations.values():
        if machine.commands[operation.command].spec.is_opening:
            return operation
    return None


def opening_key(records: Iterable[Record]) -> str:
    """The key of the opening command, which was begun first."""
    trail = read_events(records)
    return next(event.operation.key for event in trail if isinstance(event, Begun))


def begun_hash(records: Iterable[Record], operation: Operation) -> str:
    """The hash of the event that began `operation`, from its transaction's records.

    Raises:
        TrailBroken: that event is not among them.

    """
    name, _, number = operation.id.rpartition(".")
    record = numbered(records, int(number))
    if record is None:
        message = f"{name}: the event that began {operation.id} is not in its trail"
        raise TrailBroken(message, transaction=name)
    return record.hash


def closed(operation: Operation, event: Reported) -> Recorded:
    """What stands under the key of `operation` after `event`."""
    return Recorded(
        key=operation.key,
        request=operation.request,
        command=operation.command,
        transaction=operation.id.rpartition(".")[0],
        outcome=event.outcome.value,
        operation=operation.id,
        evidence=event.evidence,
    )
