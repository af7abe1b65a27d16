"""`kessai export`: rows that prove themselves, in the merchant's zone, and nothing private."""

import csv
import gc
import io
import json
import sqlite3
import tracemalloc
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kessai import Command, Engine, MemoryStore, SQLiteStore
from kessai.errors import InvalidInput, StoreBusy, TrailBroken
from kessai.export import EXPORTS, FORMATS, Period, Rows, write
from kessai.spec import load_shipped
from kessai.spreadsheet import safe_cell
from kessai.testing.store_kit.conformance import Book
from kessai_adapters.veritrans4g.local import LocalGateway

ORDERS = Path(__file__).parents[2] / "data" / "orders-1000.jsonl"
TOKYO = ZoneInfo("Asia/Tokyo")
LAST_MINUTES_OF_JUNE = datetime(2026, 6, 30, 14, 50, tzinfo=UTC)  # 23:50 in Tokyo
ALWAYS = Period(UTC)


class Shop:
    """A shop at the emulator whose clock goes on by ten minutes a command."""

    def __init__(self, store):
        self.now = LAST_MINUTES_OF_JUNE
        self.local = LocalGateway(clock=lambda: self.now)
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=store,
            transport=self.local.transport,
            clock=lambda: self.now,
        )

    def does(self, command, order="A-1", **fields):
        key = f"{order}-{command}-{self.now}"
        answer = self.engine.execute(Command(command, order, key=key, **fields))
        self.engine.recover_transaction(order)
        self.now += timedelta(minutes=10)
        return answer

    def sale(self, order="A-1", **parameters):
        about = {"lifecycle": "one_time", "parameters": parameters}
        self.does("authorize", order, amount=1000, **about)
        self.does("capture", order, amount=900)
        self.does("refund", order, amount=100)


@pytest.fixture
def shop(tmp_path):
    made = Shop(SQLiteStore(tmp_path / "shop.db"))
    yield made
    made.engine.close()
    made.local.close()


def rows(store, what, period=ALWAYS, language="en"):
    return list(EXPORTS[what](store, period, language).rows)


def seen(store, *names, what="movements", period=ALWAYS, language="en"):
    found = rows(store, what, period, language)
    return [tuple(row.get(name) for name in names) for row in found]


# ── movements ───────────────────────────────────────────────────────────────────────


def test_a_sale_moves_money_four_times(shop):
    shop.sale()
    shown = seen(shop.engine.store, "command", "amount_name", "change", "balance")
    assert shown == [
        ("authorize", "authorized", 1000, 1000),
        ("capture", "captured", 900, 900),
        ("capture", "released", 100, 100),
        ("refund", "refunded", 100, 100),
    ]


def test_what_is_held_back_or_declined_or_denied_moves_nothing(shop):
    shop.sale()
    before = rows(shop.engine.store, "movements")
    shop.local.emulator.misbehave("lose_request", command="Refund")
    shop.does("refund", amount=50)
    assert shop.does("refund", amount=10_000).status == "denied"
    assert rows(shop.engine.store, "movements") == before


def test_a_deadline_releases_what_was_authorized(shop):
    shop.does("authorize", lifecycle="one_time", amount=1000)
    shop.now += timedelta(days=31)
    shop.engine.sweep("A-1")
    shown = seen(shop.engine.store, "command", "deadline", "amount_name", "change")
    assert shown[1:] == [("", "authorization", "released", 1000)]


def test_what_is_done_at_the_gateways_own_pages_moves_money_too(shop):
    shop.does("authorize", lifecycle="one_time", amount=1000)
    shop.local.emulator.portal.cancel("A-1")
    shop.engine.reconcile("A-1")
    shown = seen(shop.engine.store, "command", "amount_name", "change")
    assert shown[1:] == [("cancel", "released", 1000)]


def test_what_was_agreed_per_charge_is_no_movement_of_money(shop):
    monthly = {"frequency": {"unit": "Month", "value": 1}}
    about = {"lifecycle": "recurring", "amount": 500, "parameters": monthly}
    shop.does("authorize", "plan", **about)
    shop.does("update_consent", "plan", amount=700, parameters=monthly)
    shop.does("reauthorize", "charge", agreement="plan", amount=300)
    shown = seen(shop.engine.store, "transaction", "agreement", "amount_name", "change")
    assert sorted(shown) == [
        ("charge", "plan", "authorized", 300),
        ("plan", None, "authorized", 500),
    ]


def test_the_movements_of_a_thousand_orders_add_up_to_their_balances(kessai, tmp_path):
    db = tmp_path / "orders.db"
    kessai("run", ORDERS, "--db", db)
    with closing(SQLiteStore(db)) as store:
        balances = Counter()
        for one in store.transactions():
            balances.update(one.amounts)
        sums = Counter()
        for name, change in seen(store, "amount_name", "change"):
            sums[name] += change
        assert sums == {name: balances[name] for name in sums}
        assert sums.keys() == {"authorized", "captured", "released", "refunded"}


# ── periods and zones ───────────────────────────────────────────────────────────────


def test_a_month_is_the_merchants(shop):
    """Captured at midnight in Tokyo, when June goes on in London."""
    shop.sale()
    midnight = datetime(2026, 7, 1, tzinfo=TOKYO)
    june, july = Period(TOKYO, until=midnight), Period(TOKYO, since=midnight)
    parts = [
        seen(shop.engine.store, "command", "at", period=period)
        for period in (june, july)
    ]
    assert [[command for command, _ in part] for part in parts] == [
        ["authorize"],
        ["capture", "capture", "refund"],
    ]
    assert [f"{part[0][1]:%d %H:%M %z}" for part in parts] == [
        "30 23:50 +0900",
        "01 00:00 +0900",
    ]


def test_days_begin_in_the_zone_that_is_named(kessai, shop, tmp_path):
    shop.sale()
    asked = ("export", "movements", "--db", tmp_path / "shop.db", "--format", "ndjson")
    zone = ("--timezone", "Asia/Tokyo")
    july = kessai(*asked, *zone, "--since", "2026-07-01").out.splitlines()
    assert [json.loads(line)["amount_name"] for line in july] == [
        "captured",
        "released",
        "refunded",
    ]
    assert kessai(*asked, "--since", "2026-07-01").out == ""
    until = kessai(*asked, *zone, "--until", "2026-06-30T14:55:00Z").out.splitlines()
    assert [json.loads(line)["at"] for line in until] == ["2026-06-30T23:50:00+09:00"]


def test_transactions_are_those_opened_in_the_period(shop):
    shop.sale("A-1")
    later = shop.now
    shop.sale("A-2")
    (row,) = rows(shop.engine.store, "transactions", Period(TOKYO, since=later))
    assert row["transaction"] == "A-2"
    assert row["opened_at"] == later
    assert row["status"] == "payment.partially_refunded"
    assert (row["captured"], row["refunded"], row["released"]) == (900, 100, 100)


# ── events, and what stays out ──────────────────────────────────────────────────────


def test_every_event_is_a_row_with_the_hash_of_its_record(shop):
    shop.sale()
    shop.does("refund", amount=10_000)
    store = shop.engine.store
    records = store.records("A-1")
    shown = seen(store, "event", "hash", what="events")
    assert shown == [(record.number, record.hash) for record in records]
    last = rows(store, "events")[-1]
    assert (last["kind"], last["command"], last["amount"]) == (
        "denied",
        "refund",
        10_000,
    )
    assert last["reasons"] == "amount_above_maximum"


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_no_note_no_parameter_and_no_operator_is_exported(
    kessai, shop, tmp_path, what, form
):
    shop.sale(note="for Hanako Yamada", success_url="https://shop.example/secret")
    shop.local.emulator.misbehave("lose_request", command="Refund")
    shop.does("refund", amount=50)
    kessai(
        *("tx", "resolve", "A-1", "--db", tmp_path / "shop.db", "--declined"),
        *("--operator", "Taro Suzuki", "--note", "asked by telephone"),
    )
    out = kessai("export", what, "--db", tmp_path / "shop.db", "--format", form).out
    assert "A-1" in out
    for private in ("Hanako", "secret", "Suzuki", "telephone"):
        assert private not in out


# ── every store, every format ───────────────────────────────────────────────────────


def histories(store):
    """Two sales, and an id that came to nothing."""
    shop = Shop(store)
    for order in ("a", "b"):
        shop.sale(order)
    assert shop.does("capture", "c", amount=1).status == "denied"
    shop.local.close()


@pytest.mark.parametrize("what", EXPORTS)
def test_sqlite_exports_what_memory_does(tmp_path, what):
    with closing(SQLiteStore(tmp_path / "s.db")) as store:
        memory = MemoryStore()
        for one in (store, memory):
            histories(one)
        assert rows(store, what) == rows(memory, what)
        assert rows(memory, what)


@pytest.mark.parametrize("what", EXPORTS)
def test_postgresql_exports_what_memory_does(url, what):
    from kessai.stores import PostgresStore

    with closing(PostgresStore(url)) as store:
        memory = MemoryStore()
        for one in (store, memory):
            histories(one)
        assert rows(store, what) == rows(memory, what)


@pytest.mark.parametrize("what", EXPORTS)
def test_all_formats_hold_the_same(kessai, shop, tmp_path, what):
    shop.sale()
    files = {form: tmp_path / f"out.{form}" for form in FORMATS}
    for form, out in files.items():
        asked = ("export", what, "--db", tmp_path / "shop.db", "--out", out)
        assert kessai(*asked, "--format", form, "--timezone", "Asia/Tokyo").code == 0
    with files["csv"].open(encoding="utf-8", newline="") as file:
        table = [dict(row) for row in csv.DictReader(file)]
    objects = [json.loads(line) for line in files["ndjson"].read_text().splitlines()]
    with closing(sqlite3.connect(files["sqlite"])) as connection:
        connection.row_factory = sqlite3.Row
        stored = [dict(row) for row in connection.execute("SELECT * FROM export")]
    assert stored == objects
    as_text = [{k: "" if v is None else str(v) for k, v in o.items()} for o in objects]
    assert as_text == table
    assert table


def test_titles_and_the_last_line_are_in_the_language_that_is_asked_for(
    kessai, shop, tmp_path
):
    shop.sale()
    shown = kessai(
        *("export", "movements", "--db", tmp_path / "shop.db", "--lang", "ja"),
        *("--out", tmp_path / "out.csv"),
    )
    assert "4 行を書き出しました" in shown.err
    assert "売上額" in (tmp_path / "out.csv").read_text("utf-8")
    titles = seen(shop.engine.store, "amount_title", language="en")
    assert ("captured",) in titles


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", "－1"])
def test_no_cell_is_a_formula(text):
    file = io.BytesIO()
    write(Rows(("a", "b"), {"b"}, iter([{"a": text, "b": -1}])), "csv", file)
    assert file.getvalue().decode().splitlines()[1] == f"'{text},-1"
    assert safe_cell("plain") == "plain"


# ── whole, or not at all ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_trail_that_does_not_hold_leaves_the_former_file(
    kessai, shop, tmp_path, what, form
):
    for order in ("A-1", "A-2"):
        shop.sale(order)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute(
            "UPDATE kessai_events SET body = x'7b7d' WHERE transaction_id = 'A-2' AND number = 2"
        )
    out = tmp_path / "out"
    out.write_bytes(b"former")
    asked = ("export", what, "--db", tmp_path / "shop.db", "--format", form)
    shown = kessai(*asked, "--out", out, "--force")
    assert shown.code == 5
    assert "A-2: event 2" in shown.err
    assert out.read_bytes() == b"former"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("end", ["", "-wal", "-queue"])
def test_a_store_is_not_overwritten_by_its_export(kessai, shop, tmp_path, end):
    shop.sale()
    db = tmp_path / "shop.db"
    shown = kessai("export", "events", "--db", db, "--out", f"{db}{end}")
    assert shown.code == 2
    assert "belongs to a database" in shown.err
    assert kessai("audit", "verify", "--db", db).code == 0


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--since", "yesterday"), "--since 'yesterday': neither a day"),
        (("--until", "2026-13-01"), "--until '2026-13-01': neither a day"),
        (
            ("--since", "0001-01-01", "--timezone", "+09:00"),
            "UTC+09:00 it is too early",
        ),
        (
            ("--until", "9999-12-31T20:00:00-09:00"),
            "UTC-09:00 it is too early or too late",
        ),
        (("--timezone", "Mars/Base"), "not known here"),
        (("--format", "sqlite"), "give --out FILE"),
        (("--format", "sqlite", "--out", "/dev/null"), "give --out FILE"),
        (("--out", "no/such/folder"), "there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_told_with_exit_code_2(
    kessai, shop, tmp_path, options, shown
):
    found = kessai("export", "events", "--db", tmp_path / "shop.db", *options)
    assert found.code == 2
    assert shown in found.err


def test_a_store_that_is_not_there_is_not_made(kessai, tmp_path):
    assert kessai("export", "events", "--db", tmp_path / "no.db").code == 2
    assert list(tmp_path.iterdir()) == []


class Many(MemoryStore):
    """A store of any size: each trail is made when it is read."""

    count = 0
    later = ()

    def transactions(self):
        return iter(())

    def trails(self):
        for number in range(self.count):
            if number % 25 == 0:
                gc.collect()  # what only waits for it is not held
            store = MemoryStore()
            book = Book(store, f"order-{number:08}")
            book.end(book.begin())
            yield from store.trails()

    def declaration(self, lifecycle_hash):
        return load_shipped("one_time").document


@pytest.mark.parametrize(
    "form", ["csv", pytest.param("ndjson", marks=pytest.mark.slow)]
)
def test_memory_stays_flat_however_many_transactions_there_are(tmp_path, form):
    def peak(count):
        store = Many()
        store.count = count
        with (tmp_path / "out").open("wb") as file:
            gc.freeze()
            tracemalloc.start()
            try:
                write(EXPORTS["movements"](store, ALWAYS, "en"), form, file)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
                gc.unfreeze()

    peak(5)  # what is imported once
    assert peak(400) < peak(200) * 1.3  # all trails together would take twice as much


def test_an_amount_that_appears_while_the_store_is_read_is_not_left_out():
    store = Many()
    store.count = 1
    with pytest.raises(StoreBusy, match="export again"):
        rows(store, "transactions")


def test_a_trail_that_does_not_hold_is_named():
    store = MemoryStore()
    histories(store)
    broken = store.records("a")[1:]
    store.trails = lambda: iter([("a", broken)])
    with pytest.raises(TrailBroken, match="a: event 1: event_missing"):
        rows(store, "events")


def test_a_zone_is_needed_for_a_period_only_by_name():
    from kessai.cli.zones import moment_of, zone_of

    assert moment_of("2026-01-01", zone_of("+09:00"), "") == datetime(
        2025, 12, 31, 15, tzinfo=UTC
    )
    with pytest.raises(InvalidInput):
        zone_of("+99:99")


def test_a_period_that_ends_before_it_begins_is_refused(kessai, shop):
    shop.sale()
    asked = ("export", "movements", "--db", "shop.db", "--since", "2011-01-01")
    for until in ("2010-01-01", "2011-01-01"):
        refused = kessai(*asked, "--until", until)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == (
            f"kessai: --until {until}: not after --since 2011-01-01, so nothing lies"
            " between\n"
        )
