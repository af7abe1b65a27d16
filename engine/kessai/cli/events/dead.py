"""`kessai events dead` and `replay`: what a webhook's receiver never took."""

from contextlib import suppress

import click

from kessai.cli.events.options import of_webhooks, subscriber_option
from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.tables import print_table
from kessai.driver import utc_now
from kessai.errors import InvalidInput, VersionConflict
from kessai.feed import delivery
from kessai.flow import Undelivered
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
        found = delivery.dead(store.subscriber(of_webhooks(subscriber)))
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
@subscriber_option
@shared_options("db", "json")
def replay(asked: Asked, *, ids: tuple[str, ...], is_all: bool, subscriber: str) -> int:
    """Have `kessai events send` send dead letters once more, by their ids.

    An id is that of the webhook, as `kessai events dead` lists it.
    """
    if is_all == bool(ids):
        message = "give the ids of dead letters, or --all"
        raise click.UsageError(message)
    with opened_store(asked.db) as store:
        count = _replay(store, subscriber, ids)
    if asked.as_json:
        print_json({"replayed": count})
    else:
        say(_word("replayed", asked.language, count=f"{count:,}"))
    return DONE


def _replay(store: Store, name: str, ids: tuple[str, ...]) -> int:
    """How many wait anew; again, while a sender is faster each time."""
    for _ in range(ATTEMPTS - 1):
        with suppress(VersionConflict):
            return _replay_once(store, name, ids)
    return _replay_once(store, name, ids)


def _replay_once(store: Store, name: str, ids: tuple[str, ...]) -> int:
    before = store.subscriber(of_webhooks(name))
    known = [each.id for each in delivery.dead(before)]
    if unknown := sorted({*ids} - {*known}):
        message = f"{unknown[0]}: no dead letter of {name} has that id"
        raise InvalidInput(message)
    chosen = {*(ids or known)}
    if chosen:
        store.advance(delivery.replayed(before, chosen, utc_now()))
    return len(chosen)
