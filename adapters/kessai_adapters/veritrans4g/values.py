"""Reads single values off the wire: outcomes, amounts, times, codes, ids.

Every reader is total. A value that cannot be trusted is None or empty, never an error
and never a guess; nothing that passes here can carry free text into the audit trail.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

from kessai.gateway import Outcome

_JAPAN = timezone(timedelta(hours=9), "JST")
_OUTCOMES = MappingProxyType(
    {
        "success": Outcome.SUCCEEDED,
        "failure": Outcome.DECLINED,
        "pending": Outcome.PENDING,
    }
)
_AMOUNT = re.compile(r"[0-9]{1,15}")
_CODE = re.compile(r"[A-Za-z0-9]{16}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,100}")
_COMPACT_TIME = re.compile(r"[0-9]{14}")
_SPACED_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
)
AMOUNT_LIMIT = 10**15
"""No amount on the wire reaches this, in yen; it is also more than the engine takes."""


def read_outcome(mstatus: object) -> Outcome:
    """Read `mstatus`; UNKNOWN for anything but success, failure and pending."""
    if not isinstance(mstatus, str):
        return Outcome.UNKNOWN
    return _OUTCOMES.get(mstatus, Outcome.UNKNOWN)


def read_amount(value: object) -> int | None:
    """Read an amount in yen, from a JSON integer or from digits; None for all else."""
    if type(value) is int:
        return value if 0 <= value < AMOUNT_LIMIT else None
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return int(value)
    return None


def is_unreadable_amount(value: object) -> bool:
    """Whether an amount is stated and cannot be read: 1e3, 2**63, 1,200, true.

    That is not the same as none: without one, evidence agrees with any amount.
    """
    return value is not None and value != "" and read_amount(value) is None


def read_code(value: object) -> str:
    """Read a `vResultCode`: sixteen ASCII letters and digits; empty for all else."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def read_identifier(value: object) -> str | None:
    """Read an id the gateway gave; None where it is not plain enough to be stored."""
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    return None


def read_compact_time(value: object) -> datetime | None:
    """Read `YYYYMMDDhhmmss` of Japan, in UTC; None if that is no time.

    Not by `strptime`: it alone would take a third of a reply's time budget.
    """
    if not isinstance(value, str) or not _COMPACT_TIME.fullmatch(value):
        return None
    return _japan(
        f"{value[:4]}-{value[4:6]}-{value[6:8]} {value[8:10]}:{value[10:12]}:{value[12:]}"
    )


def read_spaced_time(value: object) -> datetime | None:
    """Read `YYYY-MM-DD hh:mm:ss.f` of Japan, in UTC; None if that is no time."""
    if not isinstance(value, str) or not _SPACED_TIME.fullmatch(value):
        return None
    return _japan(value)


def _japan(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_JAPAN).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
