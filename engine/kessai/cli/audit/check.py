"""`kessai audit check`: someone else's log, held against a lifecycle."""

import os
from time import perf_counter
from typing import Any

import click

from kessai.audit.log_check import (
    FORMS,
    MOST,
    Checked,
    Layout,
    LogReading,
    check_log,
    preset_called,
    preset_names,
)
from kessai.cli.audit.check_data import checked_data
from kessai.cli.audit.check_report import checked_lines
from kessai.cli.lifecycle.command import found_lifecycle
from kessai.cli.terminal.exits import AUDIT, DONE, STOPPED, USAGE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, print_json, say
from kessai.cli.terminal.progress import progress
from kessai.cli.zones import zone_of
from kessai.errors import InvalidInput

LIMIT = 20

_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}


@click.command("check", short_help="Hold someone else's log against a lifecycle.")
@click.argument("log", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--lifecycle",
    "lifecycles",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="What to hold it against; may be given again where a log has several.",
)
@click.option(
    "--preset",
    metavar="NAME",
    help=f"Whose export it is: {', '.join(preset_names())}. What is given besides goes"
    " before it.",
)
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column, by name or number, holds order, command, time, amount, outcome,"
    " currency, lifecycle, agreement, operation, zone or a parameter; '-': none does."
    " A|B is the first that is not empty, A+B all together (DATE+TIME, SHOP+NUMBER,"
    " NET+TAX), amount:refund that of refunds alone. Guessed unless given.",
)
@click.option(
    "--command",
    "commands",
    multiple=True,
    metavar="TEXT=COMMAND",
    help="What a text in the command's column means: capture, authorize+with_capture,"
    " refund:declined, expire, or '-' to leave such rows out.",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="TEXT=OUTCOME",
    help="What a text in the outcome's column means: succeeded, declined, pending,"
    " unknown, or denied (nothing was sent); '-' leaves such rows out.",
)
@click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    help="The zone of times that name none, such as Asia/Tokyo or +09:00; UTC unless"
    " given.",
)
@click.option(
    "--time-format",
    metavar="FORMAT",
    help="How times are written, as strftime has it, such as %d.%m.%Y; %Z is any zone.",
)
@click.option(
    "--order",
    type=click.Choice(["time", "file"]),
    default="time",
    show_default=True,
    help="What the order of an order's rows is; rows of one time keep the file's.",
)
@click.option(
    "--first",
    type=click.Choice(["oldest", "newest"]),
    help="Which row is the first of the file; found out unless given.",
)
@click.option(
    "--unit",
    type=click.Choice(["minor", "major"]),
    help="Whether 1234 is cents or dollars; must be given where the two differ.",
)
@click.option("--decimal-comma", is_flag=True, help="Amounts are written 1.234,56.")
@click.option(
    "--negative",
    multiple=True,
    metavar="COMMAND",
    help="The amounts of this command are written with a minus.",
)
@click.option("--any-id", is_flag=True, help="Do not judge the form of order ids.")
@click.option(
    "--older-agreements",
    is_flag=True,
    help="Agreements that the log does not see begin were consented to before it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    help="By how it begins unless given.",
)
@click.option(
    "--sheet", metavar="NAME", help="Of a workbook; its only one unless given."
)
@click.option("--encoding", metavar="NAME", help="Found out unless given; or cp932.")
@click.option("--delimiter", metavar="CHAR", help="By the header unless given; or tab.")
@click.option(
    "--no-header",
    is_flag=True,
    help="The first line is a row; columns are called by their numbers.",
)
@click.option(
    "--header-line",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="The line of the header, where titles stand above it.",
)
@click.option("--details", is_flag=True, help="The violations, as they stand.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=LIMIT,
    show_default=True,
    help="How much is shown of each kind.",
)
@shared_options("json")
def check_command(asked: Asked, **given: Any) -> int:
    """Hold LOG (perhaps .gz; - is standard input) against a lifecycle.

    LOG is CSV, JSON lines, a workbook (XLSX), or a log of process mining: XES, or OCEL
    2.0 as JSON, XML or SQLite.

    Each row is something that happened to an order. The check lists the steps that the
    lifecycle does not allow, the most common kinds first, and which rows it could not
    read; the rest is checked all the same. A step that was not allowed changes nothing,
    and what is not allowed after it in the same history is counted apart.

    Exit codes: 0 all was allowed, 5 something was not, 2 the log cannot be used, or all
    that could be read was allowed, but not all could be read, or perhaps not all was
    allowed.
    """
    lifecycles = [found_lifecycle(name) for name in dict.fromkeys(given["lifecycles"])]
    reading = _reading(given)
    began = perf_counter()
    try:
        with progress(None, given["log"]) as bar:
            checked = check_log(given["log"], lifecycles, reading, bar.reach)
    except KeyboardInterrupt:
        note("interrupted; a check changes nothing")
        return STOPPED
    seconds = round(perf_counter() - began, 3)
    language, limit = asked.language, given["limit"]
    if asked.as_json:
        print_json({**checked_data(checked, language, limit), "seconds": seconds})
    else:
        shown = checked_lines(
            checked, language, limit, reading.zone, details=given["details"]
        )
        for line in shown:
            say(line)
    return _exit(checked)


def _exit(checked: Checked) -> int:
    if not checked.findings.holds:
        return AUDIT
    return DONE if checked.holds else USAGE


def _reading(given: dict[str, Any]) -> LogReading:
    return LogReading(
        columns=_pairs("--map", given["columns"]),
        commands=_pairs("--command", given["commands"], last=True),
        outcomes=_pairs("--outcome", given["outcomes"], last=True),
        layout=Layout(
            form=given["form"],
            delimiter=_delimiter(given["delimiter"]),
            has_header=not given["no_header"],
            header_line=given["header_line"],
            sheet=given["sheet"],
        ),
        encoding=given["encoding"],
        zone=None if given["zone"] is None else zone_of(given["zone"]),
        time_format=given["time_format"],
        unit=given["unit"],
        decimal_comma=given["decimal_comma"],
        negative=given["negative"],
        order=given["order"],
        first=given["first"],
        any_id=given["any_id"],
        preset=None if given["preset"] is None else preset_called(given["preset"]),
        older_agreements=given["older_agreements"],
        keep=max(MOST, given["limit"]),
    )


def _pairs(
    option: str, texts: tuple[str, ...], *, last: bool = False
) -> dict[str, str]:
    """`A=B` each; the `last` equals sign parts them, or the first."""
    found: dict[str, str] = {}
    for text in map(_as_typed, texts):
        name, equals, value = text.rpartition("=") if last else text.partition("=")
        if not equals or not value:
            message = f"{option} {text!r}: NAME=VALUE is right"
            raise InvalidInput(message)
        if name in found:
            message = f"{option} {name}: given twice; once is right"
            raise InvalidInput(message)
        found[name] = value
    return found


def _as_typed(text: str) -> str:
    """`text` in UTF-8, whatever the locale made of it: logs speak Japanese."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    delimiter = _DELIMITERS.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        message = f"--delimiter {text!r}: one character is right, or tab"
        raise InvalidInput(message)
    return delimiter
