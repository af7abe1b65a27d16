"""Reading and writing the pictures' XML, with plain names and nothing from outside."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from kessai.words import printable

SVG = "http://www.w3.org/2000/svg"

Element = ET.Element

_OUTSIDE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(ValueError):
    """The text is not a picture."""


def clean(text: str) -> str:
    """Put a replacement character for what no XML may hold, and nobody could see."""
    lines = (printable(line) for line in _OUTSIDE.sub("\ufffd", text).split("\n"))
    return "\n".join(lines)


def read(picture: str) -> Element:
    """Read a picture that this package or Graphviz made; names lose their namespace.

    Raises:
        Unreadable: it is not one.

    """
    try:
        root = ET.fromstring(picture)  # noqa: S314 (no stranger's, and it loads nothing)
    except ET.ParseError as error:
        raise Unreadable(str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def write(root: Element) -> str:
    """Write a picture, to stand alone or within a page."""
    root.attrib.pop("xmlns", None)
    ordered = {"xmlns": SVG, **root.attrib}
    root.attrib.clear()
    root.attrib.update(ordered)
    for element in root.iter():
        element.text = element.text and clean(element.text)
        for name, value in element.attrib.items():
            element.set(name, clean(value))
    return ET.tostring(root, encoding="unicode") + "\n"


def make(tag: str, text: str = "", **attributes: str) -> Element:
    """Make an element; an underscore in a name stands for a hyphen, `of` for `class`."""
    names = {"of": "class"}
    element = Element(
        tag, {names.get(k, k.replace("_", "-")): v for k, v in attributes.items()}
    )
    element.text = text or None
    return element


def classes(element: Element) -> list[str]:
    """Return the classes of an element."""
    return element.get("class", "").split()


def add_classes(element: Element, *names: str) -> None:
    """Give an element classes that it does not have."""
    element.set("class", " ".join(dict.fromkeys((*classes(element), *names))))


def by_id(root: Element, naming: str = "id") -> dict[str, Element]:
    """Return the elements that have an id, or another attribute that is `naming`."""
    return {named: e for e in root.iter() if (named := e.get(naming))}


def of_class(root: Element, name: str) -> Iterator[Element]:
    """Give the elements of a class."""
    return (element for element in root.iter() if name in classes(element))
