"""A wire to the server that can be cut at a chosen moment of a chosen statement."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

BEFORE = "before the server had it"
UNDERWAY = "as soon as the server had it"
AFTER = "when the server had answered"
MOMENTS = (BEFORE, UNDERWAY, AFTER)
_READY = b"Z\x00\x00\x00\x05"


class Proxy:
    """Carries bytes both ways, until `cut` says where it breaks, once each time."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._there = (parts.hostname, parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{port}")
        self._cut = None
        self.happened = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, statement, moment):
        """Break the connection on which `statement` is seen next."""
        self.happened.clear()
        self._cut = statement, moment

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody
        self._listener.close()

    def _listen(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                wire = _Wire(self, client, socket.create_connection(self._there))
                for carry in (wire.forth, wire.back):
                    threading.Thread(target=carry, daemon=True).start()

    def due(self, data):
        """The moment to break at, if `data` has the chosen statement."""
        if self._cut is None or self._cut[0] not in data:
            return None
        (_, moment), self._cut = self._cut, None
        return moment


class _Wire:
    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self._client = client
        self._server = server
        self._holds_back = False

    def forth(self):
        with suppress(OSError):
            while data := self._client.recv(1 << 20):
                moment = self._proxy.due(data)
                if moment == BEFORE:
                    self._break()
                    return
                self._holds_back = moment == AFTER
                self._server.sendall(data)
                if moment == UNDERWAY:
                    self._break()
                    return
        self._end()

    def back(self):
        with suppress(OSError):
            while data := self._server.recv(1 << 20):
                if self._holds_back:
                    if _READY in data:
                        self._break()
                        return
                    continue
                self._client.sendall(data)
        self._end()

    def _break(self):
        self._end()
        self._proxy.happened.set()

    def _end(self):
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
