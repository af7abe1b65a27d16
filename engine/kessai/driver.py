"""Driving flows: performing what they ask for, and showing observers what was done.

`drive` and `drive_async` carry a flow to its end; the simulator takes the same `FlowRun`
one effect at a time. Only this module reads the clock. It knows no command and no rule.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Generic, Self, TypeVar, assert_never, overload

from kessai.errors import KessaiError
from kessai.flow import (
    Append,
    Claim,
    Declaration,
    Effect,
    Flow,
    History,
    Load,
    Now,
    Release,
    Send,
)
from kessai.flow.effects import Result, StoreEffect
from kessai.gateway import Failure, Request
from kessai.machine.chain import Step
from kessai.stores import AsyncStore, Store
from kessai.transport import AsyncTransport, Transport

T = TypeVar("T")
Clock = Callable[[], datetime]
Perform = Callable[[Effect], Result]
AsyncPerform = Callable[[Effect], Awaitable[Result]]

TOO_LATE = Failure(sent=False, reason="too late to send")
"""A request whose time was over before it was sent: it must not go out any more."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, aware and in UTC. The one place that reads the clock."""
    return datetime.now(UTC)  # noqa: TID251 - the driver is where time comes in


# ── observers ───────────────────────────────────────────────────────────────────────


class Observer:
    """Sees what engines do: subclass it, and override what you want to see.

    Methods are called in the thread or task that drives the flow, between its effects,
    and must not block. What they raise is logged and changes nothing: no observer can
    break off a payment. The same effect object is given to all calls about it.
    """

    def starting(self, effect: Effect) -> None:
        """A flow asks for `effect`; it is performed now."""

    def performed(self, effect: Effect, result: Result) -> None:
        """`effect` was performed."""

    def failed(self, effect: Effect, error: BaseException) -> None:
        """`effect` raised; the flow decides what follows from a `KessaiError`."""

    def appended(self, step: Step) -> None:
        """The store has accepted an event: a denial too, with the machine that denied.

        An event whose commit raised, and that turns out to be there, is not shown.
        """


_observers: dict[object, Observer] = {}


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Have `observer` see every engine and simulation of this process, in all threads.

    It sees the flows that begin inside of the `with` block.
    """
    key = object()
    _observers[key] = observer
    try:
        yield
    finally:
        del _observers[key]


def report(effect: Effect, result: Result) -> None:
    """Show the observers of this process an effect that a driver has performed itself."""
    _show(tuple(_observers.values()), effect, result)


def _show(observers: tuple[Observer, ...], effect: Effect, result: Result) -> None:
    steps = effect.change.steps if isinstance(effect, Append) else ()
    for observer in observers:
        _call(observer.performed, effect, result)
        for step in steps:
            _call(observer.appended, step)


def _call(method: Callable[..., None], *given: object) -> None:
    try:
        method(*given)
    except Exception:  # noqa: BLE001 - whatever it is, the payment goes on
        _log.exception("an observer failed; what it observes goes on")


# ── driving ─────────────────────────────────────────────────────────────────────────


class FlowRun(Generic[T]):
    """A flow under way: an iterator over the effects that it asks for.

        run = FlowRun(flow)
        for effect in run:
            with run:
                run.result = perform(effect)
        return run.value

    A `KessaiError` raised in the `with` block is raised into the flow, which may handle
    it; any other error ends the run.
    """

    __slots__ = ("_error", "_flow", "result", "value")
    value: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._error: KessaiError | None = None
        self.result: Result = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Effect:
        error, self._error = self._error, None
        try:
            if error is None:
                return self._flow.send(self.result)
            return self._flow.throw(error)
        except StopIteration as stop:
            self.value = stop.value
            raise

    def __enter__(self) -> None:
        """Perform the effect inside."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, KessaiError):
            self._error = error
            return True
        return False

    def close(self) -> None:
        """Break the flow off where it stands, as the end of its process would."""
        self._flow.close()


class _ObservedRun(FlowRun[T]):
    __slots__ = ("_effect", "_observers")

    def __init__(self, flow: Flow[T], observers: tuple[Observer, ...]) -> None:
        super().__init__(flow)
        self._observers = observers

    def __next__(self) -> Effect:
        self._effect = super().__next__()
        for observer in self._observers:
            _call(observer.starting, self._effect)
        return self._effect

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            _show(self._observers, self._effect, self.result)
        else:
            for observer in self._observers:
                _call(observer.failed, self._effect, error)
        return super().__exit__(kind, error, traceback)


def _run_of(flow: Flow[T], observer: Observer | None) -> FlowRun[T]:
    observers = tuple(_observers.values())
    if observer is not None:
        observers += (observer,)
    return _ObservedRun(flow, observers) if observers else FlowRun(flow)


def drive(flow: Flow[T], perform: Perform, observer: Observer | None = None) -> T:
    """Carry `flow` to its end; `perform` does what it asks for. Returns its result."""
    run = _run_of(flow, observer)
    for effect in run:
        with run:
            run.result = perform(effect)
    return run.value


async def drive_async(
    flow: Flow[T], perform: AsyncPerform, observer: Observer | None = None
) -> T:
    """As `drive`, awaiting each effect."""
    run = _run_of(flow, observer)
    for effect in run:
        with run:
            run.result = await perform(effect)
    return run.value


# ── performing ──────────────────────────────────────────────────────────────────────


@overload
def perform(
    effect: Effect, store: Store, transport: Transport, clock: Clock
) -> Result: ...
@overload
def perform(
    effect: Effect,
    store: Store | AsyncStore,
    transport: Transport | AsyncTransport,
    clock: Clock,
) -> Result | Awaitable[Result]: ...
def perform(
    effect: Effect,
    store: Store | AsyncStore,
    transport: Transport | AsyncTransport,
    clock: Clock,
) -> Result | Awaitable[Result]:
    """Do what a flow asks for; asynchronous parts give an awaitable."""
    match effect:
        case Now():
            return clock()
        case Send():
            request = outgoing(effect, clock)
            if isinstance(request, Failure):
                return request
            return transport.send(request)
        case _:
            return ask_store(store, effect)


def outgoing(send: Send, clock: Clock) -> Request | Failure:
    """The request as it goes out now, or `TOO_LATE`."""
    if send.until is not None and clock() > send.until:
        return TOO_LATE
    return send.request


@overload
def ask_store(store: Store, effect: StoreEffect) -> Result: ...
@overload
def ask_store(
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]: ...
def ask_store(
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]:
    """Ask the store what a flow asks for; an asynchronous one gives an awaitable."""
    match effect:
        case Load(key, transaction, agreement):
            return store.load(key, transaction, agreement)
        case Append(change):
            return store.append(change)
        case History(transaction):
            return store.records(transaction)
        case Declaration(lifecycle_hash):
            return store.declaration(lifecycle_hash)
        case Claim(now, until):
            return store.claim(now, until)
        case Release(lease, due_at):
            return store.release(lease, due_at)
        case _:
            assert_never(effect)
