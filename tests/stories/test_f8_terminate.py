"""F8: the consent ends; what was paid under it lives on."""

import pytest

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


def test_no_charge_after_it(shop):
    shop.consented()
    answer = shop.do("terminate", "plan", parameters={"reason": "退会"})
    assert answer.status == "succeeded"
    assert answer.transaction.states["consent"] == "terminated"
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert charge.denial.codes == ("agreement_state",)
    assert "ReAuthorize" not in shop.sent
    shop.books_agree()


def test_the_first_payment_is_still_captured_and_refunded(shop):
    shop.consented()
    shop.do("terminate", "plan")
    shop.do("capture", "plan", amount=800)
    shop.do("refund", "plan", amount=300)
    answer = shop.do("refund", "plan")
    assert answer.transaction.status == "consent.terminated payment.refunded"
    shop.books_agree()


def test_an_earlier_charge_is_still_captured_and_refunded(shop):
    shop.consented()
    shop.do("reauthorize", "charge", agreement="plan", amount=500)
    shop.do("terminate", "plan")
    assert shop.do("capture", "charge").status == "succeeded"
    assert shop.do("refund", "charge").transaction.status == "payment.refunded"
    shop.books_agree()


@pytest.mark.parametrize(
    ("command", "fields"),
    [("terminate", {}), ("update_consent", {"amount": 5, "parameters": MONTHLY})],
)
def test_the_consent_is_over(shop, command, fields):
    shop.consented()
    shop.do("terminate", "plan")
    answer = shop.do(command, "plan", **fields)
    assert "state_not_allowed" in answer.denial.codes
    shop.books_agree()


def test_before_the_consent_there_is_nothing_to_end(shop):
    shop.apply_recurring()
    answer = shop.do("terminate", "plan")
    assert "state_not_allowed" in answer.denial.codes
    shop.books_agree(still_open=["plan"])


def test_no_charge_while_it_is_under_way(shop):
    shop.consented()
    shop.emulator.misbehave("pending", command="Terminate")
    assert shop.do("terminate", "plan").status == "pending"
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert charge.denial.codes == ("agreement_operation_open",)
    shop.emulator.fail("plan")
    shop.notification()
    assert shop.transaction("plan").states["consent"] == "consented"
    charge = shop.do("reauthorize", "charge", agreement="plan", amount=100)
    assert charge.status == "succeeded"
    shop.books_agree()


def test_the_payment_moves_on_while_it_is_under_way(shop):
    shop.consented()
    shop.emulator.misbehave("lose_reply", command="Terminate")
    assert shop.do("terminate", "plan").status == "unknown"
    capture = shop.do("capture", "plan", amount=600)
    if capture.status == "denied":  # one at a time is a choice; losing money is none
        assert capture.denial.codes == ("operation_open",)
    shop.recover("plan")
    assert shop.transaction("plan").states["consent"] == "terminated"
    shop.books_agree()


def test_a_one_time_payment_has_no_consent(shop):
    shop.authorized()
    answer = shop.do("terminate", "order")
    assert answer.denial.codes == ("not_in_lifecycle",)
    shop.books_agree()
