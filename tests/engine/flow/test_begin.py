"""A command begun in the shop's own transaction, and carried out after its commit."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import attrs
import pytest

from kessai import Change, Failure, MemoryStore, Phase, Status, StillUnderWay
from kessai.audit.verification.verify import verify
from kessai.errors import (
    InvalidInput,
    MustRollBack,
    NotCommitted,
    StoreUnsuitable,
)
from kessai.limits import CARRY_OUT_WITHIN, SEND_WITHIN
from kessai.machine import Resent, Resumed, Sent, append

LATER = {"minutes": 3}


@pytest.fixture
def store(database):
    return database.store


@pytest.fixture
def shop(database, observed_shop):
    """Each engine on one of the databases: `test_connections` has the others."""
    kind = "async" if database.kind == "sqlite" else "sync"
    return observed_shop(kind, database.store, None)


@pytest.fixture
def begins(shop, database, command):
    """Has the shop write an order, and begin a command in the same transaction."""

    def begins(name="authorize", amount=1000, *, of="order-1", **given):
        with database.transaction() as connection:
            if name == "authorize":
                database.orders_in(connection, of)
            return shop.call(
                "begin", command(name, amount, of=of, **given), connection=connection
            )

    return begins


@pytest.fixture
def kinds(events):
    return lambda name="order-1": [type(event).__name__ for event in events(name)]


# ── committed ───────────────────────────────────────────────────────────────────────


def test_order_and_intent_are_committed_together_and_sent_after_it(
    shop, database, begins, kinds
):
    prepared = begins()
    assert prepared.answer is None
    assert prepared.denial is None
    assert database.orders() == ["order-1"]
    assert shop.gateway.sent == []
    (operation,) = shop.transaction().operations.values()
    assert operation.phase is Phase.PREPARED
    answer = shop.call("carry_out", prepared)
    assert answer.status is Status.SUCCEEDED
    assert shop.gateway.commands == ["authorize"]
    assert kinds() == ["Begun", "Sent", "Reported"]


def test_what_is_carried_out_twice_is_sent_once(shop, begins):
    prepared = begins()
    first = shop.call("carry_out", prepared)
    second = shop.another().call("carry_out", prepared)
    assert (first.is_recorded, second.is_recorded) == (False, True)
    assert second.status is Status.SUCCEEDED
    assert shop.gateway.commands == ["authorize"]


def test_the_same_key_carries_out_what_is_prepared(shop, begins):
    begins()
    assert shop.asks("authorize", 1000).status is Status.SUCCEEDED
    assert shop.gateway.commands == ["authorize"]


def test_a_shop_that_begins_again_gets_the_same_to_carry_out(
    shop, database, begins, command
):
    begins()
    with database.transaction() as connection:
        again = shop.call("begin", command("authorize", 1000), connection=connection)
    assert again.answer is None
    assert shop.call("carry_out", again).status is Status.SUCCEEDED
    assert shop.gateway.commands == ["authorize"]


def test_what_is_prepared_holds_its_amount_back(shop, begins):
    shop.asks("authorize", 1000)
    shop.asks("capture", 1000)
    begins("refund", 60)
    assert shop.transaction().amounts["refunding"] == 60
    denied = shop.asks("refund", 950)
    assert denied.denial.bounds.maximum == 940


# ── nothing to carry out ────────────────────────────────────────────────────────────


def test_a_denial_is_the_answer_and_stands_in_the_trail(shop, begins, kinds):
    prepared = begins("capture", 100)
    assert prepared.answer.status is Status.DENIED
    assert prepared.denial is prepared.answer.denial
    assert shop.call("carry_out", prepared).status is Status.DENIED
    assert shop.gateway.sent == []
    assert kinds() == ["Denied"]


def test_a_recorded_answer_is_given_again(shop, begins):
    shop.asks("authorize", 1000)
    prepared = begins()
    assert prepared.answer.status is Status.SUCCEEDED
    assert prepared.answer.is_recorded
    assert shop.call("carry_out", prepared).status is Status.SUCCEEDED
    assert shop.gateway.commands == ["authorize"]


def test_another_request_under_the_same_key_is_a_conflict(shop, begins):
    begins(key="k")
    prepared = begins("capture", 5, key="k")
    assert prepared.answer.denial.codes == ("key_conflict",)


# ── not committed ───────────────────────────────────────────────────────────────────


def test_rolled_back_there_is_no_trace_and_the_key_is_free(
    shop, database, command, store
):
    asked = command("authorize", 1000)
    with closing(database.connect()) as connection:
        prepared = shop.call("begin", asked, connection=connection)
        connection.rollback()
    assert list(store.transactions()) == list(store.trails()) == []
    with pytest.raises(NotCommitted, match="rolled back"):
        shop.call("carry_out", prepared)
    assert shop.gateway.sent == []
    assert shop.call("execute", asked).status is Status.SUCCEEDED


def test_before_the_commit_nothing_is_sent(shop, database, command):
    with database.transaction() as connection:
        prepared = shop.call("begin", command("authorize", 9), connection=connection)
        with pytest.raises(NotCommitted, match="not committed"):
            shop.call("carry_out", prepared)
    assert shop.gateway.sent == []
    assert shop.call("carry_out", prepared).status is Status.SUCCEEDED


def test_rolled_back_to_a_savepoint_there_is_no_trace(shop, database, command, store):
    with database.transaction() as connection:
        database.orders_in(connection)
        connection.execute("SAVEPOINT payment")
        shop.call("begin", command("authorize", 1000), connection=connection)
        connection.execute("ROLLBACK TO SAVEPOINT payment")
    assert database.orders() == ["order-1"]
    assert list(store.transactions()) == []


def test_what_was_begun_is_seen_within_the_transaction(shop, database, command):
    with database.transaction() as connection:
        shop.call("begin", command("authorize", 1000), connection=connection)
        again = shop.call("begin", command("authorize", 1000), connection=connection)
        other = shop.call("begin", command("capture", 1000), connection=connection)
    assert again.answer is None
    assert other.answer.status is Status.DENIED


# ── nobody carries it out ───────────────────────────────────────────────────────────


def test_what_died_after_the_commit_is_sent_by_recovery(shop, begins, clock, kinds):
    prepared = begins()
    assert shop.recover() == []  # whoever prepared it is still at work
    clock.passes(**LATER)
    (answer,) = shop.recover()
    assert answer.status is Status.SUCCEEDED
    assert shop.gateway.commands == ["inquiry", "authorize"]
    assert kinds() == ["Begun", "Sent", "Reported"]
    assert shop.call("carry_out", prepared).is_recorded


def test_after_an_hour_it_is_declined_and_its_key_stays_used(shop, begins, clock):
    shop.asks("authorize", 1000)
    shop.asks("capture", 1000)
    begins("refund", 60)
    clock.now += CARRY_OUT_WITHIN
    (answer,) = shop.recover()
    assert (answer.status, answer.evidence.code) == (
        Status.DECLINED,
        "not_sent_in_time",
    )
    assert answer.may_send_again
    assert shop.transaction().amounts["refunding"] == 0
    assert "refund" not in shop.gateway.commands


def test_a_shop_that_comes_an_hour_late_is_told_so(shop, begins, clock):
    prepared = begins()
    clock.now += CARRY_OUT_WITHIN
    assert shop.call("carry_out", prepared).status is Status.DECLINED
    assert shop.gateway.sent == []
    assert shop.status == "payment.failed"


def test_while_the_gateway_does_not_answer_nothing_is_sent(shop, begins, clock, lost):
    begins()
    shop.gateway.answers = [lost]
    clock.passes(**LATER)
    (answer,) = shop.recover()
    assert answer.status is Status.UNKNOWN
    assert shop.gateway.commands == ["inquiry"]
    clock.passes(minutes=5)
    (answer,) = shop.recover()
    assert answer.status is Status.SUCCEEDED


@pytest.mark.parametrize("hours", [None, 24])
def test_where_nothing_is_listed_it_is_sent_while_the_gateway_knows_the_key(  # noqa: PLR0917 - fixtures
    market, database, command, clock, scripted, hours
):
    scripted.once("authorize")
    scripted.replays = None if hours is None else timedelta(hours=hours)
    with database.transaction() as connection:
        market.call("begin", command("authorize", 1000), connection=connection)
    clock.passes(**LATER)
    (answer,) = market.recover()
    assert answer.status is (Status.SUCCEEDED if hours else Status.UNKNOWN)
    clock.now += CARRY_OUT_WITHIN
    market.recover()
    assert market.status == f"payment.{'authorized' if hours else 'failed'}"
    assert market.gateway.urls == ["authorize/"] * bool(hours)


def test_a_restored_store_does_not_send_what_the_gateway_has_done(
    shop, begins, clock, command
):
    """The copy is of the moment between the commit and the sending."""
    shop.asks("authorize", 1000)
    begins("capture", 1000)
    shop.gateway.does({"command": "capture", "transaction": "order-1", "amount": 1000})
    clock.passes(**LATER)
    shop.recover()
    assert "capture" not in shop.gateway.commands
    clock.now += CARRY_OUT_WITHIN
    shop.recover()
    clock.passes(hours=7)
    shop.recover()
    assert "capture" not in shop.gateway.commands
    assert shop.transaction().operations == {}


def test_an_agreement_that_ended_meanwhile_allows_nothing_more(shop, begins):
    shop.asks("authorize", 500, of="plan", lifecycle="recurring", consent_only=True)
    prepared = begins("reauthorize", 500, of="charge-1", agreement="plan")
    assert prepared.answer is None
    shop.asks("terminate", of="plan")
    answer = shop.call("carry_out", prepared)
    assert (answer.status, answer.evidence.code) == (
        Status.DECLINED,
        "agreement_state",
    )
    assert "reauthorize" not in shop.gateway.commands


def test_what_was_never_sent_is_not_resumed(shop, begins, clock):
    begins()
    clock.passes(**LATER)
    with pytest.raises(StillUnderWay):
        shop.call("resume", "order-1", {"token": "t"})
    assert shop.gateway.sent == []


@pytest.mark.parametrize("event", [Sent, Resumed, Resent])
def test_the_audit_finds_what_no_engine_would_have_sent(shop, begins, store, event):
    """What was sent already is not sent as if it were prepared, and so on."""
    prepared = begins()
    if event is Sent:
        shop.gateway.answers = [Failure(sent=True, reason="lost")]
        shop.call("carry_out", prepared)
    transaction = shop.transaction()
    (operation,) = transaction.operations
    given = {"request": "0" * 64} if event is Resumed else {}
    forged = event(shop.clock() + timedelta(days=1), operation, **given)
    machine = shop.engine.machines[0]
    after, record = append(machine, transaction, forged)
    store.append(Change(transaction=after, records=(record,)))
    (fault,) = verify(store).faults.first
    assert (fault.transaction, fault.number) == ("order-1", after.version)


def test_what_may_have_been_sent_is_not_sent_again(shop, begins, clock):
    """The process died after it wrote that it would send, before it did."""
    prepared = begins()
    shop.gateway.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        shop.call("carry_out", prepared)
    assert shop.call("carry_out", prepared).status is Status.UNKNOWN
    assert shop.gateway.commands == ["authorize"]
    clock.passes(minutes=11)
    (answer,) = shop.recover()
    assert answer.evidence.code == "not_found"
    assert shop.gateway.commands == ["authorize", "inquiry"]


def test_the_time_to_send_counts_from_when_it_goes_out(shop, begins, clock):
    prepared = begins()
    clock.now += SEND_WITHIN + timedelta(seconds=1)
    assert shop.call("carry_out", prepared).status is Status.SUCCEEDED


def test_an_operator_can_end_what_is_prepared(shop, begins):
    begins()
    (operation,) = shop.transaction().operations
    found_out = {"evidence": "the order was cancelled", "actor": "Hanako"}
    with pytest.raises(InvalidInput, match="nothing was sent"):
        shop.call("resolve", "order-1", operation, "succeeded", **found_out)
    shop.call("resolve", "order-1", operation, "declined", **found_out)
    assert shop.status == "payment.failed"


# ── what the connection is ──────────────────────────────────────────────────────────


def test_a_transaction_that_sees_too_little_must_be_rolled_back(
    shop, database, command
):
    """What the shop sees is older than what another has committed."""
    options = {}
    if database.kind == "postgres":
        from psycopg import IsolationLevel

        options["isolation"] = IsolationLevel.REPEATABLE_READ
    shop.asks("authorize", 1000)
    with closing(database.connect(**options)) as connection:
        if database.kind == "sqlite":
            connection.execute("BEGIN")
        connection.execute("SELECT * FROM orders").fetchall()
        shop.asks("capture", 400)
        with pytest.raises(MustRollBack):
            shop.call("begin", command("refund", 400), connection=connection)
    with database.transaction(**options) as connection:
        again = shop.call("begin", command("refund", 400), connection=connection)
    assert shop.call("carry_out", again).status is Status.SUCCEEDED


def test_a_connection_without_a_transaction_is_refused(shop, database, command):
    with closing(database.connect()) as connection:
        if database.kind == "sqlite":
            connection.isolation_level = None
        else:
            connection.autocommit = True
        with pytest.raises(InvalidInput, match="no transaction is open"):
            shop.call("begin", command("authorize", 5), connection=connection)
    assert list(database.store.transactions()) == []


def test_what_is_no_connection_of_the_stores_database_is_refused(
    shop, database, command, tmp_path
):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        with pytest.raises(InvalidInput, match="connection: "):
            shop.call("begin", command("authorize", 5), connection=other)
        assert not other.in_transaction
    with pytest.raises(InvalidInput, match="connection: "):
        shop.call("begin", command("authorize", 5), connection=object())


def test_where_it_raises_no_transaction_is_left_open(shop, database, command):
    with closing(database.connect()) as connection:
        with pytest.raises(InvalidInput):
            shop.call("begin", command("pay", 5), connection=connection)
        assert not is_in_transaction(database, connection)
        assert shop.asks("authorize", 5).status is Status.SUCCEEDED


def test_where_it_raises_what_the_shop_has_begun_stays(shop, database, command):
    with database.transaction() as connection:
        database.orders_in(connection)
        with pytest.raises(InvalidInput):
            shop.call("begin", command("pay", 5), connection=connection)
        assert is_in_transaction(database, connection)
    assert database.orders() == ["order-1"]


def is_in_transaction(database, connection):
    if database.kind == "sqlite":
        return connection.in_transaction
    return connection.info.transaction_status.name != "IDLE"


def test_a_shop_may_have_its_own_forms_of_rows(shop, database, command):
    with database.transaction() as connection:
        if database.kind == "sqlite":
            connection.row_factory = lambda cursor, row: dict(
                zip([column[0] for column in cursor.description], row, strict=True)
            )
            connection.text_factory = bytes
        else:
            from psycopg.rows import dict_row

            connection.row_factory = dict_row
        prepared = shop.call("begin", command("authorize", 5), connection=connection)
        if database.kind == "sqlite":
            assert connection.execute("SELECT 'a' AS b").fetchone() == {"b": b"a"}
    assert shop.call("carry_out", prepared).status is Status.SUCCEEDED


def test_memory_has_no_transaction_to_be_part_of(observed_shop, command):
    shop = observed_shop("sync", MemoryStore(), None)
    with pytest.raises(StoreUnsuitable, match="memory"):
        shop.call("begin", command("authorize", 5), connection=object())


def test_a_prepared_command_shows_nothing_of_its_parameters(begins):
    prepared = begins(note="for Hanako")
    assert "Hanako" not in repr(prepared)
    assert attrs.asdict(prepared, recurse=False)["answer"] is None
