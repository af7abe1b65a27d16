"""`kessai emulator replay` and `trigger`: notifications, had from a running emulator."""

import click

from kessai.cli.emulator.client import emulator_option, running
from kessai.cli.emulator.loopback import on_this_machine
from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.words import Words

_word = Words("emulator")


@click.command("replay")
@click.argument("notification_id", metavar="ID")
@emulator_option
@shared_options("json")
def replay(asked: Asked, *, notification_id: str, url: str) -> int:
    """Have a running emulator send a notification again: the same bytes, to the same URL.

    `kessai listen` shows the ids, and forwards it again.
    """
    with running(url) as emulator:
        sent = emulator.ask("POST", "notifications", notification_id, "replay")
    if asked.as_json:
        print_json({name: sent[name] for name in ("number", "id", "name", "order")})
    else:
        say(_word("replayed", asked.language, id=sent["id"], name=sent["name"]))
    return DONE


@click.command("trigger")
@click.argument("name")
@click.option(
    "--url",
    "hook",
    required=True,
    callback=on_this_machine,
    metavar="URL",
    help="Where the notifications go, on this machine.",
)
@emulator_option
@shared_options("json")
def trigger(asked: Asked, *, name: str, hook: str, url: str) -> int:
    """Have a running emulator let happen what leads to a notification NAME.

    It makes an order of its own. A NAME that it does not have is answered with those
    that it has.
    """
    with running(url) as emulator:
        result = emulator.ask("POST", "triggers", name, url=hook)["result"]
    if asked.as_json:
        print_json({"name": name, "result": result})
    else:
        say(_word("triggered", asked.language, name=name, order=result))
    return DONE
