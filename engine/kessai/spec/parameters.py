"""What a command may carry besides its amount: one class for each kind of parameter.

This module owns everything that differs by kind: what a declaration may have, which
values pass, a sample of them, how a value is written on a command line, in a cell of a
log or in JSON, and how its limits are shown. All other code asks the parameter. The set
of kinds is closed: a new one is a class here, in `KINDS`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import attrs

from kessai.ids import ONE_LINE
from kessai.money import is_amount
from kessai.spec.table import Table
from kessai.words import Text, Words

MAX_TEXT = 16_384
"""How many characters a text may have at most, whatever its lifecycle allows."""

FREQUENCY_UNITS = ("Year", "Month", "Week", "Day")
SHOP = "https://shop.example/"
"""The beginning of every sample address of a shop."""

T = TypeVar("T")

_limit = Words("limits")


class Chooser(Protocol):
    """What draws values: a seeded generator, Hypothesis, or always the plainest."""

    def among(self, options: Sequence[T], /) -> T:
        """One of `options`."""
        ...

    def between(self, least: int, most: int, /) -> int:
        """A whole number between the two, both of them possible."""
        ...

    def flag(self) -> bool:
        """Whether something is on."""
        ...

    def text(self, least: int, most: int, /) -> str:
        """A text of `least` to `most` characters."""
        ...


class _Plainest:
    """Chooses the first and the least; a flag is on."""

    def among(self, options: Sequence[T], /) -> T:
        return options[0]

    def between(self, least: int, most: int, /) -> int:
        del most
        return least

    def flag(self) -> bool:
        return True

    def text(self, least: int, most: int, /) -> str:
        del least
        return "note"[:most]


PLAINEST: Chooser = _Plainest()


@attrs.frozen(kw_only=True)
class Parameter:
    """A declared parameter; its class is its kind, which is `kind` in the file.

    `limits` maps a unit to the most of it that a value may have. `needs` names the
    parameter that must come with it.
    """

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]] = ()
    """The fields of a declaration that limit this kind and no other."""

    python: ClassVar[type] = object
    """The type of every value of this kind."""

    members: ClassVar[Mapping[str, type]] = {}
    """The members of a value's JSON where that is an object, each with its type."""

    form: ClassVar[str]
    """What is right on a command line."""

    name: str
    title: Text
    rule: str
    limits: Mapping[str, int] = attrs.field(factory=dict[str, int])
    needs: str | None = None

    @classmethod
    def read_limits(cls, table: Table) -> dict[str, int]:
        """The limits that a declaration states; its mistakes are noted."""
        del table
        return {}

    @property
    def mistake(self) -> str | None:
        """What is wrong with the declared limits, if something is."""
        return None

    @classmethod
    def is_shaped(cls, value: Any) -> bool:
        """Whether a value of type `python` could be one of this kind anywhere."""
        del value
        return True

    @classmethod
    def texts_in(cls, value: Any) -> tuple[str, ...]:
        """The texts and numbers of a value, in which a card number could hide."""
        del value
        return ()

    def broken(self, value: object) -> str | None:
        """The limit that `value` breaks, with its figures: `characters 255`.

        None: the value passes. The value is of the shape of some kind.
        """
        raise NotImplementedError

    def sample(self, choose: Chooser = PLAINEST) -> Any:
        """A value that passes."""
        raise NotImplementedError

    def edges(self) -> tuple[Any, ...]:
        """Values that only just pass."""
        return ()

    def invalid(self) -> tuple[Any, ...]:
        """Values that every store could keep and that do not pass, some only just."""
        raise NotImplementedError

    @classmethod
    def from_option(cls, text: str) -> Any:
        """The value that `text` means on a command line; None if it means none."""
        raise NotImplementedError

    @classmethod
    def from_cell(cls, text: str) -> Any:
        """The value that `text` means in the cell of a log; None if it means none."""
        return cls.from_option(text)

    def column_names(self) -> tuple[str, ...]:
        """The names that a log's column for this parameter may have, by default."""
        return (self.name, self.title.en, self.title.ja)

    def shown_limits(self, language: str) -> list[str]:
        """Each limit as documents show it, in `language`."""
        del language
        return [f"{most} {unit}" for unit, most in self.limits.items()]


@attrs.frozen(kw_only=True)
class FlagParameter(Parameter):
    """True or false; a name in expressions, worth 1 or 0."""

    kind = "flag"
    python = bool
    form = "true or false is right"

    def broken(self, value: object) -> str | None:
        """See `Parameter.broken`."""
        return None if isinstance(value, bool) else "flag"

    def sample(self, choose: Chooser = PLAINEST) -> bool:
        """See `Parameter.sample`."""
        return choose.flag()

    def invalid(self) -> tuple[Any, ...]:
        """See `Parameter.invalid`."""
        return ("true",)

    @classmethod
    def from_option(cls, text: str) -> bool | None:
        """See `Parameter.from_option`."""
        return {"true": True, "false": False}.get(text)


@attrs.frozen(kw_only=True)
class TextParameter(Parameter):
    """A text, limited in `characters`, in `bytes` of UTF-8, or in both.

    One whose name ends in `_url` is an address of the shop: nothing else makes sense
    to a gateway, so nothing else is a sample.
    """

    kind = "text"
    fields = ("max_characters", "max_bytes")
    python = str
    form = "a text is right"
    shape: ClassVar[str] = (
        f"a text of at most {MAX_TEXT} characters without NUL or half a surrogate pair"
    )

    _SHAPE: ClassVar[re.Pattern[str]] = re.compile(r"[^\x00\ud800-\udfff]*")

    @classmethod
    def read_limits(cls, table: Table) -> dict[str, int]:
        """See `Parameter.read_limits`."""
        found = {unit: table.count(f"max_{unit}") for unit in _limit}
        return {unit: most for unit, most in found.items() if most is not None}

    @classmethod
    def is_shaped(cls, value: Any) -> bool:
        """See `Parameter.is_shaped`."""
        return len(value) <= MAX_TEXT and cls._SHAPE.fullmatch(value) is not None

    @classmethod
    def texts_in(cls, value: Any) -> tuple[str, ...]:
        """See `Parameter.texts_in`."""
        return (value,)

    def broken(self, value: object) -> str | None:
        """See `Parameter.broken`."""
        for unit, most in (self.limits or {"characters": MAX_TEXT}).items():
            if not isinstance(value, str) or _length(value, unit) > most:
                return f"{unit} {most}"
        return None

    def sample(self, choose: Chooser = PLAINEST) -> str:
        """See `Parameter.sample`. It is not empty: an empty text counts as missing."""
        if self._is_address:
            return f"{SHOP}{self.name}"[: self._longest]
        least = 1 if self.needs else 0
        text = choose.text(least, self._longest)
        kept = text.encode()[: self.limits.get("bytes")].decode(errors="ignore")
        return kept or "x" * least

    def edges(self) -> tuple[Any, ...]:
        """See `Parameter.edges`."""
        return () if self._is_address else ("x" * self._longest,)

    def invalid(self) -> tuple[Any, ...]:
        """See `Parameter.invalid`."""
        beyond = ["x" * (self._longest + more) for more in (1, 40)]
        if "bytes" in self.limits:  # few characters, too many bytes
            beyond.append("€" * (self.limits["bytes"] // len("€".encode()) + 1))
        return (*(text for text in beyond if len(text) <= MAX_TEXT), True)

    @classmethod
    def from_option(cls, text: str) -> str:
        """See `Parameter.from_option`."""
        return text

    def column_names(self) -> tuple[str, ...]:
        """There are none: a shop's column of notes is hardly the gateway's field."""
        return ()

    def shown_limits(self, language: str) -> list[str]:
        """See `Parameter.shown_limits`."""
        return [_limit(unit, language, most=most) for unit, most in self.limits.items()]

    @property
    def _is_address(self) -> bool:
        return self.name.endswith("_url")

    @property
    def _longest(self) -> int:
        """How long an ASCII text may be."""
        return min([*self.limits.values(), MAX_TEXT])


def _length(text: str, unit: str) -> int:
    return len(text.encode()) if unit == "bytes" else len(text)


@attrs.frozen(kw_only=True)
class FrequencyParameter(Parameter):
    """How often something recurs: a unit, and a number of units."""

    kind = "frequency"
    fields = ("units",)
    python = Mapping
    members = {"unit": str, "value": int}  # noqa: RUF012 - a ClassVar of the base
    form = "a unit and a number are right, such as Month:1"

    _OPTION: ClassVar[re.Pattern[str]] = re.compile(r"([^:]*):([0-9]{1,18})", re.DOTALL)
    _CELL: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:(\d{1,4})\s*)?([^\d\s:]+)[\s:]*(\d{1,4})?"
    )

    @classmethod
    def read_limits(cls, table: Table) -> dict[str, int]:
        """See `Parameter.read_limits`."""
        found = table.table("units").whole(
            lambda units: {unit: units.count(unit) for unit in FREQUENCY_UNITS}
        )
        return {unit: most for unit, most in found.items() if most is not None}

    @property
    def mistake(self) -> str | None:
        """See `Parameter.mistake`."""
        no_units = "a frequency needs 'units', such as { Month = 12 }"
        return None if self.limits else no_units

    @classmethod
    def is_shaped(cls, value: Any) -> bool:
        """See `Parameter.is_shaped`."""
        return (
            set(value) == set(cls.members)
            and type(value["unit"]) is str
            and ONE_LINE.fullmatch(value["unit"]) is not None
            and is_amount(value["value"])
        )

    @classmethod
    def texts_in(cls, value: Any) -> tuple[str, ...]:
        """See `Parameter.texts_in`."""
        return (value["unit"], str(value["value"]))

    def broken(self, value: object) -> str | None:
        """See `Parameter.broken`."""
        if isinstance(value, Mapping):
            most = self.limits.get(value["unit"], 0)
            if 1 <= value["value"] <= most:
                return None
        units = ", ".join(f"{unit} 1-{most}" for unit, most in self.limits.items())
        return f"frequency {units}"

    def sample(self, choose: Chooser = PLAINEST) -> dict[str, Any]:
        """See `Parameter.sample`."""
        unit = choose.among(sorted(self.limits))
        return {"unit": unit, "value": choose.between(1, self.limits[unit])}

    def edges(self) -> tuple[Any, ...]:
        """See `Parameter.edges`."""
        return tuple({"unit": u, "value": most} for u, most in self.limits.items())

    def invalid(self) -> tuple[Any, ...]:
        """See `Parameter.invalid`."""
        beyond = [{"unit": u, "value": most + 1} for u, most in self.limits.items()]
        none = [{"unit": unit, "value": 0} for unit in self.limits]
        return (*beyond, *none, {"unit": "?", "value": 1})

    @classmethod
    def from_option(cls, text: str) -> dict[str, Any] | None:
        """See `Parameter.from_option`."""
        found = cls._OPTION.fullmatch(text)
        return found and {"unit": found[1], "value": int(found[2])}

    @classmethod
    def from_cell(cls, text: str) -> dict[str, Any] | None:
        """`Month 1`, `Month:1` or `1 Month`; `Month` alone means every month."""
        found = cls._CELL.fullmatch(text)
        if found is None or (found[1] and found[3]):
            return None
        return {"unit": found[2], "value": int(found[1] or found[3] or 1)}


KINDS: Mapping[str, type[Parameter]] = {
    each.kind: each for each in (FlagParameter, TextParameter, FrequencyParameter)
}
"""Every kind of parameter, by its name in a file."""


def misshapen(value: object) -> str | None:
    """What would be right in place of a value of no kind; None if it is of one."""
    for kind in KINDS.values():
        if isinstance(value, kind.python) and kind.is_shaped(value):
            return None
    if isinstance(value, str):
        return TextParameter.shape
    return "a text, true or false, or a frequency (unit, value)"


def texts_in(value: object) -> tuple[str, ...]:
    """The texts and numbers in a well-shaped value of any kind."""
    return next(
        k.texts_in(value) for k in KINDS.values() if isinstance(value, k.python)
    )


def read_parameter(table: Table) -> Parameter:
    """The parameter that `table` declares; its mistakes are noted."""
    named = table.text("kind", needed=True)
    kind = KINDS.get(named, TextParameter)
    limits = {each: each.read_limits(table) for each in KINDS.values()}
    parameter = kind(
        name=table.name,
        title=table.translated("title"),
        rule=table.rule(),
        limits=limits[kind],
        needs=table.text("needs") or None,
    )
    if named and named not in KINDS:
        table.wrong(f"'kind' must be one of {', '.join(KINDS)}", "kind")
    for each in KINDS.values():
        for field in each.fields:
            if table.has(field) and named in KINDS and each is not kind:
                table.wrong(f"'{field}' limits nothing in a {named}", field)
    return parameter
