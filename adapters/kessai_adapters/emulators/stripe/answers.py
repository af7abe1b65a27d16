"""Idempotency keys: the first answer to a key comes back for 24 hours.

Saved is what came once the endpoint had begun to execute, a 500 included. What failed
before that is not saved, so the same key can still succeed.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.stripe.books import Books
from kessai_adapters.emulators.stripe.errors import invalid
from kessai_adapters.emulators.stripe.faults import error_reply

KEPT: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255
_REPLAYED: Final = "Idempotent-Replayed"


class Answers:
    """The answers that are remembered by key."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def known(self, key: str, request: bytes) -> EmulatorReply | None:
        """What a request under `key` is answered with, if the key is known."""
        if len(key) > LONGEST_KEY:
            message = f"An idempotency key has {LONGEST_KEY} characters at most"
            raise invalid(message)
        held = self._books.answers.get(key)
        since = self._books.now() - int(KEPT.total_seconds())
        if held is None or held["at"] <= since:
            return None
        if held["request"] != _digest(request):
            message = "This key was used with other parameters before"
            return error_reply(400, "idempotency_error", message)
        headers = {**held["headers"], _REPLAYED: "true"}
        return EmulatorReply(
            status=held["status"], headers=headers, body=held["body"].encode()
        )

    def save(self, key: str, request: bytes, reply: EmulatorReply) -> None:
        """Remember what a key was answered with."""
        held: dict[str, Any] = {
            "at": self._books.now(),
            "request": _digest(request),
            "status": reply.status,
            "headers": reply.headers,
            "body": reply.body.decode(),
        }
        self._books.keep_object("answers", key, held)


def _digest(request: bytes) -> str:
    return hashlib.sha256(request).hexdigest()


Work = Callable[[], tuple[EmulatorReply, bool]]
"""Carries a request out; returns the reply, and whether it is to be saved."""


def answer(
    answers: Answers, headers: Mapping[str, str], request: bytes, work: Work
) -> EmulatorReply:
    """The reply to a request that may bear a key."""
    key = headers.get("idempotency-key")
    if not key:
        return work()[0]
    known = answers.known(key, request)
    if known is not None:
        return known
    reply, is_kept = work()
    if is_kept:
        answers.save(key, request, reply)
    return reply
