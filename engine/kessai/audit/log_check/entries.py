"""Rows to entries: what happened to which order, when, with which amount."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from kessai.audit.log_check.amounts import Amounts
from kessai.audit.log_check.classifier import DAY, Classifier
from kessai.audit.log_check.columns import Columns
from kessai.audit.log_check.rows import Row
from kessai.audit.log_check.times import Times
from kessai.audit.log_check.words import BadValue, shown
from kessai.card_numbers import has_card_number
from kessai.machine.command import is_id
from kessai.spec import Parameter

Extra = tuple[str | None, str | None, tuple[tuple[str, Any], ...]]
"""What few rows have: the agreement, the operation's id, parameters."""

Entry = tuple[datetime, int, int, int | None, Extra | None]
"""Time in UTC, line, number of the row's class, amount, what few rows have."""

_LOST = "\ufffd"
"""What stands for bytes that are no text."""


@attrs.frozen
class Readers:
    """What reads the cells of each field."""

    classifier: Classifier
    times: Times
    amounts: Mapping[str, Amounts]
    """By currency."""

    parameters: Mapping[str, Parameter]
    """The parameters that have columns and are no flags."""

    flags: tuple[str, ...]


class Entries:
    """Reads rows as entries; rows that cannot be read are given back as what is wrong."""

    def __init__(
        self, header: Sequence[str], columns: Columns, readers: Readers, damaged: str
    ) -> None:
        self._width = len(header)
        self._columns = columns
        self._readers = readers
        self._damaged = damaged
        self._time = columns.places["time"]
        places = columns.places
        self._command = places["command"][0]
        self._order = places["order"][0]
        self._amount = self._place("amount")
        self._outcome = self._place("outcome")
        self._lifecycle = self._place("lifecycle")
        self._currency = self._place("currency")
        self._flags = tuple(places[name][0] for name in readers.flags)
        self._has_extra = bool(
            readers.parameters or "agreement" in places or "operation" in places
        )
        self.left_out = 0
        self._used = {place for found in places.values() for place in found}

    def read(
        self, rows: Iterable[Row]
    ) -> Iterator[tuple[str, Entry] | tuple[int, str | None, BadValue]]:
        """Each row as its order and entry, or as its line, its order and what is wrong.

        Rows that are to be left out are counted.
        """
        for line, cells in rows:
            if isinstance(cells, BadValue):
                yield line, None, cells
                continue
            try:
                entry = self._entry(line, cells)
            except BadValue as wrong:
                yield line, self._order_of(cells), wrong
                continue
            if entry is None:
                self.left_out += 1
            else:
                yield entry

    def _place(self, field: str) -> int | None:
        found = self._columns.places.get(field)
        return None if found is None else found[0]

    def _entry(self, line: int, cells: list[str]) -> tuple[str, Entry] | None:
        if len(cells) != self._width:
            self._check_width(cells)
        if self._damaged:
            self._check_text(cells)
        readers = self._readers
        at, whole_day = self._at(cells)
        number = self._kind(cells, whole_day=whole_day)
        if number is None:
            return None
        order = self._id(cells)
        amount = None
        if self._amount is not None:
            text, kind = cells[self._amount].strip(), readers.classifier.classes[number]
            try:
                amount = readers.amounts[kind.currency].read(text, kind.command)
            except BadValue as wrong:
                raise self._placed(wrong, "amount") from None
        extra = self._extra(cells) if self._has_extra else None
        return order, (at, line, number, amount, extra)

    def _at(self, cells: list[str]) -> tuple[datetime, bool]:
        time = self._time
        text = cells[time[0]] if len(time) == 1 else " ".join(cells[p] for p in time)
        try:
            return self._readers.times.read(text.strip())
        except BadValue as wrong:
            raise self._placed(wrong, "time") from None

    def _kind(self, cells: list[str], *, whole_day: bool) -> int | None:
        outcome, lifecycle, currency = self._outcome, self._lifecycle, self._currency
        asked = (
            cells[self._command].strip(),
            None if outcome is None else cells[outcome].strip(),
            None if lifecycle is None else cells[lifecycle].strip(),
            None if currency is None else cells[currency].strip(),
            DAY if whole_day else None,
            *(cells[place].strip() for place in self._flags),
        )
        try:
            return self._readers.classifier.number(asked)
        except BadValue as wrong:
            raise self._placed(wrong, str(wrong.values.get("field"))) from None

    def _id(self, cells: list[str]) -> str:
        order = cells[self._order].strip()
        self._check_id("order", order)
        if not order:
            raise self._placed(BadValue("order_missing"), "order")
        return order

    def _check_id(self, field: str, text: str) -> None:
        if has_card_number(text):
            raise self._placed(BadValue("card_number"), field)
        if text and not is_id(text):
            raise self._placed(BadValue("order_invalid"), field)

    def _extra(self, cells: list[str]) -> Extra | None:
        found: list[str | None] = []
        for field in ("agreement", "operation"):
            place = self._place(field)
            text = "" if place is None else cells[place].strip()
            self._check_id(field, text)
            found.append(text or None)
        parameters = tuple(self._parameters(cells))
        if not parameters and found == [None, None]:
            return None
        return found[0], found[1], parameters

    def _parameters(self, cells: list[str]) -> Iterator[tuple[str, Any]]:
        for name, declared in self._readers.parameters.items():
            text = cells[self._columns.places[name][0]].strip()
            if not text:
                continue
            if has_card_number(text):
                raise self._placed(BadValue("card_number"), name)
            value = declared.from_cell(text)
            if value is None:
                wrong = BadValue(f"{declared.kind}_unknown", value=shown(text))
                raise self._placed(wrong, name)
            yield name, value

    def _check_width(self, cells: list[str]) -> None:
        """Spreadsheets leave empty cells out at the end, or add some; no more."""
        if any(cells[self._width :]) or len(cells) <= max(self._used):
            raise BadValue(code="cells", cells=len(cells), columns=self._width)

    def _check_text(self, cells: list[str]) -> None:
        if any(_LOST in cells[place] for place in self._used):
            raise BadValue(code="not_text", encoding=self._damaged)

    def _order_of(self, cells: list[str]) -> str | None:
        """The order of a row that cannot be read, if at least that can."""
        if len(cells) <= self._order:
            return None
        order = cells[self._order].strip()
        return None if not order or has_card_number(order) else order

    def _placed(self, wrong: BadValue, field: str) -> BadValue:
        return wrong.in_column(shown(self._columns.named.get(field, field)))
