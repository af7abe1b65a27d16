"""Each format shows every state and every arrow of a lifecycle, in two languages."""

import hashlib
import itertools
import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from kessai.diagram import FORMATS, render
from kessai.diagram.arrows import Arrow, arrows, role, state_id
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle, load_shipped, shipped_names

CASES = list(itertools.product(shipped_names(), ("en", "ja")))
every_case = pytest.mark.parametrize(("name", "language"), CASES)


def drawn(lifecycle: Lifecycle, language: str) -> list[Arrow]:
    tracks = lifecycle.tracks.values()
    return [arrow for t in tracks for arrow in arrows(lifecycle, t, language)]


def moved(lifecycle: Lifecycle, language: str) -> list[Arrow]:
    return [a for a in drawn(lifecycle, language) if a.target is not None]


def test_the_arrows_are_the_moves_the_declines_and_the_deadlines() -> None:
    found = [
        (arrow.cause, arrow.source, arrow.target)
        for arrow in drawn(load_shipped("one_time"), "en")
        if arrow.cause != "command"
    ]
    assert found == [
        ("declined", "requested", "failed"),
        ("deadline", "authorized", "expired"),
    ]
    for name in shipped_names():
        lifecycle = load_shipped(name)
        commands = [a for a in drawn(lifecycle, "en") if a.cause == "command"]
        assert len(commands) == len(list(lifecycle.moves()))


def test_a_state_has_a_role() -> None:
    lifecycle = load_shipped("one_time")
    track = lifecycle.tracks["payment"]
    assert {state: role(lifecycle, track, state) for state in track.states} == {
        "requested": "initial",
        "authorized": "normal",
        "captured": "normal",
        "partially_refunded": "normal",
        "refunded": "ended",
        "cancelled": "ended",
        "expired": "failed",
        "failed": "failed",
    }


@every_case
def test_markdown_has_a_row_for_every_state_and_every_arrow(
    name: str, language: str
) -> None:
    lifecycle = load_shipped(name)
    page = render(lifecycle, "markdown", language)
    for track in lifecycle.tracks.values():
        for state, text in track.states.items():
            assert f"| `{state}` | {text.in_language(language)} |" in page
            assert f"\n| `{track.name}.{state}` | " in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for arrow in drawn(lifecycle, language):
        assert any(
            row.startswith(f"| `{arrow.source}` | {arrow.label} |")
            and row.endswith(f" | {arrow.rule} |")
            and (arrow.target is None or f" | `{arrow.target}` | " in row)
            and (arrow.when is None or f"`{arrow.when}`" in row)
            for row in rows
        ), arrow


@every_case
def test_markdown_tells_the_whole_declaration(name: str, language: str) -> None:
    lifecycle = load_shipped(name)
    page = render(lifecycle, "markdown", language)
    assert page.startswith(f"# {lifecycle.title.in_language(language)}\n")
    assert lifecycle.source in page
    assert lifecycle.hash in page
    for names in (lifecycle.amounts, lifecycle.parameters, lifecycle.invariants):
        assert all(f"| `{name}` | " in page for name in names)
    for guard in lifecycle.guards.values():
        assert guard.text.in_language(language) in page
        assert f"`{guard.holds}`" in page
    for deadline in lifecycle.deadlines.values():
        assert deadline.text.in_language(language) in page
        assert ("30日" if language == "ja" else "30 days") in page
    for command in lifecycle.commands.values():
        effects = (*command.reserve, *command.commit, *command.release)
        assert all(f"`{effect}`" in page for effect in effects)
        if command.amount is not None:
            assert (
                f"| `{command.amount.minimum}` | `{command.amount.maximum}` |" in page
            )


def test_the_table_of_commands_says_where_each_may_start() -> None:
    page = render(load_shipped("one_time"), "markdown")
    table = page.split("## Commands by state\n\n")[1].split("\n\n")[0].splitlines()
    assert table[0] == (
        "| State | authorize | update authorization | get address "
        "| capture | cancel | refund |"
    )
    assert table[2] == (
        "| `payment.requested` | ✓ O1 | ✓ O6, F2 | ✓ O5, F2 | — | — | — |"
    )
    assert table[3] == ("| `payment.authorized` | — | ✓ O6 | ✓ O5 | ✓ O2 | ✓ O3 | — |")
    assert table[9] == "| `payment.failed` | — | — | — | — | — | — |"


@every_case
def test_every_table_of_the_page_is_square(name: str, language: str) -> None:
    for block in render(load_shipped(name), "markdown", language).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count(" | ") for line in block.splitlines()}) == 1


@every_case
def test_mermaid_has_every_state_and_every_arrow(name: str, language: str) -> None:
    lifecycle = load_shipped(name)
    lines = [
        line.strip() for line in render(lifecycle, "mermaid", language).split("\n")
    ]
    assert lines[3] == "stateDiagram-v2"
    for track in lifecycle.tracks.values():
        for state, text in track.states.items():
            title = text.in_language(language)
            assert f'state "{title}" as {track.name}__{state}' in lines
    found = [line for line in lines if " --> " in line and "[*]" not in line]
    expected = [
        f"{a.track}__{a.source} --> {a.track}__{a.target or a.source} : "
        for a in drawn(lifecycle, language)
    ]
    assert [line[: line.index(" : ") + 3] for line in found] == expected
    # A colon or a semicolon of the label itself would end it.
    for line in found:
        label = re.sub(r"#\d+;", "", line.split(" : ", 1)[1])
        assert not re.search(r"[:;<>#\"{}]", label)


@every_case
def test_dot_has_an_id_for_every_state_and_every_arrow(
    name: str, language: str
) -> None:
    lifecycle = load_shipped(name)
    source = render(lifecycle, "dot", language)
    ids = re.findall(r'\bid="([^"]*)"', source)
    assert len(ids) == len(set(ids))
    states = {state_id(t.name, s) for t in lifecycle.tracks.values() for s in t.states}
    assert {one for one in ids if one.startswith("state-")} == states
    edges = {arrow.id for arrow in moved(lifecycle, language)}
    assert {one for one in ids if one.startswith("edge-")} == edges
    for arrow in drawn(lifecycle, language):
        assert arrow.label in source
        assert arrow.rule in source


@every_case
def test_svg_is_xml_with_every_state_and_every_arrow(name: str, language: str) -> None:
    lifecycle = load_shipped(name)
    picture = render(lifecycle, "svg", language)
    root = ET.fromstring(picture)  # noqa: S314 (made here, from a declaration)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    ids = {element.get("id") for element in root.iter()}
    for track in lifecycle.tracks.values():
        assert {state_id(track.name, state) for state in track.states} <= ids
    assert {arrow.id for arrow in moved(lifecycle, language)} <= ids
    texts = {(element.text or "").strip() for element in root.iter()}
    assert lifecycle.title.in_language(language) in texts
    assert {arrow.rule for arrow in moved(lifecycle, language)} <= texts


@every_case
def test_json_is_the_declaration_and_its_hash(name: str, language: str) -> None:
    lifecycle = load_shipped(name)
    text = render(lifecycle, "json", language)
    decoded = msgspec.json.decode(text)
    compact = msgspec.json.encode(decoded["declaration"], order="sorted")
    assert compact == lifecycle.document
    assert hashlib.sha256(compact).hexdigest() == decoded["hash"] == lifecycle.hash
    keys = re.findall(r'^  "(\w+)"', text, re.MULTILINE)
    assert keys == ["declaration", "hash"]


def test_all_formats_differ_and_default_to_english() -> None:
    lifecycle = load_shipped("charge")
    results = {render(lifecycle, format_) for format_ in FORMATS}
    assert len(results) == len(FORMATS)
    for format_ in FORMATS:
        assert render(lifecycle, format_) == render(lifecycle, format_, "en")


@pytest.mark.parametrize(
    ("format_", "language", "message"),
    [
        ("pdf", "en", "format 'pdf': known are markdown, mermaid, dot, svg, json"),
        ("svg", "fr", "language 'fr': known are en, ja"),
    ],
)
def test_an_unknown_format_or_language_is_refused(
    format_: str, language: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        render(load_shipped("charge"), format_, language)
