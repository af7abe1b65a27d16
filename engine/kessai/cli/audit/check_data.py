"""What `kessai audit check --json` prints: amounts in minor units, times in UTC."""

from itertools import islice
from typing import Any

from kessai.audit.log_check import Checked, Findings, LogViolation
from kessai.cli.terminal.output import bounds_data, reasons_data


def checked_data(checked: Checked, language: str, limit: int) -> dict[str, Any]:
    """The result as JSON shows it: amounts in minor units, times in UTC."""
    findings = checked.findings
    details = list(islice(findings.in_file_order(), limit))
    return {
        "holds": checked.holds,
        "lifecycles": [
            {"name": each.name, "hash": each.hash} for each in checked.lifecycles
        ],
        "read": {
            "format": checked.form,
            "unit": checked.unit,
            "encoding": checked.encoding,
            "delimiter": checked.delimiter,
            "columns": checked.columns.named,
            "guessed": checked.columns.guessed,
        },
        "notes": [
            {"code": note.code, "sentence": note.sentence(language)}
            for note in checked.notes
        ],
        "histories": {
            "count": findings.histories,
            "allowed": findings.histories_allowed,
            "uncertain": findings.histories_uncertain,
            "without_opening": findings.histories_midway,
            "of_unsure_order": findings.histories_unsure,
        },
        "events": _event_counts(findings),
        "first": findings.first,
        "last": findings.last,
        "violations": [
            {"count": group.count, **_violation_data(group.example, language)}
            for group in findings.most_common()
        ],
        "details": [
            {
                "after_another": found.is_after,
                "uncertain": found.is_uncertain,
                **_violation_data(found, language),
            }
            for found in details
        ],
        "details_left_out": findings.not_allowed - len(details),
        "bad_rows": {
            "count": findings.bad_rows,
            "kinds": [
                {
                    "code": rows.example.code,
                    "count": rows.count,
                    "lines": rows.lines,
                    "sentence": rows.sentence(language),
                }
                for rows in findings.most_common_bad()
            ],
        },
    }


def _event_counts(findings: Findings) -> dict[str, Any]:
    return {
        "count": findings.events,
        "allowed": findings.allowed,
        "not_allowed": findings.violations,
        "not_allowed_after_another": findings.after,
        "uncertain": findings.uncertain,
        "denied": findings.refused,
        "denied_though_allowed": findings.refused_though_allowed,
        "declined_and_not_allowed": findings.declined_anyway,
        "repeated": findings.repeated,
        "left_open": findings.left_open,
        "left_out": findings.left_out,
    }


def _violation_data(found: LogViolation, language: str) -> dict[str, Any]:
    return {
        "order": found.order,
        "line": found.line,
        "at": found.at,
        "lifecycle": found.lifecycle or None,
        "command": found.command,
        "amount": found.amount,
        "states": found.states,
        "bounds": bounds_data(found.bounds),
        **reasons_data(found.denial, language),
    }
