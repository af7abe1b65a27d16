"""`kessai prove` as a person meets it: proofs, stories, bad files, both languages."""

import subprocess
import sys
from pathlib import Path

import pytest

CARDS = Path(__file__).with_name("cards.toml")
OPEN = "authorized - captured - capturing"
IN_FLIGHT = (f'max = "{OPEN}", default = "{OPEN}"', 'max = "authorized - captured"')
BOTH = pytest.mark.parametrize("language", ["en", "ja"])


def test_without_a_name_all_shipped_lifecycles_are_proved(kessai, monkeypatch):
    """All of them are in `test_prove_shipped.py`; here three stand for the others."""
    three = ("charge", "one_time", "saved_card")
    monkeypatch.setattr("kessai.cli.prove.command.shipped_names", lambda: three)
    result = kessai("prove", "--lang", "en")
    assert result.code == 0
    assert result.err == ""
    for name in three:
        assert f"\n{name}" in f"\n{result.out}"
    assert "✗" not in result.out
    assert "captured_within_authorized (O2)" in result.out


@BOTH
def test_a_lifecycle_of_ones_own_is_named_by_its_path(kessai, language):
    result = kessai("prove", CARDS, "--stories", "--lang", language)
    assert result.code == 0
    assert "payment.partially_captured: authorize 100 → capture 30" in result.out


@BOTH
def test_a_wrong_file_ends_with_the_story_that_loses_money(kessai, planted, language):
    path = planted("cards", IN_FLIGHT)
    result = kessai("prove", path, "--lang", language)
    assert result.code == 5
    assert "captured + capturing + released <= authorized" in result.out
    assert "1.00 USD" in result.out
    assert "invariant_broken" not in result.out
    sentence = {"en": "an invariant would be broken", "ja": "不変条件に反する"}
    assert sentence[language] in result.out
    assert "replay.begins(" in result.out
    assert "assert replay.wrong == ()" in result.out


def test_what_rests_upon_a_broken_invariant_is_reported_in_one_line(kessai, planted):
    result = kessai("prove", planted("cards", IN_FLIGHT), "--lang", "en")
    [line] = [x for x in result.out.splitlines() if "rests upon" in x]
    assert "capture, open together, can both succeed" in line


def test_a_program_gets_every_property_with_its_verdict_and_story(kessai, planted):
    result = kessai("prove", planted("cards", IN_FLIGHT), "--json")
    assert result.code == 5
    [found] = result.json["lifecycles"]
    assert found["holds"] is False
    refuted = [p for p in found["properties"] if p["verdict"] == "refuted"]
    [broken] = [p for p in refuted if p["property"] == "invariant"]
    assert broken["subject"] == "captured_within_authorized"
    assert broken["rule"] == "C2"
    assert broken["story"][-1]["refused"] == ["invariant_broken"]
    assert "def test_invariant_captured_within_authorized" in broken["test"]


def test_each_rule_is_left_out_and_missed_or_redundant(kessai):
    result = kessai("prove", "charge", "--ablation", "--lang", "ja")
    assert result.code == 0
    assert "refund: 上限 captured - refunded - refunding" in result.out
    assert "ストーリーにより反証" in result.out


def test_leaving_out_is_reported_to_programs_too(kessai):
    [found] = kessai("prove", "charge", "--ablation", "--json").json["lifecycles"]
    parts = found["ablation"]["parts"]
    assert all(part["story"] or part["reason"] for part in parts)
    assert {part["reason"] for part in parts} >= {
        None,
        "never_meet",
        "unneeded",
        "time",
    }


def test_nothing_is_left_out_of_what_is_not_proved(kessai, planted):
    result = kessai("prove", planted("cards", IN_FLIGHT), "--ablation", "--lang", "en")
    assert result.code == 5
    assert "left out only of what is proved" in result.out


def test_what_is_neither_proved_nor_refuted_says_where_the_proof_fails(kessai, planted):
    """Sums without end: a limit that no short story reaches."""
    path = planted(
        "cards",
        (
            'holds = "refunded + refunding <= captured"',
            'holds = "refunded + refunding <= captured and refunded * 3 != 111_111"',
        ),
    )
    result = kessai("prove", path, "--lang", "en")
    assert result.code == 4
    assert "Not proved" in result.out
    assert "111_111" in result.out
    assert "refunded 37037" in result.out


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("none.toml", None, "none.toml"),
        ("empty.toml", "", "empty.toml"),
        ("odd.toml", "commands = 3", "odd.toml"),
    ],
)
def test_a_file_with_mistakes_is_bad_input(kessai, tmp_path, name, text, shown):
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    result = kessai("prove", name)
    assert result.code == 2
    assert shown in result.err
    assert "Traceback" not in result.err


def test_an_unknown_name_is_bad_input_that_names_what_is_there(kessai):
    result = kessai("prove", "two_times")
    assert result.code == 2
    assert "charge, one_time, recurring" in result.err


def test_a_terminal_that_knows_only_ascii_is_not_too_small():
    done = subprocess.run(
        [sys.executable, "-m", "kessai", "prove", "charge", "--lang", "ja"],
        capture_output=True,
        check=False,
        env={"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    )
    assert done.returncode == 0
    assert done.stderr == b""


def test_kessai_itself_does_not_import_the_solver():
    code = "import sys, kessai, kessai.prove, kessai.cli.prove.command; assert 'z3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
