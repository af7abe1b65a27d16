"""`kessai events send`: every event to a URL, as signed webhooks."""

import os
from pathlib import Path

import click

from kessai.cli.events.options import once_option, subscriber_option, until_stopped
from kessai.cli.terminal.exits import DONE, UNKNOWN
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.cli.terminal.stores import opened_store
from kessai.errors import InvalidInput
from kessai.feed.sender import Deliveries, WebhookSender
from kessai.feed.signature import WebhookSecret, read_secrets
from kessai.words import Words

_word = Words("events")

_VARIABLE = "KESSAI_WEBHOOK_SECRET"


@click.command("send")
@click.option(
    "--url", required=True, metavar="URL", help="Who is sent the events: https://…"
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

    Exit codes: 0, and with --once 4 if something waits to be sent again.
    """
    secrets = _secrets(secret_file)
    with (
        opened_store(asked.db) as store,
        WebhookSender(store, subscriber, url, secrets) as sender,
        stop_on_signals() as stop,
    ):
        report = _SendReport(sender, stop, asked)
        until_stopped(report.run, stop, once=once)
        waits = any(not u.is_dead for u in store.subscriber(subscriber).undelivered)
    return UNKNOWN if once and waits else DONE


def _secrets(path: Path | None) -> tuple[WebhookSecret, ...]:
    try:
        text = os.environ.get(_VARIABLE) if path is None else path.read_text("ascii")
    except (OSError, UnicodeError):
        message = f"--secret-file {path}: it cannot be read"
        raise InvalidInput(message) from None
    if text is None:
        message = f"--secret-file FILE is missing, and {_VARIABLE} is not set"
        raise click.UsageError(message)
    return read_secrets(text)


class _SendReport:
    """Sends, and says so where there was something to send."""

    def __init__(self, sender: WebhookSender, stop: Stop, asked: Asked) -> None:
        self._sender, self._stop, self._asked = sender, stop, asked

    def run(self) -> None:
        """Send what there is now."""
        sent = self._sender.run(lambda: self._stop.is_asked)
        if sent == Deliveries():
            return
        if self._asked.as_json:
            print_json({"delivered": sent.delivered, "failed": sent.failed})
        else:
            counts = {"delivered": f"{sent.delivered:,}", "failed": f"{sent.failed:,}"}
            say(_word("sent", self._asked.language, **counts))
