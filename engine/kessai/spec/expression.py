"""The closed language of guards, bounds and effects: integers and their comparison.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | comparison
    comparison  = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
    sum         = product { ("+" | "-") product }
    product     = factor { "*" factor }
    factor      = integer | name | "-" factor | "(" expression ")"
    effect      = name ("=" | "+=" | "-=") expression

There is nothing else: no attribute, call, index or string ever reaches evaluation, so a
stranger's lifecycle file can be wrong but never harmful. Text is parsed once, into a
tree that provers read and a function that the engine runs. True is 1 and false is 0.
"""

import ast
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NoReturn

import attrs

from kessai.money import AMOUNT_LIMIT

Names = Mapping[str, int]
Evaluate = Callable[[Names], int]

MAX_DEPTH = 32
"""Deeper nesting is refused: nobody could read it, and it could exhaust the stack."""

MAX_LENGTH = 400
"""More characters are refused: a long chain of sums could exhaust the stack, too."""

WORDS = frozenset({"and", "or", "not"})
"""Words of the language: no amount and no flag may have such a name."""

_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"(?P<integer>[0-9]+(?:_[0-9]+)*)|(?P<name>[a-z][a-z0-9_]*)"
    r"|(?P<symbol>==|!=|<=|>=|[-+*<>()])"
)
_EFFECT = re.compile(
    rf"[{_SPACE}]*(?P<target>[a-z][a-z0-9_]*)[{_SPACE}]*(?P<how>\+=|-=|=(?!=))"
)
_COMPARISONS: Mapping[str, ast.cmpop] = {
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
}
_SUMS: Mapping[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult()}
_JOINED: Mapping[str, ast.boolop] = {"and": ast.And(), "or": ast.Or()}


class OutsideGrammar(ValueError):
    """The text is not an expression; the message names the column (from 1)."""


@attrs.frozen
class Integer:
    """A number written in the file."""

    value: int


@attrs.frozen
class Name:
    """A named amount, a flag, or `amount`."""

    name: str


@attrs.frozen
class Unary:
    """`not` or `-` before an operand."""

    operator: str
    operand: "Node"


@attrs.frozen
class Binary:
    """An operator between two operands."""

    operator: str
    left: "Node"
    right: "Node"


Node = Integer | Name | Unary | Binary


@attrs.frozen
class Expression:
    """A parsed expression: its text, its tree, the names in it, and how to run it."""

    text: str
    tree: Node = attrs.field(repr=False, eq=False)
    names: frozenset[str] = attrs.field(repr=False, eq=False)
    evaluate: Evaluate = attrs.field(repr=False, eq=False)

    @classmethod
    @lru_cache(maxsize=512)  # lifecycles share most of theirs
    def parse(cls, text: str) -> "Expression":
        """Parse `text`.

        Raises:
            OutsideGrammar: `text` is not in the language above.

        """
        tree = _Parser(text).whole()
        return cls(text, tree, frozenset(names_in(tree)), compiled(tree))

    def __str__(self) -> str:
        return self.text


@attrs.frozen
class AmountEffect:
    """One change of a named amount: `refunding += amount`."""

    text: str
    target: str
    value: Expression = attrs.field(repr=False, eq=False)

    @classmethod
    @lru_cache(maxsize=512)
    def parse(cls, text: str) -> "AmountEffect":
        """Parse `text`; `a += b` means `a = a + b`.

        Raises:
            OutsideGrammar: `text` is not an effect.

        """
        found = _EFFECT.match(text)
        if found is None:
            message = "column 1: an effect is NAME = …, NAME += … or NAME -= …"
            raise OutsideGrammar(message)
        target, how = found["target"], found["how"]
        right = _Parser(text, found.end()).whole()
        tree = right if how == "=" else Binary(how[0], Name(target), right)
        value = Expression(text, tree, frozenset(names_in(tree)), compiled(tree))
        return cls(text, target, value)

    def __str__(self) -> str:
        return self.text


class _Parser:
    """Recursive descent over the grammar in this module's head."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._tokens = _tokens(text, start)
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        tree = self._chain(("or",), self._conjunction)
        kind, token, column = self._peek()
        if kind != "end":
            self._fail(column, f"{token!r} is not expected here")
        return tree

    def _conjunction(self) -> Node:
        return self._chain(("and",), self._negation)

    def _negation(self) -> Node:
        if self._take("not"):
            return Unary("not", self._deeper(self._negation))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        _, token, _ = self._peek()
        if token in _COMPARISONS:
            self._next += 1
            return Binary(token, left, self._sum())
        return left

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*",), self._factor)

    def _factor(self) -> Node:
        kind, word, column = self._peek()
        self._next += 1
        if kind == "integer":
            return self._integer(word, column)
        if kind == "name" and word not in WORDS:
            return Name(word)
        if word == "-":
            return Unary("-", self._deeper(self._factor))
        if word == "(":
            inner = self._deeper(lambda: self._chain(("or",), self._conjunction))
            if not self._take(")"):
                self._fail(self._peek()[2], "a ')' is missing")
            return inner
        return self._fail(column, "a name, a number or '(' is expected")

    def _integer(self, word: str, column: int) -> Integer:
        value = int(word)
        if value >= AMOUNT_LIMIT:
            self._fail(column, f"a number must be below {AMOUNT_LIMIT}")
        return Integer(value)

    def _chain(self, operators: tuple[str, ...], part: Callable[[], Node]) -> Node:
        tree = part()
        while (token := self._peek()[1]) in operators:
            self._next += 1
            tree = Binary(token, tree, part())
        return tree

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(self._peek()[2], f"nested deeper than {MAX_DEPTH}")
        tree = part()
        self._depth -= 1
        return tree

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._next]

    def _take(self, word: str) -> bool:
        if self._peek()[1] != word:
            return False
        self._next += 1
        return True

    def _fail(self, column: int, what: str) -> NoReturn:
        message = f"column {column}: {what}"
        raise OutsideGrammar(message)


def _tokens(text: str, start: int) -> list[tuple[str, str, int]]:
    if len(text) > MAX_LENGTH:
        message = f"longer than {MAX_LENGTH} characters"
        raise OutsideGrammar(message)
    tokens: list[tuple[str, str, int]] = []
    at = start
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            message = f"column {at + 1}: {text[at]!r} is not in the language"
            raise OutsideGrammar(message)
        tokens.append((str(found.lastgroup), found[0], at + 1))
        at = found.end()
    tokens.append(("end", "", len(text) + 1))
    return tokens


def names_in(tree: Node) -> set[str]:
    """Every name in a tree: amounts, flags, `amount`."""
    match tree:
        case Integer():
            return set()
        case Name(name):
            return {name}
        case Unary(_, operand):
            return names_in(operand)
        case _:
            return names_in(tree.left) | names_in(tree.right)


# An effect often has the value of a guard, and provers ask again.
@lru_cache(maxsize=256)
def compiled(tree: Node) -> Evaluate:
    """A function that evaluates a tree under given names.

    Python compiles it from nodes made here: no text of a lifecycle file gets into it,
    but for the names that are looked up.
    """
    code = ast.Expression(ast.Lambda(args=_NAMES, body=_code(tree)))
    run = compile(ast.fix_missing_locations(code), "<an expression>", "eval")
    evaluate: Evaluate = eval(run, {"__builtins__": {}})  # noqa: S307 - see above
    return evaluate


_NAMES = ast.arguments(
    posonlyargs=[], args=[ast.arg("names")], kwonlyargs=[], kw_defaults=[], defaults=[]
)


def _code(tree: Node) -> ast.expr:
    match tree:
        case Integer(value):
            return ast.Constant(value)
        case Name(name):
            names = ast.Name("names", ast.Load())
            return ast.Subscript(names, ast.Constant(name), ast.Load())
        case Unary("not", operand):
            return _truth(ast.UnaryOp(ast.Not(), _code(operand)))
        case Unary(_, operand):
            return ast.UnaryOp(ast.USub(), _code(operand))
        case _:
            return _binary(tree.operator, _code(tree.left), _code(tree.right))


def _binary(operator: str, left: ast.expr, right: ast.expr) -> ast.expr:
    if operator in _SUMS:
        return ast.BinOp(left, _SUMS[operator], right)
    if operator in _JOINED:
        return _truth(ast.BoolOp(_JOINED[operator], [left, right]))
    return _truth(ast.Compare(left, [_COMPARISONS[operator]], [right]))


def _truth(condition: ast.expr) -> ast.expr:
    return ast.IfExp(condition, ast.Constant(1), ast.Constant(0))
