"""The class of a row: a command with its flags and outcome, or an expiry.

Cells use the words of whoever keeps the log. The few combinations that a log has are
read once each and then known.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum

import attrs

from kessai.audit.log_check.words import BadValue, folded, meaning_of, shown, typed
from kessai.errors import InvalidInput
from kessai.evidence.outcome import EXPIRE
from kessai.machine import Machine

LEFT_OUT = "-"
"""Given in the place of a command or an outcome: such rows are left out."""

Cells = tuple[str | None, ...]


class Logged(StrEnum):
    """What came of a command by the log."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # by the gateway: nothing moved
    PENDING = "pending"
    UNKNOWN = "unknown"
    DENIED = "denied"  # by the system itself: nothing was sent


@attrs.frozen
class Meaning:
    """What a text in the command's column means; None of a command: leave it out."""

    command: str | None
    flags: tuple[str, ...] = ()
    outcome: Logged | None = None


@attrs.frozen
class RowClass:
    """What a row states, all but its order, time and amount.

    `flags` belong to the command's text, `columns` are those flags whose columns are
    yes: they may be in rows of commands that do not take them.
    """

    command: str
    outcome: Logged
    flags: tuple[str, ...]
    columns: tuple[str, ...]
    lifecycle: str | None
    currency: str


def read_meaning(text: str, machines: Iterable[Machine]) -> Meaning:
    """`COMMAND[+FLAG…][:OUTCOME]`, or `-`, as `--command TEXT=…` has it.

    Raises:
        InvalidInput: it is not of that form, or names what no lifecycle given has.

    """
    if text == LEFT_OUT:
        return Meaning(None)
    asked, colon, outcome = text.partition(":")
    name, *flags = asked.split("+")
    taken = _flags(name, machines)
    for flag in flags:
        if flag not in taken:
            known = f"takes: {', '.join(taken)}" if taken else "takes none"
            message = f"--command …={shown(text)}: {shown(flag)} is no flag that {name} takes; it {known}"
            raise InvalidInput(message)
    result = _outcome(outcome, f"--command …={shown(text)}") if colon else None
    return Meaning(name, tuple(flags), result)


def _flags(name: str, machines: Iterable[Machine]) -> list[str]:
    machines = tuple(machines)
    known = sorted({EXPIRE, *(name for m in machines for name in m.commands)})
    if name not in known:
        close = get_close_matches(name, known, 1)
        right = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        message = f"--command …={shown(name)}: no such command; {right}"
        raise InvalidInput(message)
    rules = [m.commands[name] for m in machines if name in m.commands]
    return sorted(
        {
            f
            for m in machines
            for f in m.flags_off
            if any(f in r.parameters for r in rules)
        }
    )


def _outcome(text: str, where: str) -> Logged:
    try:
        return Logged(text)
    except ValueError:
        known = ", ".join(Logged)
        message = f"{where}: {shown(text)} is no outcome; known: {known}"
        raise InvalidInput(message) from None


def read_outcomes(given: Mapping[str, str]) -> dict[str, Logged | None]:
    """The outcomes that `--outcome TEXT=OUTCOME` gave; None: leave such rows out.

    Raises:
        InvalidInput: one is none.

    """
    return {
        folded(text): None
        if outcome == LEFT_OUT
        else _outcome(outcome, f"--outcome {shown(text)}=…")
        for text, outcome in given.items()
    }


class Classifier:
    """The classes of rows of one log, numbered as they are met.

    `flags` names the parameters that have columns and are flags, in that order.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        given: Mapping[str, Meaning],
        outcomes: Mapping[str, Logged | None],
        flags: Sequence[str],
    ) -> None:
        self.classes: list[RowClass] = []
        self.read_as: dict[str, Meaning] = {}
        self.has_blank_outcomes = self.has_blank_currencies = False
        self._machines = machines
        self._flags = flags
        self._commands = _known_commands(machines)
        self._commands |= {folded(text): meaning for text, meaning in given.items()}
        self._outcomes: dict[str, Logged | None] = {
            word: Logged(outcome) for word, outcome in meaning_of("outcomes").items()
        }
        self._outcomes |= outcomes
        self._truths = meaning_of("truths")
        self._lifecycles = _known_lifecycles(machines)
        self._currencies = {
            folded(code): code for m in machines for code in m.lifecycle.currencies
        }
        self._needs_lifecycle = _begun_by_several(machines)
        self._numbers: dict[Cells, int | None] = {}

    def number(self, cells: Cells) -> int | None:
        """The number of the class of `cells`; None for a row that is to be left out.

        `cells` are those of command, outcome, lifecycle and currency (None without a
        column), and then those of the flags.

        Raises:
            BadValue: one is not known; `values["field"]` names its field.

        """
        try:
            return self._numbers[cells]
        except KeyError:
            number = self._number(cells)
            if len(self._numbers) < MOST_KNOWN:
                self._numbers[cells] = number
            return number

    def _number(self, cells: Cells) -> int | None:
        command, outcome, lifecycle, currency, *flags = cells
        if self.leaves_out(str(command), outcome):
            return None
        meaning = self._command(str(command))
        on = [
            name
            for name, text in zip(self._flags, flags, strict=True)
            if self._is_on(name, str(text))
        ]
        kind = RowClass(
            str(meaning.command),
            self._outcome(meaning, outcome),
            meaning.flags,
            tuple(on),
            self._lifecycle(str(meaning.command), lifecycle),
            self._currency(currency),
        )
        if kind not in self.classes:
            self.classes.append(kind)
        return self.classes.index(kind)

    def leaves_out(self, command: str, outcome: str | None) -> bool:
        """Whether rows with these cells are to be left out, whatever else they hold."""
        meaning = self._commands.get(folded(command))
        if meaning is not None and meaning.command is None:
            return True
        return outcome is not None and self._outcomes.get(folded(outcome), "") is None

    def _command(self, text: str) -> Meaning:
        meaning = self._commands.get(folded(text))
        if meaning is None:
            raise BadValue(
                code="command_unknown",
                value=shown(text),
                typed=typed(text),
                field="command",
            )
        self.read_as[text] = meaning
        return meaning

    def _outcome(self, meaning: Meaning, text: str | None) -> Logged:
        outcome = meaning.outcome
        if outcome is None:
            outcome = Logged.SUCCEEDED
            if text is not None:
                outcome = self._outcome_in(text)
        if meaning.command == EXPIRE and outcome is not Logged.SUCCEEDED:
            raise BadValue(
                code="outcome_of_expiry", value=shown(str(text)), field="outcome"
            )
        return outcome

    def _outcome_in(self, text: str) -> Logged:
        found = self._outcomes.get(folded(text))
        if found is None and not text:
            self.has_blank_outcomes = True
            return Logged.SUCCEEDED
        if found is None:
            raise BadValue(
                code="outcome_unknown",
                value=shown(text),
                typed=typed(text),
                field="outcome",
            )
        return found

    def _lifecycle(self, command: str, text: str | None) -> str | None:
        if text is None:
            return None
        if not text:
            if command not in self._needs_lifecycle:
                return None
            raise BadValue(
                code="lifecycle_missing", value=shown(command), field="lifecycle"
            )
        name = self._lifecycles.get(folded(text))
        if name is None:
            raise BadValue(
                code="lifecycle_unknown", value=shown(text), field="lifecycle"
            )
        return name

    def _currency(self, text: str | None) -> str:
        if not text and len(self._currencies) == 1:
            self.has_blank_currencies = self.has_blank_currencies or text is not None
            return next(iter(self._currencies.values()))
        text = text or ""
        code = self._currencies.get(folded(text))
        if code is None:
            raise BadValue(
                code="currency_differs" if text else "currency_missing",
                value=shown(text),
                currency=", ".join(sorted(self._currencies.values())),
                field="currency",
            )
        return code

    def _is_on(self, name: str, text: str) -> bool:
        truth = self._truths.get(folded(text)) if folded(text) else "no"
        if truth is None:
            raise BadValue(code="flag_unknown", value=shown(text), field=name)
        return truth == "yes"


MOST_KNOWN = 10_000


def _known_commands(machines: Iterable[Machine]) -> dict[str, Meaning]:
    """Commands by their names and titles, and by common words for them."""
    machines = tuple(machines)
    names = {name for machine in machines for name in machine.commands} | {EXPIRE}
    common = meaning_of("commands")
    found = {word: Meaning(name) for word, name in common.items() if name in names}
    for machine in reversed(machines):
        for name, rule in machine.commands.items():
            for word in (rule.spec.title.en, rule.spec.title.ja, name):
                found[folded(word)] = Meaning(name)
    for name in (*names, EXPIRE):
        found[folded(name)] = Meaning(name)
    return found


def _begun_by_several(machines: Iterable[Machine]) -> set[str]:
    """The commands that begin a transaction of more than one lifecycle."""
    begin = [
        name
        for machine in machines
        for name, rule in machine.commands.items()
        if rule.spec.is_opening
    ]
    return {name for name in begin if begin.count(name) > 1}


def _known_lifecycles(machines: Iterable[Machine]) -> dict[str, str]:
    return {
        folded(word): machine.name
        for machine in machines
        for word in (
            machine.lifecycle.title.en,
            machine.lifecycle.title.ja,
            machine.name,
        )
    }
