"""`kessai tx resolve` and `close`: what a person found out, with a name and a reason."""

import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import answer_data, print_json, say, transaction_data
from kessai.flow.answer import OPEN
from kessai.words import Words

word = Words("recovery")

_evidence_option = click.option(
    "--evidence", required=True, metavar="TEXT", help="How it was found out."
)
_actor_option = click.option(
    "--actor", required=True, metavar="NAME", help="Who found it out."
)


@click.command("resolve", short_help="State the outcome of an open operation.")
@click.argument("transaction_id", metavar="ID")
@click.argument("operation")
@click.argument("outcome", type=click.Choice(["succeeded", "declined"]))
@_evidence_option
@_actor_option
@shared_options("db", "json")
def tx_resolve(
    asked: Asked, transaction_id: str, operation: str, outcome: str, **found: str
) -> int:
    """State the outcome of an open OPERATION that no inquiry could resolve.

    \b
    kessai tx resolve ORDER ORDER.4 succeeded --evidence "portal shows it" --actor sato

    TEXT and NAME go into the audit trail for good: write no personal data there. A
    success that the lifecycle does not allow is kept as a discrepancy.

    Exit codes: 0 resolved, 2 it is not open, 4 still open.
    """  # noqa: D301 - click reads \b
    with looking(asked.db, to_read=False) as engine:
        answer = engine.resolve(transaction_id, operation, outcome, **found)
    language = asked.language
    if asked.as_json:
        print_json(answer_data(answer, language))
    elif answer.status in OPEN:
        say(word("not_applied", language))
    else:
        shown = {"status": word(answer.status, language), "actor": found["actor"]}
        say(word("resolved", language, operation=operation, **shown))
    return exits.UNKNOWN if answer.status in OPEN else exits.DONE


@click.command("close", short_help="Close an open discrepancy.")
@click.argument("transaction_id", metavar="ID")
@click.argument("number", metavar="EVENT", type=click.IntRange(min=1))
@_evidence_option
@_actor_option
@shared_options("db", "json")
def tx_close(asked: Asked, transaction_id: str, number: int, **found: str) -> int:
    """Close the discrepancy that EVENT, a number in the trail, recorded.

    \b
    kessai tx close ORDER 7 --evidence "refunded by bank" --actor sato

    TEXT and NAME go into the audit trail for good: write no personal data there.

    Exit codes: 0 closed, 2 that event is no open discrepancy.
    """  # noqa: D301 - click reads \b
    with looking(asked.db, to_read=False) as engine:
        after = engine.close_discrepancy(transaction_id, number, **found)
    if asked.as_json:
        print_json(transaction_data(after))
    else:
        say(word("closed", asked.language, number=number, transaction=after.id))
    return exits.DONE
