"""The pictures of a report: the lifecycle with counts upon it, bars, heat.

Pictures are SVG within the page. What a colour shows is also shown by a figure, a
line's width or its dots as well.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import attrs

from kessai.audit.coverage.items import begin_id, commit_id, lapsed_id, release_id
from kessai.audit.reporting.facts import LifecycleFigures
from kessai.audit.reporting.words import word
from kessai.diagram import Mark, marked, render
from kessai.diagram.arrows import Arrow, every_arrow, state_id
from kessai.diagram.xml import Element, by_id, make, read, write
from kessai.errors import InvalidInput

SHADES = 5
"""How many shades heat has, from one to the most."""

BUCKETS = 60
"""How many columns a picture of days has at most."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_FEW = 10
_DIGIT = 6.0
"""How wide a digit of a badge is."""


def heat(count: int, most: int) -> int:
    """The shade for a count, by its size: 0 for none, `SHADES` for the most.

    Where even the most are few, none is as dark as that: once is no heat.
    """
    if count <= 0:
        return 0
    return 1 + round((SHADES - 1) * math.log(count) / math.log(max(most, _FEW)))


def diagram(figures: LifecycleFigures, language: str, prefix: str) -> str:
    """The lifecycle's picture with counts; empty where nothing here can draw it."""
    arrows = list(every_arrow(figures.lifecycle, language))
    counts = {arrow.id: _count(figures, arrow) for arrow in arrows}
    most = max(counts.values(), default=0)
    marks = {
        arrow.id: _arrow_mark(counts[arrow.id], most, language) for arrow in arrows
    }
    standing = {
        state_id(track, state): figures.standing[f"{track}.{state}"]
        for track, about in figures.lifecycle.tracks.items()
        for state in about.states
    }
    for named, count in standing.items():
        if count:
            note = f"{word('standing', language)}: {count:,}"
            marks[named] = Mark(notes=(note,))
    try:
        picture = marked(
            render(figures.lifecycle, "svg", language), marks, prefix=prefix
        )
    except InvalidInput:  # no Graphviz here, or a graph that it cannot lay out
        return ""
    return _badged(picture, {f"{prefix}{k}": n for k, n in standing.items() if n})


def _badged(picture: str, counts: Mapping[str, int]) -> str:
    """The picture with a count at the upper right corner of each state that has one."""
    root = read(picture)
    boxes = by_id(root)
    for named, count in counts.items():
        path = boxes[named].find("path")
        if path is not None:
            right, top = _corner(path.get("d", ""))
            boxes[named].extend(_badge(f"{count:,}", right, top))
    return write(root)


def _corner(path: str) -> tuple[float, float]:
    """The right and upper end of a box, as Graphviz draws it: points alone."""
    numbers = [float(number) for number in _NUMBER.findall(path)]
    return max(numbers[::2], default=0.0), min(numbers[1::2], default=0.0)


def _badge(text: str, right: float, top: float) -> tuple[Element, Element]:
    wide = _DIGIT * len(text) + 9
    left, above = right - wide + 8, top - 9
    box = make(
        "rect",
        of="badge",
        x=f"{left:g}",
        y=f"{above:g}",
        width=f"{wide:g}",
        height="15",
        rx="7.5",
    )
    middle = f"{left + wide / 2:g}"
    label = make(
        "text", text, of="count", text_anchor="middle", x=middle, font_size="10"
    )
    label.set("y", f"{above + 11:g}")
    return box, label


def _count(figures: LifecycleFigures, arrow: Arrow) -> int:
    state = f"{arrow.track}.{arrow.source}"
    if arrow.cause == "deadline":
        return figures.counts[lapsed_id(arrow.name)]
    if arrow.cause == "decline":
        return figures.counts[release_id(arrow.name, state)]
    if arrow.move is None:  # an opening command that opens the track
        return figures.counts[begin_id(arrow.name, f"{arrow.track}.{arrow.target}")]
    return figures.counts[commit_id(arrow.name, arrow.track, arrow.source, arrow.move)]


def _arrow_mark(count: int, most: int, language: str) -> Mark:
    if not count:
        return Mark(("never",), (word("never", language),))
    note = f"{word('succeeded', language)}: {count:,}"
    return Mark((f"heat-{heat(count, most)}",), (note,), f"{count:,} ×")


@attrs.frozen
class ChartBar:
    """One bar of a picture, in its units; `y` counts from above."""

    x: float
    y: float
    width: float
    height: float
    count: int


def columns(counts: Sequence[int], width: float, height: float) -> list[ChartBar]:
    """Columns side by side, the tallest as high as the picture."""
    most = max(counts, default=0)
    step = width / max(1, len(counts))
    bars: list[ChartBar] = []
    for place, count in enumerate(counts):
        tall = 0.0 if not count else max(1.5, height * count / most)
        at = round(height - tall, 2)
        bars.append(
            ChartBar(
                round(place * step + 1, 2),
                at,
                round(step - 2, 2),
                round(tall, 2),
                count,
            )
        )
    return bars


def share(count: int, most: int, width: float) -> float:
    """How long a bar is for `count`, where `most` is as long as the picture."""
    if not count or not most:
        return 0.0
    return round(max(1.5, width * count / most), 2)


@attrs.frozen
class ChartPeriod:
    """Some days, one after the other: their first and last, and what happened."""

    first: date
    last: date
    begun: int
    denied: int


def periods(days: Mapping[date, tuple[int, int]]) -> list[ChartPeriod]:
    """Days, each with what was begun and denied, as at most `BUCKETS` periods."""
    if not days:
        return []
    first, last = min(days), max(days)
    long = -(-((last - first).days + 1) // BUCKETS)
    found: list[ChartPeriod] = []
    start = first
    while start <= last:
        end = start + timedelta(days=long - 1)
        own = [days.get(start + timedelta(days=n), (0, 0)) for n in range(long)]
        begun, denied = (sum(column) for column in zip(*own, strict=True))
        found.append(ChartPeriod(start, end, begun, denied))
        start = end + timedelta(days=1)
    return found
