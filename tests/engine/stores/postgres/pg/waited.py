"""An asynchronous store, waited for: so that every suite for stores can ask it."""

import asyncio
import threading

from kessai import AsyncPostgresStore
from kessai.forks import PerProcess


class Waited:
    """A store whose methods run on an event loop in a thread of its own.

    A child process has a loop and a thread of its own.
    """

    def __init__(self, url, **options):
        self._running = PerProcess(_Running)
        self._store = self._wait(AsyncPostgresStore.open(url, **options))

    def _wait(self, coroutine):
        return self._running.get().wait(coroutine)

    def __getattr__(self, name):
        method = getattr(self._store, name)
        return lambda *given, **named: self._wait(method(*given, **named))

    def transactions(self, now=None):
        return _Rows(self._store.transactions(now), self._wait)

    def trails(self):
        return _Rows(self._store.trails(), self._wait)

    def answers(self):
        return _Rows(self._store.answers(), self._wait)

    def references(self):
        return _Rows(self._store.references(), self._wait)

    def close(self):
        if (running := self._running.close()) is not None:
            running.wait(self._store.close())
            running.end()


class _Running:
    """An event loop in a thread of its own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def end(self):
        self.wait(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Rows:
    def __init__(self, rows, wait):
        self._rows = rows
        self._wait = wait

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self._wait(self._next())
        except StopAsyncIteration:
            raise StopIteration from None

    async def _next(self):
        return await anext(self._rows)
