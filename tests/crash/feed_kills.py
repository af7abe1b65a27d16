"""Kill writers, relays, senders and receivers of the feed, and look what arrived.

    python tests/crash/feed_kills.py --kills 1000 --store feed.db --seed 1

Processes write to one store, follow its feed, send webhooks and receive them; one after
another is killed with SIGKILL while it works, and begun again. At the end each event of
the store must have arrived at the relay's file and at the receiver's: none is missing,
and those of each transaction came for the first time in their order. Prints figures as
JSON; exits 1 if anything is amiss.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from socket import socket

from kessai import Engine, StoreWarning, open_store
from kessai.driver import utc_now
from kessai.errors import SafeToResend
from kessai.feed.sender import WebhookSender
from kessai.feed.signature import check_webhook, read_secrets
from kessai.flow import Change
from kessai.machine import Denied, Reason, Transaction, append

SECRETS = read_secrets("whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")
ORDERS, PACE_SECONDS, FASTER = 4, 0.02, 100
BEGAN, EPOCH = utc_now(), datetime(2026, 1, 1, tzinfo=UTC)
REASONS = (Reason("state_not_allowed", "O2", {}),)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", help="a new file, or the URL of an empty store")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    with tempfile.TemporaryDirectory() as folder:
        figures = kill(options, Path(folder))
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 1 if figures["amiss"] else 0


def kill(options, folder):
    url, random = options.store or str(folder / "feed.db"), Random(options.seed)  # noqa: S311
    open_store(url).close()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    roles = [
        *(("writer", url, str(number)) for number in range(2)),
        ("relay", url, str(folder / "relayed")),
        ("sender", url, str(port)),
        ("receiver", str(folder / "received"), str(port)),
    ]
    killed = dict.fromkeys((role for role, *_ in roles), 0)
    with ExitStack() as stack:
        running = [stack.enter_context(Worker(role)) for role in roles]
        for _ in range(options.kills):
            victim = random.choice(running)
            victim.works()
            time.sleep(random.random() / 5)
            victim.kill()
            killed[victim.role[0]] += 1
            victim.begin()
        for each in running:
            each.works()
            if each.role[0] in {"writer", "relay", "sender"}:
                each.kill()
        drain(url, folder / "relayed", port)
    with closing(open_store(url)) as store:
        written = Counter(name for name, part in store.trails() for _ in part)
    sinks = {name: arrived(folder / name) for name in ("relayed", "received")}
    amiss = [
        f"{name}: {what}" for name, at in sinks.items() for what in judge(written, at)
    ]
    return {
        "killed": killed,
        "events": sum(written.values()),
        "arrived": {name: len(at) for name, at in sinks.items()},
        "amiss": amiss,
    }


class Worker:
    """A process with a role; it reports when it has begun to work."""

    def __init__(self, role):
        self.role = role
        self.begin()

    def begin(self):
        asked = [sys.executable, __file__, "--role", *self.role]
        self.process = subprocess.Popen(asked, stdout=subprocess.PIPE)

    def works(self):
        assert self.process.stdout.readline() == b"works\n", self.role

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def drain(url, relayed, port):
    """Have all arrive that has not yet, with nobody killed any more."""
    with closing(open_store(url)) as store:
        relaying(store, relayed)()
        send = sending(store, port)
        send()
        while store.subscriber("hook").undelivered:
            time.sleep(PACE_SECONDS)
            send()


def arrived(path):
    """What came in, in its order; the last line may be a piece of one."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line.split() for line in lines]
    return [(name, int(number)) for name, number in found]


def judge(written, at):
    """What is missing, and what came before an earlier event of its transaction."""
    first = list(dict.fromkeys(at))
    for name, count in written.items():
        numbers = [number for order, number in first if order == name]
        missing = {*range(1, count + 1)} - {*numbers}
        if missing:
            yield f"{name}: {len(missing)} missing, first {min(missing)}"
        if numbers != sorted(numbers):
            yield f"{name}: out of order"


# ── the roles ───────────────────────────────────────────────────────────────────────


@cache
def report():
    """Say once that the work has begun."""
    sys.stdout.write("works\n")
    sys.stdout.flush()


def write(url, seed):
    random, store = Random(f"{seed} {os.getpid()}"), open_store(url)  # noqa: S311
    while True:
        name = f"order-{random.randrange(ORDERS)}"
        before = store.load(None, name, None).transaction or Transaction(name)
        after, record = append(None, before, Denied(BEGAN, "capture", "", "", REASONS))
        with suppress(SafeToResend):
            store.append(Change(transaction=after, records=(record,)))
            report()
        time.sleep(PACE_SECONDS)


def note(path, name, number):
    """A line of its own, whole in the system's hands once this returns."""
    line = f"{name} {number}\n".encode()
    with open(path, "ab", buffering=0) as file:  # noqa: PTH123
        file.write(line)


def relaying(store, path, begun=lambda: None):
    engine = Engine(adapters=[], store=store, lifecycles=())

    def handle(event):
        note(path, event.transaction, event.number)
        begun()

    return partial(engine.relay, "file", handle)


def sending(store, port, begun=lambda: None):
    url = f"http://127.0.0.1:{port}/"
    sender = WebhookSender(store, "hook", url, SECRETS, clock=hurried)
    return partial(sender.run, is_stopped=begun)


def hurried():
    """A clock on which pauses of minutes are over in seconds."""
    now = utc_now()
    return now + (now - EPOCH) * FASTER


def forever(act):
    while True:
        with suppress(SafeToResend):
            act()
        time.sleep(PACE_SECONDS)


def receive(path, port):
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            whenever = timedelta(days=100_000)
            check_webhook(SECRETS, dict(self.headers), body, utc_now(), whenever)
            data = json.loads(body)["data"]
            note(path, data["transaction"], data["number"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", int(port)), Receiver) as server:
        report()
        server.serve_forever()


ROLES = {
    "writer": write,
    "relay": lambda url, path: forever(relaying(open_store(url), path, report)),
    "sender": lambda url, port: forever(sending(open_store(url), port, report)),
    "receiver": receive,
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--role"]:
        warnings.simplefilter("ignore", StoreWarning)
        ROLES[sys.argv[2]](*sys.argv[3:])
    sys.exit(main())
