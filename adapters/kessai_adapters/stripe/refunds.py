"""What a refund states, and which refunds of a list gave back captured money.

What a partial capture leaves over appears as a refund, too. It is made at the capture, so
it is the oldest of those that are not ours and have just that amount.
"""

from collections.abc import Iterator

from kessai.gateway import Call, ListedExchange, Outcome
from kessai_adapters.stated import Members
from kessai_adapters.stripe.amounts import from_stripe
from kessai_adapters.stripe.intents import Intent, operation_of
from kessai_adapters.stripe.requests import INTENT
from kessai_adapters.stripe.wire import read_code, read_id, read_number, read_time

_OUTCOMES = {
    "succeeded": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "requires_action": Outcome.PENDING,
    "failed": Outcome.DECLINED,
    "canceled": Outcome.DECLINED,
}


def outcome_of(refund: Members) -> Outcome:
    """What has come of a refund; REVERSED if it took the money, and gave it back."""
    outcome = _OUTCOMES.get(read_code(refund, "status"), Outcome.UNKNOWN)
    gave_back = refund.get("failure_balance_transaction") is not None
    is_undone = outcome is Outcome.DECLINED and gave_back
    return Outcome.REVERSED if is_undone else outcome


def amount_of(refund: Members, call: Call) -> int | None:
    """What it gives back, in ISO 4217's minor units; None if it is of another payment."""
    amount = read_number(refund, "amount")
    is_ours = (
        refund.get("object") == "refund"
        and refund.get("currency") == call.currency.lower()
        and call.references.get(INTENT) in {None, read_id(refund, INTENT)}
    )
    return from_stripe(amount, call.currency) if is_ours and amount else None


def listed(refunds: list[Members], intent: Intent) -> Iterator[ListedExchange] | None:
    """The refunds of an intent as the engine lists them; None if one is unreadable."""
    call, found = intent.call, _of_captured(refunds, intent)
    if any(
        outcome_of(each) is Outcome.UNKNOWN or amount_of(each, call) is None
        for each in found
    ):
        return None
    return (
        ListedExchange(
            command="refund",
            outcome=outcome_of(each),
            amount=amount_of(each, call),
            exchange=read_id(each),
            at=read_time(each, "created"),
            operation=operation_of(each, call),
        )
        for each in found
    )


def _of_captured(refunds: list[Members], intent: Intent) -> list[Members]:
    """The refunds, oldest first, without the one of what was left over."""
    oldest_first = refunds[::-1]
    for place, refund in enumerate(oldest_first):
        is_rest = read_number(refund, "amount") == intent.left_over
        if is_rest and operation_of(refund, intent.call) is None:
            return oldest_first[:place] + oldest_first[place + 1 :]
    return oldest_first
