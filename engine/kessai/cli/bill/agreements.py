"""The file of what is billed: a JSON object a line, read line by line."""

from collections.abc import Iterator
from datetime import date, time
from typing import IO

import msgspec

from kessai.billing import BilledAgreement, BillingSchedule
from kessai.errors import InvalidInput


class _Frequency(msgspec.Struct, forbid_unknown_fields=True):
    unit: str
    value: int


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line, as it is written; a `Month` each unless it says how often."""

    agreement: str
    amount: int
    anchor: date
    frequency: _Frequency = msgspec.field(
        default_factory=lambda: _Frequency("Month", 1)
    )
    currency: str | None = None
    zone: str = "UTC"
    at: str = "00:00"
    business_days: str = "none"
    holidays: str = ""
    until: date | None = None


_lines = msgspec.json.Decoder(_Line)


def agreements_in(file: IO[bytes], name: str) -> Iterator[BilledAgreement]:
    """What each line of the file says, without those that are empty.

    Raises:
        InvalidInput: a line is none; its number, and what is right, are in the message.

    """
    for number, line in enumerate(file, 1):
        if line.strip():
            yield _read(line, f"{name}:{number}")


def _time(text: str) -> time:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        message = f"at: {text!r} is no local time; one such as '09:00' is right"
        raise InvalidInput(message)
    return at


def _read(line: bytes, place: str) -> BilledAgreement:
    try:
        read = _lines.decode(line)
        schedule = BillingSchedule(
            anchor=read.anchor,
            unit=read.frequency.unit,
            value=read.frequency.value,
            zone=read.zone,
            at=_time(read.at),
            business_days=read.business_days,
            holidays=read.holidays,
            until=read.until,
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidInput) as error:
        message = f"{place}: {error}"
        raise InvalidInput(message) from None
    return BilledAgreement(
        agreement=read.agreement,
        amount=read.amount,
        currency=read.currency,
        schedule=schedule,
    )
