"""SQLite: what is promised is checked, and what cannot be given is refused."""

import re
import sqlite3
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
import sqlite_utils
from inside import session

from kessai import SQLiteStore, StoreWarning
from kessai.errors import (
    CommitUnknown,
    KessaiError,
    SafeToResend,
    StoreBusy,
    StoreFailed,
    StoreUnsuitable,
    TrailBroken,
    VersionConflict,
)
from kessai.stores import schema, sqlite_file, sqlite_queue, sqlite_writer
from kessai.stores import sqlite_durable as durable
from kessai.stores.sqlite_durable import has_wal_reset_bug
from kessai.testing.store_kit.conformance import Book


class Lying:
    """A connection that answers one statement as it likes; the rest is the real one."""

    def __init__(self, real, statement, answer):
        self._real, self._statement, self._answer = real, statement, answer

    def execute(self, statement, *values):
        if statement == self._statement:
            if isinstance(self._answer, BaseException):
                raise self._answer
            return self._real.execute(f"SELECT {self._answer!r}")
        return self._real.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self._real, name)


def lie(monkeypatch, statement, answer):
    real = sqlite3.connect

    def connect(*args, **options):
        return Lying(real(*args, **options), statement, answer)

    monkeypatch.setattr(sqlite3, "connect", connect)


def failure(code, kind=sqlite3.OperationalError):
    error = kind("it failed")
    error.sqlite_errorcode = code
    return error


def raw(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def begin(store, name="order-1"):
    book = Book(store, name)
    book.begin()
    return book


def test_every_commit_is_on_the_disk_in_a_write_ahead_log(sqlite):
    connection = session(sqlite()).connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    ("statement", "answer", "message"),
    [
        ("PRAGMA journal_mode", "delete", "journal_mode=delete, synchronous=2"),
        ("PRAGMA journal_mode", "memory", "journal_mode=memory"),
        ("PRAGMA synchronous", 1, "journal_mode=wal, synchronous=1"),
        ("PRAGMA synchronous", 0, "synchronous=0; WAL and FULL"),
    ],
)
def test_a_file_system_that_gives_less_is_refused(
    sqlite, monkeypatch, statement, answer, message
):
    lie(monkeypatch, statement, answer)
    with pytest.raises(StoreUnsuitable, match=message):
        sqlite()


def test_a_database_in_memory_is_refused(sqlite):
    with pytest.raises(StoreUnsuitable, match="journal_mode=memory"):
        sqlite(":memory:")


def test_tables_are_strict_so_that_no_amount_turns_into_a_float(sqlite):
    connection = session(sqlite()).connection
    tables = connection.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"
        " AND type = 'table' AND name NOT IN ('kessai_schema', 'sqlite_schema')"
    ).fetchall()
    assert sorted(tables) == [
        ("kessai_answers", 1),
        ("kessai_bills", 1),
        ("kessai_chunks", 1),
        ("kessai_events", 1),
        ("kessai_gateway_ids", 1),
        ("kessai_lifecycles", 1),
        ("kessai_states", 1),
        ("kessai_subscribers", 1),
    ]
    for column in ("version", "state"):
        values = {"version": 1, "state": b"{}", column: "1.5 x"}
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                "INSERT INTO kessai_states (id, lifecycle, status, version, state)"
                " VALUES ('a', 'b', 'c', :version, :state)",
                values,
            )


@pytest.mark.parametrize(
    ("version", "has_bug"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version, has_bug):
    assert has_wal_reset_bug(version) is has_bug


def test_an_sqlite_that_is_too_old_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StoreUnsuitable, match=r"is too old: 3\.37\.0"):
        SQLiteStore(tmp_path / "store.db")


@pytest.mark.parametrize("has_bug", [True, False])
def test_of_the_wal_reset_bug_it_warns_once_and_only_where_others_write_too(
    tmp_path, monkeypatch, has_bug
):
    monkeypatch.setattr(durable, "has_wal_reset_bug", lambda _: has_bug)
    monkeypatch.setattr(sqlite_queue, "TURN", 0)  # it looks once a turn
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store = SQLiteStore(tmp_path / "store.db")
        for number in range(3):
            begin(store, f"alone-{number}")
        assert caught == []
        other = SQLiteStore(tmp_path / "store.db")
        for number in range(3):
            begin(other, f"other-{number}")
            begin(store, f"own-{number}")
    kinds = [warning.category for warning in caught]
    assert kinds == [StoreWarning, StoreWarning] * has_bug  # one for each store
    for each in caught:
        assert "fixed in 3.51.3" in str(each.message)
    for opened in (store, other):
        opened.close()


def test_where_warnings_are_errors_a_commit_is_one_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "has_wal_reset_bug", lambda _: True)
    monkeypatch.setattr(sqlite_queue, "TURN", 0)
    with (
        closing(SQLiteStore(tmp_path / "store.db")) as store,
        closing(SQLiteStore(tmp_path / "store.db")) as other,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        for number in range(2):
            begin(store, f"own-{number}")
            begin(other, f"other-{number}")
        assert len(list(store.transactions())) == 4


def tables(path):
    with raw(path) as connection:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


@pytest.mark.parametrize("step", ["events", "answers", "lifecycles"])
def test_a_crash_in_the_middle_of_a_migration_leaves_nothing(
    sqlite, tmp_path, monkeypatch, step
):
    path = tmp_path / "store.db"
    execute = sqlite_utils.Database.execute

    def crash(database, statement, *values):
        if f"CREATE TABLE kessai_{step}" in statement:
            raise KeyboardInterrupt
        return execute(database, statement, *values)

    monkeypatch.setattr(sqlite_utils.Database, "execute", crash)
    with pytest.raises(KeyboardInterrupt):
        sqlite(path)
    assert tables(path) == 0
    monkeypatch.undo()
    begin(sqlite(path))


def test_a_migration_that_cannot_be_written_is_a_failure_of_the_store(
    sqlite, tmp_path, monkeypatch
):
    lie(monkeypatch, "COMMIT", failure(sqlite3.SQLITE_FULL))
    with pytest.raises(StoreFailed):
        sqlite()
    assert tables(tmp_path / "store.db") == 0


def test_a_disk_that_is_full_at_the_migration_is_told_as_such(
    sqlite, tmp_path, monkeypatch
):
    class Migrations:
        def apply(self, database):
            database.conn.execute("ROLLBACK")  # as SQLite does by itself
            raise failure(sqlite3.SQLITE_FULL)

    monkeypatch.setattr(schema, "_migrations", Migrations)
    with pytest.raises(StoreFailed, match="it failed"):
        sqlite()
    assert tables(tmp_path / "store.db") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files there")
def test_a_disk_that_is_full_at_a_later_opening_is_told_as_such(sqlite, tmp_path):
    """SQLite ends the transaction by itself: there is nothing left to roll back."""
    path = tmp_path / "store.db"
    store = sqlite(path)
    begin(store)
    store.close()
    script = (
        "import resource, sys, warnings; warnings.simplefilter('ignore');"
        "from kessai import SQLiteStore;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); SQLiteStore(sys.argv[1])"
    )
    opening = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"StoreFailed: {path}: disk I/O error" in opening.stderr


def test_a_store_is_opened_a_second_time_without_a_migration(sqlite, monkeypatch):
    begin(sqlite())
    monkeypatch.setattr(schema, "_migrations", pytest.fail)
    assert sqlite().open_transactions(1) == ["order-1"]


def test_many_that_open_a_new_file_at_once_all_get_it(sqlite, tmp_path):
    barrier = Barrier(6)

    def opened(number):
        barrier.wait()
        return sqlite(tmp_path / "store.db")

    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(opened, range(6)))
    for number, store in enumerate(stores):
        begin(store, f"order-{number}")
    assert len(list(stores[0].transactions())) == 6


def test_a_file_of_a_newer_kessai_is_refused(sqlite, tmp_path):
    path = tmp_path / "store.db"
    begin(sqlite(path)).store.close()
    with raw(path) as connection:
        connection.execute("INSERT INTO kessai_schema (name) VALUES ('later')")
    with pytest.raises(StoreUnsuitable, match="schema version 3; this kessai knows 2"):
        sqlite(path)


def test_the_statements_that_are_shown_make_the_very_same_tables(sqlite, tmp_path):
    made = sqlite(tmp_path / "made.db").path
    by_hand = tmp_path / "by-hand.db"
    with raw(by_hand) as connection:
        for statement in schema.statements():
            connection.execute(statement)
    with raw(made) as one, raw(by_hand) as other:
        query = "SELECT name, sql FROM sqlite_master ORDER BY name"
        assert one.execute(query).fetchall() == other.execute(query).fetchall()
    begin(sqlite(by_hand))


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_database_of_another_program_is_refused_and_left_as_it_is(
    sqlite, tmp_path, version
):
    path = tmp_path / "other.db"
    with raw(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(
        StoreUnsuitable, match=r"other\.db: a database of another program"
    ):
        sqlite(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(sqlite, tmp_path):
    path = tmp_path / "notes.txt"
    text = b"These are notes, and no database at all. " * 100
    path.write_bytes(text)
    with pytest.raises(StoreUnsuitable, match="not an SQLite database"):
        sqlite(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize(
    ("name", "why"),
    [("no/such/folder/store.db", "there is no such folder"), (".", "is a folder")],
)
def test_a_file_that_cannot_be_made_is_a_failure_of_the_store(
    sqlite, tmp_path, name, why
):
    with pytest.raises(StoreFailed, match=why):
        sqlite(tmp_path / name)


def test_a_file_that_may_not_be_written_is_a_failure_of_the_store(sqlite):
    store = sqlite()
    # What SQLite says of a file without write permission, also to root.
    session(store).connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreFailed):
        begin(store)


def test_a_full_disk_fails_the_change_and_leaves_nothing_of_it(sqlite):
    store = sqlite()
    book = begin(store)
    pages = session(store).connection.execute("PRAGMA page_count").fetchone()[0]
    session(store).connection.execute(f"PRAGMA max_page_count = {pages}")
    operation = next(iter(book.transaction.operations.values()))
    before = []

    def fill():
        for number in range(200):
            before[:] = [list(store.transactions()), list(store.trails())]
            begin(store, f"order-{number + 2}")

    with pytest.raises(StoreFailed, match="full") as caught:
        fill()
    assert isinstance(caught.value, SafeToResend)
    assert [list(store.transactions()), list(store.trails())] == before
    session(store).connection.execute("PRAGMA max_page_count = 100000")
    book.end(operation)


@pytest.fixture
def impatient(monkeypatch):
    for module in (sqlite_file, sqlite_writer):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)


def test_a_file_that_another_process_holds_is_busy(impatient, sqlite, tmp_path):
    store = sqlite()
    with raw(tmp_path / "store.db") as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"held the file for 0\.05 s"):
            begin(store)
        assert store.load(None, "order-1", None).transaction is None
        other.execute("ROLLBACK")
    begin(store)


def test_a_new_file_that_another_process_holds_is_busy(impatient, sqlite, tmp_path):
    path = tmp_path / "store.db"
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            sqlite(path)
        other.execute("ROLLBACK")
    begin(sqlite(path))


def broken(store, statement, error):
    """`store` with a connection that fails at `statement`, until it is mended."""
    held = session(store)
    real = held.connection
    held.connection = Lying(real, statement, error)
    return lambda: setattr(held, "connection", real)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_IOERR_FSYNC, CommitUnknown),
        # The frame that makes a commit is the last to be written: this one is not there.
        (sqlite3.SQLITE_FULL, StoreFailed),
        (sqlite3.SQLITE_IOERR_WRITE, StoreFailed),
    ],
)
def test_a_failed_commit_is_told_apart_from_one_that_may_be_there(sqlite, code, kind):
    store = sqlite()
    mend = broken(store, "COMMIT", failure(code))
    with pytest.raises(kind):
        begin(store)
    assert not session(store).connection.in_transaction
    mend()
    begin(store)


def test_an_interrupt_leaves_no_transaction_open(sqlite):
    store = sqlite()
    for statement in ("BEGIN IMMEDIATE", "COMMIT"):
        mend = broken(store, statement, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            begin(store)
        assert not session(store).connection.in_transaction
        mend()
    begin(store)


def test_a_rollback_that_fails_hides_no_error(sqlite):
    store = sqlite()
    begin(store)
    mend = broken(store, "ROLLBACK", failure(sqlite3.SQLITE_IOERR))
    with pytest.raises(VersionConflict):
        begin(store)
    mend()
    begin(store, "order-2")


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.load("k", "order-1", None),
        lambda store: store.records("order-1"),
        lambda store: store.declaration("x"),
        lambda store: store.open_transactions(1),
        lambda store: list(store.transactions()),
        lambda store: list(store.trails()),
    ],
    ids=["load", "records", "declaration", "open", "transactions", "trails"],
)
def test_every_failure_of_sqlite_is_an_error_of_kessai(sqlite, tmp_path, read):
    store = sqlite()
    with raw(tmp_path / "store.db") as other:
        for table in ("answers", "states", "events", "lifecycles"):
            other.execute(f"DROP TABLE kessai_{table}")
    with pytest.raises(StoreFailed, match="no such table"):
        read(store)


def test_a_reading_that_cannot_be_opened_is_a_failure_of_the_store(sqlite, monkeypatch):
    store = sqlite()

    def connect(*args, **options):
        raise failure(sqlite3.SQLITE_CANTOPEN)

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(StoreFailed):
        list(store.transactions())
    with pytest.raises(KessaiError):
        list(store.trails())
    with pytest.raises(StoreFailed):
        SQLiteStore(store.path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE kessai_states SET state = x'7b7d'", "transaction is not readable"),
        ("UPDATE kessai_states SET state = x'ff'", "transaction is not readable"),
        ("UPDATE kessai_states SET version = 7", "columns of a stored transaction"),
        ("UPDATE kessai_states SET status = 'x'", "columns of a stored transaction"),
        ("UPDATE kessai_states SET open_since = NULL", "columns of a stored transact"),
        ("UPDATE kessai_states SET id = 'order-2'", "columns of a stored transaction"),
    ],
)
def test_a_row_that_someone_else_wrote_is_not_believed(sqlite, change, message):
    store = sqlite()
    begin(store)
    session(store).connection.execute(change)
    with pytest.raises(TrailBroken, match=message) as caught:
        list(store.transactions())
    assert caught.value.transaction in {"order-1", "order-2"}


@pytest.mark.parametrize("raw_row", ["x'7b7d'", "x'ff'"])
def test_what_someone_else_wrote_is_not_loaded(sqlite, raw_row):
    store = sqlite()
    book = Book(store)
    book.begin(key="k")
    session(store).connection.execute(f"UPDATE kessai_answers SET recorded = {raw_row}")  # noqa: S608 - ours
    with pytest.raises(TrailBroken, match="answer is not readable"):
        store.load("k", "order-1", None)
    session(store).connection.execute(f"UPDATE kessai_states SET state = {raw_row}")  # noqa: S608 - ours
    with pytest.raises(TrailBroken, match="transaction is not readable"):
        store.load(None, "order-1", None)


def test_a_store_that_was_closed_can_not_be_used(sqlite):
    store = sqlite()
    store.close()
    with pytest.raises(StoreFailed, match="closed"):
        store.records("order-1")
    with pytest.raises(StoreFailed, match="closed"):
        begin(store)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(store.records, "order-1")
        with pytest.raises(StoreFailed, match="closed"):
            reading.result()


def test_no_row_holds_what_was_disclosed_to_the_caller(sqlite, tmp_path):
    store = sqlite()
    book = Book(store)
    operation = book.begin()
    book.end(operation, disclosed={"address": "Chiyoda 1-1", "name": "Hanako"})
    dump = "\n".join(session(store).connection.iterdump())
    rows = [
        row
        for table in ("states", "events", "answers", "lifecycles")
        for row in session(store).connection.execute(f"SELECT * FROM kessai_{table}")  # noqa: S608 - names of ours
    ]
    store.close()
    everything = (tmp_path / "store.db").read_bytes() + repr(rows).encode()
    for secret in ("Chiyoda", "Hanako"):
        assert secret not in dump
        assert secret.encode() not in everything


def test_the_path_of_a_store_is_the_one_it_was_given(sqlite, tmp_path):
    assert sqlite(str(tmp_path / "store.db")).path == tmp_path / "store.db"


def test_columns_that_hardly_ever_change_are_set_when_they_do(sqlite):
    store = sqlite()
    asked = []
    session(store).connection.set_trace_callback(asked.append)

    def columns():
        *_, last = [s for s in asked if s.strip().startswith("UPDATE kessai_states")]
        asked.clear()
        return {"status", "opened_at"}.intersection(
            re.findall(r"(\w+) = ", set_in(last))
        )

    def set_in(update):
        return update.partition("SET ")[2].partition("WHERE ")[0]

    book = Book(store)
    book.write(book.denied())
    operation = book.begin()
    assert columns() == {"status", "opened_at"}
    book.end(operation)
    assert columns() == {"status"}
    book.write(book.denied())
    assert columns() == set()


def test_a_command_writes_few_pages_to_the_log(sqlite, tmp_path):
    store = sqlite()
    book = Book(store)
    for command in ("authorize", "capture"):
        book.end(book.begin(command))
    connection = session(store).connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    for _ in range(100):
        book.end(book.begin("refund", amount=1))
    pages = (tmp_path / "store.db-wal").stat().st_size / (4096 + 24) / 100
    assert pages < 13, pages  # 16 when events stood by transaction and number
