"""Whole chains that a program wrote without asking: every step is decided again."""

from datetime import timedelta

import attrs
import pytest
from audited.shop import MONTHLY, began, evidence_of, forge, forge_charge

from kessai.audit import verify
from kessai.gateway import Outcome, Source
from kessai.machine import Discrepancy, External, Lapsed, Reported, Resent
from kessai.machine.unclaimed import MAY_BE_ANOTHER


def first_fault(store):
    (fault,) = verify(store).faults.first
    return fault.number, fault.code, fault.detail


def test_a_second_capture_was_not_allowed(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "capture", "A-1", 50))
    assert first_fault(store) == (6, "not_allowed", "state_not_allowed")


def test_a_refund_of_more_than_is_left_was_not_allowed(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "refund", "A-1", 901))
    assert first_fault(store) == (6, "not_allowed", "amount_above_maximum")


def test_a_capture_after_the_deadline_was_not_allowed(shop, store):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.resolve("A-1")
    shop.clock.now += timedelta(days=30)
    forge(store, "A-1", began(shop, "capture", "A-1", 1000, number=4))
    assert first_fault(store) == (4, "not_allowed", "authorization_expired")


def test_what_equals_an_unclaimed_movement_was_not_allowed(shop, store):
    shop.sells()
    evidence = evidence_of("A-1", "refund", amount=100)
    shown = External(shop.clock(), "refund", 100, evidence)
    forge(store, "A-1", shown, began(shop, "refund", "A-1", 100, number=7))
    assert first_fault(store) == (7, "not_allowed", "external_unclaimed")


def test_an_operation_under_a_false_number_was_not_decided_on(shop, store):
    shop.sells()
    forge(store, "A-1", began(shop, "refund", "A-1", 1, number=99))
    assert first_fault(store)[:2] == (6, "not_allowed")


def test_a_result_of_what_was_never_begun_is_found(shop, store):
    shop.sells()
    evidence = evidence_of("A-1", "refund")
    reported = Reported(shop.clock(), "A-1.6", Outcome.SUCCEEDED, evidence)
    forge(store, "A-1", reported)
    assert first_fault(store) == (6, "not_open", "A-1.6")


def test_a_success_against_its_own_evidence_is_found(shop, store):
    shop.sells()
    declined = evidence_of("A-1", "refund", Outcome.DECLINED)
    forge(
        store,
        "A-1",
        began(shop, "refund", "A-1", 100),
        Reported(shop.clock(), "A-1.6", Outcome.SUCCEEDED, declined),
    )
    assert first_fault(store)[:2] == (7, "not_what_follows")


@pytest.mark.parametrize(
    ("phase", "fault"),
    [
        ("begun", (7, "resent_too_soon", "A-1.6 (begun)")),
        ("pending", (8, "resent_too_soon", "A-1.6 (pending)")),
        # The trail holds; only the key was not forged along.
        ("unknown", (6, "answer_missing", "forged")),
    ],
)
def test_only_what_nothing_was_heard_of_may_have_been_sent_again(
    shop, store, phase, fault
):
    """Sent again while its caller still waits, a request could be carried out twice."""
    shop.sells()
    events = [began(shop, "refund", "A-1", 100), Resent(shop.clock(), "A-1.6")]
    if phase != "begun":
        outcome = Outcome(phase)
        evidence = evidence_of("A-1", "refund", outcome)
        events.insert(1, Reported(shop.clock(), "A-1.6", outcome, evidence))
    forge(store, "A-1", *events)
    assert first_fault(store) == fault


def test_that_something_was_sent_again_too_soon_is_reported_in_both_languages(
    shop, store
):
    shop.sells()
    again = Resent(shop.clock(), "A-1.6")
    forge(store, "A-1", began(shop, "refund", "A-1", 100), again)
    (fault,) = verify(store).faults.first
    assert (fault.sentence("en"), fault.sentence("ja")) == (
        "sends a request again that may still be answered: A-1.6 (begun)",
        "まだ結果が届き得る要求の再送です: A-1.6 (begun)",
    )


def test_an_external_refund_of_another_amount_than_its_evidence_is_found(shop, store):
    shop.sells()
    evidence = evidence_of("A-1", "refund", amount=100)
    forge(store, "A-1", External(shop.clock(), "refund", 900, evidence))
    assert first_fault(store) == (6, "not_what_follows", "external")


def test_a_deadline_that_had_not_passed_is_found(shop, store):
    shop.do("authorize", "A-1", lifecycle="one_time", amount=1000)
    shop.resolve("A-1")
    forge(store, "A-1", Lapsed(shop.clock(), "authorization"))
    assert first_fault(store)[:2] == (4, "not_allowed")


def test_evidence_put_aside_without_need_is_found(shop, store):
    shop.sells()
    refund = evidence_of("A-1", "refund", amount=100)
    forge(store, "A-1", Discrepancy(shop.clock(), "invariant_broken", refund))
    assert first_fault(store) == (6, "not_what_follows", "external")


def updated(shop, store):
    """A consent whose terms were updated by us: the list has it, not the amount."""
    shop.agrees()
    shop.do("update_consent", "R-1", amount=400, parameters=MONTHLY)
    evidence = evidence_of("R-1", "update_consent")
    return attrs.evolve(evidence, source=Source.INQUIRY)


def test_doubt_may_stand_beside_what_a_list_without_amounts_has_resolved(shop, store):
    evidence = updated(shop, store)
    forge(store, "R-1", Discrepancy(shop.clock(), MAY_BE_ANOTHER, evidence, "R-1.4"))
    report = verify(store)
    assert report.holds
    assert report.discrepancies.count == 1


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 400},
        {"source": Source.REPLY},
        {"outcome": Outcome.DECLINED},
        {"command": "terminate"},
        {"command": "unheard_of"},
        {"command": None},
    ],
    ids=lambda other: " ".join(f"{name} {value}" for name, value in other.items()),
)
def test_doubt_about_what_leaves_none_is_found(shop, store, other):
    evidence = attrs.evolve(updated(shop, store), **other)
    forge(store, "R-1", Discrepancy(shop.clock(), MAY_BE_ANOTHER, evidence, "R-1.4"))
    assert first_fault(store)[1:] == ("not_what_follows", "nothing is in doubt")


@pytest.mark.parametrize("operation", [None, "R-1.6"], ids=["none", "one still open"])
def test_doubt_beside_what_has_not_ended_is_found(shop, store, operation):
    evidence = updated(shop, store)
    forge(
        store,
        "R-1",
        began(shop, "update_consent", "R-1", 300, **MONTHLY),
        Discrepancy(shop.clock(), MAY_BE_ANOTHER, evidence, operation),
    )
    assert first_fault(store)[1:] == ("not_what_follows", "nothing has ended")


def test_a_charge_after_the_end_of_its_agreement_was_not_allowed(shop, store):
    shop.agrees()
    shop.do("terminate", "R-1")
    agreement = store.load(None, "R-1", None).transaction
    forge_charge(shop, store, agreement.version, account=agreement.account)
    assert first_fault(store) == (1, "not_allowed", "agreement_state")


@pytest.mark.parametrize("account", [{}, {"account": "another-shop/test"}])
def test_a_charge_in_another_account_than_its_agreements_was_not_allowed(
    shop, store, account
):
    shop.agrees()
    agreement = store.load(None, "R-1", None).transaction
    forge_charge(shop, store, agreement.version, **account)
    fault = (1, "not_allowed", "R-1 belongs to another account")
    assert first_fault(store) == fault


def test_a_payment_that_moves_to_another_account_was_not_allowed(shop, store):
    shop.agrees()
    begun = attrs.evolve(
        began(shop, "update_consent", "R-1", 300, **MONTHLY), account="another/test"
    )
    forge(store, "R-1", begun)
    detail = "only an opening command gives an account"
    assert first_fault(store)[1:] == ("not_allowed", detail)


def test_a_charge_at_a_version_that_its_agreement_never_had_proves_nothing(shop, store):
    shop.agrees()
    forge_charge(shop, store, 99)
    assert first_fault(store)[:2] == (1, "agreement_unproven")
