"""A lifecycle as a Markdown page of tables, for auditors and for documentation."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kessai.diagram.arrows import arrows
from kessai.diagram.titles import by_range
from kessai.diagram.words import duration, word
from kessai.spec import CommandSpec, Lifecycle, Parameter, Text, Track, rule_codes
from kessai.words import printable

Row = Sequence[str]

_BOUNDS = ("command", "rule", "min", "max", "default", "rule", "alongside")
_DEADLINES = ("state", "lasts", "starts", "denies", "to", "code", "sentence", "rule")
_PARAMETERS = ("name", "meaning", "kind", "at_most", "taken_by", "rule")
_SPECIAL = re.compile(r"([\\`*_\[\]#|~>])")


def markdown(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return the whole declaration as a page: states, commands, amounts, guards, …."""
    return Page(lifecycle, language).text()


class Page:
    """The page of one lifecycle in one language."""

    def __init__(self, lifecycle: Lifecycle, language: str) -> None:
        self._lifecycle = lifecycle
        self._language = language

    def text(self) -> str:
        """Return the page."""
        blocks = [*self._head()]
        for track in self._lifecycle.tracks.values():
            opened = self._table(("opened_by", "condition"), self._openings(track))
            moved = ("from", "command", "condition", "to", "rule")
            blocks += [
                f"## {self._word('track')}: {self._say(track.title)}",
                self._table(("state", "meaning", "role"), self._states(track)),
                *([opened] if opened else []),
                self._table(moved, self._arrows(track)),
            ]
        blocks += [f"## {self._word('matrix')}", self._matrix()]
        for key, heads, rows in (
            ("amounts", ("amount", "meaning"), self._amounts()),
            ("commands", _BOUNDS, self._bounds()),
            ("effects", ("command", "reserve", "commit", "release"), self._effects()),
            ("agreement", ("command", "state", "condition", "rule"), self._needs()),
            ("guards", ("code", "holds", "sentence", "rule"), self._guards()),
            ("deadlines", _DEADLINES, self._deadlines()),
            ("parameters", _PARAMETERS, self._parameters()),
            ("invariants", ("name", "holds", "rule"), self._invariants()),
            ("rules", ("rule", "rule_says", "source"), self._rules()),
        ):
            if table := self._table(heads, rows):
                blocks += [f"## {self._word(key)}", table]
        return "\n\n".join(blocks) + "\n"

    def _head(self) -> Iterator[str]:
        lifecycle = self._lifecycle
        identifier = lifecycle.identifier
        characters = f"{self._word('characters')}, {_code(identifier.characters)}"
        order_id = f"1–{identifier.max_characters} {characters}"
        yield f"# {self._say(lifecycle.title)}"
        yield "\n".join(
            (
                f"- {self._word('name')}: {_code(lifecycle.name)}",
                f"- {self._word('source')}: {_plain(lifecycle.source)}",
                f"- {self._word('currency')}: {_codes(lifecycle.currencies)}",
                f"- {self._word('order_id')}: {order_id} ({_plain(identifier.rule)})",
                f"- SHA-256: {_code(lifecycle.hash)}",
            )
        )

    def _states(self, track: Track) -> Iterator[Row]:
        for state, text in track.states.items():
            words = ["initial"] if state == track.initial else []
            words += ["final"] if state in track.final else []
            words += ["declined"] if state == track.declined else []
            shown = ", ".join(self._word(one) for one in words)
            yield _code(state), self._say(text), shown

    def _openings(self, track: Track) -> Iterator[Row]:
        for command in self._lifecycle.commands.values():
            for o in command.opens:
                if o.track == track.name:
                    yield self._say(command.title), _codes([o.when] if o.when else [])

    def _arrows(self, track: Track) -> Iterator[Row]:
        for arrow in arrows(self._lifecycle, track, self._language):
            conditions = [arrow.when] if arrow.when else []
            target = _code(arrow.target) if arrow.target else self._word("stays")
            if arrow.cause != "opening":
                yield (
                    _code(arrow.source),
                    _plain(arrow.label),
                    _codes((*conditions, *arrow.guards)),
                    target,
                    _plain(arrow.rule),
                )

    def _matrix(self) -> str:
        commands = self._lifecycle.commands
        allowed: dict[tuple[str, str, str], list[str]] = {}
        for command, move, source in self._lifecycle.moves():
            if move.external:
                continue
            rules = allowed.setdefault((move.track, source, command.name), [])
            rules += [r for r in rule_codes(move.rule) if r not in rules]
        rows: list[Row] = []
        for track in self._lifecycle.tracks.values():
            for state in track.states:
                cells = [allowed.get((track.name, state, name)) for name in commands]
                shown = (f"✓ {_plain(', '.join(c))}" if c else "—" for c in cells)
                rows.append((_code(f"{track.name}.{state}"), *shown))
        titles = (self._say(command.title) for command in commands.values())
        return _table((self._word("state"), *titles), rows)

    def _amounts(self) -> Iterator[Row]:
        for name, text in self._lifecycle.amounts.items():
            yield _code(name), self._say(text)

    def _bounds(self) -> Iterator[Row]:
        for section, command in self._lifecycle.changes:
            named = f"{self._say(command.title)} {_code(command.name)}"
            if section == "reversals":
                named += f" ({self._word('reversal')})"
            others = _codes(sorted(command.alongside))
            for only, bounds in self._ranges(command):
                yield named + only, _plain(command.rule), *bounds, others

    @staticmethod
    def _ranges(command: CommandSpec) -> Iterator[tuple[str, Row]]:
        """The amounts that a command takes, and of which currencies, if they differ."""
        ranges = by_range(command)
        for amount, codes in ranges.items():
            default = _code(amount.default) if amount.default else "—"
            bounds = _code(amount.minimum), _code(amount.maximum), default
            only = f" ({', '.join(codes)})" if len(ranges) > 1 else ""
            yield only, (*bounds, _plain(amount.rule))
        if not ranges:
            yield "", ("—", "—", "—", "—")

    def _effects(self) -> Iterator[Row]:
        for _, command in self._lifecycle.changes:
            moments = [command.reserve, command.commit, command.release]
            if any(moments):
                yield self._say(command.title), *map(_codes, moments)
            for move in command.moves:
                if move.commit is not None:
                    named = ", ".join(f"{move.track}.{name}" for name in move.sources)
                    title = f"{self._say(command.title)} ({_code(named)})"
                    yield title, "", _codes(move.commit), ""
        for deadline in self._lifecycle.deadlines.values():
            yield _code(deadline.name), "", _codes(deadline.commit), ""

    def _needs(self) -> Iterator[Row]:
        for command in self._lifecycle.commands.values():
            if (need := command.agreement) is not None:
                state = _code(f"{need.lifecycle}: {need.track}.{need.state}")
                unless = f"{self._word('unless_open')} {_codes(need.unless_open)}"
                yield self._say(command.title), state, unless, _plain(need.rule)

    def _guards(self) -> Iterator[Row]:
        for guard in self._lifecycle.guards.values():
            code, holds = _code(guard.code), _code(guard.holds)
            yield code, holds, self._say(guard.text), _plain(guard.rule)

    def _deadlines(self) -> Iterator[Row]:
        for deadline in self._lifecycle.deadlines.values():
            yield (
                _code(f"{deadline.track}.{deadline.state}"),
                duration(deadline.seconds, self._language),
                _codes(sorted(deadline.starts)),
                _codes(sorted(deadline.denies)),
                _code(f"{deadline.track}.{deadline.target}"),
                _code(deadline.code),
                self._say(deadline.text),
                _plain(deadline.rule),
            )
        yield from self._abandonments()

    def _abandonments(self) -> Iterator[Row]:
        for command in self._lifecycle.commands.values():
            if command.abandoned is None:
                continue
            for track in (self._lifecycle.tracks[o.track] for o in command.opens):
                yield (
                    _code(f"{track.name}.{track.initial}"),
                    duration(command.abandoned.seconds, self._language),
                    _code(command.name),
                    "",
                    _code(f"{track.name}.{track.declined}"),
                    _code("abandoned"),
                    self._word("abandoned"),
                    _plain(command.abandoned.rule),
                )

    def _parameters(self) -> Iterator[Row]:
        for parameter in self._lifecycle.parameters.values():
            yield (
                _code(parameter.name),
                self._say(parameter.title),
                _code(parameter.kind),
                self._limits(parameter),
                self._takers(parameter.name),
                _plain(parameter.rule),
            )

    def _limits(self, parameter: Parameter) -> str:
        limits = parameter.shown_limits(self._language)
        if parameter.needs is not None:
            limits.append(f"{self._word('needs')} {_code(parameter.needs)}")
        return ", ".join(limits)

    def _takers(self, parameter: str) -> str:
        return ", ".join(
            f"{_code(command.name)} ({self._word(how)})"
            for command in self._lifecycle.commands.values()
            for how in ("required", "optional")
            if parameter in getattr(command, how)
        )

    def _invariants(self) -> Iterator[Row]:
        for each in self._lifecycle.invariants.values():
            yield _code(each.name), _code(each.holds), _plain(each.rule)

    def _rules(self) -> Iterator[Row]:
        for rule in self._lifecycle.rules_named():
            yield _plain(rule.code), self._say(rule.text), _plain(rule.source)

    def _say(self, text: Text) -> str:
        return _plain(text.in_language(self._language))

    def _word(self, key: str) -> str:
        return word(key, self._language)

    def _table(self, heads: Row, rows: Iterable[Row]) -> str:
        return _table([self._word(key) for key in heads], list(rows))


def _table(heads: Row, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _codes(texts: Iterable[object]) -> str:
    return ", ".join(_code(text) for text in texts)


def _code(text: object) -> str:
    """Show names and expressions, whose alphabets have neither ` nor |."""
    return f"`{text}`"


def _plain(text: str) -> str:
    """Show text of any kind: no mark, no tag and no line of its own gets through."""
    shown = printable(" ".join(text.split()))
    shown = shown.replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", shown)
