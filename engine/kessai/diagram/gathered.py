"""What a transaction makes of each node and edge: classes, notes and signs, by id."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from kessai.diagram.arrows import Arrow, every_arrow, state_id
from kessai.diagram.legend import SIGNS
from kessai.diagram.marks import Mark
from kessai.diagram.path import ArrowStep, TransactionPath, steps
from kessai.diagram.words import word
from kessai.machine import Possibility
from kessai.money import show_amount
from kessai.words import Words

_joining = Words("joining")

_ONES = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
SEPARATOR = " · "
"""What stands between the parts of a transaction's summary."""

_MOST = 3
"""So many numbers stand before a label; the title has all."""


def marks_of(path: TransactionPath, language: str) -> dict[str, Mark]:
    """Return what a transaction makes of each node and edge, by id."""
    gathered = _Gathered(path, language)
    gathered.path()
    gathered.now()
    gathered.next()
    return gathered.marks()


def summary(path: TransactionPath, language: str) -> tuple[str, str]:
    """Return the lines over the picture: which transaction, and how it stands."""
    transaction, lifecycle = path.transaction, path.lifecycle
    currency = lifecycle.currency(transaction.currency)
    parts = [
        f"{lifecycle.tracks[track].title.in_language(language)}: "
        f"{lifecycle.tracks[track].states[state].in_language(language)}"
        for track, state in transaction.states.items()
    ]
    parts += [
        f"{lifecycle.amounts[name].in_language(language)} "
        f"{show_amount(amount, currency)}"
        for name, amount in transaction.amounts.items()
        if amount
    ]
    return transaction.id, SEPARATOR.join(parts)


class _Gathered:
    """Classes, notes and signs by id, gathered from all that is known."""

    def __init__(self, path: TransactionPath, language: str) -> None:
        self._path = path
        self._language = language
        self._currency = path.lifecycle.currency(path.transaction.currency)
        self._classes = defaultdict[str, list[str]](list)
        self._notes = defaultdict[str, list[str]](list)
        self._signs = defaultdict[str, list[str]](list)
        self._arrows = list(every_arrow(path.lifecycle, language))

    def marks(self) -> dict[str, Mark]:
        return {
            named: Mark(
                tuple(dict.fromkeys(classes)),
                tuple(self._notes[named]),
                _shortened(self._signs[named]),
            )
            for named, classes in self._classes.items()
        }

    def path(self) -> None:
        """What happened, in its order."""
        for step in steps(self._path, self._language):
            note = self._step_note(step)
            for named in (step.arrow.source_id, step.arrow.id, step.arrow.target_id):
                self._classes[named].append("visited")
            self._notes[step.arrow.id].append(note)
            self._signs[step.arrow.id].append(_number(step.number))
            if not step.arrow.stays:
                self._notes[step.arrow.target_id].append(note)

    def now(self) -> None:
        """Where it stands, what is under way, what the clock will do."""
        transaction = self._path.transaction
        for track, state in transaction.states.items():
            named = state_id(track, state)
            self._classes[named].append("current")
            self._notes[named].append(word("is_current", self._language))
        for operation in transaction.operations.values():
            note = word(
                "is_open",
                self._language,
                time=_time(operation.begun_at),
                phase=word(f"phase_{operation.phase}", self._language),
            )
            for arrow in self._leaving("command", operation.command):
                self._sign(arrow, "open", note)
        for name, ends in transaction.deadlines.items():
            note = word("is_due", self._language, time=_time(ends))
            for arrow in self._leaving("deadline", name):
                self._sign(arrow, "due", note)

    def next(self) -> None:
        """What may be asked for now, and what may not."""
        for possibility in self._path.possibilities:
            for arrow in self._leaving("command", possibility.command):
                self._possible(arrow, possibility)

    def _possible(self, arrow: Arrow, possibility: Possibility) -> None:
        notes = list(self._reasons(possibility))
        if "open" in self._classes[arrow.id]:
            self._notes[arrow.id] += notes
        else:
            mark = "allowed" if possibility.is_allowed else "denied"
            self._sign(arrow, mark, *notes)

    def _reasons(self, possibility: Possibility) -> Iterator[str]:
        if possibility.denial is not None:
            yield word("is_denied", self._language)
            yield from possibility.denial.sentences(self._language)
            return
        allowed = word("is_allowed", self._language)
        if possibility.bounds is None:
            yield allowed
            return
        yield f"{allowed}: " + word(
            "amount_range",
            self._language,
            least=show_amount(possibility.bounds.minimum, self._currency),
            most=show_amount(possibility.bounds.maximum, self._currency),
        )

    def _leaving(self, cause: str, name: str) -> Iterator[Arrow]:
        """The arrows of a command or a deadline that leave the present states."""
        states = self._path.transaction.states
        for arrow in self._arrows:
            here = states.get(arrow.track) == arrow.source
            if here and (arrow.cause, arrow.name) == (cause, name):
                yield arrow

    def _sign(self, arrow: Arrow, mark: str, *notes: str) -> None:
        self._classes[arrow.id].append(mark)
        self._notes[arrow.id] += notes
        self._signs[arrow.id].append(SIGNS[mark])

    def _step_note(self, step: ArrowStep) -> str:
        text = word(
            "is_visited", self._language, number=step.event, time=_time(step.at)
        )
        parts = [f"{_number(step.number)} {text}"]
        if step.amount is not None:
            parts.append(show_amount(step.amount, self._currency))
        if step.is_external:
            parts.append(word("is_external", self._language))
        return _joining("comma", self._language).join(parts)


def _number(number: int) -> str:
    return _ONES[number - 1] if number <= len(_ONES) else f"({number})"


def _shortened(signs: list[str]) -> str:
    """Many numbers as the first and the last."""
    numbers = [sign for sign in signs if sign not in SIGNS.values() or sign == _ONES[0]]
    others = [sign for sign in signs if sign not in numbers]
    if len(numbers) > _MOST:
        numbers = [numbers[0], "…", numbers[-1]]
    return "".join((*numbers, *others))


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
