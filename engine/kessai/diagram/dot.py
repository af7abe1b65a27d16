"""A lifecycle as a Graphviz digraph: one cluster a track, one box a state.

Commands that only read are listed in the boxes: as loops they would hide the money's
way. Labels are plain text, because not every Graphviz is built to read rich ones. What
does not fit a short label is in the tooltips.
"""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len

from kessai.diagram.arrows import (
    Arrow,
    arrow_classes,
    arrows,
    role,
    state_classes,
    state_id,
    track_id,
)
from kessai.diagram.style import FILLS, FRAME, INK, LINES, QUIET
from kessai.diagram.titles import arrow_title, condition, state_title
from kessai.diagram.xml import clean
from kessai.spec import Lifecycle, Track

FONT = "Helvetica"
"""What Graphviz measures with; the SVG names fonts that have Japanese, too."""


_NOTHING = "—"
"""What stands for an empty title: Graphviz would leave its line out."""


def dot(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return the digraph; states and arrows carry the ids and classes of the SVG."""
    title = _centred([lifecycle.title.in_language(language)])
    graph = (
        "rankdir=TB, bgcolor=white, pad=0.15, nodesep=0.3, ranksep=0.42, labelloc=t, "
        f'fontname="{FONT}", fontsize=18, fontcolor="{INK[0]}"'
    )
    node = (
        'shape=box, style="rounded,filled", penwidth=1.4, margin="0.16,0.08", '
        f'fontname="{FONT}", fontsize=13, fontcolor="{INK[0]}"'
    )
    lines = [
        f"digraph {lifecycle.name} {{",
        f"  graph [{graph}, label={title}]",
        f"  node [{node}]",
        f'  edge [arrowsize=0.7, fontname="{FONT}", fontsize=11]',
    ]
    for track in lifecycle.tracks.values():
        lines += (f"  {line}" for line in _track(lifecycle, track, language))
    return "\n".join([*lines, "}"]) + "\n"


def _track(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[str]:
    heading = _centred([track.title.in_language(language)])
    yield f"subgraph cluster_{track.name} {{"
    yield (
        f'  id="{track_id(track.name)}"; class="track"; style=rounded; '
        f'color="{FRAME[0]}"; margin=16; '
        f'labeljust=l; fontsize=14; fontcolor="{QUIET[0]}"; label={heading}'
    )
    drawn = list(arrows(lifecycle, track, language))
    for state in track.states:
        reads = [a for a in drawn if a.source == state and a.target is None]
        yield f"  {_state(lifecycle, track, state, reads, language)}"
    yield (
        f'  "{track.name}" [id="{track.name}", class="start", shape=point, '
        f'width=0.12, color="{INK[0]}", label=""]'
    )
    for arrow in drawn:
        if arrow.target is not None:
            yield f"  {_arrow(lifecycle, arrow, language)}"
    yield "}"


def _state(
    lifecycle: Lifecycle, track: Track, state: str, reads: list[Arrow], language: str
) -> str:
    purpose = role(lifecycle, track, state)
    (fill, _), (border, _) = FILLS[purpose]
    title = track.states[state].in_language(language)
    label = _centred([title, *(a.label for a in reads)])
    twice = ", peripheries=2" if state in track.final else ""
    named = state_id(track.name, state)
    classes = " ".join(state_classes(lifecycle, track, state))
    tooltip = _quoted(state_title(lifecycle, track, state, language))
    return (
        f'"{named}" [id="{named}", class="{classes}", '
        f'fillcolor="{fill}", color="{border}"{twice}, label={label}, '
        f"tooltip={tooltip}]"
    )


def _arrow(lifecycle: Lifecycle, arrow: Arrow, language: str) -> str:
    classes = arrow_classes(arrow)
    (color, _), style = LINES[classes[0]]
    when = condition(lifecycle, arrow.when, language)
    name = arrow.short or arrow.label
    label = _label([name, when] if when else [name])
    tooltip = _quoted(arrow_title(lifecycle, arrow, language))
    return (
        f'"{arrow.source_id}" -> "{arrow.target_id}" '
        f'[id="{arrow.id}", class="{" ".join(classes)}", '
        f'color="{color}", fontcolor="{color}", style={style}, '
        f"label={label}, tooltip={tooltip}]"
    )


def _label(lines: Iterable[str]) -> str:
    """Return lines to the left, apart from the line that they belong to."""
    space = "\u00a0"
    shown = (rf"{space * 2}{_escaped(one)}{_room(one)}{space * 2}\l" for one in lines)
    return f'"{"".join(shown)}"'


def _quoted(lines: Iterable[str]) -> str:
    return '"' + r"\n".join(_escaped(line) for line in lines) + '"'


def _centred(lines: Iterable[str]) -> str:
    shown = (f"{_room(line)}{_escaped(line)}{_room(line)}" for line in lines)
    return '"' + r"\n".join(shown) + '"'


def _room(text: str) -> str:
    """Return half the room for what is wider than Graphviz thinks.

    Without fonts it takes a Japanese character for two thirds of its width.
    """
    wide = cell_len(text) - len(text)
    return "\u00a0" * round(wide * 0.6)


def _escaped(text: str) -> str:
    text = clean(" ".join(text.split())) or _NOTHING
    return text.replace("&", "&amp;").replace("\\", r"\\").replace('"', r"\"")
