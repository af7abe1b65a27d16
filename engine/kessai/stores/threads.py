"""A store that makes its caller wait, asked from an event loop.

Each call has a thread of a pool: the loop goes on while the disk is waited for, and what
several tasks write at the same time is committed together.
"""

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeVar

from kessai.stores.memory import MemoryStore
from kessai.stores.protocol import AsyncStore, Store

if TYPE_CHECKING:  # the pool is imported by the first call
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

THREADS = 32
"""How many calls of one store are under way at the same time; others wait for them."""


def makes_wait(store: Store | AsyncStore) -> bool:
    """Whether a call of `store` may stop its thread: memory answers at once."""
    return not (isinstance(store, MemoryStore) or iscoroutinefunction(store.append))


class StoreThreads:
    """The threads in which the calls of one store are made."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    async def call(self, function: "Callable[..., T]", *values: object) -> T:
        """What `function` gives, called in a thread.

        A call that no thread has begun is never made if its task is cancelled. One that
        is under way goes on.
        """
        from asyncio import get_running_loop

        called = partial(function, *values)
        return await get_running_loop().run_in_executor(self._threads(), called)

    async def close(self) -> None:
        """Wait for the calls that are under way, cancelled ones too."""
        if self._pool is not None:
            from asyncio import to_thread

            pool, self._pool = self._pool, None
            await to_thread(pool.shutdown)

    def _threads(self) -> "ThreadPoolExecutor":
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(THREADS, "kessai-store")
        return self._pool
