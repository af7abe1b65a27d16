"""Presets: how the exports of well-known systems are read, each declared in a file.

What is given besides goes before what a preset says. A text that it does not know is
reported, and so is one that it knows as a command that the lifecycle does not have.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from typing import Any, Literal

import attrs

from kessai.audit.log_check.columns import NEEDED
from kessai.audit.log_check.words import shown
from kessai.errors import InvalidInput
from kessai.words import Text

_SUFFIX = ".toml"
_NEEDED = (*NEEDED, "amount")
_PARTS = re.compile(r"[|+]")


@attrs.frozen(kw_only=True)
class Preset:
    """What a system's export is known to be like.

    `columns` are the ways in which a field's columns may be called, `header` are columns
    by which the header is found where something stands above it.
    """

    name: str
    about: Text
    columns: Mapping[str, Sequence[str]]
    header: frozenset[str] = frozenset()
    commands: Mapping[str, str] = attrs.field(factory=dict[str, str])
    outcomes: Mapping[str, str] = attrs.field(factory=dict[str, str])
    unit: Literal["minor", "major"] | None = None
    negative: tuple[str, ...] = ()
    any_id: bool = False

    def columns_in(
        self, header: Sequence[str], commands: Collection[str]
    ) -> dict[str, str]:
        """Which column each field is in, of a log with this `header`.

        Fields of one command are those of `commands`.

        Raises:
            InvalidInput: one that is needed is missing.

        """
        found: dict[str, str] = {}
        for field, ways in self.columns.items():
            kind, _, command = field.partition(":")
            if command and command not in commands:
                continue
            way = next((way for way in ways if _is_in(header, way)), None)
            if way is not None:
                found[field] = way
            elif kind in _NEEDED:
                there = ", ".join(map(shown, header))
                message = (
                    f"--preset {self.name}: no column {' or '.join(ways)} for {field};"
                    f" there are: {there}"
                )
                raise InvalidInput(message)
        return found


def preset_names() -> list[str]:
    """The names of all presets."""
    names = (file.name for file in _folder().iterdir())
    return sorted(name[: -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX))


def preset_called(name: str) -> Preset:
    """The preset `name`.

    Raises:
        InvalidInput: there is none.

    """
    known = preset_names()
    if name not in known:
        close = get_close_matches(name, known, 1)
        right = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        message = f"--preset {shown(name)}: no such preset; {right}"
        raise InvalidInput(message)
    text = _folder().joinpath(name + _SUFFIX).read_text("utf-8")
    return _preset(name, tomllib.loads(text))


def _preset(name: str, read: dict[str, Any]) -> Preset:
    reading = read.get("reading", {})
    return Preset(
        name=name,
        about=Text(**read["about"]),
        header=frozenset(read.get("header", ())),
        columns=read["columns"],
        commands=read.get("commands", {}),
        outcomes=read.get("outcomes", {}),
        unit=reading.get("unit"),
        negative=tuple(reading.get("negative", ())),
        any_id=reading.get("any_id", False),
    )


def _folder() -> Any:
    return resources.files("kessai.audit.log_check").joinpath("presets")


def _is_in(header: Sequence[str], way: str) -> bool:
    return all(part in header for part in _PARTS.split(way))
