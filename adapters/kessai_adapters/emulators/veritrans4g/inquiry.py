"""The inquiry (Search): what the gateway answers about an order.

An application with `withCapture` is one entry, `Authorize`, with the amount;
`orderStatus` says `captured`. An expiry has no entry; `orderStatus` says `expired`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kessai_adapters.emulators.veritrans4g import rules
from kessai_adapters.emulators.veritrans4g.books import Books, Exchange, Order
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.notifications import transaction_id
from kessai_adapters.emulators.veritrans4g.protocol import spaced
from kessai_adapters.emulators.veritrans4g.words import Kind, Result


def _transaction(order: Order, exchange: Exchange) -> dict[str, object]:
    entry: dict[str, object] = {
        "txnId": exchange.txn_id,
        "command": exchange.command.value,
        "mstatus": exchange.result.value,
        "vResultCode": exchange.code.value,
        "txnDatetime": spaced(exchange.at),
    }
    if exchange.amount is not None:
        entry["amount"] = str(exchange.amount)
    entry["properTransactionInfo"] = {
        "centerTransactionId": transaction_id(order, exchange)
    }
    return entry


def _proper(order: Order) -> dict[str, object]:
    proper: dict[str, object] = {
        "centerOrderId": order.center_order_id,
        "accountingType": "0" if order.kind is Kind.ONE_TIME else "1",
    }
    if order.consent is not None:
        proper["consentStatus"] = order.consent.value
    if order.original_order_id:
        proper["originalOrderId"] = order.original_order_id
    return proper


def _order(order: Order) -> dict[str, object]:
    done = [
        exchange.command.value
        for exchange in order.exchanges
        if exchange.result is Result.SUCCESS
    ]
    last = ("lastSuccessTxnType", "successDetailTxnType")
    return {
        "index": 0,
        "serviceTypeCd": "amazonpay",
        "orderId": order.order_id,
        "orderStatus": order.payment.value,
        **(dict.fromkeys(last, done[-1]) if done else {}),
        "properOrderInfo": _proper(order),
        "transactionInfos": {
            "transactionInfo": [
                _transaction(order, exchange) for exchange in order.exchanges
            ]
        },
    }


def _wanted(params: Mapping[str, Any]) -> str:
    match params.get("searchParameters"):
        case {"common": {"orderId": str(order_id)}} if order_id:
            return rules.order_id({"orderId": order_id})
        case _:
            raise Refused(Code.PARAMETER_MISSING, "orderId")


def search(books: Books, params: Mapping[str, Any], now: datetime) -> dict[str, object]:
    """Return the members of an inquiry's `result`; of an unknown order it finds none.

    Orders of the dummy mode are found only with `containDummyFlag`.
    """
    services = params.get("serviceTypeCd", ["amazonpay"])
    if not isinstance(services, list):
        raise Refused(Code.PARAMETER_MALFORMED, "serviceTypeCd")
    order = books.find(_wanted(params), now)
    hidden = order is not None and order.dummy and params.get("containDummyFlag") != "1"
    if order is None or hidden or "amazonpay" not in services:
        return {"searchCount": 0, "overMaxCountFlag": "false"}
    return {
        "searchCount": 1,
        "overMaxCountFlag": "false",
        "orderInfos": {"orderInfo": [_order(order)]},
    }
