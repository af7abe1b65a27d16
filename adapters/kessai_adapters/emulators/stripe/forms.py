"""Reading a request: form fields with brackets, and each parameter checked once.

    amount=1200&metadata[order]=7&payment_method_types[0]=card

`payment_method_types[]=card` says the same. A parameter that no endpoint asked for is
refused, as it may be meant seriously.
"""

import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import parse_qsl

from kessai_adapters.emulators.stripe.errors import ApiError, invalid

_NAME: Final = re.compile(r"([a-z_0-9]+)((?:\[[^\[\]]*\])*)")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}")
_MOST_PAIRS: Final = 50
_LONGEST_NAME: Final = 40
_LONGEST_VALUE: Final = 500

Nested = dict[str, Any]


def parse(text: str) -> Nested:
    """Return the fields of a form or a query, nested as their brackets say.

    Raises:
        ApiError: a field's name has no such form, or is there twice.

    """
    found: Nested = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        matched = _NAME.fullmatch(name)
        if matched is None:
            message = "Invalid request: a parameter's name is malformed"
            raise invalid(message)
        _place(found, [matched[1], *_PART.findall(matched[2])], value)
    return found


def _place(inside: Nested, path: list[str], value: str) -> None:
    for part in path[:-1]:
        held = inside.setdefault(part, {})
        if not isinstance(held, dict):
            raise _twice(path[0])
        inside = held
    last = path[-1] or str(len(inside))
    if last in inside:
        raise _twice(path[0])
    inside[last] = value


def _twice(name: str) -> ApiError:
    return invalid(f"Invalid parameter: {name} is given twice", param=name)


class Params:
    """The parameters of one request, taken one by one."""

    def __init__(self, given: Nested, under: str = "") -> None:
        self._given = dict(given)
        self._under = under

    def _name(self, name: str) -> str:
        return f"{self._under}[{name}]" if self._under else name

    def _take(self, name: str) -> str | None:
        value = self._given.pop(name, None)
        if isinstance(value, dict):
            message = f"Invalid string: {name}"
            raise invalid(message, param=self._name(name))
        return value or None

    def text(self, name: str) -> str | None:
        """A text; None if there is none."""
        return self._take(name)

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self._take(name)
        if value is None:
            raise self._missing(name)
        return value

    def choice(self, name: str, known: Collection[str]) -> str | None:
        """One of the texts in `known`."""
        value = self._take(name)
        if value is not None and value not in known:
            message = f"Invalid {name}: must be one of {', '.join(sorted(known))}"
            raise invalid(message, param=self._name(name))
        return value

    def flag(self, name: str) -> bool | None:
        """`true` or `false`."""
        value = self.choice(name, {"true", "false"})
        return None if value is None else value == "true"

    def integer(self, name: str) -> int | None:
        """A whole number."""
        value = self._take(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            message = f"Invalid integer: {name}"
            code = "parameter_invalid_integer"
            raise invalid(message, code=code, param=self._name(name))
        return int(value)

    def positive_integer(self, name: str) -> int | None:
        """A whole number above 0."""
        value = self.integer(name)
        if value is not None and value < 1:
            message = f"Invalid positive integer: {name}"
            code = "parameter_invalid_integer"
            raise invalid(message, code=code, param=self._name(name))
        return value

    def required_integer(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.integer(name)
        if value is None:
            raise self._missing(name)
        return value

    def texts(self, name: str) -> list[str]:
        """The items of a list."""
        value = self._given.pop(name, {})
        items = list(value.values()) if isinstance(value, dict) else [value]
        if not all(isinstance(item, str) for item in items):
            message = f"Invalid array: {name}"
            raise invalid(message, param=self._name(name))
        return items

    def inner(self, name: str) -> "Params":
        """The parameters inside of one."""
        value = self._given.pop(name, {})
        if not isinstance(value, dict):
            message = f"Invalid object: {name}"
            raise invalid(message, param=self._name(name))
        return Params(value, self._name(name))

    def metadata(self) -> dict[str, str]:
        """`metadata` within its limits: 50 keys of 40 characters, values of 500."""
        value = self._given.pop("metadata", {})
        pairs = value if isinstance(value, dict) else {}
        is_right = len(pairs) <= _MOST_PAIRS and all(
            len(key) <= _LONGEST_NAME
            and isinstance(held, str)
            and len(held) <= _LONGEST_VALUE
            for key, held in pairs.items()
        )
        if not is_right:
            message = "Invalid metadata"
            raise invalid(message, param="metadata")
        return pairs

    def finish(self) -> None:
        """Refuse what nobody has asked for."""
        for name in self._given:
            message = f"Received unknown parameter: {self._name(name)}"
            raise invalid(message, code="parameter_unknown", param=self._name(name))

    def _missing(self, name: str) -> ApiError:
        message = f"Missing required param: {self._name(name)}"
        return invalid(message, code="parameter_missing", param=self._name(name))


def merged(held: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Metadata after an update: merged, and an empty text deletes."""
    return {key: value for key, value in {**held, **given}.items() if value}
