"""The gateway at home: the adapter, its emulator and the wire between, in one process.

Published as the entry point `kessai.emulators`, so that the command line finds it
without knowing any adapter.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kessai.errors import AdapterMissing
from kessai_adapters.emulator import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

if TYPE_CHECKING:
    from kessai_adapters.emulator import AsyncEmulatorTransport, EmulatorTransport


class LocalGateway:
    """A VeriTrans4G adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that keeps the emulator's orders
    for a later process, or None; `approve` is what the consumer does: `now` or `ask`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        books: Path | None = None,
        approve: str = "now",
    ) -> None:
        own = {} if clock is None else {"clock": clock}
        self.emulator = Emulator(approve=approve, books=books, **own)
        self.adapter = VeriTrans4G(Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True)

    @property
    def wire(self) -> "EmulatorTransport":
        """A transport for `kessai.HttpTransport` that reaches the emulator."""
        _need_http()
        from kessai_adapters.emulator import EmulatorTransport

        return EmulatorTransport(self.emulator)

    @property
    def async_wire(self) -> "AsyncEmulatorTransport":
        """The same for `kessai.AsyncHttpTransport`."""
        _need_http()
        from kessai_adapters.emulator import AsyncEmulatorTransport

        return AsyncEmulatorTransport(self.emulator)

    def serve(self, *, port: int, tls: tuple[str, str] | None = None) -> Any:
        """The emulator behind a port on loopback; a context manager with a `url`."""
        from kessai_adapters.emulator import serve

        return serve(self.emulator, port=port, tls=tls)

    def close(self) -> None:
        """Let go of the books' file."""
        self.emulator.close()


def _need_http() -> None:
    try:
        import httpx2  # noqa: F401 - 100 ms, and the emulator's wire is one of its parts
    except ModuleNotFoundError as error:
        message = "the wire needs the extra 'http': pip install 'kessai[http]'"
        raise AdapterMissing(message) from error
