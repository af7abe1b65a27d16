"""`kessai simulate`: figures, exit codes, and how to play a finding once more."""

import json
import os
import signal
import subprocess
import sys

import pytest
from defects import DEFECTS

from kessai.cli.main import run_command
from kessai.cli.simulate import command


def test_the_figures_are_shown(capsys):
    assert run_command(["simulate", "--commands", "400", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert "Accepted" in shown
    assert "carried out, the reply is lost" in shown
    assert "Violations" in shown
    assert "Operations excused" in shown


def test_the_figures_are_shown_in_japanese(capsys):
    assert run_command(["simulate", "--commands", "200", "--lang", "ja"]) == 0
    assert "実行後に応答が失われる" in capsys.readouterr().out


def test_named_faults_strike_and_no_others(capfdbinary):
    asked = ["--commands", "2000", "--faults", "portal,lost_reply", "--json"]
    assert run_command(["simulate", *asked]) == 0
    figures = json.loads(capfdbinary.readouterr().out)
    assert set(figures["faults"]) == {"portal", "lost_reply"}
    assert figures["violation"] is None
    assert 0 < figures["excused"] < figures["operations"]


def test_only_what_its_gateway_can_carry_is_asked_for(monkeypatch):
    begun = set()
    real = command.simulate

    def watched(stage, *given):
        begun.update(machine.name for machine in stage.machines.current)
        return real(stage, *given)

    monkeypatch.setattr(command, "simulate", watched)
    asked = ["simulate", "--commands", "20", "--gateway", "veritrans4g"]
    assert run_command(asked) == 0
    assert begun == {"charge", "one_time", "recurring"}


def test_a_gateway_that_is_not_installed_is_a_mistake_of_usage(capsys):
    assert run_command(["simulate", "--gateway", "nowhere"]) == 2
    assert "installed are: " in capsys.readouterr().err


def test_a_file_can_keep_the_transactions(capsys):
    assert run_command(["simulate", "--commands", "20", "--store", "sqlite"]) == 0


def test_a_fault_that_there_is_not_is_a_mistake_of_usage(capsys):
    assert run_command(["simulate", "--faults", "flood"]) == 2
    assert "termination_race" in capsys.readouterr().err


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_violation_is_shown_with_its_story_and_its_seed(capsys, language):
    with DEFECTS["a_commit_that_raised_counts_as_not_written"]():
        assert run_command(["simulate", "--seed", "5", "--lang", language]) == 5
    shown = capsys.readouterr().out
    assert "not_safe_to_resend" in shown
    assert "commit_kept" in shown
    assert "kessai simulate --seed " in shown


def test_the_line_that_is_printed_plays_the_same_violation(capfdbinary):
    with DEFECTS["no_in_flight_exclusion"]():
        assert run_command(["simulate", "--seed", "9", "--json"]) == 5
        first = json.loads(capfdbinary.readouterr().out)["violation"]
        again = first["again"].removeprefix("kessai ").split()
        assert run_command([*again, "--json"]) == 5
        second = json.loads(capfdbinary.readouterr().out)["violation"]
    assert first == second


def test_ctrl_c_ends_it_with_the_figures_so_far():
    program = (
        "import signal\n"
        "signals = signal.signal\n"
        "def noted(number, handler):\n"
        "    before = signals(number, handler)\n"
        "    if number == signal.SIGTERM:\n"  # the last that it listens for
        "        print('it listens', flush=True)\n"
        "    return before\n"
        "signal.signal = noted\n"
        "from kessai.cli.main import main\n"
        "main(['simulate', '--commands', '100000000'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LANG": "C"},
    ) as running:
        assert running.stdout.readline() == "it listens\n"
        running.send_signal(signal.SIGINT)
        shown, _ = running.communicate(timeout=300)
    assert running.returncode == 130
    assert "Commands" in shown
