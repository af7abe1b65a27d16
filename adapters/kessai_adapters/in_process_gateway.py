"""What every gateway at home has: its emulator, the way to it, and its port.

Owns what is no gateway's own. A subclass brings the adapter, the emulator, the variables,
the consumers who wait, and how it is played.
"""

import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, TypeVar

from kessai.errors import StoreBusy, StoreUnsuitable
from kessai_adapters.emulators import (
    BooksInUse,
    Controls,
    EmulatorClock,
    GatewayEmulator,
    NotificationSender,
    Patience,
    serve,
)
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)

AnyEmulator = TypeVar("AnyEmulator", bound=GatewayEmulator)


class InProcessGateway(Generic[AnyEmulator]):
    """An emulator in this process; `clock` is the one it was made with."""

    name: ClassVar[str]
    """The gateway's, as its adapter has it, and its package in `kessai_adapters`."""
    patience: ClassVar[Patience] = Patience()
    """How often the gateway tries a notification, and what it takes for accepted."""

    def __init__(self, emulator: AnyEmulator, clock: EmulatorClock) -> None:
        self.emulator: Final = emulator
        self.clock: Final = clock
        """The emulator's, which can be moved."""

    @property
    def transport(self) -> EmulatorTransport:
        """What `kessai.Engine` reaches the emulator through."""
        return EmulatorTransport(self.emulator)

    @property
    def async_transport(self) -> AsyncEmulatorTransport:
        """The same for `kessai.AsyncEngine`."""
        return AsyncEmulatorTransport(self.emulator)

    def controls(self) -> Controls:
        """What can be controlled of the emulator where it is served."""
        return Controls(gateway=self.name, clock=self.clock)

    def serve(self, *, port: int, tls: tuple[str, str] | None = None) -> Any:
        """The emulator behind a port on loopback; a context manager with a `url`."""
        return serve(self.emulator, controls=self.controls(), port=port, tls=tls)

    def deliver_notifications(self) -> NotificationSender:
        """Deliver notifications by HTTP, on loopback alone; a context manager."""
        return NotificationSender(self.emulator, patience=self.patience)

    def story(self) -> list[Mapping[str, Any]]:
        """What happens in `kessai demo`: the steps in `demo.toml` of the package."""
        package = files(f"kessai_adapters.{self.name}")
        text = package.joinpath("demo.toml").read_text("utf-8")
        steps: list[Mapping[str, Any]] = tomllib.loads(text)["step"]
        return steps

    def close(self) -> None:
        """Let go of the books' file."""
        self.emulator.close()


@contextmanager
def opening(books: Path | str | None) -> Iterator[None]:
    """Where an emulator opens its books: what fails is an error of the engine's.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """
    try:
        yield
    except BooksInUse as error:
        raise StoreBusy(str(error)) from error
    except sqlite3.DatabaseError as error:
        message = f"{books}: not the emulator's books: {error}"
        raise StoreUnsuitable(message) from error
