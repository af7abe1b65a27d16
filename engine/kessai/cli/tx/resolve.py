"""`kessai tx resolve`: what an operator found out by hand, with a name and a reason."""

import click

from kessai.cli.recovery.inquire import OPEN
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import db_option, output_options
from kessai.cli.terminal.output import answer_data, print_json, say, transaction_data
from kessai.shell import Engine
from kessai.words import Words

word = Words("recovery")

CLOSED = "closed"


@click.command("resolve")
@click.argument("transaction_id", metavar="ID")
@click.argument("operation", metavar="OPERATION|EVENT")
@click.argument("outcome", type=click.Choice(["succeeded", "declined", CLOSED]))
@click.option("--evidence", required=True, metavar="TEXT", help="How it was found out.")
@click.option("--actor", required=True, metavar="NAME", help="Who found it out.")
@db_option
@output_options
def tx_resolve(
    *,
    transaction_id: str,
    operation: str,
    outcome: str,
    evidence: str,
    actor: str,
    db: str,
    language: str,
    as_json: bool,
) -> int:
    """Resolve what no inquiry could: an open OPERATION, or the discrepancy of an EVENT.

    \b
    kessai tx resolve ORDER ORDER.4 succeeded --evidence "portal shows it" --actor sato
    kessai tx resolve ORDER 7 resolved --evidence "refunded by bank" --actor sato

    TEXT and NAME go into the audit trail for good: write no personal data there. A
    success that the lifecycle does not allow is kept as a discrepancy.

    Exit codes: 0 resolved, 2 it is not open, 4 still open.
    """  # noqa: D301 - click reads \b
    with looking(db) as engine:
        if outcome == CLOSED:
            return _close_discrepancy(
                engine,
                transaction_id,
                _number(operation),
                evidence=evidence,
                actor=actor,
                language=language,
                as_json=as_json,
            )
        answer = engine.resolve(
            transaction_id, operation, outcome, evidence=evidence, actor=actor
        )
    if as_json:
        print_json(answer_data(answer, language))
    elif answer.status in OPEN:
        say(word("not_applied", language))
    else:
        status = word(answer.status, language)
        said = {"operation": operation, "status": status, "actor": actor}
        say(word("resolved", language, **said))
    return exits.UNKNOWN if answer.status in OPEN else exits.DONE


def _close_discrepancy(
    engine: Engine,
    transaction_id: str,
    number: int,
    *,
    evidence: str,
    actor: str,
    language: str,
    as_json: bool,
) -> int:
    after = engine.close_discrepancy(
        transaction_id, number, evidence=evidence, actor=actor
    )
    if as_json:
        print_json(transaction_data(after))
    else:
        said = {"number": number, "transaction": transaction_id}
        say(word("closed", language, **said))
    return exits.DONE


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004
        message = f"{text!r}: a discrepancy is named by the number of its event"
        raise click.UsageError(message)
    return int(text)
