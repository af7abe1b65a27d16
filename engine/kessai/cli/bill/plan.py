"""`kessai bill plan`: writes what a run is to charge, or says what it would."""

from datetime import date, datetime
from typing import IO

import attrs
import click

from kessai.cli.bill.agreements import agreements_in
from kessai.cli.bill.shown import money, word
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.tables import print_pairs

_DAY = click.DateTime(["%Y-%m-%d"])


def _date(_: click.Context, __: click.Parameter, given: datetime) -> date:
    return given.date()


@click.command(short_help="Write what a run is to charge.")
@click.argument("name", metavar="RUN")
@click.option(
    "--agreements",
    "file",
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="What is billed, one JSON object a line; - is standard input.",
)
@click.option("--since", type=_DAY, callback=_date, required=True, metavar="DATE")
@click.option(
    "--until",
    type=_DAY,
    callback=_date,
    required=True,
    metavar="DATE",
    help="The first date that is planned no more.",
)
@click.option(
    "--capture/--authorize-only",
    default=True,
    help="Whether charges are captured at once; so unless given.",
)
@click.option("--dry-run", is_flag=True, help="Report the totals, and write nothing.")
@shared_options("db", "gateway", "account", "json")
def plan(
    asked: Asked,
    *,
    name: str,
    file: IO[bytes],
    since: date,
    until: date,
    capture: bool,
    dry_run: bool,
) -> None:
    """Write a bill for each agreement and period date from --since to before --until.

    \b
    Each line has   agreement amount anchor (a date)
    and may have    frequency ({"unit": "Month", "value": 1}) currency zone at (09:00)
                    business_days (none, next or previous) holidays (JP) until

    A period has one bill, in whatever run and of whatever amount: what stands already is
    left as it is. Plan again after whatever happened; nothing is written twice.

    Exit codes: 0 done, 2 the file or the store cannot be used.
    """  # noqa: D301 - click reads \b
    with wired(asked) as wiring:
        report = wiring.engine.plan(
            name,
            agreements_in(file, file.name),
            since=since,
            until=until,
            parameters=None if capture else {},
            dry_run=dry_run,
        )
    if asked.as_json:
        print_json({"run": name, "dry_run": dry_run, **attrs.asdict(report)})
        return
    language = asked.language
    counts = ("written", "standing", "differing", "skips")
    print_pairs(
        [
            (word("run", language), name),
            *((word(each, language), f"{getattr(report, each):,}") for each in counts),
            *(
                (word("sum", language), money(amount, currency))
                for currency, amount in sorted(report.sums.items())
            ),
        ]
    )
    for agreement, why in report.skipped.items():
        say(f"{agreement}: {word(why, language)}")
    if dry_run:
        say(word("dry_run", language))
