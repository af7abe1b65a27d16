"""What holds of every call: keys, credentials, problems, and what goes wrong on the way."""

import base64

import pytest

from kessai_adapters.emulators import NoReply
from kessai_adapters.emulators.payjp import DEFAULT_KEY, KEYS_LAST, Emulator

ASKED = {"amount": 500, "currency": "jpy"}


def made(shop):
    return len(shop.get("payment_flows?limit=100")["data"])


def test_the_same_request_under_the_same_key_gets_the_first_answer(shop):
    first = shop.post("payment_flows", "k-1", **ASKED)
    assert shop.post("payment_flows", "k-1", **ASKED) == first
    assert made(shop) == 1


def test_another_request_under_the_same_key_is_a_conflict(shop):
    shop.post("payment_flows", "k-1", **ASKED)
    problem = shop.post("payment_flows", "k-1", amount=501, currency="jpy")
    assert (shop.status, problem["code"]) == (409, "idempotency_conflict")
    assert made(shop) == 1


def test_a_key_is_forgotten_after_a_while(shop):
    shop.post("payment_flows", "k-1", **ASKED)
    shop.clock.now += KEYS_LAST
    shop.post("payment_flows", "k-1", **ASKED)
    assert made(shop) == 2


@pytest.mark.parametrize("key", ["order.1", "a:b", "", "k" * 256])
def test_a_key_is_letters_digits_and_two_signs(shop, key):
    problem = shop.post("payment_flows", key, **ASKED)
    assert (shop.status, problem["code"]) == (400, "invalid_idempotency_key")
    assert made(shop) == 0


def test_a_key_whose_first_request_still_runs_can_be_asked_again(shop, emulator):
    emulator.misbehave("idempotency_timeout")
    problem = shop.post("payment_flows", "k-1", **ASKED)
    assert (shop.status, problem["code"]) == (409, "idempotency_timeout")
    assert shop.post("payment_flows", "k-1", **ASKED)["object"] == "payment_flow"
    assert made(shop) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [("idempotency_infrastructure_error", 503), ("over_capacity", 429)],
)
def test_what_is_turned_away_is_not_carried_out(shop, emulator, fault, status):
    emulator.misbehave(fault)
    problem = shop.post("payment_flows", "k-1", **ASKED)
    assert (shop.status, problem["code"]) == (status, fault)
    assert made(shop) == 0


def test_a_lost_reply_is_answered_again_under_its_key(shop, emulator):
    emulator.misbehave("lose_reply")
    with pytest.raises(NoReply):
        shop.post("payment_flows", "k-1", **ASKED)
    shop.post("payment_flows", "k-1", **ASKED)
    assert made(shop) == 1


def test_the_secret_key_opens_by_bearer_and_by_basic(shop):
    basic = base64.b64encode(f"{DEFAULT_KEY}:".encode()).decode()
    shop.ask("GET", "customers", Authorization=f"Basic {basic}")
    assert shop.status == 200
    for wrong in ("", "Bearer sk_test_another", "Basic !"):
        shop.ask("GET", "customers", Authorization=wrong)
        assert shop.status == 401


def test_problems_are_problem_json(shop, emulator):
    shop.get("payment_flows/pfw_none")
    assert shop.status == 404
    headers = {"Authorization": f"Bearer {DEFAULT_KEY}"}
    reply = emulator.handle("GET", "/v2/payment_flows/pfw_none", headers, b"")
    assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"amount": 500, "nonsense": 1}'])
def test_what_is_no_request_is_refused(emulator, body):
    headers = {"Authorization": f"Bearer {DEFAULT_KEY}"}
    reply = emulator.handle("POST", "/v2/payment_flows", headers, body)
    assert reply.status == 422


def test_metadata_has_twenty_members_of_500_characters(shop):
    good = {f"k{n}": "v" * 500 for n in range(20)}
    assert shop.post("payment_flows", metadata=good, **ASKED)["metadata"] == good
    for bad in ({**good, "more": "v"}, {"k": "v" * 501}):
        shop.post("payment_flows", metadata=bad, **ASKED)
        assert shop.status == 422
    assert shop.post("payment_flows", metadata={"k": ""}, **ASKED)["metadata"] == {}


def test_the_books_are_there_after_a_restart(tmp_path, clock):
    path = tmp_path / "payjp.db"
    headers = {"Authorization": f"Bearer {DEFAULT_KEY}"}
    with Emulator(clock=clock, books=path) as first:
        made = first.handle("POST", "/v2/customers", headers, b"{}").body
    with Emulator(clock=clock, books=path) as second:
        listed = second.handle("GET", "/v2/customers", headers, b"").body
        assert made in listed
        second.handle("POST", "/v2/customers", headers, b"{}")
        assert len(second.books) == 4  # two customers, each with its event
