"""What is presumed of an operation that an inquiry leaves out."""

from datetime import timedelta

import pytest

from kessai.evidence.absence import Missing, Presumption, read_listing
from kessai.gateway import Outcome, Source
from kessai.machine import Resent

MOMENT = timedelta(microseconds=1)
REFUSED = {"needs_inquiry": True}


@pytest.fixture
def resent(story):
    """A capture without a reply that was sent again."""
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.UNKNOWN, **REFUSED)
    past.append(Resent(past.now, operation.id))
    return past


def declines(past, missing=Missing.RESEND, known_since=None):
    (operation,) = past.transaction.operations.values()
    presumption = Presumption(past.now, missing, known_since)
    return presumption.declines(operation, past.attempts)


def test_what_was_sent_again_and_refused_is_declined(resent):
    assert declines(resent) is False
    (operation,) = resent.transaction.operations.values()
    resent.resolve(operation, Outcome.UNKNOWN, **REFUSED)
    assert declines(resent) is True
    assert declines(resent, Missing.KEEP) is False
    resent.append(Resent(resent.now, operation.id))
    assert declines(resent) is False


@pytest.mark.parametrize(
    "more",
    [{}, {**REFUSED, "source": Source.INQUIRY}],
    ids=["a reply that says nothing", "an inquiry"],
)
def test_only_a_reply_refuses_what_was_sent_again(resent, more):
    (operation,) = resent.transaction.operations.values()
    resent.resolve(operation, Outcome.UNKNOWN, **more)
    assert declines(resent) is False


def test_what_began_before_the_gateway_forgot_its_key_is_declined(story):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.UNKNOWN, **REFUSED)  # but was sent only once
    assert declines(past, known_since=past.now) is False
    assert declines(past, known_since=past.now + MOMENT) is True
    assert declines(past, Missing.DECLINE) is True
    assert declines(past, Missing.KEEP, past.now + MOMENT) is False


def unlisted(past):
    presumption = Presumption(past.now, Missing.RESEND)
    found = read_listing(past.case, (), presumption)
    return [operation.command for operation in found]


def test_an_opening_is_not_unlisted_while_an_update_beside_it_may_arrive(story):
    past = story("recurring", "authorize? 100 merchant_page, update_authorization? 150")
    opening, update = past.transaction.operations.values()
    past.resolve(opening, Outcome.UNKNOWN)
    assert unlisted(past) == []
    past.resolve(update, Outcome.UNKNOWN)
    assert unlisted(past) == ["authorize", "update_authorization"]
