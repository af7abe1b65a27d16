"""The consumer: at the page of 3-D Secure or PayPay, or in the shop's own page.

A program plays the consumer through `Consumer`; a person does through `pages`. Each act
takes the id of a payment flow or of a setup flow, or what its metadata has: the order's
number.
"""

from collections.abc import Callable
from enum import StrEnum
from threading import RLock

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.payjp.books import FLOWS, Books, Kept
from kessai_adapters.emulators.payjp.flows import AWAITED, Flows
from kessai_adapters.emulators.payjp.problems import Problem
from kessai_adapters.emulators.payjp.setups import OPEN, Setups


class Approve(StrEnum):
    """What the consumer does about what is before them."""

    NOW = "now"
    """Pays as soon as the gateway has answered the merchant."""

    ASK = "ask"
    """Waits for a program or a person to act."""

    DECLINE = "decline"
    """Declines as soon as the gateway has answered the merchant."""


class Consumer:
    """The consumer, for a program to play.

    Each method raises `OutOfPlay` if there is nothing that a consumer could do now.
    """

    def __init__(
        self, books: Books, flows: Callable[[], Flows], setups: Setups, lock: RLock
    ) -> None:
        self._books = books
        self._flows = flows
        self._setups = setups
        self._lock = lock
        self.base_url = "https://payjp.example"
        """Where the pages are served, without a slash at the end."""

    def page_url(self, id_: str | Kept) -> str:
        """The address of the page; whoever has it can pay."""
        flow = id_ if isinstance(id_, Kept) else self.find(id_)
        return f"{self.base_url}/consumer/{flow.id}?secret={flow['client_secret']}"

    def find(self, id_: str) -> Kept:
        """The flow that is meant, of either kind."""
        kept = self._books.objects.get(self._books.named(id_))
        if kept is None or kept.kind not in FLOWS:
            message = f"there is no flow {id_}"
            raise OutOfPlay(message)
        return kept

    def is_awaited(self, flow: Kept) -> bool:
        """Whether a consumer can still do something about `flow`."""
        return flow["status"] in (OPEN if flow.kind == "setup_flow" else AWAITED)

    def approve(self, id_: str) -> None:
        """Pay, or save the card."""
        with self._lock, self._books.whole():
            flow = self._awaited(id_)
            if flow.kind == "setup_flow":
                self._played(lambda: self._setups.succeed(flow.id))
            else:
                self._played(lambda: self._flows().authorize(flow))

    def refuse_card(self, id_: str) -> None:
        """Try to pay, with a card that its issuer refuses."""
        self._fails(id_, "card_declined")

    def decline(self, id_: str) -> None:
        """Fail the authentication, or turn PayPay down."""
        self._fails(id_, "authentication_failed")

    def leave(self, id_: str) -> None:
        """Leave for good: the flow is canceled as `abandoned`."""
        with self._lock, self._books.whole():
            flow = self._awaited(id_)
            is_setup = flow.kind == "setup_flow"
            given_up = self._setups.give_up if is_setup else self._flows().give_up
            given_up(flow)

    def _fails(self, id_: str, reason: str) -> None:
        with self._lock, self._books.whole():
            flow = self._awaited(id_)
            if flow.kind == "setup_flow":
                self._played(lambda: self._setups.fails(flow.id, reason))
            else:
                self._played(lambda: self._flows().fails(flow, reason))

    def _awaited(self, id_: str) -> Kept:
        flow = self.find(id_)
        is_setup = flow.kind == "setup_flow"
        flow = (self._setups if is_setup else self._flows()).find(flow.id)
        if not self.is_awaited(flow):
            message = f"no consumer has {id_} before them"
            raise OutOfPlay(message)
        return flow

    @staticmethod
    def _played(act: Callable[[], None]) -> None:
        try:
            act()
        except Problem as problem:
            raise OutOfPlay(str(problem)) from problem
