"""All trails against all transactions, side by side, one transaction at a time.

Memory holds one trail, a few agreements and the first finds, however large the store.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

import attrs

from kessai.audit.sealing.check import Comparison, sealed_at, shown
from kessai.audit.sealing.file import Seal
from kessai.audit.verification.answers import check_answers, keys_in
from kessai.audit.verification.archived import check_hashes, check_removed, hashes_of
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
from kessai.driver import Clock, utc_now
from kessai.errors import TrailBroken
from kessai.flow import Reference
from kessai.flow.effects import ARCHIVED, learned_references
from kessai.machine import Event, Record, Transaction
from kessai.machine.chain import left_of
from kessai.machine.events import KIND_OF
from kessai.machine.transaction import OpenDiscrepancy
from kessai.stores import Answered, Store

T = TypeVar("T")

READINGS = 10
"""How often a transaction that others are changing is read again."""

StoredState = Transaction | TrailBroken | None
"""A transaction as the store has it: there, there but unreadable, or missing."""


def verify(
    store: Store,
    visit: Callable[["Examined"], None] | None = None,
    seals: Sequence[Seal] = (),
    note: Note | None = None,
    clock: Clock = utc_now,
) -> Report:
    """Check every chain, replay every transaction, and decide every step again.

    May run while others write. Writes nothing. `visit` is given each transaction as it
    was examined, so that other audits need no replay of their own. With a `note`, it is
    given every event too, with what that finds in it; of thousands on the same path,
    `note` is asked once. With `seals`, every chain must continue what was sealed.
    `clock` is for what may be due, or leased, later than now, but not much later.

    Raises:
        StoreBusy, StoreFailed: the store cannot be read.
        InvalidInput: a seal's file was changed meanwhile.

    """
    tally = Tally()
    for examined in examinations(store, seals=seals, note=note, clock=clock):
        examined.add_to(tally)
        if visit is not None:
            visit(examined)
    return attrs.evolve(tally.report(), seals=shown(seals))


def examinations(
    store: Store,
    *,
    seals: Sequence[Seal] = (),
    note: Note | None = None,
    clock: Clock = utc_now,
) -> Iterator["Examined"]:
    """Each transaction examined, sorted by id; with its events if there is a `note`.

    What is wrong with the whole store comes last.

    Raises:
        StoreBusy, StoreFailed, InvalidInput: see `verify`.

    """
    examiner, compared = _Examiner(store, note), Comparison(seals)
    for found in _side_by_side(store, clock()):
        if seals:
            yield from map(Examined.of_fault, compared.gone(before=found.name))
        examined = examiner.examine(found)
        if examined.fault is not None and not isinstance(found.stored, TrailBroken):
            # All of it was read at several moments, and someone may have written in
            # between. (No writer leaves a row that contradicts itself.)
            examined = examiner.examine(_read_again(store, found))
        if seals:
            sealed = compared.of(found.name, hashes_of(examined.records))
            examined.fault = examined.fault or sealed
            examined.unsealed = _unsealed(examined.records, compared.sealed)
        yield examined
    yield from map(Examined.of_fault, compared.gone())
    yield from map(Examined.of_fault, examiner.files_gone(seals))
    yield from map(Examined.of_fault, _misplaced(store))
    yield from map(Examined.of_fault, _foreign_objects(store))


class _StoredTransaction(NamedTuple):
    """What a store holds of one transaction."""

    name: str
    records: Sequence[Record]
    stored: StoredState
    answers: Sequence[Answered]
    references: Sequence[Reference]


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
    unsealed: int = 0
    """How many of its events were sealed, and had texts forgotten since."""
    lifecycle: str = ""
    """The hash of the lifecycle file that it ran under, if it holds."""

    @classmethod
    def of_fault(cls, fault: AuditFault) -> "Examined":
        """What was found of what is no transaction, or none any more."""
        return cls(fault.transaction, (), None, fault=fault)

    def add_to(self, tally: Tally) -> None:
        """Count it."""
        subject = "transaction" if self.fault is None else self.fault.subject
        tally.subjects[subject] += 1
        tally.events += len(self.records)
        tally.unsealed += self.unsealed
        counts = tally.kinds
        for kind in self.kinds:  # faster than Counter.update on so few
            counts[kind] += 1
        for number, one in self.discrepancies.items():
            found = FoundDiscrepancy(self.name, number, one.reason)
            tally.discrepancies.add(found)
        if isinstance(self.stored, Transaction):
            tally.archived += self.stored.is_removed
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
        stored = found.stored
        examined = Examined(name, found.records, stored)
        try:
            if isinstance(stored, Transaction) and stored.is_removed:
                examined.kinds.append(ARCHIVED)
                check_removed(stored, found.records, found.answers)
                return examined
            replayed, events = self._walked(examined)
            _compare(found, replayed)
            if replayed.archived:
                check_hashes(found.records, events)
            check_answers(name, events, found.answers)
            _check_references(found, replayed)
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
        walk = TrailWalk(self._walks, examined.name, left_of(examined.records))
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


def _unsealed(records: Sequence[Record], sealed: int) -> int:
    """How many of the `sealed` events are bound to the seal by their hashes no more.

    What is left of them is bound to the event alone that declares it, as that came after
    the seal.
    """
    left = left_of(records)
    if not left:
        return 0
    known = left_of(records[:sealed])
    return sum(n <= sealed and known.get(n) != left[n] for n in left)


def _compare(found: _StoredTransaction, replayed: Transaction) -> None:
    stored, events = found.stored, len(found.records)
    if events and (stored is replayed or stored == replayed):
        return
    if stored is None:
        if not events and found.answers:
            raise ReplayBroken(1, "transaction_gone", found.answers[0].key)
        if not events:
            _check_references(found, replayed)
        raise ReplayBroken(None, "transaction_missing")
    if isinstance(stored, TrailBroken):
        raise ReplayBroken(None, stored.code, str(stored))
    if not events:
        raise ReplayBroken(None, "trail_missing")
    if stored.version != events:
        code = "tail_cut" if stored.version > events else "tail_surplus"
        detail = f"{events} events, but version {stored.version}"
        raise ReplayBroken(min(events, stored.version) + 1, code, detail)
    differing = ", ".join(_differing(stored, replayed))
    raise ReplayBroken(None, "state_differs", differing)


def _check_references(found: _StoredTransaction, transaction: Transaction) -> None:
    """Make sure that it is found by the gateway's ids that it has, and by no others."""
    if wrong := {*found.references} ^ {*learned_references({}, transaction)}:
        detail = ", ".join(sorted(f"{each.kind} {each.id}" for each in wrong))
        raise ReplayBroken(None, "references_differ", detail)


def _misplaced(store: Store) -> Iterator[AuditFault]:
    """Events that a subscriber of the feed might never be given, or not in their order."""
    for transaction, number in store.misplaced():
        yield AuditFault(transaction, number, "position_wrong")


def _foreign_objects(store: Store) -> Iterator[AuditFault]:
    for kind, name, table in store.foreign_objects():
        yield AuditFault(name, None, f"foreign_{kind}", table)


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


class _Side(Generic[T]):
    """What a store holds in one place: of each id something, sorted by id."""

    def __init__(self, found: Iterator[tuple[str, T]]) -> None:
        self._found = found
        self.next = next(found, None)

    def take(self, name: str) -> T | None:
        """What there is of `name`, if that comes next."""
        taken = self.next
        if taken is None or taken[0] != name:
            return None
        self.next = next(self._found, None)
        return taken[1]


def _side_by_side(store: Store, now: datetime) -> Iterator[_StoredTransaction]:
    """Each id that anything is held of."""
    trails = _Side(iter(store.trails()))
    states = _Side(_stored_states(store, now))
    answers = _Side(_grouped((each.transaction, each) for each in store.answers()))
    references = _Side(_grouped(store.references()))
    sides = trails, states, answers, references
    while names := [side.next[0] for side in sides if side.next is not None]:
        name = min(names)
        yield _StoredTransaction(
            name,
            trails.take(name) or (),
            states.take(name),
            answers.take(name) or (),
            references.take(name) or (),
        )


def _grouped(found: Iterable[tuple[str, T]]) -> Iterator[tuple[str, list[T]]]:
    for name, each in groupby(found, key=itemgetter(0)):
        yield name, [one for _, one in each]


def _stored_states(
    store: Store, now: datetime
) -> Iterator[tuple[str, Transaction | TrailBroken]]:
    transactions = iter(store.transactions(now))
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
    """The same, read so that nothing came between what is held of it."""
    name, again = found.name, found
    stored = _stored_state(store, name)
    for _ in range(READINGS):
        before, records = stored, store.records(name)
        again = _StoredTransaction(
            name,
            records,
            before,
            _answers(store, found, records),
            _references(store, found, before),
        )
        stored = _stored_state(store, name)
        if stored == before:
            break
    return again


def _answers(
    store: Store, found: _StoredTransaction, records: Sequence[Record]
) -> Sequence[Answered]:
    """The answers that are now under the keys in answers or records."""
    # No writer leaves an answer that contradicts itself: it is as it was found.
    unreadable = {a.key: a for a in found.answers if a.read() is None}
    keys = {*(answered.key for answered in found.answers), *keys_in(records)}
    read = [_answer(store, found.name, key) for key in sorted(keys - {*unreadable})]
    return [*unreadable.values(), *(a for a in read if a is not None)]


def _answer(store: Store, name: str, key: str) -> Answered | None:
    try:
        recorded = store.load(key, name, None).recorded
    except TrailBroken:
        return Answered(name, key, "", b"")
    if recorded is None or recorded.transaction != name:
        return None
    return (
        Answered.of(recorded) if recorded.key == key else Answered(name, key, "", b"")
    )


def _references(
    store: Store, found: _StoredTransaction, stored: StoredState
) -> Sequence[Reference]:
    """The ids by which it is found now, among those that it was found by or has."""
    known = {*found.references}
    if isinstance(stored, Transaction):
        known |= {*learned_references({}, stored)}
    return [r for r in known if found.name in store.find(r.account, r.kind, r.id)]


def _stored_state(store: Store, name: str) -> StoredState:
    try:
        return store.load(None, name, None).transaction
    except TrailBroken as error:
        return error
