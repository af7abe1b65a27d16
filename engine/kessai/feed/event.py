"""An event as others are given it: plain fields, and nothing private."""

from datetime import datetime
from typing import Any, Self

import attrs

from kessai.machine import (
    Archived,
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Forgotten,
    Lapsed,
    Learned,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.events import KIND_OF


@attrs.frozen(kw_only=True)
class FeedEvent:
    """One event of a transaction, the `number`-th of its trail; what it has not is None.

    `position` is its place in the feed: read on after it. `id` is its hash, the same
    whenever it is given. `at` is when it was recorded, aware and in UTC. `amount` is in
    minor units of `currency`, `shown` has both for people; `status` is the transaction's
    after it, and `code` the gateway's. `reasons` are codes: of a denial, of a
    discrepancy, or the names of what was learned. `closes` are the numbers of
    discrepancies that it closes. `note` and `actor` are an operator's, and there only for
    who asks for notes.
    """

    position: str
    id: str
    transaction: str
    number: int
    kind: str
    at: datetime
    account: str = ""
    lifecycle: str = ""
    agreement: str | None = None
    status: str = ""
    command: str | None = None
    operation: str | None = None
    outcome: str | None = None
    amount: int | None = None
    currency: str | None = None
    shown: str | None = None
    deadline: str | None = None
    source: str | None = None
    code: str | None = None
    exchange: str | None = None
    reasons: tuple[str, ...] = ()
    closes: tuple[int, ...] = ()
    note: str | None = None
    actor: str | None = None

    @classmethod
    def of(
        cls, step: AppliedEvent, position: str = "", *, with_notes: bool = False
    ) -> Self:
        """The event of `step`, which is at `position`."""
        event, after, subject = step.event, step.after, step.subject
        about: dict[str, Any] = dict(_particulars(event))
        if subject:
            about |= {"command": subject.command, "amount": subject.amount}
        evidence = getattr(event, "evidence", None)
        if evidence is not None:
            about["source"] = evidence.source.value
            about["code"], about["exchange"] = evidence.code, evidence.exchange
            if with_notes:
                about["note"], about["actor"] = evidence.note, evidence.actor
        if isinstance(event, Forgotten) and with_notes:
            about["note"], about["actor"] = event.note, event.actor
        return cls(
            position=position,
            id=after.head,
            transaction=after.id,
            number=step.number,
            kind=KIND_OF[type(event)],
            at=event.at,
            account=after.account,
            lifecycle=after.lifecycle,
            agreement=after.agreement,
            status=after.status,
            currency=after.currency or None,
            closes=step.closes,
            shown=shown(step, about.get("amount")),
            **about,
        )

    def data(self) -> dict[str, Any]:
        """Its fields for JSON, without those that it does not have."""
        return {
            name: value
            for name, value in attrs.asdict(self, recurse=False).items()
            if value not in (None, "", ())
        }


def shown(step: AppliedEvent, amount: int | None) -> str | None:
    """An amount with its currency, where both are known."""
    lifecycle = step.machine.lifecycle if step.machine else None
    currency = lifecycle.currency(step.after.currency) if lifecycle else None
    return None if amount is None or currency is None else currency.show(amount)


def _particulars(event: Event) -> dict[str, Any]:
    """What this kind of event has besides its subject and its evidence."""
    match event:
        case Begun(operation=operation):
            return {"operation": operation.id}
        case Reported(operation=operation, outcome=outcome):
            return {"operation": operation, "outcome": outcome.value}
        case Sent() | Resent() | Resumed():
            return {"operation": event.operation}
        case External() | Reversed():
            return _moved_at_the_gateway(event)
        case _:
            return _stated(event)


def _moved_at_the_gateway(event: External | Reversed) -> dict[str, Any]:
    if isinstance(event, External):
        return {"outcome": "succeeded"}
    return {"outcome": "reversed", "operation": event.operation}


def _stated(
    event: Lapsed | Learned | Discrepancy | Closed | Forgotten | Archived | Denied,
) -> dict[str, Any]:
    match event:
        case Lapsed(deadline=deadline):
            return {"deadline": deadline}
        case Discrepancy(reason=reason, operation=operation):
            return {"operation": operation, "reasons": (reason,)}
        case Denied(reasons=reasons):
            return {"reasons": tuple(reason.code for reason in reasons)}
        case Learned(evidence=evidence):
            return {"reasons": (*evidence.references, *evidence.deadlines)}
        case Closed() | Forgotten() | Archived():
            return {}
