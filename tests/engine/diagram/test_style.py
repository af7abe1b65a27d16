"""The palette can be read in the light and in the dark, and colour is never alone."""

import itertools

import pytest

from kessai.diagram.legend import KEYS, SIGNS, legend, text_width
from kessai.diagram.style import FILLS, INK, LINES, MARKS, PAPER, QUIET, style
from kessai.diagram.words import word


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """As WCAG 2 has it: 4.5 is enough for text, 3 for lines."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


shades = pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])


@shades
def test_labels_can_be_read_on_the_paper(shade):
    inks = [
        INK,
        QUIET,
        *(s for s, _ in LINES.values()),
        *(s for s, _ in MARKS.values()),
    ]
    for ink in inks:
        assert contrast(ink[shade], PAPER[shade]) >= 4.5


@shades
def test_states_can_be_read_and_their_borders_seen(shade):
    for fill, border in FILLS.values():
        assert contrast(INK[shade], fill[shade]) >= 4.5
        assert contrast(QUIET[shade], fill[shade]) >= 4.5
        assert contrast(border[shade], PAPER[shade]) >= 3


def test_where_it_is_now_can_be_read():
    assert contrast("#ffffff", "#1d4ed8") >= 4.5
    assert contrast("#ffffff", "#2f62e8") >= 4.5
    assert "#1d4ed8" in style()
    assert "#2f62e8" in style()


def test_what_colour_says_a_dash_or_a_width_says_too():
    drawn = [how for _, how in LINES.values()]
    assert drawn == ["solid", "solid", "dashed", '"dashed,bold"', "dotted"]
    assert LINES["opening"] == LINES["command"]
    for (_, one), (_, other) in itertools.combinations(MARKS.values(), 2):
        assert one != other
    assert len(set(SIGNS.values())) == len(SIGNS) == len(MARKS)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_mark_is_in_the_legend(language):
    assert set(MARKS) | {"current"} == set(KEYS["transaction"])
    group, height = legend("transaction", language, 500)
    shown = [text.text for text in group.iter("text")]
    for key in KEYS["transaction"]:
        assert f"{SIGNS.get(key, '')} {word(f'key_{key}', language)}".strip() in shown
    assert height > 40


def test_a_narrow_legend_has_more_lines_and_none_is_cut():
    _, wide = legend("lifecycle", "en", 900)
    group, narrow = legend("lifecycle", "en", 120)
    assert narrow > wide
    lines = {entry.get("transform") for entry in group}
    assert len(lines) == len(KEYS["lifecycle"])


def test_wide_characters_are_counted_as_wide():
    assert text_width("決済", 10) == 20
    assert text_width("il", 10) < text_width("mM", 10) < 20
