"""A retailer's orders, paid by card: the books of engine and gateway agree on each.

The orders are real ones (`tests/data/README.md`); each opening becomes a card payment,
whatever it was, in yen or in cents, and each command comes at its own time.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kessai import Command, Engine, MemoryStore
from kessai.audit import verify
from kessai.simulator.gateway import differences
from kessai_adapters.payjp.local import LocalPayJp
from kessai_adapters.stripe.local import LocalStripe

ORDERS = Path(__file__).parent.parent / "data" / "orders-1000.jsonl"
OPENINGS = {"authorize", "reauthorize"}
AT_STRIPE = (LocalStripe, {"payment_method": "pm_card_visa"})
AT_PAYJP = (LocalPayJp, {})  # the consumer gives the card on PAY.JP's page


def commands(currency: str, parameters: dict[str, str]):
    """Each line of the file as a command about a card payment, with its time."""
    for line in ORDERS.read_text("utf-8").splitlines():
        asked = json.loads(line)
        name, opens = asked["command"], asked["command"] in OPENINGS
        if name == "terminate":  # nothing is agreed on here
            continue
        more = {"lifecycle": "card", "currency": currency, "parameters": parameters}
        yield (
            datetime.fromisoformat(asked["at"]).astimezone(UTC),
            Command(
                "authorize" if opens else name,
                asked["transaction"],
                key=asked["key"],
                amount=asked.get("amount"),
                **(more if opens else {}),
            ),
        )


@pytest.mark.parametrize(
    ("gateway", "currency"),
    [(AT_STRIPE, "JPY"), (AT_STRIPE, "USD"), (AT_PAYJP, "JPY")],
)
def test_every_order_is_booked_alike_to_the_last_minor_unit(gateway, currency):
    now = [datetime(2010, 12, 1, tzinfo=UTC)]
    local, parameters = gateway[0](clock=lambda: now[0]), gateway[1]
    outcomes = Counter[str]()
    with Engine(
        adapters=[local.adapter],
        store=MemoryStore(),
        transport=local.transport,
        clock=lambda: now[0],
    ) as engine:
        for now[0], command in commands(currency, parameters):
            answer = engine.execute(command)
            if answer.status == "pending":
                engine.reconcile(command.transaction)
            outcomes[answer.status] += 1
        assert verify(engine.store).holds
        played, captured, refunded = local.played(), 0, 0
        for name in played.orders():
            engine.sweep(name)
            transaction = engine.transaction(name)
            assert list(differences(transaction, played.booked(name))) == [], name
            captured += transaction.amounts["captured"]
            refunded += transaction.amounts["refunded"]
    assert outcomes["denied"] < 60
    assert captured > 10_000_000
    assert refunded > 0
