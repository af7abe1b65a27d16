"""A lifecycle as a Markdown page of tables, for auditors and for documentation."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kessai.diagram.arrows import arrows
from kessai.diagram.titles import by_range
from kessai.diagram.words import duration, word
from kessai.spec import CommandSpec, Lifecycle, Parameter, Track, rule_codes

Row = Sequence[str]

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
            title = _plain(track.title.in_language(self._language))
            blocks += [f"## {self._word('track')}: {title}"]
            blocks += [self._states(track), self._openings(track), self._arrows(track)]
        for key, table in (
            ("matrix", self._matrix()),
            ("amounts", self._amounts()),
            ("commands", self._bounds()),
            ("effects", self._effects()),
            ("agreement", self._agreements()),
            ("guards", self._guards()),
            ("deadlines", self._deadlines()),
            ("parameters", self._parameters()),
            ("invariants", self._invariants()),
            ("rules", self._rules()),
        ):
            if table:
                blocks += [f"## {self._word(key)}", table]
        return "\n\n".join(blocks) + "\n"

    def _head(self) -> Iterator[str]:
        lifecycle = self._lifecycle
        identifier = lifecycle.identifier
        characters = f"{self._word('characters')}, {_code(identifier.characters)}"
        order_id = f"1–{identifier.max_characters} {characters}"
        yield f"# {_plain(lifecycle.title.in_language(self._language))}"
        yield "\n".join(
            (
                f"- {self._word('name')}: {_code(lifecycle.name)}",
                f"- {self._word('source')}: {_plain(lifecycle.source)}",
                f"- {self._word('currency')}: {_codes(lifecycle.currencies)}",
                f"- {self._word('order_id')}: {order_id} ({_plain(identifier.rule)})",
                f"- SHA-256: {_code(lifecycle.hash)}",
            )
        )

    def _states(self, track: Track) -> str:
        rows: list[Row] = []
        for state, text in track.states.items():
            words = ["initial"] if state == track.initial else []
            words += ["final"] if state in track.final else []
            words += ["declined"] if state == track.declined else []
            shown = ", ".join(self._word(one) for one in words)
            rows.append((_code(state), _plain(text.in_language(self._language)), shown))
        return self._table(("state", "meaning", "role"), rows)

    def _openings(self, track: Track) -> str:
        rows = [
            (_plain(self._title(command)), _codes([str(o.when)] if o.when else []))
            for command in self._lifecycle.commands.values()
            for o in command.opens
            if o.track == track.name
        ]
        return self._table(("opened_by", "condition"), rows)

    def _arrows(self, track: Track) -> str:
        rows: list[Row] = []
        for arrow in arrows(self._lifecycle, track, self._language):
            conditions = [str(arrow.when)] if arrow.when else []
            rows.append(
                (
                    _code(arrow.source),
                    _plain(arrow.label),
                    _codes((*conditions, *arrow.guards)),
                    _code(arrow.target) if arrow.target else self._word("stays"),
                    _plain(arrow.rule),
                )
            )
        return self._table(("from", "command", "condition", "to", "rule"), rows)

    def _matrix(self) -> str:
        commands = self._lifecycle.commands
        allowed: dict[tuple[str, str, str], list[str]] = {}
        for command, move, source in self._lifecycle.moves():
            rules = allowed.setdefault((move.track, source, command.name), [])
            rules += [r for r in rule_codes(move.rule) if r not in rules]
        rows: list[Row] = []
        for track in self._lifecycle.tracks.values():
            for state in track.states:
                cells = [allowed.get((track.name, state, name)) for name in commands]
                shown = (f"✓ {_plain(', '.join(c))}" if c else "—" for c in cells)
                rows.append((_code(f"{track.name}.{state}"), *shown))
        titles = (_plain(self._title(command)) for command in commands.values())
        return _table((self._word("state"), *titles), rows)

    def _amounts(self) -> str:
        rows = [
            (_code(name), _plain(text.in_language(self._language)))
            for name, text in self._lifecycle.amounts.items()
        ]
        return self._table(("amount", "meaning"), rows)

    def _bounds(self) -> str:
        rows: list[Row] = []
        for section, command in self._lifecycle.changes:
            named = f"{_plain(self._title(command))} {_code(command.name)}"
            if section == "reversals":
                named += f" ({self._word('reversal')})"
            others = _codes(sorted(command.alongside))
            for only, bounds in self._ranges(command):
                rows.append((named + only, _plain(command.rule), *bounds, others))
        heads = ("command", "rule", "min", "max", "default", "rule", "alongside")
        return self._table(heads, rows)

    @staticmethod
    def _ranges(command: CommandSpec) -> Iterator[tuple[str, Row]]:
        """The amounts that a command takes, and of which currencies, if they differ."""
        ranges = by_range(command)
        for amount, codes in ranges.items():
            default = _code(str(amount.default)) if amount.default else "—"
            bounds = _code(str(amount.minimum)), _code(str(amount.maximum)), default
            only = f" ({', '.join(codes)})" if len(ranges) > 1 else ""
            yield only, (*bounds, _plain(amount.rule))
        if not ranges:
            yield "", ("—", "—", "—", "—")

    def _effects(self) -> str:
        rows: list[Row] = []
        for _, command in self._lifecycle.changes:
            moments = [command.reserve, command.commit, command.release]
            if any(moments):
                cells = (_codes(map(str, effects)) for effects in moments)
                rows.append((_plain(self._title(command)), *cells))
            for move in command.moves:
                if move.commit is not None:
                    named = ", ".join(f"{move.track}.{name}" for name in move.sources)
                    title = f"{_plain(self._title(command))} ({_code(named)})"
                    rows.append((title, "", _codes(map(str, move.commit)), ""))
        rows += [
            (_code(deadline.name), "", _codes(map(str, deadline.commit)), "")
            for deadline in self._lifecycle.deadlines.values()
        ]
        return self._table(("command", "reserve", "commit", "release"), rows)

    def _agreements(self) -> str:
        rows = [
            (
                _plain(self._title(command)),
                _code(f"{need.lifecycle}: {need.track}.{need.state}"),
                f"{self._word('unless_open')} {_codes(need.unless_open)}",
                _plain(need.rule),
            )
            for command in self._lifecycle.commands.values()
            if (need := command.agreement) is not None
        ]
        return self._table(("command", "state", "condition", "rule"), rows)

    def _guards(self) -> str:
        rows = [
            (
                _code(guard.code),
                _code(str(guard.holds)),
                _plain(guard.text.in_language(self._language)),
                _plain(guard.rule),
            )
            for guard in self._lifecycle.guards.values()
        ]
        return self._table(("code", "holds", "sentence", "rule"), rows)

    def _deadlines(self) -> str:
        rows = [
            (
                _code(f"{deadline.track}.{deadline.state}"),
                duration(deadline.seconds, self._language),
                _codes(sorted(deadline.starts)),
                _codes(sorted(deadline.denies)),
                _code(f"{deadline.track}.{deadline.target}"),
                _code(deadline.code),
                _plain(deadline.text.in_language(self._language)),
                _plain(deadline.rule),
            )
            for deadline in self._lifecycle.deadlines.values()
        ]
        heads = ("state", "lasts", "starts", "denies", "to", "code", "sentence", "rule")
        return self._table(heads, rows)

    def _parameters(self) -> str:
        rows = [
            (
                _code(parameter.name),
                _plain(parameter.title.in_language(self._language)),
                _code(parameter.kind),
                self._limits(parameter),
                self._takers(parameter.name),
                _plain(parameter.rule),
            )
            for parameter in self._lifecycle.parameters.values()
        ]
        heads = ("name", "meaning", "kind", "at_most", "taken_by", "rule")
        return self._table(heads, rows)

    def _limits(self, parameter: Parameter) -> str:
        limits = parameter.shown_limits(self._language)
        if parameter.needs is not None:
            limits.append(f"{self._word('needs')} {_code(parameter.needs)}")
        return ", ".join(limits)

    def _takers(self, parameter: str) -> str:
        commands = self._lifecycle.commands.values()
        taken = [
            f"{_code(command.name)} ({self._word(how)})"
            for command in commands
            for how, names in (
                ("required", command.required),
                ("optional", command.optional),
            )
            if parameter in names
        ]
        return ", ".join(taken)

    def _invariants(self) -> str:
        rows = [
            (_code(invariant.name), _code(str(invariant.holds)), _plain(invariant.rule))
            for invariant in self._lifecycle.invariants.values()
        ]
        return self._table(("name", "holds", "rule"), rows)

    def _rules(self) -> str:
        rows = [
            (
                _plain(r.code),
                _plain(r.text.in_language(self._language)),
                _plain(r.source),
            )
            for r in self._lifecycle.rules_named()
        ]
        return self._table(("rule", "rule_says", "source"), rows)

    def _title(self, command: CommandSpec) -> str:
        return command.title.in_language(self._language)

    def _word(self, key: str) -> str:
        return word(key, self._language)

    def _table(self, heads: Row, rows: Sequence[Row]) -> str:
        return _table([self._word(key) for key in heads], rows)


def _table(heads: Row, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(_code(text) for text in texts)


def _code(text: str) -> str:
    """Show names and expressions, whose alphabets have neither ` nor |."""
    return f"`{text}`"


def _plain(text: str) -> str:
    """Show text of any kind: no mark, no tag and no line of its own gets through."""
    shown = " ".join(text.split())
    shown = shown.replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", shown)
