"""The emulator: one object that answers everything on the wire, without any socket.

`handle` takes a request's parts and returns a reply's parts. One lock lets one request
in at a time.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from os import PathLike
from threading import RLock
from typing import Any, Final
from urllib.parse import parse_qs

import attrs

from kessai_adapters.emulators.base import Misbehaving, meanwhile
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.faults import Mishap, Mishaps, suffer
from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.payjp.books import FLOWS, Books, Kept
from kessai_adapters.emulators.payjp.cards import Cards
from kessai_adapters.emulators.payjp.consumer import Approve, Consumer
from kessai_adapters.emulators.payjp.events import Events
from kessai_adapters.emulators.payjp.faults import own
from kessai_adapters.emulators.payjp.fields import Fields
from kessai_adapters.emulators.payjp.flows import Flows
from kessai_adapters.emulators.payjp.idempotency import METHODS, Idempotency
from kessai_adapters.emulators.payjp.pages import PREFIX, Pages
from kessai_adapters.emulators.payjp.portal import Portal
from kessai_adapters.emulators.payjp.problems import (
    Problem,
    refuse_missing,
    refuse_value,
)
from kessai_adapters.emulators.payjp.setups import Setups
from kessai_adapters.emulators.payjp.triggers import STORIES
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.shelf import Shelf

DEFAULT_KEY: Final = "sk_test_" + "e" * 24
"""A made-up secret key: it opens nothing."""

DEFAULT_TOKEN: Final = "whook_" + "e" * 24
"""A made-up webhook token."""

KEYS_LAST: Final = timedelta(days=1)
MOST_LISTED: Final = 100
LISTED: Final = 10

_ID: Final = r"([A-Za-z0-9_-]+)"
_ROUTES: Final = {
    "create_flow": ("POST", "payment_flows"),
    "list_flows": ("GET", "payment_flows"),
    "read_flow": ("GET", f"payment_flows/{_ID}"),
    "confirm": ("POST", f"payment_flows/{_ID}/confirm"),
    "capture": ("POST", f"payment_flows/{_ID}/capture"),
    "cancel": ("POST", f"payment_flows/{_ID}/cancel"),
    "list_flow_refunds": ("GET", f"payment_flows/{_ID}/refunds"),
    "refund": ("POST", "payment_refunds"),
    "list_refunds": ("GET", "payment_refunds"),
    "read_refund": ("GET", f"payment_refunds/{_ID}"),
    "create_setup": ("POST", "setup_flows"),
    "list_setups": ("GET", "setup_flows"),
    "read_setup": ("GET", f"setup_flows/{_ID}"),
    "cancel_setup": ("POST", f"setup_flows/{_ID}/cancel"),
    "create_customer": ("POST", "customers"),
    "list_customers": ("GET", "customers"),
    "read_customer": ("GET", f"customers/{_ID}"),
    "list_customer_methods": ("GET", f"customers/{_ID}/payment_methods"),
    "create_method": ("POST", "payment_methods"),
    "list_methods": ("GET", "payment_methods"),
    "read_method": ("GET", f"payment_methods/{_ID}"),
    "attach": ("POST", f"payment_methods/{_ID}/attach"),
    "detach": ("POST", f"payment_methods/{_ID}/detach"),
    "list_events": ("GET", "events"),
    "read_event": ("GET", f"events/{_ID}"),
}
"""Each command that the wire has: its method and its path under `/v2/`."""

_PATHS: Final = [
    (name, method, re.compile(path)) for name, (method, path) in _ROUTES.items()
]
_READS: Final = frozenset(name for name, (verb, _) in _ROUTES.items() if verb == "GET")
_KINDS: Final = {
    "flow": "payment_flow",
    "refund": "payment_refund",
    "setup": "setup_flow",
    "customer": "customer",
    "method": "payment_method",
    "event": "event",
}
_FILTERS: Final = {"list_flows": ("customer_id",)}


@attrs.frozen(kw_only=True)
class _Visit:
    """One request on its way through."""

    command: str
    id: str
    query: Mapping[str, str]
    body: bytes
    mishap: Mishap | None

    @property
    def fault(self) -> str | None:
        """The fault that the gateway itself plays, not the network."""
        mishap = self.mishap
        return mishap.fault if mishap is not None and mishap.gateways_own else None


class Emulator(Misbehaving):
    """A stateful stand-in for PAY.JP's API v2.

    `clock` returns aware times in UTC; `approve` is what the consumer does; `books` is
    the path of a file that keeps all objects, or None. `webhook_url` is where events are
    sent, if anywhere. No document says for how long an idempotency key is known, and
    how long a flow waits for its consumer: that is `keys_last`, and `consumer_waits`
    (None: forever).
    """

    def __init__(
        self,
        *,
        secret_key: str = DEFAULT_KEY,
        webhook_token: str = DEFAULT_TOKEN,
        webhook_url: str = "",
        clock: Callable[[], datetime] = utc_now,
        approve: Approve | str = Approve.NOW,
        books: str | PathLike[str] | None = None,
        keys_last: timedelta = KEYS_LAST,
        consumer_waits: timedelta | None = None,
    ) -> None:
        self.approve = Approve(approve)
        """What the consumer does; may be changed at any time."""
        self._secret_key = secret_key
        self._lock = RLock()
        shelf = None if books is None else Shelf(books)
        live = secret_key.startswith("sk_live_")
        self.books = Books(clock, shelf, livemode=live)
        self.events = Events(self.books, url=webhook_url, token=webhook_token)
        self.cards = Cards(self.books, self.events)
        self.setups = Setups(self.books, self.events, self.cards)
        self.consumer = Consumer(
            self.books, lambda: self.flows, self.setups, self._lock
        )
        self.flows = Flows(
            self.books, self.events, self.cards, self.consumer.page_url, secret_key
        )
        self.books.consumer_waits = consumer_waits
        self.portal = Portal(self.books, lambda: self.flows, self._lock)
        self.mishaps = Mishaps(_ROUTES, own(frozenset(_ROUTES), _READS))
        self.idempotency = Idempotency(clock, keys_last)
        self._pages = Pages(self.consumer)

    def __repr__(self) -> str:
        return f"Emulator(objects={len(self.books)})"

    def close(self) -> None:
        """Let go of the books' file."""
        with self._lock:
            self.books.close()

    @property
    def base_url(self) -> str:
        """Where it is reached, without a slash at the end; a server sets its own."""
        return self.consumer.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.consumer.base_url = url.rstrip("/")

    @property
    def outbox(self) -> Outbox[Notification]:
        """The webhooks not yet taken."""
        return self.events.outbox

    def take_notifications(self) -> list[Notification]:
        """Return the webhooks not yet delivered, oldest first, and forget them."""
        with self._lock:
            return self.outbox.take()

    def triggers(
        self, written: Callable[[str], Mapping[str, str]]
    ) -> Mapping[str, Callable[[str], str]]:
        """What happens until an event of each type is sent to a URL, and nowhere else.

        Each makes a flow of its own and returns its order's number. `written` are the
        metadata that the shop writes to a flow of that order.
        """
        return {name: partial(self._trigger, name, written) for name in STORIES}

    def _trigger(
        self, name: str, written: Callable[[str], Mapping[str, str]], url: str
    ) -> str:
        asked, following = STORIES[name]
        with self._lock, self.books.whole(), meanwhile(self.events, url=url):
            customer = self.books.save(
                self.books.make("customer", default_payment_method_id=None)
            )
            order = f"trigger-{customer.id}"
            paid: dict[str, str] = {}
            if asked:
                method = self.cards.make_method("card", customer.id, {})
                paid = {"customer_id": customer.id, "payment_method_id": method.id}
            members = {
                "amount": 1000,
                "currency": "jpy",
                "metadata": {"order": order, **written(order)},
                **paid,
                **asked,
            }
            self.flows.create(Fields(json.dumps(members).encode()))
            for act in following:
                act(self, order)
        return order

    # ── misbehaviour ────────────────────────────────────────────────────────────────

    def complete(self, order_id: str) -> Kept:
        """Let what is pending of a flow succeed: its payment, or its oldest refund."""
        return self._finish(order_id, good=True)

    def fail(self, order_id: str) -> Kept:
        """Let what is pending of a flow fail: its payment, or its oldest refund."""
        return self._finish(order_id, good=False)

    def _finish(self, id_: str, *, good: bool) -> Kept:
        with self._lock, self.books.whole():
            flow = self.books.objects.get(self.books.named(id_))
            if flow is not None and flow["status"] == "processing":
                if good:
                    self.flows.authorize(flow)
                else:
                    self.flows.fails(flow, "processing_error")
                return flow
            for refund in reversed([] if flow is None else self.flows.refunds(flow)):
                if refund["status"] == "pending":
                    self.flows.finish_refund(refund, "succeeded" if good else "failed")
                    return refund
        message = f"nothing of {id_} is pending"
        raise OutOfPlay(message)

    # ── the wire ────────────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        """Answer one request; `path` may carry a query.

        Raises `NotConnected` or `NoReply` only where `misbehave` asked for it.
        """
        if path.startswith(PREFIX):
            return self._pages.handle(method, path, body)
        with self._lock, self.books.whole():
            try:
                visit = self._visit(method, path, body)
                given = {name.lower(): value for name, value in headers.items()}
                work = partial(self._worked, method, path, given, visit)
                if visit.mishap is None:
                    return work()
                return suffer(visit.mishap, work)
            except Problem as problem:
                return problem.reply()

    def _visit(self, method: str, path: str, body: bytes) -> _Visit:
        place, _, query = path.partition("?")
        under = place.removeprefix("/v2/")
        if under == place:
            refuse_missing("path")
        command, id_ = _route(method, under)
        return _Visit(
            command=command,
            id=id_,
            query={name: values[0] for name, values in parse_qs(query).items()},
            body=body,
            mishap=self.mishaps.next(command),
        )

    def _worked(
        self, method: str, path: str, headers: Mapping[str, str], visit: _Visit
    ) -> EmulatorReply:
        """What the gateway answers; a problem is an answer too."""
        try:
            self._authenticate(headers.get("authorization", ""))
            work = partial(self._answered, visit)
            if method not in METHODS:
                return work()
            request = f"{method} {path}\n".encode() + visit.body
            key = headers.get("idempotency-key")
            return self.idempotency.answer(key, request, work)
        except Problem as problem:
            return problem.reply()

    def _authenticate(self, given: str) -> None:
        kind, _, credentials = given.partition(" ")
        if kind.lower() == "basic":
            try:
                credentials = base64.b64decode(credentials).decode().partition(":")[0]
            except ValueError:
                credentials = ""
        if not hmac.compare_digest(credentials.encode(), self._secret_key.encode()):
            raise Problem(401, "Unauthorized")

    def _answered(self, visit: _Visit) -> EmulatorReply:
        try:
            reads = visit.command in _READS
            stated = self._read(visit) if reads else self._done(visit)
        except Problem as problem:
            return problem.reply()
        if not isinstance(stated, Kept):
            return _json(stated)
        reply = _json(stated.shown)
        if not reads:
            self._meets(stated)
        return reply

    def _done(self, visit: _Visit) -> Kept:
        asked, id_, fault = Fields(visit.body), visit.id, visit.fault
        match visit.command:
            case "create_flow":
                return self.flows.create(asked, fault)
            case "confirm":
                return self.flows.confirm(id_, asked, fault)
            case "capture":
                return self.flows.capture(id_, asked, fault)
            case "cancel":
                return self.flows.cancel(id_, asked)
            case "refund":
                return self.flows.refund(asked, fault)
            case _:
                return self._done_for_customers(visit.command, id_, asked)

    def _done_for_customers(self, command: str, id_: str, asked: Fields) -> Kept:
        match command:
            case "create_setup":
                return self.setups.create(asked)
            case "cancel_setup":
                return self.setups.cancel(id_, asked)
            case "create_customer":
                return self.cards.create_customer(asked)
            case "create_method":
                return self.cards.create_method(asked)
            case "attach":
                return self.cards.attach(id_, asked)
            case _:
                return self.cards.detach(id_, asked)

    def _meets(self, kept: Kept) -> None:
        """The consumer reacts, once the merchant has the answer."""
        if kept.kind not in FLOWS:
            return
        if self.approve is Approve.ASK or not self.consumer.is_awaited(kept):
            return
        act = {
            Approve.NOW: self.consumer.approve,
            Approve.DECLINE: self.consumer.decline,
        }
        act[self.approve](kept.id)

    # ── reading ─────────────────────────────────────────────────────────────────────

    def _read(self, visit: _Visit) -> Kept | dict[str, Any]:
        command, id_ = visit.command, visit.id
        verb, _, what = command.partition("_")
        current = {"read_flow": self.flows.find, "read_setup": self.setups.find}
        if command in current:
            return current[command](id_)
        if verb == "read":
            return self.books.find(_KINDS[what], id_)
        return _page_of(self._listed(visit), visit)

    def _listed(self, visit: _Visit) -> list[Kept]:
        command, id_ = visit.command, visit.id
        if command == "list_flow_refunds":
            return self.flows.refunds(self.flows.find(id_))
        if command == "list_customer_methods":
            owner = self.books.find("customer", id_)
            return list(self.books.all("payment_method", customer_id=owner.id))
        if command == "list_events":
            names = visit.query.keys() & {"resource_id", "object", "type"}
            if "resource_id" in names:
                self._expire(visit.query["resource_id"])
            return self.events.about({name: visit.query[name] for name in names})
        kind = _KINDS[command.removeprefix("list_").removesuffix("s")]
        for each in tuple(self.books.all(kind)):
            self._expire(each.id)
        having = {name: visit.query.get(name) for name in _FILTERS.get(command, ())}
        return list(self.books.all(kind, **having))

    def _expire(self, id_: str) -> None:
        kept = self.books.objects.get(id_)
        kind = None if kept is None else kept.kind
        current = {"payment_flow": self.flows.find, "setup_flow": self.setups.find}
        if kind in current:
            current[kind](id_)


def _route(method: str, path: str) -> tuple[str, str]:
    """The command of a request, and the id in its path, or an empty text."""
    for command, verb, pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found is not None and verb == method:
            return command, found[1] if found.groups() else ""
    return refuse_missing("path")


def _page_of(found: list[Kept], visit: _Visit) -> dict[str, Any]:
    """One page of a list: `limit` of it, after or before an id."""
    query = visit.query
    limit = query.get("limit", str(LISTED))
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST_LISTED:
        refuse_value("limit", f"must be from 1 to {MOST_LISTED}")
    ids = [kept.id for kept in found]
    first, last = 0, len(found)
    if (after := query.get("starting_after")) in ids:
        first = ids.index(str(after)) + 1
    if (before := query.get("ending_before")) in ids:
        last = ids.index(str(before))
    shown = found[first:last][: int(limit)]
    path = _ROUTES[visit.command][1].replace(_ID, visit.id)
    return {
        "object": "list",
        "url": f"/v2/{path}",
        "has_more": last - first > len(shown),
        "data": [kept.shown for kept in shown],
    }


def _json(stated: Mapping[str, Any]) -> EmulatorReply:
    body = json.dumps(stated, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    return EmulatorReply(status=200, headers=headers, body=body)
