"""What an audit found: counts of all there is, and the first of each kind of find."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from kessai.machine import Operation
from kessai.words import Words

T = TypeVar("T")

MOST = 1_000
"""How many finds of a kind are kept; all are counted. A ruined store must not fill
the memory."""

TEXTS = Words("trail_faults")


@attrs.frozen
class AuditFault:
    """The first thing wrong with one transaction, at event `number` if at any."""

    transaction: str
    number: int | None
    code: str
    detail: str = ""

    def sentence(self, language: str = "en") -> str:
        """What is wrong, in `language`, `en` or `ja`."""
        return TEXTS(self.code, language, detail=self.detail)

    def __str__(self) -> str:
        where = "" if self.number is None else f" event {self.number}"
        return f"{self.transaction}{where}: {self.sentence()}"


@attrs.frozen
class FoundDiscrepancy:
    """A discrepancy: evidence that the lifecycle did not allow, kept in the trail."""

    transaction: str
    number: int
    reason: str


@attrs.frozen
class OpenOperation:
    """An operation whose outcome is not known yet."""

    transaction: str
    operation: Operation


@attrs.frozen
class Sealed:
    """A seal that a store was compared with."""

    path: str
    time: datetime
    chains: int
    events: int
    follows_unknown: bool
    """It names a seal before it that was not given, and so was not checked."""


@attrs.frozen
class FaultTally(Generic[T]):
    """How many there are, and the first `MOST` of them."""

    count: int
    first: tuple[T, ...]


@attrs.frozen(kw_only=True)
class Report:
    """What an audit found. Discrepancies and open operations are no faults."""

    transactions: int
    events: int
    kinds: Mapping[str, int]
    faults: FaultTally[AuditFault]
    discrepancies: FaultTally[FoundDiscrepancy]
    open_operations: FaultTally[OpenOperation]
    seals: tuple[Sealed, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every trail holds."""
        return not self.faults.count


class Finds(Generic[T]):
    """Finds of one kind as they come in."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[T] = []

    def add(self, find: T) -> None:
        """Count `find`, and keep it while there is room."""
        self._count += 1
        if self._count <= MOST:
            self._first.append(find)

    def found(self) -> FaultTally[T]:
        """All that came in."""
        return FaultTally(self._count, tuple(self._first))


class Tally:
    """A report in the making."""

    def __init__(self) -> None:
        self.transactions = 0
        self.events = 0
        self.kinds: Counter[str] = Counter()
        self.faults: Finds[AuditFault] = Finds()
        self.discrepancies: Finds[FoundDiscrepancy] = Finds()
        self.open_operations: Finds[OpenOperation] = Finds()

    def report(self) -> Report:
        """The report so far."""
        return Report(
            transactions=self.transactions,
            events=self.events,
            kinds=dict(sorted(self.kinds.items())),
            faults=self.faults.found(),
            discrepancies=self.discrepancies.found(),
            open_operations=self.open_operations.found(),
        )
