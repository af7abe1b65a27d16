"""The server ends, without a word or with one, and comes back. Nothing is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import psycopg
import pytest
from pg.lent import lent
from pg.shop import Shop, is_over

from kessai import Status
from kessai.errors import CommitUnknown, StoreBusy, StoreFailed
from kessai.stores.postgres import lending
from kessai.testing.store_kit.conformance import Book

PAYMENTS, REFUNDS = 6, 25


def blocked(server, count=1):
    """Wait until as many sessions wait for a lock."""
    until = monotonic() + 60
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while len(found := server.run(query)) < count and monotonic() < until:
        sleep(0.01)
    return [pid for (pid,) in found]


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_the_first_command_after_a_restart_finds_a_connection_that_works(
    postgres, own_server, mode
):
    """Nothing is sent over a connection that has said farewell."""
    store = postgres(connections=8)
    books = [Book(store, f"order-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda book: book.begin(), books))
    own_server.restart(mode)
    Book(store, "order-9").begin()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda book: book.write(book.denied()), books))
    assert len(list(store.transactions())) == 9


def test_sessions_that_are_ended_while_idle_are_not_missed(postgres, server):
    store = postgres()
    Book(store).begin()
    server.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'kessai'"
    )
    Book(store, "order-2").begin()


def test_an_append_whose_session_is_ended_is_unknown_and_was_not_written(
    postgres, server, url
):
    store = postgres()
    book = Book(store)
    operation = book.begin()
    with psycopg.connect(url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("SELECT 1 FROM kessai_states FOR UPDATE")
        ending = pool.submit(store.append, book.ended(operation))
        (pid,) = blocked(server)
        server.run(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(CommitUnknown):
            ending.result()
        holder.rollback()
    assert len(store.records("order-1")) == 1
    book.end(operation)


def test_an_append_that_waits_too_long_for_a_lock_is_busy(postgres, server, url):
    store = postgres(connections=1)
    book = Book(store)
    operation = book.begin()
    with lent(store) as connection:
        connection.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(url) as holder:
        holder.execute("SELECT 1 FROM kessai_states FOR UPDATE")
        with pytest.raises(StoreBusy, match="lock timeout"):
            store.append(book.ended(operation))
    book.end(operation)


def test_a_server_that_is_not_there_is_told_at_once_and_at_last(
    postgres, own_server, url, monkeypatch
):
    store = postgres()
    Book(store).begin()
    own_server.stop()
    monkeypatch.setattr(lending, "BUSY_SECONDS", 0.3)
    try:
        with pytest.raises(StoreFailed, match="refused"):
            postgres()
        with pytest.raises(StoreBusy, match="no connection could be had"):
            Book(store, "order-2").begin()
    finally:
        own_server.start()
    monkeypatch.undo()
    Book(store, "order-2").begin()


def test_who_opens_a_store_while_the_server_recovers_waits_for_it(
    postgres, own_server, url
):
    """Error 57P03: it is there, and takes nobody in yet."""
    Book(postgres()).begin()
    own_server.run("CREATE TABLE IF NOT EXISTS ballast (number bigint)")
    own_server.run("INSERT INTO ballast SELECT generate_series(1, 300000)")
    own_server.stop()
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(own_server.start)
        refused = 0
        while not started.done():
            try:
                postgres()
            except StoreFailed:
                refused += 1
                sleep(0.01)
        started.result()
    assert len(list(postgres().transactions())) == 1
    own_server.run("DROP TABLE ballast")


def test_nothing_is_lost_or_repeated_when_the_server_dies_under_a_stream_of_commands(
    postgres, own_server
):
    shop = Shop(postgres())
    names = [f"order-{number}" for number in range(PAYMENTS)]
    for name in names:
        shop.authorized(name)
    done = threading.Semaphore(0)

    def stream(name):
        answers = [shop.insist("capture", name, f"{name}:c")]
        for number in range(REFUNDS):
            key = f"{name}:r{number}"
            answers.append(shop.insist("refund", name, key, amount=1))
            done.release()
        return answers

    with ThreadPoolExecutor(PAYMENTS) as pool:
        streams = [pool.submit(stream, name) for name in names]
        for _ in range(2):
            for _ in range(PAYMENTS * REFUNDS // 4):
                done.acquire()
            own_server.restart()
        answers = [answer for one in streams for answer in one.result()]
    shop.resolve()
    for answer in answers:
        name = answer.transaction.id
        again = shop.insist(answer.command, name, answer.key, **amount_of(answer))
        assert is_over(again)
        assert answer.status in {again.status, Status.UNKNOWN}
    for name in names:
        refunded = shop.engine.transaction(name).amounts["refunded"]
        assert refunded == sum(outcomes(shop.store, name)) == REFUNDS
    shop.books_agree()
    shop.emulator.close()


def outcomes(store, name):
    """Whether each refund is said to have succeeded."""
    for number in range(REFUNDS):
        recorded = store.load(f"{name}:r{number}", name, None).recorded
        yield recorded is not None and recorded.outcome == "succeeded"


def amount_of(answer):
    return {"amount": 1} if answer.command == "refund" else {}
