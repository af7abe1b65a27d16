"""A store that makes its caller wait, asked from an event loop.

Each call has a thread of a pool: the loop goes on while the disk is waited for, and what
several tasks write at the same time is committed together.
"""

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeVar

from kessai.forks import PerProcess
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
    """The threads in which the calls of one store are made, in each process its own."""

    def __init__(self) -> None:
        self._pools = PerProcess(_new_pool)

    async def call(self, function: "Callable[..., T]", *values: object) -> T:
        """What `function` gives, called in a thread.

        A call that no thread has begun is never made if its task is cancelled. One that
        is under way goes on.
        """
        from asyncio import get_running_loop

        called = partial(function, *values)
        return await get_running_loop().run_in_executor(self._pools.get(), called)

    async def close(self) -> None:
        """Wait for the calls that are under way, cancelled ones too."""
        if (pool := self._pools.close()) is not None:
            from asyncio import to_thread

            await to_thread(pool.shutdown)


def _new_pool() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS, "kessai-store")
