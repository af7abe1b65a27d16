"""All trails against all transactions, side by side, one transaction at a time.

Memory holds one trail, a few agreements and the first finds, however large the store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import attrs

from kessai.audit.sealing.check import Comparison, sealed_at, shown
from kessai.audit.sealing.file import Seal
from kessai.audit.verification.answers import check_answers, keys_in
from kessai.audit.verification.canonical import EventForm
from kessai.audit.verification.fast_path.record import Note
from kessai.audit.verification.fast_path.walk import TrailWalk, WalkedEvent, Walks
from kessai.audit.verification.replay import Library, ReplayBroken
from kessai.audit.verification.report import (
    AuditFault,
    FoundDiscrepancy,
    OpenOperation,
    Report,
    Tally,
)
from kessai.errors import TrailBroken
from kessai.machine import Event, Record, Transaction
from kessai.machine.events import KIND_OF
from kessai.machine.transaction import OpenDiscrepancy
from kessai.stores import Answered, Store
from kessai.stores.encoding import answered

READINGS = 10
"""How often a transaction that others are changing is read again."""

StoredState = Transaction | TrailBroken | None
"""A transaction as the store has it: there, there but unreadable, or missing."""


def verify(
    store: Store,
    visit: Callable[["Examined"], None] | None = None,
    seals: Sequence[Seal] = (),
    note: Note | None = None,
) -> Report:
    """Check every chain, replay every transaction, and decide every step again.

    May run while others write. Writes nothing. `visit` is given each transaction as it
    was examined, so that other audits need no replay of their own. With a `note`, it is
    given every event too, with what that finds in it; of thousands on the same path,
    `note` is asked once. With `seals`, every chain must continue what was sealed.

    Raises:
        StoreBusy, StoreFailed: the store cannot be read.
        InvalidInput: a seal's file was changed meanwhile.

    """
    tally = Tally()
    for examined in examinations(store, seals=seals, note=note):
        examined.add_to(tally)
        if visit is not None:
            visit(examined)
    return attrs.evolve(tally.report(), seals=shown(seals))


def examinations(
    store: Store, *, seals: Sequence[Seal] = (), note: Note | None = None
) -> Iterator["Examined"]:
    """Each transaction examined, sorted by id; with its events if there is a `note`.

    Raises:
        StoreBusy, StoreFailed, InvalidInput: see `verify`.

    """
    examiner, compared = _Examiner(store, note), Comparison(seals)
    for found in _side_by_side(store):
        if seals:
            yield from map(Examined.vanished, compared.gone(before=found.name))
        examined = examiner.examine(found)
        if examined.fault is not None and not isinstance(found.stored, TrailBroken):
            # All of it was read at several moments, and someone may have written in
            # between. (No writer leaves a row that contradicts itself.)
            examined = examiner.examine(_read_again(store, found))
        if seals:
            sealed = compared.of(found.name, examined.records)
            examined.fault = examined.fault or sealed
        yield examined
    yield from map(Examined.vanished, compared.gone())
    yield from map(Examined.vanished, examiner.files_gone(seals))


class _StoredTransaction(NamedTuple):
    """What a store holds of one transaction."""

    name: str
    records: Sequence[Record]
    stored: StoredState
    answers: Sequence[Answered]


@attrs.define
class Examined:
    """What was found of one transaction; `walked` are the events that hold.

    `discrepancies` are those that they leave open, by the numbers of their events.
    """

    name: str
    records: Sequence[Record]
    stored: StoredState
    walked: Sequence[WalkedEvent] = ()
    kinds: list[str] = attrs.field(factory=list[str])
    discrepancies: Mapping[int, OpenDiscrepancy] = attrs.field(
        factory=dict[int, OpenDiscrepancy]
    )
    fault: AuditFault | None = None
    lifecycle: str = ""
    """The hash of the lifecycle file that it ran under, if it holds."""

    @classmethod
    def vanished(cls, fault: AuditFault) -> "Examined":
        """What was found of one that the store does not know any more."""
        return cls(fault.transaction, (), None, fault=fault)

    def add_to(self, tally: Tally) -> None:
        """Count it."""
        if self.fault is not None and self.fault.is_of_file:
            tally.files += 1
        else:
            tally.trails += 1
        tally.events += len(self.records)
        counts = tally.kinds
        for kind in self.kinds:  # faster than Counter.update on so few
            counts[kind] += 1
        for number, one in self.discrepancies.items():
            found = FoundDiscrepancy(self.name, number, one.reason)
            tally.discrepancies.add(found)
        if isinstance(self.stored, Transaction):
            if self.stored.account:
                tally.accounts[self.stored.account] += 1
            for operation in self.stored.operations.values():
                tally.open_operations.add(OpenOperation(self.name, operation))
        if self.fault is not None:
            tally.faults.add(self.fault)


class _Examiner:
    """Goes through trails over compiled paths."""

    def __init__(self, store: Store, note: Note | None = None) -> None:
        self._library = Library(store)
        self._walks = Walks(self._library, note)

    def examine(self, found: _StoredTransaction) -> Examined:
        """Find out whether a transaction holds."""
        name = found.name
        examined = Examined(name, found.records, found.stored)
        try:
            replayed, events = self._walked(examined)
            _compare(found, replayed)
            check_answers(name, events, found.answers)
            examined.lifecycle = replayed.lifecycle_hash
        except ReplayBroken as broken:
            examined.fault = AuditFault(name, broken.number, broken.code, broken.detail)
        return examined

    def files_gone(self, seals: Sequence[Seal]) -> Iterator[AuditFault]:
        """The lifecycle files that were sealed, and are missing or changed now."""
        sealed = {h: seal for seal in seals for h in seal.summary.lifecycles}
        for lifecycle, seal in sorted(sealed.items(), key=lambda item: item[0]):
            if self._library.known(lifecycle) is None:
                yield AuditFault(
                    lifecycle, None, "sealed_lifecycle", sealed_at(seal.time)
                )

    def _walked(
        self, examined: Examined
    ) -> tuple[Transaction, Sequence[Event | EventForm]]:
        """The transaction that the trail leads to, every event of it allowed."""
        walk = TrailWalk(self._walks, examined.name)
        examined.walked = walk.walked
        step, kinds = walk.step, examined.kinds
        for record in examined.records:
            result = step(record)
            if isinstance(result, str):
                kinds.append(result)
            else:
                kinds.append(KIND_OF[type(result)])
                examined.discrepancies = walk.discrepancies
        self._walks.agreements.passed(examined.name, walk)
        stored = examined.stored
        if isinstance(stored, Transaction) and walk.leads_to(stored):
            return stored, walk.events
        return walk.transaction(), walk.events


def _compare(found: _StoredTransaction, replayed: Transaction) -> None:
    stored, events = found.stored, len(found.records)
    if events and (stored is replayed or stored == replayed):
        return
    if stored is None:
        if not events:
            raise ReplayBroken(1, "transaction_gone", found.answers[0].key)
        raise ReplayBroken(None, "transaction_missing")
    if isinstance(stored, TrailBroken):
        raise ReplayBroken(None, "state_unreadable", str(stored))
    if not events:
        raise ReplayBroken(None, "trail_missing")
    if stored.version != events:
        code = "tail_cut" if stored.version > events else "tail_surplus"
        detail = f"{events} events, but version {stored.version}"
        raise ReplayBroken(min(events, stored.version) + 1, code, detail)
    differing = ", ".join(_differing(stored, replayed))
    raise ReplayBroken(None, "state_differs", differing)


def _differing(stored: Transaction, replayed: Transaction) -> Iterator[str]:
    """Each field that differs, with both values where they are short."""
    for field in attrs.fields(Transaction):
        ours, right = getattr(stored, field.name), getattr(replayed, field.name)
        if ours == right:
            continue
        if field.name not in {"amounts", "states", "deadlines"}:
            yield field.name
            continue
        for name in sorted({*ours, *right}):
            if ours.get(name) != right.get(name):
                yield f"{field.name}.{name} {ours.get(name)}, not {right.get(name)}"


def _side_by_side(store: Store) -> Iterator[_StoredTransaction]:
    """Each id that anything is held of. All streams come sorted by id."""
    trails, states = iter(store.trails()), _stored_states(store)
    answers = groupby(store.answers(), key=attrgetter("transaction"))
    trail, stored = next(trails, None), next(states, None)
    answer = next(answers, None)
    while sides := [s[0] for s in (trail, stored, answer) if s is not None]:
        name = min(sides)
        records: Sequence[Record] = ()
        kept: StoredState = None
        given: Sequence[Answered] = ()
        if trail is not None and trail[0] == name:
            records, trail = trail[1], next(trails, None)
        if stored is not None and stored[0] == name:
            kept, stored = stored[1], next(states, None)
        if answer is not None and answer[0] == name:
            given = list(answer[1])
            answer = next(answers, None)
        yield _StoredTransaction(name, records, kept, given)


def _stored_states(store: Store) -> Iterator[tuple[str, Transaction | TrailBroken]]:
    transactions = iter(store.transactions())
    while True:
        try:
            transaction = next(transactions)
        except StopIteration:
            return
        except TrailBroken as error:
            yield error.transaction or "", error
        else:
            yield transaction.id, transaction


def _read_again(store: Store, found: _StoredTransaction) -> _StoredTransaction:
    """The same, read so that nothing came between trail, transaction and answers."""
    name = found.name
    records, stored = store.records(name), _stored_state(store, name)
    for _ in range(READINGS):
        before = stored
        answers = _answers(store, found, records)
        records, stored = store.records(name), _stored_state(store, name)
        if stored == before:
            return _StoredTransaction(name, records, stored, answers)
    return _StoredTransaction(name, records, stored, _answers(store, found, records))


def _answers(
    store: Store, found: _StoredTransaction, records: Sequence[Record]
) -> Sequence[Answered]:
    """The answers that are now under the keys in answers or records."""
    # No writer leaves an empty answer: it is as it was found.
    unreadable = {a.key: a for a in found.answers if not a.request}
    keys = {*(answered.key for answered in found.answers), *keys_in(records)}
    read = [_answer(store, found.name, key) for key in sorted(keys - {*unreadable})]
    return [*unreadable.values(), *(a for a in read if a is not None)]


def _answer(store: Store, name: str, key: str) -> Answered | None:
    try:
        recorded = store.load(key, name, None).recorded
    except TrailBroken:
        return Answered(name, key)
    if recorded is None or recorded.transaction != name:
        return None
    return answered(recorded) if recorded.key == key else Answered(name, key)


def _stored_state(store: Store, name: str) -> StoredState:
    try:
        return store.load(None, name, None).transaction
    except TrailBroken as error:
        return error
