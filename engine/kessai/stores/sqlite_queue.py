"""The queue of the processes that write to one SQLite file.

SQLite lets waiting processes sleep longer and longer, while one that has just committed
takes the file again at once: of eight, one waited 5 seconds for its first commit while
another made thousands. Here a process that wants to write first passes a turnstile, a
lock on a file beside the database, and keeps it until it holds the database. So one
process at a time asks for the database, and one that has just released it queues up
behind the others.

The queue is courtesy and protects nothing; protection is SQLite's part. Where there can
be no queue (no locks on files, no permission to make one) all ask for the database at
once.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

TURN = 8e-3
"""Seconds during which a process that passed the turnstile need not queue up again."""

PAUSE = 4e-4
"""Seconds between two looks at the turnstile, and at the database. They are the same
for all, or the last would always lose, and long enough for the process whose turn it
is to come back in between."""


class WriterQueue:
    """The turnstile before one database file, to be passed with `with`.

    `patience` gives the most seconds to wait at it. A process that was stopped inside
    delays each of the others by that long once, and by one turn after that. Without any
    wait, they would keep the database from a process that is only slow.
    """

    def __init__(self, database: Path, patience: Callable[[], float]) -> None:
        self._database = database
        self._path = database.with_name(f"{database.name}-queue")
        self._patience = patience
        self._file: int | None = None
        self._was_tried = False
        self._is_stuck = False
        self._is_inside = False
        self._turn_ends = 0.0

    @property
    def is_at_the_front(self) -> bool:
        """Whether this process holds the turnstile."""
        return self._is_inside

    @property
    def is_own_turn(self) -> bool:
        """Whether this process passed so lately that it may ask for the database."""
        return monotonic() < self._turn_ends

    def __enter__(self) -> None:
        if not self._was_tried:
            self._was_tried = True
            self._file = _open_like(self._path, self._database)
        if self._file is None:
            return
        try:
            self._is_inside = self._pass(self._file)
        except BaseException:  # an interrupt: the turnstile must not stay held
            _unlock(self._file)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_inside and self._file is not None:
            self._is_inside = False
            self._turn_ends = monotonic() + TURN
            _unlock(self._file)

    def close(self) -> None:
        """Close the file until it is needed again, outside of the turnstile.

        It stays where it is: others may be waiting at it.
        """
        self._was_tried = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _pass(self, file: int) -> bool:
        if _lock(file):
            self._is_stuck = False
            return True
        until = monotonic() + (TURN if self._is_stuck else self._patience())
        while monotonic() < until:
            sleep(PAUSE)
            if _lock(file):
                self._is_stuck = False
                return True
        self._is_stuck = True
        return False


def _open_like(path: Path, database: Path) -> int | None:
    """Open `path`, made for the users of `database`; None where that is impossible."""
    follow_no_link = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
    with suppress(OSError):
        with suppress(FileNotFoundError):
            return os.open(path, os.O_RDWR | follow_no_link)
        with suppress(FileExistsError):
            return _make_like(path, database)
        return os.open(path, os.O_RDWR | follow_no_link)  # another process made it
    return None


def _make_like(path: Path, database: Path) -> int:
    like = database.stat()
    mode = like.st_mode & 0o666
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    if sys.platform != "win32":
        with suppress(OSError):
            os.fchmod(file, mode)  # whatever the umask of this process
            if os.geteuid() == 0:
                os.fchown(file, like.st_uid, like.st_gid)
    return file


def _lock(file: int) -> bool:
    """Take the lock if it is free. The kernel frees it when its holder dies."""
    from filelock import lock_descriptor  # imported late: who only reads needs none

    with suppress(OSError):
        return lock_descriptor(file, blocking=False)
    return False


def _unlock(file: int) -> None:
    from filelock import unlock_descriptor

    with suppress(OSError):
        unlock_descriptor(file)
