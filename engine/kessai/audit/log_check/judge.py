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
        self, order: str, entries: list[Entry], *, malformed: bool, note: bool = False
    ) -> None:
        """Step through the history of `order`.

        `malformed`: some of its rows could not be read. With `note` its states are
        remembered, for charges under it.
        """
        context = self._context
        unsure = context.order.sort(entries)
        check = HistoryCheck(context, order, is_uncertain=malformed)
        if note and check.begin_as_older(entries[0]):
            context.agreements.note_older(order)
        for index, entry in enumerate(entries):
            if index == unsure:
                check.is_uncertain = True
            check.step(entry)
            if note:
                context.agreements.note(order, entry, check.transaction)
        self._count(entries, check, malformed=malformed, unsure=unsure is not None)

    def _count(
        self,
        entries: Sequence[Entry],
        check: HistoryCheck,
        *,
        malformed: bool,
        unsure: bool,
    ) -> None:
        findings = self._context.findings
        findings.histories += 1
        findings.events += len(entries)
        findings.left_open += check.left_open
        findings.histories_midway += check.begins_midway
        findings.histories_unsure += unsure
        times = [entry[0] for entry in entries]
        findings.spans(min(times), max(times))
        if malformed or (check.violations and not check.violations_for_sure):
            findings.histories_uncertain += 1
        elif not check.violations:
            findings.histories_allowed += 1
