"""What was guessed, presumed or taken as given in a check: all of it is reported."""

from collections.abc import Iterator, Sequence

import attrs

from kessai.audit.log_check.columns import Columns
from kessai.audit.log_check.context import LogTerms
from kessai.audit.log_check.entries import Readers
from kessai.audit.log_check.findings import Findings
from kessai.audit.log_check.reading import LogReading
from kessai.audit.log_check.times import Times
from kessai.audit.log_check.words import Note, joined, shown
from kessai.machine.compile import CompiledCommand

_MOST_PAIRS = 30
_MOST_NAMES = 5


@attrs.frozen(kw_only=True)
class Assumed:
    """A check that is done, and all that it went by."""

    reading: LogReading
    columns: Columns
    readers: Readers
    encoding: str
    terms: LogTerms
    findings: Findings
    is_newest_first: bool
    twice: int


def notes_of(done: Assumed) -> Iterator[Note]:
    """What was assumed in a check."""
    columns, readers = done.columns, done.readers
    if done.reading.preset is not None:
        yield Note("preset", {"about": done.reading.preset.about})
    if columns.guessed:
        pairs = ((f, shown(columns.named[f])) for f in columns.guessed)
        yield Note("guessed", {"columns": joined(pairs)})
    yield from _of_commands(readers)
    if "outcome" not in columns.places:
        yield Note("no_outcome")
    elif readers.classifier.has_blank_outcomes:
        yield Note("blank_outcomes")
    if readers.classifier.has_blank_currencies:
        yield Note("blank_currencies")
    yield from _of_times(readers.times, done.reading)
    yield from _of_order(done)
    if done.encoding != "UTF-8":
        yield Note("encoding", {"encoding": done.encoding})
    yield from _of_terms(done.terms, _used(done))
    yield from _of_findings(done)


def _of_commands(readers: Readers) -> Iterator[Note]:
    pairs = sorted(
        (shown(text), "+".join((meaning.command or "-", *meaning.flags)))
        for text, meaning in readers.classifier.read_as.items()
        if text != meaning.command
    )
    if pairs:
        yield Note("commands", {"commands": joined(pairs[:_MOST_PAIRS])})


def _of_times(times: Times, reading: LogReading) -> Iterator[Note]:
    if times.has_local and reading.zone is None:
        yield Note("utc")
    elif times.has_local:
        yield Note("zone", {"zone": str(reading.zone)})


def _of_order(done: Assumed) -> Iterator[Note]:
    reading = done.reading
    if done.is_newest_first and reading.first is None:
        yield Note("newest_first" if reading.order == "time" else "not_reversed")
    if done.twice:
        yield Note("twice", {"count": f"{done.twice:,}"})
    if done.readers.times.has_days:
        yield Note("whole_days")


def _used(done: Assumed) -> list[CompiledCommand]:
    """The commands that the log has."""
    used = {kind.command for kind in done.readers.classifier.classes}
    return [
        rule
        for machine in done.terms.machines.values()
        for name, rule in machine.commands.items()
        if name in used
    ]


def _of_terms(terms: LogTerms, rules: Sequence[CompiledCommand]) -> Iterator[Note]:
    missing = {p for r in rules for p in r.spec.required} - terms.has_columns
    if missing:
        yield Note("parameters_given", {"parameters": ", ".join(sorted(missing))})
    if any(r.spec.agreement and not terms.judges(r) for r in rules):
        yield Note("agreements_given")
    if terms.any_id:
        yield Note("no_order_id")


def _of_findings(done: Assumed) -> Iterator[Note]:
    findings = done.findings
    if any("transaction_id_invalid" in key[2] for key in findings.groups):
        yield Note("order_ids")
    if ignored := findings.ignored_amounts:
        yield Note("amounts_ignored", {"commands": ", ".join(sorted(ignored))})
    if blank := findings.blank_amounts:
        counts = joined((name, f"{blank[name]:,}") for name in sorted(blank))
        yield Note("blank_amounts", {"commands": counts})
    if older := sorted(findings.older_agreements):
        names = ", ".join(map(shown, older[:_MOST_NAMES]))
        code = "older_agreements" if done.terms.older_agreements else "no_agreements"
        yield Note(code, {"count": f"{len(older):,}", "names": names})
    if findings.histories_midway:
        count = f"{findings.histories_midway:,}"
        yield Note("begins_midway", {"count": count})
