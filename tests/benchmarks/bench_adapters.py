"""An adapter's own CPU beside the standard library's, on the same bodies.

    uv run pytest tests/benchmarks/bench_adapters.py -s

For each gateway, all that is on record: making the requests of every exchange, reading
evidence from the replies, and reading the notifications. By hand means: `json.dumps`,
`urlencode` or `quote` of each body and query that is sent, `json.loads` or `parse_qsl` of
each body that comes, and nothing else: no headers, no keys, no checks, no evidence. The
HMACs and hashes of VeriTrans4G, Stripe and of idempotency keys are in our time alone.
Amazon's RSA, its signatures and its certificate, is in neither. Both are timed in turn, in
CPU time.
"""

import json
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from time import process_time
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import pytest

from kessai.gateway import Notification, Reply, Request
from kessai.gateway_exchange import lift
from kessai.testing.adapter_kit.forms import ARRIVED, run
from kessai.testing.adapter_kit.installed import installed_kit
from kessai_adapters.amazon_pay import notification as amazon_envelopes
from kessai_adapters.emulators.amazon_pay import notifications as envelopes
from kessai_adapters.emulators.amazon_pay.keys import signing_certificate

ROUNDS = 15
TIMES = 20
GATEWAYS = ("amazon_pay", "payjp", "stripe", "veritrans4g")
FIGURES: list[str] = []

Work = Callable[[], object]


@pytest.fixture(scope="module", autouse=True)
def _tell():
    yield
    print("\n\nan adapter's own CPU / the bodies alone, median of the rounds:")  # noqa: T201 - its purpose
    for line in FIGURES:
        print(f"  {line}")  # noqa: T201 - its purpose


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_an_adapter_beside_its_bodies(gateway, monkeypatch):
    monkeypatch.setattr(amazon_envelopes, "_verify", lambda *_: None)
    parts = {
        "exchanges": exchanges(gateway, inquire=False),
        "inquiries": exchanges(gateway, inquire=True),
        "notifications": notifications(gateway),
    }
    whole = [work for part in parts.values() for work in part]
    ratios = {name: ratio(part) for name, part in {**parts, "all": whole}.items()}
    shown = ", ".join(f"{name} {found:.2f}" for name, found in ratios.items())
    FIGURES.append(f"{gateway}: {shown} ({len(whole)} on record)")


def ratio(pairs: list[tuple[Work, Work]]) -> float:
    """The median of the rounds' ratios of all our work to all that is by hand."""
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(seconds(ours) / seconds(theirs) for _ in range(ROUNDS))


def seconds(works: tuple[Work, ...]) -> float:
    begin = process_time()
    for _ in range(TIMES):
        for work in works:
            work()
    return process_time() - begin


def exchanges(gateway: str, *, inquire: bool) -> list[tuple[Work, Work]]:
    """Every exchange on record whose replies are all JSON, and its bodies by hand."""
    kit = installed_kit(gateway)
    adapter = lift(kit.adapter)
    recorded: list[tuple[Any, tuple[Reply, ...]]]
    recorded = [(sample.call, (reply,)) for sample, reply in kit.replies]
    recorded += [(sample.call, replies) for sample, replies in kit.exchanges]
    return [
        pair(adapter, call, replies)
        for call, replies in recorded
        if (call.command == "inquiry") is inquire
        and all(is_json(reply.body) for reply in replies)
    ]


def pair(adapter: Any, call: Any, replies: tuple[Reply, ...]) -> tuple[Work, Work]:
    """One exchange by the adapter, and its bodies by hand."""
    sent = run(adapter.exchange(call), replies).requests[: len(replies)]
    writes = [work for request in sent for work in by_hand_written(request)]
    reads = [by_hand_read(reply.body) for reply in replies]
    ours = driving(lambda: adapter.exchange(call), replies)
    return ours, lambda: [work() for work in (*writes, *reads)]


def driving(ask: Callable[[], Any], replies: tuple[Reply, ...]) -> Work:
    """Carry out what `ask` begins, with `replies` in turn; no more is done than that."""

    def ours() -> object:
        asks = ask()
        try:
            next(asks)
            for reply in replies:
                asks.send(reply)
        except StopIteration as stop:
            return stop.value
        return None

    return ours


def by_hand_written(request: Request) -> Iterator[Work]:
    """Write the body and the query of a request once more by the standard library."""
    for form in (urlsplit(request.url).query, request.body.decode()):
        if is_json(form):
            yield partial(json.dumps, json.loads(form))
        elif is_json(unquote(form)):
            yield partial(quoted_json, json.loads(unquote(form)))
        elif form:
            yield partial(urlencode, parse_qsl(form, keep_blank_values=True))


def quoted_json(members: object) -> str:
    return quote(json.dumps(members), safe="")


def by_hand_read(body: bytes) -> Work:
    """Read a body by the standard library."""
    if is_json(body):
        return lambda: json.loads(body)
    return lambda: parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def is_json(body: bytes | str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def notifications(gateway: str) -> list[tuple[Work, Work]]:
    """Every notification on record that is read, and its body by hand."""
    kit = installed_kit(gateway)
    adapter = lift(kit.adapter)
    if gateway == "amazon_pay":
        return [of_envelope(adapter, kind) for kind in ("CHARGE", "CHARGE_PERMISSION")]
    found = []
    for sample in kit.samples.notifications:
        if not sample.refused:
            message = kit.samples.notification(sample)
            notified = Notification(
                headers=dict(message.headers), body=message.body, at=ARRIVED
            )
            found.append((receiving(adapter, notified), by_hand_read(message.body)))
    return found


def receiving(adapter: Any, notified: Notification, *replies: Reply) -> Work:
    return driving(lambda: adapter.received(notified), replies)


def of_envelope(adapter: Any, kind: str) -> tuple[Work, Work]:
    """An envelope of Amazon's; its certificate comes with the first reply."""
    merchant = adapter.credentials.merchant_id
    base = "https://sns.us-east-1.amazonaws.com"
    members = envelopes.of_change(merchant, kind, "P03-1-C1", "P03-1", 1)
    body = envelopes.compose(1, members, url="", base=base, at=ARRIVED).body
    notified = Notification(headers={}, body=body, at=ARRIVED)
    certificate = Reply(status=200, body=signing_certificate().pem)
    ours = receiving(adapter, notified, certificate)
    assert ours()
    return ours, lambda: json.loads(json.loads(body)["Message"])
