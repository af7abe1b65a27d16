"""Idempotency keys at the emulator: what is saved, what is not, and for how long."""

import pytest

from kessai_adapters.emulators import NoReply

PAID = (1000, "pm_card_visa", "key-1")


def made(merchant):
    return len(merchant.get("payment_intents")["data"])


def test_a_key_is_answered_once_for_a_day(merchant, clock):
    first = merchant.pays(*PAID)
    clock.pass_by(hours=23, minutes=59)
    assert merchant.pays(*PAID) == first
    assert merchant.headers["Idempotent-Replayed"] == "true"
    clock.pass_by(minutes=1)
    assert merchant.pays(*PAID)["id"] != first["id"]


def test_another_body_under_a_key_is_refused(merchant):
    merchant.pays(*PAID)
    error = merchant.pays(1001, "pm_card_visa", "key-1")["error"]
    assert (merchant.status, error["type"]) == (400, "idempotency_error")
    assert made(merchant) == 1


@pytest.mark.parametrize(("fault", "count"), [("http_500", 1), ("http_500_undone", 0)])
def test_a_500_comes_back_though_it_was_carried_out(merchant, emulator, fault, count):
    emulator.misbehave(fault)
    for _ in range(2):
        merchant.pays(*PAID)
        assert merchant.status == 500
    assert made(merchant) == count


@pytest.mark.parametrize(("fault", "status"), [("http_429", 429), ("http_409", 409)])
def test_what_stands_before_the_keys_saves_nothing(merchant, emulator, fault, status):
    emulator.misbehave(fault)
    merchant.pays(*PAID)
    assert (merchant.status, made(merchant)) == (status, 0)
    merchant.pays(*PAID)
    assert (merchant.status, made(merchant)) == (200, 1)


def test_what_is_not_well_formed_saves_nothing(merchant):
    merchant.pays("many", "pm_card_visa", "key-1")
    assert merchant.status == 400
    merchant.pays(*PAID)
    assert merchant.status == 200


def test_a_decline_is_saved(merchant):
    first = merchant.pays(1000, "pm_card_visa_chargeDeclined", "key-1")
    assert merchant.pays(1000, "pm_card_visa_chargeDeclined", "key-1") == first
    assert (merchant.status, made(merchant)) == (402, 1)


def test_a_reply_that_was_lost_is_had_again(merchant, emulator):
    emulator.misbehave("lose_reply", command="payment_intents.create")
    with pytest.raises(NoReply):
        merchant.pays(*PAID)
    assert merchant.pays(*PAID)["status"] == "requires_capture"
    assert made(merchant) == 1
