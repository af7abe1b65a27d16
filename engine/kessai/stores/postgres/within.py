"""The PostgreSQL store within a transaction of the shop's, on the shop's own connection.

Its session is the shop's: how it finds tables, how long it waits and what it sees. So our
tables are named with their schema, and nothing of the session is changed. A change that
fails is undone by a savepoint, so that the shop's transaction can go on.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic, NoReturn, TypeVar

import psycopg
from attrs import evolve
from psycopg import AsyncConnection, AsyncRawCursor, Connection, RawCursor
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from kessai.errors import InvalidInput, KessaiError, MustRollBack
from kessai.flow import Change, Loaded
from kessai.stores import reading
from kessai.stores.postgres import appending, place
from kessai.stores.postgres.meaning import READS_ONLY, refuse
from kessai.stores.postgres.server import has_rows, in_psycopg
from kessai.stores.query import Query, Row, Steps, T, perform, perform_async

C = TypeVar("C", Connection[Any], AsyncConnection[Any])

_UNTRANSLATABLE = "22P05"
_NO_TABLES = {"42P01", "3F000"}  # no such table, no such schema
_SAVEPOINT = Query("SAVEPOINT kessai")
_ROLL_BACK = Query("ROLLBACK TO SAVEPOINT kessai")
_RELEASE = Query("RELEASE SAVEPOINT kessai")


class _Session(Generic[C]):
    """A session of the shop's with a transaction, in which tables of ours are named."""

    def __init__(
        self, connection: object, kind: type[C], space: str, name: str
    ) -> None:
        if not isinstance(connection, kind):
            message = (
                f"connection: {type(connection).__module__}.{type(connection).__name__}"
                f" is no psycopg.{kind.__name__}, as this store ({name}) needs"
            )
            raise InvalidInput(message)
        if connection.pgconn.pipeline_status != PipelineStatus.OFF:
            message = (
                "connection: in pipeline mode, where nothing can be decided by what is"
                " read; begin outside of `with connection.pipeline()`"
            )
            raise InvalidInput(message)
        self._is_own = self._is_idle(connection)
        if connection.autocommit and self._is_own:
            message = (
                "connection: no transaction is open, so what is begun would be committed"
                " at once: begin it within `with connection.transaction()`"
            )
            raise InvalidInput(message)
        self.connection: C = connection
        self._space = space
        self._name = name

    @staticmethod
    def _is_idle(connection: C) -> bool:
        return connection.info.transaction_status is TransactionStatus.IDLE

    @property
    def is_to_undo(self) -> bool:
        """Whether a transaction is open that was not before, and can be rolled back."""
        is_idle = self.connection.closed or self._is_idle(self.connection)
        return self._is_own and not is_idle

    def in_psycopg(self, query: Query) -> tuple[bytes, Sequence[Any]]:
        """As a cursor takes `query`, with its tables in our schema."""
        return in_psycopg(evolve(query, text=place.qualified(query.text, self._space)))

    def refuse(self, error: Exception) -> NoReturn:
        """Raise what `error` means for the shop's transaction."""
        state, info = getattr(error, "sqlstate", None), self.connection.info
        encoding = info.parameter_status("client_encoding")
        is_of_text = isinstance(error, UnicodeError) or state == _UNTRANSLATABLE
        if is_of_text and encoding != "UTF8":
            message = (
                f"connection: its client_encoding {encoding} does not have a character"
                " of a text; UTF8 is right"
            )
            raise InvalidInput(message) from error
        if state == READS_ONLY and (
            self.connection.read_only
            or info.parameter_status("in_hot_standby") == "off"
        ):
            message = (
                "connection: its transaction may only read (READ ONLY); begin in one"
                " that writes"
            )
            raise InvalidInput(message) from error
        if state in _NO_TABLES:
            message = (
                f"connection: its database has no tables of kessai in the schema"
                f" {place.quoted(self._space)}, where the store ({self._name}) has its"
                " own; roll back, and begin on the store's database"
            )
            raise InvalidInput(message) from error
        refuse(error, self._name, writes=False, conflict=MustRollBack)


def _append(change: Change) -> Steps[None]:
    """`Within.append`, of which nothing is left if it fails."""
    yield _SAVEPOINT
    try:
        yield from appending.append(change, set())
    except BaseException:
        with suppress(KessaiError):  # the connection may be gone
            yield _ROLL_BACK
            yield _RELEASE
        raise
    yield _RELEASE


class PostgresWithin:
    """See `Within`."""

    def __init__(self, connection: object, space: str, name: str) -> None:
        self._session = _Session(connection, Connection, space, name)

    def give_up(self) -> None:
        """See `Within.give_up`."""
        if self._session.is_to_undo:
            with suppress(psycopg.Error):  # without its connection it is rolled back
                self._session.connection.rollback()

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        return self._perform(reading.load(key, transaction, agreement))

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return self._perform(reading.declaration(lifecycle_hash))

    def append(self, change: Change) -> None:
        """See `Within.append`."""
        self._perform(_append(change))

    def _perform(self, step: Steps[T]) -> T:
        return perform(step, self._ask)

    def _ask(self, query: Query) -> list[Row]:
        # A cursor of psycopg's own, whatever the shop's connection makes.
        cursor = RawCursor(self._session.connection, row_factory=tuple_row)
        try:
            cursor.execute(*self._session.in_psycopg(query), prepare=False, binary=True)
            return cursor.fetchall() if has_rows(cursor) else []
        except (psycopg.Error, UnicodeEncodeError) as error:
            self._session.refuse(error)


class AsyncPostgresWithin:
    """See `AsyncWithin`."""

    def __init__(self, connection: object, space: str, name: str) -> None:
        self._session = _Session(connection, AsyncConnection, space, name)

    async def give_up(self) -> None:
        """See `Within.give_up`."""
        if self._session.is_to_undo:
            with suppress(psycopg.Error):
                await self._session.connection.rollback()

    async def load(
        self, key: str | None, transaction: str, agreement: str | None
    ) -> Loaded:
        """See `Store.load`."""
        return await self._perform(reading.load(key, transaction, agreement))

    async def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return await self._perform(reading.declaration(lifecycle_hash))

    async def append(self, change: Change) -> None:
        """See `Within.append`."""
        await self._perform(_append(change))

    async def _perform(self, step: Steps[T]) -> T:
        return await perform_async(step, self._ask)

    async def _ask(self, query: Query) -> list[Row]:
        cursor = AsyncRawCursor(self._session.connection, row_factory=tuple_row)
        try:
            await cursor.execute(
                *self._session.in_psycopg(query), prepare=False, binary=True
            )
            return await cursor.fetchall() if has_rows(cursor) else []
        except (psycopg.Error, UnicodeEncodeError) as error:
            self._session.refuse(error)
