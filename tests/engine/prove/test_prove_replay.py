"""A story is replayed by the machine itself; what the machine refuses did not happen."""

import pytest

from kessai.prove import Replay, as_test
from kessai.spec import load_shipped


@pytest.fixture
def replay():
    return Replay(load_shipped("one_time"))


def test_a_payment_is_authorized_captured_and_refunded_in_two_parts(replay):
    replay.begins("authorize", 100).succeeds(1)
    replay.begins("capture", 100).succeeds(2)
    replay.begins("refund", 60).begins("refund", 40).succeeds(4).succeeds(3)
    assert replay.transaction.status == "payment.refunded"
    assert replay.transaction.amounts["refunded"] == 100
    assert replay.wrong == ()


def test_a_flag_brings_along_what_it_needs(replay):
    replay.begins("authorize", 100, merchant_page=True, with_capture=False)
    replay.begins("update_authorization", 200).succeeds(2)
    assert replay.transaction.amounts["authorizing"] == 200
    assert replay.refused == ()


def test_what_is_denied_ends_the_story(replay):
    replay.begins("authorize", 100).succeeds(1)
    replay.begins("capture", 101).succeeds(2)
    assert replay.refused == ("amount_above_maximum",)
    assert replay.transaction.status == "payment.authorized"
    assert len(replay.story.replayed) == 3


@pytest.mark.parametrize(
    ("step", "given"),
    [
        ("succeeds", (7,)),
        ("declines", (0,)),
        ("begins", ("Refund!", 1)),
        ("begins", ("capture", 10**15)),
    ],
)
def test_what_cannot_even_be_asked_for_ends_it_too(replay, step, given):
    getattr(replay.begins("authorize", 100).succeeds(1), step)(*given)
    assert replay.refused == ("not_possible",)
    assert replay.wrong == ()


def test_a_command_that_the_lifecycle_has_not_is_denied(replay):
    assert replay.begins("subscribe", 100).refused == ("not_in_lifecycle",)


def test_a_deadline_passes_by_the_clock_and_by_the_word_of_the_gateway(replay):
    replay.begins("authorize", 100).succeeds(1).lapses("authorization")
    assert replay.transaction.status == "payment.expired"
    assert replay.wrong == ()


def test_what_was_done_at_the_gateway_is_applied_if_the_lifecycle_allows_it(replay):
    replay.begins("authorize", 100).succeeds(1).external("capture", 30)
    assert replay.transaction.status == "payment.captured"
    assert replay.external("refund", 31).refused == ("amount_out_of_bounds",)


def test_what_only_reads_may_be_done_at_the_gateway_too(replay):
    replay.begins("authorize", 100).succeeds(1).external("get_address")
    assert (replay.refused, replay.wrong) == ((), ())


def test_a_charge_is_replayed_under_an_agreement_that_is_taken_as_given():
    replay = Replay(load_shipped("charge"))
    replay.begins("reauthorize", 100, with_capture=True).succeeds(1, is_stated=True)
    assert replay.transaction.status == "payment.captured"
    assert replay.transaction.agreement == "agreement-1"


def test_every_kind_of_step_is_pasted_as_it_was_replayed(replay):
    replay.begins("authorize", 12_345).succeeds(1, is_stated=True)
    replay.begins("cancel").declines(2).external("capture", 30)
    text = as_test(replay.story, "one_time", "A story!")
    assert text == (
        "from kessai.prove import Replay\n"
        "from kessai.spec import load_shipped\n"
        "\n"
        "\n"
        "def test_a_story():\n"
        '    replay = Replay(load_shipped("one_time"), "JPY")\n'
        '    replay.begins("authorize", 12_345)\n'
        "    replay.succeeds(1, is_stated=True)\n"
        '    replay.begins("cancel")\n'
        "    replay.declines(2)\n"
        '    replay.external("capture", 30)\n'
        "    assert replay.wrong == ()\n"
    )
