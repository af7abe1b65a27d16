"""All trails against all transactions, side by side, one transaction at a time.

Memory holds one trail, a few agreements and the first finds, however large the store.
"""

from collections.abc import Iterator, Sequence

import attrs

from kessai.audit.allowed import check
from kessai.audit.replay import Broken, Library, replay
from kessai.audit.report import Fault, OpenOperation, PutAside, Report, Tally
from kessai.errors import TrailBroken
from kessai.machine import Discrepancy, Record, Resolved, Transaction
from kessai.machine.events import KIND_OF
from kessai.stores import Store

READINGS = 10
"""How often a transaction that others are changing is read again."""

Standing = Transaction | TrailBroken | None
"""A transaction as the store has it: there, there but not to be believed, or not."""


def verify(store: Store) -> Report:
    """Check every chain, replay every transaction, and decide every step again.

    May run while others write. Writes nothing.

    Raises:
        StoreBusy, StoreFailed: the store cannot be read.

    """
    tally, library = Tally(), Library(store)
    for name, records, standing in _side_by_side(store):
        examined = _examine(library, name, records, standing)
        if examined.fault is not None and not isinstance(standing, TrailBroken):
            # Trails and transactions are read at two moments, and someone may have
            # written in between. (No writer leaves a row that contradicts itself.)
            examined = _examine(library, name, *_read_again(store, name))
        examined.add_to(tally)
    return tally.report()


@attrs.define
class _Examined:
    """What is to be told of one transaction."""

    name: str
    records: Sequence[Record]
    standing: Standing
    kinds: list[str] = attrs.field(factory=list[str])
    discrepancies: list[PutAside] = attrs.field(factory=list[PutAside])
    fault: Fault | None = None

    def settle(self, number: int) -> None:
        """An operator has dealt with that discrepancy: it is shown no more."""
        left = [aside for aside in self.discrepancies if aside.number != number]
        self.discrepancies = left

    def add_to(self, tally: Tally) -> None:
        tally.transactions += 1
        tally.events += len(self.records)
        tally.kinds.update(self.kinds)
        for aside in self.discrepancies:
            tally.discrepancies.add(aside)
        if isinstance(self.standing, Transaction):
            for operation in self.standing.operations.values():
                tally.open_operations.add(OpenOperation(self.name, operation))
        if self.fault is not None:
            tally.faults.add(self.fault)


def _examine(
    library: Library, name: str, records: Sequence[Record], standing: Standing
) -> _Examined:
    examined = _Examined(name, records, standing)
    try:
        replayed = _replayed(library, examined)
        _compare(standing, replayed, len(records))
    except Broken as broken:
        examined.fault = Fault(name, broken.number, broken.code, broken.detail)
    return examined


def _replayed(library: Library, examined: _Examined) -> Transaction:
    """The transaction that the trail leads to, every event of it allowed."""
    transaction = Transaction(examined.name)
    for step in replay(library, examined.name, examined.records):
        check(library, step)
        examined.kinds.append(KIND_OF[type(step.event)])
        if isinstance(step.event, Discrepancy):
            aside = PutAside(examined.name, step.number, step.event.reason)
            examined.discrepancies.append(aside)
        elif isinstance(step.event, Resolved):
            examined.settle(step.event.discrepancy)
        transaction = step.after
    return transaction


def _compare(standing: Standing, replayed: Transaction, events: int) -> None:
    if standing == replayed and events:
        return
    if standing is None:
        raise Broken(None, "transaction_missing")
    if isinstance(standing, TrailBroken):
        raise Broken(None, "state_unreadable", str(standing))
    if not events:
        raise Broken(None, "trail_missing")
    if standing.version != events:
        code = "tail_cut" if standing.version > events else "tail_surplus"
        detail = f"{events} events, but version {standing.version}"
        raise Broken(min(events, standing.version) + 1, code, detail)
    differing = ", ".join(_differing(standing, replayed))
    raise Broken(None, "state_differs", differing)


def _differing(standing: Transaction, replayed: Transaction) -> Iterator[str]:
    """Each field that differs, with both values where they are short."""
    for field in attrs.fields(Transaction):
        stored, right = getattr(standing, field.name), getattr(replayed, field.name)
        if stored == right:
            continue
        if field.name not in {"amounts", "states", "deadlines"}:
            yield field.name
            continue
        for name in sorted({*stored, *right}):
            if stored.get(name) != right.get(name):
                yield f"{field.name}.{name} {stored.get(name)}, not {right.get(name)}"


def _side_by_side(
    store: Store,
) -> Iterator[tuple[str, Sequence[Record], Standing]]:
    """Each id that has a trail, a transaction or both. Both streams come sorted by id."""
    trails = iter(store.trails())
    standings = _standings(store)
    trail, standing = next(trails, None), next(standings, None)
    while trail is not None or standing is not None:
        name = min(side[0] for side in (trail, standing) if side is not None)
        records: Sequence[Record] = ()
        stands: Standing = None
        if trail is not None and trail[0] == name:
            records, trail = trail[1], next(trails, None)
        if standing is not None and standing[0] == name:
            stands, standing = standing[1], next(standings, None)
        yield name, records, stands


def _standings(store: Store) -> Iterator[tuple[str, Transaction | TrailBroken]]:
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


def _read_again(store: Store, name: str) -> tuple[Sequence[Record], Standing]:
    """A trail and its transaction, read so that nothing came between the two."""
    records, standing = store.records(name), _standing(store, name)
    for _ in range(READINGS):
        before = standing
        records, standing = store.records(name), _standing(store, name)
        if standing == before:
            break
    return records, standing


def _standing(store: Store, name: str) -> Standing:
    try:
        return store.load(None, name, None).transaction
    except TrailBroken as error:
        return error
