"""What has come of a command file, counted from the store.

So it is the same however often, and in however many pieces, the file was run.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import attrs

from kessai.cli.run.command_file import CommandLine
from kessai.cli.run.seen import Seen
from kessai.flow import Recorded, Status
from kessai.machine import Transaction
from kessai.stores import Store

_SUMS = ("captured", "refunded")


@attrs.define
class Totals:
    """Counts of commands, of the transactions they name, and sums in minor units.

    `outcomes` counts by (status, command), `states` by (track, lifecycle, state) and
    `sums` by (amount, currency).
    """

    commands: int = 0
    transactions: int = 0
    outcomes: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])
    states: Counter[tuple[str, str, str]] = attrs.field(
        factory=Counter[tuple[str, str, str]]
    )
    sums: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])
    left_open: int = 0
    discrepancies: int = 0


def count(store: Store, lines: Iterable[CommandLine]) -> Totals:
    """The totals of those `lines` that were carried out, as the store has them now."""
    totals = Totals()
    with closing(Seen()) as transactions:
        for line in lines:
            command = line.command
            loaded = store.load(command.key, command.transaction, None)
            if loaded.recorded is None:
                continue  # not reached yet
            totals.commands += 1
            totals.outcomes[_outcome(loaded.recorded, line), command.name] += 1
            transaction = loaded.transaction
            if transaction is not None and transactions.meet(transaction.id) is None:
                _add(totals, transaction)
    return totals


def totals_data(totals: Totals) -> dict[str, Any]:
    """`totals` as `run --json` shows them; what did not occur is left out.

    A track that several of the lifecycles have that occurred is counted by lifecycle.
    """
    tracks = Counter(track for track, _ in {key[:2] for key in totals.states})
    outcomes = sorted(totals.outcomes.items())
    data: dict[str, Any] = {
        "transactions": totals.transactions,
        "commands": totals.commands,
        "denied": {name: n for (what, name), n in outcomes if what == Status.DENIED},
    }
    for (outcome, name), number in outcomes:
        if outcome != Status.DENIED:
            data[f"{outcome}.{name}"] = number
    for (track, lifecycle, state), number in totals.states.items():
        key = (
            f"{track}.{lifecycle}.{state}" if tracks[track] > 1 else f"{track}.{state}"
        )
        data[key] = data.get(key, 0) + number
    data |= _sums(totals)
    if totals.left_open:
        data["open"] = totals.left_open
    if totals.discrepancies:
        data["discrepancies"] = totals.discrepancies
    return data


def _sums(totals: Totals) -> dict[str, int]:
    """Sums of money by name; never one sum over two currencies."""
    currencies = {currency for _, currency in totals.sums}
    if len(currencies) > 1:
        return {".".join(key): amount for key, amount in totals.sums.items()}
    sums = {name: amount for (name, _), amount in totals.sums.items()}
    return {name: sums.get(name, 0) for name in _SUMS}


def _outcome(recorded: Recorded, line: CommandLine) -> str:
    if recorded.request != line.command.fingerprint:
        return Status.DENIED  # the key answers for another request
    if recorded.outcome == "begun":
        return Status.UNKNOWN
    return recorded.outcome


def _add(totals: Totals, transaction: Transaction) -> None:
    totals.discrepancies += len(transaction.discrepancies)
    if not transaction.exists:
        return  # refused attempts alone make no transaction
    totals.transactions += 1
    totals.left_open += len(transaction.operations)
    for track, state in transaction.states.items():
        totals.states[track, transaction.lifecycle, state] += 1
    for name in _SUMS:
        amount = transaction.amounts.get(name, 0)
        totals.sums[name, transaction.currency] += amount
