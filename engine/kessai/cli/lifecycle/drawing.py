"""Where a drawing goes: a file, its format by its name, a pipe, or a terminal."""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kessai.cli.terminal.options import out_option
from kessai.cli.terminal.output import note, put
from kessai.errors import InvalidInput
from kessai.words import Words

SUFFIXES: Mapping[str, str] = {
    "svg": ".svg",
    "mermaid": ".mmd",
    "dot": ".dot",
    "md": ".md",
    "json": ".json",
}
"""What a file of each format is called."""

_word = Words("drawing")

drawing_option = out_option(
    "Write to FILE; its ending chooses the format unless --format does."
)


def format_for(
    out: Path | None, asked: str | None, usual: str, known: Iterable[str]
) -> str:
    """The format of a drawing: the one asked for, or by the file's name, or `usual`.

    Raises:
        InvalidInput: the file's name is that of another format, or of none in `known`.

    """
    if out is None:
        return asked or usual
    endings = {SUFFIXES[form]: form for form in known}
    by_name = endings.get(out.suffix.lower())
    if asked is None and by_name is None:
        message = f"--out {out}: give --format, or a name that ends in one of "
        raise InvalidInput(message + ", ".join(endings))
    if asked is not None and by_name not in {None, asked}:
        message = f"--out {out}: by its name it holds {by_name}, but {asked} is asked"
        raise InvalidInput(message)
    return asked or by_name or usual


def drawn(
    draw: Callable[[str], str], form: str, out: Path | None, language: str
) -> str:
    """A drawing in `form`; a person at a terminal gets Mermaid text if SVG cannot be.

    A file and a program get what was asked for, or an error: Mermaid text where an SVG
    is expected would be found out too late.

    Raises:
        GraphvizMissing: an SVG needs Graphviz, and nobody is looking.

    """
    from kessai.diagram import GraphvizMissing  # late: `kessai tx` seldom draws

    try:
        return draw(form)
    except GraphvizMissing as error:
        if out is not None or not sys.stdout.isatty():
            message = f"{error}; or ask for --format mermaid"
            raise GraphvizMissing(message) from error
        note(_word("instead", language))
        return draw("mermaid")


def put_drawing(text: str, out: Path | None, language: str, *, force: bool) -> None:
    """Write a drawing to its file, or to standard output.

    UTF-8 whatever the locale: diagrams go to files, and tools read those.

    Raises:
        InvalidInput: the file cannot be written.

    """
    put(text.rstrip("\n").encode() + b"\n", out, force=force)
    if out is not None:
        note(_word("written", language, path=out))
