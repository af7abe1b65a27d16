"""The emulator: one object that answers everything on the wire, without any socket.

One lock lets one request in at a time, and time passes before each.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from os import PathLike
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import attrs

from kessai_adapters.emulators import (
    EmulatorReply,
    FaultRule,
    Mishaps,
    Notification,
    Outbox,
    OutOfPlay,
    suffer,
)
from kessai_adapters.emulators.amazon_pay.api import (
    COMMANDS,
    AmazonVisit,
    Api,
    answered,
    called,
    read_members,
)
from kessai_adapters.emulators.amazon_pay.books import AmazonBooks, Charge, Refund
from kessai_adapters.emulators.amazon_pay.changes import Changes
from kessai_adapters.emulators.amazon_pay.consumer import Buyer
from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused
from kessai_adapters.emulators.amazon_pay.keys import (
    DEFAULT_KEY_ID,
    merchant_key,
    signing_certificate,
)
from kessai_adapters.emulators.amazon_pay.notifications import (
    CERTIFICATE_PATH,
    CONFIRM_PATH,
    compose,
    of_change,
    of_subscription,
)
from kessai_adapters.emulators.amazon_pay.pages import PREFIX, answer_browser
from kessai_adapters.emulators.amazon_pay.portal import SellerCentral
from kessai_adapters.emulators.amazon_pay.signature import root_of, verify
from kessai_adapters.emulators.amazon_pay.throttle import Throttle
from kessai_adapters.emulators.amazon_pay.triggers import (
    PRICE,
    STORIES,
    SUBSCRIPTION,
    session_for,
)
from kessai_adapters.emulators.base import Misbehaving, meanwhile
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.shelf import Shelf

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

DEFAULT_MERCHANT: Final = "A0EMULATOR0000"

_READS: Final = frozenset(c for c in COMMANDS if c.startswith("get_"))
_THROTTLED: Final = {"reasonCode": "TooManyRequests", "message": "ask more slowly"}
_PEM: Final = {"Content-Type": "application/x-pem-file"}


def _too_many(_reply: EmulatorReply | None = None) -> EmulatorReply:
    return answered(429, _THROTTLED)


OWN_FAULTS: Final = {
    "http_429": FaultRule(spoil=_too_many, carried_out=False),
    "refuse": FaultRule(spoil=None, spares=_READS),
    "pending": FaultRule(spoil=None, spares=_READS),
}
"""What Amazon alone does: it throttles, declines, or answers before it is done."""


class AmazonPayEmulator(Misbehaving):
    """A stateful stand-in for Amazon Pay's API, version 2, as a sandbox.

    `keys` are the merchant's public keys by their ids; `clock` returns aware times in
    UTC; notifications go to `notification_url`, if there is one. With `throttles` more
    requests than the sandbox takes are answered 429. `books` is the path of a file that
    keeps what is here for a later process, or None; the keys are new in each. If it
    `approves`, every buyer does so at once, and has still to come back.

    Raises:
        BooksInUse: another process holds the books.
        sqlite3.DatabaseError: the file is something else.

    """

    def __init__(
        self,
        *,
        keys: "Mapping[str, RSAPublicKey] | None" = None,
        merchant_id: str = DEFAULT_MERCHANT,
        clock: Callable[[], datetime] = utc_now,
        notification_url: str = "",
        throttles: bool = False,
        books: str | PathLike[str] | None = None,
        approves: bool = False,
    ) -> None:
        self.keys = dict(keys or {DEFAULT_KEY_ID: merchant_key().public_key()})
        self.merchant_id = merchant_id
        self.notification_url = notification_url
        self.base_url = "http://127.0.0.1"
        self.books = AmazonBooks(None if books is None else Shelf(books))
        self.outbox: Outbox[Notification] = Outbox()
        self.mishaps = Mishaps(COMMANDS, OWN_FAULTS)
        self.changes = Changes(self.books, self._notify)
        self.consumer = Buyer(self)
        self.portal = SellerCentral(self)
        self.is_subscribed = False
        self._api = Api(
            self.changes,
            lambda id_: f"{self.base_url}{PREFIX}{id_}",
            approves=approves,
        )
        self._throttle = Throttle() if throttles else None
        self._clock = clock
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"AmazonPayEmulator({len(self.books.movements)} orders)"

    def close(self) -> None:
        """Let go of the books' file."""
        with self._lock:
            self.books.close()

    @contextmanager
    def at_work(self) -> Iterator[datetime]:
        """Let nobody else in; the time, once all has expired that has by then."""
        with self._lock, self.books.whole():
            now = self._clock()
            self.changes.pass_to(now)
            yield now

    def orders(self) -> Mapping[str, list[dict[str, Any]]]:
        """All objects of each order, as Amazon shows them."""
        with self.at_work():
            names = tuple(self.books.movements)
            return {name: [o.on_wire() for o in self.books.of(name)] for name in names}

    def waiting(self) -> Mapping[str, str]:
        """The page of every session that waits for its buyer, by the order's id."""
        with self.at_work():
            sessions = tuple(self.books.sessions.values())
        return {s.reference: s.page for s in sessions if s.is_waiting}

    # ── notifications ───────────────────────────────────────────────────────────────

    def _notify(self, kind: str, id_: str, permission: str, order: str) -> None:
        number = self.books.serial()
        members = of_change(self.merchant_id, kind, id_, permission, number)
        self._put(number, members, order, kind)

    def ask_for_subscription(self) -> None:
        """Send what wants its address visited before anything is notified."""
        with self._lock:
            self._put(
                self.books.serial(), of_subscription(self.base_url), "", SUBSCRIPTION
            )

    def _put(
        self, number: int, members: Mapping[str, str], order: str, kind: str
    ) -> None:
        notification = compose(
            number,
            members,
            url=self.notification_url,
            base=self.base_url,
            at=self._clock(),
        )
        self.outbox.put(attrs.evolve(notification, order=order, name=kind))

    def take_notifications(self) -> list[Notification]:
        """Return the notifications not yet delivered, oldest first, and forget them."""
        with self.at_work():
            return self.outbox.take()

    def triggers(self) -> Mapping[str, Callable[[str], str]]:
        """What happens until a notification of each kind goes to a URL, and nowhere else.

        Each makes an order of its own and returns the merchant's id of it.
        """
        return {
            SUBSCRIPTION: self._trigger_subscription,
            **{kind: partial(self._trigger, kind) for kind in STORIES},
        }

    def _trigger_subscription(self, url: str) -> str:
        with self._lock, meanwhile(self, notification_url=url):
            self.ask_for_subscription()
        return ""

    def _trigger(self, kind: str, url: str) -> str:
        with self.at_work() as now, meanwhile(self, notification_url=url):
            order = self.books.new_id("trigger-")
            opens = AmazonVisit(
                command="create_session", id="", body=session_for(order), now=now
            )
            _, shown = self._api.carry_out(opens)
            session = self.books.sessions[shown["checkoutSessionId"]]
            session.is_approved = True
            pays = {"chargeAmount": PRICE}
            self._api.carry_out(
                attrs.evolve(opens, command="complete", id=session.id, body=pays)
            )
            for act in STORIES[kind]:
                act(self, order)
        return order

    # ── misbehaviour ────────────────────────────────────────────────────────────────

    def complete(self, order_id: str) -> object:
        """Let what is pending of an order succeed: the oldest, if there are several."""
        return self._finish(order_id, "")

    def fail(self, order_id: str) -> object:
        """Let what is pending of an order fail: the oldest, if there are several."""
        return self._finish(order_id, "ProcessingFailure")

    def _finish(self, order: str, declined: str) -> object:
        finish: Mapping[tuple[type, str], Any] = {
            (Charge, "AuthorizationInitiated"): self.changes.finish_charge,
            (Charge, "CaptureInitiated"): self.changes.finish_capture,
            (Refund, "RefundInitiated"): self.changes.finish_refund,
        }
        with self.at_work() as now:
            for each in self.books.of(order):
                if act := finish.get((type(each), each.state)):
                    act(each, now, declined)
                    return each
        message = f"nothing of {order} is pending, except for a buyer"
        raise OutOfPlay(message)

    # ── the wire ────────────────────────────────────────────────────────────────────

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        """Answer one request; `path` may carry a query.

        Raises `NotConnected` or `NoReply` only where `misbehave` asked for it.
        """
        with self.at_work() as now:
            if path == CERTIFICATE_PATH:
                pem = signing_certificate().pem
                return EmulatorReply(status=200, headers=dict(_PEM), body=pem)
            if path.partition("?")[0] == CONFIRM_PATH:
                self.is_subscribed = True
                return answered(200, {})
            if path.startswith(PREFIX):
                return answer_browser(self, method, path, body)
            asked = _Asked(method, path, headers, body)
            reply = self._answer(asked, now)
            dated = {**reply.headers, "Date": format_datetime(now, usegmt=True)}
            return attrs.evolve(reply, headers=dated)

    def _answer(self, asked: "_Asked", now: datetime) -> EmulatorReply:
        try:
            roots = map(root_of, self.keys)
            root = next((r for r in roots if asked.path.startswith(r)), "/")
            path = asked.path.removeprefix(root).partition("?")[0]
            command, id_ = called(asked.method, path)
            mishap = self.mishaps.next(command)
            own = mishap.fault if mishap is not None and mishap.gateways_own else ""
            visit = AmazonVisit(
                command=command,
                id=id_,
                body={},
                now=now,
                key=asked.header("x-amz-pay-idempotency-key"),
                declines=own == "refuse",
                pends=own == "pending",
            )
            work = partial(self._exchange, visit, asked)
            return work() if mishap is None else suffer(mishap, work)
        except AmazonRefused as refusal:
            return _refusal(refusal)

    def _exchange(self, visit: AmazonVisit, asked: "_Asked") -> EmulatorReply:
        try:
            verify(self.keys, asked.method, asked.path, asked.headers, asked.body)
            if self._throttle and not self._throttle.takes(visit.command, visit.now):
                return _too_many()
            visit = attrs.evolve(visit, body=read_members(asked.body))
            return self._api.under_key(
                visit.key,
                (asked.method, asked.path, asked.body),
                visit.command,
                partial(self._api.carry_out, visit),
            )
        except AmazonRefused as refusal:
            return _refusal(refusal)


@attrs.frozen
class _Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header called `name`, in any case."""
        given = {known.lower(): value for known, value in self.headers.items()}
        return given.get(name)


def _refusal(refusal: AmazonRefused) -> EmulatorReply:
    members: dict[str, Any] = {"reasonCode": refusal.code, "message": refusal.message}
    return answered(refusal.status, members)
