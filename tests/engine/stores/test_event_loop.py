"""A store of plain calls behind an `AsyncEngine`: the event loop never waits for it.

What would wait for a disk waits here for something that only the loop can bring, or for
other calls: if it were called in the loop, nothing would ever come.
"""

import asyncio
from threading import Barrier, Event, get_ident

import pytest

from kessai import AsyncEngine, Command, MemoryStore, SQLiteStore, Status
from kessai.errors import StoreFailed
from kessai.machine import Phase
from kessai_adapters.in_process import AsyncEmulatorTransport
from kessai_adapters.local import LocalGateway

PATIENCE = 30.0  # seconds until a test gives up; nothing waits for it
AT_ONCE = 8


class SlowDisk(SQLiteStore):
    """Each append waits for `before` first, and then for `after`."""

    before = staticmethod(lambda: None)
    after = staticmethod(lambda: None)

    def append(self, change):
        self.before()
        super().append(change)
        self.after()


@pytest.fixture
def gateway():
    gateway = LocalGateway()
    yield gateway
    gateway.close()


@pytest.fixture
def store(tmp_path):
    return SlowDisk(tmp_path / "shop.db")


def authorize(number=1):
    order = f"order-{number}"
    return Command("authorize", order, key=order, lifecycle="one_time", amount=1000)


def engine_on(store, gateway):
    wire = AsyncEmulatorTransport(gateway.emulator)
    return AsyncEngine(adapters=[gateway.adapter], store=store, transport=wire)


def test_the_loop_goes_on_while_the_store_writes(store, gateway):
    the_loop_went_on = Event()
    store.before = lambda: the_loop_went_on.wait(PATIENCE) or pytest.fail("it stood")

    async def day():
        async with engine_on(store, gateway) as engine:
            answer = asyncio.create_task(engine.execute(authorize()))
            await asyncio.sleep(0)
            the_loop_went_on.set()
            return await answer

    assert asyncio.run(day()).status is Status.PENDING


def test_tasks_write_at_the_same_time(store, gateway):
    all_are_there = Barrier(AT_ONCE)
    store.before = lambda: all_are_there.wait(PATIENCE)

    async def day():
        async with engine_on(store, gateway) as engine:
            orders = map(authorize, range(AT_ONCE))
            return await asyncio.gather(*map(engine.execute, orders))

    assert {answer.status for answer in asyncio.run(day())} == {Status.PENDING}


def test_memory_is_asked_in_the_loop_itself(gateway):
    threads = set()

    class Memory(MemoryStore):
        def append(self, change):
            threads.add(get_ident())
            super().append(change)

    async def day():
        async with engine_on(Memory(), gateway) as engine:
            await engine.execute(authorize())

    asyncio.run(day())
    assert threads == {get_ident()}


def test_a_task_cancelled_while_its_intent_is_written_sends_nothing(store, gateway):
    is_writing, may_write = Event(), Event()
    store.before = lambda: (is_writing.set(), may_write.wait(PATIENCE))

    async def day():
        async with engine_on(store, gateway) as engine:
            task = asyncio.create_task(engine.execute(authorize()))
            await asyncio.to_thread(is_writing.wait, PATIENCE)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            may_write.set()

    asyncio.run(day())
    assert gateway.waiting() == {}  # no order came
    with SQLiteStore(store.path) as later:  # as if its worker had died
        begun = later.load(None, "order-1", None).transaction
        assert [o.phase for o in begun.operations.values()] == [Phase.BEGUN]


def test_closing_waits_for_what_is_being_written(store, gateway):
    written = []
    is_writing, may_write = Event(), Event()
    store.before = lambda: (is_writing.set(), may_write.wait(PATIENCE))
    store.after = lambda: written.append(True)

    async def day():
        engine = engine_on(store, gateway)
        task = asyncio.create_task(engine.execute(authorize()))
        await asyncio.to_thread(is_writing.wait, PATIENCE)
        task.cancel()
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        assert not written
        may_write.set()
        await closing
        assert written

    asyncio.run(day())
    with pytest.raises(StoreFailed, match="closed"):
        store.accounts()


def test_an_engine_that_was_closed_says_so(store, gateway):
    async def day():
        engine = engine_on(store, gateway)
        await engine.execute(authorize())
        await engine.close()
        await engine.execute(authorize(2))

    with pytest.raises(StoreFailed, match="closed"):
        asyncio.run(day())
