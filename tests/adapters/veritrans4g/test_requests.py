"""From a call of the engine to the bytes on the wire, against recorded requests."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Call
from kessai_adapters.veritrans4g import VeriTrans4G
from kessai_adapters.veritrans4g.commands import COMMANDS
from kessai_adapters.veritrans4g.samples import REQUESTS

STORIES = [(sample.name, sample.call) for sample in REQUESTS]
LIVE_STORIES: list[tuple[str, Call]] = [
    (
        "capture-live",
        Call(
            command="capture",
            transaction="order-1001",
            lifecycle="one_time",
            amount=1200,
        ),
    ),
    (
        "inquiry-live",
        Call(command=INQUIRY, transaction="order-1001", lifecycle="one_time"),
    ),
]


def document(body: bytes) -> tuple[dict[str, Any], str, str]:
    """The members of a request, their exact text and the hash that came with them."""
    text = unquote_to_bytes(body).decode()
    whole = json.loads(text)
    assert list(whole) == ["params", "authHash"]
    params = text.removeprefix('{"params":').rpartition(',"authHash":"')[0]
    return whole["params"], params, whole["authHash"]


def expected_hash(params: str, secret: str) -> str:
    text = "A100000000000000000000cc" + params + secret
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("story", "call"), STORIES, ids=[s for s, _ in STORIES])
def test_a_call_becomes_the_recorded_bytes(
    story: str, call: Call, adapter: VeriTrans4G, recorded: Callable[..., Any]
) -> None:
    wire = recorded(f"{story}.request")
    request = adapter.request(call)
    assert (request.method, request.url) == ("POST", wire.url)
    assert dict(request.headers) == wire.headers
    assert request.body == wire.body


@pytest.mark.parametrize(
    ("story", "call"), LIVE_STORIES, ids=[s for s, _ in LIVE_STORIES]
)
def test_a_live_call_becomes_the_recorded_bytes(
    story: str, call: Call, live: VeriTrans4G, recorded: Callable[..., Any]
) -> None:
    wire = recorded(f"{story}.request")
    request = live.request(call)
    assert request.url == wire.url
    assert request.body == wire.body


def test_every_command_of_the_gateway_has_a_recorded_request() -> None:
    assert {call.command for _, call in STORIES} == {*COMMANDS, INQUIRY}


@pytest.mark.parametrize(("story", "call"), STORIES, ids=[s for s, _ in STORIES])
def test_the_hash_is_of_the_text_that_is_sent(
    story: str, call: Call, adapter: VeriTrans4G, secret: str
) -> None:
    _, params, given_hash = document(adapter.request(call).body)
    assert given_hash == expected_hash(params, secret)


def test_common_members_come_last_and_slashes_and_japanese_stay_as_they_are(
    adapter: VeriTrans4G,
) -> None:
    members, params, _ = document(adapter.request(STORIES[0][1]).body)
    assert list(members)[-3:] == ["txnVersion", "dummyRequest", "merchantCcid"]
    assert "https://shop.example/cart" in params
    assert "珈琲豆" in params


def test_a_calls_own_notification_address_goes_before_the_adapters(
    adapter: VeriTrans4G,
) -> None:
    call = Call(
        command="authorize",
        transaction="order-1",
        lifecycle="one_time",
        amount=1,
        parameters={"capture_notification_url": "https://other.example/capture"},
    )
    members, _, _ = document(adapter.request(call).body)
    assert members["capturePushUrl"] == "https://other.example/capture"
    assert members["authorizePushUrl"] == "https://shop.example/push"


def test_without_any_notification_address_the_gateway_uses_the_registered_one(
    credentials: Any,
) -> None:
    members, _, _ = document(VeriTrans4G(credentials).request(STORIES[0][1]).body)
    assert not [name for name in members if name.endswith("NotificationUrl")]


def wrong(command: str, **fields: Any) -> Call:
    lifecycle = fields.pop("lifecycle", "one_time")
    return Call(command=command, transaction="o-1", lifecycle=lifecycle, **fields)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (wrong("chargeback"), "no such command"),
        (wrong("capture", amount=True), "integer of yen"),
        (wrong("capture", amount=10.0), "integer of yen"),
        (wrong("capture", amount=10, currency="USD"), "must be JPY"),
        (wrong("reauthorize", amount=10), "its agreement"),
        (
            wrong("capture", parameters={"note": "x"}),
            "cannot carry the parameters: not",
        ),
        (wrong("authorize", parameters={"with_capture": "true"}), "true or false"),
        (wrong("authorize", parameters={"note": 7}), "note: must be text"),
        (wrong("authorize", parameters={"note": "\ud83c"}), "surrogate"),
        (wrong("authorize", parameters={"consent_only": True}), "R2"),
        (wrong("authorize", parameters={"frequency": "Month"}), "frequency"),
        (wrong("authorize", parameters={"frequency": {"unit": "Day"}}), "frequency"),
        (
            wrong("authorize", parameters={"frequency": {"unit": "Day", "value": "1"}}),
            "frequency",
        ),
    ],
)
def test_a_call_that_the_gateway_cannot_be_sent_is_refused(
    call: Call, why: str, adapter: VeriTrans4G
) -> None:
    with pytest.raises(InvalidInput, match=why):
        adapter.request(call)


@pytest.mark.parametrize(
    "parameters",
    [
        {"note": ["planted"]},
        {"with_capture": "planted"},
        {"frequency": {"unit": "planted"}},
        {"unheard_of": "planted"},
        {"note": "planted \ud83c"},
    ],
)
def test_a_refusal_names_the_parameter_and_not_its_value(
    parameters: dict[str, Any], adapter: VeriTrans4G
) -> None:
    with pytest.raises(InvalidInput) as mistake:
        adapter.request(wrong("authorize", parameters=parameters))
    assert "planted" not in f"{mistake.value!r}"


def test_a_request_does_not_show_what_it_carries(adapter: VeriTrans4G) -> None:
    call = wrong("authorize", amount=1, parameters={"note": "planted"})
    assert "planted" not in f"{adapter.request(call)!r} {call!r}"


@settings(deadline=None)
@given(
    note=st.text(st.characters(exclude_categories=["Cs"])),
    transaction=st.text(st.characters(exclude_categories=["Cs"])),
    amount=st.integers(min_value=1, max_value=10**7),
    recurring=st.booleans(),
)
def test_whatever_a_call_says_arrives_and_is_hashed_as_sent(
    *,
    note: str,
    transaction: str,
    amount: int,
    recurring: bool,
    adapter: VeriTrans4G,
    secret: str,
) -> None:
    call = Call(
        command="authorize",
        transaction=transaction,
        lifecycle="club" if recurring else "once",
        tracks=("payment", "consent") if recurring else ("payment",),
        amount=amount,
        parameters={"note": note},
    )
    request = adapter.request(call)
    members, params, given_hash = document(request.body)
    assert members["orderId"] == transaction
    assert members["noteToBuyer"] == note
    assert members["amount"] == str(amount)
    assert members["accountingType"] == ("1" if recurring else "0")
    assert all(isinstance(value, str) for value in members.values())
    assert given_hash == expected_hash(params, secret)
    assert request == adapter.request(call)
