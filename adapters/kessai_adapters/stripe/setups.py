"""What a setup intent states: whether a card may be charged later, and which one."""

from collections.abc import Mapping
from functools import cached_property

import attrs

from kessai.gateway import Call, ListedExchange, Outcome
from kessai_adapters.stated import Members
from kessai_adapters.stripe.intents import is_of, is_tried_again, operation_of
from kessai_adapters.stripe.requests import (
    CUSTOMER,
    METHOD,
    SETUP,
)
from kessai_adapters.stripe.wire import read_code, read_id, read_time

_WAITING = frozenset({"requires_confirmation", "requires_action", "processing"})


@attrs.frozen(slots=False)
class Setup:
    """A setup intent as a reply shows it; `call` is what was asked."""

    stated: Members
    call: Call

    @cached_property
    def id(self) -> str:
        """Stripe's id; empty if this is none of the call's transaction."""
        is_ours = is_of(self.stated, self.call, SETUP)
        return read_id(self.stated) if is_ours else ""

    @cached_property
    def opened(self) -> Outcome:
        """What has come of it."""
        status = read_code(self.stated, "status")
        if status in _WAITING:
            return Outcome.PENDING
        if status == "requires_payment_method":
            has_failed = isinstance(self.stated.get("last_setup_error"), dict)
            is_over = has_failed and not is_tried_again(self.stated)
            return Outcome.DECLINED if is_over else Outcome.PENDING
        outcomes = {"succeeded": Outcome.SUCCEEDED, "canceled": Outcome.DECLINED}
        return outcomes.get(status, Outcome.UNKNOWN)

    @cached_property
    def references(self) -> Mapping[str, str]:
        """The ids that the saved card has one of: its own ones once it is saved."""
        found = {SETUP: self.id}
        if self.opened is Outcome.SUCCEEDED:
            found[METHOD] = read_id(self.stated, METHOD)
            found[CUSTOMER] = read_id(self.stated, CUSTOMER)
        return {name: value for name, value in found.items() if value}

    def listed(self) -> ListedExchange:
        """Its opening, as the engine lists it."""
        return ListedExchange(
            command="set_up",
            outcome=self.opened,
            exchange=self.id,
            at=read_time(self.stated, "created"),
            operation=operation_of(self.stated, self.call),
        )


def is_detached(method: Members) -> bool | None:
    """Whether a payment method was detached; None if that cannot be read."""
    if method.get("object") != METHOD or CUSTOMER not in method:
        return None
    return method[CUSTOMER] is None
