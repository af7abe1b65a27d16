"""Values as cells of a CSV file, so that no spreadsheet runs one as a formula."""

from datetime import datetime

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula may begin with; in the wide forms too, which some spreadsheets accept."""


def safe_cell(value: object) -> object:
    """`value` for `csv.writer`: a time as ISO 8601, text that looks like a formula quoted.

    An order id may begin with `=`; an apostrophe before it makes it text.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
