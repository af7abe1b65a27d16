"""The notifications (結果通知) that the gateway owes the merchant's server.

Owns their body and their signature. A test may also `compose` some that the gateway
never sent.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import attrs

from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.veritrans4g.books import Exchange, Order
from kessai_adapters.emulators.veritrans4g.merchant import Merchant
from kessai_adapters.emulators.veritrans4g.protocol import compact
from kessai_adapters.emulators.veritrans4g.words import Command

Fields = Mapping[str, str]


@attrs.frozen(kw_only=True)
class ResultNotification(Notification):
    """A notification of one result or several, by the gateway's word for each."""

    notices: tuple[Fields, ...] = attrs.field(repr=False)
    """The items inside, before they were indexed."""


_URL_OF: Final[dict[Command, Callable[[Order], str]]] = {
    Command.AUTHORIZE: lambda order: order.urls.authorize_notification,
    Command.REAUTHORIZE: lambda order: order.urls.authorize_notification,
    Command.UPDATE_AUTHORIZE: lambda order: order.urls.authorize_notification,
    Command.CAPTURE: lambda order: order.urls.capture_notification,
    Command.CANCEL: lambda order: order.urls.cancel_notification,
    Command.REFUND: lambda order: order.urls.cancel_notification,
    Command.TERMINATE: lambda order: order.urls.cancel_notification,
}
"""Where each command's result goes; the others have no notification."""


def transaction_id(order: Order, exchange: Exchange) -> str:
    """Return Amazon's id of one exchange."""
    return f"{order.center_order_id}-C{exchange.txn_id}"


def notice(order: Order, exchange: Exchange) -> Fields:
    """Return an exchange as an item; an absent amount is left out."""
    fields = {
        "orderId": order.order_id,
        "vResultCode": exchange.code.value,
        "txnType": exchange.command.value,
        "mstatus": exchange.result.value,
    }
    if exchange.amount is not None:
        fields["amount"] = str(exchange.amount)
    return {
        **fields,
        "centerOrderId": order.center_order_id,
        "centerTransactionId": transaction_id(order, exchange),
        "dummy": "1" if order.dummy else "0",
    }


def compose(
    merchant: Merchant,
    url: str,
    notices: Iterable[Fields],
    *,
    at: datetime,
    serial: int,
) -> ResultNotification:
    """Return the notification that holds `notices`, signed with the merchant's key."""
    kept = tuple(notices)
    fields = {
        "numberOfNotify": str(len(kept)),
        "pushTime": compact(at),
        "pushId": f"{serial:08d}",
    }
    for index, values in enumerate(kept):
        for name, value in values.items():
            fields[f"{name}{index:04d}"] = value
    body = urlencode(fields).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Hmac": merchant.content_hmac(body),
    }
    return ResultNotification(
        id=fields["pushId"],
        name=_all(kept, "txnType"),
        order=_all(kept, "orderId"),
        url=url,
        headers=headers,
        body=body,
        notices=kept,
    )


def _all(notices: Iterable[Fields], name: str) -> str:
    found = dict.fromkeys(values[name] for values in notices if name in values)
    return ", ".join(found)


class ResultOutbox(Outbox[ResultNotification]):
    """The results not yet taken, oldest first."""

    def __init__(self, merchant: Merchant, serial: Callable[[], int]) -> None:
        super().__init__()
        self._merchant = merchant
        self._serial = serial

    def notify(self, order: Order, exchange: Exchange, now: datetime) -> None:
        """Queue the item of a final exchange, if its URL is known."""
        url_of = _URL_OF.get(exchange.command)
        url = "" if url_of is None else url_of(order)
        if url:
            self.put(self._notification(url, [notice(order, exchange)], now))

    def take_batched(self, now: datetime) -> list[ResultNotification]:
        """Take all; those to one URL become one notification with several items."""
        by_url: dict[str, list[Fields]] = {}
        for notification in self.take():
            by_url.setdefault(notification.url, []).extend(notification.notices)
        return [
            self._notification(url, notices, now) for url, notices in by_url.items()
        ]

    def _notification(
        self, url: str, notices: Iterable[Fields], now: datetime
    ) -> ResultNotification:
        return compose(self._merchant, url, notices, at=now, serial=self._serial())
