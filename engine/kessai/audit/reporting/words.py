"""The report's own words, and how it shows times and lengths of time."""

from datetime import datetime

from kessai.words import Words

word = Words("report")

_UNITS = (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0), ("second", 1.0))
_FEW = 10


def known_word(name: str, suffix: str, language: str) -> str:
    """The word for a name of the engine's; the name itself if there is none."""
    found = word.get(f"{name}{suffix}")
    return name if found is None else found.in_language(language)


def length(seconds: float, language: str) -> str:
    """Seconds in the unit that suits them: `3.2 min`, `14 d`."""
    for unit, size in _UNITS:
        if seconds >= size or unit == "second":
            number = seconds / size
            digits = 1 if number < _FEW and number != int(number) else 0
            return word(unit, language, n=f"{number:,.{digits}f}")
    return ""


def moment(at: datetime | None) -> str:
    """A time in UTC, to the second; a dash for none."""
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
