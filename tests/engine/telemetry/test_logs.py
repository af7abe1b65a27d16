"""A log record for each event: whose it is, what happened, and nothing of a person."""

import logging

import pytest
from opentelemetry import trace

from kessai.errors import UnknownTransaction


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="kessai.events")
    return caplog


def told(log, level=logging.DEBUG):
    return [one.getMessage() for one in log.records if one.levelno >= level]


def test_a_command_is_told_from_its_intent_to_its_outcome(shop, log):
    shop.asks("authorize", 100)
    assert told(log) == [
        "order-1: begun authorize",
        "order-1: reported authorize pending",
    ]
    assert log.records[-1].kessai["kessai.operation.id"] == "order-1.1"


def test_what_a_person_should_look_at_is_a_warning(shop, log):
    shop.loses_its_reply("authorize", 100)
    shop.asks("refund", 100)
    assert told(log, logging.WARNING) == ["order-1: reported authorize unknown"]
    assert told(log)[-1].startswith("order-1: denied refund ")


def test_what_broke_off_is_told_by_the_kind_of_its_error(shop, log):
    with pytest.raises(UnknownTransaction):
        shop.call("transaction", "order-9")
    assert told(log) == ["existing broke off: UnknownTransaction"]


def test_a_record_is_written_within_the_span_of_its_flow(shop, log, exported):
    written = []

    def note(record):
        written.append(trace.get_current_span().get_span_context().span_id)
        return True

    log.handler.addFilter(note)
    shop.asks("authorize", 100)
    with pytest.raises(UnknownTransaction):
        shop.call("transaction", "order-9")
    log.handler.removeFilter(note)
    flows = [s for s in exported.get_finished_spans() if s.parent is None]
    command, question = [span.context.span_id for span in flows]
    assert written == [command, command, question]
