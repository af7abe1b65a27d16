"""Speed as ratios within one run; absolute times on shared machines prove nothing.

    uv run pytest tests/benchmarks/bench_speed.py

Each pair is timed in turn, round by round, so that a machine that slows down slows both.
The table below the results quotes the median of the rounds' ratios.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from time import perf_counter
from typing import Any

import pytest
from transitions import Machine as TransitionsMachine

from kessai import Command, Engine, MemoryStore, SQLiteStore, Status, Store
from kessai.gateway import Evidence, Outcome, Reply, Request, Source
from kessai.machine import (
    Begun,
    Operation,
    Reported,
    Transaction,
    compile_lifecycle,
    decide,
    evolve,
)
from kessai.spec import load_shipped
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "0123456789abcdef" * 4
ADAPTER = VeriTrans4G(Credentials("A100000000000000000000cc", KEY))


def reply(order: str) -> Reply:
    """A gateway's success, as recorded."""
    body = (
        '{"payNowIdResponse":{"processId":"1"},"result":{"serviceType":"amazonpay",'
        '"mstatus":"success","vResultCode":"A001000000000000","merrMsg":"ok",'
        f'"marchTxn":"1","custTxn":"2","orderId":"{order}","txnVersion":"2.0.0",'
        '"centerResponseDatetime":"20260101090000","centerOrderId":"P03-1"}}'
    )
    return Reply(status=200, body=body.encode())


class Recorded:
    """A wire without a network: what is measured is the engine, not a gateway."""

    def send(self, request: Request) -> Reply:
        del request
        return reply("order-1")

    def close(self) -> None:
        """Nothing is held."""


def ratio(
    benchmark: Any,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int,
    times: int,
) -> float:
    """Time both in turn; the median ratio, noted beside the benchmark's own figures."""
    pairs = [(_time(ours, times), _time(theirs, times)) for _ in range(rounds)]
    found = statistics.median(a / b for a, b in pairs)
    benchmark.extra_info["ratio"] = round(found, 3)
    benchmark.extra_info["by_hand_us"] = round(
        statistics.median(b for _, b in pairs) / times * 1e6, 1
    )
    ours_us = statistics.median(a for a, _ in pairs) / times * 1e6
    RATIOS.append(f"{benchmark.name}: {found:.2f} ({ours_us:.1f} µs)")
    benchmark(ours)
    return found


RATIOS: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _tell() -> Iterator[None]:
    yield
    print("\n\nratios, ours / by hand, median of the rounds (our time):")  # noqa: T201 - its purpose
    for line in RATIOS:
        print(f"  {line}")  # noqa: T201 - its purpose


def _time(work: Callable[[], object], times: int) -> float:
    begin = perf_counter()
    for _ in range(times):
        work()
    return perf_counter() - begin


def captured() -> tuple[Transaction, Transaction]:
    """A payment authorized, and the same captured."""
    transaction = Transaction("order-1")
    states = []
    for command in (
        Command("authorize", "order-1", key="1", amount=10_000),
        Command("capture", "order-1", key="2", amount=10_000),
    ):
        operation = decide(MACHINE, transaction, command, NOW)
        assert isinstance(operation, Operation)
        opens = ("payment",) if command.name == "authorize" else ()
        for event in (Begun(NOW, operation, None, opens), succeeded(operation)):
            transaction = evolve(MACHINE, transaction, event)
        states.append(transaction)
    return states[0], states[1]


def succeeded(operation: Operation) -> Reported:
    evidence = Evidence(
        source=Source.REPLY,
        transaction="order-1",
        command=operation.command,
        outcome=Outcome.SUCCEEDED,
    )
    return Reported(NOW, operation.id, Outcome.SUCCEEDED, evidence)


MACHINE = compile_lifecycle(load_shipped("one_time"))


class Model:
    """What a bare trigger moves."""


def bare_trigger() -> Callable[[], object]:
    """A trigger of `transitions` with one condition; there and back, so two of them."""
    model = Model()
    one = {"conditions": [lambda: True]}
    TransitionsMachine(
        model,
        states=["authorized", "captured"],
        initial="authorized",
        auto_transitions=False,
        transitions=[
            {"trigger": "capture", "source": "authorized", "dest": "captured", **one},
            {"trigger": "back", "source": "captured", "dest": "authorized", **one},
        ],
    )

    def there_and_back() -> None:
        model.capture()
        model.back()

    return there_and_back


def test_decide_and_evolve_against_a_bare_trigger(benchmark):
    authorized, after = captured()
    capture = Command("capture", "order-1", key="3", amount=500)
    refund = Command("refund", "order-1", key="4", amount=500)

    def both() -> None:
        for transaction, command in ((authorized, capture), (after, refund)):
            operation = decide(MACHINE, transaction, command, NOW)
            evolve(MACHINE, transaction, Begun(NOW, operation))

    ratio(benchmark, both, bare_trigger(), rounds=30, times=1000)


def test_decide_begin_and_resolve_against_a_bare_trigger(benchmark):
    authorized, after = captured()
    capture = Command("capture", "order-1", key="3", amount=500)
    refund = Command("refund", "order-1", key="4", amount=500)

    def both() -> None:
        for transaction, command in ((authorized, capture), (after, refund)):
            operation = decide(MACHINE, transaction, command, NOW)
            begun = evolve(MACHINE, transaction, Begun(NOW, operation))
            evolve(MACHINE, begun, succeeded(operation))

    ratio(benchmark, both, bare_trigger(), rounds=30, times=1000)


def refunds(store: Store) -> Callable[[], object]:
    """A refund of 1 on a captured payment, through the whole engine."""
    engine = Engine(
        adapters=[ADAPTER], store=store, transport=Recorded(), clock=lambda: NOW
    )
    keys = count()
    engine.execute(
        Command("authorize", "order-1", key="a", lifecycle="one_time", amount=10**7)
    )
    resolve_opening(engine)
    engine.execute(Command("capture", "order-1", key="c"))

    def refund() -> None:
        answer = engine.execute(
            Command("refund", "order-1", key=f"k{next(keys)}", amount=1)
        )
        assert answer.status is Status.SUCCEEDED

    return refund


def resolve_opening(engine: Engine) -> None:
    """Say what the consumer's approval would: a signed notification."""
    import hashlib
    import hmac

    body = (
        b"numberOfNotify=1&pushTime=20260101090000&pushId=1&orderId0000=order-1"
        b"&vResultCode0000=A001000000000000&txnType0000=Authorize&mstatus0000=success"
        b"&dummy0000=0"
    )
    digest = hmac.new(bytes.fromhex(KEY), body, hashlib.sha256).hexdigest()
    head = f"h=HmacSHA256;s=A100000000000000000000cc;v={digest}"
    engine.receive_notification({"Content-Hmac": head}, body)


def refunds_by(hand: Any) -> Callable[[], object]:
    """The same refund by the hand-written rival."""
    keys = count()

    def refund() -> None:
        assert hand.refund(f"k{next(keys)}", 1) == "succeeded"

    return refund


def test_a_whole_command_on_the_memory_store(benchmark, by_hand):
    with closing(by_hand(":memory:", ADAPTER, reply("order-1"))) as hand:
        ours = refunds(MemoryStore())
        ratio(benchmark, ours, refunds_by(hand), rounds=30, times=200)


def test_a_durable_command_on_sqlite(benchmark, by_hand, tmp_path):
    file = tmp_path / "hand.db"
    with (
        closing(by_hand(file, ADAPTER, reply("order-1"))) as hand,
        closing(SQLiteStore(tmp_path / "ours.db")) as store,
    ):
        ratio(benchmark, refunds(store), refunds_by(hand), rounds=40, times=50)
