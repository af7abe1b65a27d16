"""How far an operation is, by name; `phases` says how it gets there."""

from enum import StrEnum


class Phase(StrEnum):
    """How far an operation is. One that has succeeded or was declined has ended."""

    PREPARED = "prepared"  # in the shop's own transaction; surely nothing was sent yet
    BEGUN = "begun"  # the intent is durable; a call may be on its way
    PENDING = "pending"  # the gateway accepted it and will report the end
    UNKNOWN = "unknown"  # there is no evidence; only evidence ends it, never time
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
