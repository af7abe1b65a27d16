"""A log's bytes as text: unpacked, and in the encoding that it is surely in.

The rule for the encoding, where none is given: a byte order mark decides; else, if all
of it is UTF-8, it is UTF-8; else, if all of it is CP932 (Shift_JIS as Windows has it),
it is that. What begins as UTF-8 beyond chance and breaks later is damaged UTF-8. Bytes
that fit nothing are kept apart, so that only the rows they stand in are refused.
"""

import codecs
import gzip
import io
import shutil
import sys
import tempfile
import zlib
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
_GZIP = b"\x1f\x8b"
_SURELY = 4
"""So many characters of more than one byte are UTF-8 by chance in no CP932 text."""


@attrs.frozen
class OpenedLog:
    """A log's text, its encoding's usual name, and whether some bytes fit nothing."""

    text: TextIO
    encoding: str
    is_damaged: bool


@contextmanager
def opened(path: str, encoding: str | None) -> Iterator[OpenedLog]:
    """The text of the log at `path`; `-` is standard input.

    Raises:
        InvalidInput: it cannot be read, or `encoding` is none.

    """
    try:
        with _source(path) as raw, _unpacked(raw) as file:
            chosen, is_damaged = _encoding(file, encoding)
            file.seek(0)
            # newline: a line end inside of quotes is the value's own.
            text = io.TextIOWrapper(
                cast("io.BufferedReader", file),
                encoding=chosen,
                errors="replace",
                newline="",
            )
            yield OpenedLog(text, _shown_encoding(chosen), is_damaged)
            text.detach()
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{path}: {reason}"
        raise InvalidInput(message) from error


@contextmanager
def _source(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        with _kept(sys.stdin.buffer) as file:
            yield file
        return
    with open(path, "rb") as file:  # noqa: PTH123 - the path may be a pipe's
        if file.seekable():
            yield file
            return
        with _kept(file) as kept:
            yield kept


@contextmanager
def _kept(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A copy of what can be read only once: it is read twice here."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        yield file


@contextmanager
def _unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    start = file.read(len(_GZIP))
    file.seek(0)
    if start != _GZIP:
        yield file
        return
    with gzip.GzipFile(fileobj=file) as unpacked:
        yield cast("BinaryIO", unpacked)


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
