"""What happens at the gateway, from the start, until a result of each kind is notified.

For a developer who wants to see a notification before there is a shop to cause it. Each
trigger makes an order of its own, in dummy (test) mode, and returns its id; all its
notifications go to one URL.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from kessai_adapters.emulators.veritrans4g import rules
from kessai_adapters.emulators.veritrans4g.consumer import Consumer
from kessai_adapters.emulators.veritrans4g.operations import Ask, Operations
from kessai_adapters.emulators.veritrans4g.portal import Portal
from kessai_adapters.emulators.veritrans4g.words import Command

_YEN: Final = 1000
_CONSENT: Final = {
    "accountingType": "1",
    "frequencyUnit": "Month",
    "frequencyValue": "1",
}

_Next = Callable[[Portal, str], object]
STORIES: Final[Mapping[Command, tuple[Mapping[str, str], tuple[_Next, ...]]]] = {
    Command.AUTHORIZE: ({}, ()),
    Command.CAPTURE: ({}, (Portal.capture,)),
    Command.CANCEL: ({}, (Portal.cancel,)),
    Command.REFUND: ({}, (Portal.capture, Portal.refund)),
    Command.TERMINATE: (_CONSENT, (Portal.terminate,)),
}
"""The application's own members, and what follows the consumer's approval."""


class Triggers:
    """Makes each story happen."""

    def __init__(
        self,
        operations: Operations,
        consumer: Consumer,
        portal: Portal,
    ) -> None:
        self._operations = operations
        self._consumer = consumer
        self._portal = portal

    def play(self, command: Command, url: str, now: datetime) -> str:
        """Make it happen, from an application on; return the new order's id."""
        members, following = STORIES[command]
        params = {
            "orderId": f"trigger-{self._operations.books.serial()}",
            "amount": str(_YEN),
            "authorizePushUrl": url,
            "capturePushUrl": url,
            "cancelPushUrl": url,
            **members,
        }
        ask = Ask(command=Command.AUTHORIZE, now=now)
        order = self._operations.apply(rules.application(params), ask, dummy=True)
        self._consumer.approve(order.order_id)
        for do in following:
            do(self._portal, order.order_id)
        return order.order_id
