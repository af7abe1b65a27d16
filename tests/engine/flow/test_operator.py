"""What an operator finds out by hand: evidence with a name and a reason."""

import pytest

from kessai import Status
from kessai.audit import verify
from kessai.errors import InvalidInput
from kessai.flow import Change
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Closed, append

FOUND = {"evidence": "the portal shows it", "actor": "sato"}


@pytest.fixture
def unknown(shop, gateway, lost):
    """A capture that nobody knows the outcome of."""
    shop.asks("authorize", 100)
    gateway.answers = [lost]
    shop.asks("capture", 60, key="c")
    return shop


def differs(shop):
    """The gateway lists a capture, but not of what was asked for."""
    shop.gateway.listed["order-1"].append(("capture", "succeeded", 59))
    shop.call("reconcile", "order-1")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("succeeded", "payment.captured"), ("declined", "payment.authorized")],
)
def test_an_operator_ends_what_no_inquiry_could(unknown, outcome, state):
    answer = unknown.call("resolve", "order-1", "order-1.3", outcome, **FOUND)
    assert (answer.status, unknown.status) == (outcome, state)
    assert answer.evidence.source is Source.OPERATOR
    assert (answer.evidence.actor, answer.evidence.note) == ("sato", FOUND["evidence"])
    again = unknown.asks("capture", 60, key="c")
    assert (again.status, again.is_recorded) == (outcome, True)
    assert verify(unknown.store).holds


def test_what_an_operator_resolved_is_not_resolved_again(unknown, store):
    """A word against what has ended already changes nothing."""
    unknown.call("resolve", "order-1", "order-1.3", "declined", **FOUND)
    before = unknown.transaction()
    with pytest.raises(InvalidInput, match=r"no operation 'order-1\.3' is open"):
        unknown.call("resolve", "order-1", "order-1.3", "succeeded", **FOUND)
    assert unknown.transaction() == before


@pytest.mark.parametrize("outcome", ["pending", "won", ""])
def test_only_an_end_resolves_an_operation(unknown, outcome):
    with pytest.raises(InvalidInput, match="must be 'succeeded' or 'declined'"):
        unknown.call("resolve", "order-1", "order-1.3", outcome, **FOUND)
    assert unknown.transaction().operations


def test_what_is_still_being_sent_is_not_resolved_by_hand(hand, command, clock, shop):
    def stop():
        raise KeyboardInterrupt

    hand.execute(command("authorize", 100))
    hand.before = {3: stop}
    with pytest.raises(KeyboardInterrupt):
        hand.execute(command("capture", 60))
    clock.passes(seconds=149)
    with pytest.raises(InvalidInput, match="its caller still waits"):
        shop.call("resolve", "order-1", "order-1.3", "succeeded", **FOUND)
    clock.passes(seconds=1)
    answer = shop.call("resolve", "order-1", "order-1.3", "declined", **FOUND)
    assert answer.status is Status.DECLINED


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"actor": " "}, "actor: must be 1 to 100"),
        ({"actor": "a" * 101}, "actor: must be"),
        ({"evidence": ""}, "evidence: must be 1 to 2000"),
        ({"evidence": "a\x00b"}, "evidence: must be"),
        ({"evidence": "a\ud800b"}, "evidence: must be"),
    ],
)
def test_who_found_it_out_and_how_must_be_stated(unknown, found, message):
    before = len(unknown.store.records("order-1"))
    with pytest.raises(InvalidInput, match=message):
        unknown.call(
            "resolve", "order-1", "order-1.3", "succeeded", **{**FOUND, **found}
        )
    assert len(unknown.store.records("order-1")) == before


def test_a_discrepancy_is_shown_until_an_operator_resolves_it(unknown):
    differs(unknown)
    (number,) = unknown.transaction().discrepancies
    unknown.recover()
    assert unknown.transaction().discrepancies.keys() == {number}
    assert verify(unknown.store).discrepancies.count == 1
    after = unknown.call("close_discrepancy", "order-1", number, **FOUND)
    assert after.discrepancies == {}
    report = verify(unknown.store)
    assert report.holds
    assert report.discrepancies.count == 0


@pytest.mark.parametrize("number", [1, 99])
def test_only_an_open_discrepancy_can_be_resolved(unknown, number):
    with pytest.raises(InvalidInput, match="is no open discrepancy; open: none"):
        unknown.call("close_discrepancy", "order-1", number, **FOUND)


def test_evidence_about_what_never_came_to_be_can_be_resolved_too(shop):
    shop.notification("capture", "succeeded", 10, of="nobody")
    transaction = shop.store.load(None, "nobody", None).transaction
    assert list(transaction.discrepancies) == [1]
    after = shop.call("close_discrepancy", "nobody", 1, **FOUND)
    assert after.discrepancies == {}
    assert verify(shop.store).holds


def test_a_resolution_that_nobody_signed_is_found_by_the_audit(unknown, store):
    differs(unknown)
    transaction = store.load(None, "order-1", None).transaction
    machine = next(m for m in unknown.engine.machines if m.name == "one_time")
    anonymous = Evidence(
        source=Source.OPERATOR,
        transaction="order-1",
        command=None,
        outcome=Outcome.SUCCEEDED,
    )
    event = Closed(unknown.clock.now, min(transaction.discrepancies), anonymous)
    after, record = append(machine, transaction, event)
    store.append(Change(transaction=after, records=(record,)))
    (fault,) = verify(store).faults.first
    assert (fault.number, fault.code) == (after.version, "not_allowed")


def test_reconciling_finds_what_the_trail_does_not_know(unknown, gateway):
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    dry = unknown.call("reconcile", "order-1", record=False)
    assert [type(event).__name__ for event in dry.events] == ["Reported"]
    assert unknown.status == "payment.authorized"
    finding = unknown.call("reconcile", "order-1")
    assert finding.events[0].outcome == "succeeded"
    assert unknown.status == "payment.captured"
    assert unknown.call("reconcile", "order-1").events == ()


def test_reconciling_finds_what_only_the_trail_knows(shop, gateway):
    shop.asks("authorize", 100)
    shop.asks("capture", 60)
    gateway.listed["order-1"].pop()
    finding = shop.call("reconcile", "order-1")
    assert [(u.command, u.amount) for u in finding.unconfirmed] == [("capture", 60)]


def test_what_the_gateway_does_not_answer_is_not_reconciled(shop, gateway, lost):
    shop.asks("authorize", 100)
    gateway.answers = [lost]
    assert not shop.call("reconcile", "order-1").readable
    assert not shop.call("reconcile", "nobody", record=False).readable


def test_nothing_lapses_before_the_gateway_was_asked(shop, gateway, clock, lost):
    """It may have captured in its portal, and the notification was lost."""
    shop.asks("authorize", 100)
    clock.passes(days=31)
    gateway.answers = [lost]
    assert shop.call("sweep", "order-1").status == "payment.authorized"
    gateway.listed["order-1"].append(("capture", "succeeded", 100))
    assert shop.call("sweep", "order-1").status == "payment.captured"
    assert shop.transaction().discrepancies == {}
