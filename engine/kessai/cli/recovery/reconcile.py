"""`kessai reconcile`: every transaction held against what the gateway knows of it."""

from collections.abc import Iterator
from typing import Any

import attrs
import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import db_option, gateway_option, output_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.tables import print_table, progress
from kessai.evidence.reasons import discrepancy_sentence
from kessai.flow import Inquiry
from kessai.machine import Discrepancy, Event, External, Lapsed, Reported
from kessai.machine.events import KIND_OF
from kessai.shell import Engine
from kessai.stores import Store
from kessai.words import Words

word = Words("recovery")


@attrs.frozen(kw_only=True)
class Difference:
    """One thing that the trail and the gateway do not both know.

    `kind` is the kind of the event that it makes (`reported`, `external`, `lapsed`,
    `discrepancy`), `unconfirmed` for a success that the gateway does not list, or
    `unreadable` when an inquiry was not answered. `amount` is in minor units; `reason`
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
@db_option
@gateway_option
@output_options
def reconcile(
    *,
    transaction_ids: tuple[str, ...],
    dry_run: bool,
    db: str,
    gateway: str,
    language: str,
    as_json: bool,
) -> int:
    """Compare every transaction (or those given) with the gateway's inquiry.

    What the gateway knows and the trail does not is recorded, as evidence always is:
    applied where the lifecycle allows it, else kept as a discrepancy.

    Exit codes: 0 nothing differs, 4 something does, or could not be read.
    """
    with wired(db, gateway) as wiring, stop_on_signals() as stop:
        engine = wiring.engine
        names = list(transaction_ids or _names(engine.store))
        found: list[Difference] = []
        compared = 0
        with progress(len(names), word("differences", language)) as bar:
            for name in names:
                if stop.is_asked:
                    break
                found += _differences(engine, name, record=not dry_run)
                compared += 1
                bar.step()
    if as_json:
        shown = [attrs.asdict(difference) for difference in found]
        print_json({"compared": compared, "differences": shown})
    else:
        _print(found, compared, language)
    return exits.UNKNOWN if found else exits.DONE


def _names(store: Store) -> Iterator[str]:
    return (found.id for found in store.transactions() if found.exists)


def _differences(engine: Engine, name: str, *, record: bool) -> list[Difference]:
    before = engine.transaction(name)
    inquiry = engine.reconcile(name, record=record)
    if not inquiry.readable:
        return [Difference(transaction=name, kind="unreadable")]
    operations = before.operations
    commands = {key: operation.command for key, operation in operations.items()}
    amounts = {key: operation.amount for key, operation in operations.items()}
    found = [_difference(name, event, commands, amounts) for event in inquiry.events]
    return [*found, *_unconfirmed(name, inquiry)]


def _difference(
    name: str,
    event: Event,
    commands: dict[str, str],
    amounts: dict[str, int | None],
) -> Difference:
    evidence = getattr(event, "evidence", None)
    command: Any = evidence.command if evidence else ""
    amount = evidence.amount if evidence else None
    if isinstance(event, Reported):
        command = commands.get(event.operation, command)
        amount = amounts.get(event.operation, amount)
    elif isinstance(event, External):
        command, amount = event.command, event.amount
    elif isinstance(event, Lapsed):
        command = event.deadline
    return Difference(
        transaction=name,
        kind=KIND_OF[type(event)],
        command=command or "",
        amount=amount,
        reason=event.reason if isinstance(event, Discrepancy) else None,
    )


def _unconfirmed(name: str, inquiry: Inquiry) -> Iterator[Difference]:
    for success in inquiry.unconfirmed:
        yield Difference(
            transaction=name,
            kind="unconfirmed",
            command=success.command,
            amount=success.amount,
        )


def _print(found: list[Difference], compared: int, language: str) -> None:
    if not found:
        say(word("nothing_differs", language, count=f"{compared:,}"))
        return
    names = ("transaction", "command", "difference", "amount")
    print_table(
        word("differences", language),
        [word(name, language) for name in names],
        (
            [
                difference.transaction,
                difference.command,
                _sentence(difference, language),
                "" if difference.amount is None else f"{difference.amount:,}",
            ]
            for difference in found
        ),
        numbers=1,
    )
    differ = {d.transaction for d in found if d.kind != "unreadable"}
    unread = {d.transaction for d in found if d.kind == "unreadable"}
    say(
        word(
            "compared",
            language,
            count=f"{compared:,}",
            differ=f"{len(differ):,}",
            unread=f"{len(unread):,}",
        )
    )


def _sentence(difference: Difference, language: str) -> str:
    if difference.reason:
        return discrepancy_sentence(difference.reason, language)
    return word(difference.kind, language)
