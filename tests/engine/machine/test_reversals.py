"""A success that the gateway takes back later: applied as declared, or put aside."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from kessai import Command, Transaction
from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.listing import resolve_listing, unconfirmed
from kessai.evidence.notification import is_accounted_for, unmatched
from kessai.evidence.outcome import resolve, resolve_external
from kessai.evidence.reasons import discrepancy_sentence
from kessai.gateway import Evidence, ListedExchange, Outcome, Source
from kessai.machine import (
    Begun,
    Discrepancy,
    External,
    Operation,
    Reported,
    Reversed,
    append,
    compile_lifecycle,
    decide,
    fold,
)
from kessai.machine.decide import opened_tracks
from kessai.machine.events import event_data, read_event
from kessai.spec import load_file, load_shipped

WALLET = Path(__file__).parent.parent / "prove" / "wallet.toml"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Story:
    """A payment of 100 USD, captured at once, and what became of it."""

    def __init__(self, lifecycle):
        self.machine = compile_lifecycle(lifecycle)
        self.transaction = Transaction("order-1")
        self.now = NOW
        self.events = []
        currency = next(reversed(lifecycle.currencies))
        flags = {"with_capture": True}
        self.succeed(self.begin("authorize", 100, currency=currency, parameters=flags))

    def begin(self, name, amount=None, **more):
        self.now += timedelta(minutes=1)
        key = f"key-{len(self.events)}"
        command = Command(name, "order-1", key=key, amount=amount, **more)
        operation = decide(self.machine, self.transaction, command, self.now)
        assert isinstance(operation, Operation), str(operation)
        opened = opened_tracks(self.machine, operation)
        self.append(Begun(self.now, operation, None, opened))
        return operation

    def succeed(self, operation):
        said = self.evidence(operation.command, Outcome.SUCCEEDED)
        current = self.transaction.operations[operation.id]
        self.append(resolve(self.machine, self.transaction, current, said, self.now))

    def refund(self, amount):
        self.succeed(self.begin("refund", amount))
        return self

    def evidence(self, command, outcome, amount=None):
        return Evidence(
            source=Source.INQUIRY,
            transaction="order-1",
            command=command,
            outcome=outcome,
            amount=amount,
        )

    def take_back(self, command, amount=None):
        said = self.evidence(command, Outcome.REVERSED, amount)
        event = resolve_external(self.machine, self.transaction, said, self.now)
        self.append(event)
        return event

    def listed(self, *facts):
        names = ("command", "outcome", "amount", "exchange")
        listing = [ListedExchange(**dict(zip(names, each))) for each in facts]  # noqa: B905
        events = list(resolve_listing(self.case(), listing))
        for event in events:
            self.append(event)
        return events

    def case(self):
        attempts = Attempts(self.events)
        return Case(self.machine, self.transaction, attempts, self.now)

    def append(self, event):
        self.transaction, _ = append(self.machine, self.transaction, event)
        self.events.append(event)

    @property
    def stands(self):
        amounts = self.transaction.amounts
        return self.transaction.status, amounts["captured"], amounts["refunded"]


@pytest.fixture
def wallet():
    return Story(load_file(WALLET))


OF_SALE = ("authorize", Outcome.SUCCEEDED, 100)


def test_a_refund_that_is_sent_back_can_be_made_again(wallet):
    wallet.refund(100)
    assert wallet.stands == ("payment.refunded", 100, 100)
    event = wallet.take_back("refund", 100)
    said = wallet.evidence("refund", Outcome.REVERSED, 100)
    assert event == Reversed(wallet.now, "refund", 100, said)
    assert wallet.stands == ("payment.captured", 100, 0)
    wallet.refund(100)
    assert wallet.stands == ("payment.refunded", 100, 100)


def test_one_of_two_refunds_is_sent_back(wallet):
    wallet.refund(60).refund(40)
    wallet.take_back("refund", 40)
    assert wallet.stands == ("payment.partially_refunded", 100, 60)


def test_a_reversal_may_come_while_something_is_open(wallet):
    wallet.refund(60)
    refund = wallet.begin("refund", 40)
    wallet.take_back("refund", 60)
    assert wallet.stands == ("payment.captured", 100, 0)
    wallet.succeed(refund)
    assert wallet.stands == ("payment.partially_refunded", 100, 40)


def test_a_reversal_needs_a_declaration_a_state_and_amounts_that_allow_it(wallet):
    def reason(command, amount):
        event = wallet.take_back(command, amount)
        assert isinstance(event, Discrepancy)
        return event.reason

    before = wallet.stands
    assert reason("authorize", 100) == "not_reversible"
    assert reason("no_such_command", 100) == "not_reversible"
    assert reason("expire", None) == "not_reversible"
    assert reason("refund", 60) == "state_not_allowed"
    assert wallet.stands == before
    wallet.refund(60)
    assert reason("refund", None) == "amount_missing"
    assert reason("refund", 61) == "amount_out_of_bounds"
    assert reason("refund", 0) == "amount_out_of_bounds"
    assert wallet.stands == ("payment.partially_refunded", 100, 60)
    assert len(wallet.transaction.discrepancies) == 7


def test_where_a_lifecycle_declares_none_no_success_is_taken_back():
    past = Story(load_shipped("one_time")).refund(60)
    assert past.take_back("refund", 60).reason == "not_reversible"
    assert past.stands == ("payment.partially_refunded", 100, 60)


def test_that_it_was_not_to_be_taken_back_is_said_in_both_languages():
    english, japanese = (
        discrepancy_sentence("not_reversible", x) for x in ("en", "ja")
    )
    assert english == "the lifecycle does not allow this success to be taken back"
    assert japanese == "ライフサイクルで差戻しが認められていない成功"


def test_a_reversal_is_kept_and_read_back(wallet):
    wallet.refund(60)
    event = wallet.take_back("refund", 60)
    for each in (event, attrs.evolve(event, amount=None, operation="order-1.3")):
        data = event_data(each)
        assert read_event("reversed", {**data}) == each
    assert fold(wallet.machine, wallet.events, "order-1").amounts == (
        wallet.transaction.amounts
    )


# ── what an inquiry lists ───────────────────────────────────────────────────────────


def test_a_refund_listed_as_reversed_accounts_for_the_refund_and_its_reversal(wallet):
    wallet.refund(60)
    listed = OF_SALE, ("refund", Outcome.REVERSED, 60)
    (event,) = wallet.listed(*listed)
    assert (type(event), event.amount) == (Reversed, 60)
    assert wallet.stands == ("payment.captured", 100, 0)
    assert wallet.listed(*listed) == []
    listing = [ListedExchange(command=c, outcome=o, amount=a) for c, o, a in listed]
    assert unconfirmed(wallet.machine, Attempts(wallet.events), listing) == ()


def test_a_reversal_that_has_the_id_of_its_refund_is_counted_once(wallet):
    # The list that is read next names the refund by that id once more: it is no other.
    wallet.refund(60)
    listed = OF_SALE, ("refund", Outcome.REVERSED, 60, "re_1")
    (event,) = wallet.listed(*listed)
    assert type(event) is Reversed
    assert wallet.listed(*listed) == []
    assert wallet.stands == ("payment.captured", 100, 0)


def test_an_open_refund_listed_as_reversed_succeeds_and_is_taken_back(wallet):
    wallet.begin("refund", 60)
    first, second = wallet.listed(OF_SALE, ("refund", Outcome.REVERSED, 60))
    assert (type(first), first.outcome) == (Reported, Outcome.SUCCEEDED)
    assert type(second) is Reversed
    assert wallet.stands == ("payment.captured", 100, 0)
    assert not wallet.transaction.operations


def test_a_refund_nobody_asked_for_and_its_reversal_are_both_from_outside(wallet):
    events = wallet.listed(OF_SALE, ("refund", Outcome.REVERSED, 60))
    assert list(map(type, events)) == [External, Reversed]
    assert wallet.stands == ("payment.captured", 100, 0)


def test_of_two_refunds_alike_one_is_listed_as_reversed(wallet):
    wallet.refund(30).refund(30)
    listed = (
        OF_SALE,
        ("refund", Outcome.SUCCEEDED, 30),
        ("refund", Outcome.REVERSED, 30),
    )
    assert list(map(type, wallet.listed(*listed))) == [Reversed]
    assert wallet.listed(*listed) == []
    assert wallet.stands == ("payment.partially_refunded", 100, 30)


def test_a_reversal_waits_until_its_success_is_attributed(wallet):
    """Two refunds alike are in flight, and one is listed: whose it is, nobody knows yet."""
    one, _ = wallet.begin("refund", 30), wallet.begin("refund", 30)
    listed = OF_SALE, ("refund", Outcome.REVERSED, 30)
    assert wallet.listed(*listed) == []
    wallet.succeed(one)
    assert list(map(type, wallet.listed(*listed))) == [Reversed]


def test_what_cannot_be_taken_back_is_kept_once_and_tried_again(wallet):
    listed = (("authorize", Outcome.REVERSED, 100),)
    (event,) = wallet.listed(*listed)
    assert event.reason == "not_reversible"
    assert wallet.listed(*listed) == []


# ── what a item says ────────────────────────────────────────────────────────


def test_a_notified_reversal_is_accounted_for_by_the_trail_or_unmatched(wallet):
    wallet.refund(60)
    said = wallet.evidence("refund", Outcome.REVERSED, 60)
    assert not is_accounted_for(wallet.case(), said)
    left = unmatched(wallet.case(), said, ())
    assert isinstance(left, Discrepancy)
    assert left.reason == "not_listed"
    wallet.take_back("refund", 60)
    assert is_accounted_for(wallet.case(), said)


def test_evidence_of_a_reversal_about_what_is_open_says_that_it_had_succeeded(wallet):
    refund = wallet.begin("refund", 60)
    said = wallet.evidence("refund", Outcome.REVERSED, 60)
    event = resolve(wallet.machine, wallet.transaction, refund, said, wallet.now)
    assert event == Reported(wallet.now, refund.id, Outcome.SUCCEEDED, said)
