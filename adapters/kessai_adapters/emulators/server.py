"""The emulator behind a port: HTTP or HTTPS, on the standard library.

A stand-in for tests and demonstrations, bound to the loopback by default. It
logs nothing: requests carry what logs must not.
"""

import socket
import socketserver
import ssl
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import PathLike
from typing import Any, Final, cast

from kessai_adapters.emulators.base import Closing
from kessai_adapters.emulators.contract import GatewayEmulator
from kessai_adapters.emulators.control import PREFIX, Control, Controls
from kessai_adapters.emulators.errors import Lost
from kessai_adapters.emulators.reply import EmulatorReply

LARGEST_BODY: Final = 1_000_000
"""Bytes at most in a request's body."""

_PATIENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_TOO_LARGE: Final = EmulatorReply(status=413, headers={}, body=b"")
_NO_LENGTH: Final = EmulatorReply(status=411, headers={}, body=b"")

FilePath = str | PathLike[str]


class _Server(ThreadingHTTPServer):
    """One thread per connection; closing it ends every connection and thread."""

    # Threads are joined at the end, so that no socket outlives the server.
    daemon_threads = False

    def __init__(
        self,
        address: tuple[str, int],
        emulator: GatewayEmulator,
        control: Control,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.emulator = emulator
        self.control = control
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask a name server for the host's full name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake waits for the connection's own thread: a silent client
            # must not keep the others out.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._open_lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away, or does not trust the certificate, is no news.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                # Past TLS, whose state belongs to the connection's own thread.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Carries one connection's requests to the emulator."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_SECONDS
    # Head and body go out as one segment each; waiting to join them costs 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._carry()

    # The base looks each method up by its name.
    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's own names)
        """Log nothing."""

    def version_string(self) -> str:
        return "kessai-emulator"

    def _body(self) -> bytes | EmulatorReply:
        if "Transfer-Encoding" in self.headers:
            return _NO_LENGTH
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            return _NO_LENGTH
        if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
            return _TOO_LARGE
        return self.rfile.read(int(length))

    def _carry(self) -> None:
        body = self._body()
        if isinstance(body, EmulatorReply):
            # What was not read would be taken for the next request.
            self.close_connection = True
            self._answer(body)
            return
        try:
            reply = self._reply(dict(self.headers.items()), body)
        except Lost:
            self.close_connection = True
            return
        self._answer(reply)

    def _reply(self, headers: dict[str, str], body: bytes) -> EmulatorReply:
        server = cast("_Server", self.server)
        if not self.path.startswith(PREFIX):
            return server.emulator.handle(self.command, self.path, headers, body)
        caller = str(self.client_address[0])
        return server.control.handle(self.command, self.path, headers, body, caller)

    def _answer(self, reply: EmulatorReply) -> None:
        length = str(len(reply.body))
        headers = {"Content-Length": length, **reply.headers}
        if headers["Content-Length"] != length:
            self.close_connection = True
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)


class RunningServer(Closing):
    """A server that runs until `close`; also a context manager."""

    def __init__(self, server: _Server, scheme: str) -> None:
        self._server = server
        host, port = str(server.server_address[0]), server.server_port
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        """Where it listens, without a slash at the end."""
        self._thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="kessai-emulator",
            daemon=True,
        )
        self._thread.start()

    def __repr__(self) -> str:
        return f"RunningServer({self.url!r})"

    def close(self) -> None:
        """Stop listening, end every connection, and wait for the threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()


def serve(
    emulator: GatewayEmulator,
    *,
    controls: Controls | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: tuple[FilePath, FilePath] | None = None,
) -> RunningServer:
    """Serve the emulator in the background; port 0 takes a free one.

    Under `/_emulator/` it is controlled; `controls` is what can be, besides what every
    emulator has.

    `tls` names the files of a certificate and its key, and makes it HTTPS. The
    emulator's `base_url` becomes the server's URL. A lost request or reply closes the
    connection without an answer; a refused connection does too, as a port that listens
    cannot refuse.
    """
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*tls)
    control = Control(emulator, controls or Controls())
    server = _Server((host, port), emulator, control, context)
    running = RunningServer(server, "http" if context is None else "https")
    emulator.base_url = running.url
    return running
