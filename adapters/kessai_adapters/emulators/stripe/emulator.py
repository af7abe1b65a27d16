"""The emulator: one object that answers everything on the wire, without any socket.

One lock lets one request in at a time.
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from os import PathLike
from threading import RLock
from typing import Final

import attrs

from kessai_adapters.emulators.base import Misbehaving, meanwhile
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.faults import Mishap, Mishaps, suffer
from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.shelf import Shelf
from kessai_adapters.emulators.stripe.answers import Answers, answer
from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.disputes import Disputes
from kessai_adapters.emulators.stripe.errors import ApiError
from kessai_adapters.emulators.stripe.events import (
    API_VERSION,
    Events,
    WebhookEndpoint,
)
from kessai_adapters.emulators.stripe.faults import (
    OWN,
    OwnFault,
    api_reply,
    error_reply,
    internal_error,
)
from kessai_adapters.emulators.stripe.forms import Nested, Params, parse
from kessai_adapters.emulators.stripe.hands import Consumer, Portal
from kessai_adapters.emulators.stripe.intents import Intents
from kessai_adapters.emulators.stripe.listing import expanded
from kessai_adapters.emulators.stripe.methods import Methods
from kessai_adapters.emulators.stripe.pages import PREFIX, Pages
from kessai_adapters.emulators.stripe.refunds import Refunds
from kessai_adapters.emulators.stripe.routes import ApiRoute, Routes
from kessai_adapters.emulators.stripe.triggers import STORIES

DEFAULT_KEY: Final = "sk_test_kessai_emulator"
"""The API key that every emulator takes; it opens nothing else."""

DEFAULT_SECRET: Final = "whsec_kessai_emulator"  # noqa: S105 (made up, for everyone)
"""The secret of its webhooks."""

_FORM: Final = "application/x-www-form-urlencoded"
_EXPANDED: Final = "expand"


class StripeEmulator(Misbehaving):
    """A stateful stand-in for Stripe's API v1, of card payments.

    `clock` returns aware times in UTC; `books` is the path of a file that keeps what
    there is, or None. `multicapture`: whether the account may capture several times.
    `approves`: whether a cardholder passes each check at once. Commands are called as in
    Stripe's SDKs, where it is asked to misbehave: `payment_intents.create`.
    """

    def __init__(
        self,
        *,
        api_key: str = DEFAULT_KEY,
        clock: Callable[[], datetime] = utc_now,
        books: str | PathLike[str] | None = None,
        multicapture: bool = False,
        approves: bool = False,
    ) -> None:
        self._api_key = api_key
        self._lock = RLock()
        self.books = Books(clock, None if books is None else Shelf(books))
        self._events = Events(self.books)
        self._methods = Methods(self.books, self._events)
        disputes = Disputes(self.books, self._events)
        self._intents = Intents(self.books, self._events, self._methods, disputes)
        self.multicapture = multicapture
        self._intents.approves = self._methods.approves = approves
        self._refunds = Refunds(self.books, self._events)
        self.consumer = Consumer(self.books, self._lock, self._intents, self._methods)
        self.portal = Portal(
            self._lock, disputes, self._intents, self._refunds, self._methods
        )
        self._answers = Answers(self.books)
        self._pages = Pages(self.books, self.consumer, lambda: self.base_url)
        self._routes = Routes(
            self.books, self._events, self._intents, self._refunds, self._methods
        )
        self.mishaps = Mishaps([route.name for route in self._routes.all], OWN)
        self.base_url = "https://hooks.stripe.example"

    def __repr__(self) -> str:
        return f"StripeEmulator(payments={len(self.books.payments)})"

    def close(self) -> None:
        """Let go of the books' file."""
        with self._lock:
            self.books.close()

    @property
    def base_url(self) -> str:
        """Where the bank's pages are served; a server sets its own."""
        return self._intents.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        """Change the address that is given for the bank's pages."""
        self._intents.base_url = self._methods.base_url = url.rstrip("/")

    @property
    def multicapture(self) -> bool:
        """Whether the account may capture several times."""
        return self._intents.multicapture

    @multicapture.setter
    def multicapture(self, has: bool) -> None:
        """Change what the account may do."""
        self._intents.multicapture = has

    def know_customer(self, name: str) -> None:
        """Have a customer under an id that was given elsewhere, if there is none."""
        with self._lock, self.books.whole():
            if name not in self.books.customers:
                self._methods.keep_customer(name)

    def payments(self) -> list[Payment]:
        """Every payment as it stands by now, oldest first."""
        with self._lock, self.books.whole():
            found = list(self.books.payments.values())
            for payment in found:
                self._intents.let_lapse(payment)
            return found

    def waiting(self) -> dict[str, str]:
        """The bank's page of every intent that waits for its cardholder, by its id."""
        with self._lock:
            intents = [payment.intent for payment in self.books.payments.values()]
            asked = [*intents, *self.books.setups.values()]
            return {
                each["id"]: self._pages.url(each["id"])
                for each in asked
                if each["status"] == "requires_action"
            }

    # ── webhooks ────────────────────────────────────────────────────────────────────

    @property
    def outbox(self) -> Outbox[Notification]:
        """The webhooks not yet taken."""
        return self._events.outbox

    @property
    def endpoints(self) -> Sequence[WebhookEndpoint]:
        """Where events are sent."""
        return tuple(self._events.endpoints)

    def send_events_to(
        self, url: str, *secrets: str, types: frozenset[str] = frozenset()
    ) -> None:
        """Send events to `url` from now on, in place of any earlier address."""
        given = secrets or (DEFAULT_SECRET,)
        with self._lock:
            self._events.endpoints = [WebhookEndpoint(url, given, types)]

    def take_notifications(self) -> list[Notification]:
        """Return the webhooks not yet delivered, oldest first, and forget them."""
        with self._lock:
            return self._events.take()

    def triggers(
        self, written: Callable[[str], Mapping[str, str]]
    ) -> Mapping[str, Callable[[str], str]]:
        """What happens until an event of each type is sent to a URL, and nowhere else.

        Each makes an intent of its own and returns its order's number. `written` are
        the metadata that the shop writes to an intent of that order.
        """
        return {name: partial(self._trigger, name, written) for name in STORIES}

    def _trigger(
        self, name: str, written: Callable[[str], Mapping[str, str]], url: str
    ) -> str:
        card, following = STORIES[name]
        paid = {"payment_method": card, "confirm": "true"} if card else {}
        with (
            self._lock,
            self.books.whole(),
            meanwhile(
                self._events, endpoints=[WebhookEndpoint(url, (DEFAULT_SECRET,))]
            ),
            meanwhile(self._intents, approves=False),
        ):
            order = self.books.new_id("trigger")
            asked = {
                "amount": "1000",
                "currency": "jpy",
                "capture_method": "manual",
                "metadata": {"order": order, **written(order)},
            }
            with suppress(ApiError):  # the card was to be declined
                self._intents.create(Params({**asked, **paid}))
            for act in following:
                act(self, order)
        return order

    # ── misbehaviour ────────────────────────────────────────────────────────────────

    def complete(self, order_id: str) -> ApiObject:
        """Let the oldest pending refund of an intent succeed."""
        return self._finish(order_id, {"pending"}, good=True)

    def fail(self, order_id: str) -> ApiObject:
        """Let the oldest pending refund of an intent fail."""
        return self._finish(order_id, {"pending"}, good=False)

    def fail_later(self, name: str) -> ApiObject:
        """Let the last refund of an intent that has succeeded fail after all."""
        return self._finish(name, {"succeeded"}, good=False, last=True)

    def _finish(
        self, name: str, statuses: set[str], *, good: bool, last: bool = False
    ) -> ApiObject:
        with self._lock, self.books.whole():
            payment = self.books.payments.get(self.books.named(name))
            found = [] if payment is None else _refunds(payment, statuses)
            if payment is None or not found:
                message = f"no refund of {name} is {' or '.join(sorted(statuses))}"
                raise OutOfPlay(message)
            refund = found[-1 if last else 0]
            self._refunds.finish(payment, refund, good=good)
            return refund

    # ── the wire ────────────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        """Answer one request; `path` may carry a query.

        Raises `NotConnected` or `NoReply` only where `misbehave` asked for it.
        """
        with self._lock, self.books.whole():
            if path.startswith(PREFIX):
                return self._pages.handle(method, path)
            bare, _, query = path.partition("?")
            found = self._routes.find(method, bare)
            if found is None:
                message = f"Unrecognized request URL ({method}: {bare})"
                return error_reply(404, "invalid_request_error", message)
            route, ids = found
            named = {name.lower(): value for name, value in headers.items()}
            mishap = self.mishaps.next(route.name)
            visit = _Visit(
                route=route,
                ids=ids,
                headers=named,
                query=query,
                body=body,
                mishap=mishap,
            )
            if mishap is None:
                return self._exchange(visit)
            return suffer(mishap, lambda: self._exchange(visit))

    def _exchange(self, visit: "_Visit") -> EmulatorReply:
        try:
            self._check(visit.headers)
            given = visit.parameters()
            if visit.route.method == "GET":
                return self._carried_out(visit, given)[0]
            request = f"{visit.path}\n".encode() + visit.body
            work = lambda: self._carried_out(visit, given)  # noqa: E731 (one line)
            return answer(self._answers, visit.headers, request, work)
        except ApiError as error:
            return api_reply(error.status, error.body)

    def _check(self, headers: Mapping[str, str]) -> None:
        given = _key(headers.get("authorization", ""))
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            message = "Invalid API Key provided"
            raise ApiError(401, "invalid_request_error", message)
        version = headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            message = f"This stand-in speaks {API_VERSION} alone"
            raise ApiError(400, "invalid_request_error", message)

    def _carried_out(
        self, visit: "_Visit", given: Nested
    ) -> tuple[EmulatorReply, bool]:
        """The reply, and whether an idempotency key keeps it."""
        fault = None if visit.mishap is None else visit.mishap.fault
        if fault == OwnFault.HTTP_500_UNDONE:
            return internal_error(), True
        self._suffer(fault)
        self._events.caused_by = visit.headers.get("idempotency-key")
        headers = {
            "Request-Id": self.books.new_id("req"),
            "Stripe-Version": API_VERSION,
        }
        try:
            wanted = Params(given).texts(_EXPANDED)
            params = Params({k: v for k, v in given.items() if k != _EXPANDED})
            done = visit.route.endpoint(*visit.ids, params)
            reply = api_reply(200, expanded(self.books, done, wanted), headers)
            is_kept = True
        except ApiError as error:
            reply = api_reply(error.status, error.body, headers)
            is_kept = error.is_kept
        finally:
            self._suffer(None)
            self._events.caused_by = None
        return internal_error() if fault == OwnFault.HTTP_500 else reply, is_kept

    def _suffer(self, fault: str | None) -> None:
        refuses = fault == OwnFault.REFUSE
        self._intents.refuses = self._methods.refuses = refuses
        self._refunds.refuses = refuses
        self._refunds.waits = fault == OwnFault.PENDING


@attrs.frozen(kw_only=True)
class _Visit:
    """One request on its way through."""

    route: ApiRoute
    ids: tuple[str, ...]
    headers: Mapping[str, str]
    query: str
    body: bytes
    mishap: Mishap | None

    @property
    def path(self) -> str:
        return f"{self.route.name} {' '.join(self.ids)}"

    def parameters(self) -> Nested:
        """The fields of the query, or of the body.

        Raises:
            ApiError: they cannot be read.

        """
        if self.route.method == "GET":
            return parse(self.query)
        kind = self.headers.get("content-type", _FORM).partition(";")[0].strip()
        text = ""
        with suppress(UnicodeDecodeError):
            text = self.body.decode()
        if kind != _FORM or (self.body and not text):
            message = f"Invalid request: {_FORM} in UTF-8 is needed"
            raise ApiError(400, "invalid_request_error", message, is_kept=False)
        return parse(text)


def _key(authorization: str) -> str:
    """The API key: of `Bearer`, or the user of `Basic`."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    with suppress(ValueError):
        if scheme.lower() == "basic":
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
    return ""


def _refunds(payment: Payment, statuses: set[str]) -> list[ApiObject]:
    return [
        refund
        for refund in payment.refunds
        if refund["status"] in statuses and refund["id"] not in payment.left_over
    ]
