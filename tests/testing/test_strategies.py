"""Commands drawn from a lifecycle pass, or are denied for the reasons foretold."""

from collections import Counter
from datetime import timedelta

import pytest
from drawing import drawn_until
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai import Denial, Operation, Transaction, load_shipped, shipped_names
from kessai.errors import InvalidInput
from kessai.machine import Machine, compile_lifecycle, decide
from kessai.machine.decide import possibility
from kessai.testing import (
    allowed_commands,
    amounts,
    denied_commands,
    histories,
    keys,
    order_ids,
    parameter_values,
)
from kessai.testing.strategies.agreements import agreement_for
from kessai.testing.strategies.commands import NOW
from kessai.testing.strategies.lifecycles import machine_of
from kessai.testing.strategies.variants import CommandCase, ways

DRAWS = 4

PARTS = """
include = ["shared/payment.toml", "shared/parameters.toml"]
[lifecycle]
name = "gift"
title = { en = "gift", ja = "贈り物" }
source = "a shop"
currencies = ["JPY"]
[commands.authorize]
title = { en = "authorize", ja = "申込" }
rule = "G1"
opens = [{ track = "payment" }]
amount = { min = "10", max = "500", rule = "G2" }
optional = ["note"]
guards = ["round"]
moves = [{ from = "payment.requested", to = "payment.authorized", rule = "G1" }]
reports = "authorizing"
reserve = ["authorizing += amount"]
commit = ["authorized += authorizing", "authorizing = 0"]
release = ["authorizing = 0"]
[deadlines.authorization]
starts = ["authorize"]
denies = ["capture"]
[guards.round]
holds = "amount != 11 and amount != 499"
rule = "G3"
en = "Not this one."
ja = "この金額は使えません。"
"""


@pytest.fixture(scope="module")
def gift(tmp_path_factory):
    """A shop's own lifecycle file, with a guard that looks at the amount."""
    path = tmp_path_factory.mktemp("own") / "gift.toml"
    path.write_text(PARTS, encoding="utf-8")
    return path


def decided(lifecycle, command, transaction=None, now=NOW):
    machine = machine_of(lifecycle)
    blank = transaction or Transaction(command.transaction)
    return decide(machine, blank, command, now, agreement_for(machine))


@pytest.mark.parametrize("lifecycle", shipped_names())
def test_every_opening_that_is_drawn_is_allowed(lifecycle):
    @given(allowed_commands(lifecycle))
    def check(command):
        assert isinstance(decided(lifecycle, command), Operation)

    check()


@pytest.mark.parametrize("lifecycle", shipped_names())
def test_after_any_history_what_is_drawn_is_allowed_and_nothing_is_left_out(lifecycle):
    machine, drawn, possible = machine_of(lifecycle), Counter(), Counter()

    @settings(max_examples=100)
    @given(histories(lifecycle), st.data())
    def check(history, data):
        before, now = history.transaction, history.now
        open_now = {
            name
            for name in machine.commands
            if possibility(machine, before, name, now).is_allowed
        }
        case = CommandCase(machine, before, now, history.agreement)
        assert open_now == {name for name in machine.commands if ways(case, name)}
        if not open_now:
            return
        possible.update(open_now)
        some = allowed_commands(lifecycle, before, now, history.agreement)
        for _ in range(DRAWS):  # a history costs more than a command
            command = data.draw(some)
            drawn[command.name] += 1
            assert isinstance(decided(lifecycle, command, before, now), Operation)

    drawn_until(check, lambda: set(drawn) == set(possible))


@pytest.mark.parametrize("lifecycle", shipped_names())
def test_after_any_history_what_must_be_denied_is_denied_for_these_reasons(lifecycle):
    reasons = Counter()

    @settings(max_examples=150)
    @given(histories(lifecycle), st.data())
    def check(history, data):
        before, now = history.transaction, history.now
        some = denied_commands(lifecycle, before, now, history.agreement)
        denied = data.draw(some)
        verdict = decided(lifecycle, denied.command, before, now)
        assert isinstance(verdict, Denial)
        assert denied.reasons
        assert denied.reasons <= set(verdict.codes)
        reasons.update(denied.reasons)

    takes_amounts = any(c.amount for c in load_shipped(lifecycle).commands.values())
    of_amounts = {"amount_below_minimum", "amount_above_maximum"}
    wanted = {
        *(of_amounts if takes_amounts else ()),
        "state_not_allowed",
        "operation_open",
        "amount_not_taken",
        "parameter_not_taken",
        "parameter_invalid",
        "lifecycle_differs",
        "agreement_not_taken",
        "not_in_lifecycle",
        "transaction_exists",
    }
    drawn_until(check, lambda: reasons.keys() >= wanted)


@given(st.data())
def test_a_passed_deadline_is_among_the_reasons_foretold(data):
    history = data.draw(histories("one_time"))
    later = history.now + timedelta(days=31)
    denied = data.draw(denied_commands("one_time", history.transaction, later))
    is_authorized = history.transaction.status == "payment.authorized"
    if is_authorized and denied.command.name in {"capture", "update_authorization"}:
        assert "authorization_expired" in denied.reasons


def test_a_failing_guard_is_among_the_reasons_foretold():
    failed = []

    @settings(max_examples=100)
    @given(denied_commands("recurring"))
    def look(denied):
        if "nothing_to_capture" in denied.reasons:
            failed.append(denied.command.parameters)

    drawn_until(look, lambda: failed)
    assert all(given["consent_only"] and given["with_capture"] for given in failed)


def test_a_lifecycle_file_of_ones_own_is_drawn_from_guards_on_amounts_included(gift):
    @given(allowed_commands(gift))
    def check(command):
        assert 10 <= command.amount <= 500
        assert command.amount not in {11, 499}
        assert isinstance(decided(gift, command), Operation)

    check()


def test_a_lifecycle_may_be_named_in_any_way(gift):
    lifecycle = load_shipped("one_time")
    machine = compile_lifecycle(lifecycle)
    for named in ("one_time", lifecycle, machine, str(gift), gift):
        assert isinstance(machine_of(named), Machine)
    assert machine_of("one_time") is machine_of(lifecycle)


@pytest.mark.parametrize("named", ["two_times", "no/such/file.toml", ""])
def test_what_is_no_lifecycle_is_refused_with_what_would_be_right(named):
    with pytest.raises(InvalidInput, match=r"one_time|No such file"):
        allowed_commands(named)


def test_a_transaction_of_another_lifecycle_is_refused():
    transaction = agreement_for(machine_of("charge"))
    with pytest.raises(
        InvalidInput, match="runs under 'recurring', not under 'charge'"
    ):
        allowed_commands("charge", transaction)


@given(st.data())
def test_ids_keys_and_values_are_within_their_limits(data):
    assert len(data.draw(order_ids("one_time"))) <= 100
    assert len(data.draw(keys())) <= 255
    assert len(data.draw(parameter_values("one_time", "note"))) <= 255
    url = data.draw(parameter_values("one_time", "success_url"))
    assert len(url.encode()) <= 256
    often = data.draw(parameter_values("recurring", "frequency"))
    assert (
        1
        <= often["value"]
        <= {"Year": 1, "Month": 12, "Week": 52, "Day": 365}[often["unit"]]
    )


@given(st.data())
def test_amounts_are_within_the_bounds_that_can_tells(data):
    history = data.draw(histories("one_time"))
    machine = machine_of("one_time")
    refund = possibility(machine, history.transaction, "refund", history.now)
    if refund.is_allowed:
        amount = data.draw(amounts(refund.bounds))
        assert amount is None or 1 <= amount <= refund.bounds.maximum
