"""Transactions, possibilities and answers, printed for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kessai.cli.terminal.output import say
from kessai.cli.terminal.tables import print_pairs, print_table
from kessai.cli.tx.trail import Row
from kessai.cli.tx.words import amount_title, command_title, state_titles, word
from kessai.evidence.reasons import discrepancy_sentence
from kessai.flow import Answer, Status
from kessai.machine import Denial, Discrepancy, Machine, Possibility, Transaction
from kessai.machine.events import KIND_OF
from kessai.money import Currency, show_amount
from kessai.spec import rule_codes
from kessai.words import Words

_lifecycle_word = Words("lifecycle")


def print_list(
    found: Sequence[tuple[Transaction, Machine | None]], language: str
) -> None:
    """Print a line for each transaction."""
    if not found:
        say(word("none", language))
        return
    names = ("authorized", "captured", "refunded")
    some = found[0][1]
    headings = [word(w, language) for w in ("transaction", "lifecycle", "state")]
    headings += [amount_title(some, name, language) for name in names]
    rows = [
        [
            transaction.id,
            _lifecycle(transaction, machine, language),
            ", ".join(s for _, s in state_titles(machine, transaction, language)),
            *(_amount(transaction, machine, name) for name in names),
            str(len(transaction.operations) or ""),
        ]
        for transaction, machine in found
    ]
    headings.append(word("open", language))
    print_table(word("transactions", language), headings, rows, numbers=4)


def print_transaction(
    transaction: Transaction, machine: Machine | None, language: str
) -> None:
    """Print how a transaction stands: states, amounts, and what needs care."""
    pairs = [(word("transaction", language), transaction.id)]
    if not transaction.exists:
        pairs.append((word("state", language), word("never", language)))
    else:
        lifecycle = _lifecycle(transaction, machine, language)
        pairs.append((word("lifecycle", language), lifecycle))
    if transaction.agreement:
        pairs.append((word("agreement", language), transaction.agreement))
    pairs += state_titles(machine, transaction, language)
    pairs += [
        (
            amount_title(machine, name, language),
            _amount(transaction, machine, name),
        )
        for name, amount in transaction.amounts.items()
        if amount
    ]
    pairs += _deadlines(transaction, machine, language)
    if transaction.discrepancies:
        numbers = ", ".join(map(str, transaction.discrepancies))
        shown = f"{word('events_where', language)} {numbers}"
        pairs.append((word("discrepancies", language), shown))
    print_pairs(pairs)
    if transaction.operations:
        _print_operations(transaction, machine, language)


def print_trail(
    rows: Iterable[Row],
    transaction: Transaction,
    machine: Machine | None,
    language: str,
) -> None:
    """Print every event: when, what, by which rule, on what evidence."""
    rows = list(rows)
    currency = _currency(transaction, machine)
    names = (
        "number",
        "time",
        "event",
        "command",
        "amount",
        "stated",
        "rule",
        "evidence",
    )
    print_table(
        word("trail", language),
        [word(name, language) for name in names],
        (
            [
                str(row.number),
                _time(row.at),
                word(row.event, language),
                command_title(machine, row.command, language),
                _money(row.amount, currency),
                _stated(row, language),
                row.rule,
                " ".join(filter(None, (row.source, row.code))),
            ]
            for row in rows
        ),
    )
    print_rules(trail_rules(rows, machine, language), language)


def trail_rules(
    rows: Iterable[Row], machine: Machine | None, language: str
) -> dict[str, str]:
    """The sentence of each rule code that the rows of a trail name."""
    codes = dict.fromkeys(code for row in rows for code in rule_codes(row.rule))
    rules = machine.lifecycle.rules if machine else {}
    return {c: rules[c].text.in_language(language) for c in codes if c in rules}


def print_rules(rules: Mapping[str, str], language: str) -> None:
    """Print the sentences of rules by their codes; nothing for none."""
    if rules:
        headings = [_lifecycle_word(w, language) for w in ("rule", "rule_says")]
        print_table(_lifecycle_word("rules", language), headings, rules.items())


def _stated(row: Row, language: str) -> str:
    if row.event == KIND_OF[Discrepancy]:
        return discrepancy_sentence(row.stated, language)
    return row.stated


def print_possibilities(
    possibilities: Iterable[Possibility],
    transaction: Transaction,
    machine: Machine | None,
    language: str,
) -> None:
    """Print each command: with which amounts it is allowed, or every reason why not."""
    rules: dict[str, str] = {}
    currency = _currency(transaction, machine)
    for possibility in possibilities:
        title = command_title(machine, possibility.command, language)
        if possibility.denial is None:
            bounds = _bounds(possibility, currency, language)
            say(f"{title}: {word('allowed', language)}, {bounds}")
        else:
            say(f"{title}: {word('denied', language)}")
            _print_reasons(possibility.denial, language)
            rules |= possibility.denial.rules(language)
    print_rules(rules, language)


def print_answer(answer: Answer, machine: Machine | None, language: str) -> None:
    """Print what came of a command, and how its transaction stands."""
    title = command_title(machine, answer.command, language)
    code = answer.evidence.code if answer.evidence else ""
    shown = f"{word(answer.status, language)}" + (f" ({code})" if code else "")
    say(f"{title}: {shown}")
    if answer.denial is not None:
        print_denial(answer.denial, language)
    if answer.is_recorded:
        say(word("recorded", language))
    _print_disclosed(answer, language)
    if answer.transaction.exists:
        print_transaction(answer.transaction, machine, language)


def print_denial(denial: Denial, language: str) -> None:
    """Print every reason of a denial, then the sentence of each rule it names."""
    _print_reasons(denial, language)
    print_rules(denial.rules(language), language)


def _print_reasons(denial: Denial, language: str) -> None:
    sentences = denial.sentences(language)
    for reason, sentence in zip(denial.reasons, sentences, strict=True):
        say(f"  {sentence} [{reason.code}, {reason.rule}]")


def _print_disclosed(answer: Answer, language: str) -> None:
    """Show the person what they asked for; a page is for a browser, not a terminal."""
    disclosed = dict(answer.disclosed)
    page = disclosed.pop("page", None)
    if page and answer.status is Status.PENDING:
        say(word("send_on", language))
    address: Mapping[str, Any] = disclosed.pop("address", {})
    shown = {**disclosed, **address}
    print_pairs((name, _printable(str(value))) for name, value in shown.items())


def _printable(text: str) -> str:
    """`text` without what could move a terminal's cursor or change its colours."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


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


def _deadlines(
    transaction: Transaction, machine: Machine | None, language: str
) -> Iterable[tuple[str, str]]:
    """The deadlines that are running: those of a state that is left do not count."""
    for name, ends in transaction.deadlines.items():
        declared = machine.deadlines.get(name) if machine else None
        state = transaction.states.get(declared.track) if declared else None
        if declared is None or state == declared.state:
            yield f"{word('deadline', language)} ({name})", _time(ends)


def _print_operations(
    transaction: Transaction, machine: Machine | None, language: str
) -> None:
    currency = _currency(transaction, machine)
    names = ("operation", "command", "amount", "phase", "begun_at", "key")
    print_table(
        word("operations", language),
        [word(name, language) for name in names],
        (
            [
                operation.id,
                command_title(machine, operation.command, language),
                _money(operation.amount, currency),
                operation.phase,
                _time(operation.begun_at),
                operation.key,
            ]
            for operation in transaction.operations.values()
        ),
    )


def _lifecycle(transaction: Transaction, machine: Machine | None, language: str) -> str:
    if machine is None:
        return transaction.lifecycle
    return machine.lifecycle.title.in_language(language)


def _currency(transaction: Transaction, machine: Machine | None) -> Currency | None:
    return machine.lifecycle.currency(transaction.currency) if machine else None


def _amount(transaction: Transaction, machine: Machine | None, name: str) -> str:
    return _money(transaction.amounts.get(name), _currency(transaction, machine))


def _money(amount: int | None, currency: Currency | None) -> str:
    return "" if amount is None else show_amount(amount, currency)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
