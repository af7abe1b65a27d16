"""Questions about a transaction that change nothing: its state, what may follow."""

from datetime import datetime

from kessai.evidence.inquiry import Inquiry
from kessai.flow.effects import Flow, Load, Loaded, Now
from kessai.flow.execute import check_account
from kessai.flow.inquiry import compare, inquire
from kessai.flow.search import Search, SearchResult
from kessai.flow.steps import (
    Context,
    agreement_as_of,
    load,
    machine_of,
    no_transaction,
    refuse_archived,
)
from kessai.machine import Command, Denial, Possibility, Transaction, can, decide
from kessai.machine.decide import possibility, unknown_transaction


def existing(transaction_id: str) -> Flow[Transaction]:
    """The transaction as it stands.

    Raises:
        UnknownTransaction: no transaction has that id.

    """
    found = yield from load(transaction_id)
    if not found.exists:
        raise no_transaction(found)
    return found


def search(asked: Search) -> Flow[SearchResult]:
    """The transactions that are looked for, as they stand."""
    found: SearchResult = yield asked
    return found


def possibilities(
    context: Context, transaction_id: str, command: str | None = None
) -> Flow[tuple[Possibility, ...]]:
    """Every command (or one): allowed with its exact bounds, or every reason why not.

    None of what is archived.

    Raises:
        UnknownTransaction: no transaction has that id.

    """
    transaction = yield from existing(transaction_id)
    if transaction.archived:
        return ()
    machine = yield from machine_of(context, transaction)
    assert machine is not None  # noqa: S101 - it exists
    now: datetime = yield Now()
    if command is None:
        return can(machine, transaction, now)
    return (possibility(machine, transaction, command, now),)


def preview(context: Context, command: Command) -> Flow[Denial | None]:
    """Whether `command` would be denied now, and why; writes and sends nothing."""
    loaded: Loaded = yield Load(None, command.transaction, command.agreement)
    refuse_archived(loaded)
    check_account(command, loaded)
    transaction = loaded.transaction or Transaction(command.transaction)
    own = yield from machine_of(context, transaction)
    machine = context.machines.for_opening(command, own) or own
    if machine is None:
        return unknown_transaction(command)
    now: datetime = yield Now()
    agreement = yield from agreement_as_of(context, loaded.agreement, now)
    verdict = decide(machine, transaction, command, now, agreement)
    return verdict if isinstance(verdict, Denial) else None


def reconcile(context: Context, transaction_id: str, *, record: bool) -> Flow[Inquiry]:
    """A transaction compared with all that the gateway knows of it.

    What the trail did not know is recorded, unless `record` is false.
    """
    return (inquire if record else compare)(context, transaction_id)
