"""What evidence means: applied where the lifecycle allows it, else kept as a discrepancy."""

from pathlib import Path

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
from kessai.prove import Replay
from kessai.spec import load_file

CARDS = Path(__file__).parents[1] / "prove" / "cards.toml"
SUCCEEDED, DECLINED = Outcome.SUCCEEDED, Outcome.DECLINED
PENDING, UNKNOWN = Outcome.PENDING, Outcome.UNKNOWN


def the_open(past):
    (operation,) = past.transaction.operations.values()
    return operation


def outside(past, command, amount=None):
    evidence = past.evidence(command, amount=amount, source=Source.INQUIRY)
    return resolve_external(past.machine, past.transaction, evidence, past.now)


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
    past = story("one_time", "authorize 1000, capture?")
    operation = the_open(past)
    for outcome, phase in zip(said, phases, strict=True):
        event = past.resolve(operation, outcome)
        assert (event is None) is (phase is None)
        if phase is not None:
            assert the_open(past).phase is phase
    assert past.amounts("capturing", "captured") == (1000, 0)


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
    past = story("one_time", "authorize 1000, capture? 600")
    operation = the_open(past)
    if before is not None:
        past.resolve(operation, before)
    event = past.resolve(operation, outcome)
    assert isinstance(event, Reported)
    assert past.status == state
    assert past.amounts("capturing", "captured", "released") == amounts
    assert past.transaction.operations == {}


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
    past = story("one_time", history)
    operation = the_open(past)
    before = past.transaction
    event = past.resolve(operation, amount=amount)
    evidence = past.evidence(operation.command, amount=amount)
    assert event == Discrepancy(past.now, reason, evidence, operation.id)
    after = past.transaction
    assert (after.amounts, after.states) == (before.amounts, before.states)
    assert operation.id in after.operations
    assert list(after.discrepancies) == [after.version]


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
    past = story("one_time", history)
    assert isinstance(past.resolve(the_open(past), amount=amount), Reported)
    assert past.transaction.operations == {}


def test_a_success_in_an_impossible_state_is_a_discrepancy(story):
    past = story("one_time", "authorize 1000, capture?")
    past.transaction = attrs.evolve(past.transaction, states={"payment": "cancelled"})
    event = past.resolve(the_open(past))
    assert isinstance(event, Discrepancy)
    assert event.reason == "state_not_allowed"
    assert past.status == "payment.cancelled"


def test_a_success_that_breaks_an_invariant_is_a_discrepancy(story):
    past = story("one_time", "authorize 1000, capture, refund? 600")
    amounts = {**past.transaction.amounts, "refunded": 500}
    past.transaction = attrs.evolve(past.transaction, amounts=amounts)
    event = past.resolve(the_open(past))
    assert isinstance(event, Discrepancy)
    assert event.reason == "invariant_broken"


def test_a_success_whose_amounts_lead_to_no_single_state_is_a_discrepancy(tmp_path):
    """The file forgets a refund of the whole; nothing of what happened is dropped."""
    path = tmp_path / "cards.toml"
    text = CARDS.read_text("utf-8")
    path.write_text(text.replace("refunded == captured", "refunded > captured"))
    lifecycle = load_file(path)
    replay = Replay(lifecycle).begins("authorize", 100).succeeds(1)
    replay.begins("capture", 100).succeeds(2)
    for whole in (replay.begins("refund", 100).succeeds(3), external_refund(lifecycle)):
        assert whole.refused == ("state_conflict",)
        assert whole.transaction.amounts["refunded"] == 0
        assert whole.transaction.status == "payment.captured"


def external_refund(lifecycle):
    replay = Replay(lifecycle).begins("authorize", 100).succeeds(1)
    return replay.begins("capture", 100).succeeds(2).external("refund", 100)


def test_an_update_that_would_authorize_less_than_is_captured_breaks_an_invariant(
    story,
):
    past = story("one_time", "authorize 1000, update_authorization? 100")
    amounts = {**past.transaction.amounts, "captured": 500}
    past.transaction = attrs.evolve(past.transaction, amounts=amounts)
    assert past.resolve(the_open(past)).reason == "invariant_broken"


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
    past = story("one_time", "authorize 1000")
    changed = {**past.transaction.amounts, **amounts}
    bent = attrs.evolve(past.transaction, amounts=changed)
    assert broken_invariants(past.machine, bent) == broken


def test_a_transaction_that_never_began_breaks_nothing(story):
    past = story("one_time")
    assert broken_invariants(past.machine, past.transaction) == ()


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
    past = story(lifecycle, history)
    event = outside(past, command, *map(int, amount))
    assert isinstance(event, External)
    past.append(event)
    assert past.status == status
    assert broken_invariants(past.machine, past.transaction) == ()
    assert past.transaction.discrepancies == {}


def test_an_external_capture_releases_the_rest_as_ours_does(story):
    past = story("one_time", "authorize 1000")
    past.append(outside(past, "capture", 600))
    assert past.amounts("capturing", "captured", "released") == (0, 600, 400)


def test_an_external_update_moves_the_deadline(story):
    past = story("one_time", "authorize 1000")
    before = past.transaction.deadlines["authorization"]
    past.now += (before - past.now) / 2
    past.append(outside(past, "update_authorization", 500))
    assert past.transaction.deadlines["authorization"] > before


@pytest.mark.parametrize(
    ("history", "command", "amount", "reason"),
    [
        ("authorize 9", "terminate", None, "not_in_lifecycle"),
        ("authorize 9", "chargeback", 9, "not_in_lifecycle"),
        ("authorize 9", None, None, "not_in_lifecycle"),
        ("authorize 9", "authorize", 9, "state_not_allowed"),
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
    past = story("one_time", history)
    before = past.transaction
    event = outside(past, command, amount)
    evidence = past.evidence(command, amount=amount, source=Source.INQUIRY)
    ours = the_open(past).id if reason == "amount_differs" else None
    assert event == Discrepancy(past.now, reason, evidence, ours)
    past.append(event)
    assert past.transaction.states == before.states
    assert past.transaction.amounts == before.amounts
    assert list(past.transaction.discrepancies) == [before.version + 1]


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
    past = story("one_time", history)
    amounts = {**past.transaction.amounts, **bent}
    past.transaction = attrs.evolve(past.transaction, amounts=amounts)
    command, amount = happened.split()
    evidence = past.evidence(command, amount=int(amount), source=Source.INQUIRY)
    applied = External(past.now, command, int(amount), evidence)
    kept = Discrepancy(past.now, reason, evidence)
    assert outside(past, command, int(amount)) == (kept if reason else applied)


def test_what_happened_outside_has_its_amount_in_the_event_only_if_it_takes_one(story):
    past = story("one_time", "authorize 9")
    evidence = past.evidence("cancel", amount=9, source=Source.INQUIRY)
    assert outside(past, "cancel", 9) == External(past.now, "cancel", None, evidence)


def test_an_expiry_told_by_the_gateway_is_applied_before_our_clock_says_so(story):
    past = story("one_time", "authorize 9")
    event = outside(past, "expire")
    evidence = past.evidence("expire", source=Source.INQUIRY)
    assert event == Lapsed(past.now, "authorization", evidence)
    past.append(event)
    assert past.status == "payment.expired"


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        ("authorize 9, capture", "state_not_allowed"),
        ("authorize 9, capture?", "operation_open"),
        ("authorize? 9", "state_not_allowed"),
    ],
)
def test_an_expiry_that_cannot_be_is_a_discrepancy(story, history, reason):
    past = story("one_time", history)
    evidence = past.evidence("expire", source=Source.INQUIRY)
    assert outside(past, "expire") == Discrepancy(past.now, reason, evidence)


def test_an_expiry_waits_for_no_read(story):
    past = story("one_time", "authorize 9, get_address?")
    assert isinstance(outside(past, "expire"), Lapsed)


def test_what_was_never_sent_is_declined_and_said_so(story):
    past = story("one_time", "authorize 9, capture?")
    operation = the_open(past)
    evidence = past.evidence(
        "capture", DECLINED, source=Source.INQUIRY, code="not_found", never_sent=True
    )
    event = presumed_lost(operation, past.now)
    assert event == Reported(past.now, operation.id, DECLINED, evidence)
    past.append(event)
    assert past.status == "payment.authorized"


def test_an_order_id_may_hold_what_ends_it_in_the_id_of_an_operation(story, now):
    """Shipped lifecycles take no dots in an order id; another one may."""
    past = story("one_time", "authorize 9, capture?")
    operation = attrs.evolve(the_open(past), id="shop.7.3")
    assert presumed_lost(operation, now).evidence.transaction == "shop.7"


@pytest.mark.parametrize(
    ("outcome", "ends"), [(SUCCEEDED, SUCCEEDED), (UNKNOWN, DECLINED)]
)
def test_a_read_ends_at_once_whatever_came_of_it(story, outcome, ends):
    past = story("one_time", "authorize 9, get_address?")
    event = past.resolve(the_open(past), outcome)
    assert event.outcome is ends
    assert past.transaction.operations == {}


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
    past = story("one_time", "authorize 9")
    past.append(outside(past, "refund", 1))
    evidence = past.evidence("refund", **{**SIGNED, **changed})
    event = close_discrepancy(past.transaction, number, evidence, past.now)
    assert event == (Closed(past.now, 3, evidence) if resolves else None)
