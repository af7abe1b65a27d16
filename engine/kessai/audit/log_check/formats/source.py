"""Where a log's bytes come from: a file, a pipe, standard input; unpacked if need be."""

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import attrs

from kessai.errors import InvalidInput

_GZIP = b"\x1f\x8b"


@attrs.frozen
class OpenedLog:
    """The bytes of a log, which can be read again from their start."""

    file: BinaryIO
    _path: str | None
    _kept: ExitStack

    def as_path(self) -> str:
        """The path of a file with these bytes: the log's own, else a private copy's."""
        if self._path is not None:
            return self._path
        folder = self._kept.enter_context(tempfile.TemporaryDirectory())
        copy = Path(folder, "log")
        self.file.seek(0)
        with copy.open("wb") as out:
            shutil.copyfileobj(self.file, out)
        return str(copy)


@contextmanager
def opened(path: str) -> Iterator[OpenedLog]:
    """The log at `path`; `-` is standard input.

    Raises:
        InvalidInput: it cannot be read.

    """
    try:
        with ExitStack() as kept:
            raw = kept.enter_context(_source(path))
            file = kept.enter_context(_unpacked(raw))
            own = path if file is raw and path != "-" and Path(path).is_file() else None
            yield OpenedLog(file, own, kept)
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
