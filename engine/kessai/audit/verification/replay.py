"""A trail read back, event by event, under the lifecycle file that it is bound to.

This module owns what makes a chain whole: hash, link, number, transaction, file. What
the lifecycle allows is decided in `kessai.audit.verification.allowed`.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any

import attrs

from kessai.audit.verification.pages import Pages, StoredPages
from kessai.errors import InvalidLifecycle, TrailBroken
from kessai.machine import (
    Begun,
    Event,
    External,
    Lapsed,
    Learned,
    Machine,
    Record,
    Reported,
    Transaction,
    compile_lifecycle,
    evolve,
    read_record,
)
from kessai.machine.chain import AppliedEvent, RecordedEvent, left_of
from kessai.machine.record import canonical
from kessai.spec import rebuild
from kessai.stores import Store

AGREEMENTS = 64
"""How many agreements are remembered with their histories."""

HISTORY = 1_000
"""After how many of their first events."""


class ReplayBroken(Exception):
    """The replay cannot go on: event `number` is not what it must be."""

    def __init__(self, number: int | None, code: str, detail: str = "") -> None:
        super().__init__(number, code, detail)
        self.number = number
        self.code = code
        self.detail = detail


@lru_cache(maxsize=32)  # the same bytes make the same machine, in every store
def _machine(document: bytes) -> Machine:
    return compile_lifecycle(rebuild(document))


class Library:
    """What a replay reads from the store: lifecycle files, and agreements."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._machines: dict[str, Machine | str] = {}
        self._histories: OrderedDict[str, _History] = OrderedDict()

    def machine(self, lifecycle_hash: str, number: int) -> Machine:
        """The machine of the file with that hash, as the store holds it.

        Raises:
            Broken: it is not there, or is not what it was.

        """
        known = self._machines.get(lifecycle_hash)
        if known is None:
            known = self._machines[lifecycle_hash] = self._compiled(lifecycle_hash)
        if isinstance(known, str):
            raise ReplayBroken(number, "lifecycle_unknown", known)
        return known

    def known(self, lifecycle_hash: str) -> Machine | None:
        """The machine of the file with that hash; None if it is missing or damaged."""
        try:
            return self.machine(lifecycle_hash, 0)
        except ReplayBroken:
            return None

    def pages(self, transaction: str) -> StoredPages:
        """The trail of a transaction, as the store holds it."""
        return StoredPages(self._store, transaction)

    def _compiled(self, lifecycle_hash: str) -> Machine | str:
        document = self._store.declaration(lifecycle_hash)
        if document is None:
            return "none has its hash"
        try:
            machine = _machine(document)
        except InvalidLifecycle as error:
            return f"it has mistakes, first {error.mistakes[0]}"
        if machine.lifecycle.hash != lifecycle_hash:
            return "its content does not have its hash"
        return machine

    def agreement(self, transaction: str, version: int) -> Transaction | str:
        """An agreement as it stood at `version`, or why it is not known."""
        history = self._histories.get(transaction)
        if history is None:
            history = self._histories[transaction] = _History(self, transaction)
            if len(self._histories) > AGREEMENTS:
                self._histories.popitem(last=False)
        self._histories.move_to_end(transaction)
        found = history.at(version)
        return found or f"{transaction} has no event {version} that holds"


class _History:
    """An agreement after each of its first events, and after the last one asked for.

    To go back among the later ones, it is replayed again from its beginning.
    """

    def __init__(self, library: Library, transaction: str) -> None:
        self._library = library
        self._first = [Transaction(transaction)]
        self._begin()

    def _begin(self) -> None:
        self._last = self._first[0]
        pages = self._library.pages(self._last.id)
        self._steps = _whole(replay(self._library, self._last.id, pages))

    def at(self, version: int) -> Transaction | None:
        """The agreement at `version`, if all events up to there hold."""
        if 0 <= version < len(self._first):
            return self._first[version]
        if version < self._last.version:
            self._begin()
        while self._last.version != version:
            step = next(self._steps, None)
            if step is None:
                return None
            self._last = step.after
            if self._last.version == len(self._first) <= HISTORY:
                self._first.append(self._last)
        return self._last


def replay(
    library: Library, transaction_id: str, pages: Pages
) -> Iterator[AppliedEvent]:
    """Every event of a trail in turn; it is gone through twice.

    Raises:
        Broken: the next event is not what its place in the chain demands.

    """
    transaction = Transaction(transaction_id)
    left = left_of(chain.from_iterable(pages))
    for record in chain.from_iterable(pages):
        step = follow(library, transaction, record, left.get(record.number))
        yield step
        transaction = step.after


def follow(
    library: Library, before: Transaction, record: Record, left: str | None = None
) -> AppliedEvent:
    """The step that `record` is on from `before`; `left` as for `read_record`.

    Raises:
        Broken: it is not what its place in the chain demands.

    """
    number = before.version + 1
    if record.number != number:
        raise ReplayBroken(number, "event_missing", f"event {record.number}")
    try:
        read = read_record(record, before.head, left)
    except TrailBroken as error:
        detail = str(error).removeprefix(f"event {number} of {before.id}: ")
        raise ReplayBroken(number, "record_broken", detail) from error
    if canonical(read.members) != record.body:
        raise ReplayBroken(number, "record_broken", "it is not in canonical form")
    if not all(moment.tzinfo for moment in _moments(read.event)):
        raise ReplayBroken(number, "record_broken", "a time in it has no zone")
    if not _MEMBERS.issuperset(read.members) or not (
        _has_fields(read.event, read.members["data"])
    ):
        raise ReplayBroken(number, "record_broken", "a member that no event has")
    machine = _bound(library, before, read, number)
    after = evolve(machine, before, read.event).with_head(record.hash)
    return AppliedEvent(read.event, machine, before, after)


_MEMBERS = {"data", "kind", "lifecycle", "number", "previous", "transaction"}


def _has_fields(part: Any, data: Any) -> bool:
    """Whether all members of `data`, from which `part` was read, are fields of it.

    What nothing reads would not be missed by the rules.
    """
    if isinstance(data, list):
        return all(map(_has_fields, part, data))
    names = _fields_of(part.__class__)
    if names is None:
        return True
    return names.issuperset(data) and all(
        _has_fields(getattr(part, name), value) for name, value in data.items()
    )


@cache
def _fields_of(kind: type) -> frozenset[str] | None:
    if not attrs.has(kind):
        return None
    return frozenset(field.name for field in attrs.fields(kind))


def _moments(event: Event) -> Iterator[datetime]:
    """The times in an event that the rules look at."""
    yield event.at
    if isinstance(event, Begun):
        yield event.operation.begun_at
    elif isinstance(event, Reported | External | Lapsed | Learned) and event.evidence:
        evidence = event.evidence
        yield from evidence.deadlines.values()
        yield from filter(None, (evidence.reported_at, evidence.not_before))


def _whole(steps: Iterator[AppliedEvent]) -> Iterator[AppliedEvent]:
    """The steps before the chain breaks, if it does; the break itself is not raised."""
    try:
        yield from steps
    except ReplayBroken:
        return


def _bound(
    library: Library, before: Transaction, read: RecordedEvent, number: int
) -> Machine | None:
    """The machine that an event runs under: its transaction's, from begin to end."""
    if before.exists or not isinstance(read.event, Begun):
        if read.lifecycle != before.lifecycle_hash:
            raise ReplayBroken(number, "lifecycle_differs")
        if not before.exists:
            return None
    return library.machine(read.lifecycle, number)
