"""`PostgresStore`: each step is waited for by the thread that asks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property, partial
from itertools import starmap
from time import sleep
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg_pool import ConnectionPool

from kessai.errors import StoreBusy
from kessai.flow import Change, Lease, Published, RecoveryFailure, Reference, Subscriber
from kessai.forks import OwnStack, PerProcess
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
from kessai.stores.postgres.lending import Lender
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
from kessai.stores.postgres.sessions import PostgresSession
from kessai.stores.postgres.within import PostgresWithin
from kessai.stores.protocol import ForeignObject
from kessai.stores.query import READ_AHEAD, Query, Row, Steps, T, perform
from kessai.stores.reading import ReadingStore


class PostgresStore(ReadingStore):
    """Transactions in a PostgreSQL database, shared by any number of processes.

    `url` is libpq's: `postgresql://[user[:password]@]host[:port]/name[?sslmode=…]`;
    other settings come from libpq's environment variables and files. At most
    `connections` are held, and made when they are needed; a child process makes its
    own. With `must_exist` no tables are made where there are none. With `to_read`
    nothing will be written: none are made either, and a server that only reads will do,
    such as a standby.

    Raises:
        InvalidInput: the URL is not valid, or there is no store and it must exist.
        StoreUnsuitable: the database cannot give what is promised, or is not ours; the
            tables are not where the search path asks for them; a standby, or a pooler
            of transactions, answers.
        StoreFailed: it cannot be reached, or does not let us in.
        StoreBusy: it is starting, or another process makes the tables.

    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        must_exist: bool = False,
        to_read: bool = False,
    ) -> None:
        self._server = server_at(url)
        self._declared: set[str] = set()
        with (
            closing(_connect(self._server)) as connection,
            naming(self._server.name),
        ):
            _check_pooler(connection, self._server)
            preparing = schema.prepare(must_exist=must_exist, to_read=to_read)
            self._space = _drive(connection, self._server, preparing)
        self._lenders = PerProcess(partial(self._new_lender, connections))
        self._lenders.get()

    def __repr__(self) -> str:
        return f"PostgresStore({self._server.name!r})"

    def _new_lender(self, connections: int) -> Lender:
        pool = _OwnPool(
            **self._server.pool(connections),
            connection_class=PostgresSession,
            configure=self._configure,
            open=True,
        )
        return Lender(self._server, pool)

    def _configure(self, connection: PostgresSession) -> None:
        _drive(connection, self._server, schema.apply_settings(self._space))

    _but_denials = statements.BUT_DENIALS

    def _perform(self, step: Steps[T]) -> T:
        lender = self._lenders.get()
        session = lender.lend()
        try:
            return _drive(session, self._server, step)
        finally:
            lender.give_back(session)

    @cached_property
    def bills(self) -> Bills:
        """See `BillStore`."""
        return Bills(POSTGRES, self._perform, self._perform)

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        self._perform(appending.append(change, self._declared))

    def transactions(self, now: datetime | None = None) -> Iterator[Transaction]:
        """See `Store.transactions`."""
        # A map, because unlike a generator it goes on after a row that is refused.
        return map(partial(decode_row, now=now), self._stream(statements.TRANSACTIONS))

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`."""
        return map(appending.read_trail, self._stream(statements.TRAILS))

    def answers(self) -> Iterator[Answered]:
        """See `Store.answers`."""
        return starmap(Answered, self._stream(reading.ANSWERS))

    def references(self) -> Iterator[tuple[str, Reference]]:
        """See `Store.references`."""
        return map(reading.referring, self._stream(reading.REFERENCES))

    def foreign_objects(self) -> list[ForeignObject]:
        """See `Store.foreign_objects`."""
        return self._perform(reading.foreign_objects(statements.FOREIGN, place.TABLES))

    def _stream(self, statement: str) -> Iterator[Row]:
        """The rows of one moment, over a connection of its own: others write on."""
        try:
            with OwnStack() as own:
                connection = own.enter_context(closing(_connect(self._server)))
                _drive(connection, self._server, schema.allow_long_reads(self._space))
                connection.autocommit = False
                connection.isolation_level = IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                cursor = own.enter_context(
                    connection.cursor("reading", scrollable=False)
                )
                cursor.itersize = READ_AHEAD
                for row in cursor.execute(numbered(statement)[0], binary=True):
                    yield row
                    own.check(self._server.name)
        except psycopg.Error as error:
            raise failed(error, self._server.name) from error

    def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        return self._perform(appending.claim(now, until, accounts))

    def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """See `Store.release`."""
        self._perform(appending.release(lease, due_at, failure))

    def within(self, connection: object) -> PostgresWithin:
        """See `Store.within`: `connection` is a `psycopg.Connection`."""
        return PostgresWithin(connection, self._space, self._server.name)

    def feed(self, after: str, limit: int) -> list[Published]:
        """See `Store.feed`."""
        return self._perform(feeding.feed(after, limit))

    def held_back(self) -> Record | None:
        """See `Store.held_back`."""
        return self._perform(feeding.held_back())

    def advance(self, subscriber: Subscriber) -> None:
        """See `Store.advance`."""
        self._perform(feed.advance(subscriber))

    def scrub(self) -> None:
        """See `Store.scrub`: dead rows are left to the server's VACUUM."""

    def close(self) -> None:
        """See `Store.close`."""
        if (lender := self._lenders.close()) is not None:
            lender.close()


class _OwnPool(ConnectionPool[PostgresSession]):
    """A pool that a child process drops without a word.

    The pool would wait there for threads and locks of the parent.
    """

    def __init__(self, **options: Any) -> None:
        self._process = os.getpid()
        super().__init__(**options)

    def __del__(self) -> None:
        if self._process == os.getpid():
            super().__del__()


def _connect(server: Server) -> PostgresSession:
    for pause in pauses():
        try:
            return PostgresSession.connect(
                server.conninfo, autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            if not server.is_starting():
                raise unreachable(error, server.name) from error
        sleep(pause)
    raise StoreBusy(no_connection(server))


def _check_pooler(connection: PostgresSession, server: Server) -> None:
    numbers = set(_drive(connection, server, pooling.backends()))
    if numbers == {connection.info.backend_pid}:
        return
    others: set[int] = set()
    with closing(_connect(server)) as other:
        for _ in range(pooling.ROUNDS):
            others.update(_drive(other, server, pooling.backends()))
            numbers.update(_drive(connection, server, pooling.backends()))
    pooling.check(numbers, others)


def _drive(connection: PostgresSession, server: Server, step: Steps[T]) -> T:
    return perform(step, partial(_ask, connection, server))


def _ask(connection: PostgresSession, server: Server, query: Query) -> list[Row]:
    try:
        return connection.rows(*in_psycopg(query))
    except (psycopg.Error, UnicodeEncodeError) as error:
        refuse(error, server.name, writes=query.writes, conflict=query.conflict)
