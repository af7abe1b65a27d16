"""F5: what is captured is refunded bit by bit, to zero and never below."""

from kessai import Bounds


def test_again_and_again_to_zero(shop):
    shop.captured()
    for amount, left in ((300, 700), (1, 699), (699, 0)):
        answer = shop.do("refund", "order", amount=amount)
        assert answer.status == "succeeded"
        assert answer.disclosed["refundable"] == left
    assert answer.transaction.status == "payment.refunded"
    assert answer.transaction.amounts["refunded"] == 1000
    assert "state_not_allowed" in shop.do("refund", "order", amount=1).denial.codes
    shop.books_agree()


def test_without_an_amount_all_that_is_left(shop):
    shop.captured()
    first = shop.do("refund", "order", amount=400)
    assert first.transaction.status == "payment.partially_refunded"
    rest = shop.do("refund", "order")
    assert rest.transaction.status == "payment.refunded"
    assert rest.transaction.amounts["refunded"] == 1000
    shop.books_agree()


def test_more_than_is_left_is_denied_with_exact_bounds(shop):
    shop.authorized()
    shop.do("capture", "order", amount=900)
    shop.do("refund", "order", amount=300)
    denial = shop.do("refund", "order", amount=601).denial
    assert denial.codes == ("amount_above_maximum",)
    assert denial.bounds == Bounds(1, 600, 600)
    assert shop.can("order")["refund"].bounds == Bounds(1, 600, 600)
    assert shop.sent.count("Refund") == 1
    shop.books_agree()


def test_before_a_capture_there_is_nothing_to_refund(shop):
    shop.authorized()
    answer = shop.do("refund", "order", amount=1)
    assert "state_not_allowed" in answer.denial.codes
    shop.books_agree()


def test_two_overlap_and_one_of_them_has_no_reply(shop):
    shop.captured()
    shop.emulator.misbehave("lose_reply", command="Refund")
    first = shop.do("refund", "order", amount=300)
    assert first.status == "unknown"
    assert first.transaction.amounts["refunding"] == 300
    second = shop.do("refund", "order", amount=500)
    assert second.status == "succeeded"
    assert second.transaction.amounts["refunded"] == 500
    denial = shop.do("refund", "order", amount=201).denial
    assert denial.codes == ("amount_above_maximum",)
    assert denial.bounds == Bounds(1, 200, 200)
    [resolved] = shop.recover("order")
    assert (resolved.key, resolved.status) == (first.key, "succeeded")
    assert resolved.transaction.amounts["refunded"] == 800
    assert shop.do("refund", "order").transaction.status == "payment.refunded"
    shop.books_agree()


def test_two_alike_overlap_and_one_never_arrived(shop):
    shop.captured()
    shop.emulator.misbehave("lose_request", command="Refund")
    first = shop.do("refund", "order", amount=300)
    assert shop.do("refund", "order", amount=300).status == "succeeded"
    shop.clock.pass_by(hours=1)
    [still] = shop.recover("order")
    assert (still.key, still.status) == (first.key, "unknown")
    assert still.transaction.amounts["refunded"] == 300
    assert still.transaction.amounts["refunding"] == 300
    shop.books_agree(still_open=["order"])


def test_two_alike_overlap_and_both_arrived(shop):
    shop.captured()
    shop.emulator.misbehave("lose_reply", command="Refund")
    shop.do("refund", "order", amount=300)
    assert shop.do("refund", "order", amount=300).status == "succeeded"
    shop.notification()
    assert shop.transaction("order").amounts["refunded"] == 600
    shop.books_agree()


def test_two_pending_refunds_end_in_the_other_order_one_failing(shop):
    shop.captured()
    shop.emulator.misbehave("pending", command="Refund", times=2)
    first = shop.do("refund", "order", amount=300)
    second = shop.do("refund", "order", amount=500)
    assert (first.status, second.status) == ("pending", "pending")
    assert second.transaction.amounts["refunding"] == 800
    assert shop.can("order")["refund"].bounds.maximum == 200
    later = shop.order("order").exchanges[-1].txn_id
    shop.emulator.complete("order", txn_id=later)
    shop.notification()
    assert shop.again(second, amount=500).status == "succeeded"
    shop.emulator.fail("order")
    shop.notification()
    assert shop.again(first, amount=300).status == "declined"
    transaction = shop.transaction("order")
    assert transaction.amounts["refunding"] == 0
    assert transaction.amounts["refunded"] == 500
    assert shop.can("order")["refund"].bounds.maximum == 500
    shop.books_agree()


def test_refunding_the_first_payment_does_not_end_the_consent(shop):
    shop.consented(with_capture=True)
    answer = shop.do("refund", "plan")
    assert answer.transaction.status == "consent.consented payment.refunded"
    assert (
        shop.do("reauthorize", "charge", agreement="plan", amount=5).status
        == "succeeded"
    )
    shop.books_agree()
