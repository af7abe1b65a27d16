"""Marks of anyone's own on a picture: heat, counts, what a page wants to point at."""

import re
from xml.etree import ElementTree as ET

import pytest

from kessai.diagram import Mark, marked, render
from kessai.errors import InvalidInput
from kessai.spec import load_shipped, shipped_names

CAPTURE = "payment.authorized--capture--payment.captured"


@pytest.fixture
def picture():
    return render(load_shipped("charge"), "svg")


def test_a_mark_adds_to_what_is_there(picture, parse):
    before = parse(picture)
    after = parse(
        marked(picture, {CAPTURE: Mark(("hot", "command"), ("12 times",), "12×")})
    )
    assert after.classes[CAPTURE] == {*before.classes[CAPTURE], "hot"}
    assert after.titles[CAPTURE] == [*before.titles[CAPTURE], "12 times"]
    assert after.labels[CAPTURE] == "12× capture"
    del after.classes[CAPTURE], before.classes[CAPTURE]
    assert after.classes == before.classes


@pytest.mark.parametrize("name", shipped_names())
def test_no_arrow_is_drawn_over_a_label(name, parse):
    """What comes later lies on top: lines and their ends first, then every label."""
    picture = render(load_shipped(name), "svg")
    arrows = parse(picture).of("edge") - parse(picture).of("read")
    counted = marked(picture, {arrow: Mark(("hot",), sign="12 ×") for arrow in arrows})
    drawn = [
        "label" if "12 ×" in (shape.text or "") else shape.tag.rpartition("}")[2]
        for edge in ET.fromstring(counted).iterfind(".//*[@class]")  # noqa: S314
        if "hot" in edge.get("class").split()
        for shape in edge
        if not shape.tag.endswith("title")
    ]
    labels = drawn.count("label")
    assert labels == len([a for a in arrows if parse(picture).labels[a]]) > 0
    assert {"path", "polygon"} == {*drawn[: drawn.index("label")]}
    assert {*drawn[drawn.index("label") :]} <= {"label", "text"}


def test_no_mark_leaves_the_picture_as_it_is(picture):
    assert marked(picture, {}) == picture
    assert marked(picture, {CAPTURE: Mark()}) == picture


def test_a_node_without_a_title_gets_one(picture, parse):
    after = parse(marked(picture, {"payment": Mark(notes=("here",), sign="!")}))
    assert after.titles["payment"] == ["here"]
    assert after.labels["payment"] == ""


def test_a_mark_is_text_whatever_it_holds(picture, parse):
    hostile = "</title><script>alert(1)</script>\x00"
    mark = Mark(('a"b',), (hostile,), hostile)
    text = marked(picture, {CAPTURE: mark})
    assert "<script>" not in text
    after = parse(text)
    assert after.titles[CAPTURE][-1] == hostile.replace("\x00", "\ufffd")
    assert 'a"b' in after.classes[CAPTURE]


def test_two_pictures_on_a_page_keep_their_ids_apart(picture, parse):
    after = parse(marked(picture, {CAPTURE: Mark(("hot",))}, prefix="charge."))
    assert f"charge.{CAPTURE}" in after.of("hot")
    assert all(named.startswith("charge.") for named in after.classes)


def test_what_the_picture_does_not_have_is_refused(picture):
    with pytest.raises(InvalidInput, match=r"'payment\.paid': the picture has no"):
        marked(picture, {"payment.paid": Mark(("hot",))})


@pytest.mark.parametrize("text", ["", "no picture", "<svg", "<svg>&x;</svg>"])
def test_what_is_no_picture_is_refused(text):
    with pytest.raises(InvalidInput, match="the picture cannot be read"):
        marked(text, {})


def test_styles_hold_within_the_picture_alone(picture):
    style = re.search(r"<style>(.*?)</style>", picture, re.DOTALL)[1]
    rules = re.sub(r"@media [^{]*\{", "", style)
    for selectors in re.findall(r"([^{}]+)\{[^{}]*\}", rules):
        for selector in selectors.strip().split(","):
            assert selector.startswith((".kessai-lifecycle", ".kessai-transaction"))
