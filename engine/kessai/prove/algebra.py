"""Expressions read in two ways: as numbers that are known, and as terms of the solver.

What a transition does to amounts is written once, in `kessai.prove.transition`, and
means the same for a story that is replayed and for a proof about all of them. This
module knows nothing of lifecycles.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from itertools import product
from typing import Any, Protocol

from kessai.errors import InvalidInput
from kessai.spec import Expression
from kessai.spec.expression import (
    Binary,
    Integer,
    Name,
    Node,
    Unary,
    compiled,
    names_in,
)

Value = Any
"""A whole number, or the solver's term for one."""

Truth = Any
"""A bool, or the solver's term for one."""

Names = Mapping[str, Value]


MOST_CASES = 8
"""A product is spelled out case by case for up to so many flags."""


class Algebra(Protocol):
    """What `transition` needs of values, whether they are known or not."""

    zero: Value

    def number(self, expression: Expression, names: Names) -> Value:
        """What `expression` is worth under `names`."""
        ...

    def truth(self, expression: Expression, names: Names) -> Truth:
        """Whether `expression` holds under `names`."""
        ...

    def every(self, conditions: Iterable[Truth]) -> Truth:
        """Whether all of `conditions` hold; true when there is none."""
        ...

    def some(self, conditions: Iterable[Truth]) -> Truth:
        """Whether one of `conditions` holds; false when there is none."""
        ...

    def no(self, condition: Truth) -> Truth:
        """Whether `condition` does not hold."""
        ...


class IntegerAlgebra:
    """The algebra of plain whole numbers: the closures that the engine itself runs."""

    zero: Value = 0

    def number(self, expression: Expression, names: Names) -> Value:
        """What `expression` is worth under `names`."""
        return expression.evaluate(names)

    def truth(self, expression: Expression, names: Names) -> Truth:
        """Whether `expression` holds under `names`."""
        return bool(expression.evaluate(names))

    def every(self, conditions: Iterable[Truth]) -> Truth:
        """Whether all of `conditions` hold."""
        return all(conditions)

    def some(self, conditions: Iterable[Truth]) -> Truth:
        """Whether one of `conditions` holds."""
        return any(conditions)

    def no(self, condition: Truth) -> Truth:
        """Whether `condition` does not hold."""
        return not condition


KNOWN = IntegerAlgebra()


def load_solver() -> Any:
    """The module `z3`, imported now.

    Raises:
        InvalidInput: it is not installed.

    """
    try:
        return import_module("z3")
    except ImportError as error:
        message = "proofs need the solver z3: pip install 'kessai[prove]'"
        raise InvalidInput(message) from error


class SolverAlgebra:
    """The algebra of the solver's terms, from the very trees that the engine compiles.

    Flags are truths to the solver, so that `authorizing * with_capture` stays linear.
    """

    def __init__(self, z3: Any, flags: Iterable[str]) -> None:
        self.z3 = z3
        self.zero: Value = z3.IntVal(0)
        self._flags = frozenset(flags)

    def number(self, expression: Expression, names: Names) -> Value:
        """The term for what `expression` is worth."""
        return self._number(self._term(expression.tree, names))

    def truth(self, expression: Expression, names: Names) -> Truth:
        """The term for whether `expression` holds."""
        return self._truth(self._term(expression.tree, names))

    def every(self, conditions: Iterable[Truth]) -> Truth:
        """The term for all of `conditions`."""
        return self.z3.And(list(conditions))

    def some(self, conditions: Iterable[Truth]) -> Truth:
        """The term for one of `conditions`."""
        return self.z3.Or(list(conditions))

    def no(self, condition: Truth) -> Truth:
        """The term for the contrary."""
        return self.z3.Not(condition)

    def _number(self, term: Any) -> Any:
        if self.z3.is_bool(term):
            return self.z3.If(term, self.z3.IntVal(1), self.z3.IntVal(0))
        return term

    def _truth(self, term: Any) -> Any:
        return term if self.z3.is_bool(term) else term != 0

    def _term(self, tree: Node, names: Names) -> Any:
        match tree:
            case Integer(value):
                return self.z3.IntVal(value)
            case Name(name):
                return names[name]
            case Unary("not", operand):
                return self.z3.Not(self._truth(self._term(operand, names)))
            case Unary(_, operand):
                return -self._number(self._term(operand, names))
            case Binary("*", left, right):
                return self._product(left, right, names)
            case _:
                return self._binary(tree, names)

    def _binary(self, tree: Binary, names: Names) -> Any:
        left, right = self._term(tree.left, names), self._term(tree.right, names)
        if tree.operator in {"and", "or"}:
            join = self.z3.And if tree.operator == "and" else self.z3.Or
            return join(self._truth(left), self._truth(right))
        return _OPERATORS[tree.operator](self._number(left), self._number(right))

    def _product(self, left: Node, right: Node, names: Names) -> Any:
        """A product, case by case where one side hangs on flags alone."""
        for one, other in ((left, right), (right, left)):
            flags = sorted(names_in(one))
            is_short = 0 < len(flags) <= MOST_CASES
            if is_short and self._flags.issuperset(flags):
                return self._by_cases(one, flags, other, names)
        one, other = self._term(left, names), self._term(right, names)
        return self._number(one) * self._number(other)

    def _by_cases(
        self, factor: Node, flags: list[str], other: Node, names: Names
    ) -> Any:
        z3 = self.z3
        term = self._number(self._term(other, names))
        whole, run = z3.IntVal(0), compiled(factor)
        for values in product((0, 1), repeat=len(flags)):
            given = dict(zip(flags, values, strict=True))
            if worth := run(given):
                case = z3.And(
                    [names[f] if given[f] else z3.Not(names[f]) for f in flags]
                )
                whole = z3.If(case, term * worth, whole)
        return whole


_OPERATORS: Mapping[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
