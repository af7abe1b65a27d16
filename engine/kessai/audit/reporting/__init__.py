"""The audit report: what was declared, reached, denied and tested.

    facts = gather(store, "sqlite:///kessai.db", now)
    page = render(facts, "html", "ja")

One pass over the store verifies everything and counts it. A report shows nothing that
is not in the trail or in the lifecycle files that the trail is bound to.
"""

from collections.abc import Callable, Mapping

from kessai.audit.reporting import as_csv, as_html, as_json
from kessai.audit.reporting.facts import Facts
from kessai.audit.reporting.gather import gather
from kessai.errors import InvalidInput
from kessai.words import LANGUAGES

_WRITE: Mapping[str, Callable[[Facts, str], str]] = {
    "html": as_html.as_html,
    "json": as_json.as_json,
    "csv": as_csv.as_csv,
}

FORMATS = tuple(_WRITE)
"""What `render` can write: `html`, `json`, `csv`."""

__all__ = ["FORMATS", "Facts", "gather", "render"]


def render(
    facts: Facts,
    format: str,  # noqa: A002 (the same word as on the command line)
    language: str = "en",
) -> str:
    """Write `facts` as text of one of `FORMATS`, in English or Japanese.

    The same facts give the same text.

    Raises:
        InvalidInput: the format or the language (`en`, `ja`) is not known.
        StoreUnsuitable: the HTML needs Jinja, and the extra `report` is not installed.

    """
    if format not in FORMATS:
        message = f"format {format!r}: known are {', '.join(FORMATS)}"
        raise InvalidInput(message)
    if language not in LANGUAGES:
        message = f"language {language!r}: known are {', '.join(LANGUAGES)}"
        raise InvalidInput(message)
    return _WRITE[format](facts, language)
