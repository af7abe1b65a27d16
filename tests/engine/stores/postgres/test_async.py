"""`AsyncEngine` on `AsyncPostgresStore`: many commands under way on one event loop."""

import asyncio
from collections import Counter

import pytest
from pg.shop import ADAPTER, Clock

from kessai import AsyncEngine, AsyncPostgresStore, Command, Status
from kessai.audit import verify
from kessai.errors import CommitUnknown, StoreBusy, StoreFailed, TrailBroken
from kessai.stores.postgres import lending
from kessai.testing.store_kit.conformance import Book
from kessai_adapters.emulators.in_process import AsyncEmulatorTransport
from kessai_adapters.emulators.veritrans4g import Emulator


@pytest.fixture
def gateway():
    with Emulator(clock=Clock(), approve="now") as emulator:
        yield emulator


async def opened(url, gateway):
    return AsyncEngine(
        adapters=[ADAPTER],
        store=await AsyncPostgresStore.open(url),
        transport=AsyncEmulatorTransport(gateway),
        clock=Clock(),
    )


async def captured(engine, gateway, name, amount):
    command = Command(
        "authorize", name, key=f"{name}:a", lifecycle="one_time", amount=amount
    )
    await engine.execute(command)
    for notification in gateway.take_notifications():
        await engine.receive_notification(notification.headers, notification.body)
    await engine.execute(Command("capture", name, key=f"{name}:c"))


def test_a_payments_life(url, gateway, postgres):
    async def story():
        async with await opened(url, gateway) as engine:
            assert "postgresql://" in repr(engine.store)
            await captured(engine, gateway, "order-1", 1000)
            refund = Command("refund", "order-1", key="r", amount=400)
            first, again = [await engine.execute(refund) for _ in range(2)]
            too_much = await engine.execute(
                Command("refund", "order-1", key="r2", amount=601)
            )
            return first, again, too_much, await engine.recover()

    first, again, too_much, recovered = asyncio.run(story())
    assert (first.status, again.status) == (Status.SUCCEEDED, Status.SUCCEEDED)
    assert again.operation == first.operation
    assert too_much.denial.codes == ("amount_above_maximum",)
    assert recovered == []
    assert gateway.books["order-1"].refunded == 400
    assert verify(postgres()).holds


def test_refunds_at_once_take_turns(url, gateway, postgres):
    async def story():
        async with await opened(url, gateway) as engine:
            await captured(engine, gateway, "order-1", 100)
            refunds = [
                engine.execute(Command("refund", "order-1", key=f"r{n}", amount=60))
                for n in range(8)
            ]
            return [answer.status for answer in await asyncio.gather(*refunds)]

    assert Counter(asyncio.run(story())) == {Status.SUCCEEDED: 1, Status.DENIED: 7}
    assert gateway.books["order-1"].refunded == 60
    assert verify(postgres()).holds


def test_a_task_that_is_cancelled_while_it_writes_leaves_the_store_usable(
    url, gateway, postgres
):
    import psycopg

    book = Book(postgres())
    operation = book.begin()

    async def story():
        store = await AsyncPostgresStore.open(url)
        with psycopg.connect(url) as holder:
            holder.execute("SELECT 1 FROM kessai_states FOR UPDATE")
            ending = asyncio.create_task(store.append(book.ended(operation)))
            await asyncio.sleep(0.2)
            ending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ending
        await store.append(book.ended(operation))
        await store.close()

    asyncio.run(story())
    assert len(postgres().records("order-1")) == 2


def test_a_row_that_someone_changed_is_told_and_the_next_one_is_read(url, postgres):
    import psycopg

    for name in "ab":
        Book(postgres(), name).begin()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE kessai_states SET status = 'x' WHERE id = 'a'")

    async def story():
        store = await AsyncPostgresStore.open(url)
        reading = store.transactions()
        with pytest.raises(TrailBroken, match="do not agree"):
            await anext(reading)
        rest = [found.id async for found in reading]
        await store.close()
        return rest

    assert asyncio.run(story()) == ["b"]


def test_errors_are_told_as_by_the_synchronous_store(proxy, monkeypatch):
    from pg.proxy import AFTER

    async def story():
        store = await AsyncPostgresStore.open(proxy.url, connections=1)
        change, _ = Book(None).begun()
        proxy.cut(b"INSERT INTO kessai_states", AFTER)
        with pytest.raises(CommitUnknown):
            await store.append(change)
        assert len(await store.records("order-1")) == 1
        proxy.cut(b"array_agg", AFTER)
        with pytest.raises(StoreFailed):
            await anext(store.trails())
        session = await store._lenders.get().lend()
        monkeypatch.setattr(lending, "BUSY_SECONDS", 0.3)
        with pytest.raises(StoreBusy):
            await store.records("order-1")
        await store._lenders.get().give_back(session)
        await store.close()
        with pytest.raises(StoreFailed):
            await store.records("order-1")

    asyncio.run(story())


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_the_first_command_after_a_restart_finds_a_connection_that_works(
    url, own_server, mode
):
    async def story():
        store = await AsyncPostgresStore.open(url)
        await store.append(Book(None).begun()[0])
        own_server.restart(mode)
        await store.append(Book(None, "order-2").begun()[0])
        await store.close()

    asyncio.run(story())


def test_a_server_that_is_not_there_is_told_at_once(url, own_server):
    own_server.stop()
    try:
        with pytest.raises(StoreFailed, match="refused"):
            asyncio.run(AsyncPostgresStore.open(url))
    finally:
        own_server.start()
