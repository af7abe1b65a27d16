"""`Engine` and `AsyncEngine`: two thin drivers over the same flows.

Only this module reads the clock. What a flow asks for is performed here, one effect at
a time; no store transaction is ever open while a request is under way.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from inspect import isawaitable
from types import TracebackType
from typing import Self, TypeVar, assert_never, overload

from kessai.errors import KessaiError, UnknownTransaction
from kessai.flow import (
    Answer,
    Append,
    Claim,
    Context,
    Declaration,
    Effect,
    Find,
    Finding,
    Flow,
    History,
    Load,
    Now,
    Recovery,
    Release,
    Send,
    by_hand,
    compare,
    execute,
    look_up,
    preview,
    receive_push,
    recover,
    recover_due,
    resolve_by_hand,
    resume,
    settle_by_hand,
    sweep,
)
from kessai.flow.effects import Result, StoreEffect
from kessai.flow.steps import load, machine_of
from kessai.gateway import AnyAdapter, Failure, Outcome, Request
from kessai.machine import (
    Command,
    Denial,
    Machine,
    Machines,
    Possibility,
    Transaction,
    can,
)
from kessai.machine.decide import possibility
from kessai.spec import Lifecycle, load_shipped, shipped_names
from kessai.stores import AsyncStore, Store
from kessai.transport import (
    AsyncHttpTransport,
    AsyncTransport,
    HttpTransport,
    Transport,
)

T = TypeVar("T")
Clock = Callable[[], datetime]
Nonces = Callable[[int], bytes]
"""Draws so many random bytes, for signatures with a salt."""


def utc_now() -> datetime:
    """The time, aware and in UTC. The one place that reads the clock."""
    return datetime.now(UTC)  # noqa: TID251 - the shell is where time comes in


def shipped_lifecycles() -> tuple[Lifecycle, ...]:
    """The lifecycles that ship with kessai."""
    return tuple(load_shipped(name) for name in shipped_names())


class _Base:
    """What both drivers share: everything but the waiting."""

    def __init__(
        self,
        adapter: AnyAdapter,
        lifecycles: Iterable[Lifecycle] | None,
        clock: Clock,
        nonces: Nonces,
    ) -> None:
        chosen = shipped_lifecycles() if lifecycles is None else lifecycles
        self._context = Context(Machines(chosen), adapter)
        self._adapter = adapter
        self._clock = clock
        self._nonces = nonces

    @property
    def adapter(self) -> AnyAdapter:
        """The adapter that speaks the gateway's language, as it was given."""
        return self._adapter

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machine of each lifecycle that new transactions begin under."""
        return self._context.machines.current

    def _sealed(self, effect: Send) -> Request | Failure:
        return effect.sealed(self._clock(), self._nonces)

    def _possibilities(
        self, transaction_id: str, command: str | None
    ) -> Flow[tuple[Possibility, ...]]:
        transaction = yield from _existing(transaction_id)
        machine = yield from machine_of(self._context, transaction)
        assert machine is not None  # noqa: S101 - it exists
        now: datetime = yield Now()
        if command is None:
            return can(machine, transaction, now)
        return (possibility(machine, transaction, command, now),)

    def _settle(
        self, transaction_id: str, operation: str, outcome: str, note: str, actor: str
    ) -> Flow[Answer]:
        said = by_hand(transaction_id, None, Outcome(outcome), note, actor)
        return settle_by_hand(self._context, transaction_id, operation, said)

    def _resolve(
        self, transaction_id: str, number: int, note: str, actor: str
    ) -> Flow[Transaction]:
        said = by_hand(transaction_id, None, Outcome.SUCCEEDED, note, actor)
        return resolve_by_hand(self._context, transaction_id, number, said)

    def _reconcile(self, transaction_id: str, *, record: bool) -> Flow[Finding]:
        flow = look_up if record else compare
        return flow(self._context, transaction_id)


@overload
def ask_store(store: Store, effect: StoreEffect) -> Result: ...
@overload
def ask_store(
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]: ...
def ask_store(  # noqa: PLR0911 - a line an effect
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]:
    """Ask the store what a flow asks for; an asynchronous one gives an awaitable."""
    match effect:
        case Load(key, transaction, agreement):
            return store.load(key, transaction, agreement)
        case Append(change):
            return store.append(change)
        case History(transaction):
            return store.records(transaction)
        case Declaration(lifecycle_hash):
            return store.declaration(lifecycle_hash)
        case Claim(now, until):
            return store.claim(now, until)
        case Release(lease, due_at):
            return store.release(lease, due_at)
        case Find(reference):
            return store.find(reference.account, reference.kind, reference.id)
        case _:
            assert_never(effect)


def _existing(transaction_id: str) -> Flow[Transaction]:
    found = yield from load(transaction_id)
    if not found.exists:
        message = f"there is no transaction {transaction_id!r}"
        raise UnknownTransaction(message)
    return found


class Engine(_Base):
    """Carries payments through their lifecycles, one call at a time.

    `adapter` speaks the gateway's language, `store` keeps the truth, `transport`
    carries bytes (HTTP by default). `lifecycles` are the shipped ones by default.
    `clock` gives aware times in UTC. May be shared by threads if its parts may.
    """

    def __init__(
        self,
        *,
        adapter: AnyAdapter,
        store: Store,
        transport: Transport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
        nonces: Nonces = os.urandom,
    ) -> None:
        super().__init__(adapter, lifecycles, clock, nonces)
        self._store = store
        self._transport = HttpTransport() if transport is None else transport

    @property
    def store(self) -> Store:
        """The store that the engine writes to."""
        return self._store

    def _drive(self, flow: Flow[T]) -> T:
        result: Result = None
        raised: KessaiError | None = None
        while True:
            try:
                effect = flow.send(result) if raised is None else flow.throw(raised)
            except StopIteration as stop:
                value: T = stop.value
                return value
            result, raised = None, None
            try:
                result = self._perform(effect)
            except KessaiError as error:
                raised = error

    def _perform(self, effect: Effect) -> Result:
        match effect:
            case Now():
                return self._clock()
            case Send():
                ready = self._sealed(effect)
                if isinstance(ready, Failure):
                    return ready
                return self._transport.send(ready)
            case _:
                return ask_store(self._store, effect)

    def transaction(self, transaction_id: str) -> Transaction:
        """The transaction as it stands.

        Raises:
            UnknownTransaction: none of that id ever came to be.

        """
        return self._drive(_existing(transaction_id))

    def execute(self, command: Command) -> Answer:
        """Carry out `command`, or say why not.

        One key, one effect: the same key with the same request gives the recorded
        answer. Whatever interrupts a call, the intent is in the store and `recover`
        finds out what came of it.

        Raises:
            InvalidCommand: the command is not well-formed, or no lifecycle has it.
            StoreBusy, StoreFailed, VersionConflict: nothing was sent; send it again.
            CommitUnknown: send it again with the same key.

        """
        return self._drive(execute(self._context, command))

    def resume(self, transaction_id: str, parameters: Mapping[str, str]) -> Answer:
        """Send on what the consumer of an open application came back with.

        `parameters` are texts, as the gateway's page gave them to the shop. They are
        sent and kept nowhere. A page that is loaded twice is no harm: the same
        parameters are sent again only while it is not known what came of them.

        Raises:
            InvalidInput: they are no texts, or the gateway takes nothing of the kind.
            UnknownTransaction: none of that id ever came to be.
            StillUnderWay, StoreBusy, StoreFailed, VersionConflict: nothing was sent;
                try again.
            CommitUnknown: try again with the same parameters.

        """
        return self._drive(resume(self._context, transaction_id, parameters))

    def preview(self, command: Command) -> Denial | None:
        """Whether `command` would be denied now, and why. Writes and sends nothing."""
        return self._drive(preview(self._context, command))

    def can(
        self, transaction_id: str, command: str | None = None
    ) -> tuple[Possibility, ...]:
        """Every command (or one): allowed with its exact bounds, or every reason.

        Raises:
            UnknownTransaction: none of that id ever came to be.

        """
        return self._drive(self._possibilities(transaction_id, command))

    def receive_push(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take in a push from the gateway; answer it 200 once this returns.

        `kessai.answer_push` gives the status to answer with.

        Raises:
            PushRefused: it is not the gateway's; nothing changed. Answer 4xx.
            PushNotConfirmed, StoreBusy, CommitUnknown: let the gateway send it again.
                Answer 503.
            TrailBroken, UnknownLifecycle: a transaction must be mended. Answer 500.

        """
        self._drive(receive_push(self._context, headers, body))

    def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """Look up at most `limit` transactions whose open operations are due.

        Several may do this at once, also on other machines: each transaction is leased
        to one of them. What stays open is due again after a pause that grows.
        Returns what stands now under the key of every operation that was open.
        """
        answers: list[Answer] = []
        for _ in range(limit):
            found = self.recover_next(recovery)
            if found is None:
                break
            answers += found
        return answers

    def recover_next(self, recovery: Recovery | None = None) -> list[Answer] | None:
        """As `recover`, for the one transaction that is due longest; None: none is."""
        return self._drive(recover_due(self._context, recovery or Recovery()))

    def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """As `recover`, for one transaction."""
        chosen = recovery or Recovery()
        return self._drive(recover(self._context, transaction_id, chosen))

    def sweep(self, transaction_id: str) -> Transaction:
        """Move a transaction over the deadlines that have passed.

        The gateway is asked first; without its answer nothing lapses.
        """
        return self._drive(sweep(self._context, transaction_id))

    def reconcile(self, transaction_id: str, *, record: bool = True) -> Finding:
        """Hold a transaction against all that the gateway knows of it.

        `events` of the finding are what it told that the trail did not know, recorded
        unless `record` is false; `unlisted` is what only the trail knows.
        """
        return self._drive(self._reconcile(transaction_id, record=record))

    def settle(
        self,
        transaction_id: str,
        operation: str,
        outcome: str,
        *,
        evidence: str,
        actor: str,
    ) -> Answer:
        """End an open operation by what `actor` found out; `evidence` says how.

        `outcome` is `succeeded` or `declined`. A success that the lifecycle does not
        allow becomes a discrepancy, as it does by any other evidence.

        Raises:
            InvalidInput: nothing of that id is open, its caller still waits for the
                gateway, or the name or the reason is missing.

        """
        return self._drive(
            self._settle(transaction_id, operation, outcome, evidence, actor)
        )

    def resolve(
        self, transaction_id: str, discrepancy: int, *, evidence: str, actor: str
    ) -> Transaction:
        """Settle the discrepancy of that event's number: `actor` has dealt with it.

        Raises:
            InvalidInput: that event is no open discrepancy, or the name or the reason
                is missing.

        """
        return self._drive(self._resolve(transaction_id, discrepancy, evidence, actor))

    def close(self) -> None:
        """Close the transport and the store."""
        self._transport.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncEngine(_Base):
    """The same for asyncio: every method of `Engine`, to be awaited.

    An asynchronous store is awaited; any other is asked in the event loop: memory and a
    local file answer in the time of a disk write. A cancelled task leaves an intent in
    the store, never an outcome.
    """

    def __init__(
        self,
        *,
        adapter: AnyAdapter,
        store: Store | AsyncStore,
        transport: AsyncTransport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
        nonces: Nonces = os.urandom,
    ) -> None:
        super().__init__(adapter, lifecycles, clock, nonces)
        self._store = store
        self._transport = AsyncHttpTransport() if transport is None else transport

    @property
    def store(self) -> Store | AsyncStore:
        """The store that the engine writes to."""
        return self._store

    async def _drive(self, flow: Flow[T]) -> T:
        result: Result = None
        raised: KessaiError | None = None
        while True:
            try:
                effect = flow.send(result) if raised is None else flow.throw(raised)
            except StopIteration as stop:
                value: T = stop.value
                return value
            result, raised = None, None
            try:
                result = await self._perform(effect)
            except KessaiError as error:
                raised = error

    async def _perform(self, effect: Effect) -> Result:
        match effect:
            case Now():
                return self._clock()
            case Send():
                ready = self._sealed(effect)
                if isinstance(ready, Failure):
                    return ready
                return await self._transport.send(ready)
            case _:
                found = ask_store(self._store, effect)
                return await found if isawaitable(found) else found

    async def transaction(self, transaction_id: str) -> Transaction:
        """See `Engine.transaction`."""
        return await self._drive(_existing(transaction_id))

    async def execute(self, command: Command) -> Answer:
        """See `Engine.execute`."""
        return await self._drive(execute(self._context, command))

    async def resume(
        self, transaction_id: str, parameters: Mapping[str, str]
    ) -> Answer:
        """See `Engine.resume`."""
        return await self._drive(resume(self._context, transaction_id, parameters))

    async def preview(self, command: Command) -> Denial | None:
        """See `Engine.preview`."""
        return await self._drive(preview(self._context, command))

    async def can(
        self, transaction_id: str, command: str | None = None
    ) -> tuple[Possibility, ...]:
        """See `Engine.can`."""
        return await self._drive(self._possibilities(transaction_id, command))

    async def receive_push(self, headers: Mapping[str, str], body: bytes) -> None:
        """See `Engine.receive_push`."""
        await self._drive(receive_push(self._context, headers, body))

    async def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """See `Engine.recover`."""
        answers: list[Answer] = []
        for _ in range(limit):
            found = await self.recover_next(recovery)
            if found is None:
                break
            answers += found
        return answers

    async def recover_next(
        self, recovery: Recovery | None = None
    ) -> list[Answer] | None:
        """See `Engine.recover_next`."""
        return await self._drive(recover_due(self._context, recovery or Recovery()))

    async def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """See `Engine.recover_transaction`."""
        chosen = recovery or Recovery()
        return await self._drive(recover(self._context, transaction_id, chosen))

    async def sweep(self, transaction_id: str) -> Transaction:
        """See `Engine.sweep`."""
        return await self._drive(sweep(self._context, transaction_id))

    async def reconcile(self, transaction_id: str, *, record: bool = True) -> Finding:
        """See `Engine.reconcile`."""
        return await self._drive(self._reconcile(transaction_id, record=record))

    async def settle(
        self,
        transaction_id: str,
        operation: str,
        outcome: str,
        *,
        evidence: str,
        actor: str,
    ) -> Answer:
        """See `Engine.settle`."""
        return await self._drive(
            self._settle(transaction_id, operation, outcome, evidence, actor)
        )

    async def resolve(
        self, transaction_id: str, discrepancy: int, *, evidence: str, actor: str
    ) -> Transaction:
        """See `Engine.resolve`."""
        return await self._drive(
            self._resolve(transaction_id, discrepancy, evidence, actor)
        )

    async def close(self) -> None:
        """Close the transport and the store."""
        await self._transport.close()
        closing = self._store.close()
        if closing is not None:
            await closing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
