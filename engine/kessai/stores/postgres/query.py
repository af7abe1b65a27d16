"""What a step asks of the database, as a value, so that each is written once.

A step is a generator: it yields queries and is sent their rows. `PostgresStore` and
`AsyncPostgresStore` differ only in how they wait.
"""

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import attrs

from kessai.errors import KessaiError, StoreBusy

T = TypeVar("T")
Row = tuple[Any, ...]


@attrs.frozen
class Query:
    """One statement. `writes` means that it commits, so that a lost reply is unknown.

    `conflict` is the error when it loses against another session.
    """

    text: bytes
    values: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    writes: bool = False
    conflict: type[KessaiError] = StoreBusy


Steps = Generator[Query, list[Row], T]
