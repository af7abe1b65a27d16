"""`kessai tx settle`: what an operator found out by hand, with a name and a reason."""

import click

from kessai.cli import exits
from kessai.cli.gateways import looking
from kessai.cli.options import db_option, output_options
from kessai.cli.output import answer_data, print_json, say, transaction_data
from kessai.cli.settling import OPEN
from kessai.shell import Engine
from kessai.words import Words

word = Words("recovery")

RESOLVED = "resolved"


@click.command("settle")
@click.argument("transaction_id", metavar="ID")
@click.argument("operation", metavar="OPERATION|EVENT")
@click.argument("outcome", type=click.Choice(["succeeded", "declined", RESOLVED]))
@click.option("--evidence", required=True, metavar="TEXT", help="How it was found out.")
@click.option("--actor", required=True, metavar="NAME", help="Who found it out.")
@db_option
@output_options
def tx_settle(
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
    """Settle what no look-up could: an open OPERATION, or the discrepancy of an EVENT.

    \b
    kessai tx settle ORDER ORDER.4 succeeded --evidence "portal shows it" --actor sato
    kessai tx settle ORDER 7 resolved --evidence "refunded by bank" --actor sato

    TEXT and NAME go into the audit trail for good: write no personal data there. A
    success that the lifecycle does not allow is kept as a discrepancy.

    Exit codes: 0 settled, 2 it is not open, 4 still open.
    """  # noqa: D301 - click reads \b
    with looking(db) as engine:
        if outcome == RESOLVED:
            return _resolve(
                engine,
                transaction_id,
                _number(operation),
                evidence=evidence,
                actor=actor,
                language=language,
                as_json=as_json,
            )
        answer = engine.settle(
            transaction_id, operation, outcome, evidence=evidence, actor=actor
        )
    if as_json:
        print_json(answer_data(answer, language))
    elif answer.status in OPEN:
        say(word("not_applied", language))
    else:
        status = word(answer.status, language)
        said = {"operation": operation, "status": status, "actor": actor}
        say(word("settled", language, **said))
    return exits.UNKNOWN if answer.status in OPEN else exits.DONE


def _resolve(
    engine: Engine,
    transaction_id: str,
    number: int,
    *,
    evidence: str,
    actor: str,
    language: str,
    as_json: bool,
) -> int:
    after = engine.resolve(transaction_id, number, evidence=evidence, actor=actor)
    if as_json:
        print_json(transaction_data(after))
    else:
        said = {"number": number, "transaction": transaction_id}
        say(word("resolved", language, **said))
    return exits.DONE


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004
        message = f"{text!r}: a discrepancy is named by the number of its event"
        raise click.UsageError(message)
    return int(text)
