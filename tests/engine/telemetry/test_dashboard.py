"""The dashboard and the alerts ask for what a Prometheus exporter really gives out."""

import json
import re
from importlib.resources import files
from urllib.request import urlopen

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families

from kessai import Telemetry
from kessai.errors import UnknownTransaction

SHIPPED = files("kessai.telemetry")
DASHBOARD = json.loads((SHIPPED / "grafana.json").read_text("utf-8"))
ALERTS = (SHIPPED / "alerts.yml").read_text("utf-8")

LABEL = re.compile(r"([a-z_]+)(?:=~|!=|=)\"")
GROUPING = re.compile(r"\bby \(([^)]*)\)")


def queries():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            named = f"{panel['title']} {target['refId']}"
            yield pytest.param(target["expr"], id=named)
    alerts = re.findall(r"alert: (\w+)\n\s+expr: (.*)", ALERTS)
    assert len(alerts) == ALERTS.count("- alert:")
    for name, expression in alerts:
        yield pytest.param(expression, id=name)


@pytest.fixture(scope="module")
def exported():
    """What an exporter serves after a shop has met everything once: labels by name."""
    from telemetry_shop import Shop

    reader = PrometheusMetricReader()
    provider = MeterProvider([reader])
    telemetry = Telemetry(meter_provider=provider)
    shop = Shop("sync", telemetry)
    telemetry.watch(shop.store, shop.clock)
    shop.loses_its_reply("authorize", 100)
    shop.call("resolve", "order-1", "order-1.1", "declined", evidence="e", actor="a")
    shop.call("reconcile", "order-1")
    shop.asks("refund", 100)
    with pytest.raises(UnknownTransaction):
        shop.call("transaction", "order-9")
    shop.call("recover")
    shop.loses_its_reply("authorize", 100, of="order-2")
    server, thread = start_http_server(0, addr="127.0.0.1")
    try:
        with urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as reply:
            text = reply.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        provider.shutdown()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", [*queries()])
def test_a_query_asks_for_metrics_and_labels_that_are_exported(exported, expression):
    grouped = GROUPING.findall(expression)
    labels = {*LABEL.findall(expression), *re.findall(r"\w+", " ".join(grouped))}
    bare = GROUPING.sub("", re.sub(r"{[^}]*}", "", expression))
    names = set(re.findall(r"\b(?:kessai|http)_\w+", bare))
    assert names
    assert names <= exported.keys()
    assert labels <= set().union(*(exported[name] for name in names))


def test_every_metric_is_shown_on_the_dashboard(exported):
    shown = json.dumps(DASHBOARD)
    ours = {
        re.sub(r"_(bucket|count|sum|total|created)$", "", name)
        for name in exported
        if name.startswith(("kessai_", "http_client_"))
    }
    assert "kessai_discrepancies" in ours
    assert {name for name in ours if name not in shown} == set()
