"""A lifecycle as a Mermaid state diagram, for pages that draw it themselves."""

import json
from collections.abc import Iterator

from kessai.diagram.arrows import Arrow, arrows
from kessai.spec import Lifecycle, Track

_SPECIAL = '"#:;<>{}%\\`&|'
_ESCAPED = {ord(mark): f"#{ord(mark)};" for mark in _SPECIAL}


def mermaid(lifecycle: Lifecycle, language: str = "en") -> str:
    """Return one `stateDiagram-v2`; several tracks stand in it side by side."""
    title = lifecycle.title.in_language(language)
    lines = [
        "---",
        # JSON is YAML, too: whatever the title holds, it stays one text.
        f"title: {json.dumps(title, ensure_ascii=False)}",
        "---",
        "stateDiagram-v2",
        "  direction LR",
    ]
    tracks = list(lifecycle.tracks.values())
    for track in tracks:
        body = _track(lifecycle, track, language)
        if len(tracks) == 1:
            lines += (f"  {line}" for line in body)
        else:
            name = _escaped(track.title.in_language(language))
            lines.append(f'  state "{name}" as {track.name} {{')
            lines += (f"    {line}" for line in ("direction LR", *body))
            lines.append("  }")
    return "\n".join(lines) + "\n"


def _track(lifecycle: Lifecycle, track: Track, language: str) -> Iterator[str]:
    for state, text in track.states.items():
        title = _escaped(text.in_language(language))
        yield f'state "{title}" as {_id(track, state)}'
    yield f"[*] --> {_id(track, track.initial)}"
    for arrow in arrows(lifecycle, track, language):
        target = _id(track, arrow.target or arrow.source)
        yield f"{_id(track, arrow.source)} --> {target} : {_label(arrow)}"
    for state in track.states:
        if state in track.final:
            yield f"{_id(track, state)} --> [*]"


def _label(arrow: Arrow) -> str:
    when = f" [{arrow.when}]" if arrow.when else ""
    return _escaped(f"{arrow.label}{when} ({arrow.rule})")


def _id(track: Track, state: str) -> str:
    return f"{track.name}__{state}"


def _escaped(text: str) -> str:
    return " ".join(text.split()).translate(_ESCAPED)
