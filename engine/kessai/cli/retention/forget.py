"""`kessai forget`: removes the personal texts of transactions, and records that."""

from collections.abc import Iterable, Sequence

import attrs
import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.tables import print_table
from kessai.cli.zones import moment_of, zone_of, zone_option
from kessai.flow import Forgetting, Search
from kessai.flow.search import MOST_FOUND
from kessai.shell import Engine
from kessai.words import Words

word = Words("retention")


@click.command(short_help="Remove personal texts.")
@click.argument("transaction_ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--before",
    metavar="TIME",
    help="All without an open operation that have not changed since: a day such as"
    " 2026-01-31, or a moment.",
)
@zone_option("that day begins")
@click.option("--by", "actor", default="", metavar="NAME", help="Who forgets.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option(
    "--no-scrub",
    is_flag=True,
    help="Do not write SQLite's file anew now. Until a forgetting without this option,"
    " what was removed may still stand in its free space.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed, no more.")
@shared_options("db", "json")
def forget(
    asked: Asked,
    *,
    transaction_ids: tuple[str, ...],
    before: str | None,
    zone_name: str,
    actor: str,
    reason: str,
    dry_run: bool,
    no_scrub: bool,
) -> int:
    """Remove the personal texts of each transaction ID, or of all from --before TIME.

    \b
    kessai forget ORDER --by sato --reason "asked for by the consumer"

    These are the texts among the parameters of commands (notes, addresses of the shop),
    and what operators wrote: notes and names. What moved, when, and every id stay. The
    trail still holds, also under seals that were made before. --by and --reason go into
    it for good.

    Exit codes: 0 done, 2 an operation is open, so that nothing is removed of its
    transaction.
    """  # noqa: D301 - click reads \b
    if bool(transaction_ids) == (before is not None):
        message = "give the ids of transactions, or --before TIME"
        raise click.UsageError(message)
    if not dry_run and not (actor and reason):
        message = "give --by NAME and --reason TEXT: both are recorded"
        raise click.UsageError(message)
    with looking(asked.db, to_read=dry_run) as engine:
        names: Iterable[str] = transaction_ids
        if before is not None:
            until = moment_of(before, zone_of(zone_name), "--before")
            names = _unchanged(engine, Search(until=until, limit=MOST_FOUND))
        found = engine.forget(
            *names,
            reason=reason,
            actor=actor,
            dry_run=dry_run,
            scrub=not no_scrub,
        )
    _show(asked, [one for one in found if one.fields], dry_run=dry_run)
    return exits.DONE


def _unchanged(engine: Engine, search: Search) -> list[str]:
    """All that the search finds without an open operation."""
    names: list[str] = []
    while True:
        result = engine.search(search)
        names += [each.id for each in result.transactions if not each.operations]
        if result.cursor is None:
            return names
        search = attrs.evolve(search, after=result.cursor)


def _show(asked: Asked, found: Sequence[Forgetting], *, dry_run: bool) -> None:
    language = asked.language
    if asked.as_json:
        shown = [
            {
                "transaction": one.transaction,
                "texts": {str(number): list(f) for number, f in one.fields.items()},
                "event": one.recorded,
            }
            for one in found
        ]
        print_json({"dry_run": dry_run, "forgotten": shown})
        return
    rows = [
        [one.transaction, str(number), ", ".join(fields)]
        for one in found
        for number, fields in one.fields.items()
    ]
    if rows:
        title = word("to_be_forgotten" if dry_run else "forgotten", language)
        print_table(title, word.each(language, "transaction", "event", "texts"), rows)
    texts = sum(len(fields) for one in found for fields in one.fields.values())
    counts = {"texts": f"{texts:,}", "transactions": f"{len(found):,}"}
    say(word("would_forget" if dry_run else "forgot", language, **counts))
