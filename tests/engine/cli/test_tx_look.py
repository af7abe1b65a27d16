"""Looking at transactions and asking what is possible, after a small run of orders."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest


@pytest.fixture
def done(kessai, few, database):
    """The store after the small file was carried out."""
    assert kessai("run", few, "--db", database.path).code == 0
    return database.path


def ids(result):
    return [transaction["transaction"] for transaction in result.json["transactions"]]


def words(result):
    return [" ".join(line.split()) for line in result.out.splitlines()]


def test_list_shows_all_that_came_to_be_what_changed_last_first(kessai, done):
    result = kessai("tx", "list", "--db", done, "--json")

    assert ids(result) == ["sub", "chg", "one"]
    assert result.json["cursor"] is None
    assert ids(kessai("tx", "list", "--by", "opened", "--db", done, "--json")) == [
        "chg",
        "sub",
        "one",
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--state", "cancelled"), ["chg"]),
        (("--state", "consent.terminated"), ["sub"]),
        (("--state", "payment.expired"), []),
        (("--lifecycle", "one_time"), ["one"]),
        (("--lifecycle", "one_time", "--state", "cancelled"), []),
        (("--state", "cancelled", "--state", "partially_refunded"), ["chg", "one"]),
        (("--open",), []),
        (("--discrepancy",), []),
        (("--reference", "unheard-of"), []),
        (("--until", "2024-06-01"), []),
        (("--until", "2024-06-01T17:00", "--timezone", "Asia/Tokyo"), ["one"]),
    ],
)
def test_list_shows_only_what_is_asked_for(kessai, done, options, found):
    assert ids(kessai("tx", "list", *options, "--db", done, "--json")) == found


def test_list_says_when_there_is_more_than_its_limit(kessai, done):
    limited = kessai("tx", "list", "--limit", 2, "--db", done, "--json")
    assert ids(limited) == ["sub", "chg"]
    after = limited.json["cursor"]
    rest = kessai("tx", "list", "--after", after, "--db", done, "--json")
    assert ids(rest) == ["one"]
    assert rest.json["cursor"] is None

    shown = kessai("tx", "list", "--limit", 2, "--db", done, "--lang", "en")
    assert f"There are more; go on with --after {after}" in shown.out


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--after", "x"), "after: "),
        (("--until", "2024-06-01", "--since", "2024-06-01"), "--until 2024-06-01: "),
        (("--since", "june"), "--since 'june'"),
    ],
)
def test_list_refuses_what_cannot_be_asked_for(kessai, done, options, named):
    refused = kessai("tx", "list", *options, "--db", done)
    assert (refused.code, named in refused.err) == (2, True)


def test_list_for_people_shows_states_and_amounts_in_their_language(kessai, done):
    english = words(kessai("tx", "list", "--db", done, "--lang", "en"))
    row = "one one-time payment partially refunded 1,000 JPY 900 JPY 200 JPY"
    assert row in english

    japanese = words(kessai("tx", "list", "--db", done, "--lang", "ja"))
    assert "one 都度決済 一部返金済 1,000 JPY 900 JPY 200 JPY" in japanese


def test_list_without_any_says_so(kessai, done):
    result = kessai("tx", "list", "--state", "expired", "--db", done, "--lang", "en")

    assert result.out == "There are none.\n"


def test_totals_add_up_what_moved_on_each_day_or_month(kessai, done):
    asked = ("tx", "totals", "--db", done, "--timezone", "Asia/Tokyo")
    found = kessai(*asked, "--by", "month", "--json").json["totals"]
    sums = {total["amount_name"]: total["change"] for total in found}
    assert (sums["captured"], sums["refunded"]) == (900, 200)
    assert {total["span"] for total in found} == {"2024-06"}
    shown = words(kessai(*asked, "--lang", "en"))
    assert "2024-06-01 captured JPY 1 900" in shown
    none = kessai(*asked, "--until", "2024-06-01", "--lang", "en")
    assert none.out == "No money moved.\n"


def test_show_shows_how_a_transaction_stands(kessai, done):
    result = kessai("tx", "show", "one", "--db", done, "--json").json

    assert result["states"] == {"payment": "partially_refunded"}
    assert result["amounts"]["captured"] == 900
    assert result["amounts"]["refunded"] == 200
    assert result["operations"] == result["discrepancies"] == []
    assert "events" not in result


def test_show_lists_the_trail_event_by_event(kessai, done):
    events = kessai("tx", "show", "one", "--events", "--db", done, "--json").json[
        "events"
    ]

    rows = [(e["event"], e["command"], e.get("stated")) for e in events]
    assert rows == [
        ("begun", "authorize", None),
        ("reported", "authorize", "pending"),
        ("reported", "authorize", "succeeded"),
        ("begun", "capture", None),
        ("reported", "capture", "succeeded"),
        ("begun", "refund", None),
        ("reported", "refund", "succeeded"),
        ("begun", "refund", None),
        ("reported", "refund", "succeeded"),
        ("denied", "refund", "amount_above_maximum"),
    ]
    assert events[3]["rule"] == "O2, R3, F3"
    assert events[4]["source"] == "reply"
    assert events[4]["code"].startswith("A001")
    assert events[9]["amount"] == 5000
    assert events[9]["at"] == "2024-06-01T07:00:00Z"


def test_show_for_people_has_amounts_with_currency_and_the_trail(kessai, done):
    shown = words(kessai("tx", "show", "one", "--events", "--db", done, "--lang", "en"))

    assert "captured 900 JPY" in shown
    assert any(
        line.startswith("4 2024-06-01 03:00:00 begun capture 900 JPY O2, R3, F3")
        for line in shown
    )


def test_the_trail_explains_the_rules_that_it_names(kessai, done):
    asked = ("tx", "show", "one", "--events", "--db", done, "--lang", "en")
    rules = kessai(*asked, "--json").json["rules"]

    assert rules["O2"].startswith("A capture takes any amount up to the authorized one")
    assert {"O1", "F1", "O2", "R3", "F3", "O4"} <= set(rules)
    shown = words(kessai(*asked))
    assert "Rule What it says" in shown[shown.index("Rules") :]
    assert any(line.startswith("R3 A payment under a consent") for line in shown)


def test_can_explains_once_the_rules_that_deny(kessai, done):
    shown = words(kessai("tx", "can", "one", "--db", done, "--lang", "en"))

    explained = [
        line for line in shown if line.startswith("O3 A cancel is possible before")
    ]
    assert len(explained) == 1
    assert shown.index(explained[0]) > shown.index("Rules")


def test_show_of_what_was_always_refused_says_that_it_never_came_to_be(kessai, done):
    shown = kessai("tx", "show", "chg2", "--events", "--db", done, "--lang", "en")

    assert shown.code == 0
    assert "It was never opened" in shown.out
    assert "not_allowed" not in shown.out
    assert "opening command" not in shown.out
    assert "A charge under sub is" in shown.out


@pytest.mark.parametrize("asked", ["can", "diagram"])
def test_what_was_never_opened_can_be_asked_nothing_but_is_known(kessai, done, asked):
    refused = kessai("tx", asked, "chg2", "--db", done)
    assert refused.code == 2
    assert refused.err == "kessai: transaction 'chg2' was never opened\n"


def test_show_of_a_bent_trail_fails_as_an_audit_does(kessai, done):
    with closing(sqlite3.connect(done)) as connection, connection:
        connection.execute(
            "UPDATE kessai_events SET body = CAST(replace(body, '900', '901') AS BLOB)"
            " WHERE transaction_id = 'one' AND number = 4"
        )

    assert kessai("tx", "show", "one", "--events", "--db", done).code == 5


def test_show_names_what_is_open_and_since_when(kessai, few, database, monkeypatch):
    from kessai_adapters.veritrans4g.local import LocalGateway

    make = LocalGateway.__init__
    monkeypatch.setattr(
        LocalGateway,
        "__init__",
        lambda self, **options: make(self, **options | {"approve": "ask"}),
    )
    kessai("run", few, "--db", database.path)

    shown = words(kessai("tx", "show", "one", "--db", database.path, "--lang", "en"))

    assert "Open operations" in shown
    assert "one.1 authorize 1,000 JPY pending 2024-06-01 01:00:00 UTC k1" in shown


@pytest.mark.parametrize("command", ["show", "can"])
def test_a_transaction_that_is_not_there_is_reported_and_exits_2(kessai, done, command):
    result = kessai("tx", command, "nobody", "--db", done)

    assert result.code == 2
    assert "there is no transaction 'nobody'" in result.err
    assert result.out == ""


@pytest.mark.parametrize("command", [("list",), ("show", "one"), ("can", "one")])
def test_looking_at_a_store_that_is_not_there_does_not_make_it(
    kessai, tmp_path, command
):
    path = tmp_path / "misspelt.db"

    result = kessai("tx", *command, "--db", path)

    assert result.code == 2
    assert f"{path}: there is no store" in result.err
    assert not path.exists()


def test_looking_needs_no_gateway_and_leaves_its_books_alone(kessai, done):
    books = done.with_name("orders.db.gateway")
    books.unlink()

    for command in (("list",), ("show", "one", "--events"), ("can", "one")):
        assert kessai("tx", *command, "--db", done).code == 0

    assert not books.exists()


def possibilities(result):
    return {p["command"]: p for p in result.json["commands"]}


def test_can_lists_every_command_with_its_exact_bounds_or_every_reason(kessai, done):
    result = kessai("tx", "can", "one", "--db", done, "--json", "--lang", "en")

    commands = possibilities(result)
    assert result.code == 0
    bounds = {"minimum": 1, "maximum": 700, "default": 700}
    assert commands["refund"] == {
        "command": "refund",
        "allowed": True,
        "bounds": bounds,
        "unclaimed": [],
        "reasons": [],
        "rules": {},
    }
    assert commands["capture"]["allowed"] is False
    assert [r["code"] for r in commands["authorize"]["reasons"]] == [
        "transaction_exists"
    ]
    assert set(commands) == {
        *("authorize", "capture", "cancel", "refund"),
        *("get_address", "update_authorization"),
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("refund",), 0),
        (("refund", "--amount", "700"), 0),
        (("refund", "--amount", "701"), 3),
        (("refund", "--amount", "0"), 3),
        (("cancel", "--amount", "5"), 3),
        (("terminate",), 3),
        (("terminate", "--amount", "5"), 3),
    ],
)
def test_the_exit_code_answers_whether_the_command_is_allowed(
    kessai, done, asked, code
):
    assert kessai("tx", "can", "one", *asked, "--db", done).code == code


def test_can_takes_as_given_what_only_the_caller_can_know(kessai, done, tmp_path):
    path = tmp_path / "sub.jsonl"
    path.write_text(
        '{"at":"2024-06-01T11:00:00Z","command":"authorize","transaction":"sub2",'
        '"lifecycle":"recurring","amount":500,"key":"s",'
        '"frequency":{"unit":"Month","value":1}}'
    )
    kessai("run", path, "--db", done)

    assert kessai("tx", "can", "sub2", "update_consent", "--db", done).code == 0
    asked = ("update_consent", "--amount", "100000")
    assert kessai("tx", "can", "sub2", *asked, "--db", done).code == 0
    asked = ("update_consent", "--amount", "100001")
    assert kessai("tx", "can", "sub2", *asked, "--db", done).code == 3


def test_can_for_people_gives_the_sentence_the_code_and_the_rule(kessai, done):
    asked = ("tx", "can", "one", "refund", "--amount", "5000", "--db", done)

    english = kessai(*asked, "--lang", "en").out
    assert "The amount 5,000 JPY is above the largest possible, 700 JPY." in english
    assert "[amount_above_maximum, O4]" in english
    assert (
        "金額 5,000 JPY は上限 700 JPY を超えています。"
        in kessai(*asked, "--lang", "ja").out
    )


def test_a_word_that_is_no_command_is_a_usage_error_that_names_those_there_are(
    kessai, done
):
    result = kessai("tx", "can", "one", "fly", "--db", done)

    assert result.code == 2
    assert "'fly' is not a command; known are authorize, cancel" in result.err


@pytest.mark.parametrize("language", ["en", "ja"])
def test_tables_fold_on_a_narrow_terminal_that_knows_only_ascii(done, language):
    for command in (("list",), ("show", "one", "--events"), ("can", "one")):
        shown = subprocess.run(
            (
                *(sys.executable, "-m", "kessai", "tx", *command),
                *("--db", str(done), "--lang", language),
            ),
            capture_output=True,
            check=False,
            env=os.environ
            | {"COLUMNS": "40", "LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"},
        )

        assert shown.returncode == 0
        assert shown.stdout.isascii()
        assert b"Traceback" not in shown.stderr
