"""Counting what an inquiry lists: news resolves what is open, the rest came from outside.

Each case is a history, the gateway's list, and the events that bring both in step. In
a list `capture 600` succeeded, `capture! 600` failed, `capture~ 600` is pending.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.listing import (
    resolve_listing,
    unaccounted,
    unconfirmed,
)
from kessai.gateway import ListedExchange, Outcome, Source
from kessai.machine import (
    Denied,
    Discrepancy,
    External,
    Lapsed,
    Phase,
    Reported,
    Resent,
)

MARKS = {"!": Outcome.DECLINED, "~": Outcome.PENDING, "?": Outcome.UNKNOWN}


def listed(line):
    listing = []
    for item in filter(None, map(str.strip, line.split(","))):
        name, *amount = item.split()
        listing.append(
            ListedExchange(
                command=name.rstrip("!~?"),
                outcome=MARKS.get(name[-1], Outcome.SUCCEEDED),
                amount=int(amount[0]) if amount else None,
            )
        )
    return listing


def inquire(past, line):
    """Resolve from a list; what it made, each event in a few words."""
    events = list(resolve_listing(past.case, listed(line)))
    for event in events:
        past.append(event)
    return ", ".join(map(words, events))


def words(event):
    match event:
        case Reported(operation=name, outcome=outcome):
            return f"{name.removeprefix('order-1')} {outcome}"
        case External(command=command, amount=amount):
            return f"external {command}" + (f" {amount}" if amount else "")
        case Discrepancy(reason=reason):
            return f"discrepancy {reason}"
        case Lapsed():
            return "lapsed"


CASES = [
    # history | what the gateway lists | what follows
    ("authorize? 100", "authorize 100", ".1 succeeded"),
    ("authorize? 100", "authorize! 100", ".1 declined"),
    ("authorize? 100", "authorize~ 100", ".1 pending"),
    ("authorize? 100", "", ""),
    ("authorize? 100", "authorize? 100", ""),
    ("authorize? 100", "authorize", ".1 succeeded"),
    ("authorize 100", "authorize 100", ""),
    ("authorize 100", "authorize 100, capture 60", "external capture 60"),
    ("authorize 100, capture? 60", "authorize 100, capture 60", ".3 succeeded"),
    ("authorize 100, capture? 60", "authorize 100, capture! 60", ".3 declined"),
    ("authorize 100, capture? 60", "authorize 100, capture~ 60", ".3 pending"),
    ("authorize 100, capture? 60", "authorize 100, capture", ".3 succeeded"),
    ("authorize 100, capture 60", "authorize 100, capture 60", ""),
    ("authorize 100, capture! 60", "authorize 100, capture! 60", ""),
    ("authorize 100, capture! 60", "authorize 100, capture!", ""),
    # Its amount differs from what was asked: nobody asked for that.
    ("authorize 100, capture? 60", "capture 50", "discrepancy operation_open"),
    # A failure listed earlier is not the fate of the second attempt.
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60",
        "",
    ),
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60, capture! 60",
        ".5 declined",
    ),
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60, capture 60",
        ".5 succeeded",
    ),
    # Two equal refunds, of which one has arrived already.
    (
        "authorize 200, capture, refund 60, refund? 60",
        "authorize 200, capture 200, refund 60",
        "",
    ),
    (
        "authorize 200, capture, refund 60, refund? 60",
        "authorize 200, capture 200, refund 60, refund 60",
        ".7 succeeded",
    ),
    # An amount that the list does not tell takes what the told ones leave.
    ("authorize 200, capture, refund 60, refund 50", "refund, refund 60", ""),
    (
        "authorize 200, capture, refund 60, refund? 50",
        "refund, refund 60",
        ".7 succeeded",
    ),
    # Both may be in flight: one success on the list could be either's.
    ("authorize 200, capture, refund? 60, refund? 60", "refund 60", ""),
    (
        "authorize 200, capture, refund? 60, refund? 60",
        "refund 60, refund 60",
        ".5 succeeded, .6 succeeded",
    ),
    ("authorize 200, capture, refund? 60, refund? 50", "refund 50", ".6 succeeded"),
    ("authorize 200, capture, refund? 60, refund? 50", "refund", ""),
    (
        "authorize 200, capture, refund? 60",
        "refund 60, refund 30",
        ".5 succeeded, external refund 30",
    ),
    ("authorize 200, capture, refund? 60", "refund 30", "external refund 30"),
    # Outside: applied where allowed, else kept.
    ("authorize 100", "authorize 100, cancel", "external cancel"),
    ("authorize 100", "authorize 100, cancel 100", "external cancel"),
    ("authorize 100, cancel", "authorize 100, cancel 100", ""),
    ("authorize 100, capture", "capture 100, refund 30", "external refund 30"),
    ("authorize 100, capture", "refund 300", "discrepancy amount_out_of_bounds"),
    ("authorize 100, capture", "cancel", "discrepancy state_not_allowed"),
    ("authorize 100, capture", "refund", "discrepancy amount_missing"),
    ("authorize 100", "expire", "lapsed"),
    ("authorize 100, expire", "expire", ""),
    ("authorize 100, capture", "expire", "discrepancy state_not_allowed"),
    ("authorize 100", "capture! 60, refund~ 5, cancel?", ""),
    ("authorize 100", "get_address, get_address!", ""),
    ("authorize 100, get_address?", "get_address", ""),
    ("authorize 100", "chargeback 100", "discrepancy not_in_lifecycle"),
    ("authorize 100", "chargeback! 100", ""),
    # Our attempt failed because it had happened outside before.
    (
        "authorize 100, capture? 60",
        "authorize 100, cancel, capture! 60",
        ".3 declined, external cancel",
    ),
    ("authorize 100, capture? 60", "capture! 60, expire", ".3 declined, lapsed"),
    # The amount of an opening command may change on the merchant's page.
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 150, update_authorization 150",
        ".2 succeeded, .1 succeeded",
    ),
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 100, update_authorization! 150",
        ".1 succeeded, .2 declined",
    ),
    (
        "authorize? 100 merchant_page",
        "authorize 150, update_authorization 150",
        "external update_authorization 150, .1 succeeded",
    ),
    # The consumer had finished before the update came: both happened, in this order.
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 100, update_authorization 150",
        ".2 succeeded, .1 succeeded",
    ),
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 120, update_authorization 150",
        ".2 succeeded, discrepancy amount_differs",
    ),
    (
        "authorize? 100 merchant_page, update_authorization 150",
        "authorize 100, chargeback 1",
        "discrepancy amount_differs, discrepancy not_in_lifecycle",
    ),
    (
        "authorize? 100 merchant_page, get_address?",
        "authorize 99, update_authorization 150",
        "external update_authorization 150, discrepancy amount_differs",
    ),
    ("authorize? 100", "authorize 99", "discrepancy amount_differs"),
    ("authorize 100", "authorize 99", ""),
    # What sets an amount anew must not be applied after what followed it.
    (
        "authorize 100, update_authorization 120",
        "update_authorization 150, update_authorization 120",
        "discrepancy contradicts_earlier",
    ),
    (
        "authorize 100, update_authorization 120",
        "update_authorization 120, update_authorization 150",
        "external update_authorization 150",
    ),
    (
        "authorize 100, update_authorization! 120",
        "update_authorization 150, update_authorization! 120",
        "external update_authorization 150",
    ),
    (
        "authorize 100",
        "update_authorization 150, authorize 100",
        "external update_authorization 150",
    ),
    (
        "authorize 100",
        "update_authorization 150, update_authorization 120",
        "external update_authorization 150, external update_authorization 120",
    ),
    # But each refund stands for itself, and a second cancel is no amount.
    (
        "authorize 100, capture, refund 20",
        "refund 30, refund 20",
        "external refund 30",
    ),
    (
        "authorize 100, cancel",
        "cancel, cancel",
        "discrepancy state_not_allowed",
    ),
    ("authorize 100, expire", "expire, expire", "discrepancy state_not_allowed"),
    (
        "authorize 100",
        "chargeback 30, chargeback 30",
        "discrepancy not_in_lifecycle, discrepancy not_in_lifecycle",
    ),
    # A failure may tell of the amount that was first applied for.
    (
        "authorize? 100 merchant_page, update_authorization 150",
        "authorize! 100, update_authorization 150",
        ".1 declined",
    ),
]


@pytest.mark.parametrize(("history", "gateway", "expected"), CASES)
def test_a_inquiry_brings_the_transaction_in_step(story, history, gateway, expected):
    found = inquire(story("one_time", history), gateway)
    assert found == expected


@pytest.mark.parametrize(("history", "gateway", "expected"), CASES)
def test_the_same_list_a_second_time_is_no_news(story, history, gateway, expected):
    past = story("one_time", history)
    inquire(past, gateway)
    assert inquire(past, gateway) == ""


def test_pending_and_then_done_are_two_pieces_of_news(story):
    past = story("one_time", "authorize 100, capture? 60")
    assert inquire(past, "capture~ 60") == ".3 pending"
    assert inquire(past, "capture~ 60") == ""
    assert inquire(past, "capture 60") == ".3 succeeded"
    assert inquire(past, "capture~ 60, capture 60") == ""


def test_pending_never_falls_back_to_unknown(story):
    past = story("one_time", "authorize 100, capture? 60")
    inquire(past, "capture~ 60")
    inquire(past, "capture? 60")
    (operation,) = past.transaction.operations.values()
    assert operation.phase is Phase.PENDING


def test_what_waits_for_an_open_operation_is_applied_once_that_has_ended(story):
    past = story("one_time", "authorize 100, capture? 60")
    assert inquire(past, "cancel") == "discrepancy operation_open"
    assert inquire(past, "cancel") == ""
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.DECLINED)
    assert inquire(past, "cancel") == "external cancel"
    assert inquire(past, "cancel") == ""
    assert past.status == "payment.cancelled"


@pytest.mark.parametrize(
    ("first", "second", "gateway", "expected"),
    [
        # One is known to be pending: a list of one pending is about that one.
        ("pending", "unknown", "refund~ 60", ""),
        ("pending", "unknown", "refund~ 60, refund~ 60", ".6 pending"),
        ("pending", "begun", "refund~ 60, refund~ 60", ".6 pending"),
        ("unknown", "unknown", "refund~ 60", ".5 pending"),
        ("unknown", "begun", "refund~ 60", ""),
        # What has surely arrived ends before what may never have.
        ("unknown", "pending", "refund 60", ".6 succeeded"),
        ("pending", "unknown", "refund 60", ".5 succeeded"),
        ("unknown", "begun", "refund 60", ""),
        ("unknown", "begun", "refund 60, refund! 60", ""),
        ("unknown", "unknown", "refund 60, refund! 60", ".5 succeeded, .6 declined"),
    ],
)
def test_two_refunds_alike_are_told_apart_by_how_far_they_are(
    story, first, second, gateway, expected
):
    past = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    refunds = tuple(past.transaction.operations.values())
    for operation, phase in zip(refunds, (first, second), strict=True):
        if phase != "begun":
            past.resolve(operation, Outcome(phase))
    assert inquire(past, gateway) == expected


def test_what_was_sent_first_ends_first_whatever_was_begun_first(story):
    """The first was sent again: that request may be on its way still."""
    past = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    first, second = past.transaction.operations.values()
    past.resolve(first, Outcome.UNKNOWN)
    past.now += timedelta(minutes=11)
    past.append(Resent(past.now, first.id))
    for operation in (first, second):
        past.resolve(operation, Outcome.UNKNOWN)
    assert inquire(past, "refund 60") == ".6 succeeded"


@pytest.mark.parametrize(
    ("earlier", "gateway", "expected"),
    [
        ("chargeback 30", "chargeback 30", ""),
        ("chargeback 30", "chargeback 40", "discrepancy not_in_lifecycle"),
        ("chargeback 30", "dispute 30", "discrepancy not_in_lifecycle"),
        ("chargeback! 30", "chargeback 30", "discrepancy not_in_lifecycle"),
        # What is listed twice is kept twice.
        (
            "chargeback 30",
            "chargeback 30, chargeback 30",
            "discrepancy not_in_lifecycle",
        ),
        # What does not say how much is taken for the one that is kept already.
        ("chargeback 30", "chargeback", ""),
        ("chargeback", "chargeback 30", ""),
    ],
)
def test_what_fits_nothing_is_kept_once_for_each_time_it_is_listed(
    story, earlier, gateway, expected
):
    past = story("one_time", "authorize 100, capture")
    (exchange,) = listed(earlier)
    evidence = past.evidence(exchange.command, exchange.outcome, exchange.amount)
    past.append(Discrepancy(past.now, "not_in_lifecycle", evidence))
    assert inquire(past, gateway) == expected


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        ("refund 30, refund 30", ""),
        ("refund 30, refund 30, refund 30", "external refund 30"),
        ("refund 20", "external refund 20"),
        ("refund! 30", ""),
    ],
)
def test_each_refund_from_outside_accounts_for_one_of_its_amount(
    story, gateway, expected
):
    past = story("one_time", "authorize 100, capture")
    assert inquire(past, "refund 30, refund 30") == (
        "external refund 30, external refund 30"
    )
    assert inquire(past, gateway) == expected


def test_each_deadline_that_passed_accounts_for_one_expiry(story):
    """A lifecycle may declare more than one deadline."""
    past = story("one_time", "authorize 100, expire")
    past.append(Lapsed(past.now, "another"))
    assert inquire(past, "expire, expire") == ""


def test_a_failure_told_with_another_amount_is_the_one_that_is_listed_with_it(story):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.DECLINED, 50)
    past.tell("capture? 50")
    assert inquire(past, "capture! 50") == ""
    assert inquire(past, "capture! 50, capture! 50") == ".5 declined"


AT = datetime(2025, 12, 31, 15, 0, tzinfo=UTC)
"""When the gateway says it happened: before the inquiry, in its own words."""


def resolved(past, **listed):
    listed = ListedExchange(
        **{"outcome": Outcome.SUCCEEDED, "exchange": "x-9", "at": AT, **listed}
    )
    return list(resolve_listing(past.case, [listed]))


def listed_evidence(past, command, **more):
    more = {"source": Source.INQUIRY, "exchange": "x-9", "reported_at": AT, **more}
    return past.evidence(command, **more)


def test_what_the_gateway_lists_of_an_operation_is_its_evidence(story):
    past = story("one_time", "authorize 100, capture? 60")
    evidence = listed_evidence(past, "capture", amount=60)
    assert resolved(past, command="capture", amount=60) == [
        Reported(past.now, "order-1.3", Outcome.SUCCEEDED, evidence)
    ]


def test_what_the_gateway_lists_of_an_external_command_is_its_evidence(story):
    past = story("one_time", "authorize 100")
    evidence = listed_evidence(past, "capture", amount=60)
    assert resolved(past, command="capture", amount=60) == [
        External(past.now, "capture", 60, evidence)
    ]


def test_what_is_listed_and_contradicts_a_later_success_is_kept_as_it_was_told(story):
    past = story("one_time", "authorize 100, update_authorization 120")
    listing = [
        ListedExchange(
            command="update_authorization", outcome=Outcome.SUCCEEDED, amount=amount
        )
        for amount in (150, 120)
    ]
    evidence = past.evidence("update_authorization", amount=150, source=Source.INQUIRY)
    assert list(resolve_listing(past.case, listing)) == [
        Discrepancy(past.now, "contradicts_earlier", evidence)
    ]


def test_an_opening_that_an_update_overtook_is_resolved_without_its_amount(story):
    """Its own amount was right when it succeeded, and is no longer what is expected."""
    past = story("one_time", "authorize? 100 merchant_page, update_authorization 150")
    listing = listed("authorize 100, update_authorization 150")
    evidence = past.evidence("authorize", source=Source.INQUIRY)
    assert list(resolve_listing(past.case, listing)) == [
        Reported(past.now, "order-1.1", Outcome.SUCCEEDED, evidence)
    ]


def test_an_opening_shows_the_amount_that_an_update_beside_it_has_set(story):
    past = story("one_time", "authorize? 100 merchant_page, update_authorization? 150")
    events = resolve_listing(
        past.case, listed("authorize 150, update_authorization 150")
    )
    evidence = [
        past.evidence(command, amount=150, source=Source.INQUIRY)
        for command in ("update_authorization", "authorize")
    ]
    assert list(events) == [
        Reported(past.now, "order-1.2", Outcome.SUCCEEDED, evidence[0]),
        Reported(past.now, "order-1.1", Outcome.SUCCEEDED, evidence[1]),
    ]


def test_an_update_from_outside_comes_before_the_opening_that_it_changed(story):
    past = story("one_time", "authorize? 100 merchant_page")
    inquire(past, "authorize 150, update_authorization 150, capture 150")
    assert past.status == "payment.captured"
    assert past.amounts("authorizing", "authorized", "captured") == (0, 150, 150)


# ── what the list does not account for, and what the trail does not ─────────────────


@pytest.mark.parametrize(
    ("history", "gateway", "missing"),
    [
        ("authorize 100, capture 60", "authorize 100, capture 60", []),
        ("authorize 100, capture 60", "authorize 100, capture", []),
        ("authorize 100, capture 60", "authorize 100", [("capture", 60)]),
        ("authorize 100, capture 60", "authorize, capture 50", [("capture", 60)]),
        ("authorize 100, capture 60", "authorize, capture! 60", [("capture", 60)]),
        ("authorize 100, capture 60", "", [("authorize", None), ("capture", 60)]),
        # What a transaction has one of is known without its amount.
        ("authorize 100", "authorize 99", []),
        ("authorize 100, cancel", "authorize", [("cancel", None)]),
        # Each counts: two refunds alike are two, and the named go before the unnamed.
        (
            "authorize 90, capture, refund 9, refund 9",
            "authorize, capture",
            [("refund", 9), ("refund", 9)],
        ),
        (
            "authorize 90, capture, refund 9, refund 9",
            "authorize, capture, refund 9",
            [("refund", 9)],
        ),
        (
            "authorize 90, capture, refund 9, refund 5",
            "authorize, capture, refund, refund 9",
            [],
        ),
        # What failed, what is open, what was read and what lapsed needs no list.
        ("authorize! 100", "", []),
        ("authorize 100, capture? 60", "authorize", []),
        ("authorize 100, get_address", "authorize", []),
        ("authorize 100, expire", "authorize", []),
    ],
)
def test_a_success_that_the_list_does_not_show_is_named(
    story, history, gateway, missing
):
    past = story("one_time", history)
    found = unconfirmed(past.machine, past.attempts, listed(gateway))
    assert found == tuple(Unconfirmed(command, amount) for command, amount in missing)


def test_an_external_success_too_must_stay_on_the_list(story):
    past = story("one_time", "authorize 100")
    inquire(past, "authorize 100, cancel")
    assert unconfirmed(past.machine, past.attempts, listed("authorize 100")) == (
        Unconfirmed("cancel", None),
    )


@pytest.mark.parametrize(
    ("history", "gateway", "unknown"),
    [
        ("authorize 100, capture 60", "authorize 100, capture 60", ""),
        ("authorize 100", "authorize 100, capture 60", "capture 60"),
        ("authorize 100, capture 60", "capture! 60, capture 60", "capture! 60"),
        ("authorize 100, capture! 60", "capture! 60, capture 60", "capture 60"),
        ("authorize 100", "capture! 60, cancel", "cancel, capture! 60"),
        ("authorize 100, capture? 60", "capture 60", "capture 60"),
        # Neither a read nor what has not ended is an end.
        ("authorize 100", "get_address, get_address!, capture~ 60, refund? 5", ""),
        ("authorize 100", "chargeback 60", "chargeback 60"),
    ],
)
def test_an_end_that_the_trail_does_not_account_for_is_named(
    story, history, gateway, unknown
):
    past = story("one_time", history)
    found = unaccounted(past.case, listed(gateway))
    assert found == listed(unknown)


# ── what does not account for another ───────────────────────────────────────────────


def test_two_unknown_refunds_alike_take_the_successes_in_turn(story):
    past = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    for operation in tuple(past.transaction.operations.values()):
        past.resolve(operation, Outcome.UNKNOWN)
    assert inquire(past, "refund 60") == ".5 succeeded"
    assert inquire(past, "refund 60, refund 60") == ".6 succeeded"


def test_a_success_told_by_a_notification_is_not_counted_again_for_another(story):
    past = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    first, _ = past.transaction.operations.values()
    past.resolve(first, amount=60)
    assert inquire(past, "refund 60") == ""
    assert len(past.transaction.operations) == 1


def test_what_was_told_with_the_amount_of_the_whole_is_not_news_without_it(story):
    past = story("one_time", "authorize 100, cancel?")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, amount=100)
    assert inquire(past, "cancel") == ""
    assert inquire(past, "cancel 100") == ""


def test_what_never_left_is_not_the_failure_that_the_gateway_lists(story):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.DECLINED, never_sent=True)
    past.tell("capture? 60")
    assert inquire(past, "capture! 60") == ".5 declined"


def test_evidence_kept_before_the_transaction_came_to_be_does_not_hide_the_answer(
    story,
):
    past = story("one_time")
    evidence = past.evidence("authorize", amount=100)
    past.append(Discrepancy(past.now, "unknown_transaction", evidence))
    past.close(1)
    past.begin("authorize", 100)
    assert inquire(past, "authorize 100") == ".3 succeeded"


def test_a_denied_attempt_accounts_for_nothing(story):
    past = story("one_time", "authorize 100")
    denial = past.ask("refund", 60)
    past.append(Denied(past.now, "refund", "k", "", denial.reasons, 60))
    assert inquire(past, "authorize 100, capture 100, refund 60") == (
        "external capture 100, external refund 60"
    )


def test_in_a_recurring_payment_the_consent_is_resolved_with_the_payment(story):
    past = story("recurring", "authorize? 100")
    assert inquire(past, "authorize 100, capture 100, terminate") == (
        ".1 succeeded, external capture 100, external terminate"
    )
    assert past.status == "consent.terminated payment.captured"


OURS = st.lists(
    st.tuples(st.sampled_from([10, 20]), st.booleans()), min_size=1, max_size=6
)


@given(OURS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_complete_list_resolves_everything_in_any_order(story, ours, random):
    """Whatever each refund's fate, a list of them all ends them all, and adds up."""
    past = story("one_time", "authorize 1000, capture")
    listing = []
    for amount, went_well in ours:
        past.resolve(past.begin("refund", amount), Outcome.UNKNOWN)
        listing.append(f"refund{'' if went_well else '!'} {amount}")
    random.shuffle(listing)
    inquire(past, ", ".join(listing))
    assert past.transaction.operations == {}
    refunded = sum(amount for amount, went_well in ours if went_well)
    assert past.amounts("refunded", "refunding") == (refunded, 0)
    assert inquire(past, ", ".join(listing)) == ""
