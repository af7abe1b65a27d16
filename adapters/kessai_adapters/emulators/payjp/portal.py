"""The merchant's own hands in PAY.JP's console: capture, cancel, refund.

Each names the flow by its id, or by what its metadata has: the order's number.
"""

import json
from collections.abc import Callable
from threading import RLock
from typing import Any

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.payjp.books import Books, Kept
from kessai_adapters.emulators.payjp.fields import Fields
from kessai_adapters.emulators.payjp.flows import Flows
from kessai_adapters.emulators.payjp.problems import Problem


class Portal:
    """What is done by hand; each method raises `OutOfPlay` if it cannot be done now."""

    def __init__(self, books: Books, flows: Callable[[], Flows], lock: RLock) -> None:
        self._books = books
        self._flows = flows
        self._lock = lock

    def capture(self, id_: str, amount: int | None = None) -> Kept:
        """Capture all, or `amount` yen."""
        asked = _asked(amount_to_capture=amount)
        return self._done(lambda: self._flows().capture(self._books.named(id_), asked))

    def cancel(self, id_: str) -> Kept:
        """Cancel an authorization, or a flow that nobody has paid."""
        asked = _asked(cancellation_reason="requested_by_customer")
        return self._done(lambda: self._flows().cancel(self._books.named(id_), asked))

    def refund(self, id_: str, amount: int | None = None) -> Kept:
        """Refund all that is left, or `amount` yen."""
        asked = _asked(payment_flow_id=self._books.named(id_), amount=amount)
        return self._done(lambda: self._flows().refund(asked))

    def _done(self, act: Callable[[], Kept]) -> Kept:
        try:
            with self._lock, self._books.whole():
                return act()
        except Problem as problem:
            raise OutOfPlay(str(problem)) from problem


def _asked(**members: Any) -> Fields:
    stated = {name: value for name, value in members.items() if value is not None}
    return Fields(json.dumps(stated).encode())
