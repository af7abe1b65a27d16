"""What evidence reports of an operation, and where evidence comes from."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a piece of evidence reports of an operation."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    PENDING = "pending"  # the gateway accepted it and will report the end
    UNKNOWN = "unknown"  # no evidence either way: only an inquiry resolves it
    REVERSED = "reversed"  # it succeeded, and the gateway took that back later

    # An exchange listed as reversed is listed once, and stands for both: the success
    # that it was, and its reversal. `amount` is then what was taken back.


class Source(StrEnum):
    """Where evidence came from. All of it is handled the same way."""

    REPLY = "reply"
    NOTIFICATION = "notification"
    INQUIRY = "inquiry"
    OPERATOR = "operator"
