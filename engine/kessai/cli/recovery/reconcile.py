"""`kessai reconcile`: every transaction held against what the gateway knows of it."""

from collections.abc import Iterator, Mapping

import attrs
import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import Wiring, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.tables import print_table
from kessai.cli.tx.trail import read_row
from kessai.cli.tx.view import TransactionView
from kessai.evidence.reasons import discrepancy_sentence
from kessai.gateway import ID_NOT_KNOWN
from kessai.machine import Discrepancy, Event, Lapsed, Operation
from kessai.shell import Engine
from kessai.words import Words

word = Words("recovery")
_UNREAD = frozenset({"unreadable", ID_NOT_KNOWN})


@attrs.frozen(kw_only=True)
class Difference:
    """One thing that the trail and the gateway do not both know.

    `kind` is the kind of the event that it makes (`reported`, `external`, `lapsed`,
    `discrepancy`), `unconfirmed` for a success that the gateway does not list, or
    `unreadable` when an inquiry was not answered, `id_not_known` when the gateway
    answered that it knows nothing under the id it was asked about. `amount` is in minor units; `reason`
    is a discrepancy's.
    """

    transaction: str
    kind: str
    command: str = ""
    amount: int | None = None
    reason: str | None = None


@click.command(short_help="Compare every transaction with the gateway.")
@click.argument("transaction_ids", metavar="[ID]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Only print: record nothing.")
@shared_options("db", "gateway", "account", "json")
def reconcile(asked: Asked, *, transaction_ids: tuple[str, ...], dry_run: bool) -> int:
    """Compare every transaction (or those given) with the gateway's inquiry.

    What the gateway knows and the trail does not is recorded, as evidence always is:
    applied where the lifecycle allows it, else kept as a discrepancy.

    Exit codes: 0 nothing differs, 4 something does, or could not be read, 130 stopped by
    Ctrl-C or SIGTERM before the last one.
    """
    compared = 0
    found: list[Difference] = []
    on = transaction_ids or None
    with wired(asked, on=on) as wiring, stop_on_signals() as stop:
        names = list(transaction_ids or _names(wiring))
        with progress(len(names), word("differences", asked.language)) as bar:
            for name in names:
                if stop.is_asked:
                    break
                found += _differences(wiring.engine, name, record=not dry_run)
                compared += 1
                bar.step()
        views = [_viewed(wiring.engine, each, asked.language) for each in found]
    if asked.as_json:
        shown = [attrs.asdict(difference) for difference in found]
        print_json({"compared": compared, "differences": shown})
    else:
        _print(list(zip(found, views, strict=True)), compared, asked.language)
    code = exits.UNKNOWN if found else exits.DONE
    return stop.ended(code, word("stopped", asked.language))


def _names(wiring: Wiring) -> Iterator[str]:
    return (one.id for one in wiring.engine.store.transactions() if wiring.owns(one))


def _differences(engine: Engine, name: str, *, record: bool) -> list[Difference]:
    operations = engine.transaction(name).operations
    inquiry = engine.reconcile(name, record=record)
    if not inquiry.readable:
        is_known = inquiry.code != ID_NOT_KNOWN
        kind = "unreadable" if is_known else ID_NOT_KNOWN
        return [Difference(transaction=name, kind=kind)]
    found = [_difference(name, event, operations) for event in inquiry.events]
    for success in inquiry.unconfirmed:
        command, amount = success.command, success.amount
        found.append(
            Difference(
                transaction=name, kind="unconfirmed", command=command, amount=amount
            )
        )
    return found


def _difference(
    name: str, event: Event, operations: Mapping[str, Operation]
) -> Difference:
    row = read_row(0, event, operations, None)
    return Difference(
        transaction=name,
        kind=row.event,
        command=event.deadline if isinstance(event, Lapsed) else row.command,
        amount=row.amount,
        reason=event.reason if isinstance(event, Discrepancy) else None,
    )


def _viewed(engine: Engine, found: Difference, language: str) -> TransactionView:
    transaction = engine.transaction(found.transaction)
    return TransactionView.listed(engine, transaction, language)


def _print(
    found: list[tuple[Difference, TransactionView]], compared: int, language: str
) -> None:
    if not found:
        say(word("nothing_differs", language, count=f"{compared:,}"))
        return
    names = ("transaction", "command", "difference", "amount")
    print_table(
        word("differences", language),
        word.each(language, *names),
        (
            [
                difference.transaction,
                view.command(difference.command),
                _sentence(difference, language),
                view.money(difference.amount),
            ]
            for difference, view in found
        ),
        numbers=1,
    )
    differ = {d.transaction for d, _ in found if d.kind not in _UNREAD}
    unread = {d.transaction for d, _ in found if d.kind in _UNREAD}
    counts = {"count": compared, "differ": len(differ), "unread": len(unread)}
    say(word("compared", language, **{n: f"{count:,}" for n, count in counts.items()}))


def _sentence(difference: Difference, language: str) -> str:
    if difference.reason:
        return discrepancy_sentence(difference.reason, language)
    return word(difference.kind, language)
