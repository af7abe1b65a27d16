"""Whose exchange an inquiry lists, where it may be of more than one operation.

A gateway's list names no operation. Of an update of the consent it tells no amount
either, as that of VeriTrans4G: `list_of("A B")` lists two of them, by their exchanges.
"""

import attrs
import pytest

from kessai.evidence.attribution import (
    begun_before_listed,
    candidates,
    is_attributed_to_another,
)
from kessai.evidence.listing import resolve_listing
from kessai.evidence.outcome import close_discrepancy, presumed_lost
from kessai.gateway import ListedExchange, Outcome, Source
from kessai.machine import Discrepancy, External, Reported, Resent

UPDATE = "update_consent"


def list_of(exchanges, command=UPDATE, amount=None):
    return [
        ListedExchange(
            command=command,
            outcome=Outcome.SUCCEEDED,
            amount=amount,
            exchange=None if exchange == "-" else exchange,
        )
        for exchange in exchanges.split()
    ]


def inquire(past, listing):
    """Resolve from a list; the end of each operation, or why something stands aside."""
    listing = [ListedExchange(command="authorize", outcome=Outcome.SUCCEEDED), *listing]
    events = list(resolve_listing(past.case, listing))
    for event in events:
        past.append(event)
    return ", ".join(map(words, events))


def words(event):
    match event:
        case Reported():
            return f".{event.operation.rpartition('.')[2]} {event.outcome}"
        case External():
            return f"external {event.command} {event.amount}"
        case Discrepancy(operation=None):
            return event.reason
        case Discrepancy():
            return f"{event.reason} .{event.operation.rpartition('.')[2]}"


def about(past, listed):
    """The open operations that `listed` may be about."""
    stated = (listed.command, listed.amount, listed.outcome)
    found = candidates(past.machine, past.transaction, *stated)
    return begun_before_listed(past.attempts, listed, found)


def give_up(past, operation):
    """The inquiry did not list it, and its request cannot arrive any more, it is said."""
    past.append(presumed_lost(operation, past.now))


def sign_for(past):
    """An operator has looked, and resolves what stands aside."""
    for number in tuple(past.transaction.discrepancies):
        signed = past.evidence(
            None, source=Source.OPERATOR, actor="hanako", note="seen in the portal"
        )
        past.append(close_discrepancy(past.transaction, number, signed, past.now))


@pytest.fixture
def consent(story):
    """A consent for 401."""
    return story("recurring", "authorize 401 consent_only")


# ── a success without an amount ─────────────────────────────────────────────────────


def test_it_is_applied_in_silence_where_one_operation_alone_can_be_meant(consent):
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".3 succeeded"
    assert consent.amounts("agreed") == (300,)


def test_it_may_be_of_another_one_that_was_given_up(consent):
    # What was given up an hour ago has arrived, and the next one never left.
    give_up(consent, consent.tell("update_consent? 201"))
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".5 succeeded, may_be_another .5"
    assert consent.events[-1].at == consent.now
    assert len(consent.transaction.discrepancies) == 1
    assert inquire(consent, list_of("A")) == ""


def test_what_an_operator_called_declined_may_have_arrived_too(consent):
    first = consent.tell("update_consent? 201")
    consent.resolve(
        first, Outcome.DECLINED, source=Source.OPERATOR, actor="hanako", note="n"
    )
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".5 succeeded, may_be_another .5"


@pytest.fixture
def sent_twice(consent):
    """An update that was sent again and succeeded, and one after it without an answer."""
    first = consent.tell("update_consent? 201")
    consent.resolve(first, Outcome.UNKNOWN)
    consent.append(Resent(consent.now, first.id))
    consent.resolve(first)
    consent.tell("update_consent? 300")
    return consent


def test_the_first_request_of_what_was_sent_again_may_have_arrived_too(sent_twice):
    assert inquire(sent_twice, list_of("A B")) == ".7 succeeded, may_be_another .7"


def test_as_many_as_were_sent_are_listed_and_all_are_known(sent_twice):
    # Which of them came last is not; that is what stands aside.
    assert inquire(sent_twice, list_of("A B C")) == ".7 succeeded, amount_missing"


@pytest.mark.parametrize(
    "source", [Source.REPLY, Source.NOTIFICATION], ids=["a reply", "a notification"]
)
def test_what_the_gateway_declined_cannot_have_succeeded(consent, source):
    first = consent.tell("update_consent? 201")
    consent.resolve(first, Outcome.DECLINED, source=source)
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".5 succeeded"


def test_what_never_left_cannot_have_arrived(consent):
    # The transport itself says so: no time has to pass for that.
    first = consent.tell("update_consent? 201")
    consent.resolve(first, Outcome.DECLINED, never_sent=True)
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".5 succeeded"


def test_what_set_the_same_amount_leaves_no_doubt_about_it(consent):
    give_up(consent, consent.tell("update_consent? 300"))
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ".5 succeeded"


def test_both_are_listed_and_which_came_last_is_not_known(consent):
    give_up(consent, consent.tell("update_consent? 201"))
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A B")) == ".5 succeeded, amount_missing"


def test_the_doubt_does_not_hide_what_arrives_later(consent):
    give_up(consent, consent.tell("update_consent? 201"))
    consent.tell("update_consent? 300")
    inquire(consent, list_of("A"))
    sign_for(consent)
    assert consent.transaction.discrepancies == {}
    assert inquire(consent, list_of("A B")) == "amount_missing"


def test_a_success_with_its_amount_is_never_in_doubt(story):
    past = story("one_time", "authorize 500, capture")
    give_up(past, past.tell("refund? 50"))
    past.tell("refund? 60")
    capture = list_of("C", "capture", 500)
    assert inquire(past, [*capture, *list_of("A", "refund", 60)]) == ".7 succeeded"


def test_an_amount_that_is_not_told_may_be_that_of_another_open_one(story):
    # Another gateway, that tells the amounts of no refund.
    past = story("one_time", "authorize 500, capture, refund? 50, refund? 60")
    for operation in tuple(past.transaction.operations.values()):
        past.resolve(operation, Outcome.UNKNOWN)
    capture = list_of("C", "capture", 500)
    assert inquire(past, [*capture, *list_of("A", "refund")]) == (
        ".5 succeeded, may_be_another .5"
    )
    assert inquire(past, [*capture, *list_of("A B", "refund")]) == ".6 succeeded"


def test_two_that_are_both_listed_leave_no_doubt(story):
    past = story("one_time", "authorize 500, capture, refund? 50, refund? 60")
    for operation in tuple(past.transaction.operations.values()):
        past.resolve(operation, Outcome.UNKNOWN)
    capture = list_of("C", "capture", 500)
    both = [*capture, *list_of("A B", "refund")]
    assert inquire(past, both) == ".5 succeeded, .6 succeeded"


# ── what was listed before ──────────────────────────────────────────────────────────


def test_what_stood_aside_before_an_operation_began_is_not_about_it(consent):
    # An update in the portal, that an operator has signed for; ours was lost.
    assert inquire(consent, list_of("A")) == "amount_missing"
    sign_for(consent)
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("A")) == ""
    assert inquire(consent, list_of("A B")) == ".5 succeeded"


def test_without_an_exchange_nobody_can_tell_that_it_is_the_same(consent):
    assert inquire(consent, list_of("-")) == "amount_missing"
    consent.tell("close")
    consent.tell("update_consent? 300")
    assert inquire(consent, list_of("-")) == ".5 succeeded"


def test_what_was_applied_after_all_stands_aside_no_more(story):
    past = story("one_time", "authorize 500, capture")
    (listed,) = list_of("A", "refund", 50)
    aside = past.evidence("refund", amount=50, exchange="A", source=Source.INQUIRY)
    past.append(Discrepancy(past.now, "operation_open", aside))
    past.tell("close")
    later = past.tell("refund? 50")
    assert about(past, listed) == []
    past.append(External(past.now, "refund", 50, aside))
    assert about(past, listed) == [later]


@pytest.mark.parametrize(
    "other",
    [
        {"exchange": "B"},
        {"source": Source.NOTIFICATION},
    ],
    ids=["another exchange", "a notification, whose exchanges are its own"],
)
def test_what_else_stood_aside_says_nothing_of_it(consent, other):
    past = {"exchange": "A", "source": Source.INQUIRY, **other}
    evidence = consent.evidence(UPDATE, **past)
    consent.append(Discrepancy(consent.now, "amount_missing", evidence))
    consent.tell("close")
    operation = consent.tell("update_consent? 300")
    (listed,) = list_of("A")
    assert about(consent, listed) == [operation]


def refunds_in_flight(story, first_listed):
    """Two refunds of 50; one of the gateway's, `A`, was listed after so many began."""
    past = story("one_time", "authorize 500, capture")
    for number in range(3):
        if number == first_listed:
            aside = past.evidence(
                "refund", amount=50, exchange="A", source=Source.INQUIRY
            )
            past.append(Discrepancy(past.now, "state_not_allowed", aside))
            past.tell("close")
        if number < 2:
            past.begin("refund", 50)
    return past


def test_what_was_listed_before_both_began_does_not_say_that_both_succeeded(story):
    past = refunds_in_flight(story, 0)
    known = [*list_of("C", "capture", 500), *list_of("D", "refund", 10)]
    known[1] = attrs.evolve(known[1], operation="desk-7")
    seen = inquire(past, [*known, *list_of("A B", "refund", 50)])
    assert seen == "external refund 10, external refund 50"
    assert len(past.transaction.operations) == 2


def test_what_was_listed_before_the_second_began_is_the_first_ones(story):
    past = refunds_in_flight(story, 1)
    first, second = (name[-1:] for name in past.transaction.operations)
    known = list_of("C", "capture", 500)
    assert inquire(past, [*known, *list_of("A B", "refund", 50)]) == (
        f".{first} succeeded, .{second} succeeded"
    )


def test_what_is_listed_again_under_one_id_is_new_once_the_first_has_its_place(story):
    past = refunds_in_flight(story, 1)
    first, second = (name[-1:] for name in past.transaction.operations)
    known = list_of("C", "capture", 500)
    assert inquire(past, [*known, *list_of("A A", "refund", 50)]) == (
        f".{first} succeeded, .{second} succeeded"
    )


# ── a late reply, after an inquiry told of another one alike ─────────────────────────


@pytest.mark.parametrize(
    ("outcome", "more", "counted"),
    [
        (Outcome.SUCCEEDED, {}, True),
        (Outcome.DECLINED, {}, True),
        (Outcome.PENDING, {}, True),
        (Outcome.UNKNOWN, {}, False),
        (Outcome.SUCCEEDED, {"source": Source.REPLY}, False),
        (Outcome.SUCCEEDED, {"source": Source.NOTIFICATION}, False),
        (Outcome.DECLINED, {"never_sent": True}, False),
    ],
)
def test_a_late_reply_may_be_about_what_a_inquiry_counted_for_another_one(
    story, outcome, more, counted
):
    past = story(
        "one_time", "authorize 200, capture, refund? 60, refund? 60, refund? 50"
    )
    first, second, other = past.transaction.operations.values()
    past.resolve(first, outcome, amount=60, **{"source": Source.INQUIRY, **more})
    assert is_attributed_to_another(past.attempts, second) is counted
    assert is_attributed_to_another(past.attempts, first) is False
    assert is_attributed_to_another(past.attempts, other) is False


def test_what_was_told_before_an_operation_began_was_not_about_it(story):
    past = story("one_time", "authorize 200, capture, refund? 60")
    (first,) = past.transaction.operations.values()
    past.resolve(first, Outcome.DECLINED, source=Source.INQUIRY)
    second = past.begin("refund", 60)
    assert is_attributed_to_another(past.attempts, second) is False
    third = past.begin("refund", 60)
    past.resolve(third, source=Source.INQUIRY)
    assert is_attributed_to_another(past.attempts, second) is True
    assert is_attributed_to_another(past.attempts, third) is False


def test_another_command_of_the_same_amount_is_not_alike(story):
    past = story("one_time", "authorize 60, capture? 60")
    (capture,) = past.transaction.operations.values()
    past.resolve(capture, source=Source.INQUIRY)
    refund = past.begin("refund", 60)
    assert is_attributed_to_another(past.attempts, refund) is False


def test_what_was_counted_without_an_amount_may_have_been_of_any(story):
    past = story("one_time", "authorize 200, capture, refund? 60, refund? 50")
    first, second = past.transaction.operations.values()
    past.resolve(first, source=Source.INQUIRY)
    assert is_attributed_to_another(past.attempts, second) is True
    assert is_attributed_to_another(past.attempts, first) is False
