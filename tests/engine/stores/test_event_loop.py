"""A store of plain calls behind an `AsyncEngine`: the event loop never waits for it.

What would wait for a disk waits here for something that only the loop can bring, or for
other calls: if it were called in the loop, nothing would ever come.
"""

import asyncio
from threading import Event, get_ident

import pytest

from kessai import AsyncEngine, Command, MemoryStore, SQLiteStore, Status
from kessai.errors import CommitUnknown, StoreFailed
from kessai.machine import Phase
from kessai_adapters.emulators.in_process import AsyncEmulatorTransport
from kessai_adapters.veritrans4g.local import LocalGateway

PATIENCE = 30.0  # seconds until a test gives up; nothing waits for it
AT_ONCE = 8


class SlowDisk(SQLiteStore):
    """Each commit waits for `before` first, and then for `after`."""

    before = staticmethod(lambda: None)
    after = staticmethod(lambda: None)

    def append_each(self, changes):
        self.before()
        errors = super().append_each(changes)
        self.after()
        return errors


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


def gather(store, gateway):
    async def day():
        async with engine_on(store, gateway) as engine:
            orders = map(authorize, range(AT_ONCE))
            commands = map(engine.execute, orders)
            return await asyncio.gather(*commands, return_exceptions=True)

    return asyncio.run(day())


def test_what_tasks_write_at_the_same_time_is_one_commit(store, gateway):
    commits = []
    store.before = lambda: commits.append(True)
    assert {answer.status for answer in gather(store, gateway)} == {Status.PENDING}
    assert len(commits) < 2 * AT_ONCE


class ForeignError(Exception):
    """What no store of ours raises."""


@pytest.mark.parametrize("is_committed", [False, True])
def test_what_one_change_raises_no_other_task_does(store, gateway, is_committed):
    """Of the others it is not known whether they were committed, so that is looked up."""

    class Breaking(SlowDisk):
        def append_each(self, changes):
            errors = super().append_each(changes) if is_committed else None
            if any(change.transaction.id == "order-3" for change in changes):
                raise ForeignError
            return errors or super().append_each(changes)

    store.__class__ = Breaking
    answers = gather(store, gateway)
    assert isinstance(answers.pop(3), ForeignError)
    for each in answers:
        assert isinstance(each, CommitUnknown) or each.status is Status.PENDING
    assert any(isinstance(each, CommitUnknown) for each in answers) is is_committed


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
