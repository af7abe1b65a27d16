"""The whole check of a log: opened, read, grouped, judged."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from kessai.audit.log_check.columns import Columns, find_columns
from kessai.audit.log_check.context import JudgingContext, LogTerms
from kessai.audit.log_check.entries import Entries
from kessai.audit.log_check.findings import Findings
from kessai.audit.log_check.formats.read import log_table
from kessai.audit.log_check.formats.table import LogTable, Unit
from kessai.audit.log_check.grouped import Grouped
from kessai.audit.log_check.judge import Judge
from kessai.audit.log_check.needs import check_needs, currencies_of
from kessai.audit.log_check.notes import Assumed, notes_of
from kessai.audit.log_check.ordering import FileDirection, RowOrder
from kessai.audit.log_check.reading import LogReading, readers_for
from kessai.audit.log_check.words import Note
from kessai.errors import InvalidInput
from kessai.machine import Machine, Machines
from kessai.spec import Lifecycle

Progress = Callable[[int], None]

_EVERY = 5_000


@attrs.frozen(kw_only=True)
class Checked:
    """What came of a check: the findings, how the log was read, what was assumed."""

    findings: Findings
    notes: tuple[Note, ...]
    columns: Columns
    form: str
    unit: Unit
    encoding: str
    delimiter: str | None
    lifecycles: tuple[Lifecycle, ...]

    @property
    def holds(self) -> bool:
        """Whether all of the log was read, and surely allowed."""
        findings = self.findings
        return findings.holds and not findings.bad_rows and not findings.uncertain


def check_log(
    path: str,
    lifecycles: Sequence[Lifecycle],
    reading: LogReading | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Check the log at `path` (`-`: standard input) against `lifecycles`.

    `progress` is called now and then with the number of rows read.

    Raises:
        InvalidInput: the log cannot be used at all, or `reading` is wrong.

    """
    reading = reading or LogReading()
    machines = {m.name: m for m in Machines(lifecycles).current}
    currencies_of(machines)  # or raise now if they do not go together
    commands = {name for machine in machines.values() for name in machine.commands}
    reading = reading.with_preset(commands)
    order = reading.columns.get("order")
    with log_table(path, reading.layout, reading.encoding, order) as table:
        known = reading.preset
        preset = {} if known is None else known.columns_in(table.header, commands)
        given = {**table.fields, **preset, **reading.columns}
        columns = find_columns(table.header, given, machines.values())
        check_needs(columns, machines, reading)
        return _LogCheck(machines, reading, table, columns).run(progress)


class _LogCheck:
    """One check, from its readers to its findings."""

    def __init__(
        self,
        machines: Mapping[str, Machine],
        reading: LogReading,
        table: LogTable,
        columns: Columns,
    ) -> None:
        self._machines = machines
        self._reading = reading
        self._table = table
        self._columns = columns
        self._readers = readers_for(machines, reading, columns)
        self._malformed: set[str] = set()
        self._agreements: set[str] = set()
        self._twice = 0

    def run(self, progress: Progress | None) -> Checked:
        reading = self._reading
        classifier = self._readers.classifier
        terms = LogTerms(
            machines=self._machines,
            has_columns=frozenset(self._columns.places),
            any_id=reading.any_id or self._columns.has_joined_orders,
            older_agreements=reading.older_agreements,
        )
        findings, direction = Findings(most=reading.keep), FileDirection()
        with Grouped(reading.in_memory) as grouped:
            self._take_in(findings, grouped, direction, progress)
            order = self._order(direction)
            context = JudgingContext(terms, classifier.classes, order, findings)
            self._judge(Judge(context), grouped)
        if not (findings.events or findings.bad_rows or findings.left_out):
            message = "the log has a header and no rows"
            raise InvalidInput(message)
        done = Assumed(
            reading=reading,
            columns=self._columns,
            readers=self._readers,
            encoding=self._table.encoding,
            terms=terms,
            findings=findings,
            is_newest_first=direction.first == "newest",
            twice=self._twice,
        )
        return Checked(
            findings=findings,
            notes=tuple(notes_of(done)),
            columns=self._columns,
            form=self._table.form,
            unit=self._table.unit,
            encoding=self._table.encoding,
            delimiter=self._table.delimiter,
            lifecycles=tuple(m.lifecycle for m in self._machines.values()),
        )

    def _order(self, direction: FileDirection) -> RowOrder:
        """By time, the file's order among rows of one time; or the file's alone."""
        by_time = self._reading.order == "time"
        found = direction.first if by_time else "oldest"
        return RowOrder(by_time, self._reading.first or found)

    def _take_in(
        self,
        findings: Findings,
        grouped: Grouped,
        direction: FileDirection,
        progress: Progress | None,
    ) -> None:
        damaged = self._table.encoding if self._table.is_damaged else ""
        entries = Entries(self._table.header, self._columns, self._readers, damaged)
        wants_agreements = "agreement" in self._columns.places
        add, see, read = grouped.add, direction.see, 0
        for found in entries.read(self._table.rows(self._columns.used)):
            read += 1
            if progress is not None and read % _EVERY == 0:
                progress(read)
            if len(found) == 2:  # noqa: PLR2004 - an order and its entry
                name, entry = found
                add(name, entry)
                see(name, entry)
                if wants_agreements and entry[5] is not None and entry[5][0]:
                    self._agreements.add(entry[5][0])
                continue
            line, order, wrong = found
            findings.bad_row(line, wrong)
            if order is not None:
                self._malformed.add(order)
        findings.left_out, self._twice = entries.left_out, entries.twice

    def _judge(self, judge: Judge, grouped: Grouped) -> None:
        """Agreements first: a charge is judged by how its agreement stood then."""
        malformed, first = self._malformed, self._agreements
        if first:
            for order, entries in grouped.histories():
                if order in first:
                    judge.history(
                        order, entries, malformed=order in malformed, note=True
                    )
        for order, entries in grouped.histories():
            if order not in first:
                judge.history(order, entries, malformed=order in malformed)
