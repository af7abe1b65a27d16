"""How often a merchant may ask: a bucket a call, filled again second by second."""

from datetime import datetime

SANDBOX = {
    "create_session": (5, 1),
    "get_permission": (10, 1),
    "get_charge": (5, 1),
    "get_refund": (5, 1),
}
"""The bursts and refills a second that differ from the others in the sandbox."""

_OTHERS = (2, 1)


class Throttle:
    """Counts requests of each call."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, datetime]] = {}

    def takes(self, command: str, now: datetime) -> bool:
        """Count a request; False if there are too many."""
        burst, refill = SANDBOX.get(command, _OTHERS)
        left, at = self._left.get(command, (float(burst), now))
        left = min(burst, left + (now - at).total_seconds() * refill)
        self._left[command] = (max(left - 1, 0) if left >= 1 else left), now
        return left >= 1
