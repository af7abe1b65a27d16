"""A store is put back to its copy: what the gateway has done is found, and not repeated."""

import pytest
from applying import MERCHANTS_PAGE, MONTHLY, applied, approved, opening, steps
from defects import DEFECTS
from staging import invented_stage

from kessai import Command, Missing
from kessai.simulator import Fault, replay
from kessai.simulator.moves import (
    Ask,
    BackUp,
    CloseByHand,
    Consume,
    Deliver,
    Pass,
    Recover,
    Restore,
    TaskStep,
)
from kessai.simulator.run import conclude, living

ORDER = "one_time-1"


def captured():
    """An order of 100 that is paid."""
    return [
        *applied("one_time", 100, with_capture=True),
        Consume(ORDER, "log_in"),
        *approved("one_time"),
    ]


def refunds(task, amount=30, order=ORDER):
    command = Command("refund", order, key=f"key-{task}", amount=amount)
    return [Ask(task, command), *steps(task, 9)]


def lost(moves):
    """`moves` are made after the copy, and the copy is put back."""
    return [BackUp(), *moves, Restore()]


def refunded(stage, story):
    """What the gateway has paid back after a story that breaks no promise."""
    with living(stage) as world:
        for move in story:
            world.play(move)
        conclude(world)
        (order,) = world.gateway.orders()
        return world.gateway.booked(order).amounts["refunded"]


def test_what_was_lost_is_found_and_not_done_again(stage):
    story = [*captured(), *lost(refunds(3)), *refunds(4)]
    assert refunded(stage, story) == 30
    with DEFECTS["what_the_gateway_has_done_is_done_again"]():
        assert replay(stage, story).code == "repeated"


def test_another_amount_is_another_refund(stage):
    assert refunded(stage, [*captured(), *lost(refunds(3)), *refunds(4, 40)]) == 70


def test_an_operator_says_that_another_is_meant(stage):
    closed = [CloseByHand(4, ORDER), *steps(4, 4)]
    story = [*captured(), *lost(refunds(3)), *closed, *refunds(5)]
    assert refunded(stage, story) == 60


def test_of_two_that_were_lost_one_is_closed_and_the_other_still_stands(stage):
    both = lost([*refunds(3), *refunds(4)])
    closed = [CloseByHand(5, ORDER), *steps(5, 4)]
    assert refunded(stage, [*captured(), *both, *closed, *refunds(6)]) == 60


def test_what_was_open_in_the_copy_and_carried_out_since_is_its_own(stage):
    unheard = refunds(3)
    unheard[4] = TaskStep(3, Fault.LOST_REPLY)
    story = [*captured(), *unheard[:4], BackUp(), *unheard[4:], Restore(), *refunds(4)]
    assert refunded(stage, story) == 60


@pytest.mark.parametrize("amount", [100, 90])
def test_an_order_that_was_opened_since_is_found_when_it_is_opened_again(stage, amount):
    again = Ask(3, opening("one_time", amount, with_capture=True))
    story = [*lost(captured()), again, *steps(3, 20)]
    assert replay(stage, story) is None


def test_what_lapses_of_an_order_that_was_opened_since_is_its_own(stage):
    waiting = applied("one_time", 100)
    story = [
        *lost([*waiting, Consume(ORDER, "log_in"), *approved("one_time")]),
        *[Ask(3, opening("one_time", 90)), *steps(3, 20)],
        Pass(40 * 86_400),
    ]
    assert replay(stage, story) is None


def test_what_was_notified_of_it_before_is_no_other_order(stage):
    story = [
        *lost([*captured()[:-5], Consume(ORDER, "approve")]),
        *[Deliver(3, ORDER, 0), *steps(3, 4)],
        *[Ask(4, opening("one_time", 90, with_capture=True)), *steps(4, 20)],
    ]
    assert replay(stage, story) is None


def test_what_an_operator_closed_before_it_was_opened_again_is_found_by_nobody(stage):
    again = opening("one_time", 100, with_capture=True)
    story = [
        *lost([*captured()[:-5], Consume(ORDER, "approve")]),
        *[Deliver(3, ORDER, 0), *steps(3, 5)],
        *[CloseByHand(4, ORDER), *steps(4, 4)],
        *[Ask(5, again), *steps(5, 3), TaskStep(5, Fault.NO_CONNECTION)],
        *steps(5, 6),
    ]
    assert replay(stage, story) is None


def test_what_comes_of_a_resend_that_was_lost_is_late(stage):
    story = [
        *[Ask(1, opening("one_time", 100)), *steps(1, 3)],
        *[TaskStep(1, Fault.LOST_REQUEST), *steps(1, 2), BackUp()],
        Pass(29 * 86_400),
        *[Recover(2, Missing.RESEND), *steps(2, 20), Restore()],
        Consume(ORDER, "approve"),
    ]
    assert replay(stage, story) is None


AGREEMENT = "recurring-1"


def updated(task, amount, fault=None):
    asked = Command(
        "update_consent",
        AGREEMENT,
        key=f"key-{task}",
        amount=amount,
        parameters=MONTHLY,
    )
    return [Ask(task, asked), *steps(task, 2), TaskStep(task, fault)]


def agreed():
    return [*applied("recurring", 501, **MONTHLY), *approved("recurring")]


def test_a_list_without_amounts_shows_another_update_as_the_one_that_was_open(stage):
    story = [
        *agreed(),
        *[*updated(3, 201, Fault.LOST_REQUEST), BackUp()],
        Pass(601),
        *[Recover(4, Missing.DECLINE, order=AGREEMENT), *steps(4, 20)],
        *[*updated(5, 1), *steps(5, 2), Restore()],
    ]
    assert replay(stage, story) is None


def test_it_shows_one_that_was_lost_and_comes_late_as_one_that_never_came(stage):
    late = [*updated(3, 201), TaskStep(3, Fault.LATE_REQUEST)]
    never = [*updated(4, 1), TaskStep(4, Fault.LOST_REQUEST), *steps(4, 3)]
    assert replay(stage, [*agreed(), *lost(late), *never]) is None


def test_what_was_asked_of_a_payment_that_its_consumer_declines_moved_nothing(stage):
    order = "recurring-1"
    asked = Command("update_authorization", order, key="key-2", amount=400)
    story = [
        *lost(
            [
                *applied("recurring", 100, **MONTHLY, **MERCHANTS_PAGE),
                Consume(order, "log_in"),
                *[Ask(2, asked), *steps(2, 9)],
            ]
        ),
        Consume(order, "decline"),
        *[Deliver(3, order, 0), *steps(3, 4)],
    ]
    assert replay(stage, story) is None


def test_a_checkout_that_was_abandoned_here_may_wait_at_the_gateway(stage):
    order = "recurring-1"
    read = Command("get_address", order, key="key-2", parameters={"details": True})
    story = [
        *applied("recurring", 100, **MONTHLY, **MERCHANTS_PAGE)[:-2],
        Pass(30 * 86_400),
        *lost([Ask(2, read), *steps(2, 3)]),
    ]
    assert replay(stage, story) is None


def test_an_order_that_nobody_knows_is_asked_for_at_the_end(stage):
    story = lost(captured())
    assert replay(stage, story) is None
    with DEFECTS["an_order_that_is_refused_a_second_time_has_failed"]():
        assert replay(stage, story).code == "outcome_is_wrong"


def test_what_was_lost_excuses_nothing_of_another_amount(stage):
    unheard = [*refunds(4, 50)[:4], TaskStep(4, Fault.LOST_REPLY), *steps(4, 9)]
    story = [*captured(), *lost(refunds(3)), *unheard]
    assert replay(stage, story) is None
    with DEFECTS["no_answer_means_declined"]():
        assert replay(stage, story).code == "outcome_is_wrong"


def test_nothing_is_put_back_without_a_copy_and_nothing_twice(stage):
    story = [*captured(), Restore(), BackUp(), *refunds(3), Restore(), *refunds(4, 40)]
    assert refunded(stage, [*story, Restore()]) == 70


def test_the_id_of_a_lost_operation_is_no_key():
    # The second refund after the restore has the id of the second that was lost.
    kumo, order = invented_stage(), "kumo-1"
    more = {"lifecycle": "kumo", "amount": 500, "currency": "JPY"}
    asked = Command(
        "authorize", order, key="key-1", parameters={"with_capture": True}, **more
    )
    story = [
        *[Ask(1, asked), *steps(1, 9)],
        *lost([*refunds(2, 100, order), *refunds(3, 50, order)]),
        *[CloseByHand(4, order), *steps(4, 4)],
        *refunds(5, 50, order),
    ]
    assert refunded(kumo, story) == 200
    with DEFECTS["a_key_is_made_from_the_id_of_its_operation"]():
        assert replay(kumo, story).code == "counted_too_much"
