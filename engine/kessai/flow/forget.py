"""Forgetting: the personal texts of a transaction removed, and that they were recorded.

One change writes the event `Forgotten`, what is left of each record and what is left of
each answer under a key, so all of it is there or nothing. Whoever is killed in between
does it again; what is forgotten already stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs
from msgspec.structs import replace

from kessai.errors import InvalidInput, VersionConflict
from kessai.flow.effects import Change, Flow, History, Now, Recorded, Scrub
from kessai.flow.operator import check_signed
from kessai.flow.steps import (
    Context,
    closed,
    commit,
    contended,
    load_with_machine,
    no_transaction,
)
from kessai.limits import ATTEMPTS
from kessai.machine import (
    Begun,
    Event,
    Forgotten,
    Operation,
    Record,
    Reported,
    append,
    read_events,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.forgotten import Remainder, without_texts


@attrs.frozen
class Forgetting:
    """What was forgotten of a transaction, or would be: the fields, by event number.

    `recorded` is the number of the event that says so; None if none was written.
    """

    transaction: str
    fields: Mapping[int, tuple[str, ...]]
    recorded: int | None = None


def forget(
    context: Context,
    transaction_ids: Iterable[str],
    *,
    note: str,
    actor: str,
    is_trial: bool = False,
    scrub: bool = True,
) -> Flow[tuple[Forgetting, ...]]:
    """Remove the personal texts of these transactions; `note` says why `actor` does it.

    A trial writes nothing. Each transaction is a change of its own. At last the store is
    scrubbed, unless that is left to another time: see `Store.scrub`.

    Raises:
        UnknownTransaction: nothing is recorded under an id.
        InvalidInput: an operation is open, which may need its texts yet; or the name or
            the reason is missing or too long. Of this transaction nothing was removed.
        TrailBroken: a trail does not hold; forgetting would hide where.

    """
    if not is_trial:
        check_signed(note, actor)
    found: list[Forgetting] = []
    for name in dict.fromkeys(transaction_ids):
        one = yield from _forget(context, name, note, actor, is_trial=is_trial)
        found.append(one)
    if scrub and not is_trial:
        yield Scrub()
    return tuple(found)


def _forget(
    context: Context, name: str, note: str, actor: str, *, is_trial: bool
) -> Flow[Forgetting]:
    for _ in range(ATTEMPTS):
        before, machine = yield from load_with_machine(context, name)
        if not before.version:
            raise no_transaction(before)
        if before.operations:
            message = (
                f"{name}: {', '.join(before.operations)} is open and may need its texts"
                " yet; resolve it first, or wait for recover"
            )
            raise InvalidInput(message)
        records: list[Record] = yield History(name)
        if len(records) != before.version:
            continue  # somebody was faster between the two readings
        known = tuple(read_events(records))  # raises where the trail does not hold
        left = _remainders(records)
        fields = {number: each.fields for number, each in left.items()}
        if is_trial or not left:
            return Forgetting(name, fields)
        now: datetime = yield Now()
        digests = {str(number): each.digest for number, each in left.items()}
        event = Forgotten(now, actor, note, digests)
        after, record = append(machine, before, event)
        trail = [_left_of(each, left) for each in records]
        answers = zip(known, read_events([*trail, record]), strict=False)
        change = Change(
            transaction=after,
            records=(record,),
            rewrites=tuple(each for each in trail if each.number in left),
            closes=tuple(_answers(answers)),
            steps=(AppliedEvent(event, machine, before, after),),
        )
        try:
            yield from commit(change)
        except VersionConflict:
            continue
        return Forgetting(name, fields, before.version + 1)
    raise contended(name)


def _remainders(records: Iterable[Record]) -> Mapping[int, Remainder]:
    """What is to be left of those records that have texts, by their numbers."""
    found = {record.number: without_texts(record.body) for record in records}
    return {number: each for number, each in found.items() if each.fields}


def _left_of(record: Record, left: Mapping[int, Remainder]) -> Record:
    """What `record` is to be."""
    found = left.get(record.number)
    return record if found is None else replace(record, body=found.body)


def _answers(events: Iterable[tuple[Event, Event]]) -> Iterator[Recorded]:
    """What is left under the keys of operations whose last report had a text.

    `events` are those of the trail, each with what is left of it.
    """
    operations: dict[str, Operation] = {}
    last: dict[str, tuple[Event, Reported]] = {}
    for known, left in events:
        if isinstance(left, Begun):
            operations[left.operation.id] = left.operation
        elif isinstance(left, Reported):
            last[left.operation] = known, left
    for name, (known, left) in last.items():
        if known != left:
            yield closed(operations[name], left)
