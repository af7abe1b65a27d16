"""The closed language: what it computes, and that nothing else is in it."""

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kessai.spec.expression import (
    MAX_DEPTH,
    MAX_LENGTH,
    AmountEffect,
    Binary,
    Expression,
    Integer,
    Name,
    Node,
    OutsideGrammar,
    Unary,
)

AMOUNTS = {"captured": 100, "refunded": 30, "refunding": 20, "flag": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100_000", 100_000),
        ("captured - refunded - refunding", 50),
        ("captured - (refunded - refunding)", 90),
        ("captured + refunded * 2", 160),
        ("(captured + refunded) * 2", 260),
        ("-refunded + captured", 70),
        ("- -refunded", 30),
        ("refunded < captured", 1),
        ("refunded == captured", 0),
        ("refunded != captured", 1),
        ("refunded <= 30", 1),
        ("refunded >= 31", 0),
        ("captured > 100", 0),
        ("not flag", 0),
        ("not not refunded", 1),
        ("not flag == 0", 1),
        ("flag and refunded", 1),
        ("0 or refunded == 30", 1),
        ("1 or 1 and 0", 1),
        ("captured * flag * (1 - flag)", 0),
        ("\tcaptured\n", 100),
    ],
)
def test_an_expression_computes_what_it_reads_like(text: str, value: int) -> None:
    assert Expression.parse(text).evaluate(AMOUNTS) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: a name, a number or '(' is expected"),
        ("captured -", "column 11: a name, a number or '(' is expected"),
        ("(captured", "column 10: a ')' is missing"),
        ("captured)", "column 9: ')' is not expected here"),
        ("a < b < c", "column 7: '<' is not expected here"),
        ("a b", "column 3: 'b' is not expected here"),
        ("3abc", "column 2: 'abc' is not expected here"),
        ("a and or", "column 7: a name, a number or '(' is expected"),
        ("a * not b", "column 5: a name, a number or '(' is expected"),
        ("a = b", "column 3: '=' is not in the language"),
        ("a / b", "column 3: '/' is not in the language"),
        ("a ** b", "column 4: a name, a number or '(' is expected"),
        ("a.b", "column 2: '.' is not in the language"),
        ("a[0]", "column 2: '[' is not in the language"),
        ("f(a)", "column 2: '(' is not expected here"),
        ("'a'", 'column 1: "\'" is not in the language'),
        ("1.5", "column 2: '.' is not in the language"),
        ("1__0", "column 2: '_' is not in the language"),
        ("1_", "column 2: '_' is not in the language"),
        ("Captured", "column 1: 'C' is not in the language"),
        ("__import__", "column 1: '_' is not in the language"),
        ("a　+ b", r"column 2: '\u3000' is not in the language"),
        ("１", "column 1: '１' is not in the language"),
        ("1" * 16, "column 1: a number must be below 1000000000000000"),
        ("1" * 5000, f"longer than {MAX_LENGTH} characters"),
    ],
)
def test_what_is_outside_the_grammar_is_refused_with_its_column(
    text: str, message: str
) -> None:
    with pytest.raises(OutsideGrammar) as refused:
        Expression.parse(text)
    assert str(refused.value) == message


def test_nesting_deeper_than_an_auditor_can_read_is_refused() -> None:
    deepest = "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
    assert Expression.parse(deepest).names == {"a"}
    for text in (f"({deepest})", "-" * (MAX_DEPTH + 1) + "a", "not " * 33 + "a"):
        with pytest.raises(OutsideGrammar, match="nested deeper than 32"):
            Expression.parse(text)


def test_the_longest_chain_still_runs() -> None:
    terms = (MAX_LENGTH + 1) // 2
    assert Expression.parse("+".join("a" * terms)).evaluate({"a": 2}) == 2 * terms


@pytest.mark.parametrize(
    ("text", "target", "value"),
    [
        ("refunding += 5", "refunding", 25),
        ("refunding -= 5 - 2", "refunding", 17),
        ("refunding = captured", "refunding", 100),
        ("captured=0", "captured", 0),
    ],
)
def test_an_effect_changes_one_amount(text: str, target: str, value: int) -> None:
    effect = AmountEffect.parse(text)
    assert (effect.target, effect.value.evaluate(AMOUNTS)) == (target, value)
    assert str(effect) == text


NO_EFFECT = "column 1: an effect is NAME = …, NAME += … or NAME -= …"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NO_EFFECT),
        ("a", NO_EFFECT),
        ("a == b", NO_EFFECT),
        ("a *= 2", NO_EFFECT),
        ("1 = a", NO_EFFECT),
        ("a.b = 1", NO_EFFECT),
        ("a =", "column 4: a name, a number or '(' is expected"),
        (" a += b c", "column 9: 'c' is not expected here"),
        ("a = b = c", "column 7: '=' is not in the language"),
        ("a = " + "1" * 397, "longer than 400 characters"),
    ],
)
def test_what_is_no_effect_is_refused_with_its_column(text: str, message: str) -> None:
    with pytest.raises(OutsideGrammar) as refused:
        AmountEffect.parse(text)
    assert str(refused.value) == message


def test_an_effect_computes_from_the_text_that_was_written() -> None:
    effect = AmountEffect.parse(" a -= b - 1")
    assert effect.value.text == effect.text == " a -= b - 1"
    change = Binary("-", Name("b"), Integer(1))
    assert effect.value.tree == Binary("-", Name("a"), change)
    assert AmountEffect.parse("a = b - 1").value.tree == change


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1_000_000_000_000_000", "column 1: a number must be below 1000000000000000"),
        ("a + 1000000000000000", "column 5: a number must be below 1000000000000000"),
        ("1" + " " * MAX_LENGTH, "longer than 400 characters"),
        ("-" * 33 + "a", "column 34: nested deeper than 32"),
        ("(" * 33 + "a" + ")" * 33, "column 34: nested deeper than 32"),
        ("not " * 33 + "a", "column 133: nested deeper than 32"),
    ],
)
def test_one_more_than_the_limit_is_refused(text: str, message: str) -> None:
    with pytest.raises(OutsideGrammar) as refused:
        Expression.parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("999_999_999_999_999", 999_999_999_999_999),
        ("1_2_3 - 0", 123),
        ("1" + " " * (MAX_LENGTH - 1), 1),
        ("-" * 32 + "flag", 1),
        ("not " * 32 + "flag", 1),
        ("(" * 32 + "flag" + ")" * 32, 1),
        (" + ".join(["-(flag)"] * 33), -33),
        (" + ".join(["(" * 32 + "1" + ")" * 32] * 2), 2),
    ],
)
def test_what_is_at_the_limit_computes(text: str, value: int) -> None:
    assert (MAX_DEPTH, MAX_LENGTH) == (32, 400)
    assert Expression.parse(text).evaluate(AMOUNTS) == value


def test_depth_that_was_left_is_not_counted_again_and_none_is_won() -> None:
    with pytest.raises(OutsideGrammar) as refused:
        Expression.parse("(a) + ((a)) + -b + " + "(" * 33 + "a" + ")" * 33)
    assert str(refused.value) == "column 53: nested deeper than 32"


def test_the_names_of_an_expression_are_those_it_reads() -> None:
    assert Expression.parse("not a and b < 3 * c or -d").names == {"a", "b", "c", "d"}
    assert AmountEffect.parse("a += b").value.names == {"a", "b"}
    assert AmountEffect.parse("a = b").value.names == {"b"}


def trees() -> st.SearchStrategy[Node]:
    leaves = st.builds(Integer, st.integers(0, 9)) | st.builds(
        Name, st.sampled_from(sorted(AMOUNTS))
    )
    operators = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "and", "or"]
    return st.recursive(
        leaves,
        lambda nodes: (
            st.builds(Unary, st.sampled_from(["not", "-"]), nodes)
            | st.builds(Binary, st.sampled_from(operators), nodes, nodes)
        ),
        max_leaves=12,
    )


def printed(tree: Node) -> str:
    match tree:
        case Integer(value):
            return str(value)
        case Name(name):
            return name
        case Unary(operator, operand):
            return f"({operator} {printed(operand)})"
        case Binary(operator, left, right):
            return f"({printed(left)} {operator} {printed(right)})"


def reference(tree: Node, names: Mapping[str, int]) -> int:
    match tree:
        case Integer(value):
            return value
        case Name(name):
            return names[name]
        case Unary(operator, operand):
            inner = reference(operand, names)
            return -inner if operator == "-" else int(inner == 0)
        case Binary(operator, left, right):
            return binary(operator, reference(left, names), reference(right, names))


def binary(operator: str, left: int, right: int) -> int:
    results = {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "and": left != 0 and right != 0,
        "or": left != 0 or right != 0,
    }
    return int(results[operator])


@given(trees(), st.fixed_dictionaries(dict.fromkeys(AMOUNTS, st.integers(-5, 5))))
def test_any_tree_printed_and_parsed_back_computes_the_same(
    tree: Node, names: dict[str, int]
) -> None:
    text = printed(tree)
    if len(text) <= MAX_LENGTH:
        again = Expression.parse(text)
        assert again.tree == tree
        assert again.evaluate(names) == reference(tree, names)


PIECES = st.sampled_from(
    [
        "a",
        "b1",
        "0",
        "42",
        "1_0",
        "and",
        "or",
        "not",
        "+",
        "-",
        "*",
        "(",
        ")",
        "<",
        "<=",
        "==",
        "=",
        "+=",
        "!",
        ".",
        "[",
        "'",
        "é",
        "\u3000",
        "\x1c",
    ]
)


@given(st.text() | st.lists(PIECES).map(" ".join) | st.lists(PIECES).map("".join))
def test_any_text_is_an_expression_or_outside_the_grammar(text: str) -> None:
    for parse in (Expression.parse, AmountEffect.parse):
        with contextlib.suppress(OutsideGrammar):
            parse(text)


@pytest.mark.parametrize("text", ["captured - refunded", "refunding += amount"])
def test_what_was_parsed_is_shown_as_it_was_written(text: str) -> None:
    kind = AmountEffect if "=" in text else Expression
    assert str(kind.parse(text)) == text
