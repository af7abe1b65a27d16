"""What came of a command file, for people: what happened, and how things stand."""

from collections.abc import Iterable, Iterator, Mapping

from kessai.cli.run.totals import Totals
from kessai.cli.terminal.output import say
from kessai.cli.terminal.tables import print_pairs, print_table
from kessai.cli.tx.titles import state_titles
from kessai.flow import Status
from kessai.flow.effects import ARCHIVED
from kessai.machine import Machine
from kessai.money import Currency, show_amount
from kessai.words import Words

word, _amounts = Words("run.lines"), Words("run.amounts")


def print_totals(
    totals: Totals, machines: Iterable[Machine], seconds: float | None, language: str
) -> None:
    """Print the whole report, with the time it took if that is given."""
    known = {machine.name: machine for machine in machines}
    _print_outcomes(totals, known, language)
    _print_states(totals, known, language)
    pairs = [
        ("lines", f"{totals.commands:,}"),
        ("transactions", f"{totals.transactions:,}"),
        ("left_open", f"{totals.left_open:,}"),
        ("discrepancies", f"{totals.discrepancies:,}"),
    ]
    if seconds is not None:
        pairs.append(("seconds", f"{seconds:,.1f}"))
    shown = [(word(name, language), value) for name, value in pairs]
    print_pairs((*shown[:2], *_money(totals, known, language), *shown[2:]))
    if totals.left_open:
        say(word("open_help", language))


def _money(
    totals: Totals, machines: Mapping[str, Machine], language: str
) -> Iterator[tuple[str, str]]:
    known: dict[str, Currency] = {}
    for machine in machines.values():
        known.update(machine.lifecycle.currencies)
    for (name, code), amount in sorted(totals.sums.items()):
        yield _amounts(name, language), show_amount(amount, known.get(code))


def _print_outcomes(
    totals: Totals, machines: Mapping[str, Machine], language: str
) -> None:
    always = (Status.SUCCEEDED, Status.DENIED)
    seen = {outcome for outcome, _ in totals.outcomes}
    columns = [s for s in (*Status, ARCHIVED) if s in always or s in seen]
    titles = _command_titles(machines, language)
    names = [name for name in titles if any(totals.outcomes[s, name] for s in columns)]
    print_table(
        word("commands", language),
        [word("command", language), *(word(s, language) for s in columns)],
        (
            [titles[name], *(f"{totals.outcomes[s, name]:,}" for s in columns)]
            for name in names
        ),
        numbers=len(columns),
    )


def _print_states(
    totals: Totals, machines: Mapping[str, Machine], language: str
) -> None:
    print_table(
        word("states", language),
        word.each(language, "lifecycle", "track", "state", "transactions"),
        (
            [*_titles(machines, *key, language), f"{number:,}"]
            for key, number in sorted(totals.states.items())
        ),
        numbers=1,
    )


def _titles(
    machines: Mapping[str, Machine], track: str, name: str, state: str, language: str
) -> tuple[str, str, str]:
    lifecycle = machines[name].lifecycle if name in machines else None
    title = lifecycle.title.in_language(language) if lifecycle else name
    return title, *state_titles(lifecycle, track, state, language)


def _command_titles(machines: Mapping[str, Machine], language: str) -> dict[str, str]:
    return {
        name: command.spec.title.in_language(language)
        for machine in machines.values()
        for name, command in machine.commands.items()
    }
