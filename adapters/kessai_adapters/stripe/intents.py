"""What a payment intent states: how it stands, its ids, and what was done with it.

An intent is one attempt after another until one pays; a transaction has one intent. What
was captured it states in total alone, so its metadata say of each capture of ours how
much it was; the rest was captured by others.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import attrs

from kessai.gateway import Call, ListedExchange, Outcome
from kessai_adapters.stated import Members, inner
from kessai_adapters.stripe.amounts import from_stripe
from kessai_adapters.stripe.requests import (
    BROWSER,
    CAPTURED,
    CAPTURES,
    CHARGE,
    INTENT,
    OPERATION,
    PAID_IN,
    TRANSACTION,
)
from kessai_adapters.stripe.wire import read_code, read_id, read_number, read_time

EXPIRE = "expire"
"""How the engine calls a deadline that the gateway let lapse."""

_WAITING = frozenset({"requires_confirmation", "requires_action", "processing"})
_DEADLINES = ("authorization", "rest")
_CAPTURED = re.compile(
    CAPTURED.format(command="(capture|capture_part)", number="([0-9]{1,9})")
)
_CAPTURE = re.compile(r"([0-9]{1,12}) ([!-~]{1,200})")
_BY_ITSELF = frozenset({"automatic", "expired"})
_LONGEST_PAGE = 4096
_DIGITS = 9


@attrs.frozen(slots=False)
class Intent:
    """An intent as a reply shows it, its charge in full; `call` is what was asked."""

    stated: Members
    call: Call

    @cached_property
    def id(self) -> str:
        """Stripe's id; empty if this is no intent of the call's transaction."""
        stated, call = self.stated, self.call
        is_ours = is_of(stated, call, INTENT)
        is_in_currency = stated.get("currency") == call.currency.lower()
        return read_id(stated) if is_ours and is_in_currency else ""

    @cached_property
    def status(self) -> str:
        """How it stands."""
        return read_code(self.stated, "status")

    @cached_property
    def charge(self) -> Members:
        """The charge that was authorized; empty if none was."""
        charge = inner(self.stated, "latest_charge")
        return charge if charge.get("status") == "succeeded" else {}

    @property
    def is_disputed(self) -> bool:
        """Whether the charge has been disputed."""
        return self.charge.get("disputed") is True

    def amount(self, name: str) -> int | None:
        """An amount, in ISO 4217's minor units."""
        stated = read_number(self.stated, name)
        return None if stated is None else from_stripe(stated, self.call.currency)

    @cached_property
    def references(self) -> Mapping[str, str]:
        """The ids that a transaction has one of."""
        found = {INTENT: self.id, CHARGE: read_id(self.charge)}
        return {name: value for name, value in found.items() if value}

    @property
    def deadlines(self) -> Mapping[str, datetime]:
        """Until when the authorization can be captured, while it waits for that."""
        details = inner(inner(self.charge, "payment_method_details"), "card")
        until = read_time(details, "capture_before")
        is_waiting = self.status == "requires_capture"
        return dict.fromkeys(_DEADLINES, until) if until and is_waiting else {}

    @property
    def disclosed(self) -> Mapping[str, Any]:
        """The page that asks the consumer, and the secret for Stripe's script."""
        return disclosed(self.stated)

    @cached_property
    def opened(self) -> Outcome:
        """What has come of its authorization."""
        if self.status in _WAITING:
            return Outcome.PENDING
        if self.status == "requires_payment_method":
            return self._without_method
        if self.status in {"requires_capture", "succeeded"}:
            return Outcome.SUCCEEDED if self.charge else Outcome.UNKNOWN
        if self.status == "canceled":
            return Outcome.SUCCEEDED if self.charge else Outcome.DECLINED
        return Outcome.UNKNOWN

    @property
    def _without_method(self) -> Outcome:
        """In their browser a consumer may try another card after a failed attempt."""
        has_failed = isinstance(self.stated.get("last_payment_error"), dict)
        is_over = has_failed and not is_tried_again(self.stated)
        return Outcome.DECLINED if is_over else Outcome.PENDING

    @cached_property
    def captures(self) -> list[ListedExchange]:
        """What was captured after the authorization, ours first, the rest after that."""
        if self.stated.get("capture_method") != "manual":
            return []
        found = sorted(self._recorded())
        rest = (read_number(self.stated, "amount_received") or 0) - sum(
            amount for _, _, amount, _ in found
        )
        ours = [
            self._capture(command, amount, operation)
            for _, command, amount, operation in found
        ]
        last = CAPTURES[self.status == "requires_capture"]
        return [*ours, self._capture(last, rest, None)] if rest else ours

    def _recorded(self) -> Iterator[tuple[int, str, int, str]]:
        """Our captures, by the numbers of their operations, as the metadata have them."""
        for name, value in inner(self.stated, "metadata").items():
            key = _CAPTURED.fullmatch(name)
            said = _CAPTURE.fullmatch(value) if isinstance(value, str) else None
            if key and said and operation_in(said[2], self.call):
                yield int(key[2]), key[1], int(said[1]), said[2]

    def _capture(
        self, command: str, amount: int, operation: str | None
    ) -> ListedExchange:
        return ListedExchange(
            command=command,
            outcome=Outcome.SUCCEEDED,
            amount=from_stripe(amount, self.call.currency) if amount > 0 else None,
            operation=operation,
        )

    @cached_property
    def listed(self) -> list[ListedExchange]:
        """What was done with it, refunds and disputes aside; in its order."""
        opened = ListedExchange(
            command="authorize",
            outcome=self.opened,
            amount=self.amount("amount"),
            exchange=self.id,
            at=read_time(self.stated, "created"),
            operation=operation_of(self.stated, self.call),
        )
        found = [opened, *self.captures]
        if end := self._end({each.command for each in self.captures}):
            found.append(ListedExchange(command=end, outcome=Outcome.SUCCEEDED))
        return found

    def _end(self, captures: set[str]) -> str:
        """How an authorization ended that was not captured to its end.

        A capture ends it, whenever it arrived; after parts alone, the rest has lapsed.
        """
        if self.status == "canceled" and self.charge:
            reason = read_code(self.stated, "cancellation_reason")
            return EXPIRE if reason in _BY_ITSELF else "cancel"
        is_left = self.status == "succeeded" and self.left_over
        return EXPIRE if is_left and captures == {"capture_part"} else ""

    @property
    def has_ended(self) -> bool:
        """Whether something was captured, and nothing more can be."""
        received = read_number(self.stated, "amount_received")
        return self.status in {"succeeded", "canceled"} and bool(received)

    @property
    def has_amounts(self) -> bool:
        """Whether its amounts can be read."""
        amounts = {one.amount for one in (*self.captures, *self.listed[:1])}
        return None not in {self.amount("amount_received"), *amounts}

    @property
    def left_over(self) -> int:
        """What was authorized and never captured, as Stripe counts it."""
        amount = read_number(self.stated, "amount") or 0
        return amount - (read_number(self.stated, "amount_received") or 0)


def is_of(stated: Members, call: Call, kind: str) -> bool:
    """Whether an object of `kind` is of the call's transaction.

    One that began elsewhere bears no id of ours: it is known by Stripe's, and may not be
    another transaction's.
    """
    known, named = call.references.get(kind), inner(stated, "metadata").get(TRANSACTION)
    is_named = named == call.transaction or (known is not None and named is None)
    is_it = known in {None, read_id(stated)}
    return stated.get("object") == kind and is_named and is_it


def operation_of(stated: Members, call: Call) -> str | None:
    """Our id of the operation that made an object; None if it is not ours."""
    return operation_in(inner(stated, "metadata").get(OPERATION), call)


def operation_in(value: object, call: Call) -> str | None:
    """The id of an operation of the call's transaction; None if it is none."""
    if not isinstance(value, str):
        return None
    transaction, _, number = value.rpartition(".")
    is_ours = transaction == call.transaction and number.isascii() and number.isdigit()
    return value if is_ours and len(number) <= _DIGITS else None


def disclosed(stated: Members) -> dict[str, Any]:
    """The page that asks the consumer, and the secret for Stripe's script."""
    found: dict[str, Any] = {}
    if isinstance(secret := stated.get("client_secret"), str):
        found["client_secret"] = secret
    url = inner(inner(stated, "next_action"), "redirect_to_url").get("url")
    if isinstance(url, str) and len(url) <= _LONGEST_PAGE:
        found["page"] = url
    return found


def is_tried_again(stated: Members) -> bool:
    """Whether the consumer may try another card, in their browser."""
    return inner(stated, "metadata").get(PAID_IN) == BROWSER
