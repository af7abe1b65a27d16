"""A gateway of plain JSON, a clock moved by hand, and three ways to drive a flow.

`hand` performs effect by effect and writes them down; `shop` is `Engine` and then
`AsyncEngine`, so that every test is of both.
"""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import AsyncEngine, Command, Engine, FlowRun, MemoryStore, load_shipped
from kessai.audit.verification.verify import verify
from kessai.errors import InvalidInput, KessaiError, NotificationRefused
from kessai.flow import (
    Append,
    Claim,
    Context,
    Declaration,
    Find,
    History,
    Load,
    Now,
    Release,
    Scrub,
    Send,
    execute,
)
from kessai.gateway import (
    INQUIRY,
    Adapter,
    Evidence,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Request,
)
from kessai.gateway import Source as From
from kessai.machine import Machines, read_events

SHIPPED = ("one_time", "recurring", "charge")
MONTHLY = {"unit": "Month", "value": 1}


class PlainAdapter:
    """Speaks JSON; a note `unbuildable` cannot be said in it."""

    name = "plain"

    def request(self, call):
        if call.parameters.get("note") == "unbuildable":
            message = "note: cannot be said to this gateway"
            raise InvalidInput(message)
        body = {
            "command": call.command,
            "transaction": call.transaction,
            "operation": call.operation,
            "amount": call.amount,
            "agreement": call.agreement,
            "parameters": dict(call.parameters),
            "key": call.seed and call.key(),
        }
        return Request(method="POST", url="plain:", body=json.dumps(body).encode())

    def evidence(self, call, reply):
        source = From.INQUIRY if call.command == INQUIRY else From.REPLY
        stated = {"command": None if call.command == INQUIRY else call.command}
        if isinstance(reply, Failure):
            never_sent = not reply.sent and call.command != INQUIRY
            stated["outcome"] = "declined" if never_sent else "unknown"
            stated["never_sent"] = not reply.sent
        else:
            stated |= json.loads(reply.body)
        return evidence(stated, source, call.transaction)

    def notification(self, headers, body):
        if headers.get("from") != "plain":
            message = "not from the gateway"
            raise NotificationRefused(message)
        return tuple(evidence(stated, From.NOTIFICATION) for stated in json.loads(body))


class Scripted(Adapter):
    """Does what its test wrote: a generator function for each command.

    An inquiry lists nothing, and asks nothing, unless the test wants otherwise.
    """

    name = "scripted"
    account = "shop-1/test"
    replays = None

    def __init__(self):
        self.exchanges = {INQUIRY: self.asks_nothing}
        self.heard = None
        self.signs = lambda request, at, nonce: request

    def exchange(self, call):
        return self.exchanges[call.command](call)

    def received(self, notification):
        return self.heard(notification)

    def seal(self, request, at, nonce):
        return self.signs(request, at, nonce)

    def asks_nothing(self, call):
        yield from ()
        return self.says(call, "unknown")

    def once(self, command, outcome="succeeded", **more):
        """One request, and this is what came of it."""

        def exchange(call):
            yield self.ask(call)
            return self.says(call, outcome, **more)

        self.exchanges[command] = exchange

    def ask(self, call, step=""):
        return Request(
            method="POST",
            url=f"scripted:{call.command}/{step}",
            headers=(("Key", call.key(step) if call.seed else ""),),
            body=json.dumps(dict(call.references)).encode(),
        )

    def says(self, call, outcome="succeeded", **more):
        inquires = call.command == INQUIRY
        return Evidence(
            source=From.INQUIRY if inquires else From.REPLY,
            transaction=call.transaction,
            command=None if inquires else call.command,
            outcome=Outcome(outcome),
            **more,
        )


class Wire:
    """Answers what is sent by its script, in turn, and with an empty reply after it."""

    def __init__(self):
        self.sent = []
        self.answers = []

    def send(self, request):
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else Reply(status=200)
        answer = answer() if callable(answer) else answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def urls(self):
        return [request.url.removeprefix("scripted:") for request in self.sent]

    @property
    def keys(self):
        return [dict(request.headers)["Key"] for request in self.sent]


def evidence(stated, source, transaction=""):
    stated = dict(stated)
    listing = tuple(
        ListedExchange(
            command=name,
            outcome=Outcome(outcome),
            amount=amount,
            exchange=exchange[0] if exchange else None,
        )
        for name, outcome, amount, *exchange in stated.pop("listing", ())
    )
    return Evidence(
        source=source,
        transaction=stated.pop("transaction", transaction),
        command=stated.pop("command", None),
        outcome=Outcome(stated.pop("outcome", "succeeded")),
        listing=listing,
        **stated,
    )


class Gateway:
    """Does what it is asked and lists it, unless the next answers say otherwise.

    `answers` are taken in turn by what is sent: a dict is said, a `Failure` is one,
    an exception is raised, a function is called with the request. What an answer says
    of an outcome is listed too; `does` is what it did without saying so.
    """

    def __init__(self):
        self.answers = []
        self.sent = []
        self.listed = {}

    def send(self, request):
        asked = json.loads(request.body)
        self.sent.append(asked)
        answer = {}
        if self.answers:
            answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(asked)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Failure):
            return answer
        return Reply(status=200, body=json.dumps(self.said(asked, answer)).encode())

    def said(self, asked, answer):
        said = {**answer}
        if asked["command"] == INQUIRY:
            said.setdefault("listing", self.listed.get(asked["transaction"], []))
            return said
        outcome = said.get("outcome", "succeeded")
        if outcome in {"succeeded", "declined"} and not said.pop("unlisted", False):
            self.does(asked, outcome)
        return said

    def does(self, asked, outcome="succeeded"):
        entry = (asked["command"], outcome, asked["amount"])
        self.listed.setdefault(asked["transaction"], []).append(entry)

    @property
    def commands(self):
        return [asked["command"] for asked in self.sent]

    def loses(self, asked):
        """Does what it is asked, and the answer is lost."""
        self.does(asked)
        return Failure(sent=True, reason="ReadTimeout")

    def interrupts(self, error):
        """Does what it is asked, and the caller is interrupted while it waits."""

        def interrupt(asked):
            self.does(asked)
            return error

        return interrupt


LOST = Failure(sent=True, reason="ReadTimeout")
NEVER_SENT = Failure(sent=False, reason="ConnectError")


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self):
        return self.now

    def passes(self, **time):
        self.now += timedelta(**time)


class Hand:
    """Drives flows by hand: `log` has the kind of every effect, `effects` all of them.

    `before` and `after` hold what to do around the effect of a number (from 0); an
    exception that is raised there leaves the flow as a signal would.
    """

    def __init__(self, store, gateway, clock):
        self.store, self.gateway, self.clock = store, gateway, clock
        lifecycles = [load_shipped(name) for name in SHIPPED]
        self.context = Context(Machines(lifecycles), [PlainAdapter()])
        self.effects = []
        self.before, self.after = {}, {}

    @property
    def log(self):
        return [type(effect).__name__ for effect in self.effects]

    def execute(self, command):
        return self.run(execute(self.context, command))

    def run(self, flow):
        self.effects = []
        run = FlowRun(flow)
        for number, effect in enumerate(run):
            self.effects.append(effect)
            try:
                self.before.get(number, list)()
                run.result = self.perform(effect)
                self.after.get(number, list)()
            except KessaiError as error:
                run.error = error
        return run.value

    def perform(self, effect):
        performers = {
            Load: self.store.load,
            Append: self.store.append,
            Now: self.clock,
            History: lambda name, denials: self.store.records(name, denials=denials),
            Declaration: self.store.declaration,
            Claim: self.store.claim,
            Release: self.store.release,
            Scrub: self.store.scrub,
            Find: lambda one: self.store.find(one.account, one.kind, one.id),
            Send: lambda request, *_: self.gateway.send(request),
        }
        fields = [getattr(effect, name) for name in type(effect).__match_args__]
        return performers[type(effect)](*fields)


class Shop:
    """An order system on an engine; `Engine` and `AsyncEngine` look the same from here."""

    def __init__(  # noqa: PLR0917 - built by name beyond the first four
        self, kind, store, gateway, clock, adapter=None, observer=None
    ):
        self.store, self.gateway, self.clock = store, gateway, clock
        self.kind = kind
        self.adapter = adapter or PlainAdapter()
        self.open(kind, store, gateway, clock, [self.adapter], observer)

    def open(  # noqa: PLR0917 - as above
        self, kind, store, gateway, clock, adapters, observer=None
    ):
        parts = {"adapters": adapters, "store": store, "clock": clock}
        parts |= {"nonces": bytes, "observer": observer}
        if kind == "async":
            self.engine = AsyncEngine(**parts, transport=Waiting(gateway))
        else:
            self.engine = Engine(**parts, transport=Plain(gateway))

    def call(self, name, *given, **more):
        found = getattr(self.engine, name)(*given, **more)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    def asks(self, name, amount=None, *, of="order-1", key=None, **given):
        return self.call("execute", asked(name, amount, of=of, key=key, **given))

    def notification(self, command, outcome="succeeded", amount=None, *, of="order-1"):
        stated = {"command": command, "outcome": outcome, "transaction": of}
        body = json.dumps([{**stated, "amount": amount}]).encode()
        return self.call("receive_notification", {"from": "plain"}, body)

    def recover(self, *given, **more):
        return self.call("recover", *given, **more)

    def transaction(self, name="order-1"):
        return self.call("transaction", name)

    @property
    def status(self):
        return self.transaction().status

    def another(self, kind=None):
        """A second engine on the same store."""
        kind = kind or self.kind
        return Shop(kind, self.store, self.gateway, self.clock, self.adapter)


class Merchant(PlainAdapter):
    """A merchant of the plain gateway, whose address says whose it is."""

    def __init__(self, account):
        self.account = account

    def request(self, call):
        return attrs.evolve(super().request(call), url=self.account)


class Street:
    """The gateways of all merchants, by the address that a request goes to."""

    def __init__(self):
        self.gateways = defaultdict(Gateway)

    def send(self, request):
        return self.gateways[request.url].send(request)

    def commands(self, account):
        return self.gateways[account].commands


class Firm(Shop):
    """An order system with the adapters of the accounts that it was given."""

    def __init__(self, store, street, clock, *accounts, kind="sync"):
        self.store, self.gateway, self.clock, self.kind = store, street, clock, kind
        adapters = [Merchant(account) for account in accounts]
        self.open(kind, store, street, clock, adapters)

    def notified(self, command, of="order-1", account=None):
        stated = {"command": command, "transaction": of, "amount": None}
        body = json.dumps([stated]).encode()
        self.call("receive_notification", {"from": "plain"}, body, account)


class Plain:
    def __init__(self, gateway):
        self.send = gateway.send

    def close(self):
        pass


class Waiting:
    def __init__(self, gateway):
        self._gateway = gateway

    async def send(self, request):
        await asyncio.sleep(0)
        return self._gateway.send(request)

    async def close(self):
        pass


def asked(name, amount=None, *, of="order-1", key=None, **given):
    """A command, with a key of its own and what it needs to be well-formed."""
    lifecycle = given.pop("lifecycle", "one_time" if name == "authorize" else None)
    agreement, account = given.pop("agreement", None), given.pop("account", None)
    if lifecycle == "recurring":
        given.setdefault("frequency", MONTHLY)
    return Command(
        name,
        of,
        key=key or f"{of} {name} {amount}",
        lifecycle=lifecycle,
        agreement=agreement,
        amount=amount,
        account=account,
        parameters=given,
    )


@pytest.fixture
def command():
    return asked


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def hand(store, gateway, clock):
    return Hand(store, gateway, clock)


@pytest.fixture(params=["sync", "async"])
def shop(request, store, gateway, clock):
    shop = Shop(request.param, store, gateway, clock)
    yield shop
    shop.call("close")


@pytest.fixture
def observed_shop(gateway, clock):
    """Opens a shop of a kind on a store, with an observer."""
    return lambda kind, store, observer: Shop(
        kind, store, gateway, clock, observer=observer
    )


@pytest.fixture
def lost():
    return LOST


@pytest.fixture
def never_sent():
    return NEVER_SENT


class Sleepy:
    """A store before whose next append the process is stopped for a while."""

    def __init__(self, store, sleep):
        self._store, self._sleep, self.is_next = store, sleep, False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, change):
        self._store.append(change)
        if self.is_next and change.is_intent:
            self.is_next = False
            self._sleep()


@pytest.fixture
def engine_with(shop):
    """A shop whose process can be stopped between an intent and its call."""

    def make(sleep):
        sleepy = Sleepy(shop.store, sleep)

        class SleepyShop(Shop):
            def __setattr__(self, name, value):
                if name == "sleeps_before_append":
                    sleepy.is_next = value
                else:
                    super().__setattr__(name, value)

        return SleepyShop(shop.kind, sleepy, shop.gateway, shop.clock)

    return make


@pytest.fixture
def scripted():
    return Scripted()


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture(params=["sync", "async"])
def market(request, store, wire, clock, scripted):
    """A shop on the scripted adapter."""
    market = Shop(request.param, store, wire, clock, scripted)
    yield market
    market.call("close")


@pytest.fixture
def events(store):
    """The events of a transaction, after the whole store was found to hold."""

    def events(name="order-1"):
        assert verify(store).holds
        return list(read_events(store.records(name)))

    return events


@pytest.fixture
def street():
    return Street()


@pytest.fixture(params=["sync", "async"])
def firm(request, both, street, clock):
    """Makes an order system for accounts, all on one store and one street."""
    return lambda *accounts: Firm(both, street, clock, *accounts, kind=request.param)
