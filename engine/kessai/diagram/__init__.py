"""Pictures and tables of a lifecycle, drawn from its declaration and nothing else.

This package owns how a declaration is shown. It repeats no rule: what is not in the
lifecycle file is in no picture.
"""

from collections.abc import Callable, Mapping

from kessai.diagram import as_json, dot, markdown, mermaid, svg
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle
from kessai.spec.model import LANGUAGES

_DRAW: Mapping[str, Callable[[Lifecycle, str], str]] = {
    "markdown": markdown.markdown,
    "mermaid": mermaid.mermaid,
    "dot": dot.dot,
    "svg": svg.svg,
    "json": as_json.as_json,
}

FORMATS = tuple(_DRAW)
"""What `render` can draw: `markdown`, `mermaid`, `dot`, `svg`, `json`."""

__all__ = ["FORMATS", "render"]


def render(
    lifecycle: Lifecycle,
    format: str,  # noqa: A002 (the same word as on the command line)
    language: str = "en",
) -> str:
    """Draw `lifecycle` as text of one of `FORMATS`, in English or Japanese.

    Raises:
        InvalidInput: the format or the language (`en`, `ja`) is not known, or an SVG
            was asked for that is not shipped and nothing here can lay it out.

    """
    if format not in FORMATS:
        message = f"format {format!r}: known are {', '.join(FORMATS)}"
        raise InvalidInput(message)
    if language not in LANGUAGES:
        message = f"language {language!r}: known are {', '.join(LANGUAGES)}"
        raise InvalidInput(message)
    return _DRAW[format](lifecycle, language)
