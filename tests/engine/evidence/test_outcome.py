"""What evidence means: applied where the lifecycle allows it, else kept as a discrepancy."""

import attrs
import pytest

from kessai.evidence.outcome import close_discrepancy, presumed_lost, resolve_external
from kessai.gateway import Outcome, Source
from kessai.machine import (
    Closed,
    Discrepancy,
    External,
    Lapsed,
    Phase,
    Reported,
    broken_invariants,
)

SUCCEEDED, DECLINED = Outcome.SUCCEEDED, Outcome.DECLINED
PENDING, UNKNOWN = Outcome.PENDING, Outcome.UNKNOWN


def the_open(told):
    (operation,) = told.transaction.operations.values()
    return operation


def outside(told, command, amount=None):
    evidence = told.evidence(command, amount=amount, source=Source.INQUIRY)
    return resolve_external(told.machine, told.transaction, evidence, told.now)


@pytest.mark.parametrize(
    ("said", "phases"),
    [
        ([PENDING], [Phase.PENDING]),
        ([UNKNOWN], [Phase.UNKNOWN]),
        ([UNKNOWN, PENDING], [Phase.UNKNOWN, Phase.PENDING]),
        # Never backwards: what the gateway accepted stays accepted.
        ([PENDING, UNKNOWN], [Phase.PENDING, None]),
        ([PENDING, PENDING], [Phase.PENDING, None]),
        ([UNKNOWN, UNKNOWN], [Phase.UNKNOWN, None]),
    ],
)
def test_an_open_operation_gets_nearer_to_its_end_and_never_farther(
    story, said, phases
):
    told = story("one_time", "authorize 1000, capture?")
    operation = the_open(told)
    for outcome, phase in zip(said, phases, strict=True):
        event = told.resolve(operation, outcome)
        assert (event is None) is (phase is None)
        if phase is not None:
            assert the_open(told).phase is phase
    assert told.amounts("capturing", "captured") == (1000, 0)


@pytest.mark.parametrize("before", [None, PENDING, UNKNOWN])
@pytest.mark.parametrize(
    ("outcome", "state", "amounts"),
    [
        (SUCCEEDED, "payment.captured", (0, 600, 400)),
        (DECLINED, "payment.authorized", (0, 0, 0)),
    ],
)
def test_an_end_is_an_end_from_wherever_the_operation_was(
    story, before, outcome, state, amounts
):
    told = story("one_time", "authorize 1000, capture? 600")
    operation = the_open(told)
    if before is not None:
        told.resolve(operation, before)
    event = told.resolve(operation, outcome)
    assert isinstance(event, Reported)
    assert told.status == state
    assert told.amounts("capturing", "captured", "released") == amounts
    assert told.transaction.operations == {}


@pytest.mark.parametrize(
    ("history", "amount", "reason"),
    [
        ("authorize? 1000", 999, "amount_differs"),
        ("authorize? 1000", 1001, "amount_differs"),
        ("authorize 1000, capture? 600", 1000, "amount_differs"),
        ("authorize 1000, capture? 600", 0, "amount_differs"),
        ("authorize 1000, capture, refund? 60", 61, "amount_differs"),
        ("authorize? 9 merchant_page, update_authorization 5", 9, "amount_differs"),
    ],
)
def test_a_success_with_another_amount_is_a_discrepancy_and_moves_nothing(
    story, history, amount, reason
):
    told = story("one_time", history)
    operation = the_open(told)
    before = told.transaction
    event = told.resolve(operation, amount=amount)
    evidence = told.evidence(operation.command, amount=amount)
    assert event == Discrepancy(told.now, reason, evidence, operation.id)
    after = told.transaction
    assert (after.amounts, after.states) == (before.amounts, before.states)
    assert operation.id in after.operations
    assert after.discrepancies == (after.version,)


@pytest.mark.parametrize(
    ("history", "amount"),
    [
        ("authorize? 1000", 1000),
        ("authorize 1000, capture? 600", 600),
        ("authorize 1000, capture? 600", None),
        # What takes no amount of its own has none to differ.
        ("authorize 1000, cancel?", 1000),
        ("authorize 1000, cancel?", 3),
        ("authorize? 9 merchant_page, update_authorization 5", 5),
    ],
)
def test_a_success_with_the_expected_amount_is_applied(story, history, amount):
    told = story("one_time", history)
    assert isinstance(told.resolve(the_open(told), amount=amount), Reported)
    assert told.transaction.operations == {}


def test_a_success_in_an_impossible_state_is_a_discrepancy(story):
    told = story("one_time", "authorize 1000, capture?")
    told.transaction = attrs.evolve(told.transaction, states={"payment": "cancelled"})
    event = told.resolve(the_open(told))
    assert isinstance(event, Discrepancy)
    assert event.reason == "state_not_allowed"
    assert told.status == "payment.cancelled"


def test_a_success_that_breaks_an_invariant_is_a_discrepancy(story):
    told = story("one_time", "authorize 1000, capture, refund? 600")
    amounts = {**told.transaction.amounts, "refunded": 500}
    told.transaction = attrs.evolve(told.transaction, amounts=amounts)
    event = told.resolve(the_open(told))
    assert isinstance(event, Discrepancy)
    assert event.reason == "invariant_broken"


def test_an_update_that_would_authorize_less_than_is_captured_breaks_an_invariant(
    story,
):
    told = story("one_time", "authorize 1000, update_authorization? 100")
    amounts = {**told.transaction.amounts, "captured": 500}
    told.transaction = attrs.evolve(told.transaction, amounts=amounts)
    assert told.resolve(the_open(told)).reason == "invariant_broken"


@pytest.mark.parametrize(
    ("amounts", "broken"),
    [
        ({}, ()),
        ({"captured": 1001}, ("captured_within_authorized", "rest_released")),
        ({"captured": 600}, ("rest_released",)),
        ({"captured": 600, "released": 400}, ()),
        ({"refunded": 1}, ("refunded_within_captured",)),
        ({"released": -1}, ("amounts", "rest_released")),
        ({"authorized": 10**15}, ("amounts",)),
        (
            {"captured": 1001, "refunded": 1002},
            (
                "captured_within_authorized",
                "rest_released",
                "refunded_within_captured",
            ),
        ),
    ],
)
def test_broken_invariants_are_named(story, amounts, broken):
    told = story("one_time", "authorize 1000")
    changed = {**told.transaction.amounts, **amounts}
    bent = attrs.evolve(told.transaction, amounts=changed)
    assert broken_invariants(told.machine, bent) == broken


def test_a_transaction_that_never_began_breaks_nothing(story):
    told = story("one_time")
    assert broken_invariants(told.machine, told.transaction) == ()


@pytest.mark.parametrize(
    ("lifecycle", "history", "happened", "status"),
    [
        ("one_time", "authorize 9", "cancel", "payment.cancelled"),
        ("one_time", "authorize 9", "cancel 9", "payment.cancelled"),
        ("one_time", "authorize 9", "capture 9", "payment.captured"),
        ("one_time", "authorize 9", "capture 5", "payment.captured"),
        ("one_time", "authorize 9", "capture 1", "payment.captured"),
        ("one_time", "authorize 9, capture", "refund 9", "payment.refunded"),
        ("one_time", "authorize 9, capture", "refund 5", "payment.partially_refunded"),
        ("one_time", "authorize 9", "update_authorization 5", "payment.authorized"),
        (
            "recurring",
            "authorize 9 consent_only",
            "terminate",
            "consent.terminated",
        ),
        ("charge", "reauthorize 9", "cancel", "payment.cancelled"),
    ],
)
def test_what_happened_outside_is_applied_where_the_lifecycle_allows_it(
    story, lifecycle, history, happened, status
):
    command, *amount = happened.split()
    told = story(lifecycle, history)
    event = outside(told, command, *map(int, amount))
    assert isinstance(event, External)
    told.append(event)
    assert told.status == status
    assert broken_invariants(told.machine, told.transaction) == ()
    assert told.transaction.discrepancies == ()


def test_an_external_capture_releases_the_rest_as_ours_does(story):
    told = story("one_time", "authorize 1000")
    told.append(outside(told, "capture", 600))
    assert told.amounts("capturing", "captured", "released") == (0, 600, 400)


def test_an_external_update_moves_the_deadline(story):
    told = story("one_time", "authorize 1000")
    before = told.transaction.deadlines["authorization"]
    told.now += (before - told.now) / 2
    told.append(outside(told, "update_authorization", 500))
    assert told.transaction.deadlines["authorization"] > before


@pytest.mark.parametrize(
    ("history", "command", "amount", "reason"),
    [
        ("authorize 9", "terminate", None, "not_in_lifecycle"),
        ("authorize 9", "chargeback", 9, "not_in_lifecycle"),
        ("authorize 9", None, None, "not_in_lifecycle"),
        ("authorize 9", "authorize", 9, "not_in_lifecycle"),
        ("authorize? 9", "authorize", 8, "amount_differs"),
        ("authorize 9", "capture", None, "amount_missing"),
        ("authorize 9", "capture", 10, "amount_out_of_bounds"),
        ("authorize 9", "capture", 0, "amount_out_of_bounds"),
        ("authorize 9, capture", "refund", 10, "amount_out_of_bounds"),
        ("authorize 9, capture, refund? 5", "refund", 5, "amount_out_of_bounds"),
        ("authorize 9, capture", "cancel", None, "state_not_allowed"),
        ("authorize 9, cancel", "capture", 9, "state_not_allowed"),
        ("authorize 9", "refund", 1, "state_not_allowed"),
        ("authorize 9, capture? 5", "cancel", None, "operation_open"),
    ],
)
def test_what_happened_outside_against_the_lifecycle_is_a_discrepancy(
    story, history, command, amount, reason
):
    told = story("one_time", history)
    before = told.transaction
    event = outside(told, command, amount)
    evidence = told.evidence(command, amount=amount, source=Source.INQUIRY)
    ours = the_open(told).id if reason == "amount_differs" else None
    assert event == Discrepancy(told.now, reason, evidence, ours)
    told.append(event)
    assert told.transaction.states == before.states
    assert told.transaction.amounts == before.amounts
    assert told.transaction.discrepancies == (before.version + 1,)


@pytest.mark.parametrize(
    ("history", "bent", "happened", "reason"),
    [
        (
            "authorize 900",
            {"captured": 500},
            "update_authorization 499",
            "invariant_broken",
        ),
        ("authorize 900", {"captured": 500}, "update_authorization 500", None),
        ("authorize 900", {"captured": 1}, "capture 900", "invariant_broken"),
        (
            "authorize 900, capture",
            {"captured": 800, "released": 100},
            "refund 800",
            None,
        ),
        ("authorize 900, capture", {"captured": 800}, "refund 800", "invariant_broken"),
        ("authorize 900", {"released": -1}, "capture 9", "invariant_broken"),
        ("authorize 900", {"refunded": -1}, "capture 9", "invariant_broken"),
    ],
)
def test_what_happened_outside_must_leave_every_invariant_standing(
    story, history, bent, happened, reason
):
    told = story("one_time", history)
    amounts = {**told.transaction.amounts, **bent}
    told.transaction = attrs.evolve(told.transaction, amounts=amounts)
    command, amount = happened.split()
    evidence = told.evidence(command, amount=int(amount), source=Source.INQUIRY)
    applied = External(told.now, command, int(amount), evidence)
    kept = Discrepancy(told.now, reason, evidence)
    assert outside(told, command, int(amount)) == (kept if reason else applied)


def test_what_happened_outside_has_its_amount_in_the_event_only_if_it_takes_one(story):
    told = story("one_time", "authorize 9")
    evidence = told.evidence("cancel", amount=9, source=Source.INQUIRY)
    assert outside(told, "cancel", 9) == External(told.now, "cancel", None, evidence)


def test_an_expiry_told_by_the_gateway_is_applied_before_our_clock_says_so(story):
    told = story("one_time", "authorize 9")
    event = outside(told, "expire")
    evidence = told.evidence("expire", source=Source.INQUIRY)
    assert event == Lapsed(told.now, "authorization", evidence)
    told.append(event)
    assert told.status == "payment.expired"


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ("authorize 9, capture", "state_not_allowed"),
        ("authorize 9, capture?", "operation_open"),
        ("authorize? 9", "state_not_allowed"),
    ],
)
def test_an_expiry_that_cannot_be_is_a_discrepancy(story, history, reason):
    told = story("one_time", history)
    evidence = told.evidence("expire", source=Source.INQUIRY)
    assert outside(told, "expire") == Discrepancy(told.now, reason, evidence)


def test_an_expiry_waits_for_no_read(story):
    told = story("one_time", "authorize 9, get_address?")
    assert isinstance(outside(told, "expire"), Lapsed)


def test_what_was_never_sent_is_declined_and_said_so(story):
    told = story("one_time", "authorize 9, capture?")
    operation = the_open(told)
    evidence = told.evidence(
        "capture", DECLINED, source=Source.INQUIRY, code="not_found", never_sent=True
    )
    event = presumed_lost(operation, told.now)
    assert event == Reported(told.now, operation.id, DECLINED, evidence)
    told.append(event)
    assert told.status == "payment.authorized"


def test_an_order_id_may_hold_what_ends_it_in_the_id_of_an_operation(story, now):
    """Shipped lifecycles take no dots in an order id; another one may."""
    told = story("one_time", "authorize 9, capture?")
    operation = attrs.evolve(the_open(told), id="shop.7.3")
    assert presumed_lost(operation, now).evidence.transaction == "shop.7"


@pytest.mark.parametrize(
    ("outcome", "ends"), [(SUCCEEDED, SUCCEEDED), (UNKNOWN, DECLINED)]
)
def test_a_read_ends_at_once_whatever_came_of_it(story, outcome, ends):
    told = story("one_time", "authorize 9, get_address?")
    event = told.resolve(the_open(told), outcome)
    assert event.outcome is ends
    assert told.transaction.operations == {}


SIGNED = {"actor": "sato", "note": "seen in the portal", "source": Source.OPERATOR}


@pytest.mark.parametrize(
    ("changed", "number", "resolves"),
    [
        ({}, 3, True),
        ({}, 2, False),
        ({"actor": ""}, 3, False),
        ({"note": ""}, 3, False),
        ({"source": Source.NOTIFICATION}, 3, False),
    ],
)
def test_a_discrepancy_is_resolved_by_whoever_signs_for_it_and_by_nobody_else(
    story, changed, number, resolves
):
    told = story("one_time", "authorize 9")
    told.append(outside(told, "refund", 1))
    evidence = told.evidence("refund", **{**SIGNED, **changed})
    event = close_discrepancy(told.transaction, number, evidence, told.now)
    assert event == (Closed(told.now, 3, evidence) if resolves else None)
