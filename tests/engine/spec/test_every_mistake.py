"""What is said of a mistake, word for word: its place, its path, what would be right."""

from pathlib import Path

import attrs
import pytest

from kessai.errors import InvalidLifecycle
from kessai.spec import load_file

DATA = Path(__file__).parent / "data"
FILES = ("whole.toml", "whole_rules.toml")


@attrs.define
class Change:
    """Lines that go, lines that come instead, and what is said of the file then."""

    swaps: list[tuple[list[str], list[str]]] = attrs.field(factory=list)
    said: list[str] = attrs.field(factory=list)

    def __str__(self) -> str:
        return " | ".join(
            " ".join(new) or f"no {' '.join(old)}" for old, new in self.swaps
        )


def changes() -> list[Change]:
    blocks = (DATA / "changes.txt").read_text().split("\n\n")
    return [change(block) for block in blocks if not block.startswith("#")]


def change(block: str) -> Change:
    made = Change()
    for line in block.strip().splitlines():
        sign, text = line[0], line[2:]
        if sign == "=":
            made.said.append(text)
        elif sign == "+":
            made.swaps[-1][1].append(text)
        else:
            if not made.swaps or made.swaps[-1][1]:
                made.swaps.append(([], []))
            made.swaps[-1][0].append(text)
    return made


def said_of(path: Path) -> list[str]:
    try:
        load_file(path)
    except InvalidLifecycle as refused:
        return [str(mistake) for mistake in refused.mistakes]
    return []


def test_what_is_said_of_a_file_full_of_mistakes_is_said_word_for_word() -> None:
    expected = (DATA / "wrong.txt").read_text().splitlines()
    assert said_of(DATA / "wrong.toml") == expected


@pytest.mark.parametrize("change", changes(), ids=str)
def test_a_change_of_a_whole_file_is_answered_word_for_word(
    tmp_path: Path, change: Change
) -> None:
    texts = {name: (DATA / name).read_text() for name in FILES}
    for old, new in change.swaps:
        (name,) = (name for name in FILES if texts[name].count("\n".join(old)) == 1)
        texts[name] = texts[name].replace("\n".join(old), "\n".join(new))
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert said_of(tmp_path / "whole.toml") == change.said


def test_nothing_is_said_of_a_whole_file_without_a_change() -> None:
    assert said_of(DATA / "whole.toml") == []
