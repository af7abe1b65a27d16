"""Whole answers and whole changes: nothing that a flow answers or writes is left out."""

from datetime import UTC, datetime

import pytest

from kessai import Answer, Missing, Recovery, Status
from kessai.errors import CommitUnknown, StoreFailed, VersionConflict
from kessai.flow import Append, Claim, execute, preview, recover_due
from kessai.flow.steps import ATTEMPTS
from kessai.machine import Begun, Denied, read_record

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
CONSENT = {"lifecycle": "recurring", "of": "consent-1"}


def changes(hand):
    return [effect.change for effect in hand.effects if isinstance(effect, Append)]


@pytest.fixture
def authorized(hand, command):
    hand.execute(command("authorize", 100))
    return hand


def charge(command, amount=300):
    return command("reauthorize", amount, of="charge-1", agreement="consent-1")


# ── denials ─────────────────────────────────────────────────────────────────────────


def test_a_denial_is_answered_and_written_whole(authorized, command, clock):
    asked = command("capture", 101, key="k")
    answer = authorized.execute(asked)
    (change,) = changes(authorized)
    why = answer.denial
    denied = Denied(
        clock.now, "capture", "k", asked.fingerprint, why.reasons, 101, why.bounds
    )
    after = authorized.store.load(None, "order-1", None).transaction
    assert answer == Answer(
        status=Status.DENIED,
        command="capture",
        key="k",
        transaction=after,
        denial=answer.denial,
    )
    head = authorized.store.records("order-1")[-2].hash
    assert read_record(change.records[0], head).event == denied
    assert (change.opens.key, change.opens.command) == ("k", "capture")
    assert change.opens.bounds == answer.denial.bounds


def test_a_denial_is_bound_to_the_file_that_its_transaction_runs_under(
    authorized, command, store
):
    authorized.execute(command("refund", 10))
    *_, denied = store.records("order-1")
    own = store.load(None, "order-1", None).transaction.lifecycle_hash
    assert f'"lifecycle":"{own}"'.encode() in denied.body


# ── intents ─────────────────────────────────────────────────────────────────────────


def test_a_charge_names_the_version_of_the_agreement_it_was_allowed_under(
    hand, command
):
    hand.execute(command("authorize", 500, consent_only=True, **CONSENT))
    hand.execute(charge(command))
    intent, _ = changes(hand)
    (begun,) = (read_record(record, "").event for record in intent.records)
    assert isinstance(begun, Begun)
    assert (begun.agreement, begun.agreement_version) == ("consent-1", 2)
    assert intent.agreement == ("consent-1", 2)
    assert (intent.opens.command, intent.opens.outcome) == ("reauthorize", "begun")


def test_only_an_opening_brings_its_file_along(authorized, command):
    authorized.execute(command("capture", 60))
    intent, outcome = changes(authorized)
    assert (intent.declaration, outcome.declaration) == (None, None)
    assert (intent.agreement, intent.is_intent, outcome.is_intent) == (
        None,
        True,
        False,
    )


# ── previews ────────────────────────────────────────────────────────────────────────


def test_a_preview_knows_the_lifecycle_that_is_asked_for(hand, command):
    assert hand.run(preview(hand.context, command("authorize", 100))) is None
    denial = hand.run(preview(hand.context, command("authorize", 0)))
    assert (denial.codes, denial.transaction) == (("amount_below_minimum",), "order-1")


def test_a_preview_of_a_charge_reads_its_agreement(hand, command):
    denial = hand.run(preview(hand.context, charge(command)))
    assert denial.codes == ("agreement_unknown",)
    hand.execute(command("authorize", 500, consent_only=True, **CONSENT))
    assert hand.run(preview(hand.context, charge(command))) is None
    hand.execute(command("terminate", of="consent-1"))
    denial = hand.run(preview(hand.context, charge(command)))
    assert denial.codes == ("agreement_state",)


# ── what cannot be written ──────────────────────────────────────────────────────────


class Always(dict):
    """At every append of one kind, the store fails."""

    def __init__(self, hand, error, *, intents):
        super().__init__()
        self._hand, self._error, self._intents = hand, error, intents

    def get(self, _number, nothing):
        effect = self._hand.effects[-1]
        if isinstance(effect, Append) and effect.change.is_intent is self._intents:
            return self._fail
        return nothing

    def _fail(self):
        raise self._error


@pytest.mark.parametrize("intents", [True, False])
def test_who_is_always_overtaken_is_given_the_transaction(authorized, command, intents):
    authorized.before = Always(authorized, VersionConflict("lost"), intents=intents)
    with pytest.raises((VersionConflict, CommitUnknown)) as raised:
        authorized.run(execute(authorized.context, command("capture", 60)))
    cause = raised.value if intents else raised.value.__cause__
    assert str(cause) == (f"order-1: others changed it {ATTEMPTS} times while deciding")


def test_what_was_sent_and_could_not_be_written_is_to_be_asked_again_with_its_key(
    authorized, command
):
    full = StoreFailed("/var/shop.db: database or disk is full")
    authorized.before = Always(authorized, full, intents=False)
    with pytest.raises(CommitUnknown) as raised:
        authorized.run(execute(authorized.context, command("capture", 60)))
    assert str(raised.value) == (
        "order-1: capture was sent, and its outcome could not be written (/var/shop.db:"
        " database or disk is full); ask again with the same key"
    )


# ── what is for the caller alone ────────────────────────────────────────────────────


def test_what_a_reply_discloses_reaches_its_caller_also_when_a_notification_was_first(
    shop, gateway
):
    shop.asks("authorize", 100)

    def notification_first(asked):
        other = type(shop)("sync", shop.store, shop.gateway, shop.clock)
        other.notification("capture", "succeeded", 60)
        return {"outcome": "succeeded", "amount": 60, "disclosed": {"page": "p"}}

    gateway.answers = [notification_first]
    answer = shop.asks("capture", 60)
    assert (answer.status, answer.disclosed) == ("succeeded", {"page": "p"})


def test_what_a_reply_discloses_reaches_its_caller_also_after_an_inquiry(shop, gateway):
    shop.asks("authorize", 100)
    gateway.answers = [
        {"outcome": "unknown", "needs_inquiry": True, "disclosed": {"page": "p"}}
    ]
    answer = shop.asks("capture", 60)
    assert (answer.status, answer.disclosed) == ("unknown", {"page": "p"})


# ── leases ──────────────────────────────────────────────────────────────────────────


def test_what_a_recoverer_writes_it_writes_under_its_lease(
    authorized, command, gateway, lost, clock
):
    gateway.answers = [lost]
    authorized.execute(command("capture", 60))
    clock.passes(minutes=11)
    recovery = Recovery(missing=Missing.RESEND)
    (answer,) = authorized.run(recover_due(authorized.context, recovery))
    assert answer.status is Status.SUCCEEDED
    (claim,) = (e for e in authorized.effects if isinstance(e, Claim))
    assert claim == Claim(clock.now, clock.now + recovery.lease, ("plain",))
    resent, *_ = changes(authorized)
    assert resent.is_intent
    assert (resent.lease.transaction, resent.lease.number) == ("order-1", 1)
