"""A shop with an observer, on an emulator whose replies can be lost."""

import asyncio
from datetime import UTC, datetime, timedelta

from kessai import AsyncEngine, Command, Engine, Failure, MemoryStore
from kessai_adapters.veritrans4g.local import LocalGateway


class Clock:
    """A clock moved by hand."""

    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self):
        return self.now

    def passes(self, **time):
        self.now += timedelta(**time)


class Wire:
    """The way to the emulator; what is in `instead` comes back in place of a reply."""

    def __init__(self, transport, kind):
        self._transport, self._kind, self.instead = transport, kind, []

    def send(self, request):
        return self._later(request) if self._kind == "async" else self._now(request)

    def _now(self, request):
        reply = self._transport.send(request)
        return self.instead.pop(0) if self.instead else reply

    async def _later(self, request):
        await asyncio.sleep(0)
        return self._now(request)

    def close(self):
        return asyncio.sleep(0) if self._kind == "async" else None


class Shop:
    """`Engine` or `AsyncEngine` with an observer."""

    def __init__(self, kind, observer):
        self.clock, self.store = Clock(), MemoryStore()
        gateway = LocalGateway(clock=self.clock)
        self.wire = Wire(gateway.transport, kind)
        made = AsyncEngine if kind == "async" else Engine
        self.engine = made(
            adapters=[gateway.adapter],
            store=self.store,
            transport=self.wire,
            clock=self.clock,
            observer=observer,
        )

    def call(self, name, *given, **more):
        found = getattr(self.engine, name)(*given, **more)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    def asks(self, name, amount=None, of="order-1"):
        lifecycle = "one_time" if name == "authorize" else None
        command = Command(
            name, of, key=f"{of} {name}", lifecycle=lifecycle, amount=amount
        )
        return self.call("execute", command)

    def loses_its_reply(self, name, amount=None, of="order-1"):
        self.wire.instead = [Failure(sent=True, reason="ReadTimeout")]
        return self.asks(name, amount, of)
