"""A log's bytes as text, in the encoding that they are surely in.

The rule where none is given: a byte order mark decides; else, if all
of it is UTF-8, it is UTF-8; else, if all of it is CP932 (Shift_JIS as Windows has it),
it is that. What begins as UTF-8 beyond chance and breaks later is damaged UTF-8. Bytes
that fit nothing are kept apart, so that only the rows they stand in are refused.
"""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

import attrs

from kessai.errors import InvalidInput

_PIECE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SURELY = 4
"""So many characters of more than one byte are UTF-8 by chance in no CP932 text."""


@attrs.frozen
class LogText:
    """A log's text, its encoding's usual name, and whether some bytes fit nothing."""

    text: TextIO
    encoding: str
    is_damaged: bool


@contextmanager
def text_of(file: BinaryIO, encoding: str | None) -> Iterator[LogText]:
    """The text in `file`.

    Raises:
        InvalidInput: `encoding` is none.

    """
    chosen, is_damaged = _encoding(file, encoding)
    file.seek(0)
    # newline: a line end inside of quotes is the value's own.
    text = io.TextIOWrapper(
        cast("io.BufferedReader", file), encoding=chosen, errors="replace", newline=""
    )
    try:
        yield LogText(text, _shown_encoding(chosen), is_damaged)
    finally:
        text.detach()


def _encoding(file: BinaryIO, given: str | None) -> tuple[str, bool]:
    if given is not None:
        try:
            name = codecs.lookup(given).name
            "1,".encode(name)
        except (LookupError, TypeError, UnicodeError):
            message = f"--encoding {given}: not one known here; utf-8 and cp932 are"
            raise InvalidInput(message) from None
        name = "utf-8-sig" if name == "utf-8" else name
        return ("cp932" if name == "shift_jis" else name), True
    file.seek(0)
    start = file.read(4)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, _wide(file, name)[0] is not None
    broken, wide = _wide(file, "utf-8")
    if broken is None:
        return "utf-8", False
    if wide < _SURELY and _wide(file, "cp932")[0] is None:
        return "cp932", False
    return "utf-8", True


def _wide(file: BinaryIO, encoding: str) -> tuple[int | None, int]:
    """Where `file` is not `encoding`, if anywhere; how many wide characters before."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    place = wide = 0
    while True:
        piece = file.read(_PIECE)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, "replace")
            return place + error.start, wide + _wide_in(before)
        if wide < _SURELY:
            wide += _wide_in(text)
        place += len(piece)
        if not piece:
            return None, wide


def _wide_in(text: str) -> int:
    return 0 if text.isascii() else sum(not letter.isascii() for letter in text)


def _shown_encoding(encoding: str) -> str:
    names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}
    return names.get(encoding, encoding.upper())
