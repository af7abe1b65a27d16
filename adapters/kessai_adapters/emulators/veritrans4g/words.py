"""The words the gateway uses for commands, results and states.

The gateway's documents name the commands and the three results; they do not name the
values of `orderStatus` and `consentStatus`. The two enumerations `Payment` and
`Consent` are this emulator's choice, and this module is the one table of them.
"""

from enum import StrEnum
from typing import Final


class Command(StrEnum):
    """The commands, as they stand in the path and in an inquiry's list."""

    AUTHORIZE = "Authorize"
    CAPTURE = "Capture"
    CANCEL = "Cancel"
    REFUND = "Refund"
    GET_ADDRESS = "GetAddress"
    UPDATE_AUTHORIZE = "UpdateAuthorize"
    REAUTHORIZE = "ReAuthorize"
    TERMINATE = "Terminate"
    UPDATE_CONSENT = "UpdateConsent"
    SEARCH = "Search"


READS: Final = frozenset({Command.GET_ADDRESS, Command.SEARCH})
"""The commands that change nothing; they cannot be answered `pending`."""


class Result(StrEnum):
    """The values of `mstatus`."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


class Kind(StrEnum):
    """What an order id stands for."""

    ONE_TIME = "one_time"
    """A one-time application (O1)."""

    RECURRING = "recurring"
    """A recurring application, with or without a first authorization (R1, R2)."""

    REAUTHORIZED = "reauthorized"
    """A re-authorization under a consent (R7)."""


class Payment(StrEnum):
    """The values of `orderStatus`: how the payment under an order id stands."""

    NONE = "none"
    """The application asked for a consent only (R2); there is no payment."""

    REQUESTED = "requested"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


class Consent(StrEnum):
    """The values of `consentStatus`; an order that is not recurring has none."""

    REQUESTED = "requested"
    CONSENTED = "consented"
    TERMINATED = "terminated"
    FAILED = "failed"


class Step(StrEnum):
    """How far the consumer has come at Amazon Pay's pages."""

    INVITED = "invited"
    LOGGED_IN = "logged_in"
    FINISHED = "finished"
