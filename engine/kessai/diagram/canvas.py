"""The paper that a picture is drawn on: its size, which grows with what is added."""

import attrs

from kessai.diagram.xml import Element


@attrs.define
class Canvas:
    """What the root's `viewBox` and its paper show; `top` may be above the origin."""

    width: float
    height: float
    top: float = 0

    @classmethod
    def of(cls, root: Element) -> "Canvas":
        """Read the size of a picture."""
        _, top, width, height = map(float, root.attrib["viewBox"].split())
        return cls(width, height, top)

    def add_below(self, root: Element, added: tuple[Element, float]) -> None:
        """Put an element that is so high under all that is there."""
        element, height = added
        element.set("transform", f"translate(0 {self.top + self.height:g})")
        root.append(element)
        self.height += height

    def add_above(self, height: float) -> None:
        """Make room of that height over all that is there."""
        self.top -= height
        self.height += height

    def put_on(self, root: Element) -> None:
        """Give the root, and the paper in it, this size."""
        root.set("viewBox", f"0 {self.top:g} {self.width:g} {self.height:g}")
        root.set("width", f"{self.width:g}")
        root.set("height", f"{self.height:g}")
        for paper in root.findall("rect"):
            paper.set("y", f"{self.top:g}")
            paper.set("width", f"{self.width:g}")
            paper.set("height", f"{self.height:g}")
