"""Our sessions: how a statement is sent and its rows are read, for both ways of waiting.

psycopg's cursor makes of each statement anew what a session can keep: which statement is
prepared there, how values are written and rows are read. That takes twice as long as
sending it, so statements go by psycopg's own parts below the cursor: a generator that
either kind of connection waits for.
"""

import select
from collections.abc import Sequence
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from psycopg import AsyncConnection, Connection, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.rows import TupleRow

from kessai.stores.query import Row

if TYPE_CHECKING:
    from psycopg import abc
    from psycopg.pq.abc import PGconn

MOST_PREPARED = 100
"""So many are prepared in a session: of searches there is no end."""

_Sent = tuple[bytes, tuple[int, ...] | None]
"""A statement: its text and the types of its values."""


class _Lasting:
    """What a session keeps from one statement to the next."""

    pgconn: "PGconn"
    keep_until = 0.0

    def is_due(self) -> bool:
        """Whether it is to go back to its pool."""
        return monotonic() >= self.keep_until

    @cached_property
    def adapting(self) -> "abc.Transformer":
        """What turns values into bytes and bytes into values."""
        return Transformer(cast("abc.AdaptContext", self))

    @cached_property
    def sent(self) -> dict[_Sent, int]:
        """How often each statement was sent that is not prepared."""
        return {}

    @cached_property
    def prepared(self) -> dict[_Sent, bytes]:
        """The names of the statements that are."""
        return {}

    @cached_property
    def poll(self) -> "select.poll":
        """Whether there is anything to read."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return poll

    def is_quiet(self) -> bool:
        """Whether a session that lay idle may be used. Asks nobody, so it costs nothing.

        An idle connection has nothing to read. If it has, that is the server's last
        message or the end of the stream, and a statement written to it would have an
        unknown fate.
        """
        if self.pgconn.status:
            return False
        if not hasattr(select, "poll"):  # Windows, where a socket's number has no limit
            return not select.select([self.pgconn.socket], [], [], 0)[0]
        return not self.poll.poll(0)

    def asked(self, text: bytes, values: Sequence[Any]) -> "abc.PQGen[list[Row]]":
        """Send a statement and its values; the rows that come back."""
        adapting, pgconn = self.adapting, self.pgconn
        given = adapting.dump_sequence(values, [PyFormat.AUTO] * len(values))
        statement, formats = (text, adapting.types), adapting.formats
        name = self.prepared.get(statement)
        if name is None and self._is_often_sent(statement):
            name = yield from self._prepare(statement)
        if name is None:
            pgconn.send_query_params(
                text, given, adapting.types, formats, Format.BINARY
            )
        else:
            pgconn.send_query_prepared(name, given, formats, Format.BINARY)
        results = yield from generators.execute(pgconn)
        for result in results:
            if result.status not in _DONE:
                raise errors.error_from_result(result)
        adapting.set_pgresult(results[-1])
        return adapting.load_rows(0, results[-1].ntuples, tuple)

    def _is_often_sent(self, statement: _Sent) -> bool:
        threshold = cast("Connection[TupleRow]", self).prepare_threshold
        if threshold is None or len(self.prepared) >= MOST_PREPARED:
            return False
        if len(self.sent) >= MOST_PREPARED:
            self.sent.clear()
        self.sent[statement] = self.sent.get(statement, 0) + 1
        return self.sent[statement] > threshold

    def _prepare(self, statement: _Sent) -> "abc.PQGen[bytes]":
        text, types = statement
        name = f"kessai_{len(self.prepared)}".encode()
        self.pgconn.send_prepare(name, text, types)
        for result in (yield from generators.execute(self.pgconn)):
            if result.status not in _DONE:
                raise errors.error_from_result(result)
        self.prepared[statement] = name
        del self.sent[statement]
        return name


_DONE = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}


class PostgresSession(_Lasting, Connection[TupleRow]):
    """A connection of `PostgresStore`."""

    def rows(self, text: bytes, values: Sequence[Any]) -> list[Row]:
        """What a statement gives; nothing where it gives no rows."""
        return self.wait(self.asked(text, values))


class AsyncPostgresSession(_Lasting, AsyncConnection[TupleRow]):
    """A connection of `AsyncPostgresStore`."""

    async def rows(self, text: bytes, values: Sequence[Any]) -> list[Row]:
        """What a statement gives; nothing where it gives no rows."""
        return await self.wait(self.asked(text, values))
