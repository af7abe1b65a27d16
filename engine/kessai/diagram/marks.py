"""Marks on a picture: classes, a sign and more lines of title for what has an id."""

from collections.abc import Mapping

import attrs

from kessai.diagram.xml import (
    Element,
    Unreadable,
    add_classes,
    by_id,
    make,
    read,
    write,
)
from kessai.errors import InvalidInput

LABEL_OF = "data-edge"
"""Has, of an arrow's label, the arrow's id."""


@attrs.frozen
class Mark:
    """What is to be seen on one node or edge, and on its label.

    `classes` are added to its own, `notes` are further lines of its title, `sign`
    stands before its label.
    """

    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sign: str = ""


def marked(picture: str, marks: Mapping[str, Mark], *, prefix: str = "") -> str:
    """Return a picture of `render` with `marks` on it, by id; nothing is laid out anew.

    `prefix` is put before every id, for pages that hold more than one picture.

    Raises:
        InvalidInput: the picture has no such id, or is none.

    """
    try:
        root = read(picture)
    except Unreadable as error:
        message = f"the picture cannot be read: {error}"
        raise InvalidInput(message) from error
    put_on(root, marks)
    for element in root.iter():
        for naming in ("id", LABEL_OF):
            if named := element.get(naming):
                element.set(naming, prefix + named)
    return write(root)


def put_on(root: Element, marks: Mapping[str, Mark]) -> None:
    """Put `marks` on a picture that was read.

    Raises:
        InvalidInput: the picture has no such id.

    """
    known, labels = by_id(root), by_id(root, LABEL_OF)
    for named, mark in marks.items():
        if named not in known:
            message = f"id {named!r}: the picture has no such node or edge"
            raise InvalidInput(message)
        _put(known[named], mark)
        if named in labels:
            _put(labels[named], mark)


def _put(element: Element, mark: Mark) -> None:
    add_classes(element, *mark.classes)
    if mark.notes:
        title = element.find("title")
        if title is None:
            title = make("title")
            element.insert(0, title)
        title.text = "\n".join(filter(None, (title.text, *mark.notes)))
    label = element.find("text")
    if mark.sign and label is not None:
        label.text = f"{mark.sign} {label.text or ''}"
