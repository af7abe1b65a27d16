"""`AsyncEngine` beside `Engine` in threads, on one SQLite file, and how its loop lags.

    uv run pytest tests/benchmarks/bench_async.py -s

A gateway that takes 5 ms; 400 payments are begun at once, in as many tasks or in 32
threads. Rounds take turns, so that a busy machine slows down both. The loop's lag is how
late a task that sleeps for a millisecond wakes up, at worst.
"""

import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import perf_counter
from urllib.parse import unquote

from tests.benchmarks.bench_speed import ADAPTER, reply

from kessai import AsyncEngine, Command, Engine, SQLiteStore

ROUNDS = 7
AT_ONCE = 400
THREADS = 32
GATEWAY_SECONDS = 0.005
_orders = count()


def test_as_many_tasks_as_payments(tmp_path):
    with SQLiteStore(tmp_path / "threads.db") as store:
        threads = Threads(store)
        with SQLiteStore(tmp_path / "tasks.db") as other, asyncio.Runner() as runner:
            tasks = Tasks(other)
            rounds = [
                (threads.round(), *runner.run(tasks.round())) for _ in range(ROUNDS)
            ]
    ratio = statistics.median(a / b for a, b, _ in rounds)
    lag = max(lag for *_, lag in rounds)
    print(f"\ntasks, rate / that of {THREADS} threads: {ratio:.2f}")  # noqa: T201 - its purpose
    print(f"the loop's worst lag: {lag * 1e3:.0f} ms")  # noqa: T201 - its purpose


class Threads:
    """`Engine` in a pool of threads."""

    def __init__(self, store):
        self._engine = Engine(adapters=[ADAPTER], store=store, transport=self)

    def round(self):
        """Seconds for all of them."""
        with ThreadPoolExecutor(THREADS) as pool:
            begin = perf_counter()
            list(pool.map(self._engine.execute, payments()))
            return perf_counter() - begin

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
        """Seconds for all of them, and the worst lag of the loop meanwhile."""
        watching = asyncio.create_task(worst_lag())
        begin = perf_counter()
        await asyncio.gather(*map(self._engine.execute, payments()))
        took = perf_counter() - begin
        watching.cancel()
        return took, await watching

    async def send(self, request):
        await asyncio.sleep(GATEWAY_SECONDS)
        return answer(request)

    async def close(self):
        """Nothing is held."""


async def worst_lag():
    worst = 0.0
    try:
        while True:
            begin = perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, perf_counter() - begin - 0.001)
    except asyncio.CancelledError:
        return worst


def payments():
    for order in (f"order-{next(_orders)}" for _ in range(AT_ONCE)):
        yield Command("authorize", order, key=order, lifecycle="one_time", amount=1000)


def answer(request):
    return reply(json.loads(unquote(request.body))["params"]["orderId"])
