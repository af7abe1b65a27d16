"""Driving flows: performing what they ask for, and showing observers what was done.

`drive` and `drive_async` carry a flow to its end; the simulator runs the same `FlowRun`
one effect at a time. Only this module reads the clock. It knows no command and no rule.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar, assert_never, overload

from kessai.errors import InvalidInput, KessaiError
from kessai.flow import (
    AddBills,
    Advance,
    Append,
    Change,
    Claim,
    Declaration,
    Effect,
    Find,
    FindSubscriber,
    Flow,
    HeldBack,
    History,
    Load,
    Now,
    ReadFeed,
    Release,
    Scrub,
    Search,
    Send,
    WriteBill,
)
from kessai.flow.effects import Result, StoreEffect
from kessai.gateway import Failure
from kessai.machine.chain import AppliedEvent
from kessai.stores import AsyncStore, Store
from kessai.stores.protocol import AppendsEach, AsyncWithin, Within, bills_of
from kessai.transport import AsyncTransport, Transport

T = TypeVar("T")
Clock = Callable[[], datetime]
Perform = Callable[[Effect], Result]
AsyncPerform = Callable[[Effect], Awaitable[Result]]

Nonces = Callable[[int], bytes]
"""Draws the given number of random bytes, for signatures with a salt."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, aware and in UTC. The one place that reads the clock."""
    return datetime.now(UTC)  # noqa: TID251 - the driver is where time comes in


def in_utc(clock: Clock) -> Clock:
    """`clock`, giving its times in UTC, whatever zone it has.

    Raises:
        InvalidInput: it gives naive times, which say of no moment when it was.

    """
    zone = clock().tzinfo
    if zone is None:
        message = (
            "clock: its times have no zone; give aware ones, as datetime.now(UTC) does"
        )
        raise InvalidInput(message)
    return clock if zone is UTC else lambda: clock().astimezone(UTC)


# ── observers ───────────────────────────────────────────────────────────────────────


class Observer:
    """Sees what engines do: subclass it, and override what you want to see.

    Methods are called in the thread or task that drives the flow, between its effects,
    and must not block. What they raise is logged and changes nothing: no observer can
    interrupt a payment. All calls about one effect get the same effect object, and all
    about one flow the same flow, whose `__name__` says what it does: `execute`, say.
    """

    def parts(self) -> "tuple[Observer, ...]":
        """The observers that it stands for: itself, or several.

        What begins is shown to the first one first, and its end to the last one first.
        """
        return (self,)

    def began(self, flow: Flow[Any]) -> None:
        """An engine begins `flow`."""

    def ended(self, flow: Flow[Any], result: Any) -> None:
        """`flow` came to its end, with `result`."""

    def broke_off(self, flow: Flow[Any], error: BaseException) -> None:
        """`flow` raised."""

    def starting(self, effect: Effect) -> None:
        """A flow asks for `effect`; it is performed now."""

    def performed(self, effect: Effect, result: Result) -> None:
        """`effect` was performed."""

    def failed(self, effect: Effect, error: BaseException) -> None:
        """`effect` raised; the flow decides what follows, see `FlowRun`."""

    def appended(self, step: AppliedEvent) -> None:
        """The store has accepted an event: a denial too, with the machine that denied.

        If a commit raised and its events turn out to be stored, they are not shown.
        """


_FLOW = ("began", "broke_off", "ended")
_EFFECT = ("starting", "failed", "performed")

_observers: dict[object, Observer] = {}


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Have `observer` see every engine and simulation of this process, in all threads.

    It sees the flows that begin inside the `with` block.
    """
    key = object()
    _observers[key] = observer
    try:
        yield
    finally:
        del _observers[key]


def report(effect: Effect, result: Result) -> None:
    """Show this process's observers an effect that a driver performed by itself."""
    _show_result(_all_observers(None), "performed", effect, result)


def _all_observers(own: Observer | None) -> tuple[Observer, ...]:
    if own is None and not _observers:
        return ()
    found = [*_observers.values(), own]
    return tuple(part for one in found if one is not None for part in one.parts())


@contextmanager
def _shown_around(
    observers: tuple[Observer, ...], subject: object, begins: str, fails: str, ends: str
) -> Iterator[Callable[[Any], None]]:
    """Show that `subject` begins and how it ends; the block hands its result back."""
    _show(observers, begins, subject)
    results: list[Any] = []
    try:
        yield results.append
    except BaseException as error:
        _show(observers[::-1], fails, subject, error)
        raise
    _show_result(observers[::-1], ends, subject, *results)


def _show_result(
    observers: tuple[Observer, ...], method: str, subject: object, *result: object
) -> None:
    _show(observers, method, subject, *result)
    if isinstance(subject, Append):
        for step in subject.change.steps:
            _show(observers, "appended", step)


def _show(observers: tuple[Observer, ...], method: str, *given: object) -> None:
    for observer in observers:
        try:
            getattr(observer, method)(*given)
        except Exception:  # noqa: BLE001 - whatever it is, the payment goes on
            _log.exception("an observer failed; what it observes goes on")


# ── driving ─────────────────────────────────────────────────────────────────────────


class FlowRun(Generic[T]):
    """A flow under way: an iterator over the effects that it asks for.

        with FlowRun(flow) as run:
            for effect in run:
                try:
                    run.result = perform(effect)
                except KessaiError as error:
                    run.error = error
        return run.value

    An `error` is raised into the flow, which may handle it: a `KessaiError`, and any
    `Exception` of a `Send` (see `handed`). Anything else that is raised ends the run,
    as the end of the process would.
    """

    __slots__ = ("_flow", "error", "result", "value")
    value: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.result: Result = None
        self.error: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Effect:
        error, self.error = self.error, None
        try:
            if error is None:
                return self._flow.send(self.result)
            return self._flow.throw(error)
        except StopIteration as stop:
            self.value = stop.value
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Break the flow off where it stands."""
        self._flow.close()


def handed(effect: Effect, error: Exception) -> Exception:
    """`error`, if the flow is to handle it: ours, or whatever sending a request raised.

    What was sent may have arrived, so the flow must write down that it is not known.
    Raises any other.
    """
    if isinstance(effect, Send) or isinstance(error, KessaiError):
        return error
    raise error


def drive(flow: Flow[T], perform: Perform, observer: Observer | None = None) -> T:
    """Carry `flow` to its end; `perform` does what it asks for. Returns its result."""
    observers = _all_observers(observer)
    if not observers:
        return _carry(flow, perform)
    with _shown_around(observers, flow, *_FLOW) as done:
        done(result := _carry(flow, _shown(perform, observers)))
    return result


def _carry(flow: Flow[T], perform: Perform) -> T:
    result: Result = None
    error: Exception | None = None
    try:  # a `FlowRun` written out, as every command comes through here
        while True:
            try:
                effect = flow.send(result) if error is None else flow.throw(error)
            except StopIteration as stop:
                value: T = stop.value
                return value
            try:
                result, error = perform(effect), None
            except Exception as raised:  # noqa: BLE001 - what is not handed on is raised
                error = handed(effect, raised)
    finally:
        flow.close()


def drive_together(
    flows: Iterable[Flow[T]],
    perform: Perform,
    store: Store,
    observer: Observer | None = None,
) -> list[T]:
    """Carry several `flows` to their ends; what they append at the same time is one commit.

    Each goes on until it asks to append. What all of them want to append is written,
    and they go on. So none may depend on what another one writes. The next one is taken
    from `flows` when those before it wait. What a flow raises breaks all of them off.

    One after the other is driven where the store cannot, and where somebody observes:
    an observer sees one flow of a thread at a time.
    """
    if not isinstance(store, AppendsEach) or _all_observers(observer):
        return [drive(flow, perform, observer) for flow in flows]
    with ExitStack() as stack:
        taken = map(stack.enter_context, map(FlowRun[T], flows))
        standing = [(run, _next_change(run, perform)) for run in taken]
        runs = [run for run, _ in standing]
        while waiting := [(run, each) for run, each in standing if each is not None]:
            errors = store.append_each([change for _, change in waiting])
            for (run, _), error in zip(waiting, errors, strict=True):
                run.result, run.error = None, error
            standing = [(run, _next_change(run, perform)) for run, _ in waiting]
        return [run.value for run in runs]


def _next_change(run: FlowRun[T], perform: Perform) -> Change | None:
    """What `run` asks to append next; None at its end."""
    for effect in run:
        if isinstance(effect, Append):
            return effect.change
        try:
            run.result = perform(effect)
        except Exception as error:  # noqa: BLE001 - what is not handed on is raised
            run.error = handed(effect, error)
    return None


async def drive_async(
    flow: Flow[T], perform: AsyncPerform, observer: Observer | None = None
) -> T:
    """As `drive`, awaiting each effect."""
    observers = _all_observers(observer)
    if not observers:
        return await _carry_async(flow, perform)
    with _shown_around(observers, flow, *_FLOW) as done:
        done(result := await _carry_async(flow, _shown_async(perform, observers)))
    return result


async def _carry_async(flow: Flow[T], perform: AsyncPerform) -> T:
    with FlowRun(flow) as run:
        for effect in run:
            try:
                run.result = await perform(effect)
            except Exception as error:  # noqa: BLE001 - what is not handed on is raised
                run.error = handed(effect, error)
    return run.value


def _shown(perform: Perform, observers: tuple[Observer, ...]) -> Perform:
    def performed(effect: Effect) -> Result:
        with _shown_around(observers, effect, *_EFFECT) as done:
            done(result := perform(effect))
        return result

    return performed


def _shown_async(
    perform: AsyncPerform, observers: tuple[Observer, ...]
) -> AsyncPerform:
    async def performed(effect: Effect) -> Result:
        with _shown_around(observers, effect, *_EFFECT) as done:
            done(result := await perform(effect))
        return result

    return performed


# ── performing ──────────────────────────────────────────────────────────────────────


@overload
def perform(
    effect: Effect,
    store: Store,
    transport: Transport,
    clock: Clock,
    nonces: Nonces = os.urandom,
) -> Result: ...
@overload
def perform(
    effect: Effect,
    store: Store | AsyncStore,
    transport: Transport | AsyncTransport,
    clock: Clock,
    nonces: Nonces = os.urandom,
) -> Result | Awaitable[Result]: ...
def perform(
    effect: Effect,
    store: Store | AsyncStore,
    transport: Transport | AsyncTransport,
    clock: Clock,
    nonces: Nonces = os.urandom,
) -> Result | Awaitable[Result]:
    """Perform an effect; asynchronous parts give an awaitable."""
    match effect:
        case Now():
            return clock()
        case Send():
            request = effect.sealed(clock(), nonces)
            if isinstance(request, Failure):
                return request
            return transport.send(request)
        case _:
            return ask_store(store, effect)


def perform_within(
    effect: Effect, store: Within | AsyncWithin, clock: Clock
) -> Result | Awaitable[Result]:
    """Perform an effect within a shop's transaction, where nothing else is asked for.

    Above all nothing is sent: nobody knows yet whether it will be committed.
    """
    match effect:
        case Now():
            return clock()
        case Load():
            return store.load(effect.key, effect.transaction, effect.agreement)
        case Append():
            return store.append(effect.change)
        case Declaration():
            return store.declaration(effect.hash)
        case _:
            message = f"{type(effect).__name__} within a shop's transaction"
            raise AssertionError(message)


@overload
def ask_store(store: Store, effect: StoreEffect) -> Result: ...
@overload
def ask_store(
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]: ...
def ask_store(  # noqa: C901, PLR0911, PLR0912 - a line an effect
    store: Store | AsyncStore, effect: StoreEffect
) -> Result | Awaitable[Result]:
    """Perform an effect of the store; an asynchronous store gives an awaitable."""
    match effect:
        case Load():
            return store.load(effect.key, effect.transaction, effect.agreement)
        case Append():
            return store.append(effect.change)
        case History():
            return store.records(effect.transaction, denials=effect.denials)
        case Declaration():
            return store.declaration(effect.hash)
        case Claim():
            return store.claim(effect.now, effect.until, effect.accounts)
        case Release():
            return store.release(effect.lease, effect.due_at, effect.failure)
        case Find(reference):
            return store.find(reference.account, reference.kind, reference.id)
        case Search():
            return store.search(effect)
        case ReadFeed(after, limit):
            return store.feed(after, limit)
        case HeldBack():
            return store.held_back()
        case FindSubscriber(name):
            return store.subscriber(name)
        case Advance(subscriber):
            return store.advance(subscriber)
        case Scrub():
            return store.scrub()
        case AddBills(bills):
            return bills_of(store).add(bills)
        case WriteBill(bill, lease):
            return bills_of(store).write(bill, lease)
        case _:
            assert_never(effect)
