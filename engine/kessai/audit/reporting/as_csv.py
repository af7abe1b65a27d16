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
    "object",
    "event",
    "measure",
    "value",
    "sentence",
)
"""What each row has; a field that does not apply to a figure is empty."""

_REPORT = (
    *("store", "at", "first", "last", "heads", "kessai"),
    *("holds", "trails", "transactions", "events"),
)
_TABLES = {
    # what is measured of each row of these tables of a lifecycle
    "matrix": ("matrix", ("reached", "declined", "denied", "tested", "tested_denied")),
    "moves": ("move", ("succeeded", "tested")),
    "states": (
        "state",
        (
            *("entered", "standing", "ended"),
            *("median_seconds", "p90_seconds", "longest_seconds"),
        ),
    ),
    "amounts": ("amount", ("transactions",)),
    "deadlines": (
        "deadline",
        ("lapsed_by_clock", "lapsed_at_gateway", "denied_late", "tested"),
    ),
}
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
    for measure in _REPORT:
        yield {"section": "report", "measure": measure, "value": data[measure]}
    for account, number in data["accounts"].items():
        about = {"section": "account", "code": account}
        yield {**about, "measure": "transactions", "value": number}
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
    for table, (section, measures) in _TABLES.items():
        for one in data[table]:
            yield from _measures(section, one, measures)
    yield from _refusals(data["refusals"])
    yield from _sentences(data)


def _sentences(data: Mapping[str, Any]) -> Iterator[Row]:
    """What has no figure but that it is there: a rule, a point never tested."""
    for rule in data["rules"]:
        yield {"section": "rule", "rule": rule["code"], "sentence": rule["sentence"]}
    for point in (data["coverage"] or {"never": ()})["never"]:
        about = {"section": "never_tested", "code": point["id"], "measure": "count"}
        yield {**point, **about, "value": 0}


def _measures(section: str, one: Row, measures: tuple[str, ...]) -> Iterator[Row]:
    """A row for each figure of one row of a table of a lifecycle."""
    track, target = one.get("track"), one.get("target")
    state = one.get("status") or one.get("source") or one["state"]
    about = {
        "section": section,
        "state": f"{track}.{state}" if track else state,
        "command": one.get("command"),
        "target": f"{track}.{target}" if target else "",
        "condition": one.get("when"),
        "code": one.get("deadline"),
        "rule": one.get("rule"),
    }
    for measure in measures:
        if one[measure] is not None:
            yield {**about, "measure": measure, "value": one[measure]}
    for name, total in one.get("sums", {}).items():
        yield {**about, "measure": name, "code": one["currency"], "value": total}


def _refusals(refusals: list[Row]) -> Iterator[Row]:
    for refusal in refusals:
        about = {"section": "denial", "measure": "count", "value": refusal["count"]}
        yield {**refusal, **about}


def _find(kind: str, find: Row) -> Row:
    code = find.get("code") or find.get("reason") or find.get("phase")
    return {
        **find,
        "section": kind,
        "event": find.get("event", find.get("operation")),
        "code": code,
        "measure": "amount" if "amount" in find else "",
        "value": find.get("amount"),
    }
