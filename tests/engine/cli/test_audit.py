"""`kessai audit verify`: whether the trail holds, in an exit code and a few lines."""

import sqlite3
from contextlib import closing

import pytest


@pytest.fixture
def shop(kessai, tmp_path):
    """A sale with a refund that is denied, at the emulator."""
    db = tmp_path / "shop.db"
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1000)
    kessai("tx", "do", *order, "--db", db)
    kessai("tx", "do", "A-1", "capture", "--amount", 900, "--db", db)
    kessai("tx", "do", "A-1", "refund", "--amount", 901, "--db", db)
    return db


def tamper(db, sql):
    with closing(sqlite3.connect(db, isolation_level=None)) as database:
        database.execute(sql)


def test_a_trail_that_holds_is_summed_up_in_two_lines(kessai, shop):
    result = kessai("audit", "verify", "--db", shop, "--lang", "en")
    assert result.code == 0
    first, second = result.out.splitlines()
    assert "Everything holds: transactions 1, events 6." in first
    assert second == "  begun 2 · denied 1 · reported 3"


def test_what_was_never_opened_is_counted_apart_wherever_it_is_counted(
    kessai, few, tmp_path
):
    more = few.read_text("utf-8").splitlines()[2].replace('"one"', '"never"')
    few.write_text(
        few.read_text("utf-8") + more.replace("k3", "k11").replace("T03", "T11")
    )
    opened = kessai("run", few, "--db", "few.db", "--json").json["transactions"]
    kessai("audit", "seal", "--new-key", "key")
    for command in (
        ("verify",),
        ("seal", "--key", "key", "--out", "s"),
        ("report", "--out", "r.html"),
    ):
        shown = kessai("audit", *command, "--db", "few.db", "--lang", "en")
        text = shown.out + shown.err
        assert f"transactions {opened}, events" in text
        assert "never opened, as it was denied: 2" in text
    counts = kessai("audit", "verify", "--db", "few.db", "--json").json
    assert (counts["trails"], counts["transactions"]) == (opened + 2, opened)


def test_a_foreign_object_is_no_transaction_wherever_it_is_shown(
    kessai, shop, tmp_path
):
    tamper(shop, "CREATE VIEW shown AS SELECT * FROM kessai_states")
    done = kessai("audit", "verify", "--db", shop, "--lang", "en")
    assert done.code == 5
    assert "Does not hold: 0 of 1 trails." in done.out
    assert "foreign objects in the database: 1" in done.out
    report = kessai("audit", "verify", "--db", shop, "--json").json
    (fault,) = report["faults"]["first"]
    assert (fault["object"], fault["code"]) == ("shown", "foreign_view")
    assert "transaction" not in fault
    for name in ("r.html", "r.csv"):
        form = name.partition(".")[2]
        kessai("audit", "report", "--db", shop, "--out", name, "--format", form)
        assert "shown" in (tmp_path / name).read_text("utf-8")


def test_json_has_the_counts(kessai, shop):
    result = kessai("audit", "verify", "--db", shop, "--json")
    assert result.code == 0
    report = result.json
    assert report["holds"] is True
    assert (report["transactions"], report["events"]) == (1, 6)
    assert report["kinds"] == {"begun": 2, "denied": 1, "reported": 3}
    assert report["faults"] == {"count": 0, "first": []}
    assert report["open_operations"]["count"] == 0


def test_a_tampered_trail_is_exit_code_5_and_names_the_event(kessai, shop):
    tamper(shop, "UPDATE kessai_events SET body = x'7b7d' WHERE number = 4")
    result = kessai("audit", "verify", "--db", shop, "--lang", "en")
    assert result.code == 5
    assert "A-1 event 4:" in result.out
    assert "Does not hold: 1 of 1 trails" in result.out
    report = kessai("audit", "verify", "--db", shop, "--json", "--lang", "ja").json
    (fault,) = report["faults"]["first"]
    assert (fault["transaction"], fault["event"]) == ("A-1", 4)
    assert fault["code"] == "record_broken"
    assert "記録" in fault["sentence"]


def test_many_faults_are_counted_and_the_first_are_shown(kessai, shop):
    for number in range(25):
        kessai("tx", "do", f"B-{number:02d}", "capture", "--db", shop)
    tamper(shop, "DELETE FROM kessai_events WHERE transaction_id LIKE 'B%'")
    result = kessai("audit", "verify", "--db", shop, "--lang", "en")
    assert result.code == 5
    assert "B-00: the transaction has no trail" in result.out
    assert "B-24" not in result.out
    assert "… and 5 more" in result.out


def test_open_operations_are_shown_and_are_no_faults(kessai, tmp_path, monkeypatch):
    db = tmp_path / "open.db"
    # Without the inquiry that follows a command, an opening command stays open.
    monkeypatch.setattr("kessai.cli.tx.do.resolved", lambda _wiring, answer: answer)
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1000)
    assert kessai("tx", "do", *order, "--db", db).code == 4
    result = kessai("audit", "verify", "--db", db, "--lang", "en")
    assert result.code == 0
    assert "Open operations: 1" in result.out
    assert "A-1: authorize, pending, since 20" in result.out
    assert (
        "未完了の処理: 1 件"
        in kessai("audit", "verify", "--db", db, "--lang", "ja").out
    )


def test_a_store_that_is_not_there_is_not_made(kessai, tmp_path):
    missing = tmp_path / "typo.db"
    assert kessai("audit", "verify", "--db", missing).code == 2
    assert list(tmp_path.iterdir()) == []
