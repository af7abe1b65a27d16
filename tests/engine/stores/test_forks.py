"""A process that has a store open forks, as a server with preloading does.

Nothing that either process is acknowledged is lost, and neither hangs: each process has
connections and locks of its own, or is refused. What every store must do stands in the
conformance suite.
"""

import asyncio
import ctypes
import multiprocessing
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Lock
from time import monotonic

import pytest
from inside import session

from kessai import (
    AsyncEngine,
    AsyncPostgresStore,
    Command,
    Engine,
    MemoryStore,
    PostgresStore,
    SQLiteStore,
)
from kessai.audit import verify
from kessai.errors import StoreFailed, StoreMissing, StoreUnsuitable
from kessai.forks import PerProcess
from kessai.stores import sqlite_session
from kessai.testing import check_store
from kessai.testing.forked import Child
from kessai.testing.store_kit.conformance import Book
from kessai_adapters.emulators import serve
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="only where processes fork"
)
PRELOADED = Path(__file__).with_name("preloaded.py")


# ── an engine that was made before the fork ─────────────────────────────────────────


class Shop:
    """An engine, whatever its form, and the gateway that it reaches by HTTP."""

    def __init__(self, engine, runner, emulator):
        self.engine, self.emulator = engine, emulator
        self._runner = runner

    def orders(self, name, count):
        """Apply for `count` orders, each twice under one key; the names of them."""
        names = [f"{name}-{number}" for number in range(count)]
        for order in names:
            command = Command(
                "authorize", order, key=order, lifecycle="one_time", amount=1000
            )
            first, again = [self._execute(command) for _ in range(2)]
            assert (first.status, again.operation) == ("pending", first.operation)
        return " ".join(names)

    def orders_in_child(self, name, count):
        """The same in a child process, which has an event loop of its own."""
        if self._runner is not None:
            self._runner = asyncio.Runner()
        return self.orders(name, count)

    def _execute(self, command):
        answer = self.engine.execute(command)
        return answer if self._runner is None else self._runner.run(answer)

    def holds(self, store, names):
        """Every order is in the store and at the gateway, once."""
        assert [found.id for found in store.transactions()] == sorted(names)
        assert verify(store).holds
        for name in names:
            assert len(self.emulator.books[name].exchanges) == 1


@pytest.fixture
def emulator():
    with Emulator(approve="ask") as emulator:
        yield emulator


@pytest.fixture(params=["sqlite", "async on sqlite", "postgres", "async on postgres"])
def shop(request, emulator, tmp_path):
    """A shop, and a maker of other stores on the same data."""
    is_async, on = "async" in request.param, request.param.split()[-1]
    url = request.getfixturevalue("url") if on == "postgres" else None
    with ExitStack() as stack:
        server = stack.enter_context(serve(emulator))
        runner = stack.enter_context(asyncio.Runner()) if is_async else None

        def make():
            if url is None:
                return stack.enter_context(SQLiteStore(tmp_path / "shop.db"))
            return stack.enter_context(PostgresStore(url))

        store = make() if url is None or runner is None else runner.run(_waited(url))
        adapter = VeriTrans4G(
            Credentials(DEFAULT_CCID, DEFAULT_KEY), host=server.url, dummy=True
        )
        engine = (AsyncEngine if is_async else Engine)(adapters=[adapter], store=store)
        yield Shop(engine, runner, emulator), make
        closing = engine.close()
        if runner is not None:
            runner.run(closing)


async def _waited(url):
    return await AsyncPostgresStore.open(url)


def test_workers_of_a_preloaded_engine_and_their_parent_all_do_commands(shop):
    shop, make = shop
    names = shop.orders("before", 1).split()
    workers = [
        Child(lambda number=number: shop.orders_in_child(f"worker-{number}", 3))
        for number in range(4)
    ]
    names += shop.orders("parent", 3).split()
    for number, worker in enumerate(workers):
        did = worker.ended()
        assert did is not None, f"worker {number} failed or hung"
        names += did.split()
    names += shop.orders("after", 1).split()
    assert len(names) == 1 + 4 * 3 + 3 + 1
    shop.holds(make(), names)


def test_a_child_of_a_child_does_commands_too(shop):
    shop, make = shop
    names = shop.orders("parent", 1).split()

    def child():
        did = shop.orders_in_child("child", 1)
        grandchild = Child(lambda: shop.orders_in_child("grandchild", 1))
        return f"{did} {grandchild.ended()} {shop.orders('child-again', 1)}"

    names += Child(child).ended().split()
    shop.holds(make(), [*names, *shop.orders("parent-again", 1).split()])


def test_processes_of_multiprocessing_do_commands(shop):
    shop, make = shop
    names = shop.orders("parent", 1).split()
    forking = multiprocessing.get_context("fork")
    workers = [
        forking.Process(target=shop.orders_in_child, args=(f"worker-{number}", 1))
        for number in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    shop.holds(make(), [*names, "worker-0-0", "worker-1-0"])


@pytest.mark.parametrize("on", ["sqlite", "postgres"])
def test_a_child_that_ends_as_programs_do_leaves_its_parent_in_peace(
    on, request, tmp_path
):
    """It collects what it inherited as garbage, amid a reading of the parent's too."""
    url = tmp_path / "shop.db" if on == "sqlite" else request.getfixturevalue("url")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", PRELOADED, str(url)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == (
        "child wrote 5\nparent read 300 and wrote 5\n",
        "",
    )


# ── a store in memory ───────────────────────────────────────────────────────────────


def test_a_store_in_memory_is_refused_to_a_child():
    """What the child wrote to its copy, nobody else would see."""
    store = MemoryStore()
    book = Book(store)
    operation = book.begin()

    uses = (partial(book.end, operation), store.accounts, store.trails)

    def child():
        with store._lock:  # another thread of the parent, say, had it
            for use in uses:
                with pytest.raises(StoreUnsuitable, match="belongs to one process"):
                    use()
        return "refused"

    assert Child(child).ended() == "refused"
    book.end(operation)
    assert len(store.records("order-1")) == 2


def test_the_suite_finds_a_store_that_each_process_has_a_copy_of():
    class Copied(MemoryStore):
        _locks = PerProcess(Lock)

        def _own(self):
            return self._locks.get()

    with pytest.raises(ExceptionGroup) as found:
        check_store(lambda folder: Copied())
    notes = [error.__notes__[0] for error in found.value.exceptions]
    assert [note.partition(":")[0] for note in notes] == [
        "test_what_a_forked_child_is_acknowledged_is_in_the_store"
    ]


# ── SQLite ──────────────────────────────────────────────────────────────────────────


def test_a_child_outlives_its_parents_store(sqlite, tmp_path):
    """The parent is not the last one: what it closes, the child still writes to."""
    store = sqlite()
    Book(store, "parent").begin()
    waiting, telling = os.pipe()

    def child():
        book = Book(store, "child")
        book.begin()
        os.read(waiting, 1)  # until the parent has closed its store
        for _ in range(20):
            book.write(book.denied())
        return str(book.transaction.version)

    worker = Child(child)
    until = monotonic() + 60
    while not store.records("child"):
        assert monotonic() < until, "the child wrote nothing"
    store.close()
    os.write(telling, b"!")
    assert worker.ended() == "21"
    found = sqlite(tmp_path / "store.db")
    assert len(found.records("child")) == 21
    assert session(found).connection.execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_a_store_that_was_closed_before_the_fork_is_closed_in_the_child(sqlite):
    store = sqlite()
    store.close()

    def child():
        with pytest.raises(StoreFailed, match="closed"):
            store.accounts()
        store.close()
        return "closed"

    assert Child(child).ended() == "closed"


def test_a_child_finds_the_file_wherever_it_goes(sqlite, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = sqlite(Path("shop.db"))

    def child():
        os.chdir("/")
        Book(store, "child").begin()
        return "written"

    assert Child(child).ended() == "written"
    assert store.path == Path("shop.db")
    assert [found.id for found in store.transactions()] == ["child"]


def test_a_file_that_is_gone_after_the_fork_is_not_made_anew(sqlite, tmp_path):
    store = sqlite()
    Book(store).begin()
    assert Child(lambda: "forked").ended() == "forked"
    (tmp_path / "store.db").rename(tmp_path / "moved.db")
    with pytest.raises(StoreMissing):
        Book(store, "order-2").begin()
    assert not (tmp_path / "store.db").exists()


def refused(store):
    """In a child process: no use of the file comes about, by this store or a new one."""
    for use in (store.accounts, Book(store).begin, lambda: SQLiteStore(store.path)):
        with pytest.raises(StoreFailed, match="was open when this process was forked"):
            use()
    return "refused"


def test_a_fork_amid_a_write_waits_for_a_while_and_then_the_child_is_refused(
    sqlite, monkeypatch
):
    """As by a signal's handler, say, in the thread that writes."""
    monkeypatch.setattr(sqlite_session, "FORK_SECONDS", 0.1)
    store = sqlite()
    with session(store).lock:
        child = Child(lambda: refused(store))
    assert child.ended() == "refused"
    Book(store).begin()


@pytest.mark.skipif(sys.platform != "linux", reason="calls the C library's fork")
def test_where_python_is_not_told_of_a_fork_the_child_is_refused(sqlite, monkeypatch):
    """Connections are still open: a new one beside them would take no locks."""
    library = ctypes.PyDLL(None)
    monkeypatch.setattr(os, "fork", library.fork)
    store = sqlite()
    assert Child(lambda: refused(store)).ended() == "refused"
    Book(store).begin()
