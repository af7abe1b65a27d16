"""Judges histories, one after the other."""

from collections.abc import Sequence

from kessai.audit.log_check.context import JudgingContext
from kessai.audit.log_check.entries import Entry
from kessai.audit.log_check.history import HistoryCheck


class Judge:
    """Judges histories by the terms of `bench`, and tells its findings."""

    def __init__(self, bench: JudgingContext) -> None:
        self._bench = bench

    def history(
        self,
        order: str,
        entries: Sequence[Entry],
        *,
        malformed: bool,
        note: bool = False,
    ) -> None:
        """Step through the history of `order`.

        `malformed` says that some of its rows could not be read; with `note` its states
        are remembered, for charges under it.
        """
        walk = HistoryCheck(self._bench, order, is_uncertain=malformed)
        for entry in entries:
            walk.step(entry)
            if note:
                self._note(order, entry, walk)
        findings = self._bench.findings
        findings.histories += 1
        findings.events += len(entries)
        findings.left_open += walk.left_open
        findings.histories_midway += walk.begins_midway
        times = [entry[0] for entry in entries]
        findings.spans(min(times), max(times))
        if malformed:
            findings.histories_uncertain += 1
        elif not walk.violations:
            findings.histories_allowed += 1

    def _note(self, order: str, entry: Entry, walk: HistoryCheck) -> None:
        self._bench.agreements.note(order, entry[0], entry[1], walk.transaction)
