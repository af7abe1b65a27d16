"""What goes wrong at this gateway besides what does at any."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kessai_adapters.emulators.faults import FaultRule
from kessai_adapters.emulators.payjp.problems import Problem
from kessai_adapters.emulators.reply import EmulatorReply

PLAYED: Final = frozenset({"create_flow", "confirm", "capture", "refund"})
"""The commands that an issuer has a word in."""


class OwnFault(StrEnum):
    """What goes wrong with an exchange at this gateway."""

    OVER_CAPACITY = "over_capacity"
    """Too many requests: 429, nothing is carried out."""

    IDEMPOTENCY_TIMEOUT = "idempotency_timeout"
    """The first request under the key is still running: 409; it is carried out."""

    IDEMPOTENCY_DOWN = "idempotency_infrastructure_error"
    """The idempotency layer is down: 503, nothing is carried out."""

    PENDING = "pending"
    """A confirmed payment is `processing`, a refund `pending`, until the test says."""

    REFUSE = "refuse"
    """The issuer declines: 402, or a refund that has `failed`."""


def _problem(status: int, title: str, code: str) -> EmulatorReply:
    return Problem(status, title, code=code).reply()


def _over_capacity(_reply: EmulatorReply) -> EmulatorReply:
    return _problem(429, "Too Many Requests", "over_capacity")


def _timeout(_reply: EmulatorReply) -> EmulatorReply:
    return _problem(409, "Conflict", "idempotency_timeout")


def _down(_reply: EmulatorReply) -> EmulatorReply:
    return _problem(503, "Service Unavailable", "idempotency_infrastructure_error")


def own(commands: frozenset[str], reads: frozenset[str]) -> Mapping[str, FaultRule]:
    """How each of them goes; reads have no key, and some an issuer never hears of."""
    return {
        OwnFault.OVER_CAPACITY: FaultRule(spoil=_over_capacity, carried_out=False),
        OwnFault.IDEMPOTENCY_TIMEOUT: FaultRule(spoil=_timeout, spares=reads),
        OwnFault.IDEMPOTENCY_DOWN: FaultRule(
            spoil=_down, carried_out=False, spares=reads
        ),
        OwnFault.PENDING: FaultRule(
            spoil=None, spares=(commands - PLAYED) | {"capture"}
        ),
        OwnFault.REFUSE: FaultRule(spoil=None, spares=commands - PLAYED),
    }
