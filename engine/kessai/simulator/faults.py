"""What can go wrong, each under the name that `--faults` takes.

Owns the list and what each means, in a line. The world decides where a fault is
injected, the scheduler how often.
"""

from collections.abc import Iterable
from enum import StrEnum

from kessai.errors import InvalidInput
from kessai.words import Words


class Fault(StrEnum):
    """A kind of fault."""

    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    LATE_REQUEST = "late_request"
    SLOW_REQUEST = "slow_request"
    NO_CONNECTION = "no_connection"
    BAD_REPLY = "bad_reply"
    REFUSAL = "refusal"
    PENDING = "pending"
    FAILED_REFUND = "failed_refund"
    DUPLICATE_NOTIFICATION = "duplicate_notification"
    REORDERED_NOTIFICATION = "reordered_notification"
    FORGED_NOTIFICATION = "forged_notification"
    LOST_NOTIFICATION = "lost_notification"
    WRONG_ENDPOINT = "wrong_endpoint"
    ACCOUNT_UNKNOWN = "account_unknown"
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    INTERRUPTED_RECOVERY = "interrupted_recovery"
    STORE_BUSY = "store_busy"
    STORE_FAILED = "store_failed"
    COMMIT_LOST = "commit_lost"
    COMMIT_KEPT = "commit_kept"
    CLOCK_JUMP = "clock_jump"
    SKEWED_CLOCK = "skewed_clock"
    TWO_WORKERS = "two_workers"
    SAME_KEY = "same_key"
    OTHER_PARAMETERS = "other_parameters"
    STALE_LEASE = "stale_lease"
    PORTAL = "portal"
    TERMINATION_RACE = "termination_race"
    LATE_REVERSAL = "late_reversal"
    RESTORED_BACKUP = "restored_backup"
    ADAPTER_SLIPS = "adapter_slips"
    ROLLED_BACK = "rolled_back"
    SERIALIZATION_FAILURE = "serialization_failure"


MEANINGS = Words("simulation.faults")

ALL = frozenset(Fault)

DEATHS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
IN_THE_STORE = (
    *(Fault.STORE_BUSY, Fault.STORE_FAILED),
    *(Fault.COMMIT_LOST, Fault.COMMIT_KEPT),
)
ON_THE_WIRE = (
    *(Fault.LOST_REQUEST, Fault.LOST_REPLY, Fault.LATE_REQUEST, Fault.SLOW_REQUEST),
    *(Fault.NO_CONNECTION, Fault.BAD_REPLY, Fault.REFUSAL, Fault.PENDING),
    Fault.FAILED_REFUND,
)


def parse_faults(text: str) -> frozenset[Fault]:
    """The faults that `text` names: `all`, `none`, or names with commas between.

    Raises:
        InvalidInput: a name is none; the message lists those there are.

    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["all"]:
        return ALL
    if words == ["none"]:
        return frozenset()
    known = set(Fault)
    strange = [word for word in words if word not in known]
    if strange or not words:
        listed = ", ".join(Fault)
        message = f"faults: {text!r} is not 'all', 'none', or some of: {listed}"
        raise InvalidInput(message)
    return frozenset(Fault(word) for word in words)


def written(faults: Iterable[Fault]) -> str:
    """`faults` as `parse_faults` reads them."""
    chosen = frozenset(faults)
    if chosen == ALL:
        return "all"
    return ",".join(fault for fault in Fault if fault in chosen) or "none"
