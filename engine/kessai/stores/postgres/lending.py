"""Who has a session: as many statements at once as there may be connections.

A pool opens, renews and closes connections. Its own bookkeeping costs as much as a
statement, so sessions are kept beside it between two statements, and go back to it every
minute: those that lay idle, and those that it may want to renew.
"""

import asyncio
from collections import deque
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from kessai.errors import KessaiError, StoreBusy
from kessai.limits import BUSY_SECONDS, KEPT_SECONDS
from kessai.stores.postgres.meaning import failed
from kessai.stores.postgres.server import Server, no_connection
from kessai.stores.postgres.sessions import AsyncPostgresSession, PostgresSession

S = TypeVar("S", PostgresSession, AsyncPostgresSession)


class _IdleSessions(Generic[S]):
    """The sessions that lie beside the pool; that used last is taken first."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._sessions: deque[S] = deque()
        self.is_closed = False

    def take(self) -> S | None:
        """One, if there is any."""
        try:
            return self._sessions.pop()
        except IndexError:
            return None

    def give_back(self, session: S) -> S | None:
        """Keep a session; one that is to go back to the pool, if there is any."""
        is_idle = session.pgconn.transaction_status == TransactionStatus.IDLE
        if self.is_closed or not is_idle:
            return session
        self._sessions.append(session)
        return self.due()

    def due(self) -> S | None:
        """One that is to go back to the pool: the longest idle."""
        try:
            if self.is_closed or self._sessions[0].is_due():
                return self._sessions.popleft()
        except IndexError:  # another thread took it
            pass
        return None

    def meaning(self, error: psycopg.Error) -> KessaiError:
        """What it means that the pool has none."""
        if isinstance(error, PoolTimeout):
            return StoreBusy(no_connection(self.server))
        return failed(error, self.server.name)


class Lender:
    """The sessions of one process."""

    def __init__(self, server: Server, pool: ConnectionPool[PostgresSession]) -> None:
        self._pool = pool
        self._idle = _IdleSessions[PostgresSession](server)
        self._free: SimpleQueue[None] = SimpleQueue()  # a semaphore that costs little
        for _ in range(pool.max_size):
            self._free.put(None)

    def lend(self) -> PostgresSession:
        """A session that is not known to be broken, to be given back."""
        until = monotonic() + BUSY_SECONDS
        try:
            self._free.get(timeout=BUSY_SECONDS)
        except Empty as error:
            raise StoreBusy(no_connection(self._idle.server)) from error
        try:
            return self._quiet(until)
        except BaseException:
            self._free.put(None)
            raise

    def give_back(self, session: PostgresSession) -> None:
        """Take back what was lent."""
        try:
            if (due := self._idle.give_back(session)) is not None:
                self._pool.putconn(due)
        finally:
            self._free.put(None)

    def _quiet(self, until: float) -> PostgresSession:
        while not (session := self._idle.take() or self._new(until)).is_quiet():
            session.close()
            self._pool.putconn(session)
        return session

    def _new(self, until: float) -> PostgresSession:
        try:
            session = self._pool.getconn(max(until - monotonic(), 0))
        except psycopg.Error as error:
            raise self._idle.meaning(error) from error
        session.keep_until = monotonic() + KEPT_SECONDS
        return session

    def close(self) -> None:
        """Close all, and what is given back later."""
        self._idle.is_closed = True
        self._pool.close()
        while (session := self._idle.due()) is not None:
            self._pool.putconn(session)


class AsyncLender:
    """The same on an event loop."""

    def __init__(
        self, server: Server, pool: AsyncConnectionPool[AsyncPostgresSession]
    ) -> None:
        self._pool = pool
        self._idle = _IdleSessions[AsyncPostgresSession](server)
        self._free = asyncio.Semaphore(pool.max_size)

    async def open(self) -> None:
        """Begin to connect."""
        await self._pool.open()

    async def lend(self) -> AsyncPostgresSession:
        """A session that is not known to be broken, to be given back."""
        until = monotonic() + BUSY_SECONDS
        await self._wait()
        try:
            return await self._quiet(until)
        except BaseException:
            self._free.release()
            raise

    async def give_back(self, session: AsyncPostgresSession) -> None:
        """Take back what was lent."""
        try:
            if (due := self._idle.give_back(session)) is not None:
                await self._pool.putconn(due)
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise StoreBusy(no_connection(self._idle.server)) from error

    async def _quiet(self, until: float) -> AsyncPostgresSession:
        while not (session := self._idle.take() or await self._new(until)).is_quiet():
            await session.close()
            await self._pool.putconn(session)
        return session

    async def _new(self, until: float) -> AsyncPostgresSession:
        try:
            if self._pool.closed and not self._idle.is_closed:
                await self._pool.open()  # in a child process, where it was just made
            session = await self._pool.getconn(max(until - monotonic(), 0))
        except psycopg.Error as error:
            raise self._idle.meaning(error) from error
        session.keep_until = monotonic() + KEPT_SECONDS
        return session

    async def close(self) -> None:
        """Close all, and what is given back later."""
        self._idle.is_closed = True
        await self._pool.close()
        while (session := self._idle.due()) is not None:
            await self._pool.putconn(session)
