"""`Engine` and `AsyncEngine`: two thin drivers over the same flows.

Only this module reads the clock. What a flow asks for is performed here, one effect at
a time; no store transaction is ever open while a request is under way.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar, assert_never

from kessai.errors import KessaiError, UnknownTransaction
from kessai.flow import (
    Answer,
    Append,
    Context,
    Declaration,
    Flow,
    History,
    Load,
    Now,
    OpenTransactions,
    Recovery,
    Send,
    execute,
    open_transactions,
    preview,
    receive,
    recover,
    sweep,
)
from kessai.flow.effects import Result, StoreEffect
from kessai.flow.steps import machine_of
from kessai.gateway import Adapter, Failure, Reply, Request
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
from kessai.stores import Store
from kessai.transport import (
    AsyncHttpTransport,
    AsyncTransport,
    HttpTransport,
    Transport,
)

T = TypeVar("T")
Clock = Callable[[], datetime]


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
        adapter: Adapter,
        store: Store,
        lifecycles: Iterable[Lifecycle] | None,
        clock: Clock,
    ) -> None:
        chosen = shipped_lifecycles() if lifecycles is None else lifecycles
        self._context = Context(Machines(chosen), adapter)
        self._store = store
        self._clock = clock

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machine of each lifecycle that new transactions begin under."""
        return self._context.machines.current

    @property
    def store(self) -> Store:
        """The store that the engine writes to."""
        return self._store

    def _requests(self, flow: Flow[T]) -> Generator[Request, Reply | Failure | None, T]:
        """Run `flow`, perform all it asks of the store and the clock, yield the rest.

        What is left for a driver are the requests to send: there it may wait.
        """
        result: Result = None
        raised: KessaiError | None = None
        while True:
            try:
                effect = flow.send(result) if raised is None else flow.throw(raised)
            except StopIteration as stop:
                value: T = stop.value
                return value
            result, raised = None, None
            if isinstance(effect, Send):
                result = yield effect.request
                continue
            try:
                result = self._perform(effect)
            except KessaiError as error:
                raised = error

    def _perform(self, effect: StoreEffect) -> Result:
        """Stores answer at once, from memory or a local file."""
        match effect:
            case Load(key, transaction, agreement):
                return self._store.load(key, transaction, agreement)
            case Append(change):
                self._store.append(change)
                return None
            case Now():
                return self._clock()
            case History(transaction):
                return self._store.records(transaction)
            case Declaration(lifecycle_hash):
                return self._store.declaration(lifecycle_hash)
            case OpenTransactions(limit):
                return self._store.open_transactions(limit)
            case _:
                assert_never(effect)

    def _possibilities(
        self, transaction_id: str, command: str | None
    ) -> Flow[tuple[Possibility, ...]]:
        transaction = self.transaction(transaction_id)
        machine = yield from machine_of(self._context, transaction)
        if machine is None:
            raise _no_such(transaction_id)
        now = self._clock()
        if command is None:
            return can(machine, transaction, now)
        return (possibility(machine, transaction, command, now),)

    def transaction(self, transaction_id: str) -> Transaction:
        """The transaction as it stands.

        Raises:
            UnknownTransaction: none of that id ever came to be.

        """
        found = self._store.load(None, transaction_id, None).transaction
        if found is None or not found.exists:
            raise _no_such(transaction_id)
        return found


def _no_such(transaction_id: str) -> UnknownTransaction:
    return UnknownTransaction(f"there is no transaction {transaction_id!r}")


class Engine(_Base):
    """Carries payments through their lifecycles, one call at a time.

    `adapter` speaks the gateway's language, `store` keeps the truth, `transport`
    carries bytes (HTTP by default). `lifecycles` are the shipped ones by default.
    `clock` gives aware times in UTC. May be shared by threads if its parts may.
    """

    def __init__(
        self,
        *,
        adapter: Adapter,
        store: Store,
        transport: Transport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(adapter, store, lifecycles, clock)
        self._transport = HttpTransport() if transport is None else transport

    def _drive(self, flow: Flow[T]) -> T:
        requests = self._requests(flow)
        reply: Reply | Failure | None = None
        while True:
            try:
                request = requests.send(reply)
            except StopIteration as stop:
                value: T = stop.value
                return value
            reply = self._transport.send(request)

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

        Raises:
            PushRefused: it is not the gateway's; nothing changed. Answer 4xx.
            PushNotConfirmed, StoreBusy: let the gateway send it again. Answer 503.

        """
        for evidence in self._context.adapter.push(headers, body):
            self._drive(receive(self._context, evidence))

    def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """Look up at most `limit` transactions with open operations, oldest first.

        Returns what stands now under the key of every operation that was open.
        """
        chosen = recovery or Recovery()
        answers: list[Answer] = []
        for transaction_id in self._drive(open_transactions(limit)):
            answers += self._drive(recover(self._context, transaction_id, chosen))
        return answers

    def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """As `recover`, for one transaction."""
        chosen = recovery or Recovery()
        return self._drive(recover(self._context, transaction_id, chosen))

    def sweep(self, transaction_id: str) -> Transaction:
        """Move a transaction over the deadlines that have passed."""
        return self._drive(sweep(self._context, transaction_id))

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
    """The same for asyncio: every method of `Engine` that may call the gateway.

    The store is asked in the event loop: memory and a local file answer in the time of
    a disk write. A cancelled task leaves an intent in the store, never an outcome.
    """

    def __init__(
        self,
        *,
        adapter: Adapter,
        store: Store,
        transport: AsyncTransport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(adapter, store, lifecycles, clock)
        self._transport = AsyncHttpTransport() if transport is None else transport

    async def _drive(self, flow: Flow[T]) -> T:
        requests = self._requests(flow)
        reply: Reply | Failure | None = None
        while True:
            try:
                request = requests.send(reply)
            except StopIteration as stop:
                value: T = stop.value
                return value
            reply = await self._transport.send(request)

    async def execute(self, command: Command) -> Answer:
        """See `Engine.execute`."""
        return await self._drive(execute(self._context, command))

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
        for evidence in self._context.adapter.push(headers, body):
            await self._drive(receive(self._context, evidence))

    async def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """See `Engine.recover`."""
        chosen = recovery or Recovery()
        answers: list[Answer] = []
        for transaction_id in await self._drive(open_transactions(limit)):
            answers += await self._drive(recover(self._context, transaction_id, chosen))
        return answers

    async def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """See `Engine.recover_transaction`."""
        chosen = recovery or Recovery()
        return await self._drive(recover(self._context, transaction_id, chosen))

    async def sweep(self, transaction_id: str) -> Transaction:
        """See `Engine.sweep`."""
        return await self._drive(sweep(self._context, transaction_id))

    async def close(self) -> None:
        """Close the transport and the store."""
        await self._transport.close()
        self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
