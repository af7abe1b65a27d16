"""A file of commands, one JSON object a line: checked whole before one is carried out.

The file is read line by line, so its length costs no memory. What was checked is kept on
the disk, and carried out from there: nobody can change it meanwhile. This module knows no
engine, no store and no gateway.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import IO, Any

import attrs
import click
import msgspec

from kessai.card_numbers import find_card_numbers, without_card_numbers
from kessai.cli.run.command_fields import (
    OF_IMPORTS,
    TimedCommand,
    WrongField,
    read_fields,
)
from kessai.cli.run.seen import Seen
from kessai.cli.terminal.json_line import JsonMistake, column_of, decode_object, short
from kessai.errors import InvalidCommandFile
from kessai.frozen import of_fields
from kessai.machine import Command, Machines

MAX_LINE_BYTES = 1_000_000
MOST_SHOWN = 20
"""Mistakes that are listed; more of them are only counted."""

WrongIn = Callable[[Command], WrongField | None]
"""What the file alone does not show to be wrong with a command; None if nothing is."""

_BOM = "\ufeff"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(
    tuple[int, datetime, dict[str, Any], dict[str, str], dict[str, datetime]]
).decode


@attrs.frozen
class CommandLine:
    """A line that can be carried out: its number, its time in UTC, its command.

    `stated` is all that it says, of what was carried out elsewhere, too.
    """

    number: int
    stated: TimedCommand

    @property
    def at(self) -> datetime:
        """When it is asked for."""
        return self.stated.at

    @property
    def command(self) -> Command:
        """What is asked for."""
        return self.stated.command


@attrs.frozen
class LineMistake:
    """What is wrong in a line, at which column (from 1), and what would be right."""

    line: int
    column: int
    what: str


class CommandFile:
    """The commands in an open, seekable file. `name` is what messages call it.

    Those that were checked are kept in `checked`, an empty file. With `before` they
    were carried out elsewhere before then, and stand in the order of each order's times.
    """

    def __init__(
        self,
        file: IO[bytes],
        checked: IO[bytes],
        name: str,
        machines: Machines,
        *,
        before: datetime | None = None,
    ) -> None:
        self._file = file
        self._kept = checked
        self._before = before
        self._name = name
        self._machines = machines
        self._text = ""  # of the line last read

    def check(self, *wrong_in: WrongIn) -> int:
        """Read the whole file; how many commands are in it.

        Each of `wrong_in` is asked what else is wrong with a command.

        Raises:
            InvalidCommandFile: it has mistakes; the message lists them, each with its
                place, and counts the rest.

        """
        commands = mistakes = 0
        listed: list[str] = []
        for found in self._checked(wrong_in):
            if isinstance(found, CommandLine):
                commands += 1
                continue
            mistakes += 1
            if len(listed) < MOST_SHOWN:
                what = without_card_numbers(found.what)
                listed.append(f"{self._name}:{found.line}:{found.column}: {what}")
        if mistakes > len(listed):
            listed.append(f"{self._name}: and {mistakes - len(listed):,} more mistakes")
        if listed:
            raise InvalidCommandFile("\n".join(listed))
        return commands

    def lines(self) -> Iterator[CommandLine]:
        """The lines, as they were when the file was last checked."""
        self._kept.seek(0)
        for raw in self._kept:
            number, at, fields, references, deadlines = _decode(raw)
            command = of_fields(Command, fields)
            yield CommandLine(number, TimedCommand(at, command, references, deadlines))

    def _checked(
        self, wrong_in: Iterable[WrongIn]
    ) -> Iterator[CommandLine | LineMistake]:
        """Every line on its own and among the others: in time, and under its key."""
        latest: CommandLine | None = None
        self._kept.seek(0)
        self._kept.truncate()
        with closing(Seen()) as keys, closing(Seen()) as orders:
            for found in self._read():
                yield found
                if isinstance(found, LineMistake):
                    continue
                wrong = [_under_key(found, keys)]
                if self._before is None:
                    wrong.append(_in_time(found, latest))
                else:
                    wrong.append(_in_history(found, orders, self._before))
                wrong += (ask(found.command) for ask in wrong_in)
                latest = found
                self._keep(found)
                yield from self._placed(found.number, filter(None, wrong))

    def _keep(self, line: CommandLine) -> None:
        stated = line.stated
        more = stated.references, stated.deadlines
        kept = (line.number, stated.at, vars(stated.command), *more)
        self._kept.write(_encode(kept) + b"\n")

    def _placed(self, line: int, wrong: Iterable[WrongField]) -> list[LineMistake]:
        """What is wrong with the line last read, by the columns."""
        found = [
            LineMistake(
                line, column_of(self._text, each.path, of_name=each.of_name), each.what
            )
            for each in wrong
        ]
        return sorted(found, key=lambda mistake: mistake.column)

    def _read(self) -> Iterator[CommandLine | LineMistake]:
        self._file.seek(0)
        number = 0
        while raw := self._file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(raw) > MAX_LINE_BYTES:
                self._skip_rest(raw)
                yield LineMistake(number, MAX_LINE_BYTES + 1, _TOO_LONG)
            else:
                yield from self._line(number, raw)

    def _skip_rest(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(MAX_LINE_BYTES)

    def _line(self, number: int, raw: bytes) -> Iterator[CommandLine | LineMistake]:
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            column = len(raw[: error.start].decode()) + 1
            yield LineMistake(number, column, "not UTF-8; save the file as UTF-8")
            return
        if number == 1:
            text = text.removeprefix(_BOM)
        self._text = text
        if not text.strip():
            return
        if found := next(find_card_numbers(text), None):
            # Nothing else of such a line is read or repeated.
            yield LineMistake(number, found[0] + 1, _CARD)
            return
        try:
            more = OF_IMPORTS if self._before else ()
            asked = read_fields(decode_object(text), self._machines, more)
        except JsonMistake as error:
            yield LineMistake(number, error.column, error.what)
            return
        if isinstance(asked, TimedCommand):
            yield CommandLine(number, asked)
            return
        yield from self._placed(number, asked)


@contextmanager
def opened(
    path: str, machines: Machines, *, before: datetime | None = None
) -> Iterator[CommandFile]:
    """The command file at `path`; `-` is standard input, kept while it is needed."""
    name = "standard input" if path == "-" else path
    with (
        click.open_file(path, "rb") as stream,
        tempfile.TemporaryFile() as kept,
        tempfile.TemporaryFile() as checked,
    ):
        file: IO[bytes] = stream
        if path == "-" or not stream.seekable():  # it can be read only once
            shutil.copyfileobj(stream, kept)
            file = kept
        yield CommandFile(file, checked, name, machines, before=before)


def _in_time(found: CommandLine, latest: CommandLine | None) -> WrongField | None:
    if latest is None or found.at >= latest.at:
        return None
    what = (
        f"at: earlier than line {latest.number} ({latest.at:%Y-%m-%dT%H:%M:%SZ}); lines"
        " are carried out in order, so a time not before it is right"
    )
    return WrongField(("at",), what)


def _in_history(
    found: CommandLine, orders: Seen, before: datetime
) -> WrongField | None:
    if found.at > before:
        return WrongField(("at",), "at: in the future; what has happened is imported")
    note = f"{found.number} {found.at.isoformat()}"
    line, _, at = (orders.put(found.command.transaction, note) or note).partition(" ")
    if found.at >= datetime.fromisoformat(at):
        return None
    what = (
        f"at: earlier than line {line} of the same order; the lines of an order are in"
        " the order in which it happened"
    )
    return WrongField(("at",), what)


def _under_key(found: CommandLine, keys: Seen) -> WrongField | None:
    key, request = found.command.key, found.command.fingerprint
    note = f"{found.number} {request}"
    first, _, known = (keys.meet(key, note) or note).partition(" ")
    if known == request:
        return None
    what = (
        f"key: {short(key)} was used in line {first} for another request; a key of its"
        " own is right"
    )
    return WrongField(("key",), what)


_CARD = (
    "a card number, or what looks like one; a line without it is right, and for an id"
    " letters between its digits"
)
_TOO_LONG = f"longer than {MAX_LINE_BYTES:,} bytes; one command a line is right"
