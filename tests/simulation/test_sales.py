"""A shop begins in its own transaction: what it commits is carried out once, or declined."""

from importlib import import_module

import pytest
from applying import applied, approved, steps
from planting import planted
from staging import invented_stage

from kessai import Command, Missing
from kessai.limits import CARRY_OUT_WITHIN
from kessai.simulator import Fault, replay
from kessai.simulator.moves import (
    Ask,
    BackUp,
    CarryOut,
    CommitSale,
    Consume,
    Pass,
    Recover,
    Restore,
    RollBackSale,
    Sell,
    TaskStep,
)
from kessai.simulator.run import conclude, living

execute = import_module("kessai.flow.execute")

ORDER = "one_time-1"
A_WHILE = Pass(200)


def refund(key="key", amount=30):
    return Command("refund", ORDER, key=key, amount=amount)


def captured():
    """An order of 100 that is paid."""
    return [
        *applied("one_time", 100, with_capture=True),
        Consume(ORDER, "log_in"),
        *approved("one_time"),
    ]


def begun(task=3, command=None, **how):
    return [Sell(task, command or refund(), **how), *steps(task, 3)]


def carried_out(task, command=None):
    return [CarryOut(task, command or refund()), *steps(task, 9)]


def together(*numbers):
    """They take their steps by turns."""
    return [TaskStep(number) for _ in range(12) for number in numbers]


def recovered(task):
    return [Recover(task, Missing.DECLINE, 0, ORDER), *steps(task, 20)]


def played(stage, moves):
    """What a story that breaks no promise has paid back, and the orders of its shop."""
    with living(stage) as world:
        for move in [*captured(), *moves]:
            world.play(move)
        conclude(world)
        return world.gateway.booked(ORDER).amounts["refunded"], set(world.shops.orders)


SENT = (30, {"key"})
DECLINED = (0, {"key"})
NOTHING = (0, set())


def test_what_is_committed_is_carried_out(stage):
    assert played(stage, [*begun(), CommitSale(3), *carried_out(4)]) == SENT


def test_two_that_carry_it_out_at_once_send_it_once(stage):
    both = [CarryOut(4, refund()), CarryOut(5, refund()), *together(4, 5)]
    assert played(stage, [*begun(), CommitSale(3), *both]) == SENT


def test_beside_a_recoverer_it_is_sent_once(stage):
    both = [Recover(4, Missing.DECLINE, 0, ORDER), CarryOut(5, refund())]
    story = [*begun(), CommitSale(3), A_WHILE, *both, *together(4, 4, 5)]
    assert played(stage, story) == SENT


def test_beside_a_plain_command_of_the_same_key_it_is_sent_once(stage):
    both = [Ask(4, refund()), CarryOut(5, refund()), *together(4, 5)]
    assert played(stage, [*begun(), CommitSale(3), *both]) == SENT


def test_a_plain_command_that_is_faster_is_the_one_that_counts(stage):
    asked = [Ask(4, refund()), *steps(4, 9)]
    story = [*begun(), *asked, CommitSale(3), *begun(5), CommitSale(5)]
    assert played(stage, [*story, *carried_out(6)]) == SENT


@pytest.mark.parametrize("end", [RollBackSale(3), CommitSale(3, Fault.COMMIT_LOST)])
def test_what_is_rolled_back_was_never_begun(stage, end):
    assert played(stage, [*begun(), end, *carried_out(4)]) == NOTHING
    again = [*begun(5), CommitSale(5), *carried_out(6)]
    assert played(stage, [*begun(), end, *again]) == SENT


def test_a_shop_that_dies_before_its_commit_leaves_nothing(stage):
    died = [Sell(3, refund()), TaskStep(3), TaskStep(3, Fault.CRASH_BEFORE)]
    assert played(stage, [*died, *recovered(4)]) == NOTHING


def test_a_shop_that_dies_after_its_commit_has_it_sent(stage):
    story = [*begun(), CommitSale(3, Fault.COMMIT_KEPT), A_WHILE, *recovered(4)]
    assert played(stage, story) == SENT


def test_what_nobody_carries_out_in_time_is_declined(stage):
    late = Pass(round(CARRY_OUT_WITHIN.total_seconds()) + 1)
    story = [*begun(), CommitSale(3), late, *carried_out(4)]
    assert played(stage, story) == DECLINED
    assert played(stage, [*begun(), CommitSale(3), late, *recovered(4)]) == DECLINED


@pytest.mark.parametrize("is_isolated", [True, False])
def test_of_two_shops_that_want_the_last_yen_one_must_begin_anew(stage, is_isolated):
    one, other = refund("key", 60), refund("other", 60)
    both = [*begun(3, one, is_isolated=is_isolated), *begun(4, other, is_isolated=True)]
    story = [*both, CommitSale(3), CommitSale(4), *carried_out(5, one)]
    anew = [*begun(6, other), CommitSale(6), *carried_out(7, other)]
    assert played(stage, [*story, *anew]) == (60, {"key"})


def test_what_a_copy_has_as_prepared_and_was_sent_since_is_not_sent_again(stage):
    story = [*begun(), CommitSale(3), BackUp(), *carried_out(4), Restore()]
    assert played(stage, [*story, *carried_out(5)]) == SENT
    with planted((execute, "why_not_to_send", lambda *given: None)):
        story = [*captured(), *story, *carried_out(5)]
        assert replay(stage, story).code == "repeated"


def test_an_order_that_was_committed_since_the_copy_is_gone_with_its_payment(stage):
    story = [BackUp(), *begun(), CommitSale(3), Restore(), *carried_out(4)]
    assert played(stage, story) == NOTHING


def test_an_opening_that_was_sent_since_the_copy_is_shown_beside_its_update(stage):
    """The copy has it as prepared: no success of its command can be its own."""
    opening = Command("authorize", ORDER, key="key", lifecycle="one_time", amount=100)
    update = Command("update_authorization", ORDER, key="update", amount=150)
    story = [
        *begun(3, opening),
        CommitSale(3),
        BackUp(),
        *carried_out(4, opening),
        Consume(ORDER, "log_in"),
        Consume(ORDER, "approve"),
        *recovered(5),
        Ask(6, update),
        *steps(6, 9),
        Pass(round(CARRY_OUT_WITHIN.total_seconds())),
        Restore(),
    ]
    with living(stage) as world:
        for move in story:
            world.play(move)
        assert world.gateway.booked(ORDER).amounts["authorized"] == 150
        found = world.transaction(ORDER).discrepancies.values()
        assert [each.command for each in found] == ["authorize"]


def test_totals_that_may_be_of_what_was_sent_since_the_copy_end_no_other():
    """The gateway knows its key, and answers it as before: that counts once."""
    order = "kumo-1"
    first = Command("refund", order, key="first", amount=1)
    second = Command("refund", order, key="second", amount=1)
    opening = Command(
        "authorize",
        order,
        key="apply",
        lifecycle="kumo",
        amount=400,
        currency="JPY",
        parameters={"with_capture": True},
    )
    story = [
        *(Ask(1, opening), *steps(1, 9)),
        *(Ask(2, first), *steps(2, 3), TaskStep(2, Fault.LOST_REQUEST)),
        *steps(2, 9),
        *begun(3, second),
        *(CommitSale(3), BackUp()),
        *carried_out(4, second),
        Restore(),
    ]
    with living(invented_stage()) as world:
        for move in story:
            world.play(move)
        conclude(world)
        assert world.gateway.booked(order).amounts["refunded"] == 2
        assert world.transaction(order).amounts["refunded"] == 2
