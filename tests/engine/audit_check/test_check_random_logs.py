"""Shortcuts lead where the rules lead, whatever anybody did to an order."""

import random  # noqa: TID251 - from a fixed seed

import pytest

from kessai import load_shipped
from kessai.audit.log_check import LogReading, check_log

COMMANDS = {
    "one_time": ("authorize", "update_authorization", "capture", "cancel", "refund"),
    "recurring": ("authorize", "update_consent", "capture", "refund", "terminate"),
    "charge": ("reauthorize", "capture", "cancel", "refund"),
}
OUTCOMES = (*["succeeded"] * 4, "declined", "pending", "unknown", "denied")
HEADER = (
    "order,command,time,amount,outcome,agreement,with_capture,consent_only,lifecycle"
)
ROWS = 2000
ORDERS = 120
BEGIN = 1_767_225_600
SIXTY_DAYS = 60 * 86_400


def rows(seed):
    """What a monkey would do in two months to the orders of each lifecycle."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    yield HEADER
    for _ in range(ROWS):
        lifecycle = draw.choice(list(COMMANDS))
        command = draw.choice((*COMMANDS[lifecycle], "expire"))
        begins = command in {"authorize", "reauthorize"}
        amounts = draw.randrange(1, 8), 100_000, 100_001, "" if not begins else 5
        cells = (
            f"{lifecycle[0]}{draw.randrange(ORDERS)}",
            command,
            BEGIN + draw.randrange(SIXTY_DAYS // (8 if begins else 1)),
            draw.choice(amounts),
            "succeeded" if command == "expire" else draw.choice(OUTCOMES),
            f"r{draw.randrange(ORDERS)}" if command == "reauthorize" else "",
            "yes" if begins and draw.random() < 0.3 else "",
            "yes"
            if begins and lifecycle == "recurring" and draw.random() < 0.3
            else "",
            lifecycle,
        )
        yield ",".join(map(str, cells))


def judged(path, order):
    lifecycles = [load_shipped(name) for name in COMMANDS]
    return check_log(str(path), lifecycles, LogReading(order=order)).findings


@pytest.mark.parametrize("order", ["time", "file"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_log_is_judged_alike_with_and_without_shortcuts(
    tmp_path, monkeypatch, seed, order
):
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows(seed)) + "\n", "utf-8")
    fast = judged(path, order)
    assert fast.events == ROWS
    assert fast.violations > 50
    assert fast.allowed > 150
    without = "kessai.audit.log_check.shortcuts.Situations.learn"
    monkeypatch.setattr(without, lambda *_: None)
    assert judged(path, order) == fast
