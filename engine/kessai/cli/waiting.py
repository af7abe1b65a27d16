"""What waits for an operator: operations open for long, and evidence that stands aside."""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from kessai.cli.care_words import word
from kessai.cli.output import operation_data, say
from kessai.cli.tables import print_table
from kessai.cli.trail import Row, read_rows, row_data
from kessai.flow import Recovery
from kessai.machine import Transaction
from kessai.machine.discrepancies import discrepancy_sentence
from kessai.shell import Engine, utc_now
from kessai.stores import Store

_LISTED = 100
"""How many transactions that wait for an operator are shown."""


@attrs.frozen
class Waiting:
    """A transaction that waits, and its discrepancies as its trail tells them."""

    transaction: Transaction
    aside: tuple[Row, ...]


def waiting(engine: Engine, recovery: Recovery) -> list[Waiting]:
    """The transactions that wait for an operator, at most a hundred.

    Raises:
        TrailBroken: the chain of one of them does not hold.

    """
    store = engine.store
    names = store.unsettled(utc_now() - recovery.escalation, _LISTED)
    found = (store.load(None, name, None).transaction for name in names)
    return [
        Waiting(transaction, tuple(_aside(store, transaction)))
        for transaction in found
        if transaction is not None
    ]


def _aside(store: Store, transaction: Transaction) -> Iterator[Row]:
    open_ones = transaction.discrepancies
    if open_ones:
        rows = read_rows(store.records(transaction.id), None)
        yield from (row for row in rows if row.number in open_ones)


def print_waiting(found: Iterable[Waiting], language: str) -> None:
    """Print who waits: open operations, and discrepancies with their reasons."""
    names = ("transaction", "what", "command", "since")
    rows: list[list[str]] = []
    for one in found:
        transaction = one.transaction
        for operation in transaction.operations.values():
            since = operation.begun_at.isoformat(timespec="seconds")
            phase = word(operation.phase, language)
            rows.append(
                [transaction.id, operation.id, f"{operation.command}: {phase}", since]
            )
        for row in one.aside:
            since = row.at.isoformat(timespec="seconds")
            told = f"{row.command}: {discrepancy_sentence(row.said, language)}"
            rows.append([transaction.id, str(row.number), told, since])
    headings = [word(name, language) for name in names]
    print_table(word("waiting", language), headings, rows)
    say(word("how", language))


def waiting_data(one: Waiting) -> dict[str, Any]:
    """What of a transaction waits for an operator, as JSON shows it."""
    transaction = one.transaction
    return {
        "transaction": transaction.id,
        "operations": [operation_data(o) for o in transaction.operations.values()],
        "discrepancies": [row_data(row) for row in one.aside],
    }
