"""Forgetting: personal texts are gone, and all that holds the trail together is there."""

import pytest

from kessai import Status
from kessai.audit import verify
from kessai.errors import InvalidInput, UnknownTransaction
from kessai.flow import forget
from kessai.machine import Begun, Closed, Forgotten, Reported, read_events
from kessai.machine.forgotten import FORGOTTEN

WHY = {"reason": "asked for by the consumer", "actor": "sato"}
GIFT, SEEN = "for Ms Matsumoto", "Ms Matsumoto has called"


@pytest.fixture
def paid(shop, gateway, lost):
    """A capture with a note of the consumer's, resolved by a talkative operator."""
    shop.asks("authorize", 100, note=GIFT)
    gateway.answers = [lost]
    shop.asks("capture", 60, key="c")
    shop.call(
        "resolve", "order-1", "order-1.3", "succeeded", evidence=SEEN, actor="ono"
    )
    return shop


def stored(store):
    """All that is kept of anything, as text."""
    kept = [*store.trails(), *store.answers(), *store.transactions()]
    return repr(kept) + repr(
        [record.body for _, trail in store.trails() for record in trail]
    )


def test_the_texts_are_gone_and_the_rest_is_as_it_was(paid, store):
    before = paid.transaction()
    (found,) = paid.call("forget", "order-1", **WHY)
    assert found.fields == {1: ("note",), 5: ("actor", "note")}
    assert (found.transaction, found.recorded) == ("order-1", 6)
    assert "Matsumoto" not in stored(store)
    assert "'ono'" not in stored(store)
    after = paid.transaction()
    assert (after.amounts, after.states, after.changed_at) == (
        before.amounts,
        before.states,
        before.changed_at,
    )
    assert verify(store).holds


def test_who_forgot_what_and_why_is_in_the_trail(paid, store, clock):
    paid.call("forget", "order-1", **WHY)
    begun, _, _, _, reported, forgotten = read_events(store.records("order-1"))
    assert isinstance(begun, Begun)
    assert begun.operation.parameters == {"note": FORGOTTEN}
    assert isinstance(reported, Reported)
    assert (reported.evidence.note, reported.evidence.actor) == (FORGOTTEN, FORGOTTEN)
    assert isinstance(forgotten, Forgotten)
    assert (forgotten.at, forgotten.actor) == (clock.now, "sato")
    assert forgotten.note == WHY["reason"]
    assert list(forgotten.events) == ["1", "5"]


def test_a_key_still_has_its_answer_and_no_second_effect(paid, gateway):
    paid.call("forget", "order-1", **WHY)
    sent = len(gateway.sent)
    again = paid.asks("authorize", 100, note=GIFT)
    assert (again.status, again.is_recorded) == (Status.SUCCEEDED, True)
    again = paid.asks("capture", 60, key="c")
    assert (again.status, again.evidence.note) == (Status.SUCCEEDED, FORGOTTEN)
    assert paid.asks("authorize", 100, note="another").status is Status.DENIED
    assert len(gateway.sent) == sent


def test_a_payment_goes_on_after_its_texts_were_forgotten(paid, gateway, store):
    """What reads the trail (inquiries, recovery) reads what is left of it."""
    paid.call("forget", "order-1", **WHY)
    gateway.listed["order-1"].append(("refund", "succeeded", 10))
    paid.call("reconcile", "order-1")
    assert paid.transaction().amounts["refunded"] == 10
    gateway.answers = [gateway.loses]
    paid.asks("refund", 20)
    paid.clock.passes(hours=1)
    paid.recover()
    assert paid.transaction().amounts["refunded"] == 30
    assert verify(store).holds


def test_forgetting_twice_records_once(paid, store):
    paid.call("forget", "order-1", **WHY)
    before = store.records("order-1")
    (again,) = paid.call("forget", "order-1", **WHY)
    assert (again.fields, again.recorded) == ({}, None)
    assert store.records("order-1") == before


def test_what_was_written_later_is_forgotten_later(paid, gateway, store):
    paid.call("forget", "order-1", **WHY)
    gateway.listed["order-1"].append(("cancel", "succeeded", None))
    paid.call("reconcile", "order-1")
    (number,) = paid.transaction().discrepancies
    paid.call("close_discrepancy", "order-1", number, evidence=SEEN, actor="ono")
    (found,) = paid.call("forget", "order-1", **WHY)
    assert found.fields == {number + 1: ("actor", "note")}
    closed = list(read_events(store.records("order-1")))[number]
    assert isinstance(closed, Closed)
    assert "Matsumoto" not in stored(store)
    assert verify(store).holds


def test_a_trial_shows_what_would_go_and_writes_nothing(paid, store):
    before = store.records("order-1")
    (found,) = paid.call("forget", "order-1", reason="", actor="", dry_run=True)
    assert (found.fields, found.recorded) == (
        {1: ("note",), 5: ("actor", "note")},
        None,
    )
    assert store.records("order-1") == before


def test_an_open_operation_may_need_its_texts(shop, gateway, lost, store):
    """A resend is the same request, or none."""
    gateway.answers = [lost]
    shop.asks("authorize", 100, note=GIFT)
    with pytest.raises(InvalidInput, match=r"order-1: order-1\.1 is open"):
        shop.call("forget", "order-1", **WHY)
    assert GIFT.encode() in store.records("order-1")[0].body


@pytest.mark.parametrize("missing", WHY)
def test_nobody_forgets_without_a_name_and_a_reason(paid, missing):
    with pytest.raises(InvalidInput, match="must be 1 to"):
        paid.call("forget", "order-1", **{**WHY, missing: " "})
    assert paid.transaction().version == 5


def test_what_is_not_there_is_not_forgotten(shop):
    with pytest.raises(UnknownTransaction):
        shop.call("forget", "order-9", **WHY)


def test_a_killed_forgetting_leaves_all_or_nothing(hand, command, store):
    """One change; whoever does it again finds the rest of it done."""
    hand.execute(command("authorize", 100, note=GIFT))

    def dies():
        raise KeyboardInterrupt

    def forgets():
        forgetting = forget(hand.context, ["order-1"], note="asked for", actor="sato")
        return hand.run(forgetting)

    texts = [GIFT in stored(store)]
    for moment in range(4):  # before it is loaded, read, timed, written
        hand.before = {moment: dies}
        with pytest.raises(KeyboardInterrupt):
            forgets()
        texts.append(GIFT in stored(store))
        assert verify(store).holds
    assert hand.log[-1] == "Append"
    hand.before = {4: dies}  # before the file is written anew
    with pytest.raises(KeyboardInterrupt):
        forgets()
    texts.append(GIFT in stored(store))
    hand.before = {}
    (again,) = forgets()
    assert (again.fields, hand.log[-1]) == ({}, "Scrub")
    assert texts == [True] * 5 + [False]
    assert verify(store).holds


def test_subscribers_get_no_text_but_every_event(paid):
    def notes():
        found = [each.note for each in paid.engine.events(with_notes=True)]
        return [note for note in found if note]

    if paid.kind == "async":
        paid = paid.another("sync")
    assert notes() == [SEEN]
    half = [each.position for each in paid.engine.events()][1]
    paid.call("forget", "order-1", **WHY)
    assert notes() == [FORGOTTEN, WHY["reason"]]
    kinds = [each.kind for each in paid.engine.events(after=half)]
    assert kinds == ["begun", "reported", "reported", "forgotten"]
