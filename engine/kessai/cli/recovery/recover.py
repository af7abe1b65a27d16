"""`kessai recover`: finds out what came of whatever has no answer, once or for ever."""

import sys
from datetime import timedelta
from typing import Any

import attrs
import click

from kessai.cli.recovery.attention import (
    closed_data,
    closed_since,
    print_closed,
    print_waiting,
    waiting,
    waiting_data,
)
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import Wiring, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, print_json, say
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.cli.terminal.tables import print_table
from kessai.cli.tx.trail import Row
from kessai.cli.tx.view import TransactionView, outcome_of
from kessai.errors import KessaiError, RecoveryFailed
from kessai.flow import Answer, Missing, Recovery
from kessai.flow.answer import OPEN
from kessai.limits import IN_FLIGHT_LIMIT, WATCH_SECONDS
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import Store
from kessai.words import Words

word = Words("recovery")

_MINUTE = timedelta(minutes=1)


@click.command(short_help="Find out what has no answer yet.")
@click.option("--once/--watch", default=True, help="One pass, or until stopped.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="N",
    help="At most so many transactions a pass.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=WATCH_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: the pause between passes.",
)
@click.option(
    "--missing",
    type=click.Choice([missing.value for missing in Missing]),
    default=Missing.DECLINE.value,
    show_default=True,
    help="What becomes of an operation that the gateway does not list, when it can no"
    " longer arrive.",
)
@click.option(
    "--in-flight-limit",
    type=float,
    default=IN_FLIGHT_LIMIT / _MINUTE,
    show_default=True,
    metavar="MINUTES",
    help="For how long after its intent a request may still arrive.",
)
@shared_options("db", "gateway", "account", "json")
def recover(
    asked: Asked,
    *,
    once: bool,
    limit: int,
    every: float,
    missing: str,
    in_flight_limit: float,
) -> int:
    """Inquire about every due transaction that has no answer yet, and resolve it.

    Several may run at once, on many machines: each transaction is leased to one. What
    stays open is inquired about again, after a pause that grows to six hours. What no
    inquiry resolves waits for an operator: see kessai tx resolve and tx close.

    Exit codes: 0 all that was inquired about is resolved, 4 something is open or waits,
    130 stopped by Ctrl-C, and with --once by SIGTERM.
    """
    recovery = Recovery(
        missing=Missing(missing), in_flight_limit=_minutes(in_flight_limit)
    )
    with wired(asked) as wiring, stop_on_signals() as stop:
        report = _PassReport(wiring.engine, asked, stop)
        one = _Round(wiring, recovery, limit, stop)
        if once:
            code = report.show(one.run())
            return stop.ended(code, word("stopped", asked.language))
        _watch(one, every, report)
    return stop.code


def _minutes(number: float) -> timedelta:
    try:
        return number * _MINUTE
    except (ValueError, OverflowError):
        message = f"--in-flight-limit {number}: not a number of minutes"
        raise click.UsageError(message) from None


@attrs.frozen
class _Pass:
    """The answers of a pass, what waited before it, and what waits after it.

    `has_failed`: something could not be recovered.
    """

    answers: list[Answer]
    waited: list[Transaction]
    still: list[Transaction]
    has_failed: bool = attrs.field(kw_only=True)


@attrs.frozen
class _Round:
    """One pass over all that is due."""

    wiring: Wiring
    recovery: Recovery
    limit: int
    stop: Stop

    def run(self) -> "_Pass":
        """What a pass found, and what waits for an operator."""
        answers: list[Answer] = []
        has_failed, waited = False, self._waiting()
        for _ in range(self.limit):
            if self.stop.is_asked:
                break
            try:
                found = self.wiring.engine.recover_next(self.recovery)
            except RecoveryFailed as error:  # it rests, and the others have their turn
                has_failed = True
                note(f"kessai: {error}")
                continue
            if found is None:
                break
            answers += found
        return _Pass(answers, waited, self._waiting(), has_failed=has_failed)

    def _waiting(self) -> list[Transaction]:
        found = waiting(self.wiring.engine.store, self.recovery)
        return [each for each in found if not self._is_anothers(each)]

    def _is_anothers(self, transaction: Transaction) -> bool:
        """Whether it belongs to another account; what never came to be is everyone's."""
        return transaction.exists and not self.wiring.owns(transaction)


def _watch(one: _Round, every: float, report: "_PassReport") -> None:
    while not one.stop.is_asked:
        try:
            report.show(one.run(), always=False)
        except KessaiError as error:  # one that is broken must not keep the others
            note(f"kessai: {error}")
        one.stop.rest(every)


@attrs.define
class _PassReport:
    """Prints what a pass found; in a watch, what waits is printed once."""

    engine: Engine
    asked: Asked
    stop: Stop
    shown: frozenset[str] = frozenset()

    def show(self, done: _Pass, *, always: bool = True) -> int:
        """Print what came of it; the exit code."""
        answers, still = done.answers, done.still
        new = [t for t in still if always or t.id not in self.shown]
        closed = list(closed_since(self.engine, done.waited, self.asked.language))
        if answers or closed or new or always:
            if self.asked.as_json:
                data = _data(self.engine.store, answers, new)
                print_json({**data, "closed": closed_data(closed)})
            else:
                self._print(answers, closed, new)
            sys.stdout.flush()
        self.shown = frozenset(t.id for t in still)
        is_open = any(answer.status in OPEN for answer in answers)
        is_over = not (still or is_open or done.has_failed)
        return exits.DONE if is_over else exits.UNKNOWN

    def _print(
        self,
        answers: list[Answer],
        closed: list[tuple[str, Row]],
        still: list[Transaction],
    ) -> None:
        language = self.asked.language
        if answers:
            print_table(
                word("recovered", language),
                word.each(language, "operation", "command", "status", "state"),
                map(self._row, answers),
            )
        elif not (still or self.stop.is_asked):
            self._print_nothing_due()
        print_closed(closed, language)
        if still:
            print_waiting(self.engine, still, language)

    def _print_nothing_due(self) -> None:
        store, language = self.engine.store, self.asked.language
        if count := len(list(store.open_transactions(sys.maxsize))):
            say(word("nothing_due_yet", language, count=f"{count:,}"))
        else:
            say(word("nothing_due", language))

    def _row(self, answer: Answer) -> list[str]:
        language = self.asked.language
        view = TransactionView.listed(self.engine, answer.transaction, language)
        status = word(outcome_of(answer.status, answer.evidence), language)
        if not answer.is_inquiry_answered:
            status += f" ({word('unreadable', language)})"
        return [
            answer.operation or "",
            view.command(answer.command),
            status,
            view.state(),
        ]


def _data(
    store: Store, answers: list[Answer], still: list[Transaction]
) -> dict[str, Any]:
    return {
        "recovered": [
            {
                "transaction": answer.transaction.id,
                "operation": answer.operation,
                "command": answer.command,
                "key": answer.key,
                "status": answer.status,
                "answered": answer.is_inquiry_answered,
                "state": answer.transaction.status,
            }
            for answer in answers
        ],
        "waiting": [waiting_data(store, transaction) for transaction in still],
    }
