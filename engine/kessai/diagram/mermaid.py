"""A lifecycle as a Mermaid state diagram, for pages that draw it themselves."""

import json
from collections.abc import Iterator, Mapping

from kessai.diagram.arrows import Arrow, arrows, role, state_id
from kessai.diagram.marks import Mark
from kessai.diagram.style import FILLS, INK
from kessai.diagram.titles import condition
from kessai.spec import Lifecycle, Track
from kessai.words import printable

_SPECIAL = '"#:;<>{}%\\`&|'
_ESCAPED = {ord(mark): f"#{ord(mark)};" for mark in _SPECIAL}

_BREAK = " / "
"""What stands between two labels: Mermaid breaks lines where it likes."""

_OF_STATES = {
    "visited": "stroke:#1d4ed8,stroke-width:3px",
    "current": "fill:#1d4ed8,stroke:#172554,stroke-width:4px,color:#ffffff",
}
"""What a transaction makes of a state; Mermaid cannot style the arrows of one."""


def mermaid(
    lifecycle: Lifecycle,
    language: str = "en",
    *,
    marks: Mapping[str, Mark] | None = None,
    about: str = "",
) -> str:
    """Return one `stateDiagram-v2`; several tracks stand in it side by side.

    `marks` by id are those of a transaction, and `about` is its title.
    """
    title = lifecycle.title.in_language(language)
    title = f"{title}: {about}" if about else title
    lines = [
        "---",
        # JSON is YAML, too: whatever the title holds, it stays one text.
        f"title: {json.dumps(printable(title), ensure_ascii=False)}",
        "---",
        "stateDiagram-v2",
        "  direction LR",
    ]
    known = marks or {}
    tracks = list(lifecycle.tracks.values())
    for track in tracks:
        body = _track(lifecycle, track, language, known)
        if len(tracks) == 1:
            lines += (f"  {line}" for line in body)
        else:
            name = _escaped(track.title.in_language(language))
            lines.append(f'  state "{name}" as {track.name} {{')
            lines += (f"    {line}" for line in ("direction LR", *body))
            lines.append("  }")
    lines += (f"  {line}" for line in _classes(lifecycle, known))
    return "\n".join(lines) + "\n"


def _track(
    lifecycle: Lifecycle, track: Track, language: str, marks: Mapping[str, Mark]
) -> Iterator[str]:
    for state, text in track.states.items():
        title = _escaped(text.in_language(language))
        yield f'state "{title}" as {_id(track, state)}'
    for (source, target), found in _by_ends(lifecycle, track, language).items():
        # Of several lines with the same two ends Mermaid would draw the last alone.
        labels = (_label(lifecycle, a, marks.get(a.id), language) for a in found)
        ends = f"{_id(track, source) if source else '[*]'} --> {_id(track, target)}"
        yield f"{ends} : {_BREAK.join(labels)}"
    for state in track.states:
        if state in track.final:
            yield f"{_id(track, state)} --> [*]"


def _classes(lifecycle: Lifecycle, marks: Mapping[str, Mark]) -> Iterator[str]:
    """What states are for and, after that and so above it, what a transaction made."""
    members: dict[str, list[str]] = {}
    styles: dict[str, str] = {}
    for purpose, (fill, border) in FILLS.items():
        styles[purpose] = f"fill:{fill[0]},stroke:{border[0]},color:{INK[0]}"
    styles |= _OF_STATES
    for track in lifecycle.tracks.values():
        for state in track.states:
            mark = marks.get(state_id(track.name, state), Mark())
            for name in (role(lifecycle, track, state), *mark.classes):
                members.setdefault(name, []).append(_id(track, state))
    for name, style in styles.items():
        if name in members:
            yield f"classDef {name} {style}"
            yield f"class {','.join(members[name])} {name}"


def _by_ends(
    lifecycle: Lifecycle, track: Track, language: str
) -> dict[tuple[str, str], list[Arrow]]:
    found: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows(lifecycle, track, language):
        ends = (arrow.source, arrow.target or arrow.source)
        found.setdefault(ends, []).append(arrow)
    return found


def _label(lifecycle: Lifecycle, arrow: Arrow, mark: Mark | None, language: str) -> str:
    sign = f"{mark.sign} " if mark and mark.sign else ""
    when = condition(lifecycle, arrow.when, language)
    shown = f" [{when}]" if when else ""
    return _escaped(f"{sign}{arrow.label}{shown} ({arrow.rule})")


def _id(track: Track, state: str) -> str:
    return f"{track.name}__{state}"


def _escaped(text: str) -> str:
    return printable(" ".join(text.split())).translate(_ESCAPED)
