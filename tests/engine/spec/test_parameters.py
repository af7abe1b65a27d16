"""Each kind of parameter: what passes, what stands for all, and how it is written."""

import pytest

from kessai import Command
from kessai.errors import InvalidCommand
from kessai.simulator.randomness import Randomness
from kessai.spec import (
    FlagParameter,
    FrequencyParameter,
    Text,
    TextParameter,
    load_shipped,
    shipped_names,
)
from kessai.spec.parameters import KINDS, MAX_TEXT

NOBODY = Text("x", "x")


def text(name="note", needs=None, **limits):
    return TextParameter(name=name, title=NOBODY, rule="P1", limits=limits, needs=needs)


FLAG = FlagParameter(name="gift", title=NOBODY, rule="P1")
OFTEN = FrequencyParameter(
    name="often", title=NOBODY, rule="P1", limits={"Month": 12, "Day": 365}
)
DECLARED = [
    FLAG,
    OFTEN,
    text(),
    text(characters=3),
    text(bytes=4),
    text(characters=2, bytes=3, needs="gift"),
    text("notification_url", bytes=256),
    text("short_url", bytes=9),
    *(p for name in shipped_names() for p in load_shipped(name).parameters.values()),
]
ANY = pytest.mark.parametrize(
    "declared", DECLARED, ids=[f"{n} {p.name}" for n, p in enumerate(DECLARED)]
)


def test_a_text_with_two_limits_keeps_both() -> None:
    note = text(characters=2, bytes=5)
    assert note.broken("ab") is None
    assert note.broken("abc") == "characters 2"
    assert note.broken("ああ") == "bytes 5"
    assert note.broken("あ") is None


def test_a_text_without_limits_is_denied_for_what_is_none() -> None:
    assert text().broken("x" * MAX_TEXT) is None
    assert text().broken(True) == f"characters {MAX_TEXT}"  # not "at most None"


def test_the_limits_are_named_with_their_figures() -> None:
    assert FLAG.broken("true") == "flag"
    assert (
        OFTEN.broken({"unit": "Week", "value": 1}) == "frequency Month 1-12, Day 1-365"
    )
    assert text(characters=255).shown_limits("en") == ["255 characters"]
    assert text(bytes=256).shown_limits("ja") == ["256 バイト"]
    assert OFTEN.shown_limits("ja") == ["12 Month", "365 Day"]


@ANY
def test_samples_and_edges_pass_and_invalid_values_do_not(declared) -> None:
    chance = Randomness(5, [], 0)
    passing = [declared.sample(), *declared.edges()]
    passing += [declared.sample(chance) for _ in range(30)]
    assert [value for value in passing if declared.broken(value)] == []
    assert all(declared.broken(value) for value in declared.invalid())
    for value in (*passing, *declared.invalid()):  # any of them can be asked for
        Command("capture", "order-1", key="k", parameters={declared.name: value})


@ANY
def test_every_kind_has_edges_that_break_with_one_more(declared) -> None:
    for value in declared.edges():
        if isinstance(value, str):
            assert len(value) == MAX_TEXT or declared.broken(value + "x")
        else:
            assert declared.broken({**value, "value": value["value"] + 1})


def test_the_plainest_sample_is_always_the_same() -> None:
    assert FLAG.sample() is True
    assert OFTEN.sample() == {"unit": "Day", "value": 1}
    assert text().sample() == "note"
    assert text(bytes=2).sample() == "no"
    assert (
        text("notification_url", bytes=256).sample()
        == "https://shop.example/notification_url"
    )


def test_a_command_line_is_read_strictly() -> None:
    assert [FLAG.from_option(each) for each in ("true", "false", "yes")] == [
        True,
        False,
        None,
    ]
    assert OFTEN.from_option("Month:3") == {"unit": "Month", "value": 3}
    for wrong in ("Month", "3 Month", "Month:-1", "Month:１", "Month:1:1", ""):
        assert OFTEN.from_option(wrong) is None
    assert text().from_option("true") == "true"


def test_the_cells_of_a_log_are_read_as_people_write_them() -> None:
    monthly = {"unit": "Month", "value": 2}
    for cell in ("Month 2", "Month:2", "2 Month", "2Month"):
        assert OFTEN.from_cell(cell) == monthly
    assert OFTEN.from_cell("Month") == {"unit": "Month", "value": 1}
    for wrong in ("2 Month 2", "2", "", "now and then"):
        assert OFTEN.from_cell(wrong) is None


def test_texts_are_never_guessed_from_a_column() -> None:
    assert text().column_names() == ()
    assert OFTEN.column_names() == ("often", "x", "x")


def test_the_kinds_are_a_closed_set() -> None:
    assert set(KINDS) == {"flag", "text", "frequency"}
    for value in (None, 1, 1.5, [], object()):
        with pytest.raises(InvalidCommand, match="a text, true or false, or a freq"):
            Command("capture", "order-1", key="k", parameters={"note": value})
