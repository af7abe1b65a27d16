"""Connections to SQLite files, and what a fork does to them: none is open during one.

SQLite remembers for the whole process which locks it has on each file. A child inherits
that memory, but not the locks. So a connection that is opened beside an inherited one
takes no lock: when the parent closes the file, it is the last to do so for all that it
can see, and deletes the log that the child writes its commits to. SQLite has mutexes of
its own, too, which another thread may hold at that moment.

So a fork waits until no thread is in SQLite, and all connections are closed before it.
Each process opens its own when it needs them. A reading of all rows goes on in the
parent alone; the child closes what it inherited of it at once, and since it can only
read, that touches neither the file nor the log.

Where a process is forked and Python is not told (a server written in C may do so), the
inherited connections are still there, and the file is refused to the child.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock, get_ident
from time import monotonic
from weakref import WeakSet

from kessai.errors import StoreFailed
from kessai.forks import NOT_OWN
from kessai.limits import FORK_SECONDS


class Session:
    """A connection for one thread at a time: everything is done with `lock` held.

    `closed` is called whenever the connection was closed.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_is_closed",
        "_open",
        "_process",
        "connection",
        "lock",
        "path",
        "rows",
    )

    def __init__(
        self,
        path: Path,
        open_: Callable[[], sqlite3.Connection],
        closed: Callable[[], None] | None = None,
    ) -> None:
        self.lock = Lock()
        self.connection: sqlite3.Connection | None = None
        self.rows: sqlite3.Cursor | None = None
        """What is being read row by row, which goes on after a fork."""
        self.path = path
        self._open = open_
        self._closed = closed
        self._process = os.getpid()
        self._is_closed = False
        with _quiet.gate:  # none is added while a process forks
            _quiet.sessions.add(self)

    def opened(self) -> sqlite3.Connection:
        """The connection, opened if it is not."""
        if self.connection is None:
            self._check()
            self.connection = self._open()
        return self.connection

    @property
    def is_own(self) -> bool:
        """Whether it was made in this process."""
        return self._process == os.getpid()

    def _check(self) -> None:
        message = ""
        if self._is_closed:
            message = "the store was closed"
        elif not self.is_own:
            message = NOT_OWN
        elif any(each.is_beside(self) for each in tuple(_quiet.sessions)):
            message = (
                "was open when this process was forked, and could not be closed before:"
                " let Python fork, or open the store afterwards"
            )
        if message:
            message = f"{self.path}: {message}"
            raise StoreFailed(message)

    def is_beside(self, other: "Session") -> bool:
        """Whether this is an inherited one, still open on the same file."""
        is_inherited = self.connection is not None and not self.is_own
        return is_inherited and self.path.resolve() == other.path.resolve()

    def close(self) -> None:
        """Close it for good, in the process that opened it."""
        if self.is_own:
            with self.lock:
                self._is_closed = True
                self.let_go()

    def let_go(self) -> None:
        """Close the connection, until it is needed again."""
        if self.rows is not None:
            self.rows.close()  # else SQLite keeps the connection for its rows' sake
            self.rows = None
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        if self._closed is not None:
            self._closed()


class _Quiet:
    """The sessions of this process, and the quiet among them while it forks."""

    def __init__(self) -> None:
        self.gate = Lock()
        self.sessions: WeakSet[Session] = WeakSet()
        self._forking = 0
        self._held: list[Session] = []

    def begin(self) -> None:
        """Before a fork: wait for other threads, and close what is open."""
        until = monotonic() + FORK_SECONDS
        if not self.gate.acquire(timeout=FORK_SECONDS):
            return
        self._forking = get_ident()
        for session in tuple(self.sessions):
            if session.is_own and session.lock.acquire(
                timeout=max(until - monotonic(), 0)
            ):
                self._held.append(session)
                if session.rows is None:
                    session.let_go()

    def end(self) -> None:
        """After it: let other threads go on."""
        if self._forking == get_ident():
            while self._held:
                self._held.pop().lock.release()
            self._forking = 0
            self.gate.release()

    def end_in_child(self) -> None:
        """After it, in the child: no other thread is there."""
        for session in self._held:
            session.let_go()
        self.end()


_quiet = _Quiet()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_quiet.begin,
        after_in_parent=_quiet.end,
        after_in_child=_quiet.end_in_child,
    )
