"""`kessai events send`: every event to a URL, as signed webhooks."""

import os
from contextlib import suppress
from pathlib import Path

import attrs
import click

from kessai.cli.events.options import (
    of_webhooks,
    once_option,
    subscriber_option,
    until_stopped,
)
from kessai.cli.terminal.exits import DONE, STOPPED, UNKNOWN
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, print_json, say
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.cli.terminal.stores import opened_store
from kessai.errors import InvalidInput
from kessai.feed.sender import Deliveries, WebhookSender, webhook_transport
from kessai.feed.signature import WebhookSecret, read_secrets
from kessai.gateway import Failure, Reply, Request
from kessai.whole_file import others_may_read
from kessai.words import Words

_word = Words("events")

_VARIABLE = "KESSAI_WEBHOOK_SECRET"


@click.command("send")
@click.option(
    "--url",
    required=True,
    metavar="URL",
    help="Who is sent the events: https://…, or http:// to this machine.",
)
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What they are signed with: whsec_…; two, while one is exchanged for another."
    f" Or {_VARIABLE} has it.",
)
@subscriber_option
@once_option
@shared_options("db", "json")
def send(
    asked: Asked, *, url: str, secret_file: Path | None, subscriber: str, once: bool
) -> int:
    """Send every event of all transactions to a URL, as CloudEvents, signed.

    Signatures are those of Standard Webhooks. What is not answered by 2xx is sent again,
    after pauses that grow to a day, ten times; then it is a dead letter. The later
    events of its transaction wait behind it, no others. Run one for each subscriber.

    Ctrl-C breaks off what is being sent: whether it was taken is not known, so it is sent
    again the next time.

    Exit codes: 0, with --once 4 if something waits to be sent again, 130 stopped by Ctrl-C.
    """
    secrets = _secrets(secret_file)
    with (
        opened_store(asked.db) as store,
        stop_on_signals() as stop,
        WebhookSender(
            store, of_webhooks(subscriber), url, secrets, transport=_Sending(stop)
        ) as sender,
    ):
        report = _SendReport(sender, stop, asked, is_only=once)
        with suppress(KeyboardInterrupt):
            until_stopped(report.run, stop, once=once)
        if stop.is_asked:
            note(_word("stopped", asked.language))
            return STOPPED if once else stop.code
    return UNKNOWN if once and report.last.waiting else DONE


def _secrets(path: Path | None) -> tuple[WebhookSecret, ...]:
    text = os.environ.get(_VARIABLE) if path is None else _read(path)
    if text is None:
        message = f"--secret-file FILE is missing, and {_VARIABLE} is not set"
        raise click.UsageError(message)
    try:
        return read_secrets(text)
    except InvalidInput as error:
        message = f"{_VARIABLE if path is None else f'--secret-file {path}'}: {error}"
        raise InvalidInput(message) from None


def _read(path: Path) -> str:
    try:
        text = path.read_text("ascii")
        is_open = others_may_read(path)
    except OSError as error:
        message = f"--secret-file {path}: {error.strerror}"
        raise InvalidInput(message) from None
    except UnicodeError:
        message = f"--secret-file {path}: whsec_ and base64 is right"
        raise InvalidInput(message) from None
    if is_open:
        message = (
            f"--secret-file {path}: others may read it; `chmod 600 {path}` mends that"
        )
        raise InvalidInput(message)
    return text


class _Sending:
    """The transport of webhooks; being asked to stop breaks off what is under way."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._transport = webhook_transport()

    def send(self, request: Request) -> Reply | Failure:
        """See `Transport.send`."""
        with self._stop.breaking_off():
            return self._transport.send(request)

    def close(self) -> None:
        """See `Transport.close`."""
        self._transport.close()


class _SendReport:
    """Sends, and says so where there was something to send, or it `is_only` once."""

    def __init__(
        self, sender: WebhookSender, stop: Stop, asked: Asked, *, is_only: bool
    ) -> None:
        self._sender, self._stop, self._asked = sender, stop, asked
        self._is_only = is_only
        self.last = Deliveries()

    def run(self) -> None:
        """Send what there is now."""
        self.last = sent = self._sender.run(lambda: self._stop.is_asked)
        if not (self._is_only or sent.delivered or sent.failed):
            return
        if self._asked.as_json:
            print_json(attrs.asdict(sent))
            return
        language = self._asked.language
        counts = {"delivered": f"{sent.delivered:,}", "waiting": f"{sent.waiting:,}"}
        said = _word("sent", language, **counts)
        why = _word("why", language, reason=sent.reason) if sent.reason else ""
        say(f"{said} {why}".rstrip())
