"""The demo's story: real commands through a real engine, scene by scene.

What happens is data of the gateway's own package: a step each, played in order. Nothing here is printed and no outcome is assumed: each scene holds what the engine
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
import msgspec

from kessai.audit import Report, verify
from kessai.cli.terminal.gateways import LocalGateway, local_gateway
from kessai.cli.terminal.options import FIRST_GATEWAY
from kessai.machine import Command, Denial, Machine, Possibility, Transaction
from kessai.money import Currency
from kessai.shell import Engine
from kessai.simulator.gateway import differences
from kessai.stores import SQLiteStore, Store, StoreWarning

_BEGIN = datetime(2024, 4, 1, 9, tzinfo=UTC)
_AMOUNTS = ("authorized", "captured", "released", "refunded", "refunding")


class DemoStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is to happen: a command, an act of the consumer, or an inquiry.

    `chapter` groups steps, `note` names a text of the demo's table. `days` pass before;
    `fault` is what the gateway's next exchange suffers. All steps have one currency; it
    is named where a lifecycle has several.
    """

    chapter: str
    note: str
    transaction: str
    command: str = ""
    consumer: str = ""
    inquiry: bool = False
    lifecycle: str | None = None
    agreement: str | None = None
    amount: int | None = None
    currency: str | None = None
    parameters: dict[str, Any] = {}
    days: int = 0
    fault: str = ""


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
    currency: Currency | None

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
    """An engine on a database, a gateway in this process, and time to pass."""

    def __init__(self, store: Store, gateway: str) -> None:
        self.clock = _Clock()
        self.local: LocalGateway = local_gateway(
            self.clock, approve="ask", name=gateway
        )
        self.played = self.local.played()
        self.steps = msgspec.convert(self.local.story(), list[DemoStep])
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=store,
            transport=self.local.transport,
            clock=self.clock,
        )
        self._machines = {machine.name: machine for machine in self.engine.machines}

    def play(self, step: DemoStep) -> Scene:
        """Have a step happen; what came of it."""
        self.clock.pass_by(days=step.days)
        if step.fault:
            self.local.emulator.misbehave(step.fault)
        if step.command:
            return self._ask(step)
        return self._inquire(step) if step.inquiry else self._consumer(step)

    def _ask(self, step: DemoStep) -> Scene:
        self.clock.pass_by(minutes=1)
        name, tx, amount = step.command, step.transaction, step.amount
        command = Command(
            name,
            tx,
            key=f"{tx}/{name}/{self.clock.now:%m%d%H%M}",
            lifecycle=step.lifecycle,
            agreement=step.agreement,
            amount=amount,
            currency=step.currency,
            parameters=step.parameters,
        )
        if amount is None:
            amount = self._default(name, tx)
        answer = self.engine.execute(command)
        after = answer.transaction
        can = self.engine.can(after.id) if answer.denial and after.exists else ()
        return self._scene(
            step,
            name,
            after,
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

    def _consumer(self, step: DemoStep) -> Scene:
        """The consumer acts; what they come back with, and notifications, are sent on."""
        self.clock.pass_by(minutes=2)
        tx, command = step.transaction, self._open_command(step)
        if not self.played.consumer(tx, step.consumer):
            message = f"the demo's consumer cannot {step.consumer} {tx}"
            raise AssertionError(message)
        if brought := self.played.brought(tx):
            self.engine.resume(tx, brought)
        for notice in self.played.take_notifications():
            self.engine.receive_notification(notice.headers, notice.body)
        return self._seen(step, "notification", command)

    def _inquire(self, step: DemoStep) -> Scene:
        """The engine asks the gateway what became of an open operation."""
        self.clock.pass_by(minutes=3)
        command = self._open_command(step)
        self.engine.recover_transaction(step.transaction)
        return self._seen(step, "inquiry", command)

    def _open_command(self, step: DemoStep) -> str:
        """The command that the transaction's open operation carries out."""
        operations = self.engine.transaction(step.transaction).operations
        return next(iter(operations.values())).command

    def machine(self, transaction: Transaction, command: str) -> Machine:
        """The transaction's machine, or the one under which `command` begins it."""
        if transaction.exists:
            return self._machines[transaction.lifecycle]
        return next(m for m in self._machines.values() if command in m.commands)

    def close(self) -> None:
        """Let go of the database and of the gateway."""
        self.engine.close()
        self.local.close()

    def _seen(self, step: DemoStep, what: str, command: str) -> Scene:
        """What evidence made of a transaction; still open if it resolved nothing."""
        after = self.engine.transaction(step.transaction)
        return self._scene(
            step,
            command,
            after,
            what=what,
            status="pending" if after.operations else "succeeded",
        )

    def _scene(
        self, step: DemoStep, command: str, after: Transaction, **seen: Any
    ) -> Scene:
        machine = self.machine(after, command)
        is_flow = seen["what"] == "notification"
        rule = rule_of(machine, machine.commands[command].spec.rule, is_flow)
        return Scene(
            chapter=step.chapter,
            note=step.note,
            rule=rule,
            after=after,
            machine=machine,
            **seen,
        )


def rule_of(machine: Machine, rules: str, is_flow: bool = False) -> str:  # noqa: FBT001, FBT002
    """Of a declared list of rules, the one that speaks of this kind of payment."""
    prefix = "F" if is_flow else "O" if machine.name == "one_time" else "R"
    listed = rules.split(", ")
    return next((rule for rule in listed if rule.startswith(prefix)), listed[0])


@contextmanager
def opened_stage(gateway: str = FIRST_GATEWAY) -> Iterator[DemoStage]:
    """A stage on a database that is gone afterwards."""
    with TemporaryDirectory(prefix="kessai-demo-") as directory:
        with warnings.catch_warnings():
            # It warns of several processes on one file; this file has one, and dies.
            warnings.simplefilter("ignore", StoreWarning)
            store = SQLiteStore(Path(directory) / "demo.db")
        stage = DemoStage(store, gateway)
        try:
            yield stage
        finally:
            stage.close()


def story(stage: DemoStage) -> Iterator[Scene]:
    """Everything that happens, in order."""
    return map(stage.play, stage.steps)


def proof(stage: DemoStage) -> TrailCheck:
    """The trail verified, and the gateway's own books laid beside it."""
    store, played = stage.engine.store, stage.played
    standing = [found for found in store.transactions() if found.exists]
    differing = [
        f"{found.id}: {line}"
        for found in standing
        for line in differences(found, played.booked(found.id))
    ]
    if len(played.orders()) != len(standing):
        differing.append(f"{len(played.orders())} orders, not {len(standing)}")
    first = standing[0]
    return TrailCheck(
        report=verify(store),
        differences=tuple(differing),
        totals={
            name: sum(t.amounts.get(name, 0) for t in standing) for name in _AMOUNTS
        },
        currency=stage.machine(first, "").lifecycle.currency(first.currency),
    )
