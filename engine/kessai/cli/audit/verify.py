"""`kessai audit verify`: every chain checked, every transaction replayed."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.text import Text as Styled

from kessai.audit import Report, verify
from kessai.audit.verification.report import AuditFault, OpenOperation
from kessai.cli.audit.seals import public_key_option, read_seals
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import operation_data, print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.evidence.reasons import discrepancy_sentence
from kessai.words import Words

SHOWN = 20
"""How many finds of a kind are shown to a person; `--json` has more."""

_WORDS, _phase = Words("audit_verify"), Words("recovery")


@click.command("verify")
@click.option(
    "--seal",
    "sealed",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A seal that every chain must go on from; may be given several times.",
)
@public_key_option
@shared_options("db", "json")
def verify_command(
    asked: Asked, sealed: tuple[Path, ...], public_key: str | None
) -> int:
    """Check every chain, replay every transaction, decide every step again.

    With a seal, what the database's owner could have written anew is found as well: a
    chain that is another, a transaction that is gone, an old backup.

    Exit code 5 if one does not hold; each is named with its first bad event.
    """
    seals = read_seals(sealed, public_key)
    language = asked.language
    with opened_store(asked.db, to_read=True) as store:
        started = perf_counter()
        report = verify(store, seals=seals)
        seconds = round(perf_counter() - started, 3)
    if asked.as_json:
        print_json({**report_data(report, language), "seconds": seconds})
    else:
        for line in report_lines(report, language):
            say(line)
    return DONE if report.holds else AUDIT


def report_data(report: Report, language: str) -> dict[str, Any]:
    """A report as JSON shows it: all counts, and the first finds of each kind."""
    return {
        "holds": report.holds,
        "trails": report.trails,
        "archived": report.archived,
        "unsealed": report.unsealed,
        "transactions": report.transactions,
        "events": report.events,
        "accounts": report.accounts,
        "kinds": report.kinds,
        "faults": report.faults.data(lambda fault: fault.data(language)),
        "discrepancies": report.discrepancies.data(lambda found: found.data(language)),
        "open_operations": report.open_operations.data(_open_data),
        "seals": [
            {
                "file": seal.path,
                "time": seal.time,
                "chains": seal.chains,
                "events": seal.events,
                "follows_unknown": seal.follows_unknown,
            }
            for seal in report.seals
        ],
    }


def _open_data(found: OpenOperation) -> dict[str, Any]:
    return {"transaction": found.transaction, **operation_data(found.operation)}


def report_counts(report: Report) -> dict[str, str]:
    """The numbers in the sentences about a report; others are counted apart."""
    counts = {
        "trails": report.trails,
        "transactions": report.transactions,
        "events": report.events,
        "faults": report.faults.count - report.files - report.objects,
    }
    return {name: f"{count:,}" for name, count in counts.items()}


def never_opened_lines(report: Report, language: str) -> Iterator[str]:
    """How many trails have no transaction, if any have none."""
    if count := report.trails - report.transactions - report.archived:
        yield "  " + _WORDS("never_opened", language, count=f"{count:,}")


def report_lines(report: Report, language: str) -> Iterator[str | Styled]:
    """A report in a few lines for a person."""
    words = _WORDS.in_language(language)
    counts = report_counts(report)
    if report.holds:
        yield Styled("✓ ", "green") + words["holds"].format_map(counts)
        yield from never_opened_lines(report, language)
    else:
        yield Styled("✗ ", "red") + words["faulty"].format_map(counts)
    for what, count in (("files", report.files), ("objects", report.objects)):
        if count:
            yield "  " + words[what].format(count=f"{count:,}")
    faults = (_fault(each, words, language) for each in report.faults.first)
    yield from _first(report.faults.count, faults, words)
    yield from _seal_lines(report, words)
    if len(report.accounts) > 1:
        for account, number in report.accounts.items():
            values = {"account": account, "count": f"{number:,}"}
            yield Styled(f"  {words['account'].format_map(values)}", "dim")
    if report.kinds:
        kinds = (f"{words[kind]} {count:,}" for kind, count in report.kinds.items())
        yield Styled(f"  {' · '.join(kinds)}", "dim")
    discrepancies = (
        f"{found.transaction} {words['event']} {found.number}:"
        f" {discrepancy_sentence(found.reason, language)}"
        for found in report.discrepancies.first
    )
    number = report.discrepancies.count
    yield from _first(number, discrepancies, words, "found_discrepancies")
    still = (
        _still_open(found, words, language) for found in report.open_operations.first
    )
    yield from _first(report.open_operations.count, still, words, "open")


def _first(
    count: int,
    lines: Iterable[str | Styled],
    words: Mapping[str, str],
    heading: str = "",
) -> Iterator[str | Styled]:
    """The first finds of a kind, a line each, below their number; nothing for none."""
    if count and heading:
        yield words[heading].format(count=f"{count:,}")
    for line in islice(lines, SHOWN):
        yield Styled("  ") + line
    if count > SHOWN:
        yield "  " + words["more"].format(count=f"{count - SHOWN:,}")


def _fault(fault: AuditFault, words: Mapping[str, str], language: str) -> Styled:
    where = "" if fault.number is None else f" {words['event']} {fault.number}"
    return (
        Styled(f"{fault.transaction}{where}", "bold") + f": {fault.sentence(language)}"
    )


def _still_open(found: OpenOperation, words: Mapping[str, str], language: str) -> str:
    operation, phase = found.operation, _phase(found.operation.phase, language)
    since = f"{words['since']} {operation.begun_at:%Y-%m-%d %H:%M:%SZ}"
    return f"{found.transaction}: {operation.command}, {phase}, {since}"


def _seal_lines(report: Report, words: Mapping[str, str]) -> Iterator[str | Styled]:
    for seal in report.seals:
        yield words["sealed"].format(
            time=f"{seal.time:%Y-%m-%d %H:%M:%SZ}",
            chains=f"{seal.chains:,}",
            path=seal.path,
        )
        if seal.follows_unknown:
            yield Styled(words["unknown_seal"], "yellow")
    if report.unsealed:
        count = f"{report.unsealed:,}"
        yield Styled(words["unsealed"].format(count=count), "yellow")
