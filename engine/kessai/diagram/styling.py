"""What becomes of Graphviz's SVG: titles, classes, a style, a description, a legend.

Graphviz gives places and lines. What it writes for other reasons is left out: its
version, its document type, its own titles, links around what has a tooltip.
"""

import hashlib

from kessai.diagram.arrows import Arrow, arrow_classes, every_arrow
from kessai.diagram.canvas import Canvas
from kessai.diagram.legend import legend
from kessai.diagram.style import FONTS, PAPER, QUIET, style
from kessai.diagram.titles import arrow_title, description
from kessai.diagram.xml import (
    Element,
    Unreadable,
    add_classes,
    by_id,
    classes,
    make,
    of_class,
    read,
    write,
)
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle

_SMALL = "10"
_SPACE = 0.278
"""How wide a space is, in sizes of the font."""

_DOTS = "2,3"
"""What dots are drawn as: Graphviz's own are lost on paper."""


def fingerprint(source: str) -> str:
    """Return the hash that binds a picture to its digraph."""
    return hashlib.sha256(source.encode()).hexdigest()


def styled(drawn: str, source: str, lifecycle: Lifecycle, language: str) -> str:
    """Make of `drawn`, which Graphviz laid out from `source`, the picture to show.

    Raises:
        InvalidInput: it is no picture: what is called `dot` here is something else.

    """
    root, graph = _laid_out(drawn)
    canvas = Canvas.of(root)
    _strip(graph)
    for text in graph.findall("text"):
        _set(text, "heading")
    for group in graph.findall("g"):
        _style_group(group)
    _give_reads_their_lines(graph, lifecycle, language)
    _draw_labels_last(graph)
    title = " ".join(lifecycle.title.in_language(language).split())
    picture = make(
        "svg",
        of="kessai-lifecycle",
        role="img",
        aria_label=title,
        lang=language,
        data_dot_sha256=fingerprint(source),
        font_family=FONTS,
    )
    described = description(lifecycle, language)
    paper = make("rect", of="paper", fill=PAPER[0])
    picture.extend([make("desc", described), make("style", style()), paper, graph])
    kind = "reversals" if lifecycle.reversals else "lifecycle"
    canvas.add_below(picture, legend(kind, language, canvas.width))
    canvas.put_on(picture)
    return write(picture)


def _laid_out(drawn: str) -> tuple[Element, Element]:
    """Return the root and the graph of what Graphviz drew."""
    try:
        root = read(drawn)
        return root, next(of_class(root, "graph"))
    except (Unreadable, StopIteration) as error:
        message = f"Graphviz cannot lay the diagram out: it gave no picture ({error})"
        raise InvalidInput(message) from error


def _strip(graph: Element) -> None:
    """Take away what is no shape and no text."""
    _, moved, where = graph.get("transform", "").partition("translate")
    graph.set("transform", moved + where)
    graph.attrib.pop("id", None)
    for background in graph.findall("polygon"):
        graph.remove(background)
    for element in list(graph.iter()):
        for title in element.findall("title"):
            element.remove(title)
        element.attrib.pop("{http://www.w3.org/XML/1998/namespace}space", None)
        element.attrib.pop("font-family", None)
        if element.get("stroke-dasharray") == "1,5":
            element.set("stroke-dasharray", _DOTS)


def _style_group(group: Element) -> None:
    """Put a title in the place of a link, and set the first line above the others."""
    if "cluster" in classes(group):
        for text in group.findall("text"):
            _set(text, "quiet")
        return
    tooltip = _unlinked(group)
    if tooltip:
        group.insert(0, make("title", tooltip))
    first, *others = group.findall("text") or [make("text")]
    _set(first, "name")
    for text in others:
        _set(text, "quiet")
        text.set("font-size", _SMALL)
        text.set("fill", QUIET[0])


def _unlinked(group: Element) -> str:
    """Take the shapes out of the link that a tooltip makes; return the tooltip."""
    wrapping, link = group.find("g"), group.find("g/a")
    if wrapping is None or link is None:
        return ""
    place = list(group).index(wrapping)
    group[place : place + 1] = list(link)
    return link.get("{http://www.w3.org/1999/xlink}title", "")


def _set(text: Element, name: str) -> None:
    """Name a line of text; what spaces held apart stands apart."""
    add_classes(text, name)
    given = text.text or ""
    text.text = given.strip()
    if text.get("text-anchor") == "start" and text.text:
        spaces = given.index(text.text[0])
        room = _SPACE * spaces * float(text.get("font-size", "0"))
        text.set("x", f"{float(text.get('x', '0')) + room:g}")


def _draw_labels_last(graph: Element) -> None:
    """Move the labels of arrows after all arrows: what is drawn later lies on top."""
    labels = make("g", of="labels")
    for edge in graph.findall("g"):
        lines = edge.findall("text") if "edge" in classes(edge) else []
        if lines:
            label = make("g", of=edge.get("class", ""), data_edge=edge.get("id", ""))
            label.extend([make("title", edge.findtext("title", "")), *lines])
            for line in lines:
                edge.remove(line)
            labels.append(label)
    graph.append(labels)


def _give_reads_their_lines(
    graph: Element, lifecycle: Lifecycle, language: str
) -> None:
    """Make an edge of each line in a state's box that names a command which reads."""
    boxes = by_id(graph)
    reads: dict[str, list[Arrow]] = {}
    for arrow in every_arrow(lifecycle, language):
        if arrow.target is None:
            reads.setdefault(arrow.source_id, []).append(arrow)
    for named, found in reads.items():
        box = boxes[named]
        lines = box.findall("text")[1:]
        for arrow, line in zip(found, lines, strict=True):
            place = list(box).index(line)
            kinds = " ".join(("edge", *arrow_classes(arrow)))
            row = make("g", id=arrow.id, of=kinds)
            title = "\n".join(arrow_title(lifecycle, arrow, language))
            row.extend([make("title", title), line])
            box[place] = row
