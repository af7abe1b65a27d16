"""What `st.from_type` gives for the types of `kessai.machine`: values that can be.

The strategies themselves are made when they are asked for.
"""

from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import strategies as st

from kessai.gateway import Outcome
from kessai.machine import Command, External, Operation, Reversed, Transaction
from kessai.machine.events import KINDS


def register_types() -> None:
    """Register them all; each gives values of the shipped lifecycles."""
    some: dict[type, Callable[[], st.SearchStrategy[Any]]] = {
        Command: _commands,
        Operation: _operations,
        Transaction: _transactions,
    }
    for kind, make in some.items():
        st.register_type_strategy(kind, _lazily(make))
    for kind in KINDS.values():
        st.register_type_strategy(kind, _events)
    st.register_type_strategy(Reversed, _lazily(_reversals))


def _lazily(
    make: Callable[[], st.SearchStrategy[Any]],
) -> Callable[[type], st.SearchStrategy[Any]]:
    return lambda _: make()


def _of_any_lifecycle(
    make: Callable[[str], st.SearchStrategy[Any]],
) -> st.SearchStrategy[Any]:
    from kessai.spec import shipped_names

    return st.sampled_from(shipped_names()).flatmap(make)


def _commands() -> st.SearchStrategy[Command]:
    """Commands that are allowed on something, and some that are not."""
    from kessai.testing.strategies.commands import allowed_commands
    from kessai.testing.strategies.histories import histories

    def asked(lifecycle: str) -> st.SearchStrategy[Command]:
        some = histories(lifecycle, most_steps=8)
        return some.flatmap(lambda history: st.sampled_from(history.asked))

    return _of_any_lifecycle(allowed_commands) | _of_any_lifecycle(asked)


def _transactions() -> st.SearchStrategy[Transaction]:
    from kessai.testing.strategies.histories import histories

    return _of_any_lifecycle(histories).map(lambda history: history.transaction)


def _operations() -> st.SearchStrategy[Operation]:
    from kessai.machine import Begun

    return _events(Begun).map(lambda begun: begun.operation)


def _reversals() -> st.SearchStrategy[Reversed]:
    """Reversals of what happened outside: the shipped lifecycles declare none."""

    def reversed_(event: External) -> Reversed:
        evidence = attrs.evolve(event.evidence, outcome=Outcome.REVERSED)
        return Reversed(event.at, event.command, event.amount, evidence)

    return _events(External).map(reversed_)


def _events(kind: type) -> st.SearchStrategy[Any]:
    from kessai.testing.strategies.histories import last_events

    return _of_any_lifecycle(lambda lifecycle: last_events(lifecycle, kind))
