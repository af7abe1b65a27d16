"""Keys: the same request has the same one, and no other request ever has it."""

import re
import shutil

import psycopg
import pytest

from kessai import Engine, PostgresStore, Recovery, SQLiteStore, Status
from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Failure

LOST = Failure(sent=True, reason="ReadTimeout")


class Plain:
    """The wire as a transport."""

    def __init__(self, wire):
        self.send = wire.send

    def close(self):
        pass


@pytest.fixture
def two_steps(scripted):
    def exchange(call):
        yield scripted.ask(call, "make")
        yield scripted.ask(call, "confirm")
        return scripted.says(call)

    for command in ("authorize", "capture", "refund"):
        scripted.exchanges[command] = exchange


def test_every_step_of_every_operation_has_a_key_of_its_own(market, wire, two_steps):
    market.asks("authorize", 100)
    market.asks("capture", 100)
    for number in range(3):
        market.asks("refund", 10, key=f"refund {number}")
    assert len(set(wire.keys)) == len(wire.keys) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", key) for key in wire.keys)


def test_a_step_has_the_same_key_however_often_it_is_asked_for(market, wire, scripted):
    def exchange(call):
        yield scripted.ask(call, "make")
        yield scripted.ask(call, "make")
        return scripted.says(call)

    scripted.exchanges["authorize"] = exchange
    market.asks("authorize", 100)
    first, again = wire.keys
    assert first == again


def test_a_resend_has_the_same_keys(market, wire, clock, scripted, two_steps):
    """Also when the gateway has given ids since, and the trail has grown."""
    market.asks("authorize", 100)
    wire.answers = [LOST]

    def breaks_off(call):
        yield scripted.ask(call, "make")
        return scripted.says(call, "unknown", references={"order": "o_1"})

    two, scripted.exchanges["capture"] = scripted.exchanges["capture"], breaks_off
    market.asks("capture", 60)
    scripted.exchanges["capture"] = two
    scripted.once(INQUIRY)  # it lists nothing at all
    clock.passes(hours=1)
    (answer,) = market.recover(Recovery(missing="resend"))
    assert answer.status is Status.SUCCEEDED
    lost, again = (
        request for request in wire.sent if request.url == "scripted:capture/make"
    )
    assert lost == again


def test_an_inquiry_has_no_key(market, wire, scripted):
    """The gateway would answer it from memory."""
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)

    def inquiry(call):
        call.key()
        yield scripted.ask(call)

    scripted.exchanges[INQUIRY] = inquiry
    with pytest.raises(InvalidInput, match=r"^inquiry: a call that moves nothing"):
        market.call("reconcile", "order-1")


class OnSQLite:
    """A store in a file, that can be copied and put back."""

    def __init__(self, folder):
        self._live, self._copy = folder / "live.db", folder / "copy.db"

    def store(self):
        return SQLiteStore(self._live)

    def copy(self):
        shutil.copy(self._live, self._copy)

    def put_back(self):
        shutil.copy(self._copy, self._live)


class OnPostgreSQL:
    """The same in a schema, of whose tables all rows are copied."""

    def __init__(self, url):
        self._url, self._rows = url, {}

    def store(self):
        return PostgresStore(self._url)

    def copy(self):
        with psycopg.connect(self._url) as connection:
            for table in self._tables(connection):
                with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                    self._rows[table] = b"".join(map(bytes, rows))

    def put_back(self):
        with psycopg.connect(self._url) as connection:
            connection.execute(f"TRUNCATE {', '.join(self._rows)}")
            for table, content in self._rows.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as rows:
                    rows.write(content)

    def _tables(self, connection):
        asked = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        return [name for (name,) in connection.execute(asked).fetchall()]


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request, tmp_path):
    if request.param == "sqlite":
        return OnSQLite(tmp_path)
    return OnPostgreSQL(request.getfixturevalue("url"))


@pytest.mark.usefixtures("two_steps")
def test_a_restored_backup_gives_no_key_a_second_time(
    kept, wire, clock, command, scripted
):
    """What was lost with the disk may have been carried out: a new one is another."""

    def asks(*asked, **more):
        parts = {"transport": Plain(wire), "clock": clock}
        with Engine(adapters=[scripted], store=kept.store(), **parts) as engine:
            return engine.execute(command(*asked, **more))

    asks("authorize", 100)
    kept.copy()
    found = []
    for microseconds, key in ((0, "a"), (0, "b"), (1, "a")):
        clock.passes(microseconds=microseconds)
        answer = asks("capture", 60, key=key)
        found.append((answer.operation, wire.keys[-2:]))
        kept.put_back()
    operations, keys = zip(*found, strict=True)
    assert set(operations) == {"order-1.3"}  # the very same place in the chain
    assert len({key for pair in keys for key in pair}) == 6
