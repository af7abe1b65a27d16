"""What happens at PAY.JP, from the start, until an event of each type is sent.

The types that its documents name of payments and refunds.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kessai_adapters.emulators.payjp.emulator import Emulator

Act = Callable[["Emulator", str], None]


def _approve(emulator: "Emulator", order: str) -> None:
    emulator.consumer.approve(order)


def _refuse(emulator: "Emulator", order: str) -> None:
    emulator.consumer.refuse_card(order)


def _refund(emulator: "Emulator", order: str) -> None:
    emulator.portal.refund(order)


_ASKS: Final = {
    "confirm": True,
    "payment_method_options": {"card": {"request_three_d_secure": "any"}},
}

STORIES: Final[Mapping[str, tuple[Mapping[str, Any], tuple[Act, ...]]]] = {
    "payment_flow.succeeded": ({}, (_approve,)),
    "payment_flow.payment_failed": ({}, (_refuse,)),
    "payment_flow.requires_action": (_ASKS, ()),
    "refund.created": ({}, (_approve, _refund)),
}
"""What the shop asks for besides a payment, and what follows."""
