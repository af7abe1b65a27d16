"""Tables for people, on whatever terminal they have.

A narrow terminal folds cells, and what is not a terminal gets plain text. They are drawn
here, because importing what draws any table takes longer than most commands.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, zip_longest

import click

from kessai.cli.terminal.columns import columns_of, padded, width_of
from kessai.words import printable

_LONG_ID = 12
"""Columns: an id or a number that is longer may be folded; a word never is."""

_EDGE, _GAP, _PAIR_GAP = "  ", "   ", "  "
_WORD = re.compile(r"\s*\S+\s*")


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0
) -> None:
    """Print a table; the last `numbers` columns are aligned to the right.

    Where its columns would be too narrow for words, each row is a list of its own.
    """
    heading, *cells = [[printable(cell) for cell in row] for row in (headings, *rows)]
    around = 2 * len(_EDGE) + len(_GAP) * (len(heading) - 1)
    room = columns_of(sys.stdout) - around
    if sum(_least_widths([heading, *cells])) > room:
        _print_lists(printable(title), heading, cells)
        return
    widths = _widths([heading, *cells], room)
    wide = sum(widths) + around
    titles = _folded(printable(title), wide) if title else ()
    shown = [padded(line, wide) for line in (*titles, "")]
    shown += [click.style(line, bold=True) for line in _drawn(heading, widths, numbers)]
    shown.append(f" {_line() * (wide - 2)} ")
    for row in cells:
        shown += _drawn(row, widths, numbers)
    _write([*shown, padded("", wide)])


def _drawn(row: Sequence[str], widths: Sequence[int], numbers: int) -> Iterator[str]:
    for cells in _lines(row, widths, numbers):
        yield f"{_EDGE}{_GAP.join(cells)}{_EDGE}"


def _line() -> str:
    """What a line is drawn with; a hyphen where the encoding has nothing better."""
    try:
        "─".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "-"
    return "─"


def _print_lists(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    if title:
        print_pairs([(title, "")])
    for row in rows:
        _write([""])
        pairs = zip(headings, row, strict=True)
        print_pairs((heading, cell) for heading, cell in pairs if cell)


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    rows = [[printable(text) for text in pair] for pair in pairs]
    widths = _widths(rows, columns_of(sys.stdout) - len(_PAIR_GAP))
    _write(
        f"{click.style(name, dim=True)}{_PAIR_GAP}{value}"
        for row in rows
        for name, value in _lines(row, widths)
    )


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """The width of each column; where the `room` is too small, the widest give way."""
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    least = _least_widths(rows)
    while sum(widths) > room and max(widths) > 1:
        columns = range(len(widths))
        wider = [n for n in columns if widths[n] > least[n]] or columns
        _, last = max((widths[n], n) for n in wider)
        widths[last] -= 1
    return widths


def _least_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column that lets words stay whole."""
    return [
        max((_least(word) for cell in column for word in cell.split()), default=0)
        for column in zip(*rows, strict=True)
    ]


def _least(word: str) -> int:
    is_word = word.isascii() and not any(map(str.isdigit, word))
    return width_of(word) if is_word else min(width_of(word), _LONG_ID)


def _lines(
    row: Sequence[str], widths: Sequence[int], numbers: int = 0
) -> Iterator[list[str]]:
    """The lines that a row takes, each of its cells as wide as its column."""
    first_number = len(row) - numbers
    for line in zip_longest(*map(_folded, row, widths), fillvalue=""):
        yield [
            padded(part, width, right=place >= first_number)
            for place, (part, width) in enumerate(zip(line, widths, strict=True))
        ]


def _folded(text: str, width: int) -> Iterator[str]:
    """`text` in lines of at most `width` columns; a word that is wider is cut."""
    line = ""
    for word in _WORD.findall(text):
        if line and width_of(line + word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += word
        while width_of(line.rstrip()) > width:
            cut = next(n for n in count(1) if width_of(line[: n + 1]) > width)
            yield line[:cut]
            line = line[cut:]
    yield line.rstrip()


def _write(lines: Iterable[str]) -> None:
    """Write lines to standard output; on a terminal that knows them, with their styles."""
    has_styles = None if os.environ.get("TERM") not in {"dumb", "unknown"} else False
    shown = "".join(f"{line}\n" for line in lines)
    click.echo(shown, sys.stdout, nl=False, color=has_styles)
