"""The order of a history's rows: by time, or as they stand in the file.

Rows of one time keep the file's order, and so do those whose times have spans that
overlap: dates among timed rows of the same day, and times in an hour that occurred
twice. Where the file has its newest rows first, its order is taken from the last row to
the first; that is found out from the times of rows that follow one another.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

import attrs

from kessai.audit.log_check.entries import Entry, until_of

FileOrder = Literal["oldest", "newest"]
"""Which row of a file is its first."""

_CLEARLY = 9
"""So many times more steps one way than the other."""

_ONCE = 1
"""A single step back may be a late row."""

_GROUPED = 3
"""Where rows stand by order, at least every third step is within one."""


@attrs.define
class _Steps:
    """How often the next row is later, and how often earlier."""

    later: int = 0
    earlier: int = 0

    @property
    def count(self) -> int:
        return self.later + self.earlier

    @property
    def first(self) -> FileOrder | None:
        if self.earlier > max(self.later * _CLEARLY, _ONCE):
            return "newest"
        return "oldest" if self.later > self.earlier * _CLEARLY else None


class FileDirection:
    """Finds out whether a file has its newest rows first, from row to row."""

    def __init__(self) -> None:
        self._all, self._within = _Steps(), _Steps()
        self._name = ""
        self._last: Entry | None = None

    def see(self, order: str, entry: Entry) -> None:
        """Take the next row of the file."""
        before, self._last = self._last, entry
        name, self._name = self._name, order
        if before is None:
            return
        if entry[0] > (before[0] if before[6] is None else before[6].until):
            self._all.later += 1
            self._within.later += name == order
        elif before[0] > (entry[0] if entry[6] is None else entry[6].until):
            self._all.earlier += 1
            self._within.earlier += name == order

    @property
    def first(self) -> FileOrder:
        """What comes first in the file; in each order, if the file stands by orders."""
        first = self._all.first
        if first is None and self._within.count * _GROUPED >= self._all.count:
            first = self._within.first
        return first or "oldest"


@attrs.frozen
class RowOrder:
    """How the rows of a history are ordered: by time, or only by the file."""

    by_time: bool = True
    first: FileOrder = "oldest"

    def in_file(self, line: int) -> int:
        """What sorts rows as the file has them."""
        return line if self.first == "oldest" else -line

    def sort(self, entries: list[Entry]) -> int | None:
        """Sort the entries of one history.

        Returns where an order begins that may be another one in truth: that of rows in
        an hour that occurred twice.
        """
        if not self.by_time:
            entries.sort(key=self._by_file)
            return None
        if self.first == "oldest":
            entries.sort()
        else:
            entries.sort(key=self._by_time)
        for entry in entries:
            if entry[-1] is not None:
                return self._by_file_where_they_overlap(entries)
        return None

    def _by_file(self, entry: Entry) -> int:
        return self.in_file(entry[2])

    def _by_time(self, entry: Entry) -> tuple[datetime, int, int]:
        return entry[0], entry[1], self.in_file(entry[2])

    def _by_file_where_they_overlap(self, entries: list[Entry]) -> int | None:
        unsure = None
        for start, end in _overlapping(entries):
            together = sorted(entries[start:end], key=self._by_file)
            entries[start:end] = together
            spans = [entry[-1] for entry in together]
            if unsure is None and any(span and span.twice for span in spans):
                unsure = start
        return unsure


def _overlapping(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """The ranges of entries whose spans overlap, of those sorted by time."""
    starts = [0]
    latest = until_of(entries[0])
    for index, entry in enumerate(entries[1:], 1):
        if entry[0] > latest:
            starts.append(index)
        latest = max(latest, until_of(entry))
    ranges = pairwise([*starts, len(entries)])
    return [(a, b) for a, b in ranges if b - a > 1 and any(e[-1] for e in entries[a:b])]
