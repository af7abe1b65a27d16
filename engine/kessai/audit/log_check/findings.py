"""What a check found: counts of all there is, the most common violations, the first."""

import heapq
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import attrs

from kessai.audit.log_check.words import BadValue
from kessai.machine import Bounds, Denial

MOST = 1_000
"""How many finds of a kind are kept unless more are asked for; all are counted."""

MOST_LINES = 5


@attrs.frozen
class LogViolation:
    """A step that the lifecycle does not allow where it held.

    `states` are those before it. `is_after`: an earlier step of the history was not
    allowed either. `is_uncertain`: a row of the history could not be read, or its order
    may be another one, so that it is perhaps no fault.
    """

    lifecycle: str
    command: str
    order: str
    line: int
    at: datetime
    amount: int | None
    states: str
    denial: Denial
    is_after: bool
    is_uncertain: bool

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all reasons."""
        return self.denial.codes

    @property
    def bounds(self) -> Bounds | None:
        """The amounts that would have passed, if it was for the amount alone."""
        return self.denial.bounds


@attrs.define
class ViolationGroup:
    """Like violations: how many, and the one that comes first in the log."""

    example: LogViolation
    count: int = 0


@attrs.define
class BadRows:
    """Like rows that could not be read: how many, and the first lines."""

    example: BadValue
    count: int = 0
    lines: list[int] = attrs.field(factory=list[int])

    def sentence(self, language: str) -> str:
        """What is wrong with them, in `language`."""
        return self.example.sentence(language)


@attrs.define
class Findings:
    """All that a check found, in the making and when it is made.

    Of the violations the first `most` are kept.
    """

    most: int = MOST

    histories: int = 0
    histories_allowed: int = 0
    histories_uncertain: int = 0
    histories_midway: int = 0
    histories_unsure: int = 0
    events: int = 0
    allowed: int = 0
    violations: int = 0
    after: int = 0
    uncertain: int = 0
    refused: int = 0
    refused_though_allowed: int = 0
    declined_anyway: int = 0
    repeated: int = 0
    left_open: int = 0
    bad_rows: int = 0
    left_out: int = 0
    first: datetime | None = None
    last: datetime | None = None
    ignored_amounts: Counter[str] = attrs.field(factory=Counter[str])
    blank_amounts: Counter[str] = attrs.field(factory=Counter[str])
    older_agreements: set[str] = attrs.field(factory=set[str])
    groups: dict[tuple[str, str, tuple[str, ...], str], ViolationGroup] = attrs.field(
        factory=dict
    )
    bad: dict[tuple[object, ...], BadRows] = attrs.field(factory=dict)
    _kept: list[tuple[int, int, LogViolation]] = attrs.field(factory=list)

    @property
    def holds(self) -> bool:
        """Whether every history that could be read whole was allowed."""
        return not self.violations and not self.after

    @property
    def not_allowed(self) -> int:
        """How many steps were not allowed, for sure or perhaps."""
        return self.violations + self.after + self.uncertain

    @property
    def allowed_share(self) -> float:
        """Which part of the events that were judged was allowed."""
        judged = self.allowed + self.not_allowed
        return self.allowed / judged if judged else 1.0

    def violation(self, found: LogViolation) -> None:
        """Count `found`; one after another in the same history does not make a group."""
        if found.is_uncertain:
            self.uncertain += 1
        elif found.is_after:
            self.after += 1
        else:
            self.violations += 1
            self._group(found)
        entry = (-found.line, -self.not_allowed, found)  # no two are alike before it
        if len(self._kept) < self.most:
            heapq.heappush(self._kept, entry)
        elif self._kept and -found.line > self._kept[0][0]:
            heapq.heapreplace(self._kept, entry)

    def bad_row(self, line: int, wrong: BadValue) -> None:
        """Count a row that could not be read."""
        self.bad_rows += 1
        values = wrong.values
        key: tuple[object, ...] = (
            wrong.code,
            values.get("column"),
            self._value(wrong),
        )
        if len(self.bad) >= MOST and key not in self.bad:
            key = (wrong.code, values.get("column"))
        found = self.bad.setdefault(key, BadRows(wrong))
        found.count += 1
        if len(found.lines) < MOST_LINES:
            found.lines.append(line)

    def most_common(self) -> list[ViolationGroup]:
        """The groups of violations, the largest first."""
        return sorted(
            self.groups.values(), key=lambda group: (-group.count, group.example.line)
        )

    def most_common_bad(self) -> list[BadRows]:
        """The groups of rows that could not be read, the largest first."""
        return sorted(self.bad.values(), key=lambda rows: (-rows.count, rows.lines[0]))

    def in_file_order(self) -> Iterator[LogViolation]:
        """The first violations of the log, as they stand in it."""
        for *_, violation in sorted(self._kept, reverse=True):
            yield violation

    def spans(self, first: datetime, last: datetime) -> None:
        """Take the times from `first` to `last` into the span of the log."""
        if self.first is None or first < self.first:
            self.first = first
        if self.last is None or last > self.last:
            self.last = last

    def _group(self, found: LogViolation) -> None:
        key = (found.lifecycle, found.command, found.codes, found.states)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = ViolationGroup(found)
        elif found.line < group.example.line:
            group.example = found
        group.count += 1

    def _value(self, wrong: BadValue) -> object:
        """Words are distinguished; amounts and times, which are many, are not."""
        return wrong.values.get("value") if "field" in wrong.values else None
