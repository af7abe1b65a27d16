"""The demo's story: real commands through a real engine, scene by scene.

Nothing here is printed and no outcome is assumed: each scene holds what the engine
answered. `kessai.cli.demo.narration` puts them into words.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from kessai.audit import Report, verify
from kessai.cli.terminal.gateways import LocalGateway, local_gateway
from kessai.machine import Command, Denial, Machine, Possibility, Transaction
from kessai.shell import Engine
from kessai.stores import SQLiteStore, Store, StoreWarning

ORDER = "order-1001"
PLAN = "plan-7"
NOTIFICATION_URL = "https://shop.example/notified"
"""Where the gateway would send notifications; here they are carried by hand."""

_BEGIN = datetime(2024, 4, 1, 9, tzinfo=UTC)
_MONTHLY = {"unit": "Month", "value": 1}
_AMOUNTS = ("authorized", "captured", "released", "refunded", "refunding")


@attrs.frozen(kw_only=True)
class Scene:
    """One thing that happened, and how the transaction stands after it.

    `what` is a command, `notification` or `inquiry`; `amount` is the operation's.
    """

    chapter: str
    note: str
    what: str
    rule: str
    status: str
    after: Transaction
    machine: Machine
    amount: int | None = None
    denial: Denial | None = None
    possible: tuple[Possibility, ...] = ()


@attrs.frozen(kw_only=True)
class TrailCheck:
    """Whether the trail holds, and where the gateway's books differ."""

    report: Report
    differences: tuple[str, ...]
    totals: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        """Whether everything agrees with everything."""
        return self.report.holds and not self.differences


class _Clock:
    def __init__(self) -> None:
        self.now = _BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class DemoStage:
    """An engine on a database, its gateway in this process, and time to pass."""

    def __init__(self, store: Store) -> None:
        self.clock = _Clock()
        self.local: LocalGateway = local_gateway(self.clock, approve="ask")
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=store,
            transport=self.local.transport,
            clock=self.clock,
        )
        self._machines = {machine.name: machine for machine in self.engine.machines}

    def ask(self, chapter: str, note: str, name: str, tx: str, **what: Any) -> Scene:
        """Have a command carried out; what came of it."""
        self.clock.pass_by(minutes=1)
        key = f"{tx}/{name}/{self.clock.now:%m%d%H%M}"
        amount = what["amount"] if "amount" in what else self._default(name, tx)
        answer = self.engine.execute(Command(name, tx, key=key, **what))
        after = answer.transaction
        can = self.engine.can(after.id) if answer.denial and after.exists else ()
        return self._scene(
            name,
            after,
            chapter=chapter,
            note=note,
            what=name,
            status=answer.status.value,
            amount=amount,
            denial=answer.denial,
            possible=tuple(found for found in can if found.is_allowed),
        )

    def _default(self, name: str, tx: str) -> int | None:
        """The amount that a command without one takes, as it will be asked for."""
        bounds = self.engine.can(tx, name)[0].bounds
        return None if bounds is None else bounds.default

    def approve(self, chapter: str, note: str, tx: str) -> Scene:
        """Have the consumer approve; give the gateway's notification to the engine."""
        self.clock.pass_by(minutes=2)
        self.local.emulator.consumer.approve(tx)
        for notification in self.local.emulator.take_notifications():
            self.engine.receive_notification(notification.headers, notification.body)
        return self._seen(chapter, note, "notification", "authorize", tx)

    def inquire(self, chapter: str, note: str, tx: str) -> Scene:
        """Have the engine ask the gateway what became of an open refund."""
        self.clock.pass_by(minutes=3)
        self.engine.recover_transaction(tx)
        return self._seen(chapter, note, "inquiry", "refund", tx)

    def _machine(self, transaction: Transaction, command: str) -> Machine:
        """The transaction's machine, or the one under which `command` begins it."""
        if transaction.exists:
            return self._machines[transaction.lifecycle]
        return next(m for m in self._machines.values() if command in m.commands)

    def close(self) -> None:
        """Let go of the database and of the gateway."""
        self.engine.close()
        self.local.close()

    def _seen(self, chapter: str, note: str, what: str, command: str, tx: str) -> Scene:
        """What evidence made of a transaction; still open if it resolved nothing."""
        after = self.engine.transaction(tx)
        return self._scene(
            command,
            after,
            chapter=chapter,
            note=note,
            what=what,
            status="pending" if after.operations else "succeeded",
        )

    def _scene(self, command: str, after: Transaction, **seen: Any) -> Scene:
        machine = self._machine(after, command)
        is_flow = seen["what"] == "notification"
        rule = rule_of(machine, machine.commands[command].spec.rule, is_flow)
        return Scene(rule=rule, after=after, machine=machine, **seen)


def rule_of(machine: Machine, rules: str, is_flow: bool = False) -> str:  # noqa: FBT001, FBT002
    """Of a declared list of rules, the one that speaks of this kind of payment."""
    prefix = "F" if is_flow else "O" if machine.name == "one_time" else "R"
    listed = rules.split(", ")
    return next((rule for rule in listed if rule.startswith(prefix)), listed[0])


@contextmanager
def opened_stage() -> Iterator[DemoStage]:
    """A stage on a database that is gone afterwards."""
    with TemporaryDirectory(prefix="kessai-demo-") as directory:
        with warnings.catch_warnings():
            # It warns of several processes on one file; this file has one, and dies.
            warnings.simplefilter("ignore", StoreWarning)
            store = SQLiteStore(Path(directory) / "demo.db")
        stage = DemoStage(store)
        try:
            yield stage
        finally:
            stage.close()


def story(stage: DemoStage) -> Iterator[Scene]:
    """Everything that happens, in order."""
    yield from _one_time(stage)
    stage.clock.pass_by(days=1)
    yield from _recurring(stage)


def _one_time(stage: DemoStage) -> Iterator[Scene]:
    def ask(note: str, name: str, **what: Any) -> Scene:
        return stage.ask("one_time", note, name, ORDER, **what)

    where = {"authorize_notification_url": NOTIFICATION_URL}
    yield ask(
        "applied", "authorize", lifecycle="one_time", amount=12_000, parameters=where
    )
    yield stage.approve("one_time", "approved", ORDER)
    yield ask("captured_in_part", "capture", amount=9_800)
    stage.local.emulator.misbehave("lose_reply", command="Refund")
    yield ask("reply_lost", "refund", amount=4_000)
    yield ask("captured_once", "capture", amount=2_200)
    yield stage.inquire("one_time", "looked_up", ORDER)
    yield ask("refunded_more", "refund", amount=5_000)
    yield ask("refunded_rest", "refund")


def _recurring(stage: DemoStage) -> Iterator[Scene]:
    def ask(note: str, name: str, tx: str = PLAN, **what: Any) -> Scene:
        return stage.ask("recurring", note, name, tx, **what)

    terms = {
        "frequency": _MONTHLY,
        "with_capture": True,
        "authorize_notification_url": NOTIFICATION_URL,
    }
    yield ask(
        "applied_for_consent",
        "authorize",
        lifecycle="recurring",
        amount=3_000,
        parameters=terms,
    )
    yield stage.approve("recurring", "consented", PLAN)
    stage.clock.pass_by(days=30)
    second, third = f"{PLAN}-2", f"{PLAN}-3"
    yield ask("charged", "reauthorize", second, agreement=PLAN, amount=3_000)
    yield ask("captured_charge", "capture", second)
    frequency = {"frequency": _MONTHLY}
    yield ask("updated", "update_consent", amount=4_500, parameters=frequency)
    yield ask("terminated", "terminate")
    yield ask("no_consent", "reauthorize", third, agreement=PLAN, amount=4_500)


def proof(stage: DemoStage) -> TrailCheck:
    """The trail verified, and the gateway's own books laid beside it."""
    store = stage.engine.store
    books = stage.local.emulator.books
    standing = [found for found in store.transactions() if found.exists]
    differences = [line for found in standing for line in _differing(found, books)]
    if len(books) != len(standing):
        differences.append(f"{len(books)} orders, not {len(standing)}")
    return TrailCheck(
        report=verify(store),
        differences=tuple(differences),
        totals={name: sum(t.amounts[name] for t in standing) for name in _AMOUNTS},
    )


def _differing(transaction: Transaction, books: Any) -> Iterator[str]:
    """Where the gateway's order is not what the engine believes."""
    if transaction.id not in books:
        yield f"{transaction.id}: the gateway has no such order"
        return
    order = books[transaction.id]
    ours: dict[str, object] = {
        "payment": transaction.states.get("payment", "none"),
        "consent": transaction.states.get("consent"),
        **{name: transaction.amounts[name] for name in _AMOUNTS},
    }
    for name, value in ours.items():
        theirs = getattr(order, name)
        if theirs != value:
            yield f"{transaction.id}: {name} is {value}, and {theirs} at the gateway"
