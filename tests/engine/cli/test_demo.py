"""`kessai demo`: what the story shows, in both languages, on any terminal."""

import os
import subprocess
import sys
import tempfile

import pytest

from kessai.cli.demo import script as demo_story
from kessai.cli.demo.narration import DemoNarration
from kessai.cli.demo.script import opened_stage, proof, story
from kessai.cli.terminal.columns import width_of, wrapped

ORDER, PLAN = "order-1001", "plan-7"


@pytest.fixture
def played(kessai):
    """The demo as data."""
    result = kessai("demo", "--json", "--lang", "en")
    assert result.code == 0
    return result.json


def steps(played, transaction):
    return [
        (step["rule"], step["step"], step["amount"], step["status"])
        for step in played["steps"]
        if step["transaction"] == transaction
    ]


def test_a_one_time_payment_lives_from_opening_to_the_last_yen(played):
    assert steps(played, ORDER) == [
        ("O1", "authorize", 12_000, "pending"),
        ("F1", "notification", None, "succeeded"),
        ("O2", "capture", 9_800, "succeeded"),
        ("O4", "refund", 4_000, "unknown"),
        ("O2", "capture", 2_200, "denied"),
        ("O4", "inquiry", None, "succeeded"),
        ("O4", "refund", 5_000, "succeeded"),
        ("O4", "refund", 800, "succeeded"),
    ]
    last = played["steps"][7]
    assert last["states"] == {"payment": "refunded"}
    assert last["amounts"]["captured"] == last["amounts"]["refunded"] == 9_800
    assert last["amounts"]["released"] == 2_200


def test_a_card_lives_as_long_at_another_gateway(kessai):
    played = kessai("demo", "--gateway", "payjp", "--json", "--lang", "ja").json
    last = played["steps"][-1]
    assert last["states"] == {"payment": "refunded"}
    assert last["amounts"]["refunded"] == 9_800


def test_a_lost_reply_is_reserved_until_the_inquiry_resolves_it(played):
    lost, _, found = played["steps"][3:6]
    assert (lost["amounts"]["refunding"], lost["amounts"]["refunded"]) == (4_000, 0)
    assert (found["amounts"]["refunding"], found["amounts"]["refunded"]) == (0, 4_000)


def test_a_denial_gives_every_reason_with_its_rule_and_what_is_possible(played):
    denied = played["steps"][4]
    codes = {reason["code"]: reason for reason in denied["denial"]["reasons"]}
    assert set(codes) == {"state_not_allowed", "operation_open"}
    assert all("O2" in reason["rule"] for reason in codes.values())
    # What the unknown refund may have taken is not offered again.
    assert denied["possible"]["refund"]["maximum"] == 9_800 - 4_000


def test_a_recurring_payment_lives_from_consent_to_termination(played):
    assert steps(played, PLAN) == [
        ("R1", "authorize", 3_000, "pending"),
        ("F1", "notification", None, "succeeded"),
        ("R9", "update_consent", 4_500, "succeeded"),
        ("R8", "terminate", None, "succeeded"),
    ]
    assert steps(played, f"{PLAN}-2") == [
        ("R7", "reauthorize", 3_000, "succeeded"),
        ("R3", "capture", 3_000, "succeeded"),
    ]
    assert steps(played, f"{PLAN}-3") == [("R7", "reauthorize", 4_500, "denied")]
    (reason,) = played["steps"][-1]["denial"]["reasons"]
    assert reason["code"] == "agreement_state"


def test_the_trail_is_proved_and_the_books_agree(played):
    assert played["agreed"] is True
    assert played["audit"]["holds"] is True
    assert played["audit"]["transactions"] == 3  # one was denied
    assert played["books"]["agree"] is True
    assert played["books"]["totals"] == {
        "authorized": 18_000,
        "captured": 15_800,
        "released": 2_200,
        "refunded": 9_800,
        "refunding": 0,
    }


def test_books_that_disagree_are_named_and_end_with_exit_code_5(kessai, monkeypatch):
    real = demo_story.proof

    def after_a_theft(stage):
        stage.local.emulator.books[PLAN].captured = 2_999
        return real(stage)

    monkeypatch.setattr("kessai.cli.demo.command.proof", after_a_theft)
    result = kessai("demo", "--json")
    assert result.code == 5
    assert result.json["books"]["differences"] == [
        f"{PLAN}: captured 3000, the gateway 2999"
    ]
    shown = kessai("demo", "--lang", "en")
    assert shown.code == 5
    assert "the gateway 2999" in shown.out


def test_an_order_that_only_one_side_knows_is_a_difference():
    with opened_stage() as stage:
        for _ in story(stage):
            pass
        assert proof(stage).is_good
        del stage.local.emulator.books.orders[PLAN]
        found = proof(stage)
    assert not found.is_good
    assert f"{PLAN}: captured 3000, the gateway knows nothing" in found.differences


def test_a_trail_that_does_not_hold_is_no_good_end():
    with opened_stage() as stage:
        for _ in story(stage):
            pass
        stage.engine.store._own.get().writer.session.connection.execute(
            "DELETE FROM kessai_events WHERE number = 3"
        )
        assert not proof(stage).is_good


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("columns", [50, 80, 200])
def test_no_line_is_wider_than_the_terminal(kessai, monkeypatch, language, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = kessai("demo", "--lang", language)
    assert result.code == 0
    assert all(width_of(line) <= columns for line in result.out.splitlines())
    assert "\x1b" not in result.out


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_scene_has_its_rule_and_its_words(language):
    telling = DemoNarration(language, 80)
    with opened_stage() as stage:
        for scene in story(stage):
            headline, meaning, *_ = telling.scene(scene)
            assert scene.rule in headline
            assert "{" not in meaning


def test_nothing_is_left_on_the_disk(kessai, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert kessai("demo").code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_ends_it_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "kessai", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=300)


def test_text_is_broken_where_a_reader_would_break_it():
    assert list(wrapped("refund 1 to 5,800 JPY.", 18)) == ["refund 1 to", "5,800 JPY."]
    assert list(wrapped("決済の一生。", 10)) == ["決済の一", "生。"]
    assert list(wrapped("", 10)) == []
    assert width_of("決済 ok") == 7
