"""Whose payments these are: no adapter is ever asked about another account's.

Two merchants, red and blue, have one store. What red's gateway holds, blue's knows
nothing of; were it asked, "nothing" would end what the other has carried out.
"""

import pytest

from kessai import MemoryStore, SQLiteStore
from kessai.audit.verification.verify import verify
from kessai.errors import (
    AccountUnknown,
    InvalidCommand,
    InvalidInput,
    NotificationRefused,
)

RED, BLUE = "red/test", "blue/test"


@pytest.fixture(params=["memory", "sqlite"])
def both(request, tmp_path):
    """One store of both merchants; what is written there holds."""
    store = MemoryStore()
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "both.db")
    yield store
    assert verify(store).holds
    store.close()


@pytest.fixture
def reds(firm, street):
    """Red's order system, with a payment of 1000 whose refund's reply was lost."""
    reds = firm(RED)
    reds.asks("authorize", 1000)
    reds.asks("capture")
    red = street.gateways[RED]
    red.answers = [red.loses]
    assert reds.asks("refund", 400).status == "unknown"
    reds.clock.passes(hours=1)
    return reds


def test_a_recoverer_is_handed_only_what_its_accounts_hold(reds, firm, street):
    assert firm(BLUE).recover() == []
    assert street.commands(BLUE) == []
    assert [answer.status for answer in reds.recover()] == ["succeeded"]
    assert reds.transaction().amounts["refunded"] == 400


def test_what_one_has_lost_the_other_never_declines(reds, firm):
    firm(BLUE).recover()
    denied = reds.asks("refund", 700, key="more")
    assert denied.denial.codes == ("amount_above_maximum",)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("reconcile", ()),
        ("sweep", ()),
        ("recover_transaction", ()),
        ("resume", ({"token": "t"},)),
    ],
)
def test_nothing_is_asked_about_another_accounts_payment(  # noqa: PLR0917
    reds, firm, street, both, name, given
):
    reds.clock.passes(days=40)
    before = both.records("order-1")
    with pytest.raises(AccountUnknown, match=f"order-1.*{RED}.*known are: {BLUE}"):
        firm(BLUE).call(name, "order-1", *given)
    assert street.commands(BLUE) == []
    assert both.records("order-1") == before


def test_no_command_is_carried_out_on_another_accounts_payment(
    reds, firm, street, both
):
    before = both.records("order-1")
    for again in ("capture", "authorize"):
        with pytest.raises(AccountUnknown):
            firm(BLUE).asks(again, 1000, key="another")
    assert street.commands(BLUE) == []
    assert both.records("order-1") == before


def test_the_answer_to_a_known_key_needs_no_account(reds, firm, street):
    again = firm(BLUE).asks("authorize", 1000)
    assert (again.status, again.is_recorded) == ("succeeded", True)
    assert street.commands(BLUE) == []


def test_one_engine_acts_on_each_payment_with_its_own_adapter(firm, street):
    firm = firm(RED, BLUE)
    firm.asks("authorize", 100, of="r", account=RED)
    firm.asks("authorize", 200, of="b", account=BLUE)
    firm.asks("capture", of="r")
    firm.asks("capture", of="b", account=BLUE)
    assert street.commands(RED) == street.commands(BLUE) == ["authorize", "capture"]
    assert firm.transaction("r").account == RED
    assert firm.transaction("b").account == BLUE


def test_one_recoverer_may_look_after_several_accounts(firm, street):
    firm = firm(RED, BLUE)
    for account in (RED, BLUE):
        gateway = street.gateways[account]
        gateway.answers = [gateway.loses]
        firm.asks("authorize", 100, of=account[0], account=account)
    firm.clock.passes(hours=1)
    assert [answer.status for answer in firm.recover()] == ["succeeded"] * 2


def test_who_opens_a_payment_says_in_which_of_several_accounts(firm, both, street):
    with pytest.raises(AccountUnknown, match=f"must be named.*{RED}, {BLUE}"):
        firm(RED, BLUE).asks("authorize", 100)
    with pytest.raises(AccountUnknown, match=f"green.*{RED}"):
        firm(RED).asks("authorize", 100, account="green")
    assert both.records("order-1") == []
    assert street.commands(RED) == []


def test_a_command_that_names_another_account_than_its_payments_is_refused(
    firm, both, street, command
):
    firm = firm(RED, BLUE)
    firm.asks("authorize", 100, account=RED)
    with pytest.raises(InvalidCommand, match=f"order-1 belongs to {RED}, not to"):
        firm.asks("capture", account=BLUE)
    with pytest.raises(InvalidCommand, match=f"order-1 belongs to {RED}, not to"):
        firm.call("preview", command("capture", account=BLUE))
    assert len(both.records("order-1")) == 2
    assert street.commands(BLUE) == []


def test_a_charge_is_made_in_its_agreements_account(firm, street):
    firm = firm(RED, BLUE)
    firm.asks("authorize", 900, of="consent", lifecycle="recurring", account=BLUE)
    charge = {"of": "charge", "lifecycle": "charge", "agreement": "consent"}
    with pytest.raises(InvalidCommand, match=f"consent belongs to {BLUE}"):
        firm.asks("reauthorize", 100, **charge, account=RED)
    assert firm.asks("reauthorize", 100, **charge).status == "succeeded"
    assert firm.transaction("charge").account == BLUE
    assert street.commands(RED) == []


def test_no_charge_is_made_where_its_agreements_account_is_not_known(firm, both):
    firm(BLUE).asks("authorize", 900, of="consent", lifecycle="recurring")
    with pytest.raises(AccountUnknown):
        firm(RED).asks("reauthorize", 100, of="charge", agreement="consent")
    assert both.records("charge") == []


def test_the_same_key_with_another_account_is_another_request(firm):
    firm = firm(RED, BLUE)
    firm.asks("authorize", 100, account=RED, key="k")
    again = firm.asks("authorize", 100, account=BLUE, key="k")
    assert again.denial.codes == ("key_conflict",)


def test_a_notification_says_nothing_of_another_accounts_payment(reds, firm, both):
    before = both.records("order-1")
    with pytest.raises(NotificationRefused, match=f"order-1 is not of {BLUE}"):
        firm(BLUE).notified("refund")
    with pytest.raises(NotificationRefused, match=f"order-1 is not of {BLUE}"):
        firm(RED, BLUE).notified("refund", account=BLUE)
    assert both.records("order-1") == before


def test_each_of_several_accounts_has_an_endpoint_of_its_own(reds, firm):
    firm = firm(RED, BLUE)
    with pytest.raises(AccountUnknown, match="one must be named"):
        firm.notified("refund")
    firm.notified("refund", account=RED)
    assert firm.transaction().amounts["refunded"] == 400


def test_an_operator_may_resolve_what_no_adapter_is_there_for(reds, firm):
    reds.clock.passes(hours=1)
    (operation,) = reds.transaction().operations
    found = {"evidence": "the bank says so", "actor": "sato"}
    answer = firm().call("resolve", "order-1", operation, "declined", **found)
    assert answer.status == "declined"


def test_no_two_adapters_are_for_one_account(firm):
    with pytest.raises(InvalidInput, match=f"two are for the account {RED}"):
        firm(RED, RED)


@pytest.mark.parametrize("account", ["", "a\nb", "x" * 256])
def test_an_account_is_a_text_of_one_line(firm, account):
    with pytest.raises(InvalidInput, match="its account is no text of one line"):
        firm(account)
