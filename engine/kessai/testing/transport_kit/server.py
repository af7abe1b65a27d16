"""A server that does what a case says, a thread for each connection."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Final, Self

import attrs

from kessai.testing.transport_kit.waits import PATIENCE_SECONDS, POLL_SECONDS

_ABRUPT: Final = struct.pack("ii", 1, 0)


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """A request as a server saw it. `connection` counts from 1."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    def values(self, name: str) -> list[str]:
        """The values of all headers of that name."""
        return [value for given, value in self.headers if given.lower() == name]


class Peer:
    """One connection to a server, from the server's side."""

    def __init__(
        self, server: "ScriptedServer", connected: socket.socket, number: int
    ) -> None:
        self.number = number
        self._server = server
        self._socket = connected
        self._unread = b""

    def request(self) -> ReceivedRequest | None:
        """Read a request; None if there is no further one."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.partition(": ") for line in lines]
        headers = tuple((name, value) for name, _, value in pairs)
        length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
        while len(self._unread) < length:
            if not self._read():
                return None
        body, self._unread = self._unread[:length], self._unread[length:]
        received = ReceivedRequest(
            method=method,
            target=target,
            headers=headers,
            body=body,
            connection=self.number,
        )
        self._server.requests.append(received)
        return received

    def begins(self) -> bool:
        """Whether anything of a request came; no more of it is read."""
        return self._read()

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._unread:
            if not self._read():
                return None
        found, _, self._unread = self._unread.partition(mark)
        return found

    def _read(self) -> bool:
        data = self._socket.recv(65_536)
        self._unread += data
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self._socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send `data` byte by byte, with a pause after each."""
        until = monotonic() + PATIENCE_SECONDS
        for at in range(len(data)):
            if monotonic() > until:
                break
            self.send(data[at : at + 1])
            sleep(pause)

    def wait(self) -> None:
        """Do nothing until the case is over."""
        self._server.over.wait(PATIENCE_SECONDS)

    def reset(self) -> None:
        """End the connection at once, also what is still on its way."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def say_goodbye(self) -> None:
        """End TLS as one should; without this, its end looks cut off."""
        if isinstance(self._socket, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self._socket.settimeout(POLL_SECONDS)
                self._socket.unwrap()


Script = Callable[[Peer], object]
"""What a server does with a connection, which is closed afterwards."""


class ScriptedServer:
    """Listens on loopback until `close`; also a context manager."""

    def __init__(self, answer: Script, tls: ssl.SSLContext | None) -> None:
        self.requests: list[ReceivedRequest] = []
        """All that arrived whole, in order."""
        self.connections = 0
        """How many were accepted, with or without a request."""
        self.over = threading.Event()
        """Set when the server closes."""
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                accepted, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            accepted.settimeout(PATIENCE_SECONDS)
            given = accepted, self.connections
            thread = threading.Thread(target=self._serve, args=given, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket, number: int) -> None:
        try:
            with suppress(OSError):
                if self._tls is not None:
                    accepted = self._tls.wrap_socket(
                        accepted, server_side=True, do_handshake_on_connect=False
                    )
                self._sockets.append(accepted)
                if isinstance(accepted, ssl.SSLSocket):
                    accepted.do_handshake()
                self._answer(Peer(self, accepted, number))
        finally:
            accepted.close()

    def close(self) -> None:
        """Stop listening, end every connection, and wait for the threads."""
        self.over.set()
        self._threads[0].join()
        self._listener.close()
        for accepted in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(accepted, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
