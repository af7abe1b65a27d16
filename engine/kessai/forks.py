"""What each process has of its own: a fork copies memory, but neither threads nor locks.

A connection that two processes use gives one of them the other's reply, and a lock that
another thread held at the moment of the fork is never released in the child.
"""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from threading import Lock
from types import TracebackType
from typing import Final, Generic, TypeVar

from kessai.errors import StoreFailed

T = TypeVar("T")

NOT_OWN: Final = "this reading belongs to the process that this one was forked from"


class PerProcess(Generic[T]):
    """A `T` for each process, made when the process first asks for it.

    What a child inherited is kept as it is: to close it could reach the parent's.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}
        self._making: dict[int, Lock] = {}
        self._inherited: list[object] = []
        self._is_closed = False

    def close(self) -> T | None:
        """That of this process, to be closed, if there is one; none is made any more."""
        self._is_closed = True
        return self._made.pop(os.getpid(), None)

    def get(self) -> T:
        """That of this process."""
        process = os.getpid()
        try:
            return self._made[process]
        except KeyError:
            return self._first(process)

    def _first(self, process: int) -> T:
        with self._making.setdefault(process, Lock()):  # no other process ever held it
            if self._is_closed:
                message = "the store was closed"
                raise StoreFailed(message)
            if process not in self._made:
                made = self._make()
                self._inherited.append(self._made)
                self._made = {process: made}
        return self._made[process]


class _OfOneProcess:
    """What is read in one process: its children touch neither cursor nor connection."""

    _kept: Final[list[object]] = []

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()

    def check(self, name: str) -> None:
        """See that this is the process.

        Raises:
            StoreFailed: it is a child of it.

        """
        if self._process != os.getpid():
            message = f"{name}: {NOT_OWN}"
            raise StoreFailed(message)

    def _keeps(self) -> bool:
        """Whether this is a child process, where what is held is kept as it is."""
        if self._process == os.getpid():
            return False
        self._kept.append(self)
        return True


class OwnStack(_OfOneProcess, ExitStack):
    """Closes what it holds at the end of its block, in the process that began it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return not self._keeps() and bool(super().__exit__(kind, error, traceback))


class AsyncOwnStack(_OfOneProcess, AsyncExitStack):
    """As `OwnStack`, in an `async with` block."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._keeps():
            return False
        return bool(await super().__aexit__(kind, error, traceback))
