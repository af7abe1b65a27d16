"""Acting on a transaction by hand: what is sent, what is shown, how it exits."""

import re

import pytest

from kessai_adapters.emulators import Fault
from kessai_adapters.emulators.veritrans4g import OwnFault
from kessai_adapters.veritrans4g.local import LocalGateway

AUTHORIZE = ("authorize", "--lifecycle", "one_time", "--amount", "1000")


@pytest.fixture
def do(kessai, database):
    """Act on the order `one`."""

    def act(*arguments):
        return kessai("tx", "do", "one", *arguments, "--db", database.path)

    return act


@pytest.fixture
def gateway(monkeypatch):
    """Set how the emulator behaves in the commands to come."""
    make = LocalGateway.__init__

    def behave(*faults, **wishes):
        def made(self, **options):
            make(self, **options | wishes)
            for fault in faults:
                self.emulator.misbehave(fault)

        monkeypatch.setattr(LocalGateway, "__init__", made)

    return behave


def test_an_opening_is_inquired_about_and_shown_as_it_stands(do):
    result = do(*AUTHORIZE, "--json")

    assert result.code == 0
    assert result.json["status"] == "succeeded"
    assert result.json["transaction"]["states"] == {"payment": "authorized"}


def test_a_key_is_made_up_and_shown_before_anything_is_sent(do):
    result = do(*AUTHORIZE, "--json")

    assert result.err.splitlines()[0] == f"key: {result.json['key']}"
    assert len(result.json["key"]) == 36


def test_a_currency_may_be_named_and_another_than_the_lifecycles_is_denied(do):
    denied = do(*AUTHORIZE, "--currency", "USD", "--lang", "en")
    assert denied.code == 3
    assert "The currency must be JPY, not USD." in denied.out
    assert do(*AUTHORIZE, "--currency", "JPY").code == 0
    assert do("capture", "--currency", "USD").code == 3
    assert do("capture", "--currency", "yen").code == 2


def test_the_same_key_gives_the_recorded_answer_and_sends_nothing(do, database):
    do(*AUTHORIZE)
    first = do("capture", "--amount", "900", "--key", "k", "--lang", "en")
    sent = database.exchanges()

    again = do("capture", "--amount", "900", "--key", "k", "--lang", "en")

    assert (first.code, again.code) == (0, 0)
    assert "recorded answer" not in first.out
    assert "recorded answer of that key; nothing was sent" in again.out
    assert database.exchanges() == sent


def test_a_denial_gives_every_reason_and_exits_3(do, database):
    do(*AUTHORIZE)
    sent = database.exchanges()

    result = do("capture", "--amount", "1001", "--lang", "en")

    assert result.code == 3
    assert "above the largest possible, 1,000 JPY. [amount_above_maximum" in result.out
    assert database.exchanges() == sent


def test_a_decline_of_the_gateway_exits_3(do, gateway):
    do(*AUTHORIZE)
    gateway(OwnFault.REFUSE)

    result = do("capture", "--json")

    assert result.code == 3
    assert result.json["status"] == "declined"


@pytest.fixture
def unreachable(monkeypatch):
    """The gateway, at an address where nothing listens."""
    local = LocalGateway()
    for name, value in local.environment("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    local.close()
    return ("--gateway", "veritrans4g", "--key", "k", "--lang", "en")


def test_what_never_left_is_no_decline_and_says_what_may_follow(
    kessai, do, unreachable, database
):
    for is_again in (False, True):
        shown = do(*AUTHORIZE, *unreachable)
        assert shown.code == 3
        assert "never sent: the gateway was not reached; nothing moved" in shown.out
        assert "open it under another id with a new key" in shown.out
        assert "declined" not in shown.out
        assert ("This is the recorded answer" in shown.out) == is_again
    trail = kessai("tx", "show", "one", "--events", "--db", database.path)
    assert "never sent" in trail.out
    assert "declined" not in trail.out


def test_an_amount_beyond_all_amounts_is_refused_with_the_most_there_is(do):
    for amount in ("99999999999999999999", "9" * 5000, str(10**15)):
        refused = do(*AUTHORIZE[:-1], amount)
        assert refused.code == 2
        assert "the most is 999,999,999,999,999 minor units" in refused.err


def test_nobody_is_said_to_have_given_an_amount_that_nobody_gave(do, gateway):
    gateway(OwnFault.REFUSE)
    assert do(*AUTHORIZE).code == 3
    late = do("capture", "--lang", "en").out
    assert "The amount would be 0 JPY; the smallest possible is 1 JPY." in late


@pytest.mark.parametrize("typed", ["refnd", "authorise"])
def test_a_command_misspelt_is_answered_with_what_may_be_meant(do, typed):
    meant = {"refnd": "refund", "authorise": "authorize"}[typed]
    assert f"did you mean '{meant}'?" in do(typed).err


def test_a_refund_tells_what_is_left_as_an_amount(do):
    do(*AUTHORIZE)
    do("capture", "--amount", "1000")
    assert re.search(
        r"返金可能額\s+900 JPY", do("refund", "--amount", "100", "--lang", "ja").out
    )
    shown = do("refund", "--amount", "100", "--lang", "en").out
    assert re.search(r"Still refundable\s+800 JPY", shown)
    assert "refundable " not in shown.replace("Still refundable ", "")


def test_a_consumer_who_has_not_approved_is_to_be_sent_on_and_exits_4(do, gateway):
    gateway(approve="ask")

    result = do(*AUTHORIZE, "--key", "k", "--lang", "en")
    again = do(*AUTHORIZE, "--key", "k", "--json")

    assert result.code == again.code == 4
    assert "The consumer must be sent on to the gateway" in result.out
    assert "<html" not in result.out


def test_the_page_for_the_consumer_is_disclosed_to_programs_alone(do, gateway):
    gateway(approve="ask")

    result = do(*AUTHORIZE, "--json")

    assert result.json["disclosed"]["page"].startswith("<!DOCTYPE html>")


@pytest.fixture
def abandon(kessai, database):
    """End the checkout of the order `one`."""

    def act(*arguments):
        return kessai("tx", "abandon", "one", *arguments, "--db", database.path)

    return act


def test_a_page_that_cannot_be_had_again_is_said_to_be_and_the_checkout_can_be_ended(
    do, gateway, abandon
):
    gateway(approve="ask")
    do(*AUTHORIZE, "--key", "k")

    again = do(*AUTHORIZE, "--key", "k", "--lang", "en")
    asked = do(*AUTHORIZE, "--key", "k", "--json").json
    ended = abandon("--lang", "en")

    assert "kessai tx abandon ID" in again.out
    assert (asked["page_lost"], asked["disclosed"]) == (True, {})
    assert (ended.code, "(abandoned)" in ended.out) == (0, True)
    assert abandon("--json").json["transaction"]["states"] == {"payment": "failed"}


def test_a_checkout_that_was_approved_by_then_is_not_ended(do, abandon):
    do(*AUTHORIZE)

    result = abandon("--json")

    assert (result.code, result.json["status"]) == (3, "succeeded")


def test_a_checkout_of_which_the_gateway_says_nothing_stays_open(do, gateway, abandon):
    gateway(approve="ask")
    do(*AUTHORIZE)
    gateway(Fault.HTTP_503, approve="ask")

    result = abandon("--lang", "en")

    assert result.code == 4
    assert "It stays open" in result.out


def test_a_lost_reply_is_inquired_about_at_once(do, gateway, database):
    do(*AUTHORIZE)
    gateway(Fault.LOSE_REPLY)

    result = do("capture", "--json")

    assert (result.code, result.json["status"]) == (0, "succeeded")
    captures = [e for e in database.exchanges() if e[1] == "Capture"]
    assert len(captures) == 1


def test_what_not_even_an_inquiry_resolves_exits_4_and_the_key_asks_again(do, gateway):
    do(*AUTHORIZE)
    gateway(Fault.LOSE_REPLY, Fault.LOSE_REPLY)
    lost = do("capture", "--key", "k", "--json")

    gateway()
    again = do("capture", "--key", "k", "--json")

    assert (lost.code, lost.json["status"]) == (4, "unknown")
    assert (again.code, again.json["status"]) == (0, "succeeded")


def test_an_address_is_shown_because_it_was_asked_for(do):
    do(*AUTHORIZE)

    shown = do("get_address", "--lang", "en")
    data = do("get_address", "--json")

    assert "見本県" in shown.out
    assert "Shipping prefecture" in shown.out
    assert "shipping_prefecture" not in shown.out
    assert data.json["disclosed"]["address"]["shipping_prefecture"] == "見本県"


def test_what_an_address_holds_cannot_move_a_terminals_cursor(do, monkeypatch):
    monkeypatch.setitem(
        __import__(
            "kessai_adapters.emulators.veritrans4g.commands", fromlist=["_"]
        )._SHIPPING,
        "shippingName",
        "\x1b[2Jgone",
    )
    do(*AUTHORIZE)

    shown = do("get_address").out

    assert "\x1b" not in shown
    assert "[2Jgone" in shown


def test_a_dry_run_asks_only(do, database):
    do(*AUTHORIZE)
    before = database.events(), database.answers(), database.exchanges()

    allowed = do("capture", "--amount", "1000", "--dry-run", "--lang", "en")
    denied = do("capture", "--amount", "1001", "--dry-run", "--json")

    assert allowed.code == 0
    assert "Nothing was sent or written." in allowed.out
    assert "key:" not in allowed.err
    assert denied.code == 3
    assert denied.json["allowed"] is False
    assert denied.json["denial"]["bounds"]["maximum"] == 1000
    assert (database.events(), database.answers(), database.exchanges()) == before


def test_a_whole_agreement_by_hand(kessai, database):
    def do(transaction, *arguments):
        where = ("--db", database.path, "--json")
        return kessai("tx", "do", transaction, *arguments, *where)

    monthly = ("--lifecycle", "recurring", "--frequency", "Month:1", "--amount", "500")
    assert do("sub", "authorize", *monthly, "--param", "consent_only=true").code == 0
    assert do("chg", "reauthorize", "--agreement", "sub", "--amount", "300").code == 0
    new_terms = (
        "--amount",
        "600",
        "--param",
        "frequency=Week:2",
        "--param",
        "note=a=b",
    )
    assert do("sub", "update_consent", *new_terms).code == 0
    assert do("sub", "terminate", "--param", "reason=moved").code == 0

    late = do("chg2", "reauthorize", "--agreement", "sub", "--amount", "300")

    assert late.code == 3
    assert late.json["denial"]["reasons"][0]["code"] == "agreement_state"


@pytest.mark.parametrize(
    "amount",
    ["1_000", "1,000", "+5", "-5", "1e3", "12.5", " 5", "１００", "¥5", ""],
)
def test_an_amount_is_plain_digits_and_nothing_else(do, amount, database):
    result = do("authorize", "--lifecycle", "one_time", f"--amount={amount}")

    assert result.code == 2
    assert "plain digits" in result.err
    assert not database.path.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fly",), "'fly' is not a command"),
        (("authorize", "--amount", "5"), "authorize needs one of"),
        (("authorize", "--lifecycle", "weekly"), "lifecycle: 'weekly' is not known"),
        (("capture", "--param", "note"), "give a name and a value"),
        (("capture", "--param", "=x"), "give a name and a value"),
        (("capture", "--param", "note=a", "--param", "note=b"), "given twice"),
        (("capture", "--param", "with_capture=yes"), "true or false"),
        (("capture", "--frequency", "monthly"), "such as Month:1"),
        (("capture", "--frequency", "Month:0.5"), "such as Month:1"),
        (("capture", "--key", ""), "key: must be"),
        (("capture", "--amount", "9" * 16), "the most is 999,999,999,999,999"),
    ],
)
def test_what_cannot_be_understood_is_reported_and_sends_nothing(
    do, database, arguments, message
):
    result = do(*arguments)

    assert result.code == 2
    assert message in result.err
    assert not database.path.exists()


def test_a_parameter_that_no_lifecycle_has_is_denied_not_dropped(do):
    do(*AUTHORIZE)

    result = do("capture", "--param", "colour=red", "--json")

    assert result.code == 3
    assert result.json["denial"]["reasons"][0]["code"] == "parameter_not_taken"


def test_two_at_once_on_one_emulator_are_asked_to_wait(do, database, monkeypatch):
    do(*AUTHORIZE)
    monkeypatch.setattr("kessai_adapters.emulators.shelf._PATIENCE_SECONDS", 0.01)
    books = database.path.with_name("orders.db.gateway")
    other = LocalGateway(books=books)
    try:
        result = do("capture")
    finally:
        other.close()

    assert result.code == 2
    assert "cannot be opened" in result.err
