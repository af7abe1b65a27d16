"""What the kit quotes from the contract stands there."""

import inspect
from importlib import import_module

import pytest

from kessai.testing.adapter_kit import contract
from kessai.testing.adapter_kit.contract import Clause

CLAUSES = [value for value in vars(contract).values() if isinstance(value, Clause)]


def documented(where):
    """The documentation of a module, a class or a method, in one line."""
    parts, rest = where.split("."), []
    while True:
        try:
            thing = import_module(".".join(parts))
            break
        except ModuleNotFoundError:
            rest.insert(0, parts.pop())
    for name in rest:
        thing = getattr(thing, name)
    return " ".join((inspect.getdoc(thing) or "").split())


@pytest.mark.parametrize("clause", CLAUSES, ids=str)
def test_a_clause_is_quoted_as_it_stands(clause):
    assert clause.words in documented(clause.where)


def test_there_are_clauses():
    assert len(CLAUSES) > 10
