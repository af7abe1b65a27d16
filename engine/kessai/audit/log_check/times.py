"""Times as logs write them, to UTC. What can be read in two ways is refused, or kept so.

ISO 8601 with or without an offset, spreadsheets' `2026/1/5 9:05`, `2026年1月5日 9時5分`,
`20260105090500`, and Unix timestamps in seconds down to nanoseconds. A time without an
offset is of the zone written with it or in a column of its own, else of the one given.

Not every time is a moment. A date means its whole day, which has 23 or 25 hours where
the clocks change. Where they are set back an hour occurs twice, and a time in it may be
of either. Both have a span: from the first moment at which it may have been to the last.
A time that was skipped when the clocks were set forward is refused.
"""

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from kessai.audit.log_check.words import BadValue, folded, meaning_of, shown
from kessai.zones import day_of, named_zone


class Span(NamedTuple):
    """The last moment at which it may have been; whether the hour occurred twice."""

    until: datetime
    twice: bool


class LogTime(NamedTuple):
    """A time in UTC, with what is finer than its microsecond, and its span if it has one."""

    at: datetime
    nanoseconds: int
    span: Span | None


class _Written(NamedTuple):
    """A time as it is written; `zone` is the name that stands with it."""

    when: datetime
    is_day: bool = False
    zone: str | None = None
    nanoseconds: int = 0


_MOST_KNOWN = 50_000
_HOUR = timedelta(minutes=59, seconds=59)
_ISO_DATE = len("2026-01-05")
_ISO_SECONDS = len("2026-01-05T09:05:00")
_IN_UTC = "+00:00"
_ISO_MICROSECONDS = len("2026-01-05T09:05:00.123456")
_SEPARATED = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:[ T]\s*|\s*)(?P<clock>\S.*))?",
    re.ASCII,
)
_KANJI = re.compile(r"(\d{4})()年\s*(\d{1,2})月\s*(\d{1,2})日\s*(?P<clock>\S.*)?")
_COMPACT = re.compile(r"(\d{4})()(\d\d)(\d\d)(?P<clock>\d{4}(?:\d\d)?)?", re.ASCII)
_ZONE = r"[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*"
_CLOCK = re.compile(
    r"(?P<before>午前|午後|[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<hour>\d{1,2})(?::|時)(?P<minute>\d{1,2})分?"
    r"(?:[:]?(?P<second>\d{1,2})秒?(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?)?"
    rf"\s*(?P<zone>{_ZONE}|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_ZONE_WORD = re.compile(rf"{_ZONE}|[+-]\d\d(?::?\d\d)?", re.ASCII)
_ZONE_SIGN = re.compile(r"(?<!%)(?:%%)*%Z")
_FINER = re.compile(r"(?<=[.,]\d{6})\d{1,3}", re.ASCII)
_UNIX = re.compile(r"(?:\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19})", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_EITHER = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b.*", re.ASCII)
_UNITS = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}
_NOON = 12


class Times:
    """Reads the times of one log. `zone` is None where none was given."""

    def __init__(self, zone: tzinfo | None, form: str | None = None) -> None:
        self.has_days = False
        self.has_local = False
        self._given = zone is not None
        self._zone = zone or UTC
        self._form = form
        self._has_offsets: bool | None = None
        self._is_plain = False
        """Whether a time without an offset, a zone or a form is one of UTC."""
        self._known: dict[str | tuple[str, str], LogTime] = {}
        self._offsets: dict[tuple[tzinfo, int], timedelta | None] = {}
        self._zones = {word: named_zone(at) for word, at in meaning_of("zones").items()}

    def read(self, text: str, zone: str = "") -> LogTime:
        """The time that `text` states; `zone` is what a column of zones says.

        Raises:
            BadValue: it states none, or may mean two.

        """
        if self._is_plain and len(text) == _ISO_SECONDS and not zone:
            # Hardly one is written twice: reading it costs less than remembering it.
            try:
                if text[4] == "-" == text[7] and text.isascii():
                    return LogTime(datetime.fromisoformat(text + _IN_UTC), 0, None)
            except ValueError:
                pass
        key = (text, zone) if zone else text
        found = self._known.get(key)
        if found is None:
            found = self._read(text, zone)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = found
        return found

    def _read(self, text: str, zone: str) -> LogTime:
        if not text:
            raise BadValue(code="time_missing")
        written = self._written(text)
        try:
            return self._in_utc(written, text, zone)
        except OverflowError:
            raise BadValue(code="time_unknown", value=shown(text)) from None

    def _written(self, text: str) -> _Written:
        try:
            if self._form is not None:
                return _by_form(text, self._form)
            if text[4:5] == "-" and text[7:8] == "-" and text.isascii():
                return _iso(text)
        except ValueError:
            pass
        if self._form is None:
            try:
                return _otherwise(text)
            except (ValueError, OverflowError):
                pass
        raise BadValue(_why_not(text, self._form), value=shown(text))

    def _in_utc(self, written: _Written, text: str, zone: str) -> LogTime:
        when = written.when
        named = written.zone or zone
        is_local = when.tzinfo is None and not named
        if not self._given and self._has_offsets is is_local:
            raise BadValue(code="time_mixed", value=shown(text))
        if self._has_offsets is None:
            self._has_offsets = not is_local
        if is_local and not self.has_local:
            self.has_local = True
            self._is_plain = self._form is None and self._zone is UTC
        known = when.tzinfo
        if known is None:
            known = self._named(named, when) if named else self._zone
        if written.is_day:
            return self._whole_day(when, known, text)
        at, span = self._moments(when, known, text)
        return LogTime(at, written.nanoseconds, span)

    def _named(self, name: str, when: datetime) -> tzinfo:
        """The zone called `name`, which may be what the zone given is called at `when`.

        So `EST` and `EDT` part the hour that occurs twice, and `CST` is that of
        Shanghai or of Chicago.
        """
        if self._given:
            for fold in (0, 1):
                local = when.replace(tzinfo=self._zone, fold=fold)
                offset = local.utcoffset()
                if local.tzname() == name.upper() and offset is not None:
                    return timezone(offset)
        zone = self._zones.get(folded(name)) or named_zone(name)
        if zone is None:
            raise BadValue(code="zone_unknown", value=shown(name))
        return zone

    def _whole_day(self, when: datetime, zone: tzinfo, text: str) -> LogTime:
        first, last = day_of(when, zone)
        if last < first:
            raise BadValue(code="time_skipped", value=shown(text), zone=str(zone))
        self.has_days = True
        return LogTime(first, 0, Span(last, twice=False))

    def _moments(
        self, when: datetime, zone: tzinfo, text: str
    ) -> tuple[datetime, Span | None]:
        """The moment of a local time, and its span where there may be two."""
        if zone is UTC:
            return when.replace(tzinfo=UTC), None
        if zone is when.tzinfo:
            return when.astimezone(UTC), None
        hour = (zone, when.toordinal() * 24 + when.hour)
        if hour not in self._offsets:
            self._offsets[hour] = _offset_of_hour(when, zone)
        offset = self._offsets[hour]
        if offset is not None:
            return (when - offset).replace(tzinfo=UTC), None
        return _at_a_change(when, zone, text)


def _offset_of_hour(when: datetime, zone: tzinfo) -> timedelta | None:
    """The offset all through the hour of `when`; None where it changes."""
    start = when.replace(minute=0, second=0, microsecond=0, tzinfo=zone)
    offsets = {
        moment.replace(fold=fold).utcoffset()
        for moment in (start, start + _HOUR)
        for fold in (0, 1)
    }
    return offsets.pop() if len(offsets) == 1 else None


def _at_a_change(
    when: datetime, zone: tzinfo, text: str
) -> tuple[datetime, Span | None]:
    first = when.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != when:
        raise BadValue(code="time_skipped", value=shown(text), zone=str(zone))
    second = when.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first, None if second == first else Span(second, twice=True)


def _iso(text: str) -> _Written:
    is_day = len(text) == _ISO_DATE
    nanoseconds = _nanoseconds(text) if len(text) > _ISO_MICROSECONDS else 0
    return _Written(datetime.fromisoformat(text), is_day, None, nanoseconds)


def _by_form(text: str, form: str) -> _Written:
    """`text` by `form`, in which `%Z` is any zone and `%f` may have nanoseconds.

    `strptime` would take the machine's own zones alone, and forget which it was.

    Raises:
        ValueError: it is not of that form.

    """
    nanoseconds = 0
    if "%f" in form:
        nanoseconds = _nanoseconds(text)
        text = _FINER.sub("", text)
    is_day = not any(sign in form for sign in _CLOCK_SIGNS)
    if not _ZONE_SIGN.search(form):
        when = datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        return _Written(when, is_day, None, nanoseconds)
    for word in _ZONE_WORD.finditer(text):
        in_utc = f"{text[: word.start()]}UTC{text[word.end() :]}"
        with suppress(ValueError):
            when = datetime.strptime(in_utc, form)  # noqa: DTZ007 - as above
            return _Written(when, is_day, word[0], nanoseconds)
    raise ValueError


_CLOCK_SIGNS = ("%H", "%I", "%X", "%c", "%s")


def _otherwise(text: str) -> _Written:
    """Any form that is not plain ISO 8601.

    Raises:
        ValueError: it is none of them.

    """
    text = unicodedata.normalize("NFKC", text).strip()
    if _UNIX.fullmatch(text):
        return _unix(text)
    found = (
        _SEPARATED.fullmatch(text) or _KANJI.fullmatch(text) or _COMPACT.fullmatch(text)
    )
    if found is None:
        return _iso(_iso_only(text))
    day = datetime(int(found[1]), int(found[3]), int(found[4]))  # noqa: DTZ001 - local
    clock = found["clock"]
    if clock is None:
        return _Written(day, is_day=True)
    if clock.isdigit():
        clock = ":".join(clock[at : at + 2] for at in range(0, len(clock), 2))
    return _at_clock(day, clock)


def _iso_only(text: str) -> str:
    """`text` if it is ISO 8601's compact form with a T; its other forms are refused."""
    if re.match(r"\d{8}T\d{4}", text, re.ASCII) is None:
        raise ValueError
    return text


def _unix(text: str) -> _Written:
    whole, _, fraction = text.partition(".")
    nanoseconds = int(whole) * _UNITS[len(whole)] + int(f"{fraction:0<9}"[:9])
    microseconds, rest = divmod(nanoseconds, 1_000)
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return _Written(when, nanoseconds=rest)


def _at_clock(day: datetime, clock: str) -> _Written:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ValueError
    hour = _hour(int(found["hour"]), found["before"] or found["after"])
    fraction = f"{found['fraction'] or '':0<9}"
    when = day.replace(
        hour=hour,
        minute=int(found["minute"]),
        second=int(found["second"] or 0),
        microsecond=int(fraction[:6]),
    )
    return _Written(when, zone=found["zone"], nanoseconds=int(fraction[6:]))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if hour > _NOON:
        raise ValueError
    is_late = half == "午後" or half[0] in "Pp"
    return hour % _NOON + (_NOON if is_late else 0)


def _nanoseconds(text: str) -> int:
    found = _FINER.search(text)
    return int(f"{found[0]:0<3}") if found else 0


def _why_not(text: str, form: str | None) -> str:
    if form is not None:
        return "time_unknown"
    plain = unicodedata.normalize("NFKC", text).strip()
    if _SERIAL.fullmatch(plain):
        return "time_serial"
    return "time_ambiguous_order" if _EITHER.fullmatch(plain) else "time_unknown"
