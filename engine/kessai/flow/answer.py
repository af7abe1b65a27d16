"""What the engine answers: what happened, or every reason why not."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from kessai.gateway import Evidence
from kessai.machine import Denial, Transaction


class Status(StrEnum):
    """The outcome of a command."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # by the gateway; nothing moved
    PENDING = "pending"  # the gateway accepted it and will report the end
    UNKNOWN = "unknown"  # no evidence yet: `recover` resolves it; use no new key
    DENIED = "denied"  # by the lifecycle; nothing was sent


OPEN = frozenset({Status.PENDING, Status.UNKNOWN})
"""The outcomes that leave an operation open."""

OVER = frozenset(Status) - OPEN
"""The outcomes that are final."""


@attrs.frozen(kw_only=True, slots=False)  # faster to make
class Answer:
    """The answer to one command.

    `transaction` is its state afterwards. `is_recorded` means that the key had been
    used for the same request before: this is that answer, and nothing was sent. Under a
    key that was denied the request is decided anew: its denial is a recorded one only
    if the reasons are the same.
    `is_inquiry_answered` is false for an operation that `recover` leaves open because
    the gateway did not answer its inquiry.
    `disclosed` holds what is for the caller alone and stored nowhere: the `page` that
    sends the consumer to the gateway, or the `address`; no repr shows it. The same key
    gives the `page` again as long as it is valid, where the gateway does. Where it does
    not, `is_page_lost`: what the first answer disclosed cannot be had again. The
    checkout may still be finished, or else `abandon` ends it.
    """

    status: Status
    command: str
    key: str
    transaction: Transaction
    operation: str | None = None
    denial: Denial | None = None
    evidence: Evidence | None = None
    is_recorded: bool = False
    is_page_lost: bool = False
    is_inquiry_answered: bool = True
    disclosed: Mapping[str, Any] = attrs.field(
        factory=dict[str, Any], repr=False, eq=False
    )

    @property
    def may_send_again(self) -> bool:
        """Whether the same request may be sent again under a new key.

        Under the same key it always may be: after a denial it is decided anew, and in
        all other cases the key gives its recorded answer. Under a new key it is decided
        anew, and that can repeat an effect. It cannot where this is true: after a
        denial, and after a decline of a request that never left.
        """
        if self.status is Status.DENIED:
            return True
        never_sent = self.evidence is not None and self.evidence.never_sent
        return self.status is Status.DECLINED and never_sent
