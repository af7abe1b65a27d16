"""An order system that runs a story: it asks, and records the answers."""

import asyncio

import attrs

from breakage.gateway import adapter
from breakage.story import BEYOND, Approve, Complete, Deliver, Do, Recover, Sweep, Wait
from kessai import AsyncEngine, Engine, Missing, Recovery
from kessai.errors import KessaiError, SafeToResend

RESEND = Recovery(missing=Missing.RESEND)


@attrs.frozen
class Acknowledged:
    """An answer, and the place in the trail that shows it."""

    key: str
    status: str
    transaction: str
    version: int
    head: str
    may_send_again: bool


class Unresolved(KessaiError):
    """What came of an operation is still not known."""


class Wire:
    """The engine's transport to the gateway."""

    def __init__(self, gateway):
        self._gateway = gateway

    def send(self, request):
        return self._gateway.send(request)

    def close(self):
        pass


class AsyncWire(Wire):
    async def send(self, request):
        return super().send(request)

    async def close(self):
        pass


class Player:
    """One engine, driven synchronously or not, and a gateway to play with.

    `failed` has every step that failed, the key it was asked for under, and the error.
    """

    def __init__(self, store, gateway, drives="sync", *, attempts=3):
        self.gateway = gateway
        self.clock = gateway.clock
        self.failed = []
        self._attempts = attempts
        self._waits = drives == "async"
        kind, wire = (AsyncEngine, AsyncWire) if self._waits else (Engine, Wire)
        self.engine = kind(
            adapter=adapter(), store=store, transport=wire(gateway), clock=self.clock
        )

    def call(self, name, *arguments):
        found = getattr(self.engine, name)(*arguments)
        return asyncio.run(found) if self._waits else found

    def play(self, steps):
        """Step by step, up to the first that fails for good."""
        for number, step in enumerate(steps):
            if not self.take(number, step):
                return

    def take(self, number, step):
        """One step, again where the engine's error allows that."""
        key = step.command.key if isinstance(step, Do) else ""
        may_change = True
        for attempt in range(self._attempts):
            self.gateway.asks(number, key)
            try:
                answer = self._once(step, key)
            except KessaiError as error:
                self.failed.append((number, key, error))
                may_change = may_change and isinstance(error, SafeToResend)
                if may_change and key:
                    # The harshest reading of "nothing was sent and nothing changed".
                    key = f"{key}-{attempt}"
            else:
                self.gateway.was_answered(number, answer)
                return True
        return False

    def _once(self, step, key):
        match step:
            case Do():
                return self._do(step, key)
            case Deliver():
                self.deliver()
            case Recover():
                self._recover_all()
            case Sweep(order):
                self.call("sweep", order)
            case _:
                self._meanwhile(step)
        return None

    def _meanwhile(self, step):
        """What others do."""
        match step:
            case Approve(order):
                self.gateway.approve(order)
            case Complete(order):
                self.gateway.complete(order)
            case Wait(span):
                self.clock.now += span

    def _do(self, step, key):
        if step.fault is not None:
            self.gateway.befall(step.command.name, step.fault)
        answer = self.ask(attrs.evolve(step.command, key=key))
        if answer.status == "unknown" and step.fault is None:
            try:
                self._recover_all()
            except SafeToResend as error:  # about the recovery, not the command
                raise Unresolved from error
        return answer

    def _recover_all(self):
        """Recover until nothing is open: a recovery that failed keeps its lease a while.

        Raises:
            Unsettled: something stays open; nothing else should be asked for yet.

        """
        for _ in range(self._attempts):
            self.recover(RESEND)
            if not any(t.operations for t in self.engine.store.transactions()):
                return
            self.clock.now += BEYOND.span
        raise Unresolved

    def ask(self, command):
        answer = self.call("execute", command)
        transaction = answer.transaction
        return Acknowledged(
            command.key,
            answer.status.value,
            transaction.id,
            transaction.version,
            transaction.head,
            answer.may_send_again,
        )

    def deliver(self):
        for notification in self.gateway.waiting():
            self.call("receive_notification", notification.headers, notification.body)
            self.gateway.answer(notification.number)

    def recover(self, recovery):
        self.call("recover", recovery)

    def close(self):
        closing = self.engine.close()
        if self._waits:
            asyncio.run(closing)
