"""The finds of a report, one by one, as plain data: faults, open operations, …."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kessai.audit.reporting.facts import (
    Closing,
    Facts,
    LifecycleFigures,
    Outside,
    Waiting,
)
from kessai.audit.reporting.words import known_word
from kessai.audit.verification.report import AuditFault, FaultTally, FoundDiscrepancy
from kessai.evidence.reasons import discrepancy_sentence

T = TypeVar("T")
Show = Callable[[T], dict[str, Any]]


def found(finds: FaultTally[T], show: Show[T]) -> dict[str, Any]:
    """How many there are, and the first of them."""
    return {"count": finds.count, "first": [show(one) for one in finds.first]}


def finds(facts: Facts, language: str) -> dict[str, Any]:
    """All finds of a report, by kind."""
    show = _Show(facts, language)
    report = facts.report
    return {
        "faults": found(report.faults, show.fault),
        "open_operations": found(facts.waiting, show.operation),
        "discrepancies": found(report.discrepancies, show.discrepancy),
        "closed": found(facts.closed, show.resolution),
        "external": found(facts.outside, show.outside),
    }


def command_titles(
    lifecycles: Iterable[LifecycleFigures], language: str
) -> dict[str, str]:
    """What the commands of several lifecycles are called, by name."""
    return {
        command.name: command.title.in_language(language)
        for one in lifecycles
        for command in one.lifecycle.commands.values()
    }


class _Show:
    def __init__(self, facts: Facts, language: str) -> None:
        self._facts = facts
        self._language = language
        self._titles = command_titles(facts.lifecycles, language)
        self._reversals = {
            reversal.name: reversal.title.in_language(language)
            for figures in facts.lifecycles
            for reversal in figures.lifecycle.reversals.values()
        }

    def fault(self, fault: AuditFault) -> dict[str, Any]:
        return {
            "transaction": fault.transaction,
            "event": fault.number,
            "code": fault.code,
            "detail": fault.detail,
            "sentence": fault.sentence(self._language),
        }

    def operation(self, waiting: Waiting) -> dict[str, Any]:
        operation = waiting.operation
        age = (self._facts.at - operation.begun_at).total_seconds()
        return {
            "transaction": waiting.transaction,
            "operation": operation.id,
            "command": operation.command,
            "command_title": self._title(operation.command),
            "amount": operation.amount,
            "currency": waiting.currency,
            "phase": operation.phase.value,
            "phase_title": known_word(operation.phase, "_phase", self._language),
            "begun_at": operation.begun_at,
            "age_seconds": max(0.0, age),
        }

    def discrepancy(self, discrepancy: FoundDiscrepancy) -> dict[str, Any]:
        return {
            "transaction": discrepancy.transaction,
            "event": discrepancy.number,
            "reason": discrepancy.reason,
            "sentence": discrepancy_sentence(discrepancy.reason, self._language),
        }

    def resolution(self, closed: Closing) -> dict[str, Any]:
        return {
            "transaction": closed.transaction,
            "event": closed.number,
            "reason": closed.reason,
            "sentence": discrepancy_sentence(closed.reason, self._language),
            "at": closed.at,
            "actor": closed.actor,
            "note": closed.note,
        }

    def outside(self, outside: Outside) -> dict[str, Any]:
        return {
            "transaction": outside.transaction,
            "event": outside.number,
            "command": outside.command,
            "command_title": self._reversals[outside.command]
            if outside.is_reversal
            else self._title(outside.command),
            "is_reversal": outside.is_reversal,
            "amount": outside.amount,
            "currency": outside.currency,
            "at": outside.at,
            "source": outside.source,
            "source_title": known_word(outside.source, "_source", self._language),
        }

    def _title(self, command: str) -> str:
        return self._titles.get(command, command)
