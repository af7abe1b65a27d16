"""What evidence costs on a long trail, and by a long list, in CPU time.

    uv run pytest tests/benchmarks/bench_evidence.py

A item is taken in on a payment with 40 events and on one with 10,000. Nothing
is written, so that each round finds the same. An inquiry lists refunds of which the
trail knows nothing; its exponent is the slope from 100 to 800 on a double logarithm:
1 is linear.
"""

import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import log
from time import process_time
from typing import Any

import attrs
import pytest

from kessai import MemoryStore
from kessai.driver import ask_store
from kessai.evidence.outcome import resolve
from kessai.flow import Change, Context, Flow, Now, Send, inquire, receive
from kessai.gateway import (
    Call,
    Evidence,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Request,
    Source,
)
from kessai.machine import (
    Begun,
    Command,
    Denial,
    Denied,
    Event,
    Machines,
    Operation,
    Transaction,
    append,
    decide,
)
from kessai.spec import load_shipped

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MACHINES = Machines([load_shipped("one_time")])
(MACHINE,) = MACHINES.current
SIZES = (100, 200, 400, 800)
ROUNDS = 7
FIGURES: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _tell() -> Iterator[None]:
    yield
    print("\n\nevidence:")  # noqa: T201 - its purpose
    for line in FIGURES:
        print(f"  {line}")  # noqa: T201 - its purpose


class Listing:
    """A gateway that lists what it is given."""

    name = "listing"

    def __init__(self, *listing: ListedExchange) -> None:
        self.listing = listing

    def request(self, call: Call) -> Request:
        return Request(method="POST", url=f"https://gateway.example/{call.command}")

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        del reply
        return Evidence(
            source=Source.INQUIRY,
            transaction=call.transaction,
            command=None,
            outcome=Outcome.SUCCEEDED,
            listing=self.listing,
        )

    def notification(self, headers: Any, body: bytes) -> tuple[Evidence, ...]:
        raise NotImplementedError


class Unmoved(MemoryStore):
    """A store that takes every change and writes none, once it is `ready`."""

    ready = False

    def append(self, change: Change) -> None:
        if not self.ready:
            super().append(change)


@attrs.define
class Payment:
    """One payment in the making, and its trail."""

    store: Unmoved = attrs.field(factory=Unmoved)
    transaction: Transaction = attrs.field(factory=lambda: Transaction("order-1"))

    def append(self, event: Event) -> None:
        self.transaction, record = append(MACHINE, self.transaction, event)
        self.store.append(Change(transaction=self.transaction, records=(record,)))

    def begin(self, name: str, amount: int) -> Operation:
        key = f"key-{self.transaction.version}"
        command = Command(name, "order-1", key=key, amount=amount)
        operation = decide(MACHINE, self.transaction, command, NOW)
        assert isinstance(operation, Operation)
        opens = ("payment",) if name == "authorize" else ()
        account = Listing.name if opens else None
        self.append(Begun(NOW, operation, None, opens, account=account))
        return operation

    def report(self, operation: Operation, outcome: Outcome, **more: Any) -> None:
        evidence = stated(operation.command, operation.amount, outcome, **more)
        current = self.transaction.operations[operation.id]
        event = resolve(MACHINE, self.transaction, current, evidence, NOW)
        assert event is not None
        self.append(event)

    def succeed(self, name: str, amount: int, **more: Any) -> None:
        self.report(self.begin(name, amount), Outcome.SUCCEEDED, **more)

    def grow(self, events: int) -> None:
        """Refuse attempts until the trail has that many events."""
        command = Command("refund", "order-1", key="early", amount=1)
        denial = decide(MACHINE, self.transaction, command, NOW)
        assert isinstance(denial, Denial)
        refused = Denied(NOW, "refund", "early", command.fingerprint, denial.reasons, 1)
        while self.transaction.version < events:
            self.append(refused)


def stated(
    command: str,
    amount: int | None,
    outcome: Outcome = Outcome.SUCCEEDED,
    **more: Any,
) -> Evidence:
    given: dict[str, Any] = {
        "source": Source.REPLY,
        "transaction": "order-1",
        **more,
    }
    return Evidence(command=command, outcome=outcome, amount=amount, **given)


def drive(store: Unmoved, flow: Flow[Any]) -> Any:
    """Drive `flow` on `store`; the gateway answers at once."""
    result: Any = None
    while True:
        try:
            effect = flow.send(result)
        except StopIteration as stop:
            return stop.value
        if isinstance(effect, Now):
            result = NOW
        elif isinstance(effect, Send):
            result = Reply(status=200)
        else:
            result = ask_store(store, effect)


def seconds(work: Callable[[], object], times: int) -> float:
    begin = process_time()
    for _ in range(times):
        work()
    return (process_time() - begin) / times


# ── a item on a long trail ──────────────────────────────────────────────────


def first(payment: Payment) -> Evidence:
    """It ends the only operation that can be meant."""
    payment.begin("capture", 60)
    return stated("capture", 60, source=Source.NOTIFICATION, exchange="p-1")


def repeated(payment: Payment) -> Evidence:
    """It comes once more."""
    payment.succeed("capture", 60, source=Source.NOTIFICATION, exchange="p-1")
    return stated("capture", 60, source=Source.NOTIFICATION, exchange="p-1")


def later(payment: Payment) -> Evidence:
    """It is a reason for an inquiry, which lists three exchanges."""
    payment.succeed("capture", 100)
    payment.begin("refund", 10)
    payment.succeed("refund", 20)
    return stated("refund", 10, source=Source.NOTIFICATION, exchange="p-1")


LISTED = tuple(
    ListedExchange(command=command, outcome=Outcome.SUCCEEDED, amount=amount)
    for command, amount in (
        ("authorize", 100), ("capture", 100), ("refund", 20), ("refund", 10)
    )
)  # fmt: skip


def cost(case: Callable[[Payment], Evidence], events: int) -> float:
    """The seconds that a item takes on a trail of so many `events`."""
    payment = Payment()
    payment.succeed("authorize", 100)
    payment.grow(events - 4)
    evidence = case(payment)
    payment.store.ready = True
    context = Context(machines=MACHINES, adapters=[Listing(*LISTED)])
    return seconds(
        lambda: drive(payment.store, receive(context, context.accounts[0], evidence)),
        20,
    )


@pytest.mark.parametrize("case", [first, repeated, later])
def test_a_notification_on_a_long_trail(case: Callable[[Payment], Evidence]) -> None:
    pairs = [(cost(case, 10_000), cost(case, 40)) for _ in range(ROUNDS)]
    ratio = statistics.median(long / short for long, short in pairs)
    micros = statistics.median(long for long, _ in pairs) * 1e6
    FIGURES.append(
        f"item, {case.__name__}: 10,000 events / 40: {ratio:.2f} ({micros:.0f} µs)"
    )
    assert ratio <= 2


# ── an inquiry that lists much that is new ──────────────────────────────────────────


def from_outside(payment: Payment, count: int) -> list[int]:
    """Refunds in the gateway's portal, no two of the same amount."""
    del payment
    return list(range(1, count + 1))


def all_alike(payment: Payment, count: int) -> list[int]:
    """Refunds in the portal, all of the same amount."""
    del payment
    return [1] * count


def of_ours(payment: Payment, count: int) -> list[int]:
    """Refunds of ours whose replies were lost, no two of the same amount."""
    amounts = list(range(1, count + 1))
    for operation in [payment.begin("refund", amount) for amount in amounts]:
        payment.report(operation, Outcome.UNKNOWN)
    return amounts


def of_ours_alike(payment: Payment, count: int) -> list[int]:
    """Refunds of ours whose replies were lost, all of the same amount."""
    for operation in [payment.begin("refund", 1) for _ in range(count)]:
        payment.report(operation, Outcome.UNKNOWN)
    return [1] * count


def inquiry(case: Callable[[Payment, int], list[int]], count: int) -> float:
    payment = Payment()
    payment.succeed("authorize", 10_000_000)
    payment.succeed("capture", 10_000_000)
    listing = [
        ListedExchange(
            command="refund",
            outcome=Outcome.SUCCEEDED,
            amount=amount,
            exchange=f"e-{place}",
        )
        for place, amount in enumerate(case(payment, count))
    ]
    payment.store.ready = True
    context = Context(machines=MACHINES, adapters=[Listing(*listing)])
    found: list[Any] = []
    took = seconds(
        lambda: found.append(drive(payment.store, inquire(context, "order-1"))), 1
    )
    assert len(found[0].events) == count
    return took


@pytest.mark.parametrize("case", [from_outside, all_alike, of_ours, of_ours_alike])
def test_an_inquiry_that_lists_much(case: Callable[[Payment, int], list[int]]) -> None:
    took = [min(inquiry(case, size) for _ in range(3)) for size in SIZES]
    exponent = log(took[-1] / took[0]) / log(SIZES[-1] / SIZES[0])
    times = ", ".join(
        f"{size}: {s * 1e3:.0f} ms" for size, s in zip(SIZES, took, strict=True)
    )
    FIGURES.append(f"inquiry, {case.__name__}: exponent {exponent:.2f} ({times})")
    if case is from_outside:
        assert exponent < 1.3
