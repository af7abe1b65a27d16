"""Asking a running emulator, by the control that it has under `/_emulator/`."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

import click
import msgspec

from kessai.cli.emulator.loopback import PORT, on_this_machine
from kessai.gateway import Failure, Reply, Request
from kessai.transport.http import HttpTransport

F = TypeVar("F", bound=Callable[..., Any])

_OK: Final = 200
_JSON: Final = (("Content-Type", "application/json"),)


def emulator_option(function: F) -> F:
    """`--emulator URL`: the running one."""
    option = click.option(
        "--emulator",
        "url",
        default=f"http://127.0.0.1:{PORT}",
        envvar="KESSAI_EMULATOR",
        show_default=True,
        callback=on_this_machine,
        metavar="URL",
        help="Where `kessai emulator serve` runs.",
    )
    return option(function)


class RunningEmulator:
    """An emulator that another process serves at `url`."""

    def __init__(self, url: str, transport: HttpTransport) -> None:
        self._url = url.rstrip("/")
        self._transport = transport

    def ask(self, method: str, *path: str, query: str = "", **asked: Any) -> Any:
        """Its answer.

        Raises:
            ClickException: none is there, or it says why not.

        """
        place = "/".join(quote(part, safe="") for part in path)
        request = Request(
            method=method,
            url=f"{self._url}/_emulator/{place}{query}",
            headers=_JSON,
            body=msgspec.json.encode(asked) if asked else b"",
        )
        reply = self._transport.send(request)
        if isinstance(reply, Failure):
            message = (
                f"no emulator answers at {self._url} ({reply.reason}); start one:"
                " `kessai emulator serve`"
            )
            raise click.ClickException(message)
        return self._read(reply)

    def _read(self, reply: Reply) -> Any:
        try:
            answer = msgspec.json.decode(reply.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            message = f"what answers at {self._url} is no emulator of kessai's"
            raise click.ClickException(message) from error
        if reply.status != _OK:
            raise click.ClickException(str(answer.get("error", reply.status)))
        return answer

    def forward(self, notification: dict[str, Any], url: str) -> int | None:
        """Send a notification on, as it is; the status that answered, or None."""
        text = notification["body"]
        body = (
            msgspec.convert(notification["body_base64"], bytes)
            if text is None
            else text.encode()
        )
        headers = tuple(notification["headers"].items())
        request = Request(method="POST", url=url, headers=headers, body=body)
        reply = self._transport.send(request)
        return None if isinstance(reply, Failure) else reply.status


@contextmanager
def running(url: str) -> Iterator[RunningEmulator]:
    """The emulator at `url`, for as long as it is asked."""
    with closing(HttpTransport()) as transport:
        yield RunningEmulator(url, transport)
