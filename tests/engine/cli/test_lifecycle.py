"""`kessai lifecycle`: the declared rules listed, drawn and checked."""

import json
import os
import shutil
import subprocess
import sys
from importlib import resources

import pytest

from kessai import load_shipped, shipped_names

SHIPPED = shipped_names()

MISTAKEN = """\
include = ["shared/payment.toml", "shared/parameters.toml"]

[lifecycle]
name     = "shop"
title    = { en = "shop", ja = "店" }
source   = "a test"
currencies = ["JPY"]

[commands.authorize]
title  = { en = "authorize", ja = "申込" }
rule   = "O1"
opens  = [{ track = "payment" }]
amount = { min = "1", max = "lots", rule = "O1" }
moves  = [
  { from = "payment.requested", to = "payment.autorized", rule = "O1" },
]

[deadlines.authorization]
starts = ["authorize"]
denies = ["capture"]
"""


@pytest.fixture
def mistaken(tmp_path):
    """A lifecycle with an unknown name in line 13 and an unknown state in line 15."""
    path = tmp_path / "shop.toml"
    path.write_text(MISTAKEN, "utf-8")
    return path


@pytest.fixture
def own(tmp_path):
    """A copy of a shipped lifecycle with what it includes."""
    folder = tmp_path / "own"
    shutil.copytree(str(resources.files("kessai_specs")), folder)
    return folder / "one_time.toml"


def test_the_shipped_lifecycles_are_listed_in_both_languages(kessai):
    english = kessai("lifecycle", "list", "--lang", "en")
    japanese = kessai("lifecycle", "list", "--lang", "ja")
    assert english.code == japanese.code == 0
    assert "one-time payment" in english.out
    assert "都度決済" in japanese.out
    listed = kessai("lifecycle", "list", "--json").json
    assert tuple(each["name"] for each in listed) == SHIPPED
    named = {each["name"]: each for each in listed}
    assert named["one_time"]["hash"] == load_shipped("one_time").hash
    assert named["recurring"]["tracks"]["consent"] == [
        "requested",
        "consented",
        "terminated",
        "failed",
    ]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("md", "# "),
        ("mermaid", "---\ntitle:"),
        ("dot", "digraph"),
        ("svg", "<"),
        ("json", "{"),
    ],
)
def test_a_lifecycle_is_drawn_in_every_format(kessai, name, form, begins):
    result = kessai("lifecycle", "show", name, "--format", form)
    assert result.code == 0
    assert result.out.startswith(begins)
    assert result.out.endswith("\n")
    assert not result.out.endswith("\n\n")


def test_a_lifecycle_is_shown_as_tables_unless_asked_otherwise(kessai):
    assert kessai("lifecycle", "show", "charge").out.startswith("# ")
    assert kessai("lifecycle", "show", "charge", "--json").json
    shown = kessai("lifecycle", "show", "charge", "--lang", "ja").out
    assert "再与信" in shown


def test_a_file_of_ones_own_is_shown_by_its_path(kessai, own):
    shown = kessai("lifecycle", "show", own, "--format", "mermaid", "--lang", "en")
    shipped = kessai(
        "lifecycle", "show", "one_time", "--format", "mermaid", "--lang", "en"
    )
    assert shown == shipped


def test_an_unknown_name_is_answered_with_those_that_are_known(kessai):
    result = kessai("lifecycle", "show", "twice")
    assert result.code == 2
    assert ", ".join(SHIPPED) in result.err
    assert result.out == ""


def test_each_rule_code_is_listed_with_its_sentence_and_its_source(kessai):
    listed = kessai("lifecycle", "rules", "--json", "--lang", "en").json
    rules = {rule["code"]: rule for rule in listed}
    assert {"R9", "F10", "limit orderId", "C1"} <= set(rules)
    capture = rules["O2"]
    assert "once per transaction" in capture["sentence"]
    assert capture["source"].startswith("one-time, capture")
    assert capture["lifecycles"] == ["charge", "one_time", "recurring"]
    shown = kessai("lifecycle", "rules", "recurring", "--lang", "ja").out
    assert "解約により承諾は終了し" in shown
    assert "limit amount one-time" not in shown


def test_a_file_without_sentences_has_its_codes_listed(kessai, own):
    text = own.read_text("utf-8").replace(', "shared/rules.toml"', "")
    own.write_text(text.replace(', "shared/limits.toml"', ""), "utf-8")
    listed = kessai("lifecycle", "rules", own, "--json").json
    assert {"O2", "F10"} <= {rule["code"] for rule in listed}
    assert {rule["sentence"] for rule in listed} == {""}


def test_the_page_of_a_lifecycle_explains_its_rules(kessai):
    page = kessai("lifecycle", "show", "one_time", "--lang", "en").out
    rules = page[page.index("## Rules") :]
    assert "| O3 | A cancel is possible before the capture only" in rules


def test_a_file_that_is_not_there_is_no_name(kessai, tmp_path):
    for command in ("show", "check"):
        result = kessai("lifecycle", command, tmp_path / "none.toml")
        assert result.code == 2
        assert "none.toml" in result.err


def test_a_fine_file_is_reported_in_a_line(kessai, own):
    result = kessai("lifecycle", "check", own, "--lang", "en")
    assert result.code == 0
    assert result.out == f"{own}: one_time: 6 commands, no mistakes\n"
    assert "誤りはありません" in kessai("lifecycle", "check", own, "--lang", "ja").out
    checked = kessai("lifecycle", "check", own, "--json").json
    assert checked["mistakes"] == []
    assert checked["name"] == "one_time"


def test_every_mistake_is_on_a_line_of_its_own_with_its_place(kessai, mistaken):
    result = kessai("lifecycle", "check", mistaken, "--lang", "en")
    assert result.code == 2
    *mistakes, total = result.out.splitlines()
    assert total == f"{len(mistakes)} mistakes"
    own = [m for m in mistakes if m.startswith(str(mistaken))]
    assert own[0].startswith(f"{mistaken}:13: [commands.authorize.amount.max] ")
    assert own[1].startswith(f"{mistaken}:15: [commands.authorize.moves[0].to] ")
    # What follows from them in an included file is placed there.
    assert any(m.startswith("shared/payment.toml:") for m in mistakes)
    assert "誤り" in kessai("lifecycle", "check", mistaken, "--lang", "ja").out


def test_mistakes_as_data(kessai, mistaken):
    result = kessai("lifecycle", "check", mistaken, "--json")
    assert result.code == 2
    by_place = {(m["file"], m["line"]): m for m in result.json["mistakes"]}
    mistake = by_place[str(mistaken), 13]
    assert mistake["path"] == "commands.authorize.amount.max"
    assert "lots" in mistake["message"]


def test_one_mistake_is_not_many(kessai, tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[lifecycle\n", "utf-8")
    result = kessai("lifecycle", "check", path, "--lang", "en")
    assert result.code == 2
    assert result.out.startswith(f"{path}:1: not TOML")
    assert result.out.splitlines()[-1] == "1 mistake"


@pytest.mark.parametrize("name", SHIPPED)
def test_output_is_utf_8_whatever_the_locale(name):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    show = ("lifecycle", "show", name, "--format", "json", "--lang", "ja")
    drawn = subprocess.run(
        [sys.executable, "-m", "kessai", *show],
        env={**os.environ, **plain},
        capture_output=True,
        check=True,
    )
    assert json.loads(drawn.stdout.decode("utf-8"))
    assert "決済" in drawn.stdout.decode("utf-8")
