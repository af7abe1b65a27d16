"""Runs a shop to try by hand, with a gateway that asks you whether to pay.

uv run python tests/shops/by_hand.py django|fastapi|flask

Open the address that it prints, check out, and approve at the gateway's page. Nothing is
kept: Ctrl-C ends it all.
"""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from running import HERE, RECIPES, Host

from kessai_adapters.veritrans4g.local import LocalGateway

PORT = 8000


def own_database(stack, name, folder):
    """PostgreSQL where the shop needs one, in a server that ends with this; else a file."""
    if name != "fastapi":
        return str(folder / "shop.db")
    sys.path.append(str(HERE.parent / "engine/stores/postgres"))
    from pg.server import running

    return stack.enter_context(running()).url


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shop", choices=RECIPES)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        local = stack.enter_context(closing(LocalGateway(approve="ask")))
        gateway = stack.enter_context(local.serve(port=0))
        stack.enter_context(local.deliver_notifications())
        database = own_database(stack, asked.shop, folder)
        environment = local.environment(gateway.url)
        host = Host(RECIPES[asked.shop], database, environment, folder / "log")
        host.prepare()
        url = stack.enter_context(host.served(port=asked.port))
        stack.enter_context(host.hearing(url))
        recover = ["-m", "kessai", "recover", "--watch", "--gateway", "veritrans4g"]
        stack.enter_context(host.started(*recover, url=url))
        print(f"{asked.shop}: {url}/  (its log: {host.log})")
        if asked.shop == "django":
            print(f"{url}/admin/ is for sato, password {host.password}")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        main()
