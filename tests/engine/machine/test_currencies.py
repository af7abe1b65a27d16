"""One lifecycle, several currencies: each transaction is in one, from its beginning on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kessai import Command, Denial, Transaction
from kessai.errors import InvalidCommand
from kessai.evidence.outcome import resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Bounds,
    Operation,
    append,
    can,
    compile_lifecycle,
    possibility,
)
from kessai.machine.chain import read_events
from kessai.machine.decide import decide, opened_tracks
from kessai.spec import load_file, load_shipped

WALLET = Path(__file__).parent.parent / "prove" / "wallet.toml"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def machine():
    return compile_lifecycle(load_file(WALLET))


def asked(name="authorize", amount=None, currency=None, **more):
    return Command(name, "order-1", key="k", amount=amount, currency=currency, **more)


def begun(machine, command):
    operation = decide(machine, Transaction("order-1"), command, NOW)
    assert isinstance(operation, Operation), operation
    event = Begun(NOW, operation, None, opened_tracks(machine, operation))
    return append(machine, Transaction("order-1"), event)


def succeeded(machine, transaction):
    (operation,) = transaction.operations.values()
    said = Evidence(
        source=Source.REPLY,
        transaction=transaction.id,
        command=operation.command,
        outcome=Outcome.SUCCEEDED,
    )
    event = resolve(machine, transaction, operation, said, NOW)
    return append(machine, transaction, event)[0]


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [("JPY", 1, 1_000_000), ("USD", 50, 1_000_000), ("KWD", 1, 3_000_000)],
)
def test_the_bounds_are_those_of_the_currency_asked_for(machine, currency, least, most):
    for amount, is_taken in ((least - 1, 0), (least, 1), (most, 1), (most + 1, 0)):
        verdict = decide(
            machine, Transaction("order-1"), asked("authorize", amount, currency), NOW
        )
        assert isinstance(verdict, Operation) is bool(is_taken)
    assert verdict.bounds == Bounds(least, most)


def test_what_the_opening_event_recorded_is_the_currency_for_good(machine):
    transaction, record = begun(machine, asked("authorize", 5000, "USD"))
    assert transaction.currency == "USD"
    (event,) = read_events([record])
    assert event.operation.currency == "USD"
    transaction = succeeded(machine, transaction)
    denial = decide(machine, transaction, asked("capture", 5001), NOW)
    assert denial.sentences("en") == (
        "The amount 50.01 USD is above the largest possible, 50.00 USD.",
    )
    assert denial.sentences("ja") == (
        "金額 50.01 USD は上限 50.00 USD を超えています。",
    )


def test_an_opening_command_must_name_one_of_several_currencies(machine):
    denial = decide(machine, Transaction("order-1"), asked("authorize", 100), NOW)
    assert denial.codes == ("currency_missing",)
    assert denial.bounds is None
    assert denial.sentences("en") == ("A currency is needed: JPY or KWD or USD.",)
    assert denial.sentences("ja") == (
        "通貨の指定が必要です（JPYまたはKWDまたはUSD）。",
    )


def test_a_currency_that_the_lifecycle_does_not_have_is_denied(machine):
    command = asked("authorize", 100, "EUR")
    denial = decide(machine, Transaction("order-1"), command, NOW)
    assert denial.codes == ("currency_not_taken",)
    assert denial.sentences("en") == (
        "The currency must be JPY or KWD or USD, not EUR.",
    )
    assert denial.sentences("ja") == (
        "通貨は EUR ではなく JPYまたはKWDまたはUSD でなければなりません。",
    )


def test_later_commands_may_repeat_the_currency_and_name_no_other(machine):
    transaction, _ = begun(machine, asked("authorize", 5000, "USD"))
    transaction = succeeded(machine, transaction)
    assert isinstance(
        decide(machine, transaction, asked("capture", 60, "USD"), NOW), Operation
    )
    denial = decide(machine, transaction, asked("capture", 60, "JPY"), NOW)
    assert isinstance(denial, Denial)
    assert denial.codes == ("currency_not_taken",)
    assert str(denial) == "The currency must be USD, not JPY."


def test_the_only_currency_of_a_lifecycle_needs_no_name():
    machine = compile_lifecycle(load_shipped("one_time"))
    for currency in (None, "JPY"):
        transaction, _ = begun(machine, asked("authorize", 100, currency))
        assert transaction.currency == "JPY"
    denial = decide(
        machine, Transaction("order-1"), asked("authorize", 100, "USD"), NOW
    )
    assert str(denial) == "The currency must be JPY, not USD."


def test_another_currency_is_another_request():
    named = {asked("authorize", 100, c).fingerprint for c in (None, "JPY", "USD")}
    assert len(named) == 3


@pytest.mark.parametrize("currency", ["", "yen", "JPYX", 392, "ＪＰＹ"])
def test_what_is_no_code_of_a_currency_is_no_command(currency):
    with pytest.raises(InvalidCommand, match="currency: must be a code such as 'JPY'"):
        asked("authorize", 100, currency)


def test_can_takes_the_currency_as_given_and_then_knows_it(machine):
    blank = possibility(machine, Transaction("order-1"), "authorize", NOW)
    assert blank.is_allowed
    assert blank.bounds is None  # they hang on the currency
    transaction, _ = begun(machine, asked("authorize", 5000, "USD"))
    transaction = succeeded(machine, transaction)
    bounds = {found.command: found.bounds for found in can(machine, transaction, NOW)}
    assert bounds["capture"] == Bounds(1, 5000, 5000)


def test_what_happened_outside_is_judged_in_the_transactions_currency(machine):
    transaction, _ = begun(machine, asked("authorize", 5000, "USD"))
    transaction = succeeded(machine, transaction)
    said = Evidence(
        source=Source.INQUIRY,
        transaction="order-1",
        command="capture",
        outcome=Outcome.SUCCEEDED,
        amount=5000,
    )
    event = resolve_external(machine, transaction, said, NOW)
    assert append(machine, transaction, event)[0].amounts["captured"] == 5000
