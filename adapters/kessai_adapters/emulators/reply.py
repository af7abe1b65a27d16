"""What an emulator answers."""

import attrs


@attrs.frozen(kw_only=True)
class EmulatorReply:
    """A reply as it goes over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def plain(status: int, headers: dict[str, str] | None = None) -> EmulatorReply:
    """Return a reply that says nothing but its status, and `headers`."""
    return EmulatorReply(
        status=status,
        headers={"Content-Type": "text/plain", **(headers or {})},
        body=b"",
    )
