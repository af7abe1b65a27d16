"""A story is played by the machine itself; what the machine refuses did not happen."""

import pytest

from kessai.prove import Play, as_test
from kessai.spec import load_shipped


@pytest.fixture
def play():
    return Play(load_shipped("one_time"))


def test_a_payment_is_authorized_captured_and_refunded_in_two_parts(play):
    play.begins("authorize", 100).succeeds(1)
    play.begins("capture", 100).succeeds(2)
    play.begins("refund", 60).begins("refund", 40).succeeds(4).succeeds(3)
    assert play.transaction.status == "payment.refunded"
    assert play.transaction.amounts["refunded"] == 100
    assert play.wrong == ()


def test_a_flag_brings_along_what_it_needs(play):
    play.begins("authorize", 100, merchant_page=True, with_capture=False)
    play.begins("update_authorization", 200).succeeds(2)
    assert play.transaction.amounts["authorizing"] == 200
    assert play.refused == ()


def test_what_is_denied_ends_the_story(play):
    play.begins("authorize", 100).succeeds(1)
    play.begins("capture", 101).succeeds(2)
    assert play.refused == ("amount_above_maximum",)
    assert play.transaction.status == "payment.authorized"
    assert len(play.story.told) == 3


@pytest.mark.parametrize(
    ("step", "given"),
    [
        ("succeeds", (7,)),
        ("declines", (0,)),
        ("begins", ("Refund!", 1)),
        ("begins", ("capture", 10**15)),
    ],
)
def test_what_cannot_even_be_asked_for_ends_it_too(play, step, given):
    getattr(play.begins("authorize", 100).succeeds(1), step)(*given)
    assert play.refused == ("not_possible",)
    assert play.wrong == ()


def test_a_command_that_the_lifecycle_has_not_is_denied(play):
    assert play.begins("subscribe", 100).refused == ("not_in_lifecycle",)


def test_a_deadline_passes_by_the_clock_and_by_the_word_of_the_gateway(play):
    play.begins("authorize", 100).succeeds(1).lapses("authorization")
    assert play.transaction.status == "payment.expired"
    assert play.wrong == ()


def test_what_was_done_elsewhere_is_applied_if_the_lifecycle_allows_it(play):
    play.begins("authorize", 100).succeeds(1).elsewhere("capture", 30)
    assert play.transaction.status == "payment.captured"
    assert play.elsewhere("refund", 31).refused == ("amount_out_of_bounds",)


def test_a_charge_is_played_under_an_agreement_that_is_taken_as_given():
    play = Play(load_shipped("charge"))
    play.begins("reauthorize", 100, with_capture=True).succeeds(1, is_stated=True)
    assert play.transaction.status == "payment.captured"
    assert play.transaction.agreement == "agreement-1"


def test_every_kind_of_step_is_pasted_as_it_was_played(play):
    play.begins("authorize", 12_345).succeeds(1, is_stated=True)
    play.begins("cancel").declines(2).elsewhere("capture", 30)
    text = as_test(play.story, "one_time", "A story!")
    assert text == (
        "from kessai.prove import Play\n"
        "from kessai.spec import load_shipped\n"
        "\n"
        "\n"
        "def test_a_story():\n"
        '    play = Play(load_shipped("one_time"), "JPY")\n'
        '    play.begins("authorize", 12_345)\n'
        "    play.succeeds(1, is_stated=True)\n"
        '    play.begins("cancel")\n'
        "    play.declines(2)\n"
        '    play.elsewhere("capture", 30)\n'
        "    assert play.wrong == ()\n"
    )
