"""From a merged TOML document to a `Lifecycle`, noting every mistake of shape.

Mistakes of sense in well-shaped declarations (an unknown state, two enabled moves) are
found afterwards, by `kessai.spec.checks`.
"""

import re
from collections.abc import Iterable, Mapping

from kessai.money import MOST_DIGITS, Currency
from kessai.spec.expression import Expression
from kessai.spec.model import (
    Agreement,
    AmountRange,
    CommandSpec,
    Deadline,
    Guard,
    Identifier,
    Invariant,
    Lifecycle,
    Move,
    Opening,
    Rule,
    Track,
)
from kessai.spec.parameters import read_parameter
from kessai.spec.table import NOTHING, Table

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_CHARACTERS = re.compile(r"[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]|[A-Za-z0-9._:~-]")
_CODE = re.compile(r"[A-Z]{3}")
_LASTS = re.compile(r"([1-9][0-9]{0,5}) (seconds|minutes|hours|days)", re.ASCII)


def read_lifecycle(document: Table) -> Lifecycle:
    """Return the lifecycle that `document` declares; note its mistakes."""
    head = document.table("lifecycle", needed=True)
    name, title = head.text("name", needed=True), head.translated("title")
    source, currencies = head.text("source", needed=True), _currencies(head)
    lifecycle = Lifecycle(
        name=name,
        title=title,
        source=source,
        currencies=currencies,
        identifier=_identifier(document.table("transaction", needed=True)),
        tracks={k: _track(k, t) for k, t in document.table("tracks").tables()},
        amounts={
            k: t.whole_translation() for k, t in document.table("amounts").tables()
        },
        parameters={
            k: read_parameter(k, t) for k, t in document.table("parameters").tables()
        },
        guards={k: _guard(k, t) for k, t in document.table("guards").tables()},
        commands={
            k: _command(k, t, currencies)
            for k, t in document.table("commands").tables()
        },
        deadlines={k: _deadline(k, t) for k, t in document.table("deadlines").tables()},
        invariants={
            k: _invariant(k, t) for k, t in document.table("invariants").tables()
        },
        rules={k: _rule(k, t) for k, t in document.table("rules").tables()},
        reversals={
            k: _reversal(k, t, currencies)
            for k, t in document.table("reversals").tables()
        },
    )
    head.no_more()
    document.no_more()
    return lifecycle


def _currencies(head: Table) -> Mapping[str, Currency]:
    """The currencies by code; a list of codes has been given its digits before."""
    table = head.table("currencies")
    found: dict[str, Currency] = {}
    for code in sorted(table.keys):
        digits = table.value(code, int, 0)
        if not _CODE.fullmatch(code):
            table.wrong(f"a currency has a code such as JPY, not {code!r}", code)
        if not 0 <= digits <= MOST_DIGITS:
            table.wrong(f"a currency has 0 to {MOST_DIGITS} minor digits", code)
        found[code] = Currency(code, digits)
    if not found:
        head.wrong("'currencies' is missing; it must be a list such as [\"JPY\"]")
    return found


def _identifier(table: Table) -> Identifier:
    # The hyphen goes last, where it is itself: between two others it means a range.
    items = sorted(
        table.text("characters", needed=True).split(), key=lambda item: item == "-"
    )
    for item in items:
        if not _CHARACTERS.fullmatch(item):
            table.wrong(
                f"'characters' lists A-Z, a-z, 0-9 and single marks, not {item!r}",
                "characters",
            )
    identifier = Identifier(
        characters="".join(items),
        max_characters=table.count("max", needed=True) or 1,
        rule=table.rule(),
    )
    table.no_more()
    return identifier


def _track(name: str, table: Table) -> Track:
    states = table.table("states", needed=True)
    track = Track(
        name=name,
        title=table.translated("title"),
        initial=table.text("initial", needed=True),
        declined=table.text("declined", needed=True),
        final=frozenset(table.strings("final", needed=True)),
        states={k: t.whole_translation() for k, t in states.tables()},
    )
    table.no_more()
    return track


def _guard(code: str, table: Table) -> Guard:
    guard = Guard(
        code=code,
        holds=table.needed_expression("holds"),
        rule=table.rule(),
        text=table.translation(),
    )
    table.no_more()
    return guard


def _invariant(name: str, table: Table) -> Invariant:
    invariant = Invariant(
        name=name,
        holds=table.needed_expression("holds"),
        rule=table.rule(),
    )
    table.no_more()
    return invariant


def _rule(code: str, table: Table) -> Rule:
    rule = Rule(
        code=code,
        text=table.translation(),
        source=table.text("source", needed=True),
    )
    table.no_more()
    return rule


def _command(name: str, table: Table, currencies: Iterable[str]) -> CommandSpec:
    amount = _amount(table, currencies)
    reports = table.expression("reports")
    if reports is None and amount is not None:
        reports = Expression.parse("amount")
    command = CommandSpec(
        name=name,
        title=table.translated("title"),
        rule=table.rule(),
        moves=tuple(_move(item) for item in table.items("moves")),
        opens=tuple(_opening(item) for item in table.items("opens")),
        amount=amount,
        required=table.strings("required"),
        optional=table.strings("optional"),
        guards=table.strings("guards"),
        agreement=_agreement(table.table("agreement"))
        if table.has("agreement")
        else None,
        alongside=frozenset(table.strings("alongside")),
        reads=table.value("reads", bool, False),
        reserve=table.effects("reserve"),
        commit=table.effects("commit"),
        release=table.effects("release"),
        reports=reports,
    )
    if not command.moves:
        table.wrong("a command needs at least one move")
    table.no_more()
    return command


def _reversal(name: str, table: Table, currencies: Iterable[str]) -> CommandSpec:
    """What the gateway may do to a success of the command `name` later on."""
    reversal = CommandSpec(
        name=name,
        title=table.translated("title"),
        rule=table.rule(),
        moves=tuple(_move(item) for item in table.items("moves")),
        amount=_amount(table, currencies),
        commit=table.effects("commit"),
    )
    if not reversal.moves:
        table.wrong("a reversal needs at least one move")
    if any(amount.default for amount in (reversal.amount or {}).values()):
        message = "a reversal has no default: the gateway states its amount"
        table.wrong(message, "amount", "default")
    table.no_more()
    return reversal


def _amount(
    command: Table, currencies: Iterable[str]
) -> Mapping[str, AmountRange] | None:
    if not command.has("amount"):
        return None
    table = command.table("amount")
    minimum = table.by_currency("min", currencies, needed=True)
    maximum = table.by_currency("max", currencies, needed=True)
    default = table.by_currency("default", currencies)
    rule = table.rule()
    table.no_more()
    return {
        code: AmountRange(
            minimum=minimum[code] or NOTHING,
            maximum=maximum[code] or NOTHING,
            default=default[code],
            rule=rule,
        )
        for code in currencies
    }


def _opening(table: Table) -> Opening:
    opening = Opening(
        track=table.text("track", needed=True), when=table.expression("when")
    )
    table.no_more()
    return opening


def _agreement(table: Table) -> Agreement:
    track, state = _state(table, "state")
    agreement = Agreement(
        lifecycle=table.text("lifecycle", needed=True),
        track=track,
        state=state,
        unless_open=table.strings("unless_open"),
        rule=table.rule(),
    )
    table.no_more()
    return agreement


def _move(table: Table) -> Move:
    sources = [
        _split(table, "from", name) for name in table.strings("from", needed=True)
    ]
    track, target = _state(table, "to") if table.has("to") else ("", None)
    tracks = [found for found, _ in (*sources, (track, target)) if found]
    if len(set(tracks)) > 1:
        table.wrong("a move stays on one track; write one move a track")
    move = Move(
        track=tracks[0] if tracks else "",
        sources=tuple(state for _, state in sources),
        target=target,
        rule=table.rule(),
        when=table.expression("when"),
        guards=table.strings("guards"),
        commit=table.effects("commit") if table.has("commit") else None,
    )
    table.no_more()
    return move


def _deadline(name: str, table: Table) -> Deadline:
    track, state = _state(table, "from")
    to_track, target = _state(table, "to")
    if track and to_track and track != to_track:
        table.wrong("a deadline stays on one track")
    deadline = Deadline(
        name=name,
        track=track,
        state=state,
        target=target,
        seconds=_seconds(table),
        starts=frozenset(table.strings("starts", needed=True)),
        denies=frozenset(table.strings("denies", needed=True)),
        code=table.text("code", needed=True),
        rule=table.rule(),
        text=table.translation(),
        commit=table.effects("commit"),
    )
    table.no_more()
    return deadline


def _seconds(table: Table) -> int:
    lasts = table.text("lasts", needed=True)
    found = _LASTS.fullmatch(lasts)
    if found is None:
        if lasts:
            units = ", ".join(_UNITS)
            message = f"'lasts' must be like \"30 days\" ({units}), not {lasts!r}"
            table.wrong(message, "lasts")
        return 1
    return int(found[1]) * _UNITS[found[2]]


def _state(table: Table, key: str) -> tuple[str, str]:
    return _split(table, key, table.text(key, needed=True))


def _split(table: Table, key: str, name: str) -> tuple[str, str]:
    track, dot, state = name.partition(".")
    if name and not (track and dot and state):
        table.wrong(f"a state is written TRACK.STATE, not {name!r}", key)
        return "", ""
    return track, state
