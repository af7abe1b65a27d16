"""Making a seal: the store is verified, and what holds is signed.

A store with a fault is not sealed: the seal would make it the truth. No file
is overwritten.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import attrs
import msgspec

from kessai.audit.sealing.check import shown
from kessai.audit.sealing.file import (
    FIRST,
    Chain,
    Seal,
    Summary,
    canonical,
    read_seal,
)
from kessai.audit.sealing.keys import PrivateKey
from kessai.audit.sealing.merkle import Tree
from kessai.audit.verification.report import Report, Tally
from kessai.audit.verification.verify import Examined, examinations
from kessai.errors import InvalidInput, StoreFailed
from kessai.stores import Store
from kessai.whole_file import draft, keep


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
    new one. May run while others write: a chain that grows meanwhile is sealed as it
    was read.

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
        lines = _SealLines(file)
        for examined in examinations(store, seals=previous):
            examined.add_to(tally)
            lines.add(examined)
        report = attrs.evolve(tally.report(), seals=shown(previous))
        if not report.holds:
            return Made(report, None)
        lines.end(key, now, "" if latest is None else latest.digest)
        keep(file, path)
    return Made(report, read_seal(path, key.public))


class _SealLines:
    """The lines of a seal as its chains come in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._tree = Tree()
        self._chains = self._events = 0
        self._lifecycles: set[str] = set()
        file.write(FIRST)

    def add(self, examined: Examined) -> None:
        """Add the chain of a transaction, if it holds: else none of it is kept."""
        last = examined.last
        if examined.fault is not None or last is None:
            return
        line = canonical(Chain(examined.name, last.number, last.hash))
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
        signed = msgspec.structs.replace(summary, signature=signature)
        self._file.write(canonical(signed) + b"\n")


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """See `draft`; its errors as those of a seal."""
    if path.exists():
        raise _is_there(path)
    try:
        with draft(path) as file:
            yield file
    except FileExistsError:
        raise _is_there(path) from None
    except OSError as error:
        message = f"{path}: the seal cannot be written: {error.strerror}"
        raise StoreFailed(message) from error


def _is_there(path: Path) -> InvalidInput:
    return InvalidInput(f"{path}: is there already; a seal is never overwritten")
