"""What an inquiry's answer says of itself: what it lists, and whether it may be old."""

import pytest

from kessai.evidence.absence import Missing, Presumption
from kessai.evidence.inquiry import InquiryAnswer, read
from kessai.gateway import ListedExchange, Outcome, Source


def answer(past, *listed, lists=True, presumption=None, **stated):
    listing = tuple(
        ListedExchange(command=command, outcome=outcome, amount=amount)
        for command, outcome, amount in listed
    )
    evidence = past.evidence(None, source=Source.INQUIRY, listing=listing, **stated)
    return read(past.case, InquiryAnswer(evidence, lists, presumption))


OPENED = ("authorize", Outcome.SUCCEEDED, 100)


@pytest.mark.parametrize(
    ("history", "listed", "may_be_outdated"),
    [
        ("capture? 60", (), False),
        ("capture? 60", [("capture", Outcome.SUCCEEDED, 60)], False),
        ("capture? 60", [("capture", Outcome.PENDING, 60)], True),
        # It is external, and stays; but an amount may have been set anew since.
        ("get_address", [("capture", Outcome.SUCCEEDED, 60)], False),
        ("get_address", [("update_authorization", Outcome.SUCCEEDED, 60)], True),
        ("capture? 60", [("capture", Outcome.SUCCEEDED, 50)], True),
    ],
)
def test_what_an_older_list_may_say_wrongly_may_be_outdated(
    story, history, listed, may_be_outdated
):
    past = story("one_time", f"authorize 100, {history}")
    found = answer(past, OPENED, *listed)
    assert found.may_be_outdated is may_be_outdated
    assert found.lists is True


def test_what_is_left_out_may_be_outdated(story):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.UNKNOWN)
    found = answer(past, OPENED, presumption=Presumption(past.now, Missing.KEEP))
    assert [each.id for each in found.unlisted] == [operation.id]
    assert found.may_be_outdated is True


def test_an_answer_without_a_list_confirms_nothing_and_may_be_outdated(story):
    past = story("one_time", "authorize 100, capture")
    found = answer(past, lists=False, totals={"captured": 100})
    assert (found.events, found.unconfirmed) == ((), ())
    assert (found.lists, found.may_be_outdated) == (False, True)


def test_an_answer_about_another_payment_is_unreadable_and_leaves_nothing_out(story):
    past = story("one_time", "authorize? 100")
    past.resolve(*past.transaction.operations.values(), references={"order": "o_1"})
    found = answer(past, references={"order": "o_2"}, lists=False)
    assert (found.readable, found.lists, found.unconfirmed) == (False, True, ())
    assert [event.reason for event in found.events] == ["reference_differs"]
