"""Idle connections, and how many may be in use: of one process and one event loop.

A child process gets a pool of its own: a connection that two processes write to would
give one of them the other's reply. So does each event loop. Nothing here takes a lock,
so that no lock can be held for ever by a thread that a fork left behind.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from typing import Any

from kessai.transport.connection import Connection
from kessai.transport.request import Origin

RESOLVERS = 4
"""Threads that look names up: the system's way of asking cannot be broken off."""


class Pool:
    """The connections of one process and event loop; `slots` is a semaphore."""

    def __init__(self, slots: Any) -> None:
        self.slots = slots
        self._idle: dict[Origin, deque[Connection]] = {}
        self._is_closed = False

    @cached_property
    def resolvers(self) -> Executor:
        """The threads that look names up; most requests need none."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(RESOLVERS, "kessai-names")

    def take(self, origin: Origin) -> Connection | None:
        """The connection to `origin` that was used last, if one can be used again."""
        idle = self._idle.get(origin, ())
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # another thread was faster
                break
            if connection.is_usable:
                return connection
            connection.close()
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection for another request, and close those kept for too long."""
        connection.rest()
        idle = self._idle.setdefault(connection.origin, deque())
        idle.append(connection)
        while idle and (oldest := idle[0]).is_stale:
            try:
                idle.remove(oldest)
            except ValueError:  # another thread was faster
                break
            oldest.close()
        if self._is_closed:
            self.forget()

    def forget(self) -> None:
        """Close what is idle; in a child process, let go of the parent's."""
        for idle in tuple(self._idle.values()):
            while idle:
                try:
                    idle.pop().close()
                except IndexError:
                    break

    def close(self) -> None:
        """Close what is idle, and what is given back later."""
        self._is_closed = True
        self.forget()
        if (resolvers := self.__dict__.get("resolvers")) is not None:
            resolvers.shutdown(wait=False, cancel_futures=True)


class Pools:
    """The pool of each process and event loop that sends; `make_slots` is for a new one."""

    def __init__(self, make_slots: Callable[[], Any]) -> None:
        self._make_slots = make_slots
        self._pools: dict[tuple[int, Any], Pool] = {}

    def of(self, loop: Any = None) -> Pool:
        """The pool of this process and of `loop`."""
        key = os.getpid(), loop
        return self._pools.get(key) or self._made(key)

    def _made(self, key: tuple[int, Any]) -> Pool:
        self._close_others()
        return self._pools.setdefault(key, Pool(self._make_slots()))

    def _close_others(self) -> None:
        """Close those of loops that have ended, and let go of a parent process's."""
        process = os.getpid()
        for key in tuple(self._pools):
            if key[0] != process and (pool := self._pools.pop(key, None)):
                pool.forget()
            elif key[1] is not None and key[1].is_closed():
                self._close_one(key)

    def _close_one(self, key: tuple[int, Any]) -> None:
        if (pool := self._pools.pop(key, None)) is not None:
            pool.close()

    def close(self, loop: Any = None) -> None:
        """Close the pool of this process and of `loop`, and those nobody can use."""
        self._close_others()
        self._close_one((os.getpid(), loop))
