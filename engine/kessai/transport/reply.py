"""Bytes as a `Reply`, or the reason why they are none. Opens no socket.

llhttp parses, in its strict form: what two readers could read differently (two lengths,
a length beside chunks, a folded header) is no reply. Here is decided where a reply ends
and what lies beyond it:

    HTTP/1.1 103 Early Hints ⏎ ⏎        an interim reply: forgotten
    HTTP/1.1 200 OK ⏎ …: 2 ⏎ ⏎ ab       the reply
    HTTP/1.1 200 OK …                   beyond it: belongs to nobody, ends the connection
"""

from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from kessai.gateway import Reply

MAX_HEAD_BYTES: Final = 65_536
"""Of the head, with all interim replies before it."""

MAX_REPLY_BYTES: Final = 5_000_000
"""Of the whole reply, as it comes over the wire."""

_VERSIONS: Final = frozenset({"1.0", "1.1"})
_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
_FIRST: Final = b"H"
_INTERIM, _FINAL = 100, 200
"""The first status of each kind."""


class BrokenReply(Exception):
    """What came is no reply. The message shows nothing of it."""


class ReplyParser:
    """Takes the pieces of one reply. The methods named `on_…` are httptools'."""

    __slots__ = (
        *("_body", "_headers", "_is_head", "_parser", "_size", "_status"),
        *("complete", "reusable"),
    )

    def __init__(self, *, is_head: bool) -> None:
        self.complete = False
        """All of the reply is there."""
        self.reusable = False
        """It ended where its connection may go on."""
        self._is_head = is_head
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._parser: Any = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next piece, which is not empty.

        Raises:
            BrokenReply: it is no reply, or too long a one.

        """
        if not self._size and data[:1] != _FIRST:  # llhttp skips leading line ends
            raise BrokenReply(MALFORMED)
        self._size += len(data)
        if self._size > MAX_REPLY_BYTES:
            raise BrokenReply(TOO_LONG)
        try:
            self._parse(data)
        except (HttpParserError, HttpParserUpgrade) as error:  # an upgrade is a 101
            self.reusable = False
            if not self.complete:
                raise BrokenReply(MALFORMED) from error
        if self._status is None and self._size > MAX_HEAD_BYTES:
            raise BrokenReply(TOO_LONG)

    def _parse(self, data: bytes) -> None:
        """Parse the last byte by itself: if the reply ends before it, bytes are left.

        The parser says that a reply has ended, not where; and it skips line ends.
        """
        if len(data) > 1:
            self._parser.feed_data(data[:-1])
        if self.complete:
            self.reusable = False
        else:
            self._parser.feed_data(data[-1:])

    def end(self, *, is_encrypted: bool) -> None:
        """The gateway closed the connection: what came is whole, or broken off.

        Only a reply without a length is whole then, and none over TLS: what was cut
        there by anybody looks the same.

        Raises:
            BrokenReply: it was broken off, or nobody can say that it was not.

        """
        names = {name.lower() for name, _ in self._headers}
        if is_encrypted or self._status is None or names & _LENGTHS:
            raise BrokenReply(BROKEN_OFF)
        self.complete = True

    def reply(self) -> Reply:
        """The reply: its headers as they came, in order, names in their own case."""
        assert self._status is not None  # noqa: S101 - it is complete
        return Reply(
            status=self._status,
            headers=tuple(
                [  # a list is quicker to make than a generator
                    (name.decode("latin-1"), value.decode("latin-1").strip(" \t"))
                    for name, value in self._headers
                ]
            ),
            body=b"".join(self._body),
        )

    # ── what httptools calls ────────────────────────────────────────────────────────

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those after the body (trailers) are nobody's."""
        if self._status is None:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of a head: of the reply's, of an interim one, or beyond the reply."""
        if self._status is not None:
            return
        status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _VERSIONS or status < _INTERIM:
            raise BrokenReply(MALFORMED)
        if status < _FINAL:
            self._headers.clear()
            return
        self._status = status
        if self._is_head:
            self._finish()

    def on_body(self, data: bytes) -> None:
        """A piece of the body, or of what lies beyond the reply."""
        if not self.complete:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The end of the reply, of an interim one, or of one beyond it."""
        if self._status is not None and not self.complete:
            self._finish()

    def _finish(self) -> None:
        self.complete = True
        self.reusable = self._parser.should_keep_alive()


MALFORMED: Final = "the reply is malformed"
TOO_LONG: Final = "the reply is too long"
BROKEN_OFF: Final = "the reply broke off"
