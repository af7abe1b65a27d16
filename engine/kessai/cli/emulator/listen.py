"""`kessai listen`: a running emulator's notifications, shown as they come, and sent on."""

from typing import Any

import click
import msgspec

from kessai.cli.emulator.client import RunningEmulator, emulator_option, running
from kessai.cli.emulator.loopback import on_this_machine
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, put, say
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.streams import output_is_over
from kessai.words import Words

LOOK_EVERY = 0.2
"""Seconds between two looks for what has come."""

_AT_ONCE = 50
"""Notifications at most in one answer."""

_SHOWN = ("number", "id", "name", "order", "url", "delivery", "attempts", "status")

_word = Words("emulator")


@click.command("listen")
@click.option(
    "--gateway",
    "expected",
    metavar="NAME",
    help="Refuse if another gateway's emulator runs there.",
)
@click.option(
    "--forward-to",
    "forward_to",
    callback=on_this_machine,
    metavar="URL",
    help="Send each on to this URL, too, on this machine.",
)
@click.option("--once", is_flag=True, help="What there is now; else what comes.")
@emulator_option
@shared_options("json")
def listen_command(
    asked: Asked,
    *,
    expected: str | None,
    forward_to: str | None,
    once: bool,
    url: str,
) -> int:
    """Show each notification of a running emulator, until Ctrl-C.

    A line has its number, id, name and order, and what became of it: a second line, if
    that is known later. With --forward-to it is sent on as it is, with its signature,
    and the line has the answer. `kessai emulator replay ID` brings one again.
    """
    with running(url) as emulator, stop_on_signals() as stop:
        found = emulator.ask("GET")
        if expected not in {None, found["gateway"]}:
            message = f"--gateway {expected}: at {url} is that of {found['gateway']}"
            raise click.BadParameter(message)
        after = 0 if once else found["notifications"]
        listener = _Listener(emulator, asked, forward_to, after)
        if not once:
            note(_word("listening", asked.language, gateway=found["gateway"]))
        while listener.look() and not once and stop.rest(LOOK_EVERY):
            pass
    return stop.code


class _Listener:
    """What was shown so far, and what is still to be said of it."""

    def __init__(
        self,
        emulator: RunningEmulator,
        asked: Asked,
        forward_to: str | None,
        after: int,
    ) -> None:
        self._emulator = emulator
        self._asked = asked
        self._forward_to = forward_to
        self._last = after
        self._open: set[int] = set()
        """The numbers of those shown whose delivery is not known."""

    def look(self) -> bool:
        """Show what is new; whether somebody still reads it."""
        while True:
            seen = self._last
            after = min(self._open, default=seen + 1) - 1
            query = f"?after={after}&limit={_AT_ONCE + len(self._open)}"
            found = self._emulator.ask("GET", "notifications", query=query)
            for notification in found["notifications"]:
                self._take(notification)
                if output_is_over():
                    return False
            if self._last == seen:
                return True

    def _take(self, notification: dict[str, Any]) -> None:
        number, is_open = notification["number"], notification["delivery"] == "waiting"
        if number <= self._last:
            if is_open or number not in self._open:
                return
            self._open.discard(number)
            self._show(notification)
            return
        self._last = number
        if self._forward_to is not None:
            answer = self._emulator.forward(notification, self._forward_to)
            self._show(notification | {"forwarded": answer})
            return
        if is_open:
            self._open.add(number)
        self._show(notification)

    def _show(self, notification: dict[str, Any]) -> None:
        if self._asked.as_json:
            data = {name: notification[name] for name in _SHOWN}
            if self._forward_to is not None:
                data["forwarded"] = notification["forwarded"]
            put(msgspec.json.encode(data, order="sorted") + b"\n")
            return
        parts = (
            f"#{notification['number']}",
            notification["id"],
            notification["name"],
            notification["order"],
            self._became(notification),
        )
        say("  ".join(part for part in parts if part))

    def _became(self, notification: dict[str, Any]) -> str:
        language = self._asked.language
        if self._forward_to is not None:
            status = notification["forwarded"]
            name = "not_forwarded" if status is None else "forwarded"
            return _word(name, language, status=status)
        name = f"is_{notification['delivery']}"
        return _word(name, language, status=notification["status"] or "–")
