"""Making a seal: the store is verified, and what holds is signed.

A store with a fault is not sealed: the seal would make it the truth. The file is there
whole or not at all, whatever breaks off the writing, and no file is overwritten.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import attrs
import msgspec

from kessai.audit.report import Report, Tally
from kessai.audit.sealing.check import shown
from kessai.audit.sealing.file import (
    Chain,
    Seal,
    Summary,
    chain_line,
    first_line,
    last_line,
    read_seal,
)
from kessai.audit.sealing.keys import PrivateKey
from kessai.audit.sealing.merkle import Tree
from kessai.audit.verify import Examined, examinations
from kessai.errors import InvalidInput, StoreFailed
from kessai.stores import Store


@attrs.frozen
class Made:
    """What came of it: the seal, or what keeps the store from being sealed."""

    report: Report
    seal: Seal | None


def write_seal(
    store: Store,
    key: PrivateKey,
    path: Path | str,
    now: datetime,
    previous: Sequence[Seal] = (),
) -> Made:
    """Verify `store`, and sign all its chains in a new file; `now` is in it as the time.

    Every chain must go on from the `previous` seals; the last of them is named in the
    new one. May run while others write: a chain that grows meanwhile is sealed as it was
    read.

    Raises:
        InvalidInput: the file is there already, or a previous seal is of a later time.
        StoreBusy, StoreFailed: the store cannot be read, or the file not be written.

    """
    path = Path(path)
    latest = max(previous, key=lambda seal: seal.time, default=None)
    if latest is not None and latest.time >= now:
        message = (
            f"{latest.path}: was sealed at a later time than now; is a clock wrong?"
        )
        raise InvalidInput(message)
    tally = Tally()
    with _new_file(path) as file:
        lines = _Lines(file)
        for examined in examinations(store, seals=previous):
            examined.add_to(tally)
            lines.add(examined)
        report = attrs.evolve(tally.report(), seals=shown(previous))
        if not report.holds:
            return Made(report, None)
        lines.end(key, now, "" if latest is None else latest.digest)
        _put(file, path)
    return Made(report, read_seal(path, key.public))


class _Lines:
    """The lines of a seal as its chains come in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._tree = Tree()
        self._chains = self._events = 0
        self._lifecycles: set[str] = set()
        file.write(first_line())

    def add(self, examined: Examined) -> None:
        """Add the chain of a transaction, if it holds: else none of it is kept."""
        if examined.fault is not None or not examined.records:
            return
        last = examined.records[-1]
        line = chain_line(Chain(examined.name, last.number, last.hash))
        self._tree.add(line)
        self._file.write(line + b"\n")
        self._chains += 1
        self._events += last.number
        if examined.lifecycle:
            self._lifecycles.add(examined.lifecycle)

    def end(self, key: PrivateKey, now: datetime, previous: str) -> None:
        """Sign what was added."""
        summary = Summary(
            time=now,
            chains=self._chains,
            events=self._events,
            root=self._tree.root(),
            lifecycles=tuple(sorted(self._lifecycles)),
            key=key.public.id,
            previous=previous,
        )
        signature = key.sign(summary.message()).hex()
        self._file.write(
            last_line(msgspec.structs.replace(summary, signature=signature))
        )


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` under another name, gone afterwards whatever happens."""
    if path.exists():
        raise _is_there(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as file:
            yield file
    except OSError as error:
        message = f"{path}: the seal cannot be written: {error.strerror}"
        raise StoreFailed(message) from error
    finally:
        beside.unlink(missing_ok=True)


def _put(file: BinaryIO, path: Path) -> None:
    """Give a finished file its name, once it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    try:
        os.link(file.name, path)  # unlike a rename, it never replaces another file
    except FileExistsError:
        raise _is_there(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise _is_there(path) from None
        Path(file.name).rename(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _is_there(path: Path) -> InvalidInput:
    return InvalidInput(f"{path}: is there already; a seal is never overwritten")
