"""`kessai audit report`: what was declared, reached, denied and tested."""

import sys
from pathlib import Path

import click

from kessai.audit.reporting import FORMATS, Facts, gather, render
from kessai.cli.audit.coverage import read_all
from kessai.cli.audit.verify import never_opened_lines, report_counts
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.options import Asked, out_option, shared_options
from kessai.cli.terminal.output import free_place, note, writing
from kessai.cli.terminal.stores import opened_store, shown_store
from kessai.cli.zones import moment_of
from kessai.driver import utc_now
from kessai.errors import InvalidInput
from kessai.shell import shipped_lifecycles
from kessai.words import Words

_word = Words("audit_report")


@click.command("report")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=None,
    help="A page for auditors (unless another is given), or data: one object, or one"
    " long table.",
)
@out_option("Where to write it; standard output unless given. Never half a file.")
@click.option(
    "--coverage",
    "coverage_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="What `pytest --kessai-coverage=FILE` wrote, to show what is tested. May be"
    " given again.",
)
@click.option(
    "--at",
    default=None,
    metavar="TIME",
    help="The moment that the report speaks of, such as 2026-01-31T09:00:00Z; now"
    " unless given. The same store and TIME give the same report.",
)
@shared_options("db", "json")
def report_command(
    asked: Asked,
    form: str | None,
    out: Path | None,
    *,
    force: bool,
    coverage_files: tuple[Path, ...],
    at: str | None,
) -> int:
    """Report what was declared, reached, denied and tested, and whether it all holds.

    Everything is verified on the way. Exit code 5 if something does not hold; the
    report is written all the same, and lists the faults.
    """
    if asked.as_json and form not in {None, "json"}:
        message = f"--json: {form} is asked for, too; give one of them"
        raise InvalidInput(message)
    form = form or ("json" if asked.as_json else "html")
    moment = utc_now() if at is None else moment_of(at, None, "--at")
    coverage = read_all(coverage_files) if coverage_files else None
    _check_place(form, out)
    place, known = shown_store(asked.db), shipped_lifecycles()
    with writing(out, force=force) as file:
        with opened_store(asked.db, to_read=True) as store:
            facts = gather(store, place, moment, coverage=coverage, known=known)
        file.write(render(facts, form, asked.language).encode())
    if out is not None:
        _summarize(facts, out, asked.language)
    return DONE if facts.report.holds else AUDIT


def _check_place(form: str, out: Path | None) -> None:
    """Find out before the work, not after it, that there is no place for the report."""
    if out is not None:
        free_place("--out", out, replace=True)
    if out is None and form == "html" and sys.stdout.isatty():
        message = "a page is for a browser: give --out FILE, or --format json or csv"
        raise InvalidInput(message)


def _summarize(facts: Facts, out: Path, language: str) -> None:
    report = facts.report
    verdict = "holds" if report.holds else "faulty"
    note(_word(verdict, language, out=out, **report_counts(report)))
    for line in never_opened_lines(report, language):
        note(line)
