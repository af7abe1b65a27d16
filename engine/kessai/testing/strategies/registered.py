"""What `st.from_type` gives for the types of `kessai.machine`: values that can be.

Imported when the first of them is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from hypothesis import strategies as st

from kessai.gateway import Outcome
from kessai.machine import (
    Archived,
    Begun,
    Command,
    External,
    Forgotten,
    Operation,
    Reversed,
    Transaction,
)
from kessai.spec import shipped_names
from kessai.testing.strategies.commands import NOW, allowed_commands
from kessai.testing.strategies.histories import histories, last_events

Some = st.SearchStrategy[Any]

_HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
_NUMBERS = st.integers(1, 99).map(str)
_RETENTION: Mapping[type, Some] = {
    Forgotten: st.builds(
        *(Forgotten, st.just(NOW), st.just("operator"), st.just("asked for")),
        st.dictionaries(_NUMBERS, _HASHES, min_size=1),
    ),
    Archived: st.builds(
        *(Archived, st.just(NOW), st.just("2019.db"), st.just("operator")),
        st.lists(_HASHES, min_size=1).map(tuple),
    ),
}
"""What is done to a trail, for which no history of a payment gives a reason."""


def values_of(kind: type) -> Some:
    """Values of `kind`, of the shipped lifecycles."""
    if kind is Command:
        return _of_any_lifecycle(allowed_commands) | _of_any_lifecycle(_asked)
    if kind is Transaction:
        return _of_any_lifecycle(histories).map(lambda history: history.transaction)
    if kind is Operation:
        return _events(Begun).map(lambda begun: begun.operation)
    if kind is Reversed:
        return _events(External).map(_reversed)
    if kind in _RETENTION:
        return _RETENTION[kind]
    return _events(kind)


def _of_any_lifecycle(make: Callable[[str], Some]) -> Some:
    return st.sampled_from(shipped_names()).flatmap(make)


def _asked(lifecycle: str) -> Some:
    """Commands that were asked for, some of them in vain."""
    some = histories(lifecycle, most_steps=8)
    return some.flatmap(lambda history: st.sampled_from(history.asked))


def _reversed(event: External) -> Reversed:
    """A reversal of what happened outside: the shipped lifecycles declare none."""
    evidence = attrs.evolve(event.evidence, outcome=Outcome.REVERSED)
    return Reversed(event.at, event.command, event.amount, evidence)


def _events(kind: type) -> Some:
    return _of_any_lifecycle(lambda lifecycle: last_events(lifecycle, kind))
