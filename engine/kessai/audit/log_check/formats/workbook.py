"""XLSX: a sheet of a workbook, row by row, by openpyxl (extra `logs`).

A cell is read as the spreadsheet shows it: numbers to 15 digits, dates in ISO 8601, and
without a time where the cell's format shows none. A formula that no spreadsheet has
calculated yet is refused: it would look like an empty cell.
"""

import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from itertools import islice
from typing import Any, BinaryIO, TypeVar

from kessai.audit.log_check.formats.table import (
    Layout,
    LogTable,
    Row,
    cell_of,
    plain_number,
)
from kessai.audit.log_check.words import BadValue, shown
from kessai.errors import InvalidInput

MAGIC = b"PK\x03\x04"
OLD_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_T = TypeVar("_T")
_LARGEST = 4 << 30
_LARGEST_HELD = 256 << 20
"""What is no sheet is held whole, such as the texts that cells share."""

_MOST_ROWS = 1_048_576
_AT_ONCE = 1_000
_DIGITS = 15
"""What a spreadsheet keeps of a number."""


def workbook_table(file: BinaryIO, layout: Layout) -> LogTable:
    """The sheet that `layout` names, else the only one that is not empty.

    Raises:
        InvalidInput: it is no workbook, or it is not clear which sheet is meant.

    """
    _check_size(file)
    sheet = _Sheet(file, layout.sheet)
    rows = sheet.rows(layout.header_line, ())
    number, header = next(rows, (layout.header_line, None))
    if not isinstance(header, list):
        message = f"the sheet {shown(sheet.name)} is empty from row {number} on"
        raise InvalidInput(message)
    names = [text.strip() for text in header]
    first = number + 1
    if not layout.has_header:
        names, first = [str(at) for at, _ in enumerate(header, 1)], number
    return LogTable(
        form="xlsx",
        header=names,
        rows=lambda used: sheet.rows(first, used),
        unit="row",
    )


def _check_size(file: BinaryIO) -> None:
    """Refuse what is no workbook, or would fill the memory once it is unpacked."""
    try:
        with zipfile.ZipFile(file) as packed:
            parts = {each.filename: each.file_size for each in packed.infolist()}
    except (zipfile.BadZipFile, NotImplementedError) as error:
        message = f"not a whole XLSX workbook: {error}"
        raise InvalidInput(message) from error
    if "xl/workbook.xml" not in parts:
        message = "a ZIP file, but no XLSX workbook; XLSX, or the CSV in it, is right"
        raise InvalidInput(message)
    for name, size in parts.items():
        if size > (_LARGEST if name.startswith("xl/worksheets/") else _LARGEST_HELD):
            message = f"{shown(name)} has {size:,} bytes unpacked; export it as CSV"
            raise InvalidInput(message)


class _Sheet:
    """One sheet of a workbook: as it is shown, and its formulas beside it."""

    def __init__(self, file: BinaryIO, name: str | None) -> None:
        self._shown = _opened(file, values=True)
        self._formulas = _opened(file, values=False)
        self.name = _chosen(self._shown, name)

    def rows(self, first: int, used: Collection[int]) -> Iterator[Row]:
        """The rows from the `first` on that are not empty."""
        cells = _cells_of(self._shown[self.name])
        formulas = _cells_of(self._formulas[self.name])
        together = zip(cells, formulas, strict=True)
        for number, (row, entered) in enumerate(_quietly(together), 1):
            if number > _MOST_ROWS:
                message = f"the sheet has more than {_MOST_ROWS:,} rows; it is damaged"
                raise InvalidInput(message)
            if number < first:
                continue
            missing = [at for at in used if _is_missing(row, entered, at)]
            if missing:
                column = _letters(min(missing))
                yield number, BadValue("not_calculated", column=column)
                continue
            texts = [_text(cell) for cell in row]
            while texts and not texts[-1]:
                texts.pop()
            if texts:
                width = max(used, default=-1) + 1
                yield number, texts + [""] * (width - len(texts))


def _is_missing(row: Sequence[Any], entered: Sequence[Any], at: int) -> bool:
    """Whether a formula stands there that has no value."""
    if at >= len(row) or row[at].value is not None:
        return False
    return entered[at].value is not None


def _letters(place: int) -> str:
    from openpyxl.utils import get_column_letter

    letters: str = get_column_letter(place + 1)
    return letters


def _text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, float):
        return plain_number(f"{value:.{_DIGITS}g}")
    if isinstance(value, datetime):
        if value.time() == time.min and _shows_no_time(cell.number_format):
            return value.date().isoformat()
        return value.isoformat(" ")
    if isinstance(value, time):
        return value.isoformat()
    return cell_of(value)


def _shows_no_time(number_format: str) -> bool:
    from openpyxl.styles.numbers import is_datetime

    return bool(is_datetime(number_format) == "date")


def _chosen(workbook: Any, given: str | None) -> str:
    names: list[str] = [sheet.title for sheet in workbook.worksheets]
    if given is None:
        names = [name for name in names if _is_filled(workbook[name])]
    elif given in names:
        return given
    if given is None and len(names) == 1:
        return names[0]
    there = ", ".join(map(shown, names)) or "none that is not empty"
    asked = "say --sheet NAME" if given is None else f"--sheet {shown(given)}: none"
    message = f"which sheet? {asked}; there are: {there}"
    raise InvalidInput(message)


def _is_filled(sheet: Any) -> bool:
    rows = islice(_quietly(_cells_of(sheet)), _MOST_ROWS)
    return any(cell.value is not None for row in rows for cell in row)


def _cells_of(sheet: Any) -> Iterator[Sequence[Any]]:
    """Its rows of cells, also those beyond the size that the file states of itself."""
    sheet.reset_dimensions()
    rows: Iterator[Sequence[Any]] = sheet.iter_rows()
    return rows


def _opened(file: BinaryIO, *, values: bool) -> Any:
    try:
        import openpyxl
    except ImportError:
        message = "workbooks need an extra: pip install 'kessai[logs]'"
        raise InvalidInput(message) from None
    if not openpyxl.DEFUSEDXML:
        message = (
            "workbooks are read only with defusedxml, which refuses entities:"
            " pip install 'kessai[logs]', and OPENPYXL_DEFUSEDXML must not be off"
        )
        raise InvalidInput(message)
    file.seek(0)
    with _refusing(), warnings.catch_warnings(action="ignore"):
        return openpyxl.load_workbook(file, read_only=True, data_only=values)


def _quietly(rows: Iterator[_T]) -> Iterator[_T]:
    """`rows`, without openpyxl's warnings and with one kind of error."""
    while True:
        with _refusing(), warnings.catch_warnings(action="ignore"):
            some = list(islice(rows, _AT_ONCE))
        if not some:
            return
        yield from some


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever openpyxl stumbles over means a damaged workbook."""
    try:
        yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        OSError,
        SyntaxError,  # what xml.etree raises
        TypeError,
        ValueError,  # what defusedxml raises, too
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        message = (
            f"the workbook cannot be read: {str(error)[:200] or type(error).__name__}"
        )
        raise InvalidInput(message) from error
