"""Someone else's event log, checked against a lifecycle: what was allowed, and why not.

    checked = check_log("sales.csv", [load_shipped("one_time")])
    assert checked.findings.holds, checked.findings.most_common()

A log is a table with a row for each thing that happened to an order: CSV, JSON lines, a
workbook's sheet, or the events of XES and OCEL 2.0. Rows that cannot be read are reported with their line, and the rest is checked;
their histories are counted apart, since what follows a missing step may be no fault.

A row is a command that succeeded, or has an outcome: declined moves nothing, pending
and unknown leave an operation open until a later row ends it, denied never left the
system. A row `expire` is a deadline that lapsed. What a lifecycle cannot know without
columns for it (parameters, agreements) is taken as given, and all that is assumed is
reported.

A step that is not allowed changes nothing, and its history goes on from where it stood.
What is not allowed after it is counted apart: one early mistake is no flood. The rows
of an order are sorted by time, those of one time as they stand in the file, or from its
last row to the first where the newest come first. A date without a time is a whole day:
what is late on it was late at every moment of it. An hour that occurred twice makes an
order unsure, and what is found in it is perhaps no fault.
"""

from kessai.audit.log_check.check import Checked, check_log
from kessai.audit.log_check.findings import (
    MOST,
    BadRows,
    Findings,
    LogViolation,
    ViolationGroup,
)
from kessai.audit.log_check.formats.table import FORMS, Layout
from kessai.audit.log_check.preset import Preset, preset_called, preset_names
from kessai.audit.log_check.reading import LogReading
from kessai.audit.log_check.words import Note

__all__ = [
    "FORMS",
    "MOST",
    "BadRows",
    "Checked",
    "Findings",
    "Layout",
    "LogReading",
    "LogViolation",
    "Note",
    "Preset",
    "ViolationGroup",
    "check_log",
    "preset_called",
    "preset_names",
]
