"""Following the feed: each event with what its transaction was before it.

An event alone does not say what it did. So the transactions that are read about are
kept as they stood; of one that is not, the trail is read once.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from kessai.driver import ask_store, drive
from kessai.feed.event import FeedEvent
from kessai.flow import (
    Context,
    Effect,
    Flow,
    History,
    Now,
    Published,
    ReadFeed,
    Send,
)
from kessai.flow.effects import Result
from kessai.flow.steps import machine_of
from kessai.machine import Machines, Record, Transaction, evolve, read_record
from kessai.machine.chain import AppliedEvent, is_whole, left_of
from kessai.stores import Store

PAGE = 100
"""How many events are read at once."""

KNOWN = 1_000
"""How many transactions are kept as they stood."""


class FeedReader:
    """Reads on after a position; one reader is for one task or thread at a time.

    `position` is that of the last event read. `with_notes` gives events with what
    operators wrote, and their names.
    """

    def __init__(
        self,
        context: Context | None = None,
        after: str = "",
        *,
        with_notes: bool = False,
    ) -> None:
        self._context = context or Context(Machines(()), ())
        self.position = after
        self._with_notes = with_notes
        self._standing: OrderedDict[str, Transaction] = OrderedDict()

    def page(self, limit: int = PAGE) -> Flow[list[FeedEvent]]:
        """The next events, at most `limit`; none if there are none yet.

        Raises:
            InvalidInput: the position is none of this store's.
            TrailBroken, UnknownLifecycle: an event or its trail does not hold. It is
                passed over by no reader.

        """
        found: list[Published] = yield ReadFeed(self.position, limit)
        events: list[FeedEvent] = []
        for each in found:
            event = yield from self.event(each)
            events.append(event)
        if found:
            self.position = found[-1].position
        return events

    def event(self, published: Published) -> Flow[FeedEvent]:
        """The event of a record in the feed."""
        record = published.record
        before = yield from self._before(record)
        left = yield from _left_of(record)
        step = yield from self._step(before, record, left)
        self._standing[record.transaction] = step.after
        if len(self._standing) > KNOWN:
            self._standing.popitem(last=False)
        return FeedEvent.of(step, published.position, with_notes=self._with_notes)

    def _before(self, record: Record) -> Flow[Transaction]:
        name, version = record.transaction, record.number - 1
        known = self._standing.pop(name, None)
        if known is not None and known.version == version:
            return known
        standing, earlier = Transaction(name), list[Record]()
        if version:
            earlier = yield History(name)
        if earlier and earlier[0].number > version:  # its archive has those before
            head = str(read_record(record, None).members.get("previous"))
            return Transaction(name, version=version, head=head)
        left = left_of(earlier)
        for each in earlier[:version]:
            step = yield from self._step(standing, each, left.get(each.number))
            standing = step.after
        return standing

    def _step(
        self, before: Transaction, record: Record, left: str | None
    ) -> Flow[AppliedEvent]:
        read = read_record(record, before.head, left)
        bound = Transaction(before.id, read.lifecycle, read.lifecycle)  # to its file
        machine = yield from machine_of(self._context, bound)
        after = evolve(machine, before, read.event).with_head(record.hash)
        return AppliedEvent(read.event, machine, before, after)


def _left_of(record: Record) -> Flow[str | None]:
    """What its trail declares to be left of a record, if it is not whole."""
    if is_whole(record):
        return None
    records: list[Record] = yield History(record.transaction)
    return left_of(records).get(record.number)


def read_feed(
    store: Store, after: str = "", *, with_notes: bool = False
) -> Iterator[FeedEvent]:
    """The events after a position that can be read now.

    Raises:
        InvalidInput, TrailBroken, UnknownLifecycle: see `FeedReader.page`.

    """
    reader = FeedReader(after=after, with_notes=with_notes)
    while events := drive(reader.page(), asking(store)):
        yield from events


def asking(store: Store) -> Callable[[Effect], Result]:
    """Performs what flows ask of a store, for those that ask for nothing else."""

    def ask(effect: Effect) -> Result:
        assert not isinstance(effect, Now | Send)  # noqa: S101 - they need an engine
        return ask_store(store, effect)

    return ask
