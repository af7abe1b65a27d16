"""Text in terminal columns, where a Japanese character takes two."""

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len

if TYPE_CHECKING:  # they take longer to import than most commands
    from rich.console import Console
    from rich.text import Text as Styled

PLAIN_WIDTH = 120
"""Columns where nobody looks: wide, so that what is piped on is rarely folded."""

# What may not begin a line stays with the word or character before it.
_CLOSING = "[、。）」:]*"
# An amount is not torn from its currency.
_PIECE = re.compile(
    rf"[0-9][0-9,.]*\ [A-Z]{{3}}[.,]?{_CLOSING}|[\x21-\x7e]+{_CLOSING}|\s|.{_CLOSING}"
)


def width_of(text: str) -> int:
    """How many columns `text` takes."""
    return cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `width` columns, on its left with `right`."""
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def wrapped(text: str, width: int) -> Iterator[str]:
    """`text` in lines of at most `width` columns; longer words stand alone."""
    line = ""
    for piece in _PIECE.findall(text):
        if line and width_of(line + piece.rstrip()) > width:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    if line.strip():
        yield line.rstrip()


def paragraph(
    text: str,
    width: int,
    *,
    first: "str | Styled" = "",
    indent: int = 0,
    style: str = "",
) -> Iterator["Styled"]:
    """`text` in lines of at most `width` columns, each after `indent` spaces.

    `first` is as wide, and stands before the first line instead of them.
    """
    from rich.text import Text as Styled

    for line in wrapped(text, width - indent):
        yield Styled.assemble(first or " " * indent, (line, style))
        first = ""


def columns_of(stream: TextIO) -> int:
    """How wide `stream` is: its terminal, or what the variable COLUMNS says."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or PLAIN_WIDTH
    except (OSError, ValueError):  # nobody looks
        return PLAIN_WIDTH


def console(stream: TextIO) -> "Console":
    """What writes styled lines to `stream`."""
    from rich.console import Console

    width = None if stream.isatty() else columns_of(stream)
    return Console(file=stream, width=width, highlight=False)
