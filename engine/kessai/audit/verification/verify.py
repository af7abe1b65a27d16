"""All trails against all transactions, side by side, one transaction at a time.

Memory holds a page of one trail, a few agreements and the first finds, however large the
store and however long the trail.
"""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from itertools import chain, islice
from typing import NoReturn

import attrs

from kessai.audit.sealing.check import Comparison, sealed_at, shown
from kessai.audit.sealing.file import Seal
from kessai.audit.verification.answers import AnswerSums, check_answers
from kessai.audit.verification.archived import check_hashes, check_removed, hashes_of
from kessai.audit.verification.fast_path.record import Note
from kessai.audit.verification.fast_path.walk import TrailWalk, WalkedEvent, Walks
from kessai.audit.verification.pages import Pages, StoredPages
from kessai.audit.verification.replay import Library, ReplayBroken
from kessai.audit.verification.report import (
    AuditFault,
    FoundDiscrepancy,
    OpenOperation,
    Report,
    Tally,
)
from kessai.audit.verification.stored import (
    StoredState,
    StoredTransaction,
    read_again,
    read_whole,
    side_by_side,
    stored_state,
)
from kessai.driver import Clock, utc_now
from kessai.errors import TrailBroken
from kessai.flow.effects import ARCHIVED, learned_references
from kessai.machine import Archived, Record, Transaction
from kessai.machine.chain import left_of
from kessai.machine.events import KIND_OF
from kessai.machine.transaction import OpenDiscrepancy
from kessai.stores import Store

READINGS = 10
"""How often a transaction that others are changing is read again."""

_READ_ANEW = "read_anew"
"""The fault of a long trail that cannot be examined while it goes by."""
_ANSWERS_DIFFER = "answers_differ"
"""The fault of a long trail with others than the answers due: which, is not known yet."""


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
    for found in side_by_side(store, clock()):
        if seals:
            yield from map(Examined.of_fault, compared.gone(before=found.name))
        sealed = compared.take(found.name)
        examined = examiner.examine(found, sealed)
        if examined.fault is not None and (
            found.is_passing or not isinstance(found.stored, TrailBroken)
        ):
            # All of it was read at several moments, and someone may have written in
            # between. (No writer leaves a row that contradicts itself.)
            examined = examiner.examine_again(found, sealed)
        if examined.fault is None and examined.last is not None:
            examined.fault = compared.fault(
                found.name, examined.last.number, examined.sealed
            )
        yield examined
    yield from map(Examined.of_fault, compared.gone())
    yield from map(Examined.of_fault, examiner.files_gone(seals))
    yield from map(Examined.of_fault, _misplaced(store))
    yield from map(Examined.of_fault, _foreign_objects(store))


@attrs.define
class Examined:
    """What was found of one transaction; `walked` are the events that hold.

    `events` are how many there are, and `last` is the last record. `discrepancies` are
    those that they leave open, by the numbers of their events. `sealed` are the hashes of
    those events that end sealed chains.
    """

    name: str
    stored: StoredState
    events: int = 0
    last: Record | None = None
    sealed: dict[int, str] = attrs.field(factory=dict[int, str])
    walked: Iterable[WalkedEvent] = ()
    kinds: dict[str, int] = attrs.field(factory=dict[str, int])
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
        return cls(fault.transaction, None, fault=fault)

    def passing(
        self, pages: Pages, sealed: Collection[int]
    ) -> Iterator[Sequence[Record]]:
        """The `pages` of its trail, while what is remembered of them is."""
        for page in pages:
            for number in sealed:
                if self.events < number <= self.events + len(page):
                    self.sealed[number] = page[number - self.events - 1].hash
            self.events += len(page)
            self.last = page[-1]
            yield page

    def add_to(self, tally: Tally) -> None:
        """Count it."""
        subject = "transaction" if self.fault is None else self.fault.subject
        tally.subjects[subject] += 1
        tally.events += self.events
        tally.unsealed += self.unsealed
        counts = tally.kinds
        for kind, count in self.kinds.items():  # faster than Counter.update on so few
            counts[kind] += count
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
        self._store = store
        self._library = Library(store)
        self._walks = Walks(self._library, note)

    def examine(self, found: StoredTransaction, sealed: Collection[int]) -> Examined:
        """Find out whether a transaction holds, of which `sealed` events end chains."""
        examined = Examined(found.name, found.stored)
        pages = examined.passing(found.pages, sealed)
        try:
            if isinstance(found.stored, Transaction) and found.stored.is_removed:
                self._removed(found, found.stored, examined, pages)
            else:
                self._replayed(found, examined, pages, sealed)
        except ReplayBroken as broken:
            examined.fault = AuditFault(
                found.name, broken.number, broken.code, broken.detail
            )
        for _ in pages:
            pass  # what comes after a fault is counted
        return examined

    def examine_again(
        self, found: StoredTransaction, sealed: Collection[int]
    ) -> Examined:
        """The same, read so that nothing came between what is held of it."""
        examined = Examined(found.name, found.stored)
        for _ in range(READINGS):
            found = read_again(self._store, found)
            examined = self.examine(found, sealed)
            fault = examined.fault
            if fault is not None and fault.code == _ANSWERS_DIFFER:
                found = read_whole(self._store, found)
                examined = self.examine(found, sealed)
                fault = examined.fault
            if fault is None or isinstance(found.stored, TrailBroken):
                break
            if stored_state(self._store, found.name) == found.stored:
                break
        return examined

    def _removed(
        self,
        found: StoredTransaction,
        stored: Transaction,
        examined: Examined,
        pages: Iterator[Sequence[Record]],
    ) -> None:
        examined.kinds[ARCHIVED] = 1
        records = [*islice(chain.from_iterable(pages), 2)]
        check_removed(stored, records, found.answers)
        examined.sealed = dict(enumerate(hashes_of(records), 1))

    def files_gone(self, seals: Sequence[Seal]) -> Iterator[AuditFault]:
        """The lifecycle files that were sealed, and are missing or changed now."""
        sealed = {h: seal for seal in seals for h in seal.summary.lifecycles}
        for lifecycle, seal in sorted(sealed.items(), key=lambda item: item[0]):
            if self._library.known(lifecycle) is None:
                yield AuditFault(
                    lifecycle, None, "sealed_lifecycle", sealed_at(seal.time)
                )

    def _replayed(
        self,
        found: StoredTransaction,
        examined: Examined,
        pages: Iterator[Sequence[Record]],
        sealed: Collection[int],
    ) -> None:
        """Replay the trail, every event of it allowed, and compare all else with it."""
        left = {} if found.is_passing else left_of(found.records)
        if left and sealed:
            examined.unsealed = _unsealed(found, left, max(sealed))
        walk = TrailWalk(self._walks, found.name, left)
        examined.walked = (
            _WalkedAgain(self._store, walk) if found.is_long else walk.walked
        )
        sums = AnswerSums(found.name) if found.is_long else None
        archived: dict[int, Archived] = {}
        for page in pages:
            if found.is_passing and left_of(page):
                raise ReplayBroken(None, _READ_ANEW)
            self._page(walk, page, examined, archived)
            if sums is not None:
                sums.take(walk.events)
                walk.forget()
        self._walks.agreements.passed(found.name, walk)
        replayed = _compared(found, examined.events, walk)
        if archived and found.is_passing:
            raise ReplayBroken(None, _READ_ANEW)
        check_hashes(found.records, archived)
        if sums is None:
            check_answers(found.name, walk.events, [*found.answers])
        elif not sums.match(found.answers):
            raise ReplayBroken(None, _ANSWERS_DIFFER)
        _check_references(found, replayed)
        examined.lifecycle = replayed.lifecycle_hash

    def _page(
        self,
        walk: TrailWalk,
        page: Sequence[Record],
        examined: Examined,
        archived: dict[int, Archived],
    ) -> None:
        step, kinds = walk.step, examined.kinds
        for record in page:
            kind = step(record)
            if not isinstance(kind, str):
                examined.discrepancies = walk.discrepancies
                if isinstance(kind, Archived):
                    archived[record.number] = kind
                kind = KIND_OF[type(kind)]
            kinds[kind] = kinds.get(kind, 0) + 1


class _WalkedAgain:
    """The events of a long trail that hold, gone by anew each time they are asked for."""

    def __init__(self, store: Store, walk: TrailWalk) -> None:
        self._store = store
        self._walk = walk

    def __iter__(self) -> Iterator[WalkedEvent]:
        walk = self._walk.anew()
        records = chain.from_iterable(StoredPages(self._store, walk.id))
        for record in islice(records, self._walk.version):
            with suppress(ReplayBroken):  # the last one may have moved something else
                walk.step(record)
            yield from walk.walked
            walk.forget()


def _unsealed(found: StoredTransaction, left: Mapping[int, str], sealed: int) -> int:
    """How many of the `sealed` events are bound to the seal by their hashes no more.

    What is left of them is bound to the event alone that declares it, as that came after
    the seal.
    """
    known = left_of(islice(found.records, sealed))
    return sum(n <= sealed and known.get(n) != left[n] for n in left)


def _compared(found: StoredTransaction, events: int, walk: TrailWalk) -> Transaction:
    """The transaction that the `walk` through all `events` leads to, if it is stored so."""
    stored = found.stored
    if events and isinstance(stored, Transaction) and walk.leads_to(stored):
        return stored
    replayed = walk.transaction()
    if not events or stored != replayed:
        _refuse(found, events, replayed)
    return replayed


def _refuse(found: StoredTransaction, events: int, replayed: Transaction) -> NoReturn:
    """Say what is wrong with what is stored, as it is not what was `replayed`."""
    stored = found.stored
    if stored is None:
        if not events and (answer := next(iter(found.answers), None)):
            raise ReplayBroken(1, "transaction_gone", answer.key)
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


def _check_references(found: StoredTransaction, transaction: Transaction) -> None:
    """Make sure that it is found by the gateway's ids that it has, and by no others."""
    if not found.references and not transaction.references:
        return
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
