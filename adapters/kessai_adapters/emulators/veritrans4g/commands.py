"""The nine commands on the wire: parameters in, members of `result` out."""

from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Final

import attrs

from kessai_adapters.emulators.veritrans4g import rules
from kessai_adapters.emulators.veritrans4g.books import Exchange, Order
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.consumer import Approve, Consumer
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.faults import OwnFault
from kessai_adapters.emulators.veritrans4g.notifications import transaction_id
from kessai_adapters.emulators.veritrans4g.operations import Ask, Operations
from kessai_adapters.emulators.veritrans4g.words import Command


@attrs.frozen(kw_only=True)
class Call:
    """A command as it arrived, its parameters checked to be strings."""

    command: Command
    params: rules.Params
    dummy: bool
    now: datetime
    fault: OwnFault | None


@attrs.frozen(kw_only=True)
class Answer:
    """What a command answers: its result code and its own members of `result`."""

    exchange: Exchange
    members: dict[str, object] = attrs.field(factory=dict[str, object])
    """The members that belong to the command alone."""


_SHIPPING: Final = {
    "shippingName": "見本 太郎",
    "shippingPhone": "0000000000",
    "shippingAddress1": "見本区架空町0-0-0",
    "shippingAddress2": "見本ビル000",
    "shippingAddress3": "",
    "shippingPrefecture": "見本県",
    "shippingPostalCode": "000-0000",
}
_BUYER_ID: Final = "amzn1.account.SAMPLE0000000000"
_MORE: Final = {
    "buyerEmail": "taro.mihon@buyer.example",
    "buyerName": "見本 太郎",
    "buyerPhoneNumber": "0000000000",
    "paymentPreferences": "SampleCard ****-0000",
    "billingAddress1": "見本区架空町0-0-0",
    "billingAddress2": "見本ビル000",
    "billingAddress3": "",
    "billingPrefecture": "見本県",
    "billingPostalCode": "000-0000",
}

_TO_AMAZON: Final = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="UTF-8">
<meta http-equiv="refresh" content="0;url={url}">
<title>Amazon Payへ移動します</title></head>
<body><p><a href="{url}">Amazon Payへ移動します / Continue to Amazon Pay</a></p>
</body></html>"""


class Commands:
    """Answers the nine commands."""

    def __init__(self, operations: Operations, consumer: Consumer) -> None:
        self._operations = operations
        self._consumer = consumer
        self.approve = Approve.NOW
        self._by_command: dict[Command, Callable[[Call], Answer]] = {
            Command.AUTHORIZE: self._authorize,
            Command.REAUTHORIZE: self._reauthorize,
            Command.CAPTURE: self._with_amount,
            Command.CANCEL: self._cancel,
            Command.REFUND: self._with_amount,
            Command.GET_ADDRESS: self._get_address,
            Command.UPDATE_AUTHORIZE: self._update_authorize,
            Command.TERMINATE: self._terminate,
            Command.UPDATE_CONSENT: self._update_consent,
        }

    def answer(self, call: Call) -> Answer:
        """Carry a command out and return what it answers, or raise `Refused`."""
        return self._by_command[call.command](call)

    def _order(self, call: Call, name: str = "orderId") -> Order:
        order = self._operations.find(rules.order_id(call.params, name), call.now)
        if order.dummy != call.dummy:
            # Orders of the dummy mode and live ones do not see each other.
            raise Refused(Code.UNKNOWN_ORDER)
        return order

    def _authorize(self, call: Call) -> Answer:
        asked = rules.application(call.params)
        ask = Ask(command=call.command, now=call.now, fault=call.fault)
        order = self._operations.apply(asked, ask, dummy=call.dummy)
        page = escape(self._consumer.page_url(order))
        self._consumer.meet(order, self.approve)
        # The application itself is what succeeded, whatever becomes of the consumer.
        code = Code.PENDING if call.fault is OwnFault.PENDING else Code.SUCCESS
        return Answer(
            exchange=attrs.evolve(order.application, code=code),
            members={"responseContents": _TO_AMAZON.format(url=page)},
        )

    def _reauthorize(self, call: Call) -> Answer:
        asked = rules.reauthorization(call.params)
        origin = self._order(call, "originalOrderId")
        rules.allow_reauthorization(origin)
        ask = Ask(command=call.command, now=call.now, fault=call.fault)
        order = self._operations.apply(asked, ask, dummy=call.dummy)
        if call.fault is not OwnFault.PENDING:
            self._operations.finish(order, order.application, Code.SUCCESS, call.now)
        return _answer(order, order.application)

    def _perform(self, call: Call, order: Order, yen: int | None = None) -> Exchange:
        ask = Ask(command=call.command, now=call.now, amount=yen, fault=call.fault)
        return self._operations.perform(order, ask)

    def _with_amount(self, call: Call) -> Answer:
        yen = rules.amount(call.params)
        order = self._order(call)
        exchange = self._perform(call, order, yen)
        answer = _answer(order, exchange)
        if call.command is Command.REFUND:
            answer.members["refundableAmount"] = order.refundable
        return answer

    def _cancel(self, call: Call) -> Answer:
        rules.text(call.params, "cancellationReason")
        order = self._order(call)
        return _answer(order, self._perform(call, order))

    def _terminate(self, call: Call) -> Answer:
        rules.text(call.params, "closureReason")
        order = self._order(call)
        exchange = self._perform(call, order)
        return Answer(
            exchange=exchange, members={"centerOrderId": order.center_order_id}
        )

    def _update_consent(self, call: Call) -> Answer:
        order = self._order(call)
        terms = order.terms and rules.new_terms(call.params, order.terms)
        ask = Ask(
            command=call.command,
            now=call.now,
            amount=terms.amount if terms else None,
            terms=terms,
            fault=call.fault,
        )
        exchange = self._operations.perform(order, ask)
        return Answer(
            exchange=exchange, members={"centerOrderId": order.center_order_id}
        )

    def _update_authorize(self, call: Call) -> Answer:
        yen = rules.required_amount(call.params)
        order = self._order(call)
        exchange = self._perform(call, order, yen)
        answer = _answer(order, exchange)
        answer.members.update(self._redirect(order))
        return answer

    def _get_address(self, call: Call) -> Answer:
        more = rules.choice(call.params, "addInfoRespFlag", "0 1", "0") == "1"
        order = self._order(call)
        exchange = self._perform(call, order)
        members: dict[str, object] = {
            "checkoutSessionId": self._consumer.session(order),
            **({} if order.hide_address else _SHIPPING),
            "buyerId": _BUYER_ID,
            **(_MORE if more else {}),
            **self._redirect(order),
        }
        return Answer(exchange=exchange, members=members)

    def _redirect(self, order: Order) -> dict[str, str]:
        """Return where the consumer confirms, before the authorization only (F2)."""
        if not rules.at_merchants_page(order):
            return {}
        order.redirect_given = True
        self._operations.books.save(order)
        return {"payRedirectUrl": self._consumer.page_url(order)}


def _answer(order: Order, exchange: Exchange) -> Answer:
    return Answer(
        exchange=exchange,
        members={
            "centerOrderId": order.center_order_id,
            "centerTransactionId": transaction_id(order, exchange),
        },
    )
