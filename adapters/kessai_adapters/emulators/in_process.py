"""An emulator as a transport: in this process, with no HTTP in between.

What the network does to a request, the emulator was asked for (`GatewayEmulator.misbehave`):
here it becomes the failure that a transport would report.
"""

from kessai.gateway import Failure, Reply, Request
from kessai_adapters.emulators.contract import Served
from kessai_adapters.emulators.errors import NoReply, NotConnected


def exchange(emulator: Served, request: Request) -> Reply:
    """What `emulator` answers to `request`; the host of its URL does not matter.

    Raises:
        NotConnected, NoReply: it was asked to lose the request, or the reply.

    """
    path = "/" + request.url.partition("://")[2].partition("/")[2]
    headers = dict(request.headers)
    reply = emulator.handle(request.method, path, headers, request.body)
    return Reply(
        status=reply.status, headers=tuple(reply.headers.items()), body=reply.body
    )


class EmulatorTransport:
    """A `kessai.Transport` to an emulator in this process."""

    def __init__(self, emulator: Served) -> None:
        self._emulator = emulator

    def send(self, request: Request) -> Reply | Failure:
        """See `kessai.Transport.send`."""
        try:
            return exchange(self._emulator, request)
        except NotConnected:
            return Failure(sent=False, reason="no connection was made")
        except NoReply:
            return Failure(sent=True, reason="no reply came")

    def close(self) -> None:
        """Nothing is held."""


class AsyncEmulatorTransport:
    """The same as a `kessai.AsyncTransport`."""

    def __init__(self, emulator: Served) -> None:
        self._transport = EmulatorTransport(emulator)

    async def send(self, request: Request) -> Reply | Failure:
        """See `kessai.AsyncTransport.send`."""
        return self._transport.send(request)

    async def close(self) -> None:
        """Nothing is held."""
