"""A trace of a command shows what it did, where it waited, and what came of it."""

import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from kessai.errors import KessaiError, StoreBusy, UnknownTransaction
from kessai.flow import Recovery

SECRETS = ("12345", "merchantCcId", "authHash", "order-1 authorize")


def named(exported, name):
    (span,) = [span for span in exported.get_finished_spans() if span.name == name]
    return span


def test_a_command_is_one_trace_with_its_request_and_its_writes(shop, exported):
    shop.asks("authorize", 12345)
    whole = named(exported, "kessai.execute authorize")
    inner = exported.get_finished_spans()[:-1]
    assert [span.name for span in inner] == [
        "kessai.store.load",
        "kessai.store.append",
        "POST",
        "kessai.store.append",
    ]
    assert {span.parent.span_id for span in inner} == {whole.context.span_id}
    assert whole.attributes == {
        "kessai.transaction.id": "order-1",
        "kessai.account": "emulator/local",
        "kessai.lifecycle": "one_time",
        "kessai.command": "authorize",
        "kessai.operation.id": "order-1.1",
        "kessai.outcome": "pending",
    }
    assert [event.name for event in whole.events] == [
        "kessai.begun",
        "kessai.reported",
    ]


def test_a_request_is_named_as_the_conventions_say(shop, exported):
    shop.asks("authorize", 100)
    span = named(exported, "POST")
    assert span.kind is SpanKind.CLIENT
    assert span.attributes["http.request.method"] == "POST"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["server.address"]
    assert not any("url" in name for name in span.attributes)


def test_a_denial_is_an_outcome_with_its_reason_and_no_error(shop, exported):
    shop.asks("authorize", 100)
    shop.asks("refund", 100)
    span = named(exported, "kessai.execute refund")
    assert span.attributes["kessai.outcome"] == "denied"
    assert "state" in span.attributes["kessai.reason"]
    assert span.status.status_code is StatusCode.UNSET


def test_a_lost_reply_is_an_error_of_the_request_alone(shop, exported):
    shop.loses_its_reply("authorize", 100)
    request = named(exported, "POST")
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes["error.type"] == "no_reply"
    whole = named(exported, "kessai.execute authorize")
    assert whole.status.status_code is StatusCode.UNSET
    assert whole.attributes["kessai.outcome"] == "unknown"


def test_a_recovery_shows_whose_operation_it_resolved(shop, exported):
    shop.loses_its_reply("authorize", 100)
    shop.clock.passes(minutes=11)
    shop.call("recover", Recovery())
    whole = named(exported, "kessai.recover_all_due")
    (event,) = [event for event in whole.events if event.name == "kessai.reported"]
    assert event.attributes["kessai.transaction.id"] == "order-1"
    assert event.attributes["kessai.source"] == "inquiry"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_recovery_of_one_transaction_says_which(shop, exported, is_open):
    if is_open:
        shop.loses_its_reply("authorize", 100)
    shop.call("recover_transaction", "order-1")
    whole = named(exported, "kessai.recover")
    assert whole.attributes["kessai.transaction.id"] == "order-1"


def test_a_command_that_breaks_off_says_of_which_transaction_it_was(
    shop, exported, monkeypatch
):
    def busy(*asked):
        raise StoreBusy

    monkeypatch.setattr(shop.store, "load", busy)
    with pytest.raises(StoreBusy):
        shop.asks("authorize", 100)
    whole = named(exported, "kessai.execute")
    assert whole.attributes["kessai.transaction.id"] == "order-1"


def test_an_error_is_named_by_its_kind_without_its_message(shop, exported):
    with pytest.raises(UnknownTransaction):
        shop.call("transaction", "no-such-order")
    span = named(exported, "kessai.existing")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes == {
        "error.type": "UnknownTransaction",
        "kessai.transaction.id": "no-such-order",
    }
    assert not span.events


CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("transaction", ()),
        ("can", ()),
        ("sweep", ()),
        ("recover_transaction", ()),
        ("reconcile", ()),
        ("resume", ({},)),
        ("abandon", ()),
        ("resolve", ("1", "declined")),
        ("close_discrepancy", (1,)),
        ("forget", ()),
    ],
)
def test_a_card_number_that_is_asked_for_is_shown_nowhere(shop, exported, name, given):
    said = {
        "resolve": {"evidence": "seen", "actor": "sato"},
        "close_discrepancy": {"evidence": "seen", "actor": "sato"},
        "forget": {"reason": "asked for", "actor": "sato"},
    }
    shown = ""
    try:
        shop.call(name, CARD, *given, **said.get(name, {}))
    except KessaiError as error:
        shown = str(error)
    assert CARD not in shown
    spans = exported.get_finished_spans()
    assert spans
    assert not [span for span in spans if CARD in str(span.attributes)]


def test_a_store_in_trouble_shows_in_its_own_span_and_in_the_commands(
    shop, exported, monkeypatch
):
    def busy(change):
        raise StoreBusy

    monkeypatch.setattr(shop.store, "append", busy)
    with pytest.raises(StoreBusy):
        shop.asks("authorize", 100)
    for name in ("kessai.store.append", "kessai.execute"):
        assert named(exported, name).attributes["error.type"] == "StoreBusy"


def test_commands_at_once_have_each_a_trace_of_its_own(telemetry, exported, shop):
    if asyncio.iscoroutinefunction(shop.engine.execute):
        from kessai import Command

        async def at_once():
            orders = [
                Command("authorize", name, key=name, lifecycle="one_time", amount=100)
                for name in ("order-1", "order-2", "order-3")
            ]
            await asyncio.gather(*map(shop.engine.execute, orders))

        asyncio.run(at_once())
    else:
        for name in ("order-1", "order-2", "order-3"):
            shop.asks("authorize", 100, of=name)
    spans = exported.get_finished_spans()
    wholes = [span for span in spans if span.name == "kessai.execute authorize"]
    assert len({span.context.trace_id for span in wholes}) == 3
    for span in spans:
        if span.name == "kessai.store.load":
            (whole,) = [
                whole
                for whole in wholes
                if whole.context.span_id == span.parent.span_id
            ]
            order = "kessai.transaction.id"
            assert whole.attributes[order] == span.attributes[order]


def test_a_command_is_a_part_of_what_the_shop_traces(shop, exported, tracer_provider):
    tracer = tracer_provider.get_tracer("shop")
    with tracer.start_as_current_span("checkout") as checkout:
        shop.asks("authorize", 100)
    whole = named(exported, "kessai.execute authorize")
    assert whole.parent.span_id == checkout.get_span_context().span_id
    assert not trace.get_current_span().get_span_context().is_valid


def test_no_span_holds_an_amount_a_key_or_a_secret(shop, exported):
    shop.asks("authorize", 12345)
    shop.loses_its_reply("capture", 12345)
    shop.asks("refund", 12345)
    for span in exported.get_finished_spans():
        told = span.to_json()
        assert not [secret for secret in SECRETS if secret in told]
