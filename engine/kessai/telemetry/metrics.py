"""Counts of what happened, how long it took, and what a store has open.

Counted are events, so that an outcome counts once, whether the reply brought it, a
notification, an inquiry or an operator.
"""

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from kessai.driver import Clock, Observer, in_utc
from kessai.feed.following import waited
from kessai.flow import Effect, Flow, Now, Send
from kessai.flow.effects import Result
from kessai.gateway import Failure, Reply
from kessai.limits import MOST_OBSERVED
from kessai.machine import Denied, Discrepancy, Reported
from kessai.machine.chain import AppliedEvent
from kessai.stores import Store
from kessai.telemetry import attributes

BOUNDARIES = (
    0.001,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    150,
)
"""Of durations, in seconds: from a write in memory to the longest wait for a reply."""


class MetricObserver(Observer):
    """Records with the meter provider that it is given, or the process's."""

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        self._meter = meter = metrics.get_meter("kessai", meter_provider=meter_provider)
        self._outcomes = meter.create_counter(
            "kessai.outcomes",
            "{outcome}",
            "What came of operations, each time reported",
        )
        self._denials = meter.create_counter(
            "kessai.denials", "{denial}", "Denied commands, once for each reason"
        )
        self._discrepancies = meter.create_counter(
            "kessai.discrepancies", "{discrepancy}", "Evidence that does not fit"
        )
        timed = partial(
            meter.create_histogram,
            unit="s",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        self._flows = timed(
            "kessai.flow.duration", description="A command, a recovery and so on, whole"
        )
        self._requests = timed(
            "http.client.request.duration", description="A request to the gateway"
        )
        self._calls = timed(
            "kessai.store.duration",
            description="A call of the store, with its waiting in line",
        )
        self._began: dict[int, float] = {}

    def began(self, flow: Flow[Any]) -> None:
        """Start the flow's watch."""
        self._began[id(flow)] = perf_counter()

    def ended(self, flow: Flow[Any], result: Any) -> None:  # noqa: ARG002
        """Record how long it took."""
        self._flows.record(
            self._seconds(flow), {attributes.FLOW: attributes.name_of(flow)}
        )

    def broke_off(self, flow: Flow[Any], error: BaseException) -> None:
        """Record how long it took, and the kind of its error."""
        about = {
            attributes.FLOW: attributes.name_of(flow),
            attributes.ERROR: attributes.error_type(error),
        }
        self._flows.record(self._seconds(flow), about)

    def starting(self, effect: Effect) -> None:
        """Start the effect's watch."""
        self._began[id(effect)] = perf_counter()

    def performed(self, effect: Effect, result: Result) -> None:
        """Record how long it took."""
        match result:
            case Reply() | Failure():
                self._record(effect, attributes.of_reply(result))
            case _:
                self._record(effect, {})

    def failed(self, effect: Effect, error: BaseException) -> None:
        """Record how long it took, and the kind of its error."""
        self._record(effect, {attributes.ERROR: attributes.error_type(error)})

    def _record(self, effect: Effect, about: attributes.Attributes) -> None:
        seconds = self._seconds(effect)
        if isinstance(effect, Send):
            request = attributes.of_request(effect.request)
            self._requests.record(seconds, {**request, **about})
        elif not isinstance(effect, Now):
            call = {attributes.STORE_CALL: attributes.call_of(effect)}
            self._calls.record(seconds, {**call, **about})

    def _seconds(self, what: object) -> float:
        return perf_counter() - self._began.pop(id(what))

    def appended(self, step: AppliedEvent) -> None:
        """Count the event, if it is one that is counted."""
        about = attributes.of_event(step)
        match step.event:
            case Reported():
                self._outcomes.add(1, _only(about, *_OF_OUTCOMES))
            case Denied():
                for reason in attributes.reasons(step).split():
                    labels = {**_only(about, *_OF_DENIALS), attributes.REASON: reason}
                    self._denials.add(1, labels)
            case Discrepancy():
                self._discrepancies.add(1, _only(about, *_OF_DISCREPANCIES))
            case _:
                pass

    def watch(self, store: Store, clock: Clock) -> None:
        """See `Telemetry.watch`."""
        watched = Watched(store, in_utc(clock))
        for name, unit, description, read in (
            (
                "kessai.operations.open",
                "{operation}",
                "Open operations, by phase",
                watched.phases,
            ),
            (
                "kessai.operations.oldest.age",
                "s",
                "For how long the oldest open operation is open; 0 if none is",
                watched.oldest,
            ),
            (
                "kessai.transactions.discrepant",
                "{transaction}",
                "Transactions with an open discrepancy",
                watched.discrepant,
            ),
            (
                "kessai.feed.lag",
                "s",
                "For how long the feed holds its next event back; 0 if it holds none",
                watched.feed_lag,
            ),
        ):
            self._meter.create_observable_gauge(name, [read], unit, description)


class Watched:
    """What is read from a store at each collection."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def phases(self, _: CallbackOptions) -> list[Observation]:
        """How many operations are in each phase, by account and command."""
        found: Counter[tuple[str, str, str]] = Counter()
        for name in self._store.open_transactions(MOST_OBSERVED):
            transaction = self._store.load(None, name, None).transaction
            operations = transaction.operations.values() if transaction else ()
            account = transaction.account if transaction else ""
            found.update((account, o.command, o.phase.value) for o in operations)
        return [
            Observation(
                count,
                {
                    attributes.ACCOUNT: account,
                    attributes.COMMAND: command,
                    attributes.PHASE: phase,
                },
            )
            for (account, command, phase), count in found.items()
        ]

    def oldest(self, _: CallbackOptions) -> list[Observation]:
        """The age of the oldest open operation, in seconds."""
        for name in self._store.open_transactions(1):
            transaction = self._store.load(None, name, None).transaction
            since = transaction.open_since if transaction else None
            if since is not None:
                age = (self._clock() - since).total_seconds()
                return [Observation(max(age, 0.0))]
        return [Observation(0.0)]

    def discrepant(self, _: CallbackOptions) -> list[Observation]:
        """How many transactions have a discrepancy."""
        of_any_age = datetime.min.replace(tzinfo=UTC)
        return [Observation(len(self._store.unresolved(of_any_age, MOST_OBSERVED)))]

    def feed_lag(self, _: CallbackOptions) -> list[Observation]:
        """How old the first event is that the feed holds back, in seconds."""
        lag = waited(self._store.held_back(), self._clock())
        return [Observation(lag.total_seconds())]


_WHOSE = (attributes.ACCOUNT, attributes.LIFECYCLE)
_OF_OUTCOMES = (*_WHOSE, attributes.COMMAND, attributes.OUTCOME, attributes.SOURCE)
_OF_DENIALS = (*_WHOSE, attributes.COMMAND)
_OF_DISCREPANCIES = (*_WHOSE, attributes.REASON)


def _only(about: attributes.Attributes, *names: str) -> attributes.Attributes:
    """Of an event's attributes those that are few: no ids."""
    return {name: about[name] for name in names if name in about}
