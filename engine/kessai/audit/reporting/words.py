"""The report's own words, and how it shows moments and lengths of time."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources

from kessai.spec import Text

WORDS: Mapping[str, Text] = {
    name: Text(**word)
    for name, word in tomllib.loads(
        resources.files("kessai.audit.reporting")
        .joinpath("words.toml")
        .read_text("utf-8")
    ).items()
}

_UNITS = (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0), ("second", 1.0))
_FEW = 10


def word(name: str, language: str) -> str:
    """The report's own word `name` in `language`, `en` or `ja`."""
    return WORDS[name].in_language(language)


def known_word(prefix: str, name: str, language: str) -> str:
    """The word for a name of the engine's; the name itself if there is none."""
    found = WORDS.get(f"{prefix}{name}") or WORDS.get(f"{name}{prefix}")
    return name if found is None else found.in_language(language)


def length(seconds: float, language: str) -> str:
    """Seconds in the unit that suits them: `3.2 min`, `14 d`."""
    for unit, size in _UNITS:
        if seconds >= size or unit == "second":
            number = seconds / size
            digits = 1 if number < _FEW and number != int(number) else 0
            return word(unit, language).format(n=f"{number:,.{digits}f}")
    return ""


def moment(at: datetime | None) -> str:
    """A moment in UTC, to the second; a dash for none."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
