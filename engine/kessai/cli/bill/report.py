"""`kessai bill status` and `report`: how far a run is, and whether the books agree."""

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from kessai.billing.plan import of_attempt
from kessai.cli.bill.shown import money, totals_of, word
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import Wiring, looking, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.tables import print_table
from kessai.flow import Bill, Status
from kessai.flow.answer import OVER
from kessai.flow.effects import PLANNED
from kessai.stores import Store
from kessai.stores.bills import BillTotal
from kessai.stores.protocol import bills_of
from kessai.stores.query import PAGE


@click.command(short_help="How far a run is.")
@click.argument("name", metavar="RUN")
@shared_options("db", "json")
def status(asked: Asked, *, name: str) -> None:
    """How many bills of a run have which outcome, and when the next one is due."""
    with looking(asked.db) as engine:
        bills = bills_of(engine.store)
        totals, next_due = totals_of(engine.store, name), bills.next_due(name)
    if asked.as_json:
        shown = [total._asdict() for total in totals]
        print_json({"run": name, "totals": shown, "next_due": next_due})
        return
    _print_totals(totals, asked.language)
    if next_due is not None:
        at = f"{next_due:%Y-%m-%d %H:%M:%S} UTC"
        say(word("next_due", asked.language, at=at))


@click.command(short_help="Compare a run with the gateway's books.")
@click.argument("name", metavar="RUN")
@shared_options("db", "gateway", "account", "json")
def report(asked: Asked, *, name: str) -> int:
    """Ask the gateway about every charge of a run, and list what did not succeed.

    Nothing is written: `kessai reconcile` records what differs.

    Exit codes: 0 all bills are over and the books agree, 4 something is planned or open,
    or differs, 130 stopped by Ctrl-C.
    """
    with wired(asked) as wiring, stop_on_signals() as stop:
        totals = totals_of(wiring.engine.store, name)
        rows: list[tuple[Bill, str]] = []
        number = sum(total.number for total in totals)
        with progress(number, word("reconciling", asked.language)) as bar:
            for bill in _bills(wiring.engine.store, name):
                if stop.is_asked:
                    break
                found = _finding(wiring, bill)
                if found or bill.status != Status.SUCCEEDED:
                    rows.append((bill, found))
                bar.step()
    if asked.as_json:
        print_json(_data(name, totals, rows))
    else:
        _print_totals(totals, asked.language)
        _print_rows(rows, asked.language)
    is_over = all(bill.status in OVER and not found for bill, found in rows)
    code = exits.DONE if is_over else exits.UNKNOWN
    return stop.ended(code, word("stopped", asked.language))


def _bills(store: Store, name: str) -> Iterator[Bill]:
    after = ("", "")
    while page := bills_of(store).listed(name, after, PAGE):
        yield from page
        after = page[-1].agreement, page[-1].period.isoformat()


def _finding(wiring: Wiring, bill: Bill) -> str:
    """What is wrong with a bill or its charges: `missing`, `differs`, `unreadable`, or not."""
    recorded = wiring.engine.store.load(bill.key, bill.charge, None).recorded
    outcome = None if recorded is None else recorded.outcome
    if outcome is None and bill.status != PLANNED:
        return "missing"
    if outcome in OVER and outcome != bill.status:
        return "differs"
    made = [
        of_attempt(bill, bill.period, n).charge for n in range(1, bill.attempts + 1)
    ]
    found = (_compared(wiring, charge) for charge in {*made, bill.charge})
    return next(filter(None, found), "")


def _compared(wiring: Wiring, charge: str) -> str:
    transaction = wiring.engine.store.load(None, charge, None).transaction
    if transaction is None or not transaction.exists:
        return ""
    inquiry = wiring.engine.reconcile(charge, record=False)
    if not inquiry.readable:
        return "unreadable"
    return "differs" if inquiry.events or inquiry.unconfirmed else ""


def _data(
    name: str, totals: list[BillTotal], rows: list[tuple[Bill, str]]
) -> dict[str, Any]:
    return {
        "run": name,
        "totals": [total._asdict() for total in totals],
        "bills": [
            {**msgspec.structs.asdict(bill), "finding": found or None}
            for bill, found in rows
        ],
    }


def _print_totals(totals: list[BillTotal], language: str) -> None:
    print_table(
        word("totals", language),
        word.each(language, "status", "number", "sum"),
        (
            [
                word(total.status, language),
                f"{total.number:,}",
                money(total.amount, total.currency),
            ]
            for total in totals
        ),
        numbers=2,
    )


def _print_rows(rows: list[tuple[Bill, str]], language: str) -> None:
    if not rows:
        say(word("all_agree", language))
        return
    print_table(
        word("others", language),
        word.each(
            language, "charge", "period", "status", "reason", "remedy", "finding"
        ),
        (
            [
                bill.charge,
                bill.period.isoformat(),
                word(bill.status, language),
                bill.reason,
                word(bill.remedy, language) if bill.remedy else "",
                word(found, language) if found else "",
            ]
            for bill, found in rows
        ),
    )
