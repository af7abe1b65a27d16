"""`AsyncEngine`: drives the same flows for asyncio."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from inspect import isawaitable
from typing import TypeVar

from kessai import flow
from kessai.closable import AsyncClosable
from kessai.driver import (
    Clock,
    Nonces,
    Observer,
    ask_store,
    drive_async,
    in_utc,
    perform,
    perform_within,
    utc_now,
)
from kessai.feed.event import FeedEvent
from kessai.feed.following import lag, pass_over, passed, subscribed
from kessai.feed.reading import FeedReader
from kessai.flow import (
    Answer,
    Effect,
    Flow,
    Forgetting,
    ImportedCommand,
    Inquiry,
    Now,
    Prepared,
    Recovery,
    Search,
    SearchResult,
    Send,
)
from kessai.flow.effects import Result
from kessai.gateway import AnyAdapter
from kessai.given import with_checked_arguments
from kessai.machine import (
    Command,
    Denial,
    Possibility,
    Transaction,
)
from kessai.shell import BaseEngine
from kessai.spec import Lifecycle
from kessai.stores import AsyncStore, Store
from kessai.stores.connections import async_driver_connection
from kessai.stores.threads import StoreThreads, makes_wait
from kessai.transport import AsyncTransport

T = TypeVar("T")


def _http() -> AsyncTransport:
    from kessai.transport.async_http import AsyncHttpTransport  # imports asyncio

    return AsyncHttpTransport()


@with_checked_arguments
class AsyncEngine(BaseEngine, AsyncClosable):
    """The same for asyncio: every method of `Engine`, to be awaited.

    An asynchronous store is awaited; any other but memory is called in threads, so that
    the event loop goes on while the disk is waited for. A task that is cancelled leaves
    what the death of a worker would: what it was writing may be in the store.
    """

    def __init__(
        self,
        *,
        adapters: Iterable[AnyAdapter],
        store: Store | AsyncStore,
        transport: AsyncTransport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
        observer: Observer | None = None,
        nonces: Nonces = os.urandom,
    ) -> None:
        super().__init__(adapters, lifecycles, observer)
        self._store = store
        self._transport = _http() if transport is None else transport
        self._threads: StoreThreads | None = None
        if makes_wait(store):
            self._threads = StoreThreads(store, partial(ask_store, store))
        self._clock = in_utc(clock)
        self._begin: Callable[[Effect], Result | Awaitable[Result]] = partial(
            perform,
            store=self._store,
            transport=self._transport,
            clock=self._clock,
            nonces=nonces,
        )

    @property
    def store(self) -> Store | AsyncStore:
        """The store that the engine writes to."""
        return self._store

    async def drive(self, flow: Flow[T]) -> T:
        """See `Engine.drive`."""
        return await drive_async(flow, self._perform, self._observer)

    async def _perform(self, effect: Effect) -> Result:
        if self._threads is not None and not isinstance(effect, (Now, Send)):
            return await self._threads.perform(effect)
        found = self._begin(effect)
        return await found if isawaitable(found) else found

    async def transaction(self, transaction_id: str) -> Transaction:
        """See `Engine.transaction`."""
        return await self.drive(flow.existing(transaction_id))

    async def search(self, asked: Search | None = None) -> SearchResult:
        """See `Engine.search`."""
        return await self.drive(flow.search(asked or Search()))

    async def execute(self, command: Command) -> Answer:
        """See `Engine.execute`."""
        return await self.drive(flow.execute(self._context, command))

    async def charge_period(self, command: Command, period: date) -> Answer:
        """See `Engine.charge_period`."""
        return await self.drive(flow.charge_period(self._context, command, period))

    async def begin(self, command: Command, *, connection: object) -> Prepared:
        """See `Engine.begin`; `connection` is psycopg's or SQLAlchemy's for asyncio.

        With an SQLite store it is `sqlite3`'s, and the event loop waits for it.
        """
        within = self._store.within(await async_driver_connection(connection))

        async def performing(effect: Effect) -> Result:
            found = perform_within(effect, within, self._clock)
            return await found if isawaitable(found) else found

        beginning = flow.begin(self._context, command)
        try:
            return await drive_async(beginning, performing, self._observer)
        except BaseException:
            undoing = within.give_up()
            if undoing is not None:
                await undoing
            raise

    async def carry_out(self, prepared: Prepared) -> Answer:
        """See `Engine.carry_out`."""
        return await self.drive(flow.carry_out_prepared(self._context, prepared))

    async def abandon(self, transaction_id: str) -> Answer:
        """See `Engine.abandon`."""
        return await self.drive(flow.abandon(self._context, transaction_id))

    async def resume(
        self, transaction_id: str, parameters: Mapping[str, str]
    ) -> Answer:
        """See `Engine.resume`."""
        return await self.drive(flow.resume(self._context, transaction_id, parameters))

    async def preview(self, command: Command) -> Denial | None:
        """See `Engine.preview`."""
        return await self.drive(flow.preview(self._context, command))

    async def can(
        self, transaction_id: str, command: str | None = None
    ) -> tuple[Possibility, ...]:
        """See `Engine.can`."""
        return await self.drive(
            flow.possibilities(self._context, transaction_id, command)
        )

    async def receive_notification(
        self, headers: Mapping[str, str], body: bytes, account: str | None = None
    ) -> None:
        """See `Engine.receive_notification`."""
        await self.drive(
            flow.receive_notification(self._context, headers, body, account)
        )

    async def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """See `Engine.recover`."""
        chosen = recovery or Recovery()
        return await self.drive(flow.recover_all_due(self._context, chosen, limit))

    async def recover_next(
        self, recovery: Recovery | None = None
    ) -> list[Answer] | None:
        """See `Engine.recover_next`."""
        return await self.drive(flow.recover_due(self._context, recovery or Recovery()))

    async def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """See `Engine.recover_transaction`."""
        chosen = recovery or Recovery()
        return await self.drive(flow.recover(self._context, transaction_id, chosen))

    async def sweep(self, transaction_id: str) -> Transaction:
        """See `Engine.sweep`."""
        return await self.drive(flow.sweep(self._context, transaction_id))

    async def reconcile(self, transaction_id: str, *, record: bool = True) -> Inquiry:
        """See `Engine.reconcile`."""
        return await self.drive(
            flow.reconcile(self._context, transaction_id, record=record)
        )

    async def resolve(
        self,
        transaction_id: str,
        operation: str,
        outcome: str,
        *,
        evidence: str,
        actor: str,
    ) -> Answer:
        """See `Engine.resolve`."""
        resolving = flow.resolve_by_hand(
            self._context,
            transaction_id,
            operation,
            outcome,
            note=evidence,
            actor=actor,
        )
        return await self.drive(resolving)

    async def import_command(
        self, imported: ImportedCommand, *, evidence: str, actor: str
    ) -> Answer:
        """See `Engine.import_command`."""
        importing = flow.import_command(
            self._context, imported, note=evidence, actor=actor
        )
        return await self.drive(importing)

    async def close_discrepancy(
        self, transaction_id: str, discrepancy: int, *, evidence: str, actor: str
    ) -> Transaction:
        """See `Engine.close_discrepancy`."""
        closing = flow.close_by_hand(
            self._context, transaction_id, discrepancy, note=evidence, actor=actor
        )
        return await self.drive(closing)

    async def forget(
        self,
        *transaction_ids: str,
        reason: str,
        actor: str,
        dry_run: bool = False,
        scrub: bool = True,
    ) -> tuple[Forgetting, ...]:
        """See `Engine.forget`."""
        forgetting = flow.forget(
            self._context,
            transaction_ids,
            note=reason,
            actor=actor,
            is_trial=dry_run,
            scrub=scrub,
        )
        return await self.drive(forgetting)

    async def events(
        self, after: str = "", *, with_notes: bool = False
    ) -> AsyncIterator[FeedEvent]:
        """See `Engine.events`."""
        reader = FeedReader(self._context, after, with_notes=with_notes)
        while events := await self.drive(reader.page()):
            for event in events:
                yield event

    async def relay(
        self, subscriber: str, handle: Callable[[FeedEvent], Awaitable[object]]
    ) -> int:
        """See `Engine.relay`; `handle` is awaited."""
        standing, count = await self.drive(subscribed(subscriber)), 0
        async for event in self.events(standing.position):
            await handle(event)
            standing = passed(await self.drive(pass_over(standing, event.position)))
            count += 1
        return count

    async def feed_lag(self) -> timedelta:
        """See `Engine.feed_lag`."""
        return await self.drive(lag())

    async def close(self) -> None:
        """Close the transport and the store."""
        await self._transport.close()
        if self._threads is not None:
            await self._threads.close()
        closing = self._store.close()
        if closing is not None:
            await closing
