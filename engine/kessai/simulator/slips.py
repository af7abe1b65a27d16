"""An adapter that slips now and then: it raises, or its evidence is of wrong types.

Adapters are other people's code. Once a request was sent, whatever they do counts as
an unknown outcome: above all an error that is one of kessai's own, and evidence that
is about another order. No slip may become an answer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from kessai.errors import InvalidInput, NotificationRefused, StoreBusy, VersionConflict
from kessai.gateway import (
    Adapter,
    AnyAdapter,
    Call,
    Evidence,
    Exchange,
    Notification,
    Outcome,
    Reception,
)
from kessai.gateway_exchange import lift


class _Text(str):
    """A text as parsers of XML give it: no `str` of the exact type."""

    __slots__ = ()


_RAISED: Final[Mapping[str, Callable[[str], Exception]]] = {
    error.__name__: error
    for error in (
        *(StoreBusy, VersionConflict, NotificationRefused, InvalidInput),
        *(ZeroDivisionError, RecursionError),
    )
}
_OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "another_order": {"transaction": "another-1", "outcome": Outcome.SUCCEEDED},
    "another_command": {"command": "another", "outcome": Outcome.SUCCEEDED},
    "no_order": {"transaction": None, "outcome": Outcome.DECLINED},
    "text_of_a_subclass": {"code": _Text("x"), "outcome": _Text("declined")},
    "amount_is_a_flag": {"outcome": Outcome.SUCCEEDED, "amount": True},
    "amount_is_text": {"outcome": Outcome.SUCCEEDED, "amount": "100"},
    "flag_is_a_number": {"outcome": Outcome.DECLINED, "never_sent": 1},
    "list_is_an_iterator": {"listing": iter(())},
}
SLIPS: Final = (*_RAISED, *_OTHERS, "nothing")
"""What an adapter can do wrong: raise an error of that name, or give such evidence."""


@attrs.define
class NextSlip:
    """What the adapters of a world do wrong with the next reply that they are given."""

    kind: str = ""

    def take(self) -> str:
        """What it is, once; empty: nothing."""
        kind, self.kind = self.kind, ""
        return kind


class SlippingAdapter(Adapter):
    """`adapter`, but for what `slip` says of the next reply."""

    def __init__(self, adapter: AnyAdapter, slip: NextSlip) -> None:
        self._adapter, self._slip = lift(adapter), slip
        for name in ("seal", "page"):  # a default is seen to be one
            setattr(self, name, getattr(self._adapter, name))

    @property
    def name(self) -> str:
        """See `Adapter.name`."""
        return self._adapter.name

    @property
    def account(self) -> str:
        """See `Adapter.account`."""
        return self._adapter.account

    @property
    def replays(self) -> Any:
        """See `Adapter.replays`."""
        return self._adapter.replays

    def received(self, notification: Notification) -> Reception:
        """See `Adapter.received`."""
        return self._adapter.received(notification)

    def exchange(self, call: Call) -> Exchange:
        """See `Adapter.exchange`."""
        exchange, slip = self._adapter.exchange(call), ""
        reply: Any = None
        try:
            while True:
                request = exchange.send(reply)
                reply = yield request
                slip = slip or self._slip.take()
                if slip in _RAISED:
                    raise _RAISED[slip](slip)
        except StopIteration as stop:
            evidence: Evidence = stop.value
            return _given(evidence, slip) if slip else evidence


def _given(evidence: Evidence, slip: str) -> Any:
    """What the adapter gives in place of `evidence`."""
    return attrs.evolve(evidence, **_OTHERS[slip]) if slip in _OTHERS else None
