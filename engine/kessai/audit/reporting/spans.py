"""How long something lasted, over any number of times, in bounded memory.

Lengths are counted in steps of two percent: shares and medians are that exact, the
longest one is exact, and the same lengths in any order give the same answers.
"""

import math
from collections import Counter
from datetime import timedelta

import attrs

_STEP = math.log(1.02)
_LADDER = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000)
"""Where the bars of a picture end, in seconds: 1 s, 10 s, 1 min … 30 days; then more."""


@attrs.define
class Spans:
    """Lengths of time, counted."""

    count: int = 0
    longest: float = 0.0
    _steps: Counter[int] = attrs.field(factory=Counter[int])
    _bars: list[int] = attrs.field(factory=lambda: [0] * (len(_LADDER) + 1))

    def add(self, span: timedelta) -> None:
        """Count one more. A clock that went backwards counts as no time at all."""
        seconds = max(0.0, span.total_seconds())
        self.count += 1
        self.longest = max(self.longest, seconds)
        self._steps[0 if seconds < 1 else 1 + int(math.log(seconds) / _STEP)] += 1
        self._bars[sum(seconds >= end for end in _LADDER)] += 1

    def share(self, part: float) -> float:
        """The seconds within which `part` (0 to 1) of all ended; 0 for none."""
        if not self.count:
            return 0.0
        rank, seen = math.ceil(part * self.count), 0
        for step, count in sorted(self._steps.items()):
            seen += count
            if seen >= rank:
                return 0.0 if not step else min(math.exp(step * _STEP), self.longest)
        return self.longest

    @property
    def bars(self) -> tuple[int, ...]:
        """How many lasted less than each of the ladder's ends, and how many longer."""
        return tuple(self._bars)
