"""What is left of an archived transaction: its last event, and what its archive is called.

The event has the hashes of all before it, so seals from before are compared with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from operator import ne

from kessai.audit.verification.replay import ReplayBroken
from kessai.errors import TrailBroken
from kessai.flow.effects import ARCHIVED
from kessai.machine import Archived, Record, Transaction, read_record
from kessai.stores import Answered


def check_removed(
    stored: Transaction, records: Sequence[Record], answers: Iterable[Answered]
) -> None:
    """Make sure that what is left is what archiving leaves.

    Raises:
        ReplayBroken: it is not.

    """
    hashes = hashes_of(records)
    if not hashes or len(records) != 1:
        raise ReplayBroken(None, "archive_event_missing")
    try:
        read = read_record(records[0], hashes[-2] if len(hashes) > 1 else "")
    except TrailBroken as error:
        raise ReplayBroken(records[0].number, "record_broken", str(error)) from error
    left = Transaction(
        stored.id,
        version=records[0].number,
        head=records[0].hash,
        archived=getattr(read.event, "archive", ""),
    )
    if stored != left or len(hashes) != left.version:
        raise ReplayBroken(None, "state_differs", "archived")
    for answer in answers:
        known = answer.read()
        if known is None or known.outcome != ARCHIVED:
            raise ReplayBroken(None, "answer_differs", answer.key)


def check_hashes(records: Iterable[Record], archived: Mapping[int, Archived]) -> None:
    """Make sure that each event of archiving, by its number, has all hashes before it.

    Raises:
        ReplayBroken: one has others.

    """
    for number, event in archived.items():
        hashes = (record.hash for record in islice(records, number - 1))
        if len(event.hashes) != number - 1 or any(map(ne, event.hashes, hashes)):
            detail = "its hashes are not those of the events before"
            raise ReplayBroken(number, "not_allowed", detail)


def hashes_of(records: Sequence[Record]) -> tuple[str, ...]:
    """The hashes of all events of a trail, also of those that an archive has."""
    if len(records) == 1 and records[0].number > 1:
        try:
            event = read_record(records[0], None).event
        except TrailBroken:
            return ()
        earlier = event.hashes if isinstance(event, Archived) else ()
        return (*earlier, records[0].hash) if earlier else ()
    return tuple(record.hash for record in records)
