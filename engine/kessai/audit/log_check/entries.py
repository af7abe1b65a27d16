"""Rows to entries: what happened to which order, when, with which amount."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import attrs

from kessai.audit.log_check.amounts import Amounts
from kessai.audit.log_check.cells import (
    ReadText,
    ReadTexts,
    id_reader,
    text_reader,
    texts_reader,
)
from kessai.audit.log_check.classifier import MOST_KNOWN, Classifier
from kessai.audit.log_check.columns import Columns
from kessai.audit.log_check.formats.table import Row
from kessai.audit.log_check.times import LogTime, Span, Times
from kessai.audit.log_check.words import BadValue, shown
from kessai.card_numbers import has_card_number
from kessai.ids import is_id
from kessai.spec import Parameter

Extra = tuple[str | None, str | None, tuple[tuple[str, Any], ...]]
"""What few rows have: the agreement, the operation's id, parameters."""

Entry = tuple[datetime, int, int, int, int | None, Extra | None, Span | None]
"""Time in UTC, nanoseconds beyond it, line, number of the row's class, amount, what few
rows have, the span of a time that is no moment.
"""


def until_of(entry: Entry) -> datetime:
    """The last moment at which the entry may have happened."""
    span = entry[6]
    return entry[0] if span is None else span.until


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


_CLASS = ("command", "outcome", "lifecycle", "currency")
"""The fields that make the class of a row, besides the flags."""


class _KnownClass(NamedTuple):
    """What is read alike in all rows that have the same words for their class."""

    number: int
    command: str
    read_order: ReadText
    order_field: str
    read_amount: ReadTexts | None
    amount_field: str
    amounts: Amounts


class Entries:
    """Reads rows as entries; rows that cannot be read are given back as what is wrong."""

    def __init__(
        self, header: Sequence[str], columns: Columns, readers: Readers, damaged: str
    ) -> None:
        self.left_out = self.twice = 0
        self._width = len(header)
        self._columns = columns
        self._readers = readers
        self._damaged = damaged
        self._used = columns.used
        places = columns.places
        self._read_order = {
            command: id_reader(found)
            for command, found in columns.by_command("order").items()
        }
        self._order = self._read_order[None]
        self._command = text_reader(places["command"])
        self._time = text_reader(places["time"])
        self._zone, self._outcome, self._lifecycle, self._currency = (
            text_reader(places[field]) if field in places else None
            for field in ("zone", "outcome", "lifecycle", "currency")
        )
        self._flags = [text_reader(places[name]) for name in readers.flags]
        self._class_cells = itemgetter(
            *sorted(
                {
                    place
                    for field in (*_CLASS, *readers.flags)
                    for group in places.get(field, ())
                    for place in group
                }
            )
        )
        self._known: dict[Any, _KnownClass | None] = {}
        self._checked: set[str] = set()
        self._ids = [
            (field, id_reader(places[field]) if field in places else None)
            for field in ("agreement", "operation")
        ]
        self._has_extra = bool(readers.parameters or any(read for _, read in self._ids))
        self._parameter_texts = {
            name: text_reader(places[name]) for name in readers.parameters
        }
        self._read_amount = {
            command: texts_reader(found)
            for command, found in columns.by_command("amount").items()
        }

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
            if cells is None:
                self.left_out += 1
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

    def _entry(self, line: int, cells: list[str]) -> tuple[str, Entry] | None:
        if len(cells) != self._width or self._damaged:
            if self._is_left_out(cells):
                return None
            self._check_width(cells)
            self._check_text(cells)
        known = self._class(cells)
        if known is None:
            return None
        number = known.number
        order = known.read_order(cells)
        if order not in self._checked:
            self._check_order(known.order_field, order)
        at, nanoseconds, span = self._at(cells)
        amount = None if known.read_amount is None else self._amount(cells, known)
        extra = self._extra(cells) if self._has_extra else None
        if span is not None and span.twice:
            self.twice += 1
        return order, (at, nanoseconds, line, number, amount, extra, span)

    def _is_left_out(self, cells: list[str]) -> bool:
        """Whether the row is to be left out, though its other cells cannot be read."""
        try:
            outcome = None if self._outcome is None else self._outcome(cells)
            return self._readers.classifier.leaves_out(self._command(cells), outcome)
        except IndexError:
            return False

    def _at(self, cells: list[str]) -> LogTime:
        zone = "" if self._zone is None else self._zone(cells)
        try:
            return self._readers.times.read(self._time(cells), zone)
        except BadValue as wrong:
            field = "zone" if wrong.code == "zone_unknown" and zone else "time"
            raise self._placed(wrong, field) from None

    def _class(self, cells: list[str]) -> "_KnownClass | None":
        """What all rows of the same words have in common; None: they are left out."""
        words = self._class_cells(cells)
        try:
            return self._known[words]
        except KeyError:
            pass
        number, known = self._kind(cells), None
        if number is not None:
            kind = self._readers.classifier.classes[number]
            command = kind.command
            known = _KnownClass(
                number,
                command,
                self._read_order.get(command, self._order),
                f"order:{command}" if command in self._read_order else "order",
                self._read_amount.get(command, self._read_amount.get(None)),
                f"amount:{command}" if command in self._read_amount else "amount",
                self._readers.amounts[kind.currency],
            )
        if len(self._known) < MOST_KNOWN:
            self._known[words] = known
        return known

    def _kind(self, cells: list[str]) -> int | None:
        outcome, lifecycle, currency = self._outcome, self._lifecycle, self._currency
        asked = (
            self._command(cells),
            None if outcome is None else outcome(cells),
            None if lifecycle is None else lifecycle(cells),
            None if currency is None else currency(cells),
            *(read(cells) for read in self._flags),
        )
        try:
            return self._readers.classifier.number(asked)
        except BadValue as wrong:
            raise self._placed(wrong, str(wrong.values.get("field"))) from None

    def _amount(self, cells: list[str], known: "_KnownClass") -> int | None:
        if known.read_amount is None:
            return None
        texts = known.read_amount(cells)
        try:
            if len(texts) == 1:
                return known.amounts.read(texts[0], known.command)
            return known.amounts.total(texts, known.command)
        except BadValue as wrong:
            raise self._placed(wrong, known.amount_field) from None

    def _check_order(self, field: str, order: str) -> None:
        self._check_id(field, order)
        if not order:
            raise self._placed(BadValue("order_missing"), field)
        if len(self._checked) >= MOST_KNOWN:
            self._checked.clear()
        self._checked.add(order)

    def _check_id(self, field: str, text: str) -> None:
        if has_card_number(text):
            raise self._placed(BadValue("card_number"), field)
        if text and not is_id(text):
            raise self._placed(BadValue("order_invalid"), field)

    def _extra(self, cells: list[str]) -> Extra | None:
        found: list[str | None] = []
        for field, read in self._ids:
            text = "" if read is None else read(cells)
            self._check_id(field, text)
            found.append(text or None)
        parameters = tuple(self._parameters(cells))
        if not parameters and found == [None, None]:
            return None
        return found[0], found[1], parameters

    def _parameters(self, cells: list[str]) -> Iterator[tuple[str, Any]]:
        for name, declared in self._readers.parameters.items():
            text = self._parameter_texts[name](cells)
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
        if len(cells) == self._width:
            return
        if any(cells[self._width :]) or len(cells) <= max(self._used):
            raise BadValue(code="cells", cells=len(cells), columns=self._width)

    def _check_text(self, cells: list[str]) -> None:
        if self._damaged and any(_LOST in cells[place] for place in self._used):
            raise BadValue(code="not_text", encoding=self._damaged)

    def _order_of(self, cells: list[str]) -> str | None:
        """The order of a row that cannot be read, if at least that can."""
        try:
            order = self._order(cells)
        except IndexError:
            return None
        return None if not order or has_card_number(order) else order

    def _placed(self, wrong: BadValue, field: str) -> BadValue:
        return wrong.in_column(shown(self._columns.named.get(field, field)))
