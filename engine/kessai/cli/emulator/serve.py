"""`kessai emulator serve`: the gateway's stand-in as a real server, on loopback."""

import errno
import shlex
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.text import Text as Styled

from kessai.cli.emulator.loopback import PORT, on_this_machine
from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.gateways import LocalGateway, local_gateway
from kessai.cli.terminal.options import Asked, emulated_option, shared_options
from kessai.cli.terminal.output import free_place, note, put, say
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.cli.terminal.tables import print_pairs
from kessai.words import Words

_LOOK_EVERY = 0.2
"""Seconds between two looks for consumers who wait."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_WORDS = Words("emulator")


@click.command("serve")
@emulated_option("Whose emulator is served.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen on loopback; 0 takes a free port.",
)
@click.option("--tls-cert", type=_FILE, help="A certificate: makes it HTTPS.")
@click.option("--tls-key", type=_FILE, help="The certificate's key.")
@click.option(
    "--approve",
    type=click.Choice(["ask", "now"]),
    default="now",
    show_default=True,
    help="The consumer approves at once, or you play the consumer in a browser.",
)
@click.option(
    "--books",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that keeps the orders for the next time.",
)
@click.option(
    "--notify",
    "hook",
    callback=on_this_machine,
    metavar="URL",
    help="Where notifications go, on this machine. VeriTrans4G is told with each order:"
    " its URL is one of the variables that are printed.",
)
@shared_options("json")
def serve_command(
    asked: Asked,
    *,
    emulated: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    approve: str,
    books: Path | None,
    hook: str | None,
) -> int:
    """Serve the emulator until Ctrl-C; prints how to point kessai at it.

    Notifications go to shops on loopback, and to nobody else; `kessai listen` shows
    them without a shop, too.
    """
    if (tls_cert is None) != (tls_key is None):
        message = "--tls-cert and --tls-key go together"
        raise click.UsageError(message)
    tls = None if tls_cert is None else (str(tls_cert), str(tls_key))
    if books is not None and not (books.exists() and books.stat().st_size):
        free_place("--books", books, replace=True)
    with (
        closing(local_gateway(books=books, approve=approve, name=emulated)) as local,
        stop_on_signals() as stop,
        _served(local, port, tls) as url,
        local.deliver_notifications() as notifications,
    ):
        local.notify(hook or "")
        _announce(local, url, approve, asked)
        _wait(local, stop, asked)
    _take_leave(notifications.undelivered, asked.language)
    return DONE


@contextmanager
def _served(
    local: LocalGateway, port: int, tls: tuple[str, str] | None
) -> Iterator[str]:
    try:
        server = local.serve(port=port, tls=tls)
    except ssl.SSLError as error:
        message = f"--tls-cert, --tls-key: cannot be used: {error.reason or error}"
        raise click.ClickException(message) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"--port {port}: is in use; give another, or 0 for a free one"
        else:
            message = f"--port {port}: {error.strerror or error}"
        raise click.ClickException(message) from error
    with server:
        yield server.url


def _announce(local: LocalGateway, url: str, approve: str, asked: Asked) -> None:
    environment = local.environment(url)
    if asked.as_json:
        data = {
            "url": url,
            "merchant": local.merchant,
            "approve": approve,
            "environment": environment,
            "gateway": local.adapter.name,
        }
        # On one line: its reader must not wait for the server to end.
        put(msgspec.json.encode(data, order="sorted") + b"\n")
        return
    words = _WORDS.in_language(asked.language)
    say(Styled(words["running"], "bold"))
    say("")
    print_pairs(
        (words[name], value)
        for name, value in (
            ("gateway", url),
            ("merchant", local.merchant),
            ("consumer", words[approve]),
        )
    )
    say("")
    say(words["other"])
    say("")
    for name, value in environment.items():
        say(f"export {name}={shlex.quote(value)}")
    if url.startswith("https:"):
        say(words["authority"])
        say("export SSL_CERT_FILE=…")
    say(f"kessai tx do order-1 {local.example} --gateway {local.adapter.name}")
    say("")
    say(Styled(words["key"], "dim"))


def _wait(local: LocalGateway, stop: Stop, asked: Asked) -> None:
    """Until asked to stop, announce each consumer who waits, once."""
    announced: set[str] = set()
    while stop.rest(_LOOK_EVERY):
        for order, page in local.waiting().items():
            if order not in announced and not asked.as_json:
                say(_WORDS("waits", asked.language, order=order))
                say(f"  {page}")
            announced.add(order)


def _take_leave(undelivered: list[Any], language: str) -> None:
    words = _WORDS.in_language(language)
    if undelivered:
        shown = words["undelivered"].format(count=len(undelivered))
        note(f"kessai: {shown}")
    note(words["ended"])
