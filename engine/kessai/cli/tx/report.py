"""Transactions, possibilities and answers, printed for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kessai.cli.terminal.output import failure_line, reason_lines, say
from kessai.cli.terminal.tables import print_pairs, print_table
from kessai.cli.tx.trail import Row, trail_rules
from kessai.cli.tx.view import TransactionView, outcome_of
from kessai.evidence.reasons import discrepancy_sentence
from kessai.flow import Answer, RecoveryFailure, Status
from kessai.machine import Denial, Discrepancy, Possibility
from kessai.machine.events import KIND_OF
from kessai.money import Currency, show_amount
from kessai.words import Words

word, _lifecycle_word = Words("tx"), Words("lifecycle")
_outcome_word, _disclosed_word = Words("recovery"), Words("disclosed")


def print_transaction(
    view: TransactionView,
    disclosed: Iterable[tuple[str, str]] = (),
    failure: RecoveryFailure | None = None,
) -> None:
    """Print how a transaction stands: states, amounts, and what needs care.

    `disclosed` is what the gateway has just answered besides, by its titles; `failure`
    is how the last recovery ended.
    """
    transaction, language = view.transaction, view.language
    pairs = [("transaction", transaction.id)]
    if not transaction.exists:
        pairs.append(("state", word("never", language)))
    else:
        pairs.append(("lifecycle", view.lifecycle))
        pairs.append(("account", transaction.account))
    if transaction.agreement:
        pairs.append(("agreement", transaction.agreement))
    shown = [(word(name, language), value) for name, value in pairs]
    shown += view.states()
    shown += [
        (view.amount_title(name), view.money(amount))
        for name, amount in transaction.amounts.items()
        if amount
    ]
    shown += disclosed
    deadline = word("deadline", language)
    shown += [
        (f"{deadline} ({name})", _time_utc(ends)) for name, ends in view.deadlines()
    ]
    shown += [
        (word(name, language), f"{word('events_where', language)} {numbers}")
        for name, events in (
            ("discrepancies", transaction.discrepancies),
            ("unclaimed", transaction.unclaimed_events),
        )
        if (numbers := ", ".join(map(str, events)))
    ]
    if failure is not None:
        title = _outcome_word("recovery_failure", language)
        shown.append((title, failure_line(failure, language)))
    print_pairs(shown)
    if transaction.operations:
        _print_operations(view)


def print_trail(rows: Sequence[Row], view: TransactionView) -> None:
    """Print every event: when, what, by which rule, on what evidence."""
    language = view.language
    names = ("number", "time", "event", "command", "amount", "stated", "rule")
    print_table(
        word("trail", language),
        word.each(language, *names, "evidence"),
        (
            [
                str(row.number),
                _time(row.at),
                word(row.event, language),
                view.command(row.command),
                view.money(row.amount),
                _stated(row, view),
                row.rule,
                " ".join(filter(None, (_source(row, language), row.code, row.actor))),
            ]
            for row in rows
        ),
    )
    print_rules(trail_rules(rows, view.machine, language), language)


def print_rules(rules: Mapping[str, str], language: str) -> None:
    """Print the sentences of rules by their codes; nothing for none."""
    if rules:
        headings = _lifecycle_word.each(language, "rule", "rule_says")
        print_table(_lifecycle_word("rules", language), headings, rules.items())


def _stated(row: Row, view: TransactionView) -> str:
    if row.event == KIND_OF[Discrepancy]:
        sentence = discrepancy_sentence(row.stated, view.language)
        if row.closed_by is None:
            return sentence
        return f"{sentence}; {word('closed_by', view.language, number=row.closed_by)}"
    if row.reasons:
        return view.why(row.command, row.reasons)
    if row.outcome is None:
        return row.stated
    outcome = _outcome_word(row.outcome, view.language)
    return f"{outcome}: {row.note}" if row.note else outcome


def _source(row: Row, language: str) -> str:
    return word(row.source, language) if row.source else ""


def print_possibilities(
    possibilities: Iterable[Possibility], view: TransactionView
) -> None:
    """Print each command: with which amounts it is allowed, or every reason why not."""
    rules: dict[str, str] = {}
    language = view.language
    for possibility in possibilities:
        title = view.command(possibility.command)
        if possibility.denial is None:
            bounds = _bounds(possibility, view.currency, language)
            say(f"{title}: {word('allowed', language)}, {bounds}")
            for each in possibility.unclaimed:
                amount = view.money(each.amount)
                say(f"  {word('asks', language, amount=amount, event=each.event)}")
        else:
            say(f"{title}: {word('denied', language)}")
            _print_reasons(possibility.denial, language)
            rules |= possibility.denial.rules(language)
    print_rules(rules, language)


def print_answer(answer: Answer, view: TransactionView) -> None:
    """Print what came of a command, and how its transaction stands."""
    language = view.language
    code = answer.evidence.code if answer.evidence else ""
    outcome = outcome_of(answer.status, answer.evidence)
    status = word(outcome, language) + (f" ({code})" if code else "")
    say(f"{view.command(answer.command)}: {status}")
    if answer.denial is not None:
        print_denial(answer.denial, language)
    if answer.is_recorded:
        say(word("recorded", language))
    if outcome != answer.status:  # as it never arrived, it may be asked for again
        say(word("open_anew" if view.opens(answer.command) else "ask_anew", language))
    if not answer.is_inquiry_answered:
        say(word("unanswered", language))
    disclosed = _disclosed(answer, view)
    if answer.transaction.exists:
        print_transaction(view, disclosed)
    else:
        print_pairs(disclosed)


def print_denial(denial: Denial, language: str) -> None:
    """Print every reason of a denial, then the sentence of each rule it names."""
    _print_reasons(denial, language)
    print_rules(denial.rules(language), language)


def _print_reasons(denial: Denial, language: str) -> None:
    for line in reason_lines(denial, language):
        say(f"  {line}")


def _disclosed(answer: Answer, view: TransactionView) -> list[tuple[str, str]]:
    """What was asked for, by its titles; a page is for a browser, not a terminal.

    A whole number is an amount.
    """
    disclosed = dict(answer.disclosed)
    page = disclosed.pop("page", None)
    if page and answer.status is Status.PENDING:
        say(word("send_on", view.language))
    if answer.is_page_lost:
        say(word("page_lost", view.language))
    address: Mapping[str, Any] = disclosed.pop("address", {})
    return [
        (
            _disclosed_word(name, view.language) if name in _disclosed_word else name,
            view.money(value) if type(value) is int else str(value),
        )
        for name, value in {**disclosed, **address}.items()
    ]


def _bounds(possibility: Possibility, currency: Currency | None, language: str) -> str:
    bounds = possibility.bounds
    if bounds is None:
        return word("any_amount", language)
    minimum = show_amount(bounds.minimum, currency)
    maximum = show_amount(bounds.maximum, currency)
    shown = word("from_to", language, minimum=minimum, maximum=maximum)
    if bounds.default is None:
        return shown
    default = show_amount(bounds.default, currency)
    return f"{shown} ({word('default', language)} {default})"


def _print_operations(view: TransactionView) -> None:
    names = ("operation", "command", "amount", "phase", "begun_at", "key")
    print_table(
        word("operations", view.language),
        word.each(view.language, *names),
        (
            [
                operation.id,
                view.command(operation.command),
                view.money(operation.amount),
                _outcome_word(operation.phase, view.language),
                _time_utc(operation.begun_at),
                operation.key,
            ]
            for operation in view.transaction.operations.values()
        ),
    )


def _time_utc(at: datetime) -> str:
    return f"{_time(at)} UTC"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
