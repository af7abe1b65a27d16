"""How pictures look: one palette for light and for dark, distinct without colour, too.

Light colours stand in the shapes themselves, for viewers that read no style sheet; the
digraph has them from here. What colour shows, dashes, borders, widths and signs show as
well. Rules begin with the root's class, because a style within a page holds for the
whole page, and use no custom properties: the programs that bring SVG to paper do not
know them.
"""

from collections.abc import Iterator, Mapping

FONTS = "Helvetica, 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', Arial, sans-serif"

Shades = tuple[str, str]
"""A colour in the light, and in the dark."""

PAPER: Shades = ("#ffffff", "#0f172a")
INK: Shades = ("#1e293b", "#e2e8f0")
QUIET: Shades = ("#475569", "#a8b5c7")
FRAME: Shades = ("#cbd5e1", "#475569")
LINE: Shades = ("#1e293b", "#cbd5e1")
RUST: Shades = ("#b3430b", "#f3a06b")
VIOLET: Shades = ("#7a3fa8", "#cda4f4")
GREEN: Shades = ("#00705f", "#4fc9b0")
BLUE: Shades = ("#1d4ed8", "#8fb3ff")
FADED: Shades = ("#64748b", "#8a99ad")

FILLS: Mapping[str, tuple[Shades, Shades]] = {
    # what a state is for: its box, and the border
    "initial": (("#dbeafe", "#1b2f5c"), BLUE),
    "normal": (("#ffffff", "#1e293b"), ("#475569", "#94a3b8")),
    "ended": (("#d5f2ea", "#0c3b34"), GREEN),
    "failed": (("#fdebdc", "#46240f"), RUST),
}
LINES: Mapping[str, tuple[Shades, str]] = {
    # what an arrow comes from, and how Graphviz is to dash it
    "opening": (LINE, "solid"),
    "command": (LINE, "solid"),
    "decline": (RUST, "dashed"),
    "reversal": (VIOLET, '"dashed,bold"'),
    "deadline": (VIOLET, "dotted"),
}
MARKS: Mapping[str, tuple[Shades, str]] = {
    # what a transaction makes of an arrow; what stands later is stronger
    "denied": (FADED, "stroke-dasharray:4 3"),
    "allowed": (GREEN, "stroke-width:2.4px;stroke-dasharray:none"),
    "due": (VIOLET, "stroke-width:2.4px"),
    "visited": (BLUE, "stroke-width:2.8px"),
    "open": (RUST, "stroke-width:2.8px;stroke-dasharray:8 4"),
}

_ROOT = ".kessai-lifecycle"
_PATH = ".kessai-transaction"


def style() -> str:
    """Return the style sheet of every picture."""
    light = "".join((*_base(), *_marks(0, _PATH)))
    dark_root = f"{_ROOT}:not(.light)"
    dark = "".join((*_dark(dark_root), *_marks(1, f"{dark_root}{_PATH}")))
    return f"\n{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n"


def _base() -> Iterator[str]:
    yield _rule(_ROOT, f"font-family:{FONTS};max-width:100%;height:auto")
    yield _rule(f"{_ROOT} .name", "font-weight:600")
    yield _rule(f"{_ROOT} .edge .name", "font-weight:400")
    halo = f"paint-order:stroke;stroke:{PAPER[0]};stroke-width:3px"
    yield _rule(f"{_ROOT} .edge text", f"{halo};stroke-linejoin:round")
    yield _rule(f"{_ROOT} .node .edge text", "stroke:none")
    yield _rule(f"{_ROOT} .edge:hover text", "text-decoration:underline")
    here = f"{_PATH} .graph"
    yield _rule(f"{here} .node,{here} .edge", "opacity:.5")
    strong = (".current", *(f".{mark}" for mark in MARKS), ".node .edge")
    yield _rule(",".join(f"{here} {one}" for one in strong), "opacity:1")
    yield _rule(f"{_PATH} .node.visited path", "stroke-width:2.6px")
    yield _rule(f"{_PATH} .node.current path", "stroke-width:3.4px")
    bold = (f"{_PATH} .edge.{mark} .name" for mark in MARKS if mark != "denied")
    yield _rule(",".join(bold), "font-weight:600")


def _dark(root: str) -> Iterator[str]:
    yield _rule(f"{root} .paper", f"fill:{PAPER[1]}")
    yield _rule(f"{root} .track path", f"fill:{PAPER[1]};stroke:{FRAME[1]}")
    yield _rule(f"{root} text", f"fill:{INK[1]}")
    yield _rule(f"{root} .quiet", f"fill:{QUIET[1]}")
    yield _rule(f"{root} .start ellipse", f"fill:{INK[1]};stroke:{INK[1]}")
    yield _rule(f"{root} .edge text", f"stroke:{PAPER[1]}")
    yield _rule(f"{root} .node .edge text", "stroke:none")
    for kind, (shades, _) in LINES.items():
        yield from _edge(f"{root} .{kind}", shades[1], "")
    for purpose, (fill, border) in FILLS.items():
        yield _rule(f"{root} .{purpose} path", f"stroke:{border[1]}")
        yield _rule(f"{root} .{purpose} path:first-of-type", f"fill:{fill[1]}")


def _marks(shade: int, root: str) -> Iterator[str]:
    for mark, (shades, how) in MARKS.items():
        yield from _edge(f"{root} .edge.{mark}", shades[shade], how)
    here = f"{root} .node.current"
    border = ("#172554", "#ffffff")[shade]
    yield _rule(f"{here} path", f"stroke:{border}")
    yield _rule(f"{here} path:first-of-type", f"fill:{('#1d4ed8', '#2f62e8')[shade]}")
    yield _rule(f"{here} text", "fill:#ffffff")


def _edge(selector: str, color: str, how: str) -> Iterator[str]:
    yield _rule(f"{selector} path", ";".join(filter(None, (f"stroke:{color}", how))))
    yield _rule(f"{selector} polygon", f"fill:{color};stroke:{color}")
    yield _rule(f"{selector} text", f"fill:{color}")


def _rule(selector: str, declarations: str) -> str:
    return f"{selector}{{{declarations}}}\n"
