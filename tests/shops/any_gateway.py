"""A shop whose payments go through whichever gateway `SHOP_GATEWAY` names."""

import os
import sys
from importlib.metadata import entry_points
from urllib.parse import parse_qsl

from kessai import Command, Engine, SQLiteStore

CARD = {"lifecycle": "card", "currency": "JPY"}
HOW_TO_OPEN = {
    "amazon_pay": {"lifecycle": "amazon_pay", "currency": "JPY"},
    "veritrans4g": {"lifecycle": "one_time"},
    "stripe": {**CARD, "parameters": {"payment_method": "pm_card_visa"}},
    "payjp": CARD,
}
GATEWAY = os.environ["SHOP_GATEWAY"]
kind = entry_points(group="kessai.adapters")[GATEWAY].load()
adapter = kind.from_environment(os.environ)

with Engine(adapters=[adapter], store=SQLiteStore(sys.argv[1])) as engine:

    def asks(name: str, amount: int, **more: object) -> None:
        """Ask for it, and have it found out where the answer does not say."""
        engine.execute(Command(name, "order-1", key=name, amount=amount, **more))
        print(name, engine.reconcile("order-1").transaction.status, flush=True)

    asks("authorize", 1200, **HOW_TO_OPEN[GATEWAY])
    # The consumer's browser is back: the query of the address that it asks for.
    if brought := dict(parse_qsl(sys.stdin.readline().strip())):
        engine.resume("order-1", brought)
    asks("capture", 1000)
    asks("refund", 1000)
