"""`Telemetry`: spans, metrics and log records of an engine, as one observer."""

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from kessai.driver import Clock, Observer, utc_now
from kessai.stores import Store
from kessai.telemetry.logs import LogObserver
from kessai.telemetry.metrics import MetricObserver
from kessai.telemetry.spans import SpanObserver


class Telemetry(Observer):
    """An engine's `observer`; it needs the extra `telemetry`.

    Providers are those that the process has set, unless they are given. Without an SDK
    OpenTelemetry records nothing, and only the log is written.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._metrics = MetricObserver(meter_provider)
        self._parts = (SpanObserver(tracer_provider), self._metrics, LogObserver())

    def parts(self) -> tuple[Observer, ...]:
        """Spans are outermost: what the others write is written within them."""
        return self._parts

    def watch(self, store: Store, clock: Clock = utc_now) -> None:
        """Observe what `store` has open each time that metrics are collected.

        The store is read in the thread that collects, so it must not be an asynchronous
        one: for that, open a second one on the same database. The oldest
        `MOST_OBSERVED` transactions count.
        """
        self._metrics.watch(store, clock)
