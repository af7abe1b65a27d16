"""An agreement is charged once in a period, whatever the second charge is called."""

import asyncio
from datetime import date, datetime

import pytest

from kessai import AsyncEngine, AsyncPostgresStore, Command
from kessai.errors import InvalidInput
from kessai_adapters.emulators.in_process import AsyncEmulatorTransport

MONTHLY = {"unit": "Month", "value": 1}


def test_a_second_charge_of_a_period_is_denied_with_the_first_one_named(shop):
    shop.agrees("A")
    first = shop.charge("A-7")
    assert first.status == "succeeded"
    second = shop.charge("A-8", amount=1)
    assert second.status == "denied"
    assert second.denial.codes == ("period_taken",)
    assert "charged by A-7" in str(second.denial)
    assert "A-7 で課金" in second.denial.sentences("ja")[0]
    assert shop.orders() == {"A-7": "A"}


def test_the_same_charge_asked_for_again_is_answered_as_before(shop):
    shop.agrees("A")
    first = shop.charge("A-7")
    again = shop.charge("A-7")
    assert again.is_recorded
    assert again.transaction == first.transaction


def test_another_period_is_another_charge(shop):
    shop.agrees("A")
    shop.charge("A-7")
    assert shop.charge("A-8", period=date(2026, 2, 28)).status == "succeeded"


def test_a_charge_is_of_one_period(shop):
    shop.agrees("A")
    shop.charge("A-7")
    with pytest.raises(InvalidInput, match="A-7: is the charge of another period"):
        shop.charge("A-7", period=date(2026, 2, 28), key="another")


def test_what_is_planned_is_not_charged_by_hand_under_another_id(shop):
    shop.agrees("A")
    shop.plan("A")
    denied = shop.charge("A-7")
    assert denied.denial.reasons[0].values["charge"] == "A-20260131"
    assert shop.orders() == {}


def test_a_charge_that_was_denied_makes_room_for_another(shop):
    shop.agrees("A")
    assert shop.charge("A-7", amount=10_000_000).denial.codes == (
        "amount_above_maximum",
    )
    assert shop.charge("A-8").status == "succeeded"
    late = shop.charge("A-7", amount=10_000_000)
    assert late.denial.codes == ("period_taken",)


def test_a_charge_that_was_declined_makes_room_for_another(shop):
    shop.agrees("A")
    shop.local.emulator.misbehave("refuse", command="ReAuthorize")
    assert shop.charge("A-7").status == "declined"
    assert shop.charge("A-8").status == "succeeded"
    assert shop.charge("A-9").denial.codes == ("period_taken",)


def test_a_charge_whose_outcome_is_not_known_makes_room_for_none(shop):
    shop.agrees("A")
    shop.local.emulator.misbehave("lose_reply", command="ReAuthorize")
    assert shop.charge("A-7").status == "unknown"
    assert shop.charge("A-8").denial.codes == ("period_taken",)
    shop.passes(minutes=20)
    shop.engine.recover()
    assert shop.charge("A-9").denial.codes == ("period_taken",)
    assert shop.orders() == {"A-7": "A"}


def test_a_charge_that_recovery_found_declined_makes_room_for_another(shop):
    shop.agrees("A")
    shop.local.emulator.misbehave("lose_request", command="ReAuthorize")
    assert shop.charge("A-7").status == "unknown"
    shop.passes(hours=2)
    shop.engine.recover()
    assert shop.transaction("A-7").status == "payment.failed"
    assert shop.charge("A-8").status == "succeeded"


def test_asyncio_charges_a_period_once_too(shop):
    shop.agrees("A")
    shop.charge("A-7")
    engine = AsyncEngine(
        adapters=[shop.local.adapter],
        store=shop.store,
        transport=AsyncEmulatorTransport(shop.local.emulator),
        clock=lambda: shop.now,
    )
    command = Command("reauthorize", "A-8", key="8", agreement="A", amount=1)
    answer = asyncio.run(engine.charge_period(command, date(2026, 1, 31)))
    assert answer.denial.codes == ("period_taken",)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"agreement": None}, "name the agreement"),
        ({"period": datetime(2026, 1, 31)}, "a date without a time"),  # noqa: DTZ001
        ({"period": "2026-01-31"}, "period"),
    ],
)
def test_what_is_no_period_is_refused(shop, more, message):
    with pytest.raises(InvalidInput, match=message):
        shop.charge("A-7", **more)


def test_an_asynchronous_store_on_a_server_keeps_one_bill_too(shop, url):
    async def charged():
        store = await AsyncPostgresStore.open(url)
        engine = AsyncEngine(
            adapters=[shop.local.adapter],
            store=store,
            transport=AsyncEmulatorTransport(shop.local.emulator),
            clock=lambda: shop.now,
        )
        consent = {"frequency": MONTHLY, "consent_only": True}
        await engine.execute(
            Command(
                *("authorize", "P"),
                key="p",
                lifecycle="recurring",
                amount=980,
                parameters=consent,
            )
        )
        await engine.recover_transaction("P")
        answers = [
            await engine.charge_period(
                Command("reauthorize", name, key=name, agreement="P", amount=980),
                date(2026, 1, 31),
            )
            for name in ("P-1", "P-2", "P-1")
        ]
        await engine.close()
        return answers

    first, second, again = asyncio.run(charged())
    assert (first.status, second.denial.codes) == ("succeeded", ("period_taken",))
    assert again.is_recorded
    assert shop.orders() == {"P-1": "P"}
