"""`AsyncPostgresStore`: the same steps, waited for by an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Generic, Self

import psycopg
from psycopg import IsolationLevel
from psycopg_pool import AsyncConnectionPool

from kessai.closable import AsyncClosable
from kessai.errors import StoreBusy
from kessai.flow import (
    Change,
    Lease,
    Loaded,
    Published,
    RecoveryFailure,
    Reference,
    Search,
    SearchResult,
    Subscriber,
)
from kessai.forks import AsyncOwnStack, PerProcess
from kessai.machine import Record, Transaction
from kessai.stores import feed, reading
from kessai.stores.bills import POSTGRES, Bills
from kessai.stores.encoding import Answered, decode_row
from kessai.stores.naming import naming
from kessai.stores.postgres import (
    appending,
    feeding,
    place,
    pooling,
    schema,
    statements,
)
from kessai.stores.postgres.lending import AsyncLender
from kessai.stores.postgres.meaning import failed, refuse, unreachable
from kessai.stores.postgres.server import (
    CONNECTIONS,
    Server,
    in_psycopg,
    no_connection,
    numbered,
    pauses,
    server_at,
)
from kessai.stores.postgres.sessions import AsyncPostgresSession
from kessai.stores.postgres.within import AsyncPostgresWithin
from kessai.stores.protocol import AsyncBillStore, ForeignObject, StatusGroup
from kessai.stores.query import READ_AHEAD, Query, Row, Steps, T, perform_async
from kessai.stores.searching import search, status_groups


class AsyncPostgresStore(AsyncClosable):
    """`PostgresStore` for `AsyncEngine`; made by `open`, on one event loop.

    A task that is cancelled while the server commits knows nothing of the commit, as if
    the reply had been lost.
    """

    def __init__(self, server: Server, space: str, connections: int) -> None:
        self._server = server
        self._space = space
        self._lenders = PerProcess(partial(self._new_lender, connections))
        self._declared: set[str] = set()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections: int = CONNECTIONS,
        must_exist: bool = False,
        to_read: bool = False,
    ) -> Self:
        """The store at `url`; see `PostgresStore` for all of it."""
        server = server_at(url)
        connection = await _connect(server)
        try:
            with naming(server.name):
                await _check_pooler(connection, server)
                preparing = schema.prepare(must_exist=must_exist, to_read=to_read)
                space = await _drive(connection, server, preparing)
        finally:
            await connection.close()
        store = cls(server, space, connections)
        await store._lenders.get().open()
        return store

    def _new_lender(self, connections: int) -> AsyncLender:
        pool = AsyncConnectionPool(
            **self._server.pool(connections),
            connection_class=AsyncPostgresSession,
            configure=partial(_apply_settings, self._server, self._space),
            open=False,
        )
        return AsyncLender(self._server, pool)

    def __repr__(self) -> str:
        return f"AsyncPostgresStore({self._server.name!r})"

    async def _perform(self, step: Steps[T]) -> T:
        lender = self._lenders.get()
        session = await lender.lend()
        try:
            return await _drive(session, self._server, step)
        finally:
            await lender.give_back(session)

    @cached_property
    def bills(self) -> AsyncBillStore:
        """See `AsyncBillStore`."""
        found: Any = Bills(POSTGRES, self._perform, self._perform)
        bills: AsyncBillStore = found
        return bills

    async def load(
        self, key: str | None, transaction: str, agreement: str | None
    ) -> Loaded:
        """See `Store.load`."""
        return await self._perform(reading.load(key, transaction, agreement))

    async def append(self, change: Change) -> None:
        """See `Store.append`."""
        await self._perform(appending.append(change, self._declared))

    async def records(self, transaction: str, *, denials: bool = True) -> list[Record]:
        """See `Store.records`."""
        but_denials = None if denials else statements.BUT_DENIALS
        return await self._perform(reading.records(transaction, but_denials))

    async def records_from(self, transaction: str, first: int) -> list[Record]:
        """See `Store.records_from`."""
        return await self._perform(reading.records_from(transaction, first))

    async def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return await self._perform(reading.declaration(lifecycle_hash))

    async def find(self, account: str, kind: str, name: str) -> list[str]:
        """See `Store.find`."""
        return await self._perform(reading.find(account, kind, name))

    async def search(self, asked: Search) -> SearchResult:
        """See `Store.search`."""
        return await self._perform(search(asked))

    def transactions(self, now: datetime | None = None) -> AsyncIterator[Transaction]:
        """See `Store.transactions`."""
        found = self._stream(statements.TRANSACTIONS)
        return _Mapped(partial(decode_row, now=now), found)

    def trails(self) -> AsyncIterator[tuple[str, list[Record]]]:
        """See `Store.trails`."""
        return _Mapped(appending.read_trail, self._stream(statements.TRAILS))

    def answers(self) -> AsyncIterator[Answered]:
        """See `Store.answers`."""
        return _Mapped(lambda row: Answered(*row), self._stream(reading.ANSWERS))

    def references(self) -> AsyncIterator[tuple[str, Reference]]:
        """See `Store.references`."""
        return _Mapped(reading.referring, self._stream(reading.REFERENCES))

    async def foreign_objects(self) -> list[ForeignObject]:
        """See `Store.foreign_objects`."""
        found = reading.foreign_objects(statements.FOREIGN, place.TABLES)
        return await self._perform(found)

    async def _stream(self, statement: str) -> AsyncIterator[Row]:
        """The rows of one moment, over a connection of its own: others write on."""
        try:
            async with AsyncOwnStack() as own:
                connection = await _connect(self._server)
                own.push_async_callback(connection.close)
                allowing = schema.allow_long_reads(self._space)
                await _drive(connection, self._server, allowing)
                await connection.set_autocommit(False)
                await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                await connection.set_read_only(True)
                cursor = await own.enter_async_context(
                    connection.cursor("reading", scrollable=False)
                )
                cursor.itersize = READ_AHEAD
                await cursor.execute(numbered(statement)[0], binary=True)
                async for row in cursor:
                    yield row
                    own.check(self._server.name)
        except psycopg.Error as error:
            raise failed(error, self._server.name) from error

    async def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        return await self._perform(reading.open_transactions(limit))

    async def status_groups(self) -> list[StatusGroup]:
        """See `Store.status_groups`."""
        return await self._perform(status_groups())

    async def accounts(self) -> list[str]:
        """See `Store.accounts`."""
        return await self._perform(reading.accounts())

    async def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        return await self._perform(appending.claim(now, until, accounts))

    async def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """See `Store.release`."""
        await self._perform(appending.release(lease, due_at, failure))

    async def recovery_failure(self, transaction: str) -> RecoveryFailure | None:
        """See `Store.recovery_failure`."""
        return await self._perform(reading.recovery_failure(transaction))

    async def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        return await self._perform(reading.unresolved(open_before, limit))

    def within(self, connection: object) -> AsyncPostgresWithin:
        """See `Store.within`: `connection` is a `psycopg.AsyncConnection`."""
        return AsyncPostgresWithin(connection, self._space, self._server.name)

    async def feed(self, after: str, limit: int) -> list[Published]:
        """See `Store.feed`."""
        return await self._perform(feeding.feed(after, limit))

    async def held_back(self) -> Record | None:
        """See `Store.held_back`."""
        return await self._perform(feeding.held_back())

    async def misplaced(self) -> list[tuple[str, int]]:
        """See `Store.misplaced`."""
        return await self._perform(feed.misplaced())

    async def subscriber(self, name: str) -> Subscriber:
        """See `Store.subscriber`."""
        return await self._perform(feed.subscriber(name))

    async def subscribers(self) -> list[Subscriber]:
        """See `Store.subscribers`."""
        return await self._perform(feed.subscribers())

    async def advance(self, subscriber: Subscriber) -> None:
        """See `Store.advance`."""
        await self._perform(feed.advance(subscriber))

    async def scrub(self) -> None:
        """See `Store.scrub`: dead rows are left to the server's VACUUM."""

    async def close(self) -> None:
        """See `Store.close`."""
        if (lender := self._lenders.close()) is not None:
            await lender.close()


class _Mapped(Generic[T]):
    """`map` for an asynchronous iterator: it goes on after a row that is refused."""

    def __init__(self, read: Callable[[Row], T], rows: AsyncIterator[Row]) -> None:
        self._read = read
        self._rows = rows

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return self._read(await anext(self._rows))


async def _connect(server: Server) -> AsyncPostgresSession:
    for pause in pauses():
        try:
            return await AsyncPostgresSession.connect(
                server.conninfo, autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            if not server.is_starting():
                raise unreachable(error, server.name) from error
        await asyncio.sleep(pause)
    raise StoreBusy(no_connection(server))


async def _apply_settings(
    server: Server, space: str, connection: AsyncPostgresSession
) -> None:
    await _drive(connection, server, schema.apply_settings(space))


async def _check_pooler(connection: AsyncPostgresSession, server: Server) -> None:
    numbers = set(await _drive(connection, server, pooling.backends()))
    if numbers == {connection.info.backend_pid}:
        return
    others: set[int] = set()
    other = await _connect(server)
    try:
        for _ in range(pooling.ROUNDS):
            others.update(await _drive(other, server, pooling.backends()))
            numbers.update(await _drive(connection, server, pooling.backends()))
    finally:
        await other.close()
    pooling.check(numbers, others)


async def _drive(connection: AsyncPostgresSession, server: Server, step: Steps[T]) -> T:
    return await perform_async(step, partial(_ask, connection, server))


async def _ask(
    connection: AsyncPostgresSession, server: Server, query: Query
) -> list[Row]:
    try:
        return await connection.rows(*in_psycopg(query))
    except (psycopg.Error, UnicodeEncodeError) as error:
        refuse(error, server.name, writes=query.writes, conflict=query.conflict)
