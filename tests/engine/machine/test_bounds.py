"""Amounts and parameters at the very edge: the last that passes, the first that fails.

The limits are those of the vendor's client library; amounts are checked, never clamped.
"""

import attrs
import pytest

from kessai import Bounds, Denial, Operation
from kessai.gateway import Outcome
from kessai.machine import Possibility, can, compile_lifecycle, possibility
from kessai.machine.denial import Reason
from kessai.spec import Guard, Text
from kessai.spec.expression import Expression

YES = "ok"
BELOW, ABOVE = "amount_below_minimum", "amount_above_maximum"
URL = "https://shop.example/"
INVALID, MISSING = "parameter_invalid", "parameter_missing"
NOT_TAKEN = "parameter_not_taken"


@pytest.mark.parametrize(
    ("lifecycle", "history", "command", "most"),
    [
        ("one_time", "", "authorize", 10_000_000),
        ("one_time", "authorize 1000", "update_authorization", 10_000_000),
        ("one_time", "authorize? 10 merchant_page", "update_authorization", 10_000_000),
        ("one_time", "authorize 1000", "capture", 1000),
        ("one_time", "authorize 1000, capture 600", "refund", 600),
        ("one_time", "authorize 1000, capture 600, refund 200", "refund", 400),
        ("one_time", "authorize 1000, capture 600, refund? 200", "refund", 400),
        ("one_time", "authorize 1000, capture 600, refund! 200", "refund", 600),
        ("one_time", "authorize 1000, update_authorization 2000", "capture", 2000),
        ("recurring", "", "authorize", 100_000),
        ("recurring", "authorize? 10 merchant_page", "update_authorization", 100_000),
        ("recurring", "authorize 1000", "update_consent", 100_000),
        ("recurring", "authorize 1000", "capture", 1000),
        ("charge", "", "reauthorize", 100_000),
        ("charge", "reauthorize 1000", "capture", 1000),
    ],
)
def test_amounts_pass_from_1_to_the_maximum_and_not_one_more(
    story, lifecycle, history, command, most
):
    past = story(lifecycle, history)
    under = story("recurring", "authorize 500 consent_only", "agreement-1")
    more = {"under": under} if command == "reauthorize" else {}
    asked = [-1, 0, 1, most, most + 1]
    codes = [past.codes(command, amount, **more) for amount in asked]
    assert codes == [BELOW, BELOW, YES, YES, ABOVE]
    denial = past.ask(command, most + 1, **more)
    assert (denial.bounds.minimum, denial.bounds.maximum) == (1, most)
    (reason,) = denial.reasons
    assert reason.values == {"amount": most + 1, "maximum": most}


@pytest.mark.parametrize(
    ("history", "command", "amount"),
    [
        ("authorize 1000", "capture", 1000),
        ("authorize 1000, capture 600", "refund", 600),
        ("authorize 1000, capture 600, refund 1", "refund", 599),
        ("authorize 1000, capture 600, refund? 100", "refund", 500),
    ],
)
def test_without_an_amount_all_that_is_possible_is_taken(
    story, history, command, amount
):
    operation = story("one_time", history).ask(command)
    assert isinstance(operation, Operation)
    assert operation.amount == amount


@pytest.mark.parametrize(
    ("lifecycle", "command"), [("one_time", "authorize"), ("recurring", "authorize")]
)
def test_an_opening_needs_its_amount(story, lifecycle, command):
    denial = story(lifecycle).ask(command)
    assert denial.codes == ("amount_missing",)
    assert denial.reasons[0].values["minimum"] == 1


@pytest.mark.parametrize("command", ["cancel", "get_address"])
def test_a_command_for_the_whole_takes_no_amount(story, command):
    past = story("one_time", "authorize 1000")
    assert past.codes(command, 1000) == "amount_not_taken"


def test_more_was_never_captured_than_authorized_nor_refunded_than_captured(story):
    """Kill Bill #333 and #334: the amounts were not checked."""
    past = story("one_time", "authorize 1000")
    assert past.codes("capture", 1001) == ABOVE
    past.tell("capture 1000")
    assert past.codes("refund", 1001) == ABOVE


def test_two_refunds_of_60_from_100_never_both_begin(story):
    """Hyperswitch #13182: two refunds of 60 both succeeded on a capture of 100."""
    past = story("one_time", "authorize 100, capture, refund? 60")
    denial = past.ask("refund", 60)
    assert isinstance(denial, Denial)
    assert denial.codes == (ABOVE,)
    assert denial.bounds == Bounds(1, 40, 40)


def test_a_refund_that_is_still_pending_counts_against_the_rest(story):
    """Saleor #19645: pending refunds were ignored."""
    past = story("one_time", "authorize 100, capture")
    past.resolve(past.begin("refund", 60), Outcome.PENDING)
    assert past.codes("refund", 41) == ABOVE
    past.resolve(next(iter(past.transaction.operations.values())), Outcome.DECLINED)
    assert past.codes("refund", 100) == YES


ID_CASES = [
    ("a", YES),
    ("-", YES),
    ("A-z_0", YES),
    ("x" * 100, YES),
    ("x" * 101, "transaction_id_invalid"),
    ("a.b", "transaction_id_invalid"),
    ("a b", "transaction_id_invalid"),
    ("注文1", "transaction_id_invalid"),
    ("１", "transaction_id_invalid"),
    ("a\u2028", "transaction_id_invalid"),
]


@pytest.mark.parametrize(("name", "code"), ID_CASES)
def test_an_order_id_is_1_to_100_plain_characters(story, name, code):
    assert story("one_time", name=name).codes("authorize", 1) == code


FREQUENCIES = [("Year", 1), ("Month", 12), ("Week", 52), ("Day", 365)]


@pytest.mark.parametrize(("unit", "most"), FREQUENCIES)
@pytest.mark.parametrize(
    ("history", "command"), [("", "authorize"), ("authorize 10", "update_consent")]
)
def test_a_frequency_has_its_limit_for_each_unit(story, history, command, unit, most):
    past = story("recurring", history)
    codes = [
        past.codes(command, 10, frequency={"unit": unit, "value": value})
        for value in (0, 1, most, most + 1)
    ]
    assert codes == [INVALID, YES, YES, INVALID]


@pytest.mark.parametrize("unit", ["month", "Hour", "月"])
def test_a_frequency_of_an_unknown_unit_is_invalid(story, unit):
    past = story("recurring")
    frequency = {"unit": unit, "value": 1}
    assert past.codes("authorize", 10, frequency=frequency) == INVALID


def test_a_frequency_is_needed_for_recurring_and_refused_for_one_time(story):
    assert story("recurring").codes("authorize", 10, frequency=None) == MISSING
    frequency = {"unit": "Month", "value": 1}
    codes = story("one_time").codes("authorize", 10, frequency=frequency)
    assert codes == NOT_TAKEN


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"note": "x" * 255}, YES),
        ({"note": "x" * 256}, INVALID),
        ({"note": "語" * 255}, YES),
        ({"note": "😀" * 255}, YES),
        ({"note": "😀" * 256}, INVALID),
        ({"note": True}, INVALID),
        ({"success_url": URL + "x" * (256 - len(URL))}, YES),
        ({"success_url": URL + "x" * (257 - len(URL))}, INVALID),
        ({"success_url": "語" * 85}, YES),
        ({"success_url": "語" * 85 + "x"}, YES),
        ({"success_url": "語" * 86}, INVALID),
        ({"cancel_url": "x" * 257}, INVALID),
        ({"error_url": "x" * 257}, INVALID),
        ({"authorize_notification_url": "x" * 257}, INVALID),
        ({"merchant_page": True, "merchant_page_url": URL}, YES),
        ({"merchant_page": True, "merchant_page_url": "x" * 257}, INVALID),
        ({"merchant_page": True, "merchant_page_url": ""}, MISSING),
        ({"merchant_page": False}, YES),
        ({"merchant_page_url": URL}, MISSING),
        ({"merchant_page": False, "merchant_page_url": URL}, MISSING),
        ({"with_capture": "yes"}, INVALID),
        ({"with_capture": False}, YES),
        ({"extend_expiration": True}, YES),
        ({"address_restrictions": "x" * 4000}, YES),
        ({"address_restrictions": "x" * 4001}, INVALID),
        ({"consent_only": True}, NOT_TAKEN),
        ({"colour": "red"}, NOT_TAKEN),
        ({"colour": "red", "note": "x" * 256}, f"{NOT_TAKEN} {INVALID}"),
    ],
)
def test_a_parameter_passes_up_to_its_limit(story, given, code):
    assert story("one_time").codes("authorize", 1, **given) == code


def test_the_merchants_page_needs_its_address(story):
    past = story("one_time")
    past.command = _without_address(past.command)
    denial = past.ask("authorize", 1, merchant_page=True)
    assert denial.codes == (MISSING,)
    assert denial.reasons[0].values == {"parameter": "merchant_page_url"}


def _without_address(make):
    return lambda *args, **given: make(*args, **given, merchant_page_url=None)


@pytest.mark.parametrize("given", ["yes", {"unit": "Month", "value": 1}, True])
def test_a_value_of_the_wrong_kind_is_invalid_wherever_it_stands(story, given):
    kinds = {"note": str, "with_capture": bool, "frequency": dict}
    for name, kind in kinds.items():
        codes = story("recurring").codes("authorize", 1, **{name: given})
        assert codes == (YES if isinstance(given, kind) else INVALID)


def test_every_reason_is_given_at_once_and_in_declared_order(story):
    past = story("recurring", name="a.b")
    denial = past.ask(
        "authorize",
        100_001,
        lifecycle="one_time",
        agreement="x",
        frequency=None,
        consent_only=True,
        with_capture=True,
        note="x" * 256,
        colour="red",
        merchant_page_url=URL,
    )
    assert denial.codes == (
        "transaction_id_invalid",
        "lifecycle_differs",
        "amount_above_maximum",
        "agreement_not_taken",
        "nothing_to_capture",
        "parameter_missing",
        "parameter_invalid",
        "parameter_not_taken",
        "parameter_missing",
    )
    assert [reason.rule for reason in denial.reasons if reason.rule != "request"] == [
        "limit orderId",
        "limit amount recurring",
        "R1, R2, F1, F2",
        "R2",
        "limit frequency",
        "limit noteToBuyer",
        "R1, R2, F1, F2",
        "F2",
    ]


def test_every_reason_against_a_standing_transaction_is_given_in_declared_order(story):
    past = story("one_time", "authorize 100, capture? 50")
    past.now += 2 * (past.transaction.deadlines["authorization"] - past.now)
    denial = past.ask(
        "capture", 101, lifecycle="charge", agreement="x", reason="none", key="k"
    )
    assert denial.codes == (
        "lifecycle_differs",
        "operation_open",
        "amount_above_maximum",
        "agreement_not_taken",
        "parameter_not_taken",
        "authorization_expired",
    )


def test_can_lists_every_command_with_exact_bounds_or_all_reasons(story):
    past = story("one_time", "authorize 1000, capture 600, refund? 200")
    answers = {p.command: p for p in can(past.machine, past.transaction, past.now)}
    assert set(answers) == set(past.machine.commands)
    allowed = {name for name, found in answers.items() if found.is_allowed}
    assert allowed == {"refund", "get_address"}
    assert answers["refund"] == Possibility("refund", Bounds(1, 400, 400), None)
    assert answers["get_address"] == Possibility("get_address", None, None)
    assert answers["cancel"] == Possibility("cancel", None, past.ask("cancel"))
    assert answers["cancel"].denial.codes == ("state_not_allowed", "operation_open")


def test_can_takes_as_given_what_only_the_caller_knows(story):
    consented = story("recurring", "authorize 500")
    found = possibility(
        consented.machine, consented.transaction, "update_consent", consented.now
    )
    assert found == Possibility("update_consent", Bounds(1, 100_000, None), None)
    assert found.is_allowed


def test_can_denies_a_refund_of_which_nothing_is_left(story):
    past = story("one_time", "authorize 100, capture, refund? 100")
    found = possibility(past.machine, past.transaction, "refund", past.now)
    assert found.denial.codes == (BELOW,)
    assert (found.bounds.minimum, found.bounds.maximum) == (1, 0)


def test_can_denies_what_has_no_possible_amount_even_if_none_was_asked_for(story):
    """A lifecycle may declare a maximum that can be 0, and no default."""
    past = story("one_time", "authorize 100, capture, refund? 100")
    refund = past.machine.commands["refund"]
    amount = {"JPY": attrs.evolve(refund.spec.amount["JPY"], default=None)}
    spec = attrs.evolve(refund.spec, amount=amount)
    commands = {"refund": attrs.evolve(refund, spec=spec)}
    machine = attrs.evolve(past.machine, commands=commands)
    found = possibility(machine, past.transaction, "refund", past.now)
    missing = Reason("amount_missing", "O4", {"minimum": 1, "maximum": 0})
    denial = Denial(
        command="refund",
        transaction="order-1",
        reasons=(missing,),
        bounds=Bounds(1, 0),
    )
    assert found == Possibility("refund", Bounds(1, 0), denial)
    # One possible amount is enough.
    past = story("one_time", "authorize 100, capture, refund? 99")
    found = possibility(machine, past.transaction, "refund", past.now)
    assert found == Possibility("refund", Bounds(1, 1), None)


def test_a_guard_of_a_move_looks_at_the_amount_that_is_asked_for(story):
    """As a lifecycle may do whose gateway sends back no less than 50 while captured."""
    past = story("one_time", "authorize 100, capture")
    past.machine = with_a_guard_of_its_moves(past.machine, "refund", "amount >= 50")
    denial = past.ask("refund", 49)
    assert denial.codes == ("too_small",)
    assert denial.reasons[0].values == {"amount": 49}
    assert isinstance(past.ask("refund", 50), Operation)
    assert isinstance(past.ask("refund"), Operation)  # all of it


def test_can_takes_as_given_what_hangs_on_an_amount_not_named_yet(story):
    past = story("one_time", "authorize 100, capture")
    machine = with_a_guard_of_its_moves(past.machine, "refund", "amount >= 50")
    refund = machine.commands["refund"]
    amount = {"JPY": attrs.evolve(refund.spec.amount["JPY"], default=None)}
    rule = attrs.evolve(refund, spec=attrs.evolve(refund.spec, amount=amount))
    machine = attrs.evolve(machine, commands={"refund": rule})
    found = possibility(machine, past.transaction, "refund", past.now)
    assert found == Possibility("refund", Bounds(1, 100), None)


def with_a_guard_of_its_moves(machine, name, holds):
    """`machine` as if every move of the command had this guard."""
    guard = Guard(
        code="too_small",
        holds=Expression.parse(holds),
        rule="X1",
        text=Text(en="It is too small.", ja="小さすぎます。"),
    )
    lifecycle = machine.lifecycle
    command = lifecycle.commands[name]
    moves = tuple(attrs.evolve(move, guards=("too_small",)) for move in command.moves)
    commands = {**lifecycle.commands, name: attrs.evolve(command, moves=moves)}
    guards = {**lifecycle.guards, "too_small": guard}
    return compile_lifecycle(attrs.evolve(lifecycle, commands=commands, guards=guards))


def test_a_smallest_amount_may_follow_from_the_amounts_at_hand(story):
    """A lifecycle may take only a refund of the whole rest, as some gateways do."""
    past = story("one_time", "authorize 100, capture 60, refund 20")
    refund = past.machine.commands["refund"]
    rest = refund.spec.amount["JPY"].maximum
    amount = {"JPY": attrs.evolve(refund.spec.amount["JPY"], minimum=rest)}
    rule = attrs.evolve(refund, spec=attrs.evolve(refund.spec, amount=amount))
    past.machine = attrs.evolve(past.machine, commands={"refund": rule})
    assert past.ask("refund", 39).reasons == (
        Reason("amount_below_minimum", "O4", {"amount": 39, "minimum": 40}),
    )
    assert isinstance(past.ask("refund", 40), Operation)


def test_a_reason_of_a_lifecycle_file_that_has_changed_since_is_still_named():
    denial = Denial(
        command="capture", transaction="a", reasons=(Reason("fell_away", "O9"),)
    )
    assert denial.sentences("ja") == ("fell_away",)


def test_can_says_when_the_lifecycle_has_no_such_command(story):
    past = story("charge", "reauthorize 100")
    found = possibility(past.machine, past.transaction, "terminate", past.now)
    values = {"lifecycle": "charge", "command": "terminate"}
    denial = Denial(
        command="terminate",
        transaction="order-1",
        reasons=(Reason("not_in_lifecycle", "request", values),),
    )
    assert found == Possibility("terminate", None, denial)


def test_can_on_an_existing_transaction_denies_to_apply_for_it_again(story):
    past = story("charge", "reauthorize 100")
    found = possibility(past.machine, past.transaction, "reauthorize", past.now)
    assert found.denial.codes == ("transaction_exists",)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"note": "x" * 256}, "255"),
        ({"success_url": "x" * 257}, "256"),
        ({"with_capture": "yes"}, "true or false"),
        ({"frequency": {"unit": "Day", "value": 366}}, "365"),
    ],
)
def test_a_denial_says_in_both_languages_what_a_parameter_may_be(story, given, limit):
    denial = story("recurring").ask("authorize", 1, **given)
    assert denial.codes == (INVALID,)
    (english,), (japanese,) = denial.sentences("en"), denial.sentences("ja")
    assert limit in english
    assert not japanese.isascii()
    assert "{" not in english + japanese


def test_a_denial_shows_amounts_with_their_currency_and_counts_without(story):
    denial = story("one_time", name="x" * 101).ask("authorize", 10_000_001)
    english = str(denial)
    assert "10,000,001 JPY" in english
    assert "must be 1 to 100 of" in english
    assert "上限 10,000,000 JPY" in denial.sentences("ja")[1]
    assert denial.reasons[0] == Reason(
        "transaction_id_invalid",
        "limit orderId",
        {"most": 100, "characters": denial.reasons[0].values["characters"]},
    )
