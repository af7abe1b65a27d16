"""Shops with telemetry, and all that its SDK was given."""

import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kessai import Telemetry

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def exported():
    return InMemorySpanExporter()


@pytest.fixture
def tracer_provider(exported):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    return provider


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def telemetry(tracer_provider, reader):
    provider = MeterProvider([reader])
    yield Telemetry(tracer_provider, provider)
    provider.shutdown()


@pytest.fixture(params=["sync", "async"])
def shop(request, telemetry):
    from telemetry_shop import Shop

    shop = Shop(request.param, telemetry)
    yield shop
    shop.call("close")


@pytest.fixture
def points(reader):
    """What a metric has by now: its points as (attributes, value)."""

    def points(name):
        data = reader.get_metrics_data()
        return [
            (dict(point.attributes), getattr(point, "value", None) or point)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    return points
