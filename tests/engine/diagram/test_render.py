"""Each format shows every state and every arrow of a lifecycle, in two languages."""

import hashlib
import itertools
import re

import msgspec
import pytest

from kessai.diagram import FORMATS, render
from kessai.diagram.arrows import Arrow, arrows, every_arrow, role
from kessai.errors import InvalidInput
from kessai.spec import Lifecycle, load_shipped, shipped_names

CASES = list(itertools.product(shipped_names(), ("en", "ja")))
every_case = pytest.mark.parametrize(("name", "language"), CASES)


def drawn(lifecycle: Lifecycle, language: str) -> list[Arrow]:
    tracks = lifecycle.tracks.values()
    every = (arrow for t in tracks for arrow in arrows(lifecycle, t, language))
    return [arrow for arrow in every if arrow.cause != "opening"]


def test_the_arrows_are_the_moves_the_declines_and_the_deadlines() -> None:
    found = [
        (arrow.cause, arrow.source, arrow.target)
        for arrow in drawn(load_shipped("one_time"), "en")
        if arrow.cause != "command"
    ]
    assert found == [
        ("decline", "requested", "failed"),
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
        days = deadline.seconds // (24 * 60 * 60)
        assert (f"{days}日" if language == "ja" else f"{days} days") in page
    for command in lifecycle.commands.values():
        effects = (*command.reserve, *command.commit, *command.release)
        assert all(f"`{effect}`" in page for effect in effects)
        for amount in (command.amount or {}).values():
            assert f"| `{amount.minimum}` | `{amount.maximum}` |" in page


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
    found = dict(
        line.split(" : ", 1) for line in lines if " --> " in line and " : " in line
    )
    for a in every_arrow(lifecycle, language):
        source = f"{a.track}__{a.source}" if a.source else "[*]"
        label = found[f"{source} --> {a.track}__{a.target or a.source}"]
        plain = label.replace("#58;", ":")
        assert f"{a.label} " in plain
        assert f"({a.rule})" in plain
    # A colon or a semicolon of the label itself would end it.
    for label in found.values():
        assert not re.search(r"[:;<>#\"{}]", re.sub(r"#\d+;", "", label))


@every_case
def test_mermaid_draws_two_lines_with_the_same_ends_as_one(
    name: str, language: str
) -> None:
    """Mermaid would draw the last of them alone."""
    ends = re.findall(
        r"(\S+ --> \w+) : ", render(load_shipped(name), "mermaid", language)
    )
    assert len(ends) == len(set(ends))


def test_mermaid_colours_what_states_are_for() -> None:
    text = render(load_shipped("charge"), "mermaid")
    assert "classDef initial fill:#dbeafe,stroke:#1d4ed8,color:#1e293b\n" in text
    assert "class payment__refunded,payment__cancelled ended\n" in text
    assert "class payment__expired,payment__failed failed\n" in text
    assert "current" not in text


@every_case
def test_dot_has_an_id_for_every_state_and_every_arrow(
    name: str, language: str
) -> None:
    lifecycle = load_shipped(name)
    source = render(lifecycle, "dot", language)
    ids = re.findall(r'\bid="([^"]*)"', source)
    assert len(ids) == len(set(ids))
    tracks = lifecycle.tracks.values()
    assert set(ids) == {
        *(f"{track.name}--track" for track in tracks),
        *(track.name for track in tracks),
        *(f"{track.name}.{state}" for track in tracks for state in track.states),
        *(a.id for a in every_arrow(lifecycle, language) if a.target is not None),
    }
    for arrow in every_arrow(lifecycle, language):
        assert (arrow.short or arrow.label) in source
        assert arrow.target is None or arrow.rule in source


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
