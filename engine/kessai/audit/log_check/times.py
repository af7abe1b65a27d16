"""Times as logs write them, to UTC. What can be read in two ways is refused.

ISO 8601 with or without an offset, spreadsheets' `2026/1/5 9:05`, `2026年1月5日 9時5分`,
`20260105090500`, and Unix timestamps in seconds, milliseconds or microseconds. A date
without a time means its whole day.

A time without an offset is a time of the zone given. Where the clocks are set back an
hour happens twice: the earlier is meant, unless the text has an offset.
A time that was skipped when they were set forward is refused.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo

from kessai.audit.log_check.words import BadValue, shown

Moment = tuple[datetime, bool]
"""A time in UTC, and whether it means a whole day."""

_MOST_KNOWN = 50_000
_HOUR = timedelta(minutes=59, seconds=59)
_ISO_DATE = len("2026-01-05")
_SEPARATED = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:[ T]\s*|\s*)(?P<clock>\S.*))?",
    re.ASCII,
)
_KANJI = re.compile(r"(\d{4})()年\s*(\d{1,2})月\s*(\d{1,2})日\s*(?P<clock>\S.*)?")
_COMPACT = re.compile(r"(\d{4})()(\d\d)(\d\d)(?P<clock>\d{4}(?:\d\d)?)?", re.ASCII)
_CLOCK = re.compile(
    r"(?P<before>午前|午後|[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<hour>\d{1,2})(?::|時)(?P<minute>\d{1,2})分?"
    r"(?:[:]?(?P<second>\d{1,2})秒?(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|JST|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_UNIX = re.compile(r"(?:\d{10}(?:\.\d+)?|\d{13}|\d{16})", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_EITHER = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.*", re.ASCII)
_UNITS = {10: 1, 13: 1_000, 16: 1_000_000}
_NOON = 12


class Times:
    """Reads the times of one log. `zone` is None where none was given."""

    def __init__(self, zone: tzinfo | None, form: str | None = None) -> None:
        self.folded = 0
        self.has_local = False
        self._given = zone is not None
        self._zone = zone or UTC
        self._form = form
        self._has_offsets: bool | None = None
        self._known: dict[str, Moment] = {}
        self._offsets: dict[int, timedelta | None] = {}

    def read(self, text: str) -> Moment:
        """The time that `text` states.

        Raises:
            BadValue: it states none, or may mean two.

        """
        found = self._known.get(text)
        if found is None:
            found = self._read(text)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[text] = found
        return found

    def _read(self, text: str) -> Moment:
        if not text:
            raise BadValue(code="time_missing")
        whole_day = False
        try:
            if self._form is not None:
                when = datetime.strptime(text, self._form)  # noqa: DTZ007 - see below
                whole_day = "%H" not in self._form and not _has_clock(self._form)
            elif text[4:5] == "-" and text[7:8] == "-" and text.isascii():
                whole_day = len(text) == _ISO_DATE
                when = datetime.fromisoformat(text)
            else:
                when, whole_day = _otherwise(text)
        except ValueError:
            when, whole_day = self._odd(text)
        return self._in_utc(when, text), whole_day

    def _odd(self, text: str) -> Moment:
        if self._form is None:
            try:
                return _otherwise(text)
            except (ValueError, OverflowError):
                pass
        raise BadValue(_why_not(text, self._form), value=shown(text))

    def _in_utc(self, when: datetime, text: str) -> datetime:
        is_local = when.tzinfo is None
        if not self._given and self._has_offsets is is_local:
            raise BadValue(code="time_mixed", value=shown(text))
        if self._has_offsets is None:
            self._has_offsets = not is_local
        try:
            return self._from_local(when, text) if is_local else when.astimezone(UTC)
        except OverflowError:
            raise BadValue(code="time_unknown", value=shown(text)) from None

    def _from_local(self, when: datetime, text: str) -> datetime:
        self.has_local = True
        if self._zone is UTC:
            return when.replace(tzinfo=UTC)
        hour = when.toordinal() * 24 + when.hour
        if hour not in self._offsets:
            self._offsets[hour] = self._offset(when)
        offset = self._offsets[hour]
        if offset is not None:
            return (when - offset).replace(tzinfo=UTC)
        return self._at_a_change(when, text)

    def _offset(self, when: datetime) -> timedelta | None:
        """The offset all through the hour of `when`; None where it changes."""
        start = when.replace(minute=0, second=0, microsecond=0, tzinfo=self._zone)
        offsets = {
            moment.replace(fold=fold).utcoffset()
            for moment in (start, start + _HOUR)
            for fold in (0, 1)
        }
        return offsets.pop() if len(offsets) == 1 else None

    def _at_a_change(self, when: datetime, text: str) -> datetime:
        first = when.replace(tzinfo=self._zone, fold=0)
        second = first.replace(fold=1)
        moment = first.astimezone(UTC)
        if moment.astimezone(self._zone).replace(tzinfo=None) != when:
            zone = str(self._zone)
            raise BadValue(code="time_skipped", value=shown(text), zone=zone)
        if first.utcoffset() != second.utcoffset():
            self.folded += 1
        return moment


def _has_clock(form: str) -> bool:
    return any(sign in form for sign in ("%I", "%X", "%c", "%s"))


def _otherwise(text: str) -> Moment:
    """Any form that is not plain ISO 8601.

    Raises:
        ValueError: it is none of them.

    """
    text = unicodedata.normalize("NFKC", text).strip()
    if _UNIX.fullmatch(text):
        return _unix(text), False
    found = (
        _SEPARATED.fullmatch(text) or _KANJI.fullmatch(text) or _COMPACT.fullmatch(text)
    )
    if found is None:
        return datetime.fromisoformat(_iso_only(text)), False
    day = datetime(int(found[1]), int(found[3]), int(found[4]))  # noqa: DTZ001 - local
    clock = found["clock"]
    if clock is None:
        return day, True
    if clock.isdigit():
        clock = ":".join(clock[at : at + 2] for at in range(0, len(clock), 2))
    return _at_clock(day, clock), False


def _iso_only(text: str) -> str:
    """`text` if it is ISO 8601's compact form with a T; its other forms are refused."""
    if re.match(r"\d{8}T\d{4}", text, re.ASCII) is None:
        raise ValueError
    return text


def _unix(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    unit = _UNITS[len(whole)]
    microseconds = int(whole) * (1_000_000 // unit) + int(f"{fraction:0<6}"[:6] or 0)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _at_clock(day: datetime, clock: str) -> datetime:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ValueError
    hour = _hour(int(found["hour"]), found["before"] or found["after"])
    fraction = f"{found['fraction'] or '':0<6}"[:6]
    second = int(found["second"] or 0)
    when = day.replace(
        hour=hour, minute=int(found["minute"]), second=second, microsecond=int(fraction)
    )
    return _with_zone(when, found["zone"])


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if hour > _NOON:
        raise ValueError
    is_late = half == "午後" or half[0] in "Pp"
    return hour % _NOON + (_NOON if is_late else 0)


def _with_zone(when: datetime, zone: str | None) -> datetime:
    if zone is None:
        return when
    offset = {"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00", "JST": "+09:00"}
    return datetime.fromisoformat(f"{when.isoformat()}{offset.get(zone, zone)}")


def _why_not(text: str, form: str | None) -> str:
    if form is not None:
        return "time_unknown"
    plain = unicodedata.normalize("NFKC", text).strip()
    if _SERIAL.fullmatch(plain):
        return "time_serial"
    return "time_ambiguous_order" if _EITHER.fullmatch(plain) else "time_unknown"
