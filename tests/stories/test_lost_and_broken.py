"""Whatever goes wrong on the wire: nothing is lost, and nothing is done twice."""

from datetime import timedelta

import attrs
import pytest

from kessai import Missing, Recovery
from kessai.limits import NOTHING_IN_FLIGHT

RESEND = Recovery(
    patience=timedelta(),
    in_flight_limit=timedelta(),
    waits=NOTHING_IN_FLIGHT,
    missing=Missing.RESEND.value,
)
DECLINE = Recovery(
    patience=timedelta(),
    in_flight_limit=timedelta(),
    waits=NOTHING_IN_FLIGHT,
    missing=Missing.DECLINE.value,
)
CARRIED_OUT = ["lose_reply", "http_500", "http_502", "garbage", "truncate"]
NEVER_ARRIVED = ["lose_request", "http_503"]
DAILY = {"frequency": {"unit": "Day", "value": 1}}


@attrs.frozen
class Case:
    """A command, how the gateway calls it, where it begins, and what it holds back."""

    command: str
    wire: str
    begin: str
    fields: dict
    held: dict = attrs.Factory(dict)
    before: str = ""
    after: str = ""


CASES = [
    Case(
        "capture",
        "Capture",
        "authorized",
        {"amount": 700},
        {"capturing": 700},
        "payment.authorized",
        "payment.captured",
    ),
    Case(
        "cancel",
        "Cancel",
        "authorized",
        {},
        {},
        "payment.authorized",
        "payment.cancelled",
    ),
    Case(
        "refund",
        "Refund",
        "captured",
        {"amount": 700},
        {"refunding": 700},
        "payment.captured",
        "payment.partially_refunded",
    ),
    Case(
        "update_authorization",
        "UpdateAuthorize",
        "authorized",
        {"amount": 1500},
        {},
        "payment.authorized",
        "payment.authorized",
    ),
    Case(
        "reauthorize",
        "ReAuthorize",
        "consented",
        {"agreement": "plan", "amount": 700},
        {"authorizing": 700},
        "payment.requested",
        "payment.authorized",
    ),
    Case(
        "terminate",
        "Terminate",
        "consented",
        {},
        {},
        "consent.consented payment.authorized",
        "consent.terminated payment.authorized",
    ),
    Case(
        "update_consent",
        "UpdateConsent",
        "consented",
        {"amount": 500, "parameters": DAILY},
        {},
        "consent.consented payment.authorized",
        "consent.consented payment.authorized",
    ),
]
BY_HAND = {
    "Capture": ("capture", 700),
    "Cancel": ("cancel",),
    "Terminate": ("terminate",),
}
HOLDS = ("capturing", "refunding", "authorizing")


@pytest.fixture(params=CASES, ids=lambda case: case.command)
def case(request):
    return request.param


@pytest.fixture
def name(shop, case):
    """The transaction that the command is for, ready for it."""
    names = {"authorized": "order", "captured": "order", "consented": "plan"}
    getattr(shop, case.begin)()
    assert shop.emulator.take_notifications() == []
    return "charge" if case.command == "reauthorize" else names[case.begin]


def holds(transaction):
    return {
        held: transaction.amounts[held] for held in HOLDS if transaction.amounts[held]
    }


def do_with(shop, case, name, fault):
    """The answer to a command that suffers `fault`, all that must hold of it checked."""
    shop.emulator.misbehave(fault, command=case.wire)
    answer = shop.do(case.command, name, **case.fields)
    assert answer.status == ("pending" if fault == "pending" else "unknown")
    assert not answer.may_send_again
    assert answer.transaction.status == case.before
    assert holds(answer.transaction) == case.held
    [operation] = answer.transaction.operations.values()
    assert (operation.command, operation.phase) == (case.command, answer.status)
    exchanges = len(shop.sent)
    again = shop.again(answer, **case.fields)
    assert again.is_recorded
    assert (again.status, again.transaction) == (answer.status, answer.transaction)
    other = shop.do(case.command, name, **case.fields)
    if case.command != "refund":  # refunds may overlap, and 300 of 1000 are left
        assert {"operation_open", "transaction_exists"} & set(other.denial.codes)
    else:
        assert other.denial.codes == ("amount_above_maximum",)
    assert len(shop.sent) == exchanges
    return answer


def assert_done(shop, case, name, answer):
    again = shop.again(answer, **case.fields)
    assert (again.status, again.is_recorded) == ("succeeded", True)
    assert again.transaction.status == case.after
    assert again.transaction.operations == {}
    assert again.transaction.discrepancies == {}
    assert holds(again.transaction) == {}
    shop.books_agree()


@pytest.mark.parametrize("shown_by", ["notification", "inquiry"])
@pytest.mark.parametrize("fault", CARRIED_OUT)
def test_carried_out_unacknowledged_and_found_out(shop, case, name, fault, shown_by):
    answer = do_with(shop, case, name, fault)
    shop.clock.pass_by(seconds=10)
    notifications = shop.emulator.take_notifications()
    if shown_by == "notification" and notifications:
        shop.notification(notifications)
    else:
        [resolved] = shop.recover(name)
        assert (resolved.key, resolved.status) == (answer.key, "succeeded")
        shop.notification(notifications)
    assert shop.sent.count(case.wire) == 1
    assert_done(shop, case, name, answer)


@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_never_arrived_stays_unknown_until_it_is_sent_again(shop, case, name, fault):
    answer = do_with(shop, case, name, fault)
    shop.clock.pass_by(days=1)
    for _ in range(2):
        [still] = shop.recover(name)
        assert (still.key, still.status) == (answer.key, "unknown")
        assert still.transaction.status == case.before
        assert holds(still.transaction) == case.held
    shop.books_agree(still_open=[name])
    assert shop.sent.count(case.wire) == 1
    [resolved] = shop.recover(name, RESEND)
    assert (resolved.key, resolved.status) == (answer.key, "succeeded")
    assert shop.sent.count(case.wire) == 2
    shop.recover(name, RESEND)
    assert shop.sent.count(case.wire) == 2
    assert_done(shop, case, name, answer)


@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_never_arrived_is_declined_where_the_caller_wants_that(shop, case, name, fault):
    answer = do_with(shop, case, name, fault)
    shop.clock.pass_by(days=1)
    [resolved] = shop.recover(name, DECLINE)
    assert (resolved.key, resolved.status) == (answer.key, "declined")
    assert resolved.may_send_again
    assert holds(resolved.transaction) == {}
    assert resolved.transaction.operations == {}
    assert shop.sent.count(case.wire) == 1
    shop.books_agree()


@pytest.mark.parametrize("fault", CARRIED_OUT)
def test_what_was_carried_out_is_never_sent_again(shop, case, name, fault):
    answer = do_with(shop, case, name, fault)
    shop.recover(name, RESEND)
    assert shop.sent.count(case.wire) == 1
    assert_done(shop, case, name, answer)


@pytest.mark.parametrize("fault", [*NEVER_ARRIVED, "lose_reply"])
def test_an_inquiry_that_fails_resolves_nothing(shop, case, name, fault):
    answer = do_with(shop, case, name, fault)
    for search in ("lose_reply", "http_503", "garbage", "truncate", "refuse"):
        shop.emulator.misbehave(search, command="Search")
        [still] = shop.recover(name, RESEND)
        assert still.status == "unknown"
    assert shop.sent.count(case.wire) == 1
    [resolved] = shop.recover(name, RESEND)
    assert resolved.status == "succeeded"
    assert_done(shop, case, name, answer)


@pytest.mark.parametrize("shown_by", ["notification", "inquiry"])
def test_pending_until_it_succeeds(shop, case, name, shown_by):
    answer = do_with(shop, case, name, "pending")
    shop.clock.pass_by(hours=3)
    [still] = shop.recover(name, RESEND)
    assert still.status == "pending"
    shop.emulator.complete(name)
    notifications = shop.emulator.take_notifications()
    if shown_by == "notification" and notifications:
        shop.notification(notifications)
    else:
        shop.recover(name)
    assert shop.sent.count(case.wire) == 1
    assert_done(shop, case, name, answer)


@pytest.mark.parametrize("shown_by", ["notification", "inquiry"])
def test_pending_until_it_fails(shop, case, name, shown_by):
    answer = do_with(shop, case, name, "pending")
    shop.clock.pass_by(hours=3)
    shop.emulator.fail(name)
    notifications = shop.emulator.take_notifications()
    if shown_by == "notification" and notifications:
        shop.notification(notifications)
    else:
        shop.recover(name)
    again = shop.again(answer, **case.fields)
    assert (again.status, again.is_recorded) == ("declined", True)
    assert not again.may_send_again
    assert holds(again.transaction) == {}
    assert again.transaction.operations == {}
    failed = case.command == "reauthorize"
    assert again.transaction.status == ("payment.failed" if failed else case.before)
    shop.books_agree()


def test_no_connection_is_a_decline_that_may_be_sent_again(shop, case, name):
    shop.emulator.misbehave("refuse_connection", command=case.wire)
    answer = shop.do(case.command, name, **case.fields)
    assert answer.status == "declined"
    assert answer.may_send_again
    assert answer.evidence.never_sent
    assert holds(answer.transaction) == {}
    exchanges = len(shop.sent)
    assert shop.again(answer, **case.fields).may_send_again
    assert len(shop.sent) == exchanges
    # An opening command has used its id up, even where the gateway never heard of it.
    once_more = f"{name}-2" if case.command == "reauthorize" else name
    assert shop.do(case.command, once_more, **case.fields).status == "succeeded"
    assert shop.transaction(once_more).status == case.after
    shop.books_agree()


# ── the opening command itself ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", CARRIED_OUT)
def test_an_opening_whose_page_was_never_seen(shop, fault):
    shop.emulator.misbehave(fault, command="Authorize")
    answer = shop.apply()
    assert answer.status == "unknown"
    assert answer.disclosed == {}
    [found] = shop.recover("order")
    assert found.status == "pending"
    shop.clock.pass_by(days=1)
    shop.emulator.portal.expire("order")
    shop.notification()
    assert shop.transaction("order").status == "payment.failed"
    shop.books_agree()


@pytest.mark.parametrize("fault", NEVER_ARRIVED)
def test_an_opening_that_never_arrived(shop, fault):
    shop.emulator.misbehave(fault, command="Authorize")
    assert shop.apply().status == "unknown"
    shop.clock.pass_by(days=1)
    assert shop.recover("order")[0].status == "unknown"
    [resolved] = shop.recover("order", RESEND)
    assert resolved.status == "pending"
    shop.approve("order")
    assert shop.transaction("order").status == "payment.authorized"
    shop.books_agree()


def test_an_opening_held_after_the_approval(shop):
    shop.emulator.misbehave("pending", command="Authorize")
    assert shop.apply().status == "pending"
    shop.emulator.consumer.approve("order")
    assert shop.notification() == []
    assert shop.recover("order")[0].status == "pending"
    shop.emulator.complete("order")
    shop.notification()
    assert shop.transaction("order").status == "payment.authorized"
    shop.books_agree()


# ── a process that dies in the middle of a call ─────────────────────────────────────


@pytest.mark.parametrize("shown_by", ["notification", "inquiry"])
def test_dead_after_the_gateway_heard(shop, case, name, shown_by):
    shop.die("after", case.command, name, key="fatal", **case.fields)
    assert holds(shop.transaction(name)) == case.held
    again = shop.do(case.command, name, key="fatal", **case.fields)
    assert (again.status, again.is_recorded) == ("unknown", True)
    assert shop.sent.count(case.wire) == 1
    notifications = shop.emulator.take_notifications()
    if shown_by == "notification" and notifications:
        shop.notification(notifications)
    else:
        shop.clock.pass_by(minutes=5)
        shop.recover(name)
    assert_done(shop, case, name, again)


def test_dead_before_the_gateway_heard(shop, case, name):
    shop.die("before", case.command, name, key="fatal", **case.fields)
    assert holds(shop.transaction(name)) == case.held
    shop.clock.pass_by(minutes=1)
    [still] = shop.recover(name, Recovery(missing=Missing.RESEND))
    assert still.status == "unknown"
    shop.clock.pass_by(minutes=8)
    [still] = shop.recover(name, Recovery(missing=Missing.RESEND))
    assert still.status == "unknown"
    assert (
        shop.sent.count(case.wire) == 1
    )  # the in-flight limit of 10 minutes is not passed
    shop.clock.pass_by(minutes=2)
    [resolved] = shop.recover(name, Recovery(missing=Missing.RESEND))
    assert (resolved.key, resolved.status) == ("fatal", "succeeded")
    assert shop.sent.count(case.wire) == 2
    assert_done(shop, case, name, resolved)


# ── once more, and alike ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [*CARRIED_OUT, *NEVER_ARRIVED])
def test_what_is_sent_again_is_lost_again(shop, case, name, fault):
    answer = do_with(shop, case, name, "lose_request")
    shop.emulator.misbehave(fault, command=case.wire)
    [still] = shop.recover(name, RESEND)
    assert (still.key, still.status) == (answer.key, "unknown")
    assert holds(still.transaction) == case.held
    [resolved] = shop.recover(name, RESEND)
    assert resolved.status == "succeeded"
    assert shop.sent.count(case.wire) == (2 if fault in CARRIED_OUT else 3)
    assert_done(shop, case, name, answer)


def test_what_is_sent_again_is_pending(shop, case, name):
    answer = do_with(shop, case, name, "lose_request")
    shop.emulator.misbehave("pending", command=case.wire)
    [still] = shop.recover(name, RESEND)
    assert still.status == "pending"
    [still] = shop.recover(name, RESEND)
    assert still.status == "pending"
    assert shop.sent.count(case.wire) == 2
    shop.emulator.complete(name)
    shop.recover(name)
    assert_done(shop, case, name, answer)


def test_what_is_sent_again_finds_no_connection(shop, case, name):
    answer = do_with(shop, case, name, "lose_request")
    shop.emulator.misbehave("refuse_connection", command=case.wire)
    [resolved] = shop.recover(name, RESEND)
    assert (resolved.key, resolved.status) == (answer.key, "declined")
    assert holds(resolved.transaction) == {}
    shop.books_agree()


def test_what_is_sent_again_is_refused(shop, case, name):
    answer = do_with(shop, case, name, "lose_request")
    shop.emulator.misbehave("refuse", command=case.wire)
    [resolved] = shop.recover(name, RESEND)
    assert (resolved.key, resolved.status) == (answer.key, "declined")
    assert not resolved.may_send_again
    assert holds(resolved.transaction) == {}
    shop.books_agree()


REPEATABLE = [
    ("refund", "Refund", "captured", "order", {"amount": 300}),
    ("update_authorization", "UpdateAuthorize", "authorized", "order", {"amount": 5}),
    (
        "update_consent",
        "UpdateConsent",
        "consented",
        "plan",
        {"amount": 5, "parameters": DAILY},
    ),
]


@pytest.mark.parametrize("first", ["succeeded", "declined", "failed later"])
@pytest.mark.parametrize("fault", ["lose_reply", "lose_request"])
@pytest.mark.parametrize(
    ("command", "wire", "begin", "name", "fields"),
    REPEATABLE,
    ids=[row[0] for row in REPEATABLE],
)
def test_a_second_like_the_first_is_not_taken_for_it(  # noqa: PLR0917
    shop, first, fault, command, wire, begin, name, fields
):
    getattr(shop, begin)()
    if first != "succeeded":
        begins_with = "refuse" if first == "declined" else "pending"
        shop.emulator.misbehave(begins_with, command=wire)
    earlier = shop.do(command, name, **fields)
    if first == "failed later":
        shop.emulator.fail(name)
        shop.recover(name)
        earlier = shop.again(earlier, **fields)
    assert earlier.status == first.replace("failed later", "declined")
    shop.emulator.misbehave(fault, command=wire)
    second = shop.do(command, name, **fields)
    assert second.status == "unknown"
    early = shop.emulator.take_notifications()
    shop.notification(early[:1])  # of the first, late: it must not resolve the second
    shop.clock.pass_by(days=1)
    if fault == "lose_request":
        assert shop.again(second, **fields).status == "unknown"
        assert shop.recover(name)[0].status == "unknown"
        assert shop.recover(name, RESEND)[0].status == "succeeded"
        assert shop.sent.count(wire) == 3
    else:
        shop.recover(name, RESEND)
        assert shop.again(second, **fields).status == "succeeded"
        assert shop.sent.count(wire) == 2
    assert shop.transaction(name).discrepancies == {}
    shop.books_agree()


def test_an_address_is_read_while_a_capture_is_unknown(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_reply", command="Capture")
    shop.do("capture", "order", amount=600)
    assert shop.do("get_address", "order").status == "succeeded"
    assert shop.recover("order")[0].status == "succeeded"
    shop.books_agree()


@pytest.mark.parametrize(
    ("command", "wire", "begin", "name", "fields"),
    REPEATABLE,
    ids=[row[0] for row in REPEATABLE],
)
def test_one_that_never_left_does_not_account_for_one_that_failed(  # noqa: PLR0917
    shop, command, wire, begin, name, fields
):
    getattr(shop, begin)()
    shop.emulator.misbehave("refuse_connection", command=wire)
    assert shop.do(command, name, **fields).may_send_again
    shop.emulator.misbehave("pending", command=wire)
    second = shop.do(command, name, **fields)
    assert second.status == "pending"
    shop.emulator.fail(name)
    shop.emulator.take_notifications()
    [resolved] = shop.recover(name)
    assert (resolved.key, resolved.status) == (second.key, "declined")
    shop.books_agree()


@pytest.mark.parametrize("case", [c for c in CASES if c.wire in BY_HAND])
def test_the_first_arrives_just_before_it_is_sent_again(shop, case, name, monkeypatch):
    answer = do_with(shop, case, name, "lose_request")
    act, *amount = BY_HAND[case.wire]

    def arrive(moment):
        if moment == "after" and shop.sent[-1] == "Search" and not arrived:
            arrived.append(moment)
            getattr(shop.emulator.portal, act)(name, *amount)

    arrived = []
    monkeypatch.setattr(shop, "may_die", arrive)
    [resolved] = shop.recover(name, RESEND)
    assert arrived
    assert shop.sent.count(case.wire) == 2
    assert (resolved.key, resolved.status) == (answer.key, "succeeded")
    assert_done(shop, case, name, answer)


# ── odds and ends ───────────────────────────────────────────────────────────────────


def test_a_reply_in_shift_jis_is_understood(shop):
    shop.authorized()
    shop.emulator.misbehave("shift_jis", command="Capture")
    assert shop.do("capture", "order").status == "succeeded"
    shop.books_agree()


def test_the_deadline_does_not_pass_over_an_open_capture(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_reply", command="Capture")
    shop.do("capture", "order", amount=600)
    shop.emulator.take_notifications()
    shop.clock.pass_by(days=31)
    assert shop.sweep("order").status == "payment.authorized"
    assert shop.recover("order")[0].status == "succeeded"
    assert shop.transaction("order").amounts["captured"] == 600
    shop.books_agree()


def test_a_capture_that_never_arrived_and_an_authorization_that_expired(shop):
    shop.authorized()
    shop.emulator.misbehave("lose_request", command="Capture")
    shop.do("capture", "order", amount=600)
    shop.clock.pass_by(days=31)
    assert shop.recover("order")[0].status == "unknown"
    [resolved] = shop.recover("order", DECLINE)
    assert resolved.status == "declined"
    shop.recover("order")
    assert shop.transaction("order").status == "payment.expired"
    shop.books_agree()


@pytest.mark.parametrize("ended", ["here", "in the portal"])
def test_a_resend_that_is_not_possible_any_more_ends(shop, ended):
    """A charge was lost, and its consent ended before it is sent again."""
    shop.consented()
    shop.emulator.misbehave("lose_request", command="ReAuthorize")
    lost = shop.do("reauthorize", "charge", agreement="plan", amount=700)
    assert lost.status == "unknown"
    if ended == "here":
        assert shop.do("terminate", "plan").status == "succeeded"
    else:
        shop.emulator.portal.terminate("plan")
        shop.notification()
    shop.clock.pass_by(hours=7)
    [still] = shop.recover("charge", RESEND)
    assert still.status == "unknown"
    shop.clock.pass_by(hours=7)
    [over] = shop.recover("charge", RESEND)
    assert (over.key, over.status) == (lost.key, "declined")
    assert shop.transaction("charge").status == "payment.failed"
    assert shop.sent.count("ReAuthorize") == 2
    shop.books_agree()
