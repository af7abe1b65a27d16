"""`kessai events follow`: every event as a line, and those to come as they happen."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import click
import msgspec

from kessai.card_numbers import without_card_numbers
from kessai.cli.events.options import named, once_option, until_stopped
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import say
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.streams import output_is_over
from kessai.driver import drive
from kessai.errors import InvalidInput
from kessai.feed import FeedEvent, FeedReader
from kessai.feed.following import pass_over, passed
from kessai.feed.reading import asking
from kessai.stores import Store

_encode = msgspec.json.Encoder(order="sorted").encode


@click.command("follow")
@click.option("--after", metavar="POSITION", help="Begin after that event.")
@click.option(
    "--subscriber",
    metavar="NAME",
    callback=named,
    help="Store under this name how far it is, and go on there the next time.",
)
@click.option(
    "--notes", is_flag=True, help="With what operators wrote, and their names."
)
@once_option
@shared_options("db", "json")
def follow(
    asked: Asked,
    *,
    after: str | None,
    subscriber: str | None,
    notes: bool,
    once: bool,
) -> int:
    """Print every event of all transactions, a line each; with --json an object a line.

    No event is left out, and those of a transaction come in their order. With
    --subscriber each is stored as passed after its line was written: what dies in
    between is given one line again.
    """
    with ExitStack() as stack:
        store = stack.enter_context(opened_store(asked.db, to_read=subscriber is None))
        stop = stack.enter_context(stop_on_signals())
        one = _Follower(store, subscriber, after, asked, stop, notes=notes)
        until_stopped(one.print_all, stop, once=once)
    return stop.code


class _Follower:
    """Prints events, and stores how far it is if it has a name."""

    def __init__(
        self,
        store: Store,
        name: str | None,
        after: str | None,
        asked: Asked,
        stop: Stop,
        *,
        notes: bool,
    ) -> None:
        self._store, self._stop, self._as_json = store, stop, asked.as_json
        self._subscriber = None if name is None else store.subscriber(name)
        if after is not None and self._subscriber and self._subscriber.version:
            message = f"--after: {name} goes on where it is; leave --after out"
            raise InvalidInput(message)
        self._reader = FeedReader(after=after or "", with_notes=notes)

    def print_all(self) -> None:
        """Print what there is now; under a name, what is not stored as passed."""
        self._go_to_what_is_stored()
        for event in self._new():
            if self._as_json:
                sys.stdout.buffer.write(_encode(event.data()) + b"\n")
            else:
                say(without_card_numbers(_line(event)))
            if output_is_over():  # who left has not read it
                self._stop.is_asked = True
            else:
                self._pass(event)
            if self._stop.is_asked:
                return

    def _go_to_what_is_stored(self) -> None:
        """Go back if the last time broke off, and on if another was faster."""
        if self._subscriber is not None:
            self._subscriber = self._store.subscriber(self._subscriber.name)
            if self._subscriber.version:
                self._reader.position = self._subscriber.position

    def _new(self) -> Iterator[FeedEvent]:
        while events := drive(self._reader.page(), asking(self._store)):
            yield from events

    def _pass(self, event: FeedEvent) -> None:
        if self._subscriber is not None:
            passing = pass_over(self._subscriber, event.position)
            self._subscriber = passed(drive(passing, asking(self._store)))


def _line(event: FeedEvent) -> str:
    at = event.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    what = (
        *(event.kind, event.command, event.outcome, event.shown, event.deadline),
        " ".join(event.reasons),
    )
    parts = (at, f"{event.transaction} {event.number}", *what, f"→ {event.status}")
    return "  ".join(part for part in parts if part)
