"""A store that makes its caller wait, asked from an event loop.

Each call has a thread of a pool: the loop goes on while the disk is waited for. Of a
store that commits several changes at once, what tasks want to load or to append
meanwhile goes to one thread together. With a thread for each, they would keep the loop
from its work: of two threads that run Python, one waits for the other.
"""

from collections import deque
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar
from weakref import WeakKeyDictionary

from kessai.errors import CommitUnknown, StoreFailed, VersionConflict
from kessai.flow import Append, Load
from kessai.flow.effects import Result, StoreEffect
from kessai.forks import PerProcess
from kessai.stores.memory import MemoryStore
from kessai.stores.protocol import AppendsEach, AsyncStore, Store

if TYPE_CHECKING:  # asyncio and the pool are imported by the first call
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from kessai.flow import Change

E = TypeVar("E", Load, Append)

THREADS = 32
"""How many calls of one store are under way at the same time; others wait for them."""

TOGETHER = 64
"""How many loads, or appends, one thread does at once."""

RESUMED = 4
"""How many tasks go on before the loop looks at its timers and sockets again."""


def makes_wait(store: Store | AsyncStore) -> TypeGuard[Store]:
    """Whether a call of `store` may stop its thread: memory answers at once."""
    return not (isinstance(store, MemoryStore) or iscoroutinefunction(store.append))


class StoreThreads:
    """The threads in which the calls of one store are made, in each process its own.

    `ask` makes one of them, where they are not made together.

    A call that no thread has begun is never made if its task is cancelled. One that is
    under way goes on.
    """

    def __init__(self, store: Store, ask: "Callable[[StoreEffect], Result]") -> None:
        self._ask = ask
        self._pools = PerProcess(_new_pool)
        self._loads: _Together[Load] | None = None
        if isinstance(store, AppendsEach):
            self._loads = _Together(self._pools, partial(_load_each, store))
            self._appends = _Together(self._pools, partial(_append_each, store))

    async def perform(self, effect: StoreEffect) -> Result:
        """Perform an effect of the store in a thread."""
        from asyncio import get_running_loop

        if self._loads is not None and isinstance(effect, Load):
            loaded: Result = await self._loads.ask(effect)
            return loaded
        if self._loads is not None and isinstance(effect, Append):
            await self._appends.ask(effect)
            return None
        loop, pool = get_running_loop(), self._pools.get()
        return await loop.run_in_executor(pool, self._ask, effect)

    async def close(self) -> None:
        """Wait for the calls that are under way, cancelled ones too."""
        if (pool := self._pools.close()) is not None:
            from asyncio import to_thread

            await to_thread(pool.shutdown)


class _Together(Generic[E]):
    """Effects of one kind, done by one thread at a time: all that wait when it is free.

    `each` does several; it gives the result of each, or its error.
    """

    def __init__(
        self,
        pools: "PerProcess[ThreadPoolExecutor]",
        each: "Callable[[Sequence[E]], Sequence[Any]]",
    ) -> None:
        self._pools = pools
        self._each: Callable[[Sequence[E]], Sequence[Any]] = each
        self._queues: WeakKeyDictionary[AbstractEventLoop, _Queue[E]] = (
            WeakKeyDictionary()
        )

    def ask(self, effect: E) -> "Future[Any]":
        """The result of `effect`."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        queue = self._queues.get(loop)
        if queue is None:
            queue = self._queues[loop] = _Queue()
        future: Future[Any] = loop.create_future()
        queue.waiting.append((effect, future))
        if not queue.is_running:
            self._run(loop, queue)
        return future

    def _run(self, loop: "AbstractEventLoop", queue: "_Queue[E]") -> None:
        taken: list[tuple[E, Future[Any]]] = []
        while queue.waiting and len(taken) < TOGETHER:
            waiting = queue.waiting.popleft()
            if not waiting[1].done():  # its task was cancelled
                taken.append(waiting)
        queue.is_running = bool(taken)
        if not taken:
            return
        effects = [effect for effect, _ in taken]
        done = loop.run_in_executor(self._pools.get(), self._each, effects)
        done.add_done_callback(lambda _: self._go_on(loop, queue, taken, done))

    def _go_on(
        self,
        loop: "AbstractEventLoop",
        queue: "_Queue[E]",
        taken: list[tuple[E, "Future[Any]"]],
        done: "Future[Sequence[Any]]",
    ) -> None:
        futures = [future for _, future in taken]
        _resume(loop, deque(zip(futures, _results(done, len(futures)), strict=True)))
        try:
            self._run(loop, queue)
        except StoreFailed as error:  # it was closed
            for _, future in queue.waiting:
                if not future.done():
                    future.set_exception(error)


class _Queue(Generic[E]):
    """What waits on one event loop."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[E, Future[Any]]] = deque()
        self.is_running = False


def _results(done: "Future[Sequence[Any]]", count: int) -> "Sequence[Any]":
    if done.cancelled():  # the loop ends
        return [CommitUnknown("the commit was not waited for")] * count
    error = done.exception()
    return done.result() if error is None else [error] * count


def _resume(
    loop: "AbstractEventLoop", results: "deque[tuple[Future[Any], Any]]"
) -> None:
    """Let tasks go on, a few at a time."""
    for _ in range(min(RESUMED, len(results))):
        future, result = results.popleft()
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
    if results:
        loop.call_soon(_resume, loop, results)


def _load_each(store: Store, effects: "Sequence[Load]") -> list[Any]:
    return [
        _outcome(partial(store.load, one.key, one.transaction, one.agreement))
        for one in effects
    ]


def _append_each(store: "AppendsEach", effects: "Sequence[Append]") -> "Sequence[Any]":
    """Append all in one commit; what is an error of none of them is not one of all."""
    changes = [effect.change for effect in effects]
    try:
        return store.append_each(changes)
    except Exception as error:  # noqa: BLE001 - handed to those that wait
        if len(changes) == 1:
            return [error]
    return [_append_again(store, change) for change in changes]


def _append_again(store: "AppendsEach", change: "Change") -> Any:
    """Append a change that may be there; if it conflicts, it may be with itself."""
    try:
        (error,) = store.append_each([change])
    except Exception as raised:  # noqa: BLE001 - handed to the one that waits
        return raised
    if isinstance(error, VersionConflict):
        return CommitUnknown(f"the commit may or may not be there ({error})")
    return error


def _outcome(call: "Callable[[], Any]") -> Any:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - handed to the one that waits
        return error


def _new_pool() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS, "kessai-store")
