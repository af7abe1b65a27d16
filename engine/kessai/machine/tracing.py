"""One pass of the rules over numbers and times, recorded so that it can be repeated.

`decide`, `resolve` and `evolve` run once on traced values, which record every
comparison with its answer, and every sum. For other values that give the same answers
to the same comparisons, the rules take the same path and end in the same sums. So a
history like thousands before it costs its comparisons and sums alone.

Nothing here knows a rule. Any other use of a traced value ends the recording, and the
rules are run in full each time.
"""

import operator
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from types import CodeType
from typing import Any

from kessai.money import AMOUNT_LIMIT

Repeat = Callable[..., tuple[Any, ...] | None]
"""The path taken once, for other values; None if they would take another."""


class Untraceable(Exception):
    """The use of a value cannot be recorded."""


def _refuse(*_: object) -> Any:
    raise Untraceable


class Opaque:
    """A value that the rules carry along and must not look at.

    It equals itself; whether it equals another is not known.
    """

    __slots__ = ()

    __bool__: Any = _refuse
    __hash__: Any = _refuse
    __str__: Any = _refuse
    __repr__: Any = _refuse
    __format__: Any = _refuse
    __len__: Any = _refuse
    __iter__: Any = _refuse
    __contains__: Any = _refuse
    __getitem__: Any = _refuse
    __getattr__: Any = _refuse
    __lt__: Any = _refuse
    __le__: Any = _refuse
    __gt__: Any = _refuse
    __ge__: Any = _refuse
    __add__: Any = _refuse
    __radd__: Any = _refuse
    __sub__: Any = _refuse
    __rsub__: Any = _refuse
    __mul__: Any = _refuse
    __rmul__: Any = _refuse
    __neg__: Any = _refuse

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        raise Untraceable

    def __ne__(self, other: object) -> bool:
        return not self == other


class Trace:
    """What one pass compared and added, as the source of a function.

    The conditions that are `given` hold for all values, and are not asked again.
    """

    def __init__(self, given: Collection[str] = ()) -> None:
        self._given = given
        self._lines: dict[str, None] = {}
        self._sums: dict[str, str] = {}
        self._constants: dict[str, object] = {}

    def value(self, source: str, value: int | datetime) -> "Traced":
        """`value`, traced; `source` is where a repetition finds its own."""
        return Traced(self, source, value)

    def note(self, condition: str) -> None:
        """A repetition must find `condition` true."""
        if condition not in self._given:
            self._lines[f" if not {condition}: return None"] = None

    def sum(self, expression: str) -> str:
        """The name that `expression` has in a repetition, which works it out once."""
        name = self._sums.get(expression)
        if name is None:
            name = self._sums[expression] = f"s{len(self._sums)}"
            self._lines[f" {name} = {expression}"] = None
        return name

    def source(self, value: object) -> str:
        """`value` as an expression."""
        if isinstance(value, Traced):
            return value.source
        if type(value) is int:
            return f"({value})"
        if value is None:
            return "None"
        if not isinstance(value, datetime | timedelta):
            raise Untraceable
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def repeat(self, parameters: str, results: Iterable[object]) -> Repeat:
        """A function of `parameters` that gives `results` for the values it is given.

        Its source holds numbers, the operators below, and names made here: nothing
        that stands in a lifecycle file or in a trail gets into it.
        """
        found = "".join(f"{self.source(result)}," for result in results)
        lines = f"def repeat({parameters}):", *self._lines, f" return ({found})"
        names: dict[str, Any] = {"__builtins__": {}, **self._constants}
        exec(_compiled("\n".join(lines)), names)  # noqa: S102 - see above
        repeat: Repeat = names["repeat"]
        return repeat


def in_range(amounts: Iterable[str]) -> set[str]:
    """What is given of the `amounts` of a transaction that breaks no invariant."""
    limits = (">= (0)", f"< ({AMOUNT_LIMIT})")
    return {f"{name} {limit}" for name in amounts for limit in limits}


@lru_cache(maxsize=1_024)  # a third of an audit of a small store, if done each time
def _compiled(source: str) -> CodeType:
    return compile(source, "<a pass of the rules>", "exec")


def _sums(symbol: str, *, turned: bool = False) -> Callable[["Traced", object], Any]:
    operate = _OPERATIONS[symbol]

    def method(self: "Traced", other: object) -> Any:
        if type(self.value) is type(other) is int and (symbol, other) in _NEUTRAL:
            return -self if turned and symbol == "-" else self
        ours, theirs = (self.value, self.source), _known(self, other)
        if turned:
            ours, theirs = theirs, ours
        try:
            value = operate(ours[0], theirs[0])
        except OverflowError:  # the rules may go on from here: another path than most
            self.trace.note("False")
            raise
        source = self.trace.sum(f"{ours[1]} {symbol} {theirs[1]}")
        return Traced(self.trace, source, value)

    return method


def _known(value: "Traced", other: object) -> tuple[Any, str]:
    known = other.value if isinstance(other, Traced) else other
    return known, value.trace.source(other)


def _asks(symbol: str) -> Callable[["Traced", object], Any]:
    operate = _OPERATIONS[symbol]

    def method(self: "Traced", other: object) -> Any:
        if other is None and symbol in {"==", "!="}:
            return symbol == "!="  # there or not: the same on every repetition
        value, source = _known(self, other)
        answer = bool(operate(self.value, value))
        if source != self.source:
            condition = f"{self.source} {symbol} {source}"
            self.trace.note(condition if answer else f"not {condition}")
        return answer

    return method


_NEUTRAL = {("+", 0), ("-", 0), ("*", 1)}
"""What changes no number."""

_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Traced(Opaque):
    """A number or a time that records every comparison and every sum."""

    __slots__ = ("source", "trace", "value")

    def __init__(self, trace: Trace, source: str, value: Any) -> None:
        self.trace = trace
        self.source = source
        self.value = value

    __hash__: Any = _refuse  # a class with __eq__ has none else
    __eq__: Any = _asks("==")
    __ne__: Any = _asks("!=")
    __lt__: Any = _asks("<")
    __le__: Any = _asks("<=")
    __gt__: Any = _asks(">")
    __ge__: Any = _asks(">=")
    __add__: Any = _sums("+")
    __radd__: Any = _sums("+", turned=True)
    __sub__: Any = _sums("-")
    __rsub__: Any = _sums("-", turned=True)
    __mul__: Any = _sums("*")
    __rmul__: Any = _sums("*", turned=True)

    def __neg__(self) -> "Traced":
        return Traced(self.trace, self.trace.sum(f"-{self.source}"), -self.value)

    def __bool__(self) -> bool:
        return bool(self != 0)
