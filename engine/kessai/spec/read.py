"""From a merged TOML document to a `Lifecycle`, noting every mistake of shape.

Mistakes of sense in well-shaped declarations (an unknown state, two enabled moves) are
found afterwards, by `kessai.spec.checks`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial

import attrs

from kessai.money import MOST_DIGITS, Currency
from kessai.spec.expression import Expression
from kessai.spec.model import (
    Abandonment,
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
        identifier=document.table("transaction", needed=True).whole(_identifier),
        tracks=document.each("tracks", _track),
        amounts=document.each("amounts", Table.translation),
        parameters=document.each("parameters", read_parameter),
        guards=document.each("guards", _guard),
        commands=document.each("commands", partial(_command, currencies)),
        deadlines=document.each("deadlines", _deadline),
        invariants=document.each("invariants", _invariant),
        rules=document.each("rules", _rule),
        reversals=document.each("reversals", partial(_reversal, currencies)),
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
    return Identifier(
        characters="".join(items),
        max_characters=table.count("max", needed=True) or 1,
        rule=table.rule(),
    )


def _track(table: Table) -> Track:
    return Track(
        name=table.name,
        title=table.translated("title"),
        initial=table.text("initial", needed=True),
        declined=table.text("declined", needed=True),
        final=frozenset(table.strings("final", needed=True)),
        states=table.each("states", Table.translation, needed=True),
    )


def _guard(table: Table) -> Guard:
    return Guard(
        code=table.name,
        holds=table.needed_expression("holds"),
        rule=table.rule(),
        text=table.translation(),
    )


def _invariant(table: Table) -> Invariant:
    return Invariant(
        name=table.name,
        holds=table.needed_expression("holds"),
        rule=table.rule(),
    )


def _rule(table: Table) -> Rule:
    return Rule(
        code=table.name,
        text=table.translation(),
        source=table.text("source", needed=True),
    )


def _command(currencies: Iterable[str], table: Table) -> CommandSpec:
    command = _change(currencies, table, "command")
    reports = table.expression("reports")
    if reports is None and command.amount is not None:
        reports = Expression.parse("amount")
    command = attrs.evolve(
        command,
        opens=table.items("opens", _opening),
        required=table.strings("required"),
        optional=table.strings("optional"),
        guards=table.strings("guards"),
        agreement=table.part("agreement", _agreement),
        alongside=frozenset(table.strings("alongside")),
        reads=table.value("reads", bool, False),
        reserve=table.effects("reserve"),
        release=table.effects("release"),
        reports=reports,
        abandoned=table.part("abandoned", _abandonment),
    )
    if command.abandoned is not None and not command.opens:
        table.wrong("only an opening command can be abandoned", "abandoned")
    return command


def _abandonment(table: Table) -> Abandonment:
    return Abandonment(seconds=_seconds(table), rule=table.rule())


def _reversal(currencies: Iterable[str], table: Table) -> CommandSpec:
    """What the gateway may do to a success of the command of that name later on."""
    reversal = _change(currencies, table, "reversal")
    if any(amount.default for amount in (reversal.amount or {}).values()):
        message = "a reversal has no default: the gateway states its amount"
        table.wrong(message, "amount", "default")
    return reversal


def _change(currencies: Iterable[str], table: Table, kind: str) -> CommandSpec:
    """What commands and reversals have in common."""
    change = CommandSpec(
        name=table.name,
        title=table.translated("title"),
        rule=table.rule(),
        moves=table.items("moves", _move),
        amount=table.part("amount", partial(_amount, currencies)),
        commit=table.effects("commit"),
    )
    if not change.moves:
        table.wrong(f"a {kind} needs at least one move")
    return change


def _amount(currencies: Iterable[str], table: Table) -> Mapping[str, AmountRange]:
    minimum = table.by_currency("min", currencies, needed=True)
    maximum = table.by_currency("max", currencies, needed=True)
    default = table.by_currency("default", currencies)
    rule = table.rule()
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
    return Opening(
        track=table.text("track", needed=True), when=table.expression("when")
    )


def _agreement(table: Table) -> Agreement:
    track, state = _state(table, "state")
    return Agreement(
        lifecycle=table.text("lifecycle", needed=True),
        track=track,
        state=state,
        unless_open=table.strings("unless_open"),
        rule=table.rule(),
    )


def _move(table: Table) -> Move:
    sources = [
        _split(table, "from", name) for name in table.strings("from", needed=True)
    ]
    track, target = _state(table, "to") if table.has("to") else ("", None)
    tracks = [found for found, _ in (*sources, (track, target)) if found]
    if len(set(tracks)) > 1:
        table.wrong("a move stays on one track; write one move a track")
    return Move(
        track=tracks[0] if tracks else "",
        sources=tuple(state for _, state in sources),
        target=target,
        rule=table.rule(),
        when=table.expression("when"),
        guards=table.strings("guards"),
        commit=table.effects("commit") if table.has("commit") else None,
        external=table.value("external", bool, False),
    )


def _deadline(table: Table) -> Deadline:
    track, state = _state(table, "from")
    to_track, target = _state(table, "to")
    if track and to_track and track != to_track:
        table.wrong("a deadline stays on one track")
    return Deadline(
        name=table.name,
        track=track,
        state=state,
        target=target,
        seconds=_seconds(table),
        starts=frozenset(table.strings("starts", needed=True)),
        denies=frozenset(table.strings("denies", needed=True, may_be_empty=True)),
        code=table.text("code", needed=True),
        rule=table.rule(),
        text=table.translation(),
        commit=table.effects("commit"),
    )


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
