"""A lifecycle as a Graphviz digraph: one cluster a track, one box a state.

Commands that only read are listed in the boxes: as loops they would hide the money's
way. Labels are plain text, because not every Graphviz is built to read rich ones.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from kessai.diagram.arrows import Arrow, arrows, role, state_id
from kessai.diagram.words import word
from kessai.spec import Lifecycle, Track

FONT = "Helvetica"
"""What Graphviz measures with; the SVG names fonts that have Japanese, too."""

_INK, _QUIET = "#1e293b", "#64748b"
_FILLS = {
    "initial": ("#dbeafe", "#2563eb"),
    "normal": ("#f8fafc", "#475569"),
    "ended": ("#dcfce7", "#16a34a"),
    "failed": ("#fee2e2", "#dc2626"),
}
_LINES = {
    "command": (_INK, "solid"),
    "declined": ("#dc2626", "dashed"),
    "deadline": ("#b45309", "dashed"),
}


def dot(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return the digraph; states and arrows carry ids, such as `state-payment-paid`."""
    title = _quoted([lifecycle.title.in_language(language)])
    graph = (
        "rankdir=LR, bgcolor=white, pad=0.3, nodesep=0.4, ranksep=0.4, labelloc=t, "
        f'fontname="{FONT}", fontsize=18, fontcolor="{_INK}"'
    )
    node = (
        'shape=box, style="rounded,filled", penwidth=1.4, margin="0.2,0.09", '
        f'fontname="{FONT}", fontsize=13, fontcolor="{_INK}"'
    )
    lines = [
        f"digraph {lifecycle.name} {{",
        f"  graph [{graph}, label={title}]",
        f"  node [{node}]",
        f'  edge [arrowsize=0.7, fontname="{FONT}", fontsize=11]',
    ]
    # Graphviz stacks clusters from the bottom up.
    for track in reversed(list(lifecycle.tracks.values())):
        lines += (f"  {line}" for line in _track(lifecycle, track, language))
    return "\n".join([*lines, "}"]) + "\n"


def _track(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[str]:
    heading = _quoted([track.title.in_language(language)])
    yield f"subgraph cluster_{track.name} {{"
    yield (
        f'  id="track-{track.name}"; style=rounded; color="#cbd5e1"; margin=16; '
        f'labeljust=l; fontsize=14; fontcolor="{_QUIET}"; label={heading}'
    )
    drawn = list(arrows(lifecycle, track, language))
    for state in track.states:
        reads = [a for a in drawn if a.source == state and a.target is None]
        yield f"  {_state(lifecycle, track, state, reads, language)}"
    yield from (f"  {line}" for line in _openings(lifecycle, track, language))
    for arrow in drawn:
        if arrow.target is not None:
            yield f"  {_arrow(arrow, arrow.target)}"
    yield "}"


def _state(
    lifecycle: Lifecycle, track: Track, state: str, reads: list[Arrow], language: str
) -> str:
    fill, border = _FILLS[role(lifecycle, track, state)]
    title = track.states[state].in_language(language)
    label = _quoted([title, *(f"{a.label} {a.rule}" for a in reads)])
    twice = ", peripheries=2" if state in track.final else ""
    return (
        f'"{track.name}.{state}" [id="{state_id(track.name, state)}", '
        f'fillcolor="{fill}", color="{border}"{twice}, label={label}]'
    )


def _openings(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[str]:
    start = f'"{track.name}"'
    yield (
        f'{start} [id="start-{track.name}", shape=point, width=0.12, '
        f'color="{_INK}", label=""]'
    )
    for command in lifecycle.commands.values():
        for opening in command.opens:
            if opening.track == track.name:
                when = [] if opening.when is None else [opening.when.text]
                label = _quoted([word("opens", language), *when, command.rule])
                yield (
                    f'{start} -> "{track.name}.{track.initial}" '
                    f'[id="open-{track.name}-{command.name}", color="{_INK}", '
                    f'fontcolor="{_QUIET}", label={label}]'
                )


def _arrow(arrow: Arrow, target: str) -> str:
    color, style = _LINES[arrow.cause]
    when = [] if arrow.when is None else [arrow.when.text]
    label = _quoted([arrow.label, *when, arrow.rule])
    return (
        f'"{arrow.track}.{arrow.source}" -> "{arrow.track}.{target}" '
        f'[id="{arrow.id}", color="{color}", fontcolor="{color}", style={style}, '
        f"label={label}]"
    )


def _quoted(lines: Iterable[str]) -> str:
    return '"' + r"\n".join(_escaped(line) for line in lines) + '"'


def _escaped(text: str) -> str:
    """Escape `text`, with room at both ends for what is wider than Graphviz thinks.

    Without fonts it takes a Japanese character for two thirds of its width.
    """
    text = " ".join(text.split())
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    room = " " * round(wide * 0.6)
    text = text.replace("&", "&amp;").replace("\\", r"\\").replace('"', r"\"")
    return f"{room}{text}{room}"
