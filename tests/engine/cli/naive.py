"""What must come of a file of orders, worked out the plain way: one dict an order.

An oracle for tests, written from the gateway's rules alone. It imports nothing of the
project, so that a mistake there cannot hide here. It knows what the order files hold
(no flags, no updates) and that the gateway approves every opening command at once.

    python tests/engine/cli/naive.py FILE.jsonl   prints the expected totals
"""

import json
import re
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
MOST = {"one_time": 10_000_000, "recurring": 100_000, "charge": 100_000}
UNITS = {"Year": 1, "Month": 12, "Week": 52, "Day": 365}
LASTS = timedelta(days=30)


class Refused(Exception):
    pass


def need(condition):
    if not condition:
        raise Refused


def apply(orders, line, lifecycle, at):
    """Authorize and re-authorize: a new order, authorized at once (O1, R1, R7)."""
    amount = line.get("amount", 0)
    need(ORDER_ID.fullmatch(line["transaction"]))
    need(line["transaction"] not in orders)
    need(1 <= amount <= MOST[lifecycle])
    frequency = line.get("frequency")
    need((frequency is not None) == (lifecycle == "recurring"))
    if frequency:
        need(1 <= frequency["value"] <= UNITS.get(frequency["unit"], 0))
    orders[line["transaction"]] = {
        "lifecycle": lifecycle,
        "payment": "authorized",
        "consent": "consented" if lifecycle == "recurring" else None,
        "authorized": amount,
        "captured": 0,
        "refunded": 0,
        "until": at + LASTS,
    }


def authorize(orders, line, at):
    apply(orders, line, line["lifecycle"], at)


def reauthorize(orders, line, at):
    agreement = orders.get(line["agreement"])
    need(agreement and agreement["consent"] == "consented")
    apply(orders, line, "charge", at)


def capture(orders, line, at):
    order = orders.get(line["transaction"])
    need(order and order["payment"] == "authorized" and at < order["until"])
    amount = line.get("amount", order["authorized"])
    need(1 <= amount <= order["authorized"])
    order.update(payment="captured", captured=amount)


def cancel(orders, line, at):
    order = orders.get(line["transaction"])
    need(order and order["payment"] == "authorized" and at < order["until"])
    order["payment"] = "cancelled"


def refund(orders, line, at):
    order = orders.get(line["transaction"])
    need(order and order["payment"] in {"captured", "partially_refunded"})
    rest = order["captured"] - order["refunded"]
    amount = line.get("amount", rest)
    need(1 <= amount <= rest)
    order["refunded"] += amount
    order["payment"] = "refunded" if amount == rest else "partially_refunded"


def terminate(orders, line, at):
    order = orders.get(line["transaction"])
    need(order and order["consent"] == "consented")
    order["consent"] = "terminated"


COMMANDS = {
    "authorize": authorize,
    "reauthorize": reauthorize,
    "capture": capture,
    "cancel": cancel,
    "refund": refund,
    "terminate": terminate,
}


def simulate(lines):
    """The totals of `lines`, in the shape of `kessai run --json` without `seconds`."""
    orders = {}
    denied = Counter()
    counts = Counter()
    for text in lines:
        line = json.loads(text)
        counts["commands"] += 1
        at = datetime.fromisoformat(line["at"])
        try:
            COMMANDS[line["command"]](orders, line, at)
        except Refused:
            denied[line["command"]] += 1
        else:
            counts[f"succeeded.{line['command']}"] += 1
    for order in orders.values():
        counts[f"payment.{order['lifecycle']}.{order['payment']}"] += 1
        if order["consent"]:
            counts[f"consent.{order['consent']}"] += 1
    return {
        "transactions": len(orders),
        "denied": dict(denied),
        "captured": sum(order["captured"] for order in orders.values()),
        "refunded": sum(order["refunded"] for order in orders.values()),
        **counts,
    }


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    sys.stdout.write(f"{json.dumps(simulate(lines), indent=1, sort_keys=True)}\n")
