"""Reads single values off the wire: objects, ids, amounts, times, codes.

Every reader is total. A value that cannot be trusted is None or empty, never an error
and never a guess; nothing that passes here can carry free text into the audit trail.
"""

import re
from datetime import UTC, datetime

from kessai_adapters.stated import Members

OPERATION = "kessai_operation"
"""The member of an object's metadata that echoes our operation."""

ORDER = "kessai_order"
"""The member of an object's metadata that says which transaction it is of."""

CONFIRMED_BY = "kessai_confirmed_by"
"""The member that says who confirms a flow: this `SERVER`, or the consumer's page."""

SERVER = "server"


_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
_AMOUNT_LIMIT = 10**9


def is_identifier(value: object) -> bool:
    """Whether `value` can be an id of PAY.JP's."""
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def read_identifier(stated: Members, name: str) -> str | None:
    """An id that the gateway gave; None where it is not plain enough to be stored."""
    value = stated.get(name)
    return value if isinstance(value, str) and is_identifier(value) else None


def read_amount(stated: Members, name: str) -> int | None:
    """An amount in yen; None for all else."""
    value = stated.get(name)
    return value if type(value) is int and 0 <= value < _AMOUNT_LIMIT else None


def read_code(value: object) -> str:
    """A code or a status; empty for all else."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def status_of(stated: Members) -> str:
    """The status of an object; empty where it has none."""
    return read_code(stated.get("status"))


def read_time(stated: Members, name: str) -> datetime | None:
    """An ISO 8601 time in UTC; None if that is none."""
    value = stated.get(name)
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


def read_operation(stated: Members) -> str | None:
    """Our operation that made an object: its order's id, a dot and a number."""
    operation = metadata(stated, OPERATION) or ""
    order, _, number = operation.rpartition(".")
    is_ours = order == metadata(stated, ORDER) and _NUMBER.fullmatch(number)
    return operation if is_ours else None


def metadata(stated: Members, name: str) -> str | None:
    """What the metadata of an object says under one of our names."""
    held = stated.get("metadata")
    value = held.get(name) if isinstance(held, dict) else None
    return value if isinstance(value, str) else None
