"""What came of a command file, for people: what happened, and how things stand."""

from collections.abc import Iterable, Iterator, Mapping

from kessai.cli.output import say
from kessai.cli.tables import print_pairs, print_table
from kessai.cli.totals import Totals
from kessai.flow import Status
from kessai.machine import Machine
from kessai.money import Currency, show_amount
from kessai.spec import Text, Words

word = Words(
    {
        "commands": Text(en="What came of the commands", ja="コマンドの結果"),
        "command": Text(en="Command", ja="コマンド"),
        "succeeded": Text(en="Succeeded", ja="成功"),
        "denied": Text(en="Denied", ja="拒否"),
        "declined": Text(en="Declined", ja="不成立"),
        "pending": Text(en="Pending", ja="保留"),
        "unknown": Text(en="Unknown", ja="不明"),
        "states": Text(en="Where the transactions stand", ja="取引の状態"),
        "lifecycle": Text(en="Lifecycle", ja="ライフサイクル"),
        "track": Text(en="Track", ja="トラック"),
        "state": Text(en="State", ja="状態"),
        "transactions": Text(en="Transactions", ja="取引"),
        "captured": Text(en="Captured", ja="売上額"),
        "refunded": Text(en="Refunded", ja="返金額"),
        "left_open": Text(en="Left open", ja="未完了の処理"),
        "discrepancies": Text(en="Discrepancies", ja="不一致"),
        "lines": Text(en="Commands", ja="コマンド"),
        "seconds": Text(en="Seconds", ja="秒"),
        "running": Text(en="Carrying out", ja="実行中"),
        "open_help": Text(
            en="What is left open is looked up when the same file is run again.",
            ja="未完了の処理は、同じファイルを再実行すると照会されます。",
        ),
    }
)


def print_totals(
    totals: Totals, machines: Iterable[Machine], seconds: float, language: str
) -> None:
    """Print the whole report."""
    known = {machine.name: machine for machine in machines}
    _print_outcomes(totals, known, language)
    _print_states(totals, known, language)
    pairs = [
        ("lines", f"{totals.commands:,}"),
        ("transactions", f"{totals.transactions:,}"),
        *_money(totals, known),
        ("left_open", f"{totals.left_open:,}"),
        ("discrepancies", f"{totals.discrepancies:,}"),
        ("seconds", f"{seconds:,.1f}"),
    ]
    print_pairs((word(name, language), value) for name, value in pairs)
    if totals.left_open:
        say(word("open_help", language))


def _money(
    totals: Totals, machines: Mapping[str, Machine]
) -> Iterator[tuple[str, str]]:
    known: dict[str, Currency] = {}
    for machine in machines.values():
        known.update(machine.lifecycle.currencies)
    for (name, code), amount in sorted(totals.sums.items()):
        yield name, show_amount(amount, known.get(code))


def _print_outcomes(
    totals: Totals, machines: Mapping[str, Machine], language: str
) -> None:
    always = (Status.SUCCEEDED, Status.DENIED)
    seen = {outcome for outcome, _ in totals.outcomes}
    columns = [s for s in Status if s in always or s in seen]
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
    headings = [word(w, language) for w in ("lifecycle", "track", "state")]
    print_table(
        word("states", language),
        [*headings, word("transactions", language)],
        (
            [*_titles(machines, key, language), f"{number:,}"]
            for key, number in sorted(totals.states.items())
        ),
        numbers=1,
    )


def _command_titles(machines: Mapping[str, Machine], language: str) -> dict[str, str]:
    return {
        name: command.spec.title.in_language(language)
        for machine in machines.values()
        for name, command in machine.commands.items()
    }


def _titles(
    machines: Mapping[str, Machine], key: tuple[str, ...], language: str
) -> tuple[str, str, str]:
    """The declared titles of a track's state; its names under a file not known here."""
    track, lifecycle, state = key
    machine = machines.get(lifecycle)
    declared = machine.lifecycle.tracks.get(track) if machine else None
    if machine is None or declared is None or state not in declared.states:
        return lifecycle, track, state
    return (
        machine.lifecycle.title.in_language(language),
        declared.title.in_language(language),
        declared.states[state].in_language(language),
    )
