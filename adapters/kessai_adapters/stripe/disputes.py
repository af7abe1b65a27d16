"""What disputes state: the cardholder's bank takes money back, and may return it."""

from collections.abc import Iterator

from kessai.gateway import Call, ListedExchange, Outcome
from kessai_adapters.stated import Members
from kessai_adapters.stripe.amounts import from_stripe
from kessai_adapters.stripe.wire import read_code, read_id, read_number, read_time

_MOVES_NOTHING = frozenset(
    {
        "prevented",
        "warning_closed",
        "warning_needs_response",
        "warning_under_review",
    }
)
_ENDS = {"won": "win_dispute", "lost": "lose_dispute"}


def listed(disputes: list[Members], call: Call) -> Iterator[ListedExchange]:
    """The disputes of an intent, oldest first, each with its end."""
    for dispute in disputes[::-1]:
        status = read_code(dispute, "status")
        if status in _MOVES_NOTHING:
            continue
        amount = read_number(dispute, "amount")
        yield ListedExchange(
            command="dispute",
            outcome=Outcome.SUCCEEDED,
            amount=None if amount is None else from_stripe(amount, call.currency),
            exchange=read_id(dispute),
            at=read_time(dispute, "created"),
        )
        if status in _ENDS:
            yield ListedExchange(command=_ENDS[status], outcome=Outcome.SUCCEEDED)
