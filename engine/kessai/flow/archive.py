"""Archiving: a transaction that has ended is frozen, copied, and leaves its last event.

    live                 frozen                         archived
    events 1 to 9   →    events 1 to 9, and 10     →    event 10, which has the hashes of
                         (`Archived`)                   the others; ids and keys

Frozen is who has the event `Archived`: nothing is appended any more, so what is copied
cannot change. Until its other events are removed here, this store has all of it; from
then on the archive that the event names. Either way nothing can be done under its id or
under one of its keys.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from kessai.errors import VersionConflict
from kessai.flow.effects import (
    ARCHIVED,
    Change,
    Flow,
    History,
    Load,
    Loaded,
    Now,
    Recorded,
    learned_references,
)
from kessai.flow.steps import Context, commit, contended, load_with_machine
from kessai.limits import ATTEMPTS
from kessai.machine import (
    Archived,
    Begun,
    Denied,
    Machine,
    Record,
    Transaction,
    append,
    read_events,
)
from kessai.machine.chain import AppliedEvent


@attrs.frozen(kw_only=True)
class Archivable:
    """Which transactions are archived: those that ended, and changed last before `until`.

    Ended has what has nothing open, no discrepancy and nothing unclaimed, and whose
    tracks are all in a final state, or in one of the states `also`.
    """

    until: datetime
    also: Sequence[str] = ()

    def has(self, machine: Machine, transaction: Transaction) -> bool:
        """Whether `transaction` is one of them, as far as its state says."""
        return (
            transaction.exists
            and not transaction.operations
            and not transaction.discrepancies
            and not transaction.unclaimed
            and transaction.changed_at is not None
            and transaction.changed_at < self.until
            and all(
                state in machine.lifecycle.tracks[track].final
                or not {state, f"{track}.{state}"}.isdisjoint(self.also)
                for track, state in transaction.states.items()
            )
        )


def freeze(
    context: Context, name: str, archivable: Archivable, *, archive: str, actor: str
) -> Flow[bool]:
    """Freeze a transaction for the archive of that name; whether it is frozen for it.

    Raises:
        TrailBroken: its trail does not hold.

    """
    for _ in range(ATTEMPTS):
        before, machine = yield from load_with_machine(context, name)
        if before.archived:
            return before.archived == archive
        if machine is None or not archivable.has(machine, before):
            return False
        records: list[Record] = yield History(name)
        if len(records) != before.version:
            continue
        *_, last = read_events(records)
        if last.at >= archivable.until:
            return False  # a denial
        now: datetime = yield Now()
        hashes = tuple(record.hash for record in records)
        event = Archived(now, archive, actor, hashes)
        after, record = append(machine, before, event)
        steps = (AppliedEvent(event, machine, before, after),)
        try:
            yield from commit(Change(transaction=after, records=(record,), steps=steps))
        except VersionConflict:
            continue
        return True
    raise contended(name)


def copy_of(context: Context, name: str) -> Flow[tuple[Change, ...]]:
    """What a frozen transaction is written by in an empty store, whole.

    Raises:
        TrailBroken: its trail does not hold.

    """
    transaction, machine = yield from load_with_machine(context, name)
    records: list[Record] = yield History(name)
    answers = yield from _answers(name, records)
    first = Change(
        transaction=transaction,
        records=tuple(records),
        opens=answers[0] if answers else None,
        declaration=machine.lifecycle if machine else None,
        references=learned_references({}, transaction),
    )
    others = (Change(transaction=transaction, records=(), opens=o) for o in answers[1:])
    return (first, *others)


def removal_of(transaction: Transaction) -> Flow[Change]:
    """What leaves of a frozen transaction, as it was copied, its last event and its keys."""
    records: list[Record] = yield History(transaction.id)
    answers = yield from _answers(transaction.id, records)
    return Change(
        transaction=stub_of(transaction),
        records=(),
        closes=tuple(map(reduced, answers)),
        removes=True,
    )


def stub_of(transaction: Transaction) -> Transaction:
    """What is known here of an archived transaction."""
    return Transaction(
        transaction.id,
        version=transaction.version,
        head=transaction.head,
        archived=transaction.archived,
    )


def reduced(answer: Recorded) -> Recorded:
    """What stands under a key of an archived transaction."""
    return Recorded(
        key=answer.key,
        request=answer.request,
        command=answer.command,
        transaction=answer.transaction,
        outcome=ARCHIVED,
    )


def _answers(name: str, records: Sequence[Record]) -> Flow[list[Recorded]]:
    found: list[Recorded] = []
    for key in dict.fromkeys(_keys(records)):
        loaded: Loaded = yield Load(key, name)
        if loaded.recorded is not None and loaded.recorded.transaction == name:
            found.append(loaded.recorded)
    return found


def _keys(records: Sequence[Record]) -> Iterator[str]:
    for event in read_events(records):
        if isinstance(event, Begun):
            yield event.operation.key
        elif isinstance(event, Denied):
            yield event.key
