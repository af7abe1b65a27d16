"""The network between the engine and the gateway: what is under way, and since when.

A request arrives `TRANSIT` after it left at the latest, as networks do, unless it is
one of those that arrive when everybody has given them up.
"""

from datetime import datetime

import attrs

from kessai.gateway import Request
from kessai.limits import REPLY_WITHIN
from kessai.simulator.intents import Intent

TRANSIT = REPLY_WITHIN
"""The longest way of a request, short of the fault that makes it arrive long after."""


@attrs.frozen
class Parcel:
    """A request under way; `operation` is None for one that changes nothing.

    With `due_at` None it arrives by an `Arrive` move.
    """

    task: int
    request: Request
    operation: Intent | None
    order: str
    due_at: datetime | None
