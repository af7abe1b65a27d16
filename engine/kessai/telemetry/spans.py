"""A span for each flow, and in it one for each request and each call of the store."""

from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from kessai.driver import Observer
from kessai.flow import Append, Effect, Flow, History, Load, Now, Release, Send
from kessai.flow.effects import Result
from kessai.gateway import Failure, Reply
from kessai.machine.chain import AppliedEvent
from kessai.telemetry import attributes


class SpanObserver(Observer):
    """Makes spans with the tracer provider that it is given, or the process's.

    A flow's span is the current one while the flow is driven, so that what a transport
    of one's own records is a part of it.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("kessai", tracer_provider=tracer_provider)
        self._flows: dict[int, tuple[Span, Any]] = {}
        self._effects: dict[int, Span] = {}

    def began(self, flow: Flow[Any]) -> None:
        """Begin the flow's span."""
        span = self._tracer.start_span(
            f"kessai.{attributes.name_of(flow)}", attributes=attributes.of_flow(flow)
        )
        token = context.attach(trace.set_span_in_context(span))
        self._flows[id(flow)] = span, token

    def ended(self, flow: Flow[Any], result: Any) -> None:
        """End it: a denial or a decline is an outcome, and no error."""
        span, token = self._flows.pop(id(flow))
        context.detach(token)
        found = attributes.of_result(result)
        span.set_attributes(found)
        if command := found.get(attributes.COMMAND):
            span.update_name(f"kessai.{attributes.name_of(flow)} {command}")
        span.end()

    def broke_off(self, flow: Flow[Any], error: BaseException) -> None:
        """End it with the kind of the error."""
        span, token = self._flows.pop(id(flow))
        context.detach(token)
        _fail(span, attributes.error_type(error))

    def starting(self, effect: Effect) -> None:
        """Begin the span of a request, or of a call of the store."""
        if isinstance(effect, Now):
            return
        if isinstance(effect, Send):
            name, kind = effect.request.method, SpanKind.CLIENT
            about = attributes.of_request(effect.request)
        else:
            call = attributes.call_of(effect)
            name, kind = f"kessai.store.{call}", SpanKind.INTERNAL
            about = attributes.known(
                {
                    attributes.STORE_CALL: call,
                    attributes.TRANSACTION: _transaction_of(effect),
                }
            )
        self._effects[id(effect)] = self._tracer.start_span(
            name, kind=kind, attributes=about
        )

    def performed(self, effect: Effect, result: Result) -> None:
        """End it."""
        span = self._effects.pop(id(effect), None)
        if span is None:
            return
        if isinstance(result, Reply | Failure):
            about = attributes.of_reply(result)
            span.set_attributes(about)
            if attributes.ERROR in about:
                span.set_status(Status(StatusCode.ERROR))
        span.end()

    def failed(self, effect: Effect, error: BaseException) -> None:
        """End it with the kind of the error."""
        if span := self._effects.pop(id(effect), None):
            _fail(span, attributes.error_type(error))

    def appended(self, step: AppliedEvent) -> None:
        """Note the event on the flow's span."""
        name = f"kessai.{attributes.kind_of(step)}"
        trace.get_current_span().add_event(name, attributes.of_event(step))


def _transaction_of(effect: Effect) -> str | None:
    match effect:
        case Load() | History():
            return effect.transaction
        case Append():
            return effect.change.transaction.id
        case Release():
            return effect.lease.transaction
        case _:
            return None


def _fail(span: Span, error: str) -> None:
    span.set_attribute(attributes.ERROR, error)
    span.set_status(Status(StatusCode.ERROR))
    span.end()
