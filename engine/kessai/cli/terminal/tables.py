"""Tables for people, on whatever terminal they have.

A narrow terminal folds cells, and what is not a terminal gets plain text.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

import attrs

from kessai.words import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

PLAIN_WIDTH = 120
"""Columns where nobody looks: wide, so that what is piped on is rarely folded."""

_LONG_ID = 12
"""Columns: an id or a number that is longer may be folded; a word never is."""

_BETWEEN = 3


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0
) -> None:
    """Print a table; the last `numbers` columns are aligned to the right.

    Where its columns would be too narrow for words, each row is a list of its own.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = console(sys.stdout)
    cells = [list(row) for row in rows]
    if _least_width([headings, *cells]) > shown.width:
        _print_lists(title, headings, cells)
        return
    table = Table(
        title=Text(printable(title)), title_justify="left", box=box.SIMPLE_HEAD
    )
    first_number = len(headings) - numbers
    for place, heading in enumerate(headings):
        is_number = place >= first_number
        justify: Literal["right", "left"] = "right" if is_number else "left"
        table.add_column(Text(printable(heading)), justify=justify, overflow="fold")
    for row in cells:
        table.add_row(*(Text(printable(cell)) for cell in row))
    shown.print(table)


def _least_width(rows: Sequence[Sequence[str]]) -> int:
    """The columns of a terminal that let words stay whole."""
    columns = (
        max((_least(word) for cell in column for word in cell.split()), default=0)
        for column in zip(*rows, strict=True)
    )
    return sum(column + _BETWEEN for column in columns)


def _least(word: str) -> int:
    from rich.cells import cell_len

    is_word = word.isascii() and not any(map(str.isdigit, word))
    return cell_len(word) if is_word else min(cell_len(word), _LONG_ID)


def _print_lists(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    if title:
        print_pairs([(title, "")])
    for row in rows:
        console(sys.stdout).line()
        pairs = zip(headings, row, strict=True)
        print_pairs((heading, cell) for heading, cell in pairs if cell)


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(printable(name), style="dim"), Text(printable(value)))
    console(sys.stdout).print(table)


@contextmanager
def progress(total: int | None, title: str) -> Iterator["ProgressBar"]:
    """A bar on standard error if that is a terminal, otherwise nothing."""
    if not sys.stderr.isatty():
        yield ProgressBar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown_on = console(sys.stderr)
    with Progress(*columns, Remaining(), console=shown_on, transient=True) as shown:
        yield ProgressBar(shown, shown.add_task(title, total=total))


@attrs.frozen
class ProgressBar:
    """Shows how much is done, if anybody is looking."""

    _shown: "Progress | None" = None
    _task: Any = None

    def step(self, number: int = 1) -> None:
        """So many more are done."""
        if self._shown is not None:
            self._shown.advance(self._task, number)

    def reach(self, done: int) -> None:
        """So many are done."""
        if self._shown is not None:
            self._shown.update(self._task, completed=done)


def console(stream: TextIO) -> "Console":
    """A terminal of any width, or a wide page where nobody looks."""
    from rich.console import Console

    width = None if stream.isatty() else shutil.get_terminal_size((PLAIN_WIDTH, 0))[0]
    return Console(file=stream, width=width, highlight=False)
