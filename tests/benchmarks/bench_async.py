"""`AsyncEngine` beside `Engine` in threads, and how its loop lags: SQLite, PostgreSQL.

    uv run pytest tests/benchmarks/bench_async.py -s

A gateway that takes 5 ms; 400 payments are begun at once, in as many tasks or in 32
threads. Rounds take turns, so that a busy machine slows down both. The loop's lag is how
late a task that sleeps for a millisecond wakes up, at worst: by the clock, and by what
the loop's thread computed meanwhile, as others may have the processor.
"""

import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import perf_counter, process_time, thread_time
from urllib.parse import unquote

from tests.benchmarks.bench_speed import ADAPTER, reply

from kessai import (
    AsyncEngine,
    AsyncPostgresStore,
    Command,
    Engine,
    PostgresStore,
    SQLiteStore,
)

ROUNDS = 7
AT_ONCE = 400
THREADS = 32
GATEWAY_SECONDS = 0.005
_orders = count()


def test_as_many_tasks_as_payments_on_sqlite(tmp_path):
    with SQLiteStore(tmp_path / "threads.db") as store, asyncio.Runner() as runner:
        compare("SQLite", store, SQLiteStore(tmp_path / "tasks.db"), runner)


def test_as_many_tasks_as_payments_on_postgresql(server):
    with server.schema() as one, server.schema() as two, asyncio.Runner() as runner:
        store = PostgresStore(one, connections=THREADS)
        other = runner.run(AsyncPostgresStore.open(two, connections=THREADS))
        with store:
            compare("PostgreSQL", store, other, runner)


def compare(name, store, other, runner):
    threads, tasks = Threads(store), Tasks(other)
    measured = [
        (timed(threads.round), timed(lambda: runner.run(tasks.round())))
        for _ in range(ROUNDS + 1)
    ][1:]
    runner.run(tasks.close())
    rate, computed = (
        statistics.median(one[at] / two[at] for one, two in measured) for at in (1, 2)
    )
    late, busy = (max(two[0][at] for _, two in measured) for at in range(2))
    print(  # noqa: T201 - its purpose
        f"\n{name}: tasks, rate / that of {THREADS} threads: {rate:.2f};"
        f" by the CPU time of the process {computed:.2f}"
        f"\nthe loop's worst lag: {late * 1e3:.0f} ms, computing {busy * 1e3:.0f} ms"
    )


def timed(do):
    """What `do` gives, its seconds, and how much of them this process computed."""
    began, before = perf_counter(), process_time()
    found = do()
    return found, perf_counter() - began, process_time() - before


class Threads:
    """`Engine` in a pool of threads."""

    def __init__(self, store):
        self._engine = Engine(adapters=[ADAPTER], store=store, transport=self)

    def round(self):
        """Carry out all of them."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._engine.execute, payments()))

    def send(self, request):
        time.sleep(GATEWAY_SECONDS)
        return answer(request)

    def close(self):
        """Nothing is held."""


class Tasks:
    """`AsyncEngine`, a task each."""

    def __init__(self, store):
        self._engine = AsyncEngine(adapters=[ADAPTER], store=store, transport=self)

    async def round(self):
        """Carry out all of them; the worst lag of the loop meanwhile."""
        watching = asyncio.create_task(worst_lag())
        await asyncio.gather(*map(self._engine.execute, payments()))
        watching.cancel()
        return await watching

    async def send(self, request):
        await asyncio.sleep(GATEWAY_SECONDS)
        return answer(request)

    async def close(self):
        """Close the store, which the engine does."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()


async def worst_lag():
    late = busy = 0.0
    try:
        while True:
            began, before = perf_counter(), thread_time()
            await asyncio.sleep(0.001)
            late = max(late, perf_counter() - began - 0.001)
            busy = max(busy, thread_time() - before)
    except asyncio.CancelledError:
        return late, busy


def payments():
    for order in (f"order-{next(_orders)}" for _ in range(AT_ONCE)):
        yield Command("authorize", order, key=order, lifecycle="one_time", amount=1000)


def answer(request):
    return reply(json.loads(unquote(request.body))["params"]["orderId"])
