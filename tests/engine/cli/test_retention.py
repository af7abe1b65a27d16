"""`forget` and `archive`: what they show, and what other commands show afterwards."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from kessai import SQLiteStore
from kessai.flow import Subscriber

WHY = ("--by", "sato", "--reason", "asked for")
GIFT = "for Ms Matsumoto"


@pytest.fixture
def kept(kessai, few):
    """Orders of 2024; `sub` and its charge `chg` have ended, and `one` had a note."""
    lines = few.read_text("utf-8").splitlines()
    first = {**json.loads(lines[0]), "parameters": {"note": GIFT}}
    few.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", "utf-8")
    kessai("run", str(few), "--db", "kessai.db")
    return kessai


def test_what_would_be_forgotten_is_shown_first(kept):
    shown = kept("forget", "one", "--dry-run", "--json").json
    assert shown["dry_run"]
    (one,) = shown["forgotten"]
    assert one == {"transaction": "one", "texts": {"1": ["note"]}, "event": None}
    assert "nothing was" in kept("forget", "one", "--dry-run", "--lang", "en").out
    assert kept("tx", "show", "one", "--events", "--json").json["version"] == 10


def test_what_was_forgotten_is_in_the_trail(kept):
    result = kept("forget", "one", *WHY, "--lang", "ja")
    assert result.code == 0
    assert "1 件の取引の文字列 1 件を消去しました。" in result.out
    *_, last = kept("tx", "show", "one", "--events", "--json").json["events"]
    assert (last["event"], last["stated"]) == ("forgotten", "1: asked for")
    verified = kept("audit", "verify", "--lang", "en")
    assert (verified.code, "forgotten 1" in verified.out) == (0, True)


def test_all_that_are_old_enough_are_forgotten_at_once(kept):
    assert (
        kept("forget", "--before", "2024-06-01", *WHY, "--json").json["forgotten"] == []
    )
    result = kept("forget", "--before", "2024-06-02", *WHY, "--json")
    assert [one["transaction"] for one in result.json["forgotten"]] == ["one"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("one",), "give --by NAME and --reason TEXT"),
        (WHY, "give the ids of transactions, or --before TIME"),
        (("one", "--before", "2024-06-02", *WHY), "give the ids of transactions"),
        (("nobody", *WHY), "there is no transaction 'nobody'"),
        (("--before", "June", *WHY), "--before 'June': neither a day"),
    ],
)
def test_a_forgetting_that_is_not_meant_so_is_refused(kept, given, message):
    result = kept("forget", *given)
    assert result.code == 2
    assert message in result.err


def test_an_archive_is_read_by_every_command_that_reads(kept):
    archive = ("archive", "--until", "2025-01-01", "--out", "old.db", "--by", "sato")
    none = kept(*archive, "--lang", "en")
    assert (none.code, none.out.split(":")[0]) == (0, "Nothing was archived")
    assert not Path("old.db").exists()
    also = ("--also", "partially_refunded")  # nothing is refunded any more
    moved = kept(*archive, *also, "--json")
    assert (moved.code, moved.json["archived"], moved.json["unread"]) == (0, 1, 0)
    for db, names in (("kessai.db", {"sub", "chg"}), ("old.db", {"one"})):
        listed = kept("tx", "list", "--db", db, "--json").json["transactions"]
        assert {each["transaction"] for each in listed} == names
        assert kept("audit", "verify", "--db", db).code == 0
        assert kept("audit", "report", "--db", db, "--json").code == 0
        assert kept("export", "movements", "--db", db).code == 0
        assert kept("export", "events", "--db", db).code == 0
        assert kept("events", "follow", "--db", db, "--once", "--json").code == 0
    shown = kept("tx", "show", "one", "--events", "--db", "old.db", "--json").json
    assert shown["events"][-1]["stated"] == "old.db: sato"
    refused = kept("tx", "show", "one")
    assert refused.code == 2
    assert "one: is archived, in old.db" in refused.err
    again = kept(*archive, "--json")
    assert (again.code, again.json["archived"]) == (0, 0)


def test_a_file_of_commands_is_done_though_what_it_names_was_archived(kept, few):
    archive = ("archive", "--until", "2025-01-01", "--out", "old.db", "--by", "sato")
    kept(*archive, "--also", "partially_refunded")
    again = kept("run", str(few), "--db", "kessai.db", "--json")
    assert again.code == 0
    assert again.json["archived.authorize"] == 1
    assert "Archived" in kept("run", str(few), "--lang", "en").out


def test_a_state_that_nothing_can_be_in_is_no_end(kept):
    archive = ("archive", "--until", "2025-01-01", "--out", "old.db", "--by", "sato")
    result = kept(*archive, "--also", "capturd")
    assert result.code == 2
    assert "--also 'capturd': did you mean 'captured'?" in result.err


def test_what_holds_up_an_archiving_is_named(kept):
    """Somebody once followed the feed under a name, and never came back."""
    with closing(SQLiteStore("kessai.db")) as store:
        store.advance(Subscriber(name="mial", position="", version=1))
    archive = ("archive", "--until", "2025-01-01", "--out", "old.db", "--by", "sato")
    also = ("--also", "partially_refunded")
    shown = kept(*archive, *also, "--lang", "en")
    assert (shown.code, "1 stay: subscribers" in shown.out) == (0, True)
    assert "mial (--ignore NAME)" in shown.out
    assert kept(*archive, *also, "--ignore", "mial", "--json").json["archived"] == 1
