"""The views for people with an SQL client say what the exports say, in both databases."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from kessai import Command, Engine, PostgresStore, SQLiteStore
from kessai.export import EXPORTS, Period
from kessai_adapters.veritrans4g.local import LocalGateway

ALWAYS = Period(UTC)


class Clock:
    def __init__(self):
        self.now = datetime(2026, 6, 30, 14, 50, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def sold(request, tmp_path):
    """A store after sales, and what asks its database."""
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "shop.db")
        connection = sqlite3.connect(store.path)
    else:
        url = request.getfixturevalue("url")
        store, connection = PostgresStore(url), psycopg.connect(url)
    with closing(store), closing(connection):
        _sell(store)

        def asked(query):
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        yield store, asked


def _sell(store):
    """A checkout that paid at once, a sale with a refund, and one that lapsed."""
    clock = Clock()
    with closing(LocalGateway(clock=clock)) as local:
        engine = Engine(
            adapters=[local.adapter],
            store=store,
            transport=local.transport,
            clock=clock,
        )
        opening = {"lifecycle": "one_time", "amount": 1_000}
        steps = (
            ("A-1", "authorize", opening),
            ("A-1", "capture", {"amount": 900}),
            ("A-1", "refund", {"amount": 100}),
            ("A-1", "refund", {"amount": 5_000}),  # denied
            ("A-2", "authorize", opening | {"parameters": {"with_capture": True}}),
            ("A-3", "authorize", opening),
            ("A-3", "cancel", {}),
            ("A-4", "authorize", opening),
        )
        for order, command, fields in steps:
            engine.execute(Command(command, order, key=f"{clock.now}", **fields))
            engine.recover_transaction(order)
            clock.now += timedelta(minutes=10)
        clock.now += timedelta(days=40)
        engine.sweep("A-4")


def moment(value):
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def test_movements_are_those_that_the_export_replays(sold):
    store, asked = sold
    names = ("transaction", "event", "account", "lifecycle", "command", "deadline")
    exported = [
        (row["at"], *(row[n] for n in (*names, "amount_name", "change", "currency")))
        for row in EXPORTS["movements"](store, ALWAYS, "en").rows
    ]
    shown = [
        (
            moment(row.pop("at")),
            row["transaction_id"],
            row["event"],
            row["account"],
            row["lifecycle"],
            row["command"] or "",
            row["deadline"] or "",
            row["amount_name"],
            row["change"],
            row["currency"],
        )
        for row in asked("SELECT * FROM kessai_movements")
    ]
    assert sorted(shown) == sorted(exported)
    assert {row[5] for row in shown} > {"authorize", "capture", "refund", "cancel"}
    assert "authorization" in {row[6] for row in shown}


def test_transactions_are_those_that_the_store_has(sold):
    store, asked = sold
    rows = asked("SELECT * FROM kessai_transactions ORDER BY transaction_id")
    kept = list(store.transactions())
    assert [row["transaction_id"] for row in rows] == [one.id for one in kept]
    for row, one in zip(rows, kept, strict=True):
        amounts = row["amounts"]
        amounts = json.loads(amounts) if isinstance(amounts, str) else amounts
        assert amounts == one.amounts
        assert (row["captured"], row["status"]) == (one.amounts["captured"], one.status)
        assert (row["currency"], row["account"]) == (one.currency, one.account)
        assert moment(row["opened_at"]) == one.opened_at
        assert moment(row["changed_at"]) == one.changed_at


def test_the_views_answer_the_question_of_a_day(sold):
    _, asked = sold
    captured = asked(
        "SELECT sum(change) AS total FROM kessai_movements WHERE amount_name = 'captured'"
    )
    assert [int(row["total"]) for row in captured] == [1_900]


def test_the_views_are_not_foreign(sold):
    store, _ = sold
    assert store.foreign_objects() == []
