"""What waits for an operator: open for long, discrepant, or not to be recovered."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from kessai.cli.terminal.output import failure_data, failure_line, operation_data, say
from kessai.cli.terminal.tables import print_table
from kessai.cli.tx.trail import Row, read_rows, row_data
from kessai.cli.tx.view import TransactionView
from kessai.driver import utc_now
from kessai.errors import TrailBroken
from kessai.evidence.reasons import discrepancy_sentence
from kessai.flow import Recovery, RecoveryFailure
from kessai.flow.failures import stopped_by
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import Store
from kessai.words import Words

word = Words("recovery")

_LISTED = 100
"""How many transactions that wait for an operator are shown."""


def waiting(store: Store, recovery: Recovery) -> list[Transaction]:
    """The transactions that wait for an operator, at most a hundred."""
    names = store.unresolved(utc_now() - recovery.escalation, _LISTED)
    found = (_standing(store, name) for name in names)
    return [transaction for transaction in found if transaction is not None]


def _standing(store: Store, name: str) -> Transaction | None:
    """A transaction; one that is not readable is known by its id alone."""
    try:
        return store.load(None, name, None).transaction
    except TrailBroken:
        return Transaction(name)


def _open_discrepancies(store: Store, transaction: Transaction) -> Iterator[Row]:
    """The open discrepancies of `transaction`, from its trail."""
    open_ones = transaction.discrepancies
    if open_ones:
        rows = read_rows(store.records(transaction.id), None)
        yield from (row for row in rows if row.number in open_ones)


def _looked_at(
    store: Store, transaction: Transaction
) -> tuple[RecoveryFailure | None, list[Row]]:
    """How its recovery failed, and its open discrepancies.

    Where the trail does not hold, that is the failure, noted or not: what is open with it
    cannot be read.
    """
    noted = store.recovery_failure(transaction.id)
    try:
        return noted, list(_open_discrepancies(store, transaction))
    except TrailBroken as error:
        return noted or RecoveryFailure(utc_now(), 1, stopped_by(error)), []


def closed_since(
    engine: Engine, waited: Iterable[Transaction], language: str
) -> Iterator[tuple[str, Row]]:
    """The discrepancies that were open in `waited` and are not any more, each with its id.

    One whose trail does not hold waits for an operator: nothing more is said of it here.
    """
    for before in waited:
        if before.discrepancies:
            with suppress(TrailBroken):
                for row in _gone(engine, before, language):
                    yield before.id, row


def _gone(engine: Engine, before: Transaction, language: str) -> list[Row]:
    after = engine.store.load(None, before.id, None).transaction or before
    gone = before.discrepancies.keys() - after.discrepancies.keys()
    if not gone:
        return []
    machine = TransactionView.listed(engine, after, language).machine
    rows = read_rows(engine.store.records(before.id), machine)
    return [row for row in rows if row.number in gone]


def print_closed(closed: Iterable[tuple[str, Row]], language: str) -> None:
    """Print a line for each discrepancy that an event has closed."""
    for name, row in closed:
        found = {"transaction": name, "number": row.number, "by": row.closed_by}
        say(word("explained", language, **found))


def closed_data(closed: Iterable[tuple[str, Row]]) -> list[dict[str, Any]]:
    """The same as JSON shows it."""
    return [{"transaction": name, **row_data(row)} for name, row in closed]


def print_waiting(
    engine: Engine, transactions: Iterable[Transaction], language: str
) -> None:
    """Print what waits: open operations, discrepancies, and failures, with reasons."""
    rows: list[list[str]] = []
    has_failed = False
    for transaction in transactions:
        view = TransactionView.listed(engine, transaction, language)
        failure, discrepancies = _looked_at(engine.store, transaction)
        if failure is not None:
            has_failed = True
            title = word("recovery_failure", language)
            what = f"{title}: {failure_line(failure, language)}"
            rows.append([transaction.id, "", what, ""])
        for operation in transaction.operations.values():
            since = operation.begun_at.isoformat(timespec="seconds")
            phase = word(operation.phase, language)
            what = f"{view.command(operation.command)}: {phase}"
            rows.append([transaction.id, operation.id, what, since])
        for row in discrepancies:
            since = row.at.isoformat(timespec="seconds")
            command = view.command(row.command)
            what = f"{command}: {discrepancy_sentence(row.stated, language)}"
            rows.append([transaction.id, str(row.number), what, since])
    headings = word.each(language, "transaction", "what", "command", "since")
    print_table(word("waiting", language), headings, rows)
    say(word("how", language))
    if has_failed:
        say(word("mend", language))


def waiting_data(store: Store, transaction: Transaction) -> dict[str, Any]:
    """What of a transaction waits for an operator, as JSON shows it."""
    failure, discrepancies = _looked_at(store, transaction)
    return {
        "transaction": transaction.id,
        "recovery_failure": failure_data(failure),
        "operations": [operation_data(o) for o in transaction.operations.values()],
        "discrepancies": [row_data(row) for row in discrepancies],
    }
