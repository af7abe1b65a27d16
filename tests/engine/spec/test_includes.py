"""A file and all it includes: what may be included, how often, how long, how deep."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kessai.errors import InvalidLifecycle
from kessai.spec import Mistake, Place, load_file, rebuild
from kessai.spec.merge import MAX_BYTES, MAX_INCLUDES, Merge

MINIMAL = (Path(__file__).parent / "data" / "minimal.toml").read_text()

Files = Mapping[str, str | bytes]


def merged(files: Files) -> Merge:
    """All that comes of `main` when `files` are what there is."""

    def open_file(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(name)
        text = files[name]
        return text.encode() if isinstance(text, str) else text

    merge = Merge(open_file)
    merge.file("main")
    return merge


def said(merge: Merge) -> list[str]:
    return [str(mistake) for mistake in merge.mistakes]


def refusal(path: Path) -> list[str]:
    with pytest.raises(InvalidLifecycle) as refused:
        load_file(path)
    return [str(mistake) for mistake in refused.value.mistakes]


def test_tables_of_several_files_become_one_and_the_includes_are_gone() -> None:
    merge = merged(
        {
            "main": 'include = ["a.toml", "deep/b.toml"]\n[t]\nx = 1\n',
            "a.toml": 'include = ["./deep//b.toml"]\n[t]\ny = 2\n[t.u]\nv = 3\n',
            "deep/b.toml": "[t]\nu.w = 4\n",
        }
    )
    assert said(merge) == []
    assert merge.document == {"t": {"x": 1, "y": 2, "u": {"v": 3, "w": 4}}}
    assert not merge.incomplete
    lines = {".".join(map(str, path)): str(at) for path, at in merge.places.items()}
    assert lines == {
        "include": "main:1",
        "t": "main:2",
        "t.x": "main:3",
        "t.y": "a.toml:3",
        "t.u": "a.toml:4",
        "t.u.v": "a.toml:5",
        "t.u.w": "deep/b.toml:2",
    }


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("a = 1", "\na = 1", "b.toml:2: [a] declared at main:2 already"),
        ("[a]\nb = 1", "a = 1", "b.toml:1: [a] declared at main:2 already"),
        ("a = 1", "[a]\nb = 1", "b.toml:1: [a] declared at main:2 already"),
        ("a.b = 1", "a.b.c = 1", "b.toml: [a.b] declared at main:2 already"),
        ("a = { b = 1 }", "[a]\nb = 2", "b.toml:2: [a.b] declared at main:2 already"),
    ],
)
def test_what_one_file_says_no_other_may_say_again(
    first: str, second: str, message: str
) -> None:
    files = {"main": f'include = ["b.toml"]\n{first}\n', "b.toml": second}
    assert said(merged(files)) == [message]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        # The scan for places reads no escapes: such a key is not found again.
        ('"a\\u0062" = 1', "ab = 1", "b.toml:1: [ab] declared at another file already"),
        ("ab = 1", '"a\\u0062" = 1', "b.toml: [ab] declared at main:2 already"),
    ],
)
def test_a_declaration_that_has_no_place_is_refused_all_the_same(
    first: str, second: str, message: str
) -> None:
    files = {"main": f'include = ["b.toml"]\n{first}\n', "b.toml": second}
    assert said(merged(files)) == [message]


def test_what_has_no_place_is_refused_in_the_file_that_says_it() -> None:
    files = {
        "main": 'include = ["a.toml"]\nab = 1',
        "a.toml": 'include = ["b.toml"]',
        "b.toml": '"a\\u0062" = 1',
    }
    assert said(merged(files)) == ["b.toml: [ab] declared at main:2 already"]


@pytest.mark.parametrize("name", ["a\\\\b.toml", "a\\u0000b.toml", "\\\\\\u0000.toml"])
@pytest.mark.parametrize("other", ["x/../b.toml", "/b.toml", "b.tom", "", "b.toml/"])
def test_only_a_file_beside_or_below_may_be_included(name: str, other: str) -> None:
    merge = merged({"main": f'\ninclude = ["{name}", "{other}"]\n'})
    plain = name.encode().decode("unicode_escape")
    assert said(merge) == [
        f"main:2: include {plain!r}: only a .toml file beside or below",
        f"main:2: include {other!r}: only a .toml file beside or below",
    ]
    assert not merge.incomplete


@pytest.mark.parametrize("value", ['"a.toml"', "1", "{}", "true"])
def test_includes_are_a_list(value: str) -> None:
    merge = merged({"main": f"x = 1\ninclude = {value}\n", "a.toml": "y = 1"})
    assert said(merge) == ["main:2: 'include' must be a list of file names"]
    assert merge.document == {"x": 1}


def test_an_include_without_a_place_is_refused_in_the_whole_file() -> None:
    merge = merged({"main": '"\\u0069nclude" = 1\n'})
    assert said(merge) == ["main: 'include' must be a list of file names"]


def test_a_missing_file_leaves_the_document_incomplete_whatever_comes_after() -> None:
    files = {"main": '\ninclude = ["gone.toml", "/x.toml", "a.toml"]', "a.toml": "y=1"}
    merge = merged(files)
    assert said(merge) == [
        "main:2: include 'gone.toml': there is no such file",
        "main:2: include '/x.toml': only a .toml file beside or below",
    ]
    assert merge.incomplete
    assert merge.document == {"y": 1}


def test_what_a_missing_file_would_have_said_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('include = ["gone.toml"]\n')
    assert refusal(path) == ["mine.toml:1: include 'gone.toml': there is no such file"]


def test_files_that_include_each_other_are_named_in_their_order() -> None:
    merge = merged(
        {
            "main": 'include = ["a.toml", "b.toml"]',
            "a.toml": 'x = 1\ninclude = ["b.toml"]',
            "b.toml": 'include = ["./a.toml"]\ny = 1',
        }
    )
    assert said(merge) == [
        "b.toml:1: files include each other: main → a.toml → b.toml → a.toml"
    ]
    assert merge.document == {"x": 1, "y": 1}


@pytest.mark.parametrize(("more", "refused"), [(0, 0), (1, 1), (3, 3)])
def test_as_many_files_as_anyone_reads_may_be_included(more: int, refused: int) -> None:
    names = [f"{number}.toml" for number in range(MAX_INCLUDES + more)]
    listed = ", ".join(f'"{name}"' for name in names)
    files = {"main": f"include = [{listed}]", **dict.fromkeys(names, "")}
    assert said(merged(files)) == ["main:1: more than 16 files are included"] * refused


def test_a_file_may_be_a_million_bytes_long_and_no_longer() -> None:
    assert (MAX_BYTES, MAX_INCLUDES) == (1_000_000, 16)
    assert said(merged({"main": b"#" * MAX_BYTES})) == []
    merge = merged({"main": b"#" * MAX_BYTES + b"\n"})
    assert said(merge) == ["main: longer than 1000000 bytes"]
    assert (merge.document, merge.incomplete) == ({}, True)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff", "main:1: not UTF-8: invalid start byte"),
        (b"\n\xff", "main:2: not UTF-8: invalid start byte"),
        (b"a = '\xc3", "main:1: not UTF-8: unexpected end of data"),
        (b"\n\n# \xff\n\n\n", "main:3: not UTF-8: invalid start byte"),
        (b"a = \n\n\nb = 1", "main:1: not TOML: Invalid value (at line 1, column 5)"),
        (
            b"a = 1\n\nb = 1\na = 2\nc = 1\n",
            "main:4: not TOML: Cannot overwrite a value (at line 4, column 6)",
        ),
        (
            b"a = 1\nb = [\n\n",
            "main:2: not TOML: Invalid value (at end of document)",
        ),
        (b"a = " + b"[" * 50_000, "main: not TOML: nested too deep"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    raw: bytes, message: str
) -> None:
    merge = merged({"main": raw})
    assert said(merge) == [message]
    assert (merge.document, merge.incomplete) == ({}, True)


def test_a_stored_declaration_has_a_name_and_no_lines() -> None:
    with pytest.raises(InvalidLifecycle) as refused:
        rebuild(b'{"lifecycle":{"name":"x"}}')
    found = [str(mistake) for mistake in refused.value.mistakes]
    assert "stored declaration: [tracks] a lifecycle needs at least one track" in found
    assert found[:3] == [
        "stored declaration: [lifecycle] 'title' is needed as { en = …, ja = … }",
        "stored declaration: [lifecycle] 'source' is missing; it must be a text",
        "stored declaration: [lifecycle] 'currencies' is missing; it must be a list such as [\"JPY\"]",
    ]
    with pytest.raises(InvalidLifecycle) as refused:
        rebuild(b"[]")
    assert refused.value.mistakes == (
        Mistake(
            Place("stored declaration", 0),
            "",
            "not a JSON object: Expected `object`, got `array`",
        ),
    )
