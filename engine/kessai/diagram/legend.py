"""The legend under a picture: what its lines, borders and signs mean, in few words."""

from collections.abc import Iterator

from rich.cells import cell_len

from kessai.diagram.style import FILLS, LINES, QUIET
from kessai.diagram.words import word
from kessai.diagram.xml import Element, make

SIGNS = {"visited": "①", "allowed": "▸", "denied": "✕", "open": "…", "due": "◷"}
"""What stands before an arrow's label, besides its colour."""

KEYS = {
    "lifecycle": ("initial", "final", "failed", "command", "decline", "deadline"),
    "reversals": (
        *("initial", "final", "failed"),
        *("command", "decline", "reversal", "deadline"),
    ),
    "transaction": ("current", "visited", "allowed", "denied", "open", "due"),
}
"""What each legend explains, in its order; `reversals` that of a lifecycle with some."""

_OUTER = "M4,1H20a3,3 0 0 1 3,3V12a3,3 0 0 1 -3,3H4a3,3 0 0 1 -3,-3V4a3,3 0 0 1 3,-3Z"
_INNER = (
    "M5.5,4H18.5a1,1 0 0 1 1,1V11a1,1 0 0 1 -1,1H5.5a1,1 0 0 1 -1,-1V5a1,1 0 0 1 1,-1Z"
)
_MARGIN, _SWATCH, _GAP, _ROW = 16.0, 26.0, 11.0, 20.0
_SIZE = 11
_LETTERS = "\u2000"
"""After the alphabets come signs, which are wide."""

_NARROW = " .,:;'|!()fijltr·-"


def legend(kind: str, language: str, width: float) -> tuple[Element, float]:
    """Return the legend of that kind, as wide as the picture, and its height."""
    group = make("g", of="legend")
    x, y = _MARGIN, 4.0
    for key in KEYS[kind]:
        text = f"{SIGNS.get(key, '')} {word(f'key_{key}', language)}".strip()
        needed = _SWATCH + 5 + text_width(text, _SIZE)
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, y = _MARGIN, y + _ROW
        group.append(_entry(key, text, x, y))
        x += needed + _GAP
    return group, y + _ROW + 8


def text_width(text: str, size: float) -> float:
    """Return about how wide a line of text is."""
    return size * sum(map(_character_width, text))


def _character_width(character: str) -> float:
    if cell_len(character) > 1 or character > _LETTERS:
        return 1
    if character in _NARROW:
        return 0.28
    return 0.68 if character.isupper() or character in "mw" else 0.54


def _entry(key: str, text: str, x: float, y: float) -> Element:
    entry = make("g", transform=f"translate({x:g} {y:g})")
    entry.extend(_swatch(key))
    attributes = {"x": f"{_SWATCH + 5:g}", "y": "12", "font-size": str(_SIZE)}
    label = make("text", text, of="quiet", fill=QUIET[0])
    label.attrib.update(attributes)
    entry.append(label)
    return entry


def _swatch(key: str) -> Iterator[Element]:
    if key in {"initial", "final", "failed", "current"}:
        yield _box(key)
        return
    group = make("g", of=f"edge {key}")
    color, dashes = _line(key)
    path = make("path", fill="none", stroke=color, d="M0,8L18,8")
    if dashes:
        path.set("stroke-dasharray", dashes)
    if key == "reversal":
        path.set("stroke-width", "2")
    group.append(path)
    group.append(
        make("polygon", fill=color, stroke=color, points="18,5.5 25,8 18,10.5")
    )
    yield group


def _line(key: str) -> tuple[str, str]:
    dashes = {"decline": "5,2", "reversal": "5,2", "deadline": "2,3"}
    shades = LINES[key][0] if key in LINES else LINES["command"][0]
    return shades[0], dashes.get(key, "")


def _box(key: str) -> Element:
    purpose = {"final": "ended", "current": "normal"}.get(key, key)
    (fill, _), (border, _) = FILLS[purpose]
    group = make("g", of=f"node {purpose} {key}")
    group.append(make("path", fill=fill, stroke=border, d=_OUTER))
    if key in {"final", "failed"}:
        group.append(make("path", fill="none", stroke=border, d=_INNER))
    return group
