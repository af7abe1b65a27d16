"""What a drawing's tooltips show: the declaration of one state or arrow, in sentences."""

import re
from collections.abc import Iterator

from kessai.diagram.arrows import Arrow, arrows, role, state_id
from kessai.diagram.words import duration, word
from kessai.money import Currency
from kessai.spec import AmountRange, CommandSpec, Expression, Lifecycle, Track
from kessai.words import Words

_joining = Words("joining")
_TOKEN = re.compile(r"not\s+[a-z][a-z0-9_]*|[a-z][a-z0-9_]*|[<>=!]=|[*-]")
_SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "*": "×", "-": "−"}
_SHORT = re.compile(r"[,、;；:：(（].*", re.DOTALL)


def state_title(
    lifecycle: Lifecycle, track: Track, state: str, language: str
) -> tuple[str, ...]:
    """Return the lines that describe a state."""
    purpose = role(lifecycle, track, state)
    name = track.states[state].in_language(language)
    roles = [word(purpose, language)] if purpose in {"initial", "failed"} else []
    if state in track.final:
        roles.append(word("final", language))
    lines = [f"{track.title.in_language(language)}: {name}"]
    lines += [_joining("comma", language).join(roles)] if roles else []
    for deadline in lifecycle.deadlines.values():
        if (deadline.track, deadline.state) == (track.name, state):
            lasts = duration(deadline.seconds, language)
            lines.append(f"{word('lasts', language)}: {lasts} ({deadline.rule})")
    return (*map(_one_line, lines), state_id(track.name, state))


def arrow_title(lifecycle: Lifecycle, arrow: Arrow, language: str) -> tuple[str, ...]:
    """Return the lines on when an arrow may be taken, and by which rule."""
    names = lifecycle.tracks[arrow.track].states
    ends = [names[s].in_language(language) for s in (arrow.source, arrow.target) if s]
    lines = (
        f"{arrow.label}: {' → '.join(ends)}",
        *_terms(lifecycle, arrow, language),
        f"{word('rule', language)}: {arrow.rule}",
        *([word("external_possible", language)] if arrow.is_external else []),
    )
    return tuple(map(_one_line, lines))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _terms(lifecycle: Lifecycle, arrow: Arrow, language: str) -> Iterator[str]:
    when = condition(lifecycle, arrow.when, language)
    if when:
        yield f"{word('condition', language)}: {when}"
    by_cause = {"command": lifecycle.commands, "opening": lifecycle.commands}
    by_cause["reversal"] = lifecycle.reversals
    command = by_cause.get(arrow.cause, {}).get(arrow.name)
    if command is None:
        return
    yield from _ranges(lifecycle, command, language)
    for code in arrow.guards:
        yield lifecycle.guards[code].text.in_language(language)


def _ranges(lifecycle: Lifecycle, command: CommandSpec, language: str) -> Iterator[str]:
    """The amounts that a command takes; in each currency where they differ."""
    ranges = by_range(command)
    each: list[tuple[AmountRange, Currency | None]] = [(one, None) for one in ranges]
    if len(ranges) > 1:
        found = (command.amount or {}).items()
        each = [(amount, lifecycle.currencies[code]) for code, amount in found]
    for amount, currency in each:
        least, most = (
            condition(lifecycle, bound, language)
            if currency is None or bound.names
            else currency.show(bound.evaluate({}))
            for bound in (amount.minimum, amount.maximum)
        )
        yield f"{word('amount', language)}: {least} … {most} ({amount.rule})"


def by_range(command: CommandSpec) -> dict[AmountRange, list[str]]:
    """Return the amounts that a command takes, each range with its currencies."""
    found: dict[AmountRange, list[str]] = {}
    for code, amount in (command.amount or {}).items():
        found.setdefault(amount, []).append(code)
    return found


def condition(
    lifecycle: Lifecycle, expression: Expression | None, language: str
) -> str:
    """Show an expression with the titles of what it names; nothing for none."""
    if expression is None:
        return ""

    def shown(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith("not") and len(words := token.split()) > 1:
            name = _named(lifecycle, words[1], language)
            return _joining("not", language, name=name)
        return _SIGNS.get(token) or _named(lifecycle, token, language)

    text = _TOKEN.sub(shown, expression.text)
    return re.sub(r"(?<=\d)_(?=\d)", ",", text)


def _named(lifecycle: Lifecycle, name: str, language: str) -> str:
    """Return a title of an amount or a flag, as short as it can be; else the word."""
    if name in lifecycle.amounts:
        title = lifecycle.amounts[name].in_language(language)
    elif name in lifecycle.flags:
        title = lifecycle.parameters[name].title.in_language(language)
    else:
        if name in {"and", "or"}:
            return _joining(name, language).strip()
        return word("amount_named", language) if name == "amount" else name
    return _SHORT.sub("", title) or title


def description(lifecycle: Lifecycle, language: str) -> str:
    """Describe the whole picture to those who cannot see it, a line an arrow."""
    lines = []
    for track in lifecycle.tracks.values():
        lines.append(f"{track.title.in_language(language)}:")
        lines += (
            arrow_title(lifecycle, arrow, language)[0]
            for arrow in arrows(lifecycle, track, language)
        )
    return "\n".join(lines)
