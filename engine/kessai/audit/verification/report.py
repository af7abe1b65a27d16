"""What an audit found: counts of all there is, and the first of each kind of find."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from kessai.evidence.reasons import discrepancy_sentence
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

    @property
    def subject(self) -> str:
        """What `transaction` names, if not a transaction, and its word in JSON.

        A `lifecycle` file by its hash, or a foreign `object` in the database.
        """
        if self.code.startswith("foreign_"):
            return "object"
        return "lifecycle" if self.code == "sealed_lifecycle" else "transaction"

    def data(self, language: str) -> dict[str, Any]:
        """The fault as JSON shows it, with its sentence in `language`."""
        return {
            self.subject: self.transaction,
            "event": self.number,
            "code": self.code,
            "detail": self.detail,
            "sentence": self.sentence(language),
        }

    def __str__(self) -> str:
        where = "" if self.number is None else f" event {self.number}"
        return f"{self.transaction}{where}: {self.sentence()}"


@attrs.frozen
class FoundDiscrepancy:
    """A discrepancy: evidence that the lifecycle did not allow, kept in the trail."""

    transaction: str
    number: int
    reason: str

    def data(self, language: str) -> dict[str, Any]:
        """The discrepancy as JSON shows it, with its sentence in `language`."""
        return {
            "transaction": self.transaction,
            "event": self.number,
            "reason": self.reason,
            "sentence": discrepancy_sentence(self.reason, language),
        }


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


@attrs.define
class FaultTally(Generic[T]):
    """How many finds of one kind there are, and the first `MOST` of them."""

    count: int = 0
    first: tuple[T, ...] = ()

    def add(self, find: T) -> None:
        """Count `find`, and keep it while there is room."""
        self.count += 1
        if self.count <= MOST:
            self.first += (find,)

    def data(self, show: Callable[[T], Any]) -> dict[str, Any]:
        """The finds as JSON shows them, each by `show`."""
        return {"count": self.count, "first": [show(one) for one in self.first]}


@attrs.frozen(kw_only=True)
class Report:
    """What an audit found. Discrepancies and open operations are no faults.

    `trails` counts those of what was never opened, too, and what is left of those that
    are `archived`. `unsealed` are the events whose texts were forgotten since they were
    sealed: what is left of them no seal shows. `accounts` are how many
    transactions belong to each. `files` and `objects` count the faults that are lifecycle
    files' and foreign objects'.
    """

    trails: int
    archived: int
    unsealed: int
    events: int
    accounts: Mapping[str, int]
    kinds: Mapping[str, int]
    faults: FaultTally[AuditFault]
    discrepancies: FaultTally[FoundDiscrepancy]
    open_operations: FaultTally[OpenOperation]
    seals: tuple[Sealed, ...] = ()
    files: int = 0
    objects: int = 0

    @property
    def transactions(self) -> int:
        """How many were opened: each belongs to an account."""
        return sum(self.accounts.values())

    @property
    def holds(self) -> bool:
        """Whether every trail holds."""
        return not self.faults.count


class Tally:
    """A report in the making."""

    def __init__(self) -> None:
        self.subjects: Counter[str] = Counter()
        self.events = self.archived = self.unsealed = 0
        self.accounts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.faults: FaultTally[AuditFault] = FaultTally()
        self.discrepancies: FaultTally[FoundDiscrepancy] = FaultTally()
        self.open_operations: FaultTally[OpenOperation] = FaultTally()

    def report(self) -> Report:
        """The report so far."""
        return Report(
            trails=self.subjects["transaction"],
            archived=self.archived,
            unsealed=self.unsealed,
            files=self.subjects["lifecycle"],
            objects=self.subjects["object"],
            events=self.events,
            accounts=dict(sorted(self.accounts.items())),
            kinds=dict(sorted(self.kinds.items())),
            faults=self.faults,
            discrepancies=self.discrepancies,
            open_operations=self.open_operations,
        )
