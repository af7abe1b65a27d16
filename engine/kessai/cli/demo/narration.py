"""The demo's story in words, for a terminal of any width; and as data for programs."""

import shutil
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from rich.text import Text as Styled

from kessai.cli.demo.script import Scene, TrailCheck, rule_of
from kessai.cli.terminal.columns import padded, paragraph, width_of
from kessai.cli.terminal.output import bounds_data, denial_data
from kessai.machine import Possibility
from kessai.money import show_amount
from kessai.words import Words

word, _notes = Words("demo.lines"), Words("demo.notes")
_joining = Words("joining")

_WIDEST = 84
"""Lines longer than this are hard to read, however wide the terminal is."""

_ROOMY = 66
"""From here on there is room for the state beside the status."""

_INDENT = 6
_MARKS = {
    "succeeded": ("✓", "green"),
    "declined": ("✗", "red"),
    "pending": ("…", "cyan"),
    "unknown": ("?", "yellow"),
    "denied": ("✗", "yellow"),
}


@attrs.frozen
class DemoNarration:
    """In which language, and in how many columns."""

    language: str
    columns: int

    @classmethod
    def here(cls, language: str) -> "DemoNarration":
        """For the terminal at hand."""
        return cls(language, min(shutil.get_terminal_size((80, 24))[0], _WIDEST))

    def opening(self) -> Iterator[str | Styled]:
        """What this is going to be."""
        yield Styled.assemble("kessai · ", (word("title", self.language), "bold"))
        yield from self._text(word("setting", self.language), indent=0)

    def chapter(self, scene: Scene) -> Iterator[str | Styled]:
        """The heading of the chapter that `scene` begins."""
        lifecycle = scene.machine.lifecycle
        yield ""
        title = lifecycle.title.in_language(self.language)
        yield Styled(f"{title[0].upper()}{title[1:]}", "bold") + f" · {scene.after.id}"

    def scene(self, scene: Scene) -> Iterator[str | Styled]:
        """A line for what happened, a line for what it means; the reasons of a denial."""
        yield self._headline(scene)
        note = _notes[scene.note].in_language(self.language)
        yield from self._text(note.format_map(_values(scene)))
        if scene.denial is not None:
            sentences = scene.denial.sentences(self.language)
            for reason, sentence in zip(scene.denial.reasons, sentences, strict=True):
                text = f"{sentence} ({rule_of(scene.machine, reason.rule)})"
                first, indent = f"{' ' * _INDENT}· ", _INDENT + 2
                yield from paragraph(text, self.columns, first=first, indent=indent)
        if scene.possible:
            comma = _joining("comma", self.language)
            listed = comma.join(self._possible(scene, each) for each in scene.possible)
            possible = word("possible", self.language, list=listed)
            yield from self._text(possible, style="green")

    def proof(self, proof: TrailCheck, seconds: float) -> Iterator[str | Styled]:
        """Whether it all agrees."""
        yield ""
        yield Styled(word("proof", self.language), "bold")
        counts = {
            "events": proof.report.events,
            "transactions": proof.report.transactions,
        }
        holds = word("audit_holds", self.language, **counts)
        faults = [
            f"{fault.transaction} {fault.number or ''}: {fault.sentence(self.language)}"
            for fault in proof.report.faults.first
        ]
        yield from self._verdict("audit", holds, faults)
        totals = {
            name: show_amount(n, proof.currency) for name, n in proof.totals.items()
        }
        agree = word("books_agree", self.language, **totals)
        yield from self._verdict("books", agree, proof.differences)
        yield ""
        end = word("agreed" if proof.is_good else "disagreed", self.language)
        end_style = "bold green" if proof.is_good else "bold red"
        took = word("seconds", self.language, seconds=f"{seconds:.1f}")
        yield Styled.assemble((end, end_style), "  ", (took, "dim"))

    def _headline(self, scene: Scene) -> Styled:
        amount = "" if scene.amount is None else _money(scene, scene.amount)
        mark, color = _MARKS[scene.status]
        status = f"{mark} {word(scene.status, self.language)}"
        line = Styled.assemble(
            ("  " + padded(scene.rule, 3), "cyan"),
            f" {padded(self._title(scene, scene.what), 15)}",
            f"{padded(amount, 11, right=True)}  ",
            (status, color),
        )
        state = self._state(scene)
        if state and self.columns >= _ROOMY:
            line.append(padded("", 13 - width_of(status))).append(state, "dim")
        return line

    def _title(self, scene: Scene, name: str) -> str:
        if name in word:
            return word(name, self.language)
        return scene.machine.commands[name].spec.title.in_language(self.language)

    def _state(self, scene: Scene) -> str:
        tracks = scene.machine.lifecycle.tracks
        states = (
            tracks[track].states[state].in_language(self.language)
            for track, state in sorted(scene.after.states.items())
        )
        return _joining("comma", self.language).join(dict.fromkeys(states))

    def _possible(self, scene: Scene, possibility: Possibility) -> str:
        title = self._title(scene, possibility.command)
        bounds = possibility.bounds
        if bounds is None:
            return title
        return word(
            "between",
            self.language,
            command=title,
            least=f"{bounds.minimum:,}",
            most=_money(scene, bounds.maximum),
        )

    def _verdict(self, what: str, good: str, bad: Iterable[str]) -> Iterator[Styled]:
        wrong = list(bad)
        mark = Styled("  ✗ ", "red") if wrong else Styled("  ✓ ", "green")
        first: str | Styled = mark + f"{word(what, self.language)}  "
        indent = width_of(str(first))
        for text in wrong or [good]:
            yield from paragraph(text, self.columns, first=first, indent=indent)
            first = ""

    def _text(
        self, text: str, *, indent: int = _INDENT, style: str = "dim"
    ) -> Iterator[Styled]:
        return paragraph(text, self.columns, indent=indent, style=style)


def _money(scene: Scene, amount: int) -> str:
    currency = scene.machine.lifecycle.currency(scene.after.currency)
    return show_amount(amount, currency)


def _values(scene: Scene) -> dict[str, str]:
    """What a note may name: every amount, what can still be refunded, the id."""
    amounts = scene.after.amounts
    shown = {name: _money(scene, amount) for name, amount in amounts.items()}
    left = amounts.get("captured", 0) - amounts.get("refunded", 0)
    return {**shown, "left": _money(scene, left), "transaction": scene.after.id}


def scene_data(scene: Scene, language: str) -> dict[str, Any]:
    """A scene as JSON shows it."""
    return {
        "chapter": scene.chapter,
        "step": scene.what,
        "rule": scene.rule,
        "transaction": scene.after.id,
        "amount": scene.amount,
        "status": scene.status,
        "states": scene.after.states,
        "amounts": scene.after.amounts,
        "denial": denial_data(scene.denial, language),
        "possible": {
            possibility.command: bounds_data(possibility.bounds)
            for possibility in scene.possible
        },
        "meaning": _notes[scene.note]
        .in_language(language)
        .format_map(_values(scene))
        .rstrip(":"),
    }


def proof_data(proof: TrailCheck) -> dict[str, Any]:
    """The proof as JSON shows it."""
    return {
        "audit": {
            "holds": proof.report.holds,
            "transactions": proof.report.transactions,
            "events": proof.report.events,
            "faults": [str(fault) for fault in proof.report.faults.first],
        },
        "books": {
            "agree": not proof.differences,
            "differences": proof.differences,
            "totals": proof.totals,
        },
        "agreed": proof.is_good,
    }
