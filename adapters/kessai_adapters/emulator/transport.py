"""The emulator in process, as a transport of the HTTP client `httpx2`.

The only module here that imports `httpx2`. It turns what the network swallowed into the
errors a real connection would raise.
"""

import httpx2

from kessai_adapters.emulator.emulator import Emulator
from kessai_adapters.emulator.errors import NoReply, NotConnected


def _exchange(emulator: Emulator, request: httpx2.Request) -> httpx2.Response:
    try:
        reply = emulator.handle(
            request.method,
            request.url.raw_path.decode("ascii"),
            request.headers,
            request.content,
        )
    except NotConnected as error:
        raise httpx2.ConnectError(str(error), request=request) from error
    except NoReply as error:
        raise httpx2.ReadTimeout(str(error), request=request) from error
    return httpx2.Response(reply.status, headers=reply.headers, content=reply.body)


class EmulatorTransport(httpx2.BaseTransport):
    """`httpx2.Client(transport=EmulatorTransport(emulator))` speaks to the emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request; raises `httpx2.ConnectError` or `httpx2.ReadTimeout`."""
        request.read()
        return _exchange(self._emulator, request)


class AsyncEmulatorTransport(httpx2.AsyncBaseTransport):
    """The same for `httpx2.AsyncClient`."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request; raises `httpx2.ConnectError` or `httpx2.ReadTimeout`."""
        await request.aread()
        return _exchange(self._emulator, request)
