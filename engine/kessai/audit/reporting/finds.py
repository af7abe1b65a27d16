"""The finds of a report, one by one, as plain data: faults, open operations, …."""

from collections.abc import Iterable
from typing import Any

import attrs

from kessai.audit.reporting.facts import Facts, LifecycleFigures, Outside, Waiting
from kessai.audit.reporting.words import known_word

Plain = dict[str, Any]


def finds(facts: Facts, language: str) -> Plain:
    """All finds of a report, by kind: how many there are, and the first of them."""
    show = _Show(facts, language)
    report = facts.report
    return {
        "faults": report.faults.data(lambda fault: fault.data(language)),
        "open_operations": facts.waiting.data(show.operation),
        "discrepancies": report.discrepancies.data(lambda found: found.data(language)),
        "closed": facts.closed.data(lambda closed: closed.data(language)),
        "external": facts.outside.data(show.outside),
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
        self._at = facts.at
        self._language = language
        self._titles = command_titles(facts.lifecycles, language)
        self._reversals = {
            reversal.name: reversal.title.in_language(language)
            for figures in facts.lifecycles
            for reversal in figures.lifecycle.reversals.values()
        }

    def operation(self, waiting: Waiting) -> Plain:
        operation = waiting.operation
        age = (self._at - operation.begun_at).total_seconds()
        return {
            "transaction": waiting.transaction,
            "operation": operation.id,
            "command": operation.command,
            "command_title": self._titles.get(operation.command, operation.command),
            "amount": operation.amount,
            "currency": waiting.currency,
            "phase": operation.phase.value,
            "phase_title": known_word(operation.phase, "_phase", self._language),
            "begun_at": operation.begun_at,
            "age_seconds": max(0.0, age),
        }

    def outside(self, outside: Outside) -> Plain:
        titles = self._reversals if outside.is_reversal else self._titles
        data = attrs.asdict(outside)
        return {
            "event": data.pop("number"),
            **data,
            "command_title": titles.get(outside.command, outside.command),
            "source_title": known_word(outside.source, "_source", self._language),
        }
