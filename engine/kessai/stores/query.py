"""What a store asks of its database, as a value, so that each is written once.

A step is a generator: it yields queries and is sent their rows; a query's error is raised
into it. Stores differ in how they wait, and in the statements that only one database knows.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, TypeVar

import attrs

from kessai.errors import KessaiError, StoreBusy

T = TypeVar("T")
Row = tuple[Any, ...]

READ_AHEAD = 200
"""How many rows are fetched at once where all are read."""

PAGE = 500
"""How many records of one transaction are given at once where all are read."""


@attrs.frozen
class Query:
    """One statement. `writes` means that it commits, so that a lost reply is unknown.

    The text has its values as `:name`. `conflict` is the error when it loses against
    another session.
    """

    text: str
    values: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    writes: bool = False
    conflict: type[KessaiError] = StoreBusy


Steps = Generator[Query, list[Row], T]


def perform(step: Steps[T], ask: Callable[[Query], list[Row]]) -> T:
    """Carry `step` to its end; `ask` gives the rows of each of its queries."""
    try:
        query = next(step)
        while True:
            try:
                rows = ask(query)
            except BaseException as error:  # noqa: BLE001 - the step's own affair
                query = step.throw(error)
            else:
                query = step.send(rows)
    except StopIteration as stop:
        value: T = stop.value
        return value


async def perform_async(
    step: Steps[T], ask: Callable[[Query], Awaitable[list[Row]]]
) -> T:
    """As `perform`, awaiting the rows of each query."""
    try:
        query = next(step)
        while True:
            try:
                rows = await ask(query)
            except BaseException as error:  # noqa: BLE001 - the step's own affair
                query = step.throw(error)
            else:
                query = step.send(rows)
    except StopIteration as stop:
        value: T = stop.value
        return value
