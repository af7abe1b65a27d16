"""A consent and the charges under it: a termination and a charge that race."""

import pytest

from kessai import MemoryStore, SQLiteStore, Status

CONSENT = {"lifecycle": "recurring", "of": "consent-1"}


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = MemoryStore()
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


@pytest.fixture
def agreed(hand, command):
    hand.execute(command("authorize", 500, consent_only=True, **CONSENT))
    return hand


def charge(command, number=1):
    return command("reauthorize", 300, of=f"charge-{number}", agreement="consent-1")


def other(hand):
    return type(hand)(hand.store, hand.gateway, hand.clock)


def test_a_charge_begins_under_a_consent(agreed, command, gateway):
    answer = agreed.execute(charge(command))
    assert answer.transaction.status == "payment.authorized"
    assert answer.transaction.agreement == "consent-1"
    assert gateway.sent[-1]["agreement"] == "consent-1"
    assert agreed.execute(charge(command, 2)).status is Status.SUCCEEDED


def test_a_charge_after_the_termination_is_denied(agreed, command):
    agreed.execute(command("terminate", of="consent-1"))
    answer = agreed.execute(charge(command))
    assert answer.denial.codes == ("agreement_state",)


def test_a_termination_that_begins_while_a_charge_is_decided_wins(
    agreed, command, gateway
):
    agreed.before = {
        2: lambda: other(agreed).execute(command("terminate", of="consent-1"))
    }
    answer = agreed.execute(charge(command))
    assert answer.denial.codes == ("agreement_state",)
    assert gateway.commands == ["authorize", "terminate"]


def test_a_termination_without_an_answer_keeps_out_charges(
    agreed, command, gateway, lost
):
    gateway.answers = [lost]
    agreed.execute(command("terminate", of="consent-1"))
    answer = agreed.execute(charge(command))
    assert answer.denial.codes == ("agreement_operation_open",)


def test_a_charge_that_began_first_does_not_stop_the_termination(
    agreed, command, gateway
):
    agreed.before = {2: lambda: other(agreed).execute(charge(command))}
    answer = agreed.execute(command("terminate", of="consent-1"))
    assert answer.status is Status.SUCCEEDED
    assert agreed.execute(charge(command, 2)).denial.codes == ("agreement_state",)


def test_a_denied_charge_leaves_its_attempt_under_the_new_id(agreed, command, store):
    agreed.execute(command("terminate", of="consent-1"))
    agreed.execute(charge(command))
    found = store.load(None, "charge-1", None).transaction
    assert (found.version, found.exists) == (1, False)
