"""A transaction on the picture of its lifecycle: where it was, is, and may go next."""

from kessai.diagram.canvas import Canvas
from kessai.diagram.gathered import SEPARATOR, marks_of, summary
from kessai.diagram.legend import legend, text_width
from kessai.diagram.marks import put_on
from kessai.diagram.mermaid import mermaid
from kessai.diagram.path import TransactionPath
from kessai.diagram.style import QUIET
from kessai.diagram.svg import svg
from kessai.diagram.xml import Element, add_classes, make, of_class, read, write

_MARGIN, _LINE, _GAP, _SIZE = 16.0, 17.0, 4.0, 12.0


def transaction_mermaid(path: TransactionPath, language: str) -> str:
    """Return the Mermaid text of the lifecycle with the transaction's path upon it."""
    about = ": ".join(summary(path, language))
    marks = marks_of(path, language)
    return mermaid(path.lifecycle, language, marks=marks, about=about)


def transaction_svg(path: TransactionPath, language: str) -> str:
    """Return the picture of the lifecycle with the transaction's path upon it."""
    root = read(svg(path.lifecycle, language))
    add_classes(root, "kessai-transaction")
    put_on(root, marks_of(path, language))
    canvas = Canvas.of(root)
    canvas.add_below(root, legend("transaction", language, canvas.width))
    _head(root, canvas, path, language)
    canvas.put_on(root)
    return write(root)


def _head(root: Element, canvas: Canvas, path: TransactionPath, language: str) -> None:
    """Put the transaction's lines between the title and what is under it."""
    heading = next(of_class(root, "heading"))
    named, stands = summary(path, language)
    width = canvas.width - 2 * _MARGIN
    lines = [_cut(named, width), *_wrapped(stands, width)]
    room = len(lines) * _LINE + _GAP
    y = float(heading.get("y", "0"))
    heading.set("y", f"{y - room:g}")
    canvas.add_above(room)
    graph = next(of_class(root, "graph"))
    for count, text in enumerate(lines, start=1):
        line = make("text", text, of="quiet", fill=QUIET[0], text_anchor="middle")
        line.set("x", heading.get("x", "0"))
        line.set("y", f"{y - room + _GAP + count * _LINE:g}")
        line.set("font-size", f"{_SIZE}")
        graph.append(line)
    root.set("aria-label", f"{root.get('aria-label', '')}: {named}: {stands}")


def _wrapped(text: str, width: float) -> list[str]:
    """Break a line between its parts where it would be wider than the picture."""
    lines = [""]
    for part in text.split(SEPARATOR):
        longer = f"{lines[-1]}{SEPARATOR}{part}" if lines[-1] else part
        if lines[-1] and text_width(longer, _SIZE) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return [_cut(line, width) for line in lines]


def _cut(text: str, width: float) -> str:
    """Leave out what is wider than the picture; its label has all."""
    shown = text
    while text_width(shown, _SIZE) > width:
        shown = shown[:-1]
    return shown if shown == text else f"{shown[:-1]}…"
