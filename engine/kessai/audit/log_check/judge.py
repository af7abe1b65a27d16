"""Judges histories, one after the other."""

from collections.abc import Sequence

from kessai.audit.log_check.context import JudgingContext
from kessai.audit.log_check.entries import Entry
from kessai.audit.log_check.history import HistoryCheck


class Judge:
    """Judges histories by the terms of `context`, and adds to its findings."""

    def __init__(self, context: JudgingContext) -> None:
        self._context = context

    def history(
        self,
        order: str,
        entries: Sequence[Entry],
        *,
        malformed: bool,
        note: bool = False,
    ) -> None:
        """Step through the history of `order`.

        `malformed`: some of its rows could not be read. With `note` its states are
        remembered, for charges under it.
        """
        check = HistoryCheck(self._context, order, is_uncertain=malformed)
        for entry in entries:
            check.step(entry)
            if note:
                self._note(order, entry, check)
        findings = self._context.findings
        findings.histories += 1
        findings.events += len(entries)
        findings.left_open += check.left_open
        findings.histories_midway += check.begins_midway
        times = [entry[0] for entry in entries]
        findings.spans(min(times), max(times))
        if malformed:
            findings.histories_uncertain += 1
        elif not check.violations:
            findings.histories_allowed += 1

    def _note(self, order: str, entry: Entry, check: HistoryCheck) -> None:
        self._context.agreements.note(order, entry[0], entry[1], check.transaction)
