"""Which format a log is in, by what its bytes begin with, and its table."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from kessai.audit.log_check.formats import workbook
from kessai.audit.log_check.formats.encoding import text_of
from kessai.audit.log_check.formats.ocel import ocel_json, ocel_xml
from kessai.audit.log_check.formats.ocel_sqlite import MAGIC, ocel_sqlite
from kessai.audit.log_check.formats.source import OpenedLog, opened
from kessai.audit.log_check.formats.table import Layout, LogTable
from kessai.audit.log_check.formats.text import text_table
from kessai.audit.log_check.formats.xes import xes_table
from kessai.audit.log_check.formats.xml import elements
from kessai.errors import InvalidInput

_START = 1 << 16
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""What may stand before the first sign: a byte order mark, spaces; halves of UTF-16."""

_OCEL_1 = re.compile(rb'\{\s*"ocel:[a-z-]+"\s*:')
_OCEL_2 = re.compile(rb'\{\s*"(objectTypes|eventTypes|objects|events)"\s*:\s*\[')
_OCEL_PARTS = {"object-types", "event-types", "objects", "events"}


@contextmanager
def log_table(
    path: str, layout: Layout, encoding: str | None, order: str | None
) -> Iterator[LogTable]:
    """The table in the log at `path`; `-` is standard input.

    `order` is what was given as the column of orders: a log of objects asks for it.

    Raises:
        InvalidInput: it cannot be read as a table.

    """
    with opened(path) as log:
        form = layout.form or _form_of(log.file)
        if form == "xlsx":
            yield workbook.workbook_table(log.file, layout)
        elif form == "xes":
            yield xes_table(log.file)
        elif form == "ocel":
            yield _ocel(log, order)
        else:
            with text_of(log.file, encoding) as text:
                yield text_table(text, layout)


def _form_of(file: BinaryIO) -> str | None:
    """The format that the bytes show; None: it is text."""
    file.seek(0)
    start = file.read(_START)
    if start.startswith(workbook.OLD_MAGIC):
        message = (
            "an old .xls workbook, or one with a password; save it as .xlsx without"
            " one, or as CSV"
        )
        raise InvalidInput(message)
    if start.startswith(workbook.MAGIC):
        return "xlsx"
    if start.startswith(MAGIC):
        return "ocel"
    plain = start.lstrip(_MARKS)
    if plain.startswith(b"<"):
        return _xml_form(file)
    if _OCEL_1.match(plain):
        message = "OCEL 1.0; export it as OCEL 2.0"
        raise InvalidInput(message)
    return "ocel" if _OCEL_2.match(plain) else None


def _xml_form(file: BinaryIO) -> str:
    names = [each.name for each in elements(file, _START) if each.is_start]
    if names[:1] != ["log"]:
        root = names[0] if names else "nothing"
        message = f"XML, but no log: it begins with <{root}>; XES and OCEL 2.0 are read"
        raise InvalidInput(message)
    return "ocel" if _OCEL_PARTS.intersection(names[1:2]) else "xes"


def _ocel(log: OpenedLog, order: str | None) -> LogTable:
    log.file.seek(0)
    start = log.file.read(_START)
    if start.startswith(MAGIC):
        return ocel_sqlite(log.as_path(), order)
    if start.lstrip(_MARKS).startswith(b"<"):
        return ocel_xml(log.file, order)
    return ocel_json(log.file, order)
