"""The words of diagrams that no lifecycle declares, and how long a deadline is."""

from kessai.words import Words

word = Words("diagram")
_time = Words("durations")
_UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def duration(seconds: int, language: str) -> str:
    """Show `2592000` as `30 days` or `30日`: in the largest unit that is exact."""
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0)
    return _time(unit, language, count=f"{seconds // _UNITS[unit]:,}")


def elapsed(seconds: int, language: str) -> str:
    """Write that `seconds` have passed: `after 30 days`, `30日経過`."""
    return _time("after", language, duration=duration(seconds, language))
