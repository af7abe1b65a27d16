"""A lifecycle as an SVG, laid out by Graphviz.

The shipped lifecycles come with their pictures, so that drawing them needs no tool.
They are files of the source tree, not made when a wheel is built: whoever changes a
lifecycle sees its picture change, and a test draws all anew and compares the bytes.
Each picture carries the hash of the digraph it was made from: one that no longer fits
its lifecycle is never shown.
"""

from importlib import resources

from kessai.diagram.dot import dot
from kessai.diagram.graphviz import lay_out
from kessai.diagram.styling import fingerprint, styled
from kessai.spec import Lifecycle

PICTURES = ("kessai_specs", "diagrams")
"""The package and the folder in it that hold the shipped pictures."""


def svg(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return the picture: the shipped one, or one laid out now.

    Raises:
        GraphvizMissing: it is not shipped, and there is no Graphviz here.
        InvalidInput: Graphviz failed.

    """
    mark = f'data-dot-sha256="{fingerprint(dot(lifecycle, language))}"'
    shipped = resources.files(PICTURES[0]).joinpath(
        PICTURES[1], f"{lifecycle.name}.{language}.svg"
    )
    if shipped.is_file():
        picture = shipped.read_text(encoding="utf-8")
        if mark in picture[:1000]:
            return picture
    return drawn_anew(lifecycle, language)


def drawn_anew(lifecycle: Lifecycle, language: str) -> str:
    """Return the picture, laid out by Graphviz now.

    Raises:
        GraphvizMissing: there is no Graphviz here.
        InvalidInput: Graphviz failed.

    """
    source = dot(lifecycle, language)
    return styled(lay_out(source), source, lifecycle, language)
