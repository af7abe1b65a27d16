"""Reads and writes single values of the wire: amounts, ids, codes, times.

Every reader is total. A value that cannot be trusted is None or empty, never an error
and never a guess; nothing that passes here can carry free text into the audit trail.
"""

import re
from datetime import UTC, datetime
from typing import cast

from kessai.gateway import Call, Failure, Reply
from kessai_adapters.stated import Members, inner, members_of

DIGITS = {"EUR": 2, "GBP": 2, "JPY": 0, "USD": 2}
"""Amazon Pay's ledger currencies, with the digits after their points (ISO 4217)."""


_DECIMAL = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,4}))?")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CODE = re.compile(r"[A-Za-z]{1,60}")
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z|[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")


def write_price(amount: int, currency: str) -> dict[str, str]:
    """Write `amount`, in minor units, as Amazon does: a decimal string in major units."""
    digits = DIGITS[currency]
    whole, part = divmod(amount, 10**digits)
    text = f"{whole}.{part:0{digits}}" if digits else str(whole)
    return {"amount": text, "currencyCode": currency}


def read_price(value: object, currency: str) -> int | None:
    """Read an amount in minor units of `currency`; None if it is none, or in another."""
    if not isinstance(value, dict):
        return None
    price = cast("Members", value)
    text = price.get("amount")
    found = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if found is None or price.get("currencyCode") != currency or currency not in DIGITS:
        return None
    digits = DIGITS[currency]
    part = (found[2] or "").ljust(digits, "0")
    if part[digits:].strip("0"):
        return None
    return int(found[1] + part[:digits])


def read_total(value: object, currency: str) -> int | None:
    """Read an amount where none, or null, means that nothing has moved."""
    return 0 if value is None else read_price(value, currency)


def read_id(value: object) -> str:
    """Read an id that Amazon gave; empty where it is not plain."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def read_code(value: object) -> str:
    """Read a reason code, or a state; empty where it is none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def read_time(value: object) -> datetime | None:
    """Read a time of Amazon's, in UTC; None where it is none."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stated_in(reply: Reply | Failure) -> Members:
    """What an answer that something was done, or is so, states; else nothing."""
    if isinstance(reply, Failure) or reply.status not in {200, 201, 202}:
        return {}
    return members_of(reply.body)


def stated_of(call: Call, reply: Reply | Failure) -> Members:
    """What an answer states of the transaction of `call`; nothing if it names another."""
    stated = stated_in(reply)
    named = inner(stated, "merchantMetadata").get("merchantReferenceId")
    return {} if isinstance(named, str) and named != call.transaction else stated


def state_of(stated: Members) -> str:
    """The state of an object; empty if it states none."""
    return read_code(inner(stated, "statusDetails").get("state"))


def reason_of(stated: Members) -> str:
    """The reason of an object's state; empty if it states none."""
    return read_code(inner(stated, "statusDetails").get("reasonCode"))
