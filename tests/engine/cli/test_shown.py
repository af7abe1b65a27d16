"""What is shown: in a few columns, in Japanese, to programs, and of hostile texts."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import Command, Engine, SQLiteStore
from kessai.cli.terminal.columns import width_of
from kessai.cli.terminal.tables import print_table
from kessai.diagram import render
from kessai.spec import Text, load_shipped
from kessai.words import printable
from kessai_adapters.veritrans4g.local import LocalGateway

AN_ORDER = ("authorize", "--lifecycle", "one_time", "--amount", 12_000)
BY_HAND = ("--evidence", "seen in the portal", "--actor", "sato")
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251
HOSTILE = "\x1b[2J\x1b]0;owned\x07paid\u202e gnp\u2066\u200f\x9b1m"


@pytest.fixture
def order(kessai):
    """An order that was captured in part, and of which too much was to be refunded."""
    assert kessai("tx", "do", "order", *AN_ORDER).code == 0
    assert kessai("tx", "do", "order", "capture", "--amount", 9_800).code == 0
    assert kessai("tx", "do", "order", "refund", "--amount", 20_000).code == 3


@pytest.fixture
def waiting(tmp_path):
    """An order whose capture is open, with a gateway that does not answer."""
    local = LocalGateway(
        clock=lambda: AN_HOUR_AGO, books=tmp_path / "kessai.db.gateway"
    )
    with Engine(
        adapters=[local.adapter],
        store=SQLiteStore(tmp_path / "kessai.db"),
        transport=local.transport,
        clock=lambda: AN_HOUR_AGO,
    ) as engine:
        about = {"lifecycle": "one_time", "amount": 12_000}
        engine.execute(Command("authorize", "waits", key="a", **about))
        engine.recover_transaction("waits")
        local.emulator.misbehave("lose_reply", command="Capture")
        engine.execute(Command("capture", "waits", key="c", amount=9_800))
    local.close()


def test_times_say_their_zone(kessai, order):
    shown = kessai("tx", "show", "order", "--lang", "en").out
    assert "Deadline" not in shown  # it was captured
    assert kessai("tx", "do", "fresh", *AN_ORDER).code == 0
    fresh = kessai("tx", "show", "fresh", "--lang", "en").out
    assert re.search(r"Deadline \(authorization\) +\S+ \S+ UTC", fresh)


def test_a_narrow_table_folds_no_word(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    words = ["no_connection", "a re-authorization", "abandonments"]
    print_table("", ["What", "Which", "Seen"], [words])
    shown = capsys.readouterr().out
    assert all(word in shown for word in words)
    assert all(width_of(line) <= 40 for line in shown.splitlines())


def test_longer_cells_give_way_before_any_word_does(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "46")
    print_table("", ["Transaction", "Lifecycle"], [["1", "a payment, " * 9]])
    shown = capsys.readouterr().out
    assert "  Transaction   Lifecycle " in shown
    assert "  1             a payment, a payment, a " in shown


def test_a_terminal_shows_headings_in_bold(order, tmp_path, on_terminal):
    seen = on_terminal("tx", "list", "--lang", "en", cwd=tmp_path).seen.decode()
    headings, *rows = seen[seen.index("\x1b[1m") :].splitlines()
    assert headings.endswith("\x1b[0m")
    assert not any("\x1b" in row for row in rows)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("asked", [("list",), ("show", "order", "--events")])
def test_in_forty_columns_every_word_and_amount_stays_whole(
    kessai, order, monkeypatch, language, asked
):
    wide = kessai("tx", *asked, "--lang", language).out
    monkeypatch.setenv("COLUMNS", "40")
    narrow = kessai("tx", *asked, "--lang", language).out
    assert all(width_of(line) <= 40 for line in narrow.splitlines())
    for whole in ("order", "12,000 JPY", "9,800 JPY"):
        assert whole in wide
        assert whole in narrow
    if language == "en":
        lost = {word for word in wide.split() if word not in narrow.split()}
        # A list has no line for what a transaction does not have.
        assert {word for word in lost if word.isalpha()} <= {"Open"}


def test_states_and_outcomes_are_japanese_where_japanese_is_asked_for(
    kessai, order, waiting
):
    shown = [
        kessai(*asked, "--lang", "ja").out
        for asked in (
            ("tx", "list"),
            ("tx", "show", "order", "--events"),
            ("audit", "verify"),
            ("tx", "show", "waits", "--events"),
            ("recover",),
            ("reconcile",),
            ("sweep",),
        )
    ]
    english = ("captured", "authorized", "succeeded", "pending", "unknown", "begun")
    english += ("not_allowed", "above_maximum", "reply", "inquiry", "payment.")
    for text in shown:
        assert not [word for word in english if word in text]
    assert "20,000" in shown[1]
    assert "上限" in shown[1]


def test_what_is_recovered_and_reconciled_is_shown_by_titles_and_with_currencies(
    kessai, waiting
):
    recovered = kessai("reconcile", "--lang", "ja").out
    row = next(line for line in recovered.splitlines() if "waits" in line)
    assert ("売上" in row, "9,800 JPY" in row) == (True, True)


def test_an_operators_name_is_a_field_of_its_own(kessai, waiting):
    (operation,) = kessai("tx", "show", "waits", "--json").json["operations"]
    asked = ("tx", "resolve", "waits", operation["operation"], "succeeded", *BY_HAND)
    assert kessai(*asked).code == 0
    *_, event = kessai("tx", "show", "waits", "--events", "--json").json["events"]
    assert (event["source"], event["actor"]) == ("operator", "sato")
    assert "code" not in event
    shown = kessai("tx", "show", "waits", "--events", "--lang", "ja").out
    assert "担当者 sato" in " ".join(shown.split())


def test_a_report_is_json_where_json_is_asked_for(kessai, order):
    at = ("--at", "2030-01-01T00:00:00Z")
    by_format = kessai("audit", "report", "--format", "json", *at)
    assert kessai("audit", "report", "--json", *at).out == by_format.out
    assert by_format.json
    both = kessai("audit", "report", "--json", "--format", "csv")
    assert (both.code, "--json: csv is asked for, too" in both.err) == (2, True)


@pytest.mark.parametrize(
    ("asked", "kind", "code"),
    [
        (("tx", "show", "nobody"), "UnknownTransaction", 2),
        (("tx", "show", "order", "--db", "none.db"), "StoreMissing", 2),
        (("tx", "do", "order", "capture", "--amount", "1.5"), "Usage", 2),
        (("tx", "do", "order", "captur"), "Usage", 2),
        (("tx", "show"), "Usage", 2),
        (("recover", "--gateway", "none"), "AdapterMissing", 2),
        (("lifecycle", "show", "none"), "UnknownLifecycle", 2),
    ],
)
def test_an_error_is_json_where_json_is_asked_for(kessai, order, asked, kind, code):
    refused = kessai(*asked, "--json")
    error = refused.json["error"]
    assert (refused.code, error["exit_code"], error["kind"]) == (code, code, kind)
    assert error["may_send_again"] is False
    assert error["message"].splitlines()[0] in refused.err
    assert kessai(*asked).out == ""


def test_a_trail_that_is_bent_and_a_file_with_mistakes_are_json_errors(
    kessai, order, tmp_path
):
    with closing(sqlite3.connect(tmp_path / "kessai.db")) as store, store:
        store.execute("UPDATE kessai_events SET hash = 'no' WHERE number = 2")
    bent = kessai("tx", "show", "order", "--events", "--json")
    assert (bent.code, bent.json["error"]["kind"]) == (5, "TrailBroken")
    (tmp_path / "commands.jsonl").write_text("{}")
    wrong = kessai("run", "commands.jsonl", "--db", "memory:", "--json")
    assert wrong.json["error"]["kind"] == "InvalidCommandFile"
    assert wrong.err.startswith("commands.jsonl:1:1: the field 'at' is missing")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("audt",), "audit"),
        (("recncile",), "reconcile"),
        (("tx", "lst"), "list"),
        (("audit", "verfy"), "verify"),
        (("lifecycle", "shw"), "show"),
    ],
)
def test_a_misspelt_command_is_answered_with_what_may_be_meant(kessai, typed, meant):
    refused = kessai(*typed)
    assert refused.code == 2
    assert f"Did you mean '{meant}'?" in refused.err


def test_an_id_may_begin_with_a_dash(kessai):
    assert kessai("tx", "do", *AN_ORDER[1:], "--", "-1", "authorize").code == 0
    shown = kessai("tx", "show", "--json", "--", "-1")
    assert shown.json["transaction"] == "-1"
    assert kessai("reconcile", "--", "-1").code == 0
    assert kessai("tx", "diagram", "--out", "-1.svg", "--", "-1").code == 0
    for asked in (("tx", "show", "-1"), ("tx", "can", "-1"), ("reconcile", "-1")):
        refused = kessai(*asked)
        assert refused.code == 2
        assert "An id that begins with - stands behind --" in refused.err


def test_what_nobody_could_see_is_replaced_and_what_one_reads_is_not():
    assert printable(HOSTILE).isprintable()
    assert (
        printable("東京都　港区\u00a0نمی\u200cخواهم")
        == "東京都　港区\u00a0نمی\u200cخواهم"
    )
    for kept in ("決済 ok", "👩\u200d👧", "Zoë"):
        assert printable(kept) == kept


def is_plain(text):
    """Whether a terminal and a reader only see characters, and the ends of lines."""
    return all(printable(line) == line for line in text.split("\n"))


def test_hostile_texts_of_a_store_move_no_terminal(kessai, order, tmp_path):
    with closing(sqlite3.connect(tmp_path / "kessai.db")) as store, store:
        store.execute("UPDATE kessai_states SET account = ?", (HOSTILE,))
    for asked in (("tx", "list"), ("audit", "verify"), ("recover",), ("sweep",)):
        shown = kessai(*asked, "--lang", "en")
        assert is_plain(shown.out), asked
        assert is_plain(shown.err), asked


def test_hostile_titles_of_a_lifecycle_move_no_terminal_and_no_reader(kessai, tmp_path):
    shipped = load_shipped("one_time")
    title = Text(en=HOSTILE, ja=HOSTILE)
    lifecycle = attrs.evolve(
        shipped,
        title=title,
        source=HOSTILE,
        tracks={
            name: attrs.evolve(
                track, title=title, states=dict.fromkeys(track.states, title)
            )
            for name, track in shipped.tracks.items()
        },
    )
    for form in ("markdown", "mermaid", "dot"):
        assert is_plain(render(lifecycle, form)), form
    refused = kessai("lifecycle", "check", f"{HOSTILE}.toml")
    assert refused.code == 2
    assert is_plain(refused.err)


def test_hostile_texts_move_no_terminal_that_has_colours(tmp_path, on_terminal):
    """The colours are kessai's own; whatever else would act on a terminal is replaced."""
    log = tmp_path / "log.csv"
    log.write_text(f"order,event,amount,time\n{HOSTILE},capture,1,2024-01-01\n")
    command = ("audit", "check", str(log), "--lifecycle", "one_time", "--any-id")
    ran = on_terminal(*command, "--details")
    assert ran.code in {2, 5}
    seen = ran.seen
    assert b"\x1b[1m" in seen
    for acts in (b"\x1b[2J", b"\x1b]0", b"\x07", "\u202e".encode(), "\u2066".encode()):
        assert acts not in seen
