"""The report as one long table: a figure a row, for spreadsheets and other programs."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from kessai.audit.reporting.facts import Facts
from kessai.audit.reporting.plain import plain
from kessai.spreadsheet import safe_cell

COLUMNS = (
    "section",
    "lifecycle",
    "lifecycle_hash",
    "state",
    "command",
    "target",
    "condition",
    "code",
    "rule",
    "transaction",
    "event",
    "measure",
    "value",
    "sentence",
)
"""What each row has; a field that does not apply to a figure is empty."""

_MATRIX = ("reached", "declined", "denied", "tested", "tested_denied")
_MOVE = ("succeeded", "tested")
_STATE = (
    "entered",
    "standing",
    "ended",
    "median_seconds",
    "p90_seconds",
    "longest_seconds",
)
_DEADLINE = ("lapsed_by_clock", "lapsed_at_gateway", "denied_late", "tested")
_FINDS = ("faults", "open_operations", "discrepancies", "closed", "external")

Row = Mapping[str, Any]


def as_csv(facts: Facts, language: str) -> str:
    """The report as CSV with a line of headings."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(facts, language):
        writer.writerow(safe_cell(row.get(column)) for column in COLUMNS)
    return out.getvalue()


def rows(facts: Facts, language: str) -> Iterator[Row]:
    """Every figure of the report, with what it is a figure of."""
    data = plain(facts, language)
    for measure in ("store", "at", "first", "last", "heads", "kessai"):
        value = data[measure]
        yield {"section": "report", "measure": measure, "value": value}
    for measure in ("holds", "transactions", "events"):
        yield {"section": "report", "measure": measure, "value": data[measure]}
    for day in data["days"]:
        for measure in ("begun", "denied"):
            about = {"section": "day", "code": day["day"].isoformat()}
            yield {**about, "measure": measure, "value": day[measure]}
    for one in data["lifecycles"]:
        about = {"lifecycle": one["name"], "lifecycle_hash": one["hash"]}
        yield from ({**about, **row} for row in _lifecycle(one))
    yield from _refusals(data["unbound_refusals"])
    for kind in _FINDS:
        yield {"section": kind, "measure": "count", "value": data[kind]["count"]}
        yield from (_find(kind, find) for find in data[kind]["first"])


def _lifecycle(data: Mapping[str, Any]) -> Iterator[Row]:
    for measure in ("transactions", "events"):
        yield {"section": "lifecycle", "measure": measure, "value": data[measure]}
    for cell in data["matrix"]:
        yield from _measures(
            "matrix", cell, _MATRIX, f"{cell['track']}.{cell['state']}"
        )
    for move in data["moves"]:
        source = f"{move['track']}.{move['source']}"
        yield from _measures("move", move, _MOVE, source)
    for state in data["states"]:
        named = f"{state['track']}.{state['state']}"
        yield from _measures("state", state, _STATE, named)
    for here in data["amounts"]:
        yield from _amounts(here)
    for deadline in data["deadlines"]:
        about = {**deadline, "code": deadline["deadline"]}
        yield from _measures("deadline", about, _DEADLINE, deadline["state"])
    yield from _refusals(data["refusals"])
    yield from _sentences(data)


def _sentences(data: Mapping[str, Any]) -> Iterator[Row]:
    """What has no figure but that it is there: a rule, a point never tested."""
    for rule in data["rules"]:
        yield {"section": "rule", "rule": rule["code"], "sentence": rule["sentence"]}
    for point in (data["coverage"] or {"never": ()})["never"]:
        yield {
            "section": "never_tested",
            "code": point["id"],
            "rule": point["rule"],
            "measure": "count",
            "value": 0,
            "sentence": point["sentence"],
        }


def _measures(
    section: str, about: Row, measures: tuple[str, ...], state: str
) -> Iterator[Row]:
    target = about.get("target")
    for measure in measures:
        if about[measure] is not None:
            yield {
                "section": section,
                "state": state,
                "command": about.get("command", ""),
                "target": f"{about['track']}.{target}" if target else "",
                "condition": about.get("when", ""),
                "code": about.get("code", ""),
                "rule": about.get("rule", ""),
                "measure": measure,
                "value": about[measure],
            }


def _amounts(here: Row) -> Iterator[Row]:
    about = {"section": "amount", "state": here["status"]}
    yield {**about, "measure": "transactions", "value": here["transactions"]}
    for name, total in here["sums"].items():
        yield {**about, "measure": name, "code": here["currency"], "value": total}


def _refusals(refusals: list[Row]) -> Iterator[Row]:
    for refusal in refusals:
        yield {
            "section": "denial",
            "command": refusal["command"],
            "code": refusal["code"],
            "rule": refusal["rule"],
            "measure": "count",
            "value": refusal["count"],
            "sentence": refusal["sentence"],
        }


def _find(kind: str, find: Row) -> Row:
    code = find.get("code") or find.get("reason") or find.get("phase") or ""
    return {
        "section": kind,
        "transaction": find["transaction"],
        "event": find.get("event", find.get("operation")),
        "command": find.get("command", ""),
        "code": code,
        "measure": "amount" if "amount" in find else "",
        "value": find.get("amount"),
        "sentence": find.get("sentence", ""),
    }
