"""`kessai events dead` and `replay`: what a webhook's receiver never took."""

from contextlib import suppress

import attrs
import click

from kessai.cli.events.options import as_webhooks, of_webhooks, subscriber_option
from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.tables import print_table
from kessai.driver import utc_now
from kessai.errors import InvalidInput, VersionConflict
from kessai.feed import delivery
from kessai.flow import Subscriber, Undelivered
from kessai.limits import ATTEMPTS
from kessai.stores import Store
from kessai.words import Words

_word = Words("events")


@click.command("dead")
@subscriber_option
@shared_options("db", "json")
def dead(asked: Asked, *, subscriber: str) -> int:
    """List the events that were not taken at any attempt: the dead letters."""
    language = asked.language
    with opened_store(asked.db, to_read=True) as store:
        found = delivery.dead(_known(store, subscriber))
    if asked.as_json:
        print_json({"dead_letters": [_data(each) for each in found]})
    elif not found:
        say(_word("none", language))
    else:
        print_table(
            _word("dead", language),
            _word.each(language, "id", "order", "number", "attempts", "reason"),
            [
                [e.id, e.transaction, str(e.number), str(e.attempts), e.reason]
                for e in found
            ],
        )
    return DONE


def _data(each: Undelivered) -> dict[str, object]:
    return {
        "id": each.id,
        "transaction": each.transaction,
        "number": each.number,
        "attempts": each.attempts,
        "reason": each.reason,
    }


@click.command("replay")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "is_all", is_flag=True, help="All dead letters.")
@click.option(
    "--waiting",
    is_flag=True,
    help="All that waits for its next attempt, as after its URL was corrected.",
)
@subscriber_option
@shared_options("db", "json")
def replay(
    asked: Asked, *, ids: tuple[str, ...], is_all: bool, waiting: bool, subscriber: str
) -> int:
    """Have `kessai events send` send events at once, as if they had never been tried.

    They are dead letters, or wait for their next attempt. An id is that of the webhook,
    as `kessai events dead` lists it.
    """
    if (is_all or waiting) == bool(ids):
        message = "give ids, or --all dead letters, or all that is --waiting"
        raise click.UsageError(message)
    chosen = _Chosen(subscriber, {*ids}, is_all=is_all, waiting=waiting)
    with opened_store(asked.db) as store:
        count = _replay(store, chosen)
    if asked.as_json:
        print_json({"replayed": count})
    else:
        say(_word("replayed", asked.language, count=f"{count:,}"))
    return DONE


@attrs.frozen
class _Chosen:
    """Which events of a subscriber are to be sent at once."""

    subscriber: str
    ids: set[str]
    is_all: bool = attrs.field(kw_only=True)
    waiting: bool = attrs.field(kw_only=True)

    def of(self, known: Subscriber) -> set[str]:
        """Their ids.

        Raises:
            InvalidInput: one that was named is none of what was not delivered.

        """
        undelivered = {each.id for each in known.undelivered}
        if unknown := sorted(self.ids - undelivered):
            message = f"{unknown[0]}: nothing that {self.subscriber} has not taken has that id"
            raise InvalidInput(message)
        dead = delivery.dead(known) if self.is_all else []
        waiting = delivery.waiting(known) if self.waiting else []
        return self.ids | {each.id for each in (*dead, *waiting)}


def _replay(store: Store, chosen: _Chosen) -> int:
    """How many are due anew; again, while a sender is faster each time."""
    for _ in range(ATTEMPTS - 1):
        with suppress(VersionConflict):
            return _replay_once(store, chosen)
    return _replay_once(store, chosen)


def _replay_once(store: Store, chosen: _Chosen) -> int:
    before = _known(store, chosen.subscriber)
    ids = chosen.of(before)
    if ids:
        store.advance(delivery.replayed(before, ids, utc_now()))
    return len(ids)


def _known(store: Store, name: str) -> Subscriber:
    """How far the webhooks of that name are.

    Raises:
        InvalidInput: nothing was sent under that name; the message lists those there are.

    """
    found = store.subscriber(of_webhooks(name))
    if found.version:
        return found
    known = (as_webhooks(each.name) for each in store.subscribers())
    names = [each for each in known if each]
    listed = f"known: {', '.join(names)}" if names else "none is known"
    message = f"--subscriber {name}: nothing was sent under that name; {listed}"
    raise InvalidInput(message)
