"""The gateway's names for what the engine calls its commands. Nothing else."""

from types import MappingProxyType

COMMANDS = MappingProxyType(
    {
        "authorize": "Authorize",  # O1, R1, R2
        "capture": "Capture",  # O2, R3
        "cancel": "Cancel",  # O3, R4
        "refund": "Refund",  # O4, R5
        "get_address": "GetAddress",  # O5, R6
        "update_authorization": "UpdateAuthorize",  # O6
        "reauthorize": "ReAuthorize",  # R7
        "terminate": "Terminate",  # R8
        "update_consent": "UpdateConsent",  # R9
    }
)
"""The engine's command → the gateway's."""

_ENGINE_COMMANDS = {wire.lower(): engine for engine, wire in COMMANDS.items()}


def engine_command(name: str) -> str | None:
    """Find the engine's command that the gateway calls `name`, or None."""
    return _ENGINE_COMMANDS.get(name.lower())
