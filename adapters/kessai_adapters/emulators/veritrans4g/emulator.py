"""The emulator: one object that answers everything on the wire, without any socket.

`handle` takes a request's parts and returns a reply's parts; `server` puts it behind a
port. One lock lets one request in at a time.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from os import PathLike
from threading import RLock
from typing import Any, Final

import attrs

from kessai_adapters.emulators.base import Misbehaving
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.faults import Mishap, Mishaps, suffer
from kessai_adapters.emulators.reply import EmulatorReply, plain
from kessai_adapters.emulators.shelf import Shelf
from kessai_adapters.emulators.veritrans4g import inquiry, rules
from kessai_adapters.emulators.veritrans4g.books import Books, Exchange, Order, Totals
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.commands import Call, Commands
from kessai_adapters.emulators.veritrans4g.consumer import Approve, Consumer
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.faults import OWN, OwnFault
from kessai_adapters.emulators.veritrans4g.merchant import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Merchant,
)
from kessai_adapters.emulators.veritrans4g.notifications import (
    ResultNotification,
    ResultOutbox,
)
from kessai_adapters.emulators.veritrans4g.operations import Operations
from kessai_adapters.emulators.veritrans4g.pages import PREFIX, Pages
from kessai_adapters.emulators.veritrans4g.portal import Portal
from kessai_adapters.emulators.veritrans4g.protocol import (
    ROUTES,
    Route,
    compact,
    read,
    reply,
    result,
    text_of,
)
from kessai_adapters.emulators.veritrans4g.triggers import STORIES, Triggers
from kessai_adapters.emulators.veritrans4g.words import Command, Result

_BAD_REQUEST: Final = 400
_OPENINGS: Final = frozenset({Command.AUTHORIZE, Command.REAUTHORIZE})


@attrs.define(kw_only=True)
class _Visit:
    """One request on its way through: what is known of it so far."""

    route: Route
    now: datetime
    mishap: Mishap | None
    params: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def gateways_fault(self) -> OwnFault | None:
        """The fault that the gateway itself plays, not the network."""
        if self.mishap is None or not self.mishap.gateways_own:
            return None
        return OwnFault(self.mishap.fault)


class Emulator(Misbehaving):
    """A stateful stand-in for the VeriTrans4G Amazon Pay gateway.

    `clock` returns aware times in UTC; `approve` is what the consumer does about an
    application; `books` is the path of a file that keeps the orders, or None.
    """

    def __init__(
        self,
        *,
        merchant_ccid: str = DEFAULT_CCID,
        secret_key: str = DEFAULT_KEY,
        clock: Callable[[], datetime] = utc_now,
        approve: Approve | str = Approve.NOW,
        books: str | PathLike[str] | None = None,
    ) -> None:
        self.merchant = Merchant(ccid=merchant_ccid, secret_key=secret_key)
        wish = Approve(approve)
        self._clock = clock
        self._lock = RLock()
        self.books = Books(None if books is None else Shelf(books))
        self.outbox = ResultOutbox(self.merchant, self.books.serial)
        self._operations = Operations(self.books, self.outbox)
        self.consumer = Consumer(self._operations, self.merchant, clock, self._lock)
        self.portal = Portal(self._operations, clock, self._lock)
        self._commands = Commands(self._operations, self.consumer)
        self._commands.approve = wish
        self._triggers = Triggers(self._operations, self.consumer, self.portal)
        self._pages = Pages(self.consumer)
        self.mishaps = Mishaps(Command, OWN)

    def __repr__(self) -> str:
        return (
            f"Emulator(merchant_ccid={self.merchant.ccid!r}, orders={len(self.books)})"
        )

    def close(self) -> None:
        """Let go of the books' file."""
        with self._lock:
            self.books.close()

    @property
    def approve(self) -> Approve:
        """What the consumer does about an application; may be changed at any time."""
        return self._commands.approve

    @approve.setter
    def approve(self, wish: Approve | str) -> None:
        """Change what the consumer does about later applications."""
        self._commands.approve = Approve(wish)

    @property
    def base_url(self) -> str:
        """Where the consumer's pages are served; a server sets its own."""
        return self.consumer.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        """Change the address that is given for the consumer's pages."""
        self.consumer.base_url = url.rstrip("/")

    def totals(self) -> Totals:
        """Count orders per kind and state, and sum the amounts in yen."""
        with self._lock:
            return self.books.totals(self._clock())

    # ── notifications ───────────────────────────────────────────────────────────────────

    def take_notifications(self, *, batch: bool = False) -> list[ResultNotification]:
        """Return the notifications not yet delivered, oldest first, and forget them.

        With `batch`, those to one URL become one notification with several items.
        """
        with self._lock:
            if batch:
                return self.outbox.take_batched(self._clock())
            return self.outbox.take()

    @property
    def triggers(self) -> Mapping[str, Callable[[str], str]]:
        """What happens until a result of each name is notified to a URL.

        Each makes an order of its own and returns its id.
        """
        return {command: partial(self._trigger, command) for command in STORIES}

    def _trigger(self, command: Command, url: str) -> str:
        with self._lock:
            return self._triggers.play(command, url, self._clock())

    # ── misbehaviour ────────────────────────────────────────────────────────────────

    def complete(self, order_id: str, *, txn_id: str | None = None) -> Exchange:
        """Let a pending command succeed: the oldest, or the one with `txn_id`.

        An application that has been pending for two days has failed all the same.
        """
        return self._resolve(order_id, txn_id, Code.SUCCESS)

    def fail(self, order_id: str, *, txn_id: str | None = None) -> Exchange:
        """Let a pending command fail: the oldest, or the one with `txn_id`."""
        return self._resolve(order_id, txn_id, Code.PROVIDER_REFUSED)

    def _resolve(self, order_id: str, txn_id: str | None, code: Code) -> Exchange:
        with self._lock:
            now = self._clock()
            order = self.books.find(order_id, now)
            waiting = [] if order is None else _waiting(order, txn_id)
            if order is None or not waiting:
                message = f"nothing of {order_id} is pending, except for a consumer"
                raise OutOfPlay(message)
            first = waiting[0]
            if (
                first.command is Command.AUTHORIZE
                and now - first.at >= rules.PENDING_LASTS
            ):
                code = Code.PROVIDER_REFUSED
            self._operations.finish(order, first, code, now)
            return first

    # ── the wire ────────────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        """Answer one request; `path` may carry a query.

        Raises `NotConnected` or `NoReply` only where `misbehave` asked for it.
        """
        with self._lock, self.books.whole():
            if path.startswith(PREFIX):
                return self._pages.handle(method, path, body)
            route = ROUTES.get(path)
            if route is None:
                return plain(404)
            if method != "POST":
                return plain(405, {"Allow": "POST"})
            visit = _Visit(
                route=route,
                now=self._clock(),
                mishap=self.mishaps.next(route.command),
            )
            if visit.mishap is None:
                return self._exchange(visit, headers, body)
            return suffer(visit.mishap, lambda: self._exchange(visit, headers, body))

    def _exchange(
        self, visit: _Visit, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        try:
            visit.params = read(text_of(headers, body), self.merchant)
            rules.dummy_flag(visit.params, dummy=visit.route.dummy)
            if visit.route.command is Command.SEARCH:
                return self._search(visit)
            answer = self._commands.answer(self._call(visit))
        except Refused as refusal:
            return self._refusal(visit, refusal)
        members = self._members(visit, answer.exchange.txn_id) | answer.members
        return reply(result(visit.route.command, answer.exchange.code, members))

    def _call(self, visit: _Visit) -> Call:
        return Call(
            command=visit.route.command,
            params=rules.strings(visit.params),
            dummy=visit.route.dummy,
            now=visit.now,
            fault=visit.gateways_fault,
        )

    def _search(self, visit: _Visit) -> EmulatorReply:
        if visit.gateways_fault is not None:
            raise Refused(Code.PROVIDER_REFUSED)
        found = inquiry.search(self.books, visit.params, visit.now)
        members = self._members(visit, "") | found
        return reply(result(Command.SEARCH, Code.SUCCESS, members))

    def _members(self, visit: _Visit, txn_id: str) -> dict[str, object]:
        """Return what every reply carries besides the command's own members."""
        txn_id = txn_id or f"{self.books.serial():08d}"
        members: dict[str, object] = {"marchTxn": txn_id, "custTxn": txn_id}
        for name in ("orderId", "txnVersion"):
            value = visit.params.get(name)
            if isinstance(value, str):
                members[name] = value
        if visit.route.command not in {Command.AUTHORIZE, Command.SEARCH}:
            members["centerResponseDatetime"] = compact(visit.now)
        return members

    def _refusal(self, visit: _Visit, refusal: Refused) -> EmulatorReply:
        unreadable = refusal.code is Code.UNREADABLE
        members = self._members(visit, refusal.txn_id)
        answer = result(visit.route.command, refusal.code, members, refusal.message)
        return reply(answer, _BAD_REQUEST if unreadable else 200)


def _waiting(order: Order, txn_id: str | None) -> list[Exchange]:
    return [
        exchange
        for exchange in order.exchanges
        if exchange.result is Result.PENDING
        and txn_id in {None, exchange.txn_id}
        # An application that only waits for its consumer is not ours to resolve.
        and (exchange.command not in _OPENINGS or order.held)
    ]
