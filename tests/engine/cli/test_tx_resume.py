"""Sending on, from the command line, what a consumer came back with."""

import shlex
from contextlib import closing

import pytest

from kessai.cli.terminal.gateways import local_gateway


@pytest.fixture
def served(monkeypatch):
    """Amazon Pay's emulator behind a port, for the commands to come."""
    with (
        closing(local_gateway(name="amazon_pay", approve="ask")) as local,
        local.serve(port=0) as server,
    ):
        for variable, value in local.environment(server.url).items():
            monkeypatch.setenv(variable, value)
        yield local


@pytest.fixture
def tx(kessai, tmp_path):
    """Ask for something of the order `one` at Amazon Pay."""

    def act(command, *arguments):
        given = ("--gateway", "amazon_pay", "--db", tmp_path / "a.db")
        return kessai("tx", command, "one", *arguments, *given)

    return act


@pytest.fixture
def opened(served, tx):
    """The id of the session that the order `one` has opened."""
    done = tx("do", *shlex.split(served.example), "--json")
    assert done.code == 4
    return done.json["disclosed"]["checkout_session"]


def test_a_buyer_comes_back_and_the_order_is_paid_for(served, tx, opened):
    brought = ("--param", f"amazonCheckoutSessionId={opened}")

    served.emulator.consumer.approve("one")
    paid = tx("resume", *brought, "--json")
    again = tx("resume", *brought, "--lang", "en")

    assert (paid.code, paid.json["status"]) == (0, "succeeded")
    assert paid.json["transaction"]["states"] == {"payment": "authorized"}
    assert (again.code, "succeeded" in again.out) == (0, True)
    assert tx("do", "capture").code == 0


def test_a_buyer_who_left_is_declined(served, tx, opened):
    served.emulator.consumer.decline("one")

    result = tx("resume", "--param", f"amazonCheckoutSessionId={opened}", "--json")

    assert (result.code, result.json["status"]) == (3, "declined")


def test_what_is_of_another_session_is_refused_and_not_shown(tx, opened):
    assert opened
    result = tx("resume", "--param", "amazonCheckoutSessionId=of-another")

    assert result.code == 2
    assert "must be the id of this payment's checkout session" in result.err
    assert "of-another" not in result.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "Missing option '--param'"),
        (("--param", "token-1"), "give a name and a value"),
        (("--param", "a=1", "--param", "a=2"), "given twice"),
    ],
)
def test_what_has_no_name_or_two_values_is_refused_and_not_shown(tx, given, message):
    result = tx("resume", *given)

    assert result.code == 2
    assert message in result.err
    assert "token-1" not in result.err


def test_a_gateway_that_takes_nothing_of_the_kind_says_so(kessai, tmp_path):
    asked = ("--gateway", "emulator/stripe", "--db", tmp_path / "a.db")
    given = ("--lifecycle", "card", "--amount", "1200", "--currency", "JPY")
    opened = kessai("tx", "do", "two", "authorize", *given, *asked)
    assert opened.code == 4, opened.err

    result = kessai("tx", "resume", "two", "--param", "a=b", *asked)

    assert result.code == 2
    assert "nothing that a consumer brings back is sent on" in result.err
