"""F9: the terms of a consent change, again and again, until it is terminated."""

import pytest

LONG = "x" * 256


def terms(unit, value, **more):
    return {"frequency": {"unit": unit, "value": value}, **more}


def test_again_and_again(shop):
    shop.consented()
    wanted = [(2000, "Month", 2), (2000, "Month", 2), (500, "Year", 1), (1, "Day", 365)]
    for number, (amount, unit, value) in enumerate(wanted):
        note = f"変更 {number}"
        parameters = terms(unit, value, note=note)
        answer = shop.do("update_consent", "plan", amount=amount, parameters=parameters)
        assert answer.status == "succeeded"
        assert answer.transaction.amounts["agreed"] == amount
        agreed = shop.order("plan").terms
        assert (agreed.amount, agreed.frequency_unit, agreed.frequency_value) == (
            amount,
            unit,
            value,
        )
        assert agreed.note == note
    shop.do("terminate", "plan")
    over = shop.do("update_consent", "plan", amount=5, parameters=terms("Day", 1))
    assert "state_not_allowed" in over.denial.codes
    shop.books_agree()


def test_the_payment_stays_as_it_is(shop):
    before = shop.consented()
    after = shop.do("update_consent", "plan", amount=50, parameters=terms("Day", 1))
    assert after.transaction.states == before.states
    assert after.transaction.amounts == {**before.amounts, "agreed": 50}
    assert shop.do("capture", "plan").transaction.amounts["captured"] == 1000
    shop.books_agree()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 5}, "parameter_missing"),
        ({"parameters": terms("Day", 1)}, "amount_missing"),
        ({"amount": 0, "parameters": terms("Day", 1)}, "amount_below_minimum"),
        ({"amount": 100_001, "parameters": terms("Day", 1)}, "amount_above_maximum"),
        ({"amount": 5, "parameters": terms("Year", 2)}, "parameter_invalid"),
        ({"amount": 5, "parameters": terms("Week", 53)}, "parameter_invalid"),
        ({"amount": 5, "parameters": terms("Moon", 1)}, "parameter_invalid"),
        ({"amount": 5, "parameters": terms("Day", 1, note=LONG)}, "parameter_invalid"),
    ],
)
def test_unfit_terms_are_denied(shop, fields, code):
    shop.consented()
    answer = shop.do("update_consent", "plan", **fields)
    assert answer.denial.codes == (code,)
    assert shop.sent == ["Authorize"]
    shop.books_agree()


def test_before_the_consent_there_are_no_terms(shop):
    shop.apply_recurring()
    answer = shop.do("update_consent", "plan", amount=5, parameters=terms("Day", 1))
    assert "state_not_allowed" in answer.denial.codes
    shop.books_agree(still_open=["plan"])


def test_a_one_time_payment_has_no_terms(shop):
    shop.authorized()
    answer = shop.do("update_consent", "order", amount=5, parameters=terms("Day", 1))
    assert answer.denial.codes == ("not_in_lifecycle",)
    shop.books_agree()
