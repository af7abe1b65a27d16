"""A checkout that nobody finished ends, by an inquiry after the time it was allowed."""

import pytest

from kessai import Missing, Recovery, Status
from kessai.audit.verification.verify import verify
from kessai.errors import UnknownTransaction
from kessai.machine import Discrepancy, read_events

PENDING = {"outcome": "pending"}
LISTED_AS_PENDING = {"listing": [["authorize", "pending", 100]]}


@pytest.fixture
def opened(shop, gateway):
    """The consumer was sent to the gateway's page, and has not come back."""
    gateway.answers = [PENDING]
    assert shop.asks("authorize", 100).status == "pending"
    return shop


@pytest.fixture
def recovered(opened, gateway):
    """Recovers the order; the gateway lists its opening command as pending."""

    def recover(*, listed=LISTED_AS_PENDING, **policy):
        gateway.answers = [listed]
        return opened.call("recover_transaction", "order-1", Recovery(**policy))

    return recover


def test_it_waits_for_as_long_as_the_lifecycle_allows_and_a_request_may_take(
    opened, recovered, clock
):
    clock.passes(hours=48, minutes=9)
    assert [answer.status for answer in recovered()] == [Status.PENDING]
    clock.passes(minutes=1)
    (answer,) = recovered()
    assert (answer.status, answer.evidence.code) == (Status.DECLINED, "abandoned")
    assert opened.transaction().status == "payment.failed"
    assert not answer.may_send_again
    assert opened.recover() == []


@pytest.mark.parametrize("listed", [LISTED_AS_PENDING, {"listing": []}])
def test_whether_the_gateway_still_lists_it_or_forgets_it_it_ends(
    opened, recovered, clock, listed
):
    clock.passes(days=3)
    recovered(listed=listed)
    assert opened.transaction().status == "payment.failed"


def test_an_approval_at_the_last_moment_counts(opened, recovered, clock):
    clock.passes(days=3)
    recovered(listed={"listing": [["authorize", "succeeded", 100]]})
    assert opened.transaction().status == "payment.authorized"


def test_without_an_answer_nothing_is_presumed(opened, gateway, clock, lost):
    clock.passes(days=3)
    gateway.answers = [lost]
    opened.call("recover_transaction", "order-1", Recovery())
    assert opened.transaction().status == "payment.requested"


def test_who_keeps_what_is_missing_keeps_this_too(opened, recovered, clock):
    clock.passes(days=3)
    assert [each.status for each in recovered(missing=Missing.KEEP)] == ["pending"]


def test_a_change_that_is_under_way_may_still_show_that_they_approved(
    shop, gateway, clock, lost
):
    """An update alongside has no answer: it may be carried out after the approval."""
    gateway.answers = [PENDING]
    shop.asks(
        "authorize", 100, merchant_page=True, merchant_page_url="https://a.example"
    )
    clock.passes(hours=49)
    gateway.answers = [lost]
    assert shop.asks("update_authorization", 120).status == "unknown"
    gateway.answers = [LISTED_AS_PENDING]
    shop.call("recover_transaction", "order-1", Recovery())
    assert shop.transaction().status == "payment.requested"


def test_the_time_counts_from_when_it_was_sent_last(shop, gateway, clock, lost):
    """Its first request was lost; the page is there since the second one, days later."""
    gateway.answers = [lost]
    shop.asks("authorize", 100)
    clock.passes(days=3)
    gateway.answers = [{"listing": []}, PENDING]
    resend = Recovery(missing=Missing.RESEND)
    shop.call("recover_transaction", "order-1", resend)
    for hours, status in ((47, "payment.requested"), (2, "payment.failed")):
        clock.passes(hours=hours)
        gateway.answers = [LISTED_AS_PENDING]
        shop.call("recover_transaction", "order-1", resend)
        assert shop.transaction().status == status


def test_an_approval_after_all_waits_for_an_operator(opened, recovered, clock, store):
    clock.passes(days=3)
    recovered()
    opened.gateway.answers = [{"listing": [["authorize", "succeeded", 100]]}]
    opened.call("reconcile", "order-1")
    *_, last = read_events(store.records("order-1"))
    assert isinstance(last, Discrepancy)
    assert opened.transaction().status == "payment.failed"


# ── by the shop, which has lost the page ────────────────────────────────────────────


@pytest.fixture
def abandons(shop, gateway, store):
    """The shop ends an order; the gateway answers the inquiry before it with this."""

    def abandon(answer, order="order-1"):
        gateway.answers = [answer]
        ended = shop.call("abandon", order)
        assert verify(store).holds
        return ended

    return abandon


def test_a_shop_that_has_lost_the_page_ends_the_checkout(opened, abandons):
    answer = abandons(LISTED_AS_PENDING)
    assert (answer.status, answer.evidence.code) == (Status.DECLINED, "abandoned")
    assert opened.transaction().status == "payment.failed"
    assert opened.asks("authorize", 100).status is Status.DECLINED  # the same key


def test_the_order_is_begun_anew_under_another_id(opened, abandons):
    """The gateway takes an order's id once."""
    abandons(LISTED_AS_PENDING)
    denied = opened.asks("authorize", 100, key="anew")
    assert denied.denial.codes == ("transaction_exists",)
    anew = opened.asks("authorize", 100, of="order-1-2")
    assert anew.status is Status.SUCCEEDED


def test_whoever_has_approved_by_then_has_paid(opened, abandons):
    answer = abandons({"listing": [["authorize", "succeeded", 100]]})
    assert answer.status is Status.SUCCEEDED
    assert opened.transaction().status == "payment.authorized"


def test_a_lost_reply_ends_as_soon_as_the_gateway_says_that_it_waits(
    shop, gateway, lost, abandons
):
    gateway.answers = [lost]
    shop.asks("authorize", 100)
    answer = abandons({"listing": []})
    assert answer.status is Status.UNKNOWN  # it may be on its way
    assert abandons(LISTED_AS_PENDING).status is Status.DECLINED


def test_without_an_answer_it_stays_open(opened, abandons, lost):
    assert abandons(lost).status is Status.PENDING
    assert opened.transaction().status == "payment.requested"


def test_nothing_ends_while_a_change_is_under_way(shop, gateway, abandons, lost):
    gateway.answers = [PENDING]
    shop.asks(
        "authorize", 100, merchant_page=True, merchant_page_url="https://a.example"
    )
    gateway.answers = [lost]
    shop.asks("update_authorization", 120)
    assert abandons(LISTED_AS_PENDING).status is Status.PENDING


def test_what_involves_no_consumer_is_not_abandoned(shop, gateway, abandons):
    shop.asks("authorize", 100, of="agreement", lifecycle="recurring")
    gateway.answers = [PENDING]
    charge = {"of": "charge-1", "agreement": "agreement"}
    assert shop.asks("reauthorize", 100, **charge).status is Status.PENDING
    waits = {"listing": [["reauthorize", "pending", 100]]}
    assert abandons(waits, "charge-1").status is Status.PENDING


def test_an_approval_after_that_waits_for_an_operator(opened, abandons, store):
    abandons(LISTED_AS_PENDING)
    opened.gateway.answers = [{"listing": [["authorize", "succeeded", 100]]}]
    opened.notification("authorize", amount=100)
    *_, last = read_events(store.records("order-1"))
    assert (type(last), last.reason) == (Discrepancy, "state_not_allowed")
    assert opened.transaction().status == "payment.failed"
    assert verify(store).holds


def test_what_never_was_cannot_be_abandoned(shop):
    with pytest.raises(UnknownTransaction):
        shop.call("abandon", "order-1")
