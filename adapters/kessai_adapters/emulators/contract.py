"""What every emulator of a gateway has, by protocols: none need be inherited.

A consumer and a portal differ from gateway to gateway: what can be done at each are its
public methods, what they are about first, with arguments that JSON has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kessai_adapters.emulators.faults import Mishaps
from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.reply import EmulatorReply


class Served(Protocol):
    """What `serve` puts behind a port."""

    @property
    def base_url(self) -> str:
        """Where it is reached, without a slash at the end; a server sets its own."""
        ...

    @base_url.setter
    def base_url(self, url: str) -> None:
        """Change where it is reached."""
        ...

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> EmulatorReply:
        """Answer one request; `path` may carry a query.

        Raises `NotConnected` or `NoReply` only where `misbehave` asked for it.
        """
        ...


class GatewayEmulator(Served, Protocol):
    """A gateway's stand-in; all methods may be called from any thread."""

    @property
    def consumer(self) -> Any:
        """The consumer, for a program to play: a method for each act."""
        ...

    @property
    def portal(self) -> Any:
        """What an operator does at the gateway by hand: a method for each act."""
        ...

    @property
    def outbox(self) -> Outbox[Any]:
        """The notifications not yet taken, and what became of the others."""
        ...

    @property
    def mishaps(self) -> Mishaps:
        """What was asked of `misbehave` and has not struck yet."""
        ...

    def take_notifications(self) -> Sequence[Notification]:
        """Return the notifications not yet delivered, oldest first, and forget them."""
        ...

    def misbehave(
        self,
        fault: str,
        *,
        command: str | None = None,
        times: int = 1,
        carried_out: bool | None = None,
    ) -> None:
        """Let the next `times` exchanges of `command` (any, if None) suffer `fault`.

        `carried_out` overrides whether the gateway does the work although the client
        never hears of it.

        Raises:
            ValueError: there is no such fault or command, or they do not go together.

        """
        ...

    def behave(self) -> None:
        """Forget every misbehaviour that has not struck yet."""
        ...

    def complete(self, order_id: str) -> object:
        """Let what is pending of an order succeed: the oldest, if there are several.

        Raises `OutOfPlay` if nothing is.
        """
        ...

    def fail(self, order_id: str) -> object:
        """Let what is pending of an order fail: the oldest, if there are several.

        Raises `OutOfPlay` if nothing is.
        """
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...
