"""An invented gateway that needs all of the contract's second form, and loses nothing.

Each story was found by a seed, and cut down; the engine before it was mended fails it.
"""

import sys

import pytest
from applying import steps
from staging import invented_stage, played

from kessai import Command
from kessai.flow import Missing
from kessai.simulator import Fault, replay
from kessai.simulator.moves import (
    Ask,
    ComeBack,
    Consume,
    Pass,
    Recover,
    TakeBack,
    TaskStep,
)
from kessai.simulator.world import World

ORDER = "kumo-1"
A_DAY = 24 * 3600
COMMANDS = 3_000
IMPOSSIBLE = {
    Fault.TERMINATION_RACE,  # there are no agreements
    *(Fault.WRONG_ENDPOINT, Fault.ACCOUNT_UNKNOWN),  # and one account
}


@pytest.fixture(scope="module")
def kumo():
    return invented_stage()


def asks(task, name, amount=None, **given):
    command = Command(name, ORDER, key=f"key-{task}", amount=amount, **given)
    return Ask(task, command)


def authorizes(task, **parameters):
    more = {"lifecycle": "kumo", "currency": "JPY", "parameters": parameters}
    return asks(task, "authorize", 500, **more)


def captured():
    return [authorizes(1, with_capture=True), *steps(1, 9)]


def booked(kumo, story):
    """How the order stands after a story that breaks no promise."""
    worlds = []

    def make_gateway(clock):
        worlds.append(kumo.make_gateway(clock))
        return worlds[-1]

    stage = type(kumo)(kumo.machines, make_gateway, kumo.make_store)
    assert replay(stage, story) is None
    (found,) = [world.booked(ORDER) for world in worlds]
    return found


def test_thousands_of_commands_break_no_promise():
    total, found = played("invented", range(1, COMMANDS // 200 + 1))
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.commands >= COMMANDS
    assert total.accepted * 2 >= total.commands
    assert total.resolved == total.operations
    assert set(total.faults) == set(Fault) - IMPOSSIBLE


def test_a_consumer_who_comes_back_pays(kumo):
    # What is resumed was given the ids from before the first reply: none at all.
    story = [
        authorizes(1, with_consumer=True),
        *steps(1, 9),
        Consume(ORDER, "approve"),
        ComeBack(2, ORDER),
        *steps(2, 9),
    ]
    assert booked(kumo, story).states == {"payment": "authorized"}


def test_a_shop_that_loses_the_page_asks_for_it_again(kumo):
    # Its process dies with the answer. The recoverer sends the very requests again.
    asked = authorizes(1, with_consumer=True)
    world = World(kumo)
    for move in (
        *[asked, *steps(1, 5), TaskStep(1, Fault.CRASH_BEFORE)],
        *[Pass(660), Recover(2, Missing.DECLINE), *steps(2, 20)],
        Ask(3, asked.command),
    ):
        world.play(move)
    again = world.tasks[3]
    for move in steps(3, 9):
        world.play(move)
    assert again.outcome.disclosed == {"page": "https://pay.kumo.example/pm_1"}
    assert len(world.gateway.exchanges(ORDER)) == 1
    world.close()


def test_a_token_that_is_refused_the_second_time_may_have_been_taken_the_first(kumo):
    # A day later, the gateway has forgotten the key, and the token is used up.
    story = [
        authorizes(1, with_consumer=True),
        *steps(1, 9),
        Consume(ORDER, "approve"),
        *[ComeBack(2, ORDER), *steps(2, 2)],
        *[ComeBack(3, ORDER), *steps(3, 4), TaskStep(3, hold=True)],
        Pass(A_DAY),
        *steps(2, 12),
    ]
    assert booked(kumo, story).states == {"payment": "authorized"}


def test_a_refund_that_was_sent_back_weeks_later_is_made_good(kumo):
    story = [
        *captured(),
        asks(2, "refund", 200),
        *steps(2, 9),
        Pass(21 * A_DAY),
        TakeBack(ORDER),
        asks(3, "refund", 500),
        *steps(3, 9),
    ]
    found = booked(kumo, story)
    assert (found.amounts["refunded"], found.taken_back["refunded"]) == (0, 200)


def test_nothing_is_sent_again_once_the_gateway_may_have_forgotten_the_key(kumo):
    # The recoverer decides in time to send the order again, and sleeps for a day: under a
    # forgotten key the consumer would pay twice.
    story = [
        authorizes(1),
        *steps(1, 5),
        TaskStep(1, Fault.CRASH_BEFORE),
        Pass(660),
        Recover(2, Missing.KEEP, order=ORDER),
        *steps(2, 6),
        Pass(A_DAY),
        *steps(2, 9),
    ]
    assert booked(kumo, story).amounts["authorized"] == 500


def test_what_the_gateway_has_forgotten_is_declined_and_not_sent_again(kumo):
    # The payment was made and not confirmed. Sent again a day later, it would be another
    # one at the gateway, with another id.
    story = [
        authorizes(1),
        *steps(1, 4),
        Pass(A_DAY),
        *steps(1, 9),
        Recover(2, Missing.RESEND, order=ORDER),
        *steps(2, 24),
    ]
    assert booked(kumo, story) is None


def test_a_key_is_asked_for_once_more_though_its_refusal_was_read_meanwhile(kumo):
    # The resend was decided before; it gets the first answer again.
    story = [
        authorizes(1),
        *steps(1, 3),
        TaskStep(1, Fault.REFUSAL, hold=True),
        Pass(601),
        Recover(2, Missing.DECLINE),
        *steps(2, 11),
        *steps(1, 9),
        *steps(2, 20),
    ]
    assert replay(kumo, story) is None


def test_that_a_resend_never_left_says_nothing_of_the_first_request(kumo):
    # The authorization was made, and its worker died; the recoverer wakes up too late to
    # send it again.
    story = [
        authorizes(1),
        *steps(1, 5),
        TaskStep(1, Fault.CRASH_BEFORE),
        Pass(660),
        Recover(2, Missing.KEEP, order=ORDER),
        *steps(2, 8),
        Pass(601),
        *steps(2, 9),
    ]
    assert booked(kumo, story).amounts["authorized"] == 500


def test_an_authorization_that_nobody_heard_of_may_have_lapsed(kumo):
    story = [
        authorizes(1),
        *steps(1, 6),
        TaskStep(1, Fault.STORE_FAILED),
        Pass(29 * A_DAY),
    ]
    assert booked(kumo, story).states == {"payment": "expired"}


def test_long_takes_the_gateway_by_its_name(capsys, monkeypatch):
    from long import main

    arguments = [
        "long",
        "--gateway",
        "invented",
        "--commands",
        "400",
        "--processes",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 0
    assert "commands in 2 worlds" in capsys.readouterr().out
