"""How a story begins: an order is applied for, and its consumer approves."""

from kessai import Command
from kessai.simulator.moves import Ask, Consume, Deliver, TaskStep

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}
NOTIFICATIONS = dict.fromkeys(
    (
        "authorize_notification_url",
        "capture_notification_url",
        "cancel_notification_url",
    ),
    "https://shop.example/push",
)
MERCHANTS_PAGE = {
    "merchant_page": True,
    "merchant_page_url": "https://shop.example/confirm",
}


def steps(task, times, **given):
    return [TaskStep(task, **given)] * times


def opening(lifecycle, amount, **given):
    """The command that applies for the first order of a lifecycle."""
    return Command(
        "authorize",
        f"{lifecycle}-1",
        key="apply",
        lifecycle=lifecycle,
        amount=amount,
        parameters={**NOTIFICATIONS, **given},
    )


def applied(lifecycle, amount, **given):
    """It is carried out, and waits for its consumer."""
    return [Ask(1, opening(lifecycle, amount, **given)), *steps(1, 6)]


def approved(lifecycle):
    """The consumer approves, and the engine is notified."""
    order = f"{lifecycle}-1"
    return [Consume(order, "approve"), Deliver(2, order, 0), *steps(2, 4)]
