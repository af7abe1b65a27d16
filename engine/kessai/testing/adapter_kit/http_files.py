"""One HTTP message a file: its first line, its headers, an empty line, its body.

Lines end in a line feed, so that the files can be read and edited; the body is kept
byte for byte, and needs no length.
"""

from pathlib import Path

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import Reply, Request

_STATUS = 1
_REQUEST_PARTS = 3


@attrs.frozen
class Message:
    """What a file holds."""

    path: Path
    start: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def as_reply(self) -> Reply:
        """The message as a reply.

        Raises:
            InvalidInput: its first line is not like `HTTP/1.1 200 OK`.

        """
        parts = self.start.split(" ")
        status = parts[_STATUS] if len(parts) > _STATUS else ""
        if not (parts[0].startswith("HTTP/") and status.isascii() and status.isdigit()):
            raise _wrong(self.path, "its first line must be like HTTP/1.1 200 OK")
        return Reply(status=int(status), headers=self.headers, body=self.body)

    def as_request(self) -> Request:
        """The message as a request.

        Raises:
            InvalidInput: its first line is not like `POST URL HTTP/1.1`.

        """
        parts = self.start.split(" ")
        if len(parts) != _REQUEST_PARTS:
            raise _wrong(self.path, "its first line must be like POST URL HTTP/1.1")
        return Request(
            method=parts[0], url=parts[1], headers=self.headers, body=self.body
        )


def read_message(path: Path) -> Message:
    """The message in the file at `path`.

    Raises:
        InvalidInput: there is no such file, or it is no HTTP message.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    head, empty, body = content.partition(b"\n\n")
    if not empty:
        raise _wrong(path, "an empty line must stand between its headers and its body")
    start, *lines = head.decode("latin-1").split("\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(": ")
        if not colon:
            raise _wrong(path, "a header must be like Content-Type: application/json")
        headers.append((name, value))
    return Message(path, start, tuple(headers), body)


def request_bytes(request: Request) -> bytes:
    """`request` as the content of a file."""
    lines = [f"{request.method} {request.url} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\n".join([*lines, "", ""]).encode("latin-1", "replace") + request.body


def _wrong(path: Path, what: str) -> InvalidInput:
    return InvalidInput(f"{path}: {what}")
