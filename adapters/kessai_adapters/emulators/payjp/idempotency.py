"""The idempotency layer: the first answer to a key, and what it refuses.

How long keys are kept no document states; here it is a setting.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from kessai_adapters.emulators.payjp.problems import Problem
from kessai_adapters.emulators.reply import EmulatorReply

METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
KEPT: Final = frozenset({200, 400, 402})
"""The statuses of an answer that was given once the request had been understood."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


@attrs.frozen
class _Known:
    at: datetime
    request: str
    reply: EmulatorReply


class Idempotency:
    """The first answers, by their keys."""

    def __init__(self, clock: Callable[[], datetime], lasts: timedelta) -> None:
        self.lasts = lasts
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def answer(
        self, key: str | None, request: bytes, work: Callable[[], EmulatorReply]
    ) -> EmulatorReply:
        """The first answer under `key`, or that of `work`, which is kept.

        Raises:
            Problem: the key is malformed, or is another request's.

        """
        if key is None:
            return work()
        if not _KEY.fullmatch(key):
            detail = "1 to 255 letters, digits, - and _"
            raise Problem(
                400, "Bad Request", code="invalid_idempotency_key", detail=detail
            )
        asked = hashlib.sha256(request).hexdigest()
        known = self._known.get(key)
        if known is not None and self._clock() - known.at < self.lasts:
            if known.request != asked:
                raise Problem(409, "Conflict", code="idempotency_conflict")
            return known.reply
        reply = work()
        if reply.status in KEPT:
            self._known[key] = _Known(self._clock(), asked, reply)
        return reply
