"""The figures of a simulation, in words and as data."""

from typing import Any

from kessai.cli.terminal.tables import print_pairs, print_table
from kessai.simulator import MEANINGS, Fault, Figures
from kessai.words import Words

VIOLATION = "violation"
word = Words("simulation.lines")

_COUNTS = ("worlds", "operations", "resolved", "orders", "recoveries", "discrepancies")


def print_figures(figures: Figures, seconds: float, language: str) -> None:
    """Print what was run, and how often each fault was injected."""
    if figures.faults:
        print_table(
            word("faults", language),
            word.each(language, "fault", "meaning", "times"),
            (
                [fault, MEANINGS(fault, language), f"{times:,}"]
                for fault in Fault
                if (times := figures.faults[fault])
            ),
            numbers=1,
        )
    share = figures.accepted / figures.commands if figures.commands else 0
    pairs = [
        ("commands", f"{figures.commands:,}"),
        ("accepted", f"{figures.accepted:,} ({share:.0%})"),
        *((name, f"{getattr(figures, name):,}") for name in _COUNTS),
        ("violations", "0" if figures.finding is None else "1"),
        ("excused", f"{figures.excused:,} ({figures.excused_share:.1%})"),
        ("seconds", f"{seconds:,.1f}"),
    ]
    print_pairs((word(name, language), value) for name, value in pairs)


def figures_data(
    figures: Figures, seconds: float, story: list[str], again: str | None
) -> dict[str, Any]:
    """The figures as JSON shows them, with the story of a violation."""
    finding = figures.finding
    data: dict[str, Any] = {
        "commands": figures.commands,
        "accepted": figures.accepted,
        **{name: getattr(figures, name) for name in _COUNTS},
        "excused": figures.excused,
        "faults": {fault.value: figures.faults[fault] for fault in figures.faults},
        "outcomes": dict(figures.outcomes),
        "seconds": round(seconds, 3),
        "violation": None,
    }
    if finding is not None:
        data["violation"] = {
            "code": finding.violation.code,
            "transaction": finding.violation.order,
            "detail": finding.violation.detail,
            "seed": finding.seed,
            "story": story,
            "again": again,
        }
    return data
