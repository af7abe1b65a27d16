"""What an exchange is about, where the inquiry lists it with an id that we know.

Each case is a history, what is listed, and the events that bring both in step. In a list
`refund 60 @5` echoes our id of the operation that event 5 began, `refund 60 #X` has the
gateway's id `X`; `refund! 60` failed, `refund~ 60` is pending.
"""

import pytest

from kessai.evidence.absence import Missing, Presumption, read_listing
from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.listing import resolve_listing, unconfirmed
from kessai.evidence.outcome import presumed_lost
from kessai.gateway import ListedExchange, Outcome
from kessai.machine import Discrepancy, External, Reported

MARKS = {"!": Outcome.DECLINED, "~": Outcome.PENDING}
CAPTURED = "authorize 200, capture"
ITSELF = "authorize 200 @1, capture 200 @3"


def exchange(item):
    name, *words = item.split()
    ids = {word[0]: word[1:] for word in words if word[0] in "@#"}
    amounts = [int(word) for word in words if word.isdigit()]
    return ListedExchange(
        command=name.rstrip("!~"),
        outcome=MARKS.get(name[-1], Outcome.SUCCEEDED),
        amount=amounts[0] if amounts else None,
        exchange=ids.get("#"),
        operation=f"order-1.{ids['@']}" if "@" in ids else None,
    )


def listing(line):
    return tuple(map(exchange, line.split(",")))


def words(event):
    match event:
        case Reported(operation=name, outcome=outcome):
            return f"{name.removeprefix('order-1')} {outcome}"
        case External(command=command, amount=amount):
            return f"external {command} {amount}"
        case Discrepancy(reason=reason, operation=name):
            return (
                f"discrepancy {reason} {(name or '').removeprefix('order-1')}".strip()
            )


def inquire(past, line):
    events = list(resolve_listing(past.case, listing(line)))
    assert {event.at for event in events} <= {past.now}
    for event in events:
        past.append(event)
    return ", ".join(map(words, events))


TWO = f"{CAPTURED}, refund? 60, refund? 60"

CASES = [
    # history | what the gateway lists | what follows
    # By command and amount it would be the first one's, or nobody's as yet.
    (TWO, f"{ITSELF}, refund 60 @6", ".6 succeeded"),
    (TWO, f"{ITSELF}, refund @6", ".6 succeeded"),
    (TWO, f"{ITSELF}, refund! 60 @6", ".6 declined"),
    (TWO, f"{ITSELF}, refund~ 60 @6", ".6 pending"),
    (TWO, f"{ITSELF}, refund 60 @6, refund! 60 @5", ".6 succeeded, .5 declined"),
    # What bears no id is about what no other one claims, wherever it stands in the list.
    (TWO, f"{ITSELF}, refund 60, refund 60 @5", ".5 succeeded, .6 succeeded"),
    (
        TWO,
        f"{ITSELF}, refund 60, refund 50 @5",
        ".6 succeeded, discrepancy amount_differs .5",
    ),
    # The success of the one does not account for what is listed of the other.
    (
        f"{CAPTURED}, refund 60, refund? 60",
        f"{ITSELF}, refund 60 @7",
        ".7 succeeded",
    ),
    (f"{CAPTURED}, refund 60, refund? 60", f"{ITSELF}, refund 60 @5", ""),
    # An id that is none of ours: from outside, whatever is open.
    (
        f"{CAPTURED}, refund? 60",
        f"{ITSELF}, refund 60 @desk",
        "external refund 60",
    ),
    (
        f"{CAPTURED}, refund 60, refund? 60",
        f"{ITSELF}, refund 60 @5, refund 60 @desk",
        "external refund 60",
    ),
    # It is ours, but not what was asked for.
    (
        f"{CAPTURED}, refund? 60",
        f"{ITSELF}, refund 50 @5",
        "discrepancy amount_differs .5",
    ),
    (
        f"{CAPTURED}, refund 60",
        f"{ITSELF}, refund 50 @5",
        "discrepancy contradicts_earlier .5",
    ),
    # A failure moved nothing, whatever amount it names.
    (f"{CAPTURED}, refund? 60", f"{ITSELF}, refund! 50 @5", ".5 declined"),
    # One id twice: the gateway did it twice.
    (
        f"{CAPTURED}, refund 60",
        f"{ITSELF}, refund 60 @5, refund 60 @5",
        "external refund 60",
    ),
    # It had declined, and then carried it out.
    (f"{CAPTURED}, refund! 60", f"{ITSELF}, refund 60 @5", "external refund 60"),
    # An id of an operation of another command says nothing.
    (f"{CAPTURED}, refund? 60", f"{ITSELF}, refund 60 @3", ".5 succeeded"),
    # The update is applied first, then the authorization shows what it changed.
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 150 @1, update_authorization 150 @2",
        ".2 succeeded, .1 succeeded",
    ),
]


@pytest.mark.parametrize(("history", "line", "events"), CASES)
def test_our_id_says_what_an_exchange_is_about(story, history, line, events):
    lifecycle = "recurring" if "update" in history else "one_time"
    past = story(lifecycle, history)
    assert inquire(past, line) == events
    assert inquire(past, line) == ""  # and the same list again is nothing new


def test_an_exchange_of_an_attempt_is_known_again_by_the_gateways_id(story):
    """Both refunds are pending; the reply to the second has given its exchange as `Y`."""
    past = story("one_time", TWO)
    first, second = past.transaction.operations.values()
    past.resolve(first, Outcome.PENDING, exchange="X")
    past.resolve(second, Outcome.PENDING, exchange="Y")
    assert inquire(past, f"{ITSELF}, refund~ 60 #X, refund~ 60 #Y") == ""
    assert inquire(past, f"{ITSELF}, refund 60 #Y") == ".6 succeeded"
    assert inquire(past, f"{ITSELF}, refund 60 #Y, refund! 60 #X") == ".5 declined"


def test_our_id_goes_before_the_gateways(story):
    past = story("one_time", TWO)
    first, _ = past.transaction.operations.values()
    past.resolve(first, Outcome.PENDING, exchange="X")
    assert inquire(past, f"{ITSELF}, refund 60 @6 #X") == ".6 succeeded"


def test_an_id_that_the_gateway_gave_to_two_attempts_is_that_of_none(story):
    past = story("one_time", TWO)
    for operation in tuple(past.transaction.operations.values()):
        past.resolve(operation, Outcome.PENDING, exchange="X")
    assert inquire(past, f"{ITSELF}, refund 60 #X") == ".5 succeeded"


def test_what_came_from_outside_is_known_again_by_the_gateways_id(story):
    """The list names the new one first: the old one is not taken for that of order.6."""
    past = story("one_time", CAPTURED)
    assert inquire(past, f"{ITSELF}, refund 60 #X") == "external refund 60"
    past.tell("close")
    past.tell("refund? 60")
    assert inquire(past, f"{ITSELF}, refund 60 #X") == ""
    assert inquire(past, f"{ITSELF}, refund 60 #Y, refund 60 #X") == ".7 succeeded"
    assert past.events[-1].evidence.exchange == "Y"


def test_an_operation_may_have_the_id_that_a_lost_one_had(story):
    """A restored store: what it has found to be external is not of the new order.6."""
    past = story("one_time", CAPTURED)
    assert inquire(past, f"{ITSELF}, refund 60 @6 #X") == "external refund 60"
    past.tell("refund? 50")
    assert inquire(past, f"{ITSELF}, refund 60 @6 #X") == ""
    assert inquire(past, f"{ITSELF}, refund 60 @6 #X, refund 50 @6 #Y") == (
        ".6 succeeded"
    )


def test_the_trail_keeps_which_operation_a_listed_exchange_echoed(story):
    past = story("one_time", TWO)
    inquire(past, f"{ITSELF}, refund 60 @6, refund 30 @desk")
    ours, external = past.events[-2:]
    assert (ours.operation, ours.evidence.echoed) == ("order-1.6", "order-1.6")
    assert external.evidence.echoed == "order-1.desk"


def test_a_success_is_confirmed_by_its_own_exchange_alone(story):
    past = story("one_time", f"{CAPTURED}, refund 60, refund? 60")
    seen = listing(f"{ITSELF}, refund 60 @7")
    assert unconfirmed(past.machine, past.attempts, seen) == (
        Unconfirmed("refund", 60),
    )


def unlisted(past, line, missing=Missing.DECLINE):
    found = read_listing(past.case, listing(line), Presumption(past.now, missing))
    return [operation.id.removeprefix("order-1") for operation in found]


@pytest.fixture
def two_unknown(story):
    past = story("one_time", TWO)
    for operation in tuple(past.transaction.operations.values()):
        past.resolve(operation, Outcome.UNKNOWN)
    return past


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        ("refund 60 @6", [".5"]),
        ("refund~ 60 @6", [".5"]),  # what is pending is the other one, surely
        ("refund~ 60", []),
        ("refund 60 @desk", [".5", ".6"]),
        ("refund 50 @5", [".6"]),  # not as it was asked for, but it has arrived
    ],
)
def test_only_what_bears_no_id_of_the_list_is_unlisted(two_unknown, line, left_out):
    assert unlisted(two_unknown, f"{ITSELF}, {line}") == left_out


@pytest.mark.parametrize(
    ("line", "doubted"), [("update_consent", True), ("update_consent @5", False)]
)
def test_a_success_that_bears_an_id_leaves_no_doubt_about_it(story, line, doubted):
    """Without one it may be that of the update to 201, which was presumed lost."""
    past = story("recurring", "authorize 401 consent_only")
    lost = past.tell("update_consent? 201")
    past.append(presumed_lost(lost, past.now))
    past.tell("update_consent? 300")
    doubt = ", discrepancy may_be_another .5" if doubted else ""
    assert inquire(past, f"authorize 401 @1, {line}") == f".5 succeeded{doubt}"


def test_what_explained_one_that_was_kept_does_not_hide_another_like_it(story):
    """Both of 80 are listed while ours is open, or one of them only afterwards."""
    past = story("one_time", "authorize 100, capture, refund? 50")
    listed = "authorize 100 @1, capture 100 @3, refund 80 #A"
    assert inquire(past, listed) == "discrepancy amount_out_of_bounds"
    past.resolve(*past.transaction.operations.values(), Outcome.DECLINED)
    assert inquire(past, f"{listed}, refund 80 #B") == (
        "external refund 80, discrepancy amount_out_of_bounds"
    )
    (left,) = past.transaction.discrepancies.values()
    assert left.exchange == "B"
    assert inquire(past, f"{listed}, refund 80 #B") == ""


def test_where_no_id_tells_them_apart_the_second_one_is_kept_all_the_same(story):
    past = story("one_time", "authorize 100, update_authorization? 90")
    assert inquire(past, "authorize 100, capture 60") == "discrepancy operation_open"
    past.resolve(*past.transaction.operations.values(), Outcome.DECLINED)
    assert inquire(past, "authorize 100, capture 60, capture 60") == (
        "external capture 60, discrepancy state_not_allowed"
    )
    assert list(past.transaction.discrepancies) == [past.transaction.version]
