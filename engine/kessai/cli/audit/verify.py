"""`kessai audit verify`: every chain checked, every transaction replayed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from kessai.audit import OpenOperation, Report, verify
from kessai.audit.verification.report import FaultTally
from kessai.cli.audit.seals import public_key_option, read_seals
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.gateways import opened_store
from kessai.cli.terminal.options import db_option, output_options
from kessai.cli.terminal.output import operation_data, print_json, say
from kessai.evidence.reasons import discrepancy_sentence
from kessai.words import Words

SHOWN = 20
"""How many finds of a kind are shown to a person; `--json` has more."""

_WORDS = Words("audit_verify")


@click.command("verify")
@db_option
@click.option(
    "--seal",
    "sealed",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A seal that every chain must go on from; may be given several times.",
)
@public_key_option
@output_options
def verify_command(
    db: str,
    sealed: tuple[Path, ...],
    public_key: str | None,
    language: str,
    *,
    as_json: bool,
) -> int:
    """Check every chain, replay every transaction, decide every step again.

    With a seal, what the database's owner could have written anew is found as well: a
    chain that is another, a transaction that is gone, an old backup.

    Exit code 5 if one does not hold; each is named with its first bad event.
    """
    seals = read_seals(sealed, public_key)
    store = opened_store(db, must_exist=True)
    started = perf_counter()
    try:
        report = verify(store, seals=seals)
    finally:
        store.close()
    seconds = round(perf_counter() - started, 3)
    if as_json:
        print_json({**report_data(report, language), "seconds": seconds})
    else:
        for line in report_lines(report, language):
            say(line)
    return DONE if report.holds else AUDIT


def report_data(report: Report, language: str) -> dict[str, Any]:
    """A report as JSON shows it: all counts, and the first finds of each kind."""
    return {
        "holds": report.holds,
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


def report_lines(report: Report, language: str) -> Iterator[str]:
    """A report in a few lines for a person."""
    words = _WORDS.in_language(language)
    counts = {
        "transactions": f"{report.transactions:,}",
        "events": f"{report.events:,}",
        "faults": f"{report.faults.count:,}",
    }
    if report.holds:
        yield click.style("✓ ", fg="green") + words["holds"].format_map(counts)
    else:
        yield click.style("✗ ", fg="red") + words["faulty"].format_map(counts)
        yield from _fault_lines(report, language)
    yield from _seal_lines(report, words)
    if len(report.accounts) > 1:
        for account, number in report.accounts.items():
            values = {"account": account, "count": f"{number:,}"}
            yield click.style(f"  {words['account'].format_map(values)}", dim=True)
    if report.kinds:
        kinds = (f"{words[kind]} {count:,}" for kind, count in report.kinds.items())
        yield click.style(f"  {' · '.join(kinds)}", dim=True)
    yield from _discrepancy_lines(report, language)
    yield from _open_lines(report, words)


def _seal_lines(report: Report, words: Mapping[str, str]) -> Iterator[str]:
    for seal in report.seals:
        yield words["sealed"].format(
            time=f"{seal.time:%Y-%m-%d %H:%M:%SZ}",
            chains=f"{seal.chains:,}",
            path=seal.path,
        )
        if seal.follows_unknown:
            yield click.style(words["unknown_seal"], fg="yellow")


def _fault_lines(report: Report, language: str) -> Iterator[str]:
    words = _WORDS.in_language(language)
    for fault in report.faults.first[:SHOWN]:
        where = "" if fault.number is None else f" {words['event']} {fault.number}"
        name = click.style(f"{fault.transaction}{where}", bold=True)
        yield f"  {name}: {fault.sentence(language)}"
    yield from _rest(report.faults, words)


def _discrepancy_lines(report: Report, language: str) -> Iterator[str]:
    if not report.discrepancies.count:
        return
    words = _WORDS.in_language(language)
    yield words["found_discrepancies"].format(count=f"{report.discrepancies.count:,}")
    for found in report.discrepancies.first[:SHOWN]:
        sentence = discrepancy_sentence(found.reason, language)
        yield f"  {found.transaction} {words['event']} {found.number}: {sentence}"
    yield from _rest(report.discrepancies, words)


def _open_lines(report: Report, words: Mapping[str, str]) -> Iterator[str]:
    if not report.open_operations.count:
        return
    yield words["open"].format(count=f"{report.open_operations.count:,}")
    for found in report.open_operations.first[:SHOWN]:
        operation = found.operation
        since = f"{words['since']} {operation.begun_at:%Y-%m-%d %H:%M:%SZ}"
        yield f"  {found.transaction}: {operation.command}, {operation.phase}, {since}"
    yield from _rest(report.open_operations, words)


def _rest(found: FaultTally[Any], words: Mapping[str, str]) -> Iterator[str]:
    if found.count > SHOWN:
        yield "  " + words["more"].format(count=f"{found.count - SHOWN:,}")
