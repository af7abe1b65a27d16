"""Where the declarations of a TOML text stand."""

import pytest

from kessai.spec.places import Path, Place, find, scan, show

TEXT = """\
# a = 1
top = 1
"quoted name" . 'other' = 2
list = [
  { a = 1 },

  { b = { c = 1 } }, { d = "}" }, # { not one }
  { e = '{' },
]
inline = [{ a = 1 }, { b = 2 },
  { c = 3 },
]
  [ table . inner ]
  key = "a = 1"
key = 2
[[ rows ]]
x = 1
[[rows]]
x = 2
moves = [{ a = 1 },
  { b = 1 }]
[[rows]]
[[ rows.cells ]]
[table]
[table]
again = "\\"{" # {
"""


def test_every_declaration_has_its_line() -> None:
    found = {show(path): place.line for path, place in scan("f", TEXT).items()}
    assert found == {
        "top": 2,
        "quoted name.other": 3,
        "list": 4,
        "list[0]": 5,
        "list[1]": 7,
        "list[3]": 8,
        "inline": 10,
        "inline[2]": 11,
        "table.inner": 13,
        "table.inner.key": 14,
        "rows": 16,
        "rows[0]": 16,
        "rows[0].x": 17,
        "rows[1]": 18,
        "rows[1].x": 19,
        "rows[1].moves": 20,
        "rows[1].moves[1]": 21,
        "rows[2]": 22,
        "rows.cells": 23,
        "rows.cells[0]": 23,
        "table": 24,
        "table.again": 26,
    }
    assert {place.file for place in scan("f", TEXT).values()} == {"f"}


def test_a_form_feed_ends_no_line() -> None:
    assert scan("f", "a = 1 # \f\x1c\nb = 1") == {
        ("a",): Place("f", 1),
        ("b",): Place("f", 2),
    }


def test_an_item_of_no_list_has_its_line_too() -> None:
    assert scan("f", "\n{ a = 1 }") == {(0,): Place("f", 2)}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("a", "b", 1, "c"), "f:3"),
        (("a", "b", 1), "f:3"),
        (("a", "b", 0, "c"), "f:2"),
        (("a", "c"), "f:1"),
        (("b",), "whole"),
        ((), "whole"),
    ],
)
def test_what_has_no_line_stands_where_its_holder_stands(
    path: Path, place: str
) -> None:
    places: dict[Path, Place] = {
        ("a",): Place("f", 1),
        ("a", "b"): Place("f", 2),
        ("a", "b", 1): Place("f", 3),
    }
    assert str(find(places, path, "whole")) == place


def test_a_path_is_shown_as_one_would_write_it() -> None:
    assert show(("commands", "refund", "moves", 1)) == "commands.refund.moves[1]"
    assert show(("a", 0, "b")) == "a[0].b"
    assert show(()) == ""


def test_places_are_in_the_order_of_files_and_lines() -> None:
    assert sorted([Place("b", 1), Place("a", 10), Place("a", 9)]) == [
        Place("a", 9),
        Place("a", 10),
        Place("b", 1),
    ]
