"""Effect by effect: what is written before the call, what after, and nothing between."""

import re
from asyncio import CancelledError

import pytest

from kessai import Recovery, Status, Transaction
from kessai.errors import (
    CommitUnknown,
    InvalidCommand,
    InvalidInput,
    StoreBusy,
    StoreFailed,
    TrailBroken,
    UnknownLifecycle,
    VersionConflict,
)
from kessai.flow import (
    Append,
    Load,
    Now,
    Send,
    execute,
    inquire,
    preview,
    recover,
    sweep,
)
from kessai.flow.execute import answer_for
from kessai.machine import Begun, Denied, Reported, read_events
from kessai.stores.memory import MemoryStore

CALL = ["Load", "Now", "Append", "Send", "Now", "Append"]


def events(store, name="order-1"):
    return list(read_events(store.records(name)))


def kinds(store, name="order-1"):
    return [type(event).__name__ for event in events(store, name)]


@pytest.fixture
def authorized(hand, command):
    hand.execute(command("authorize", 100))
    return hand


def test_the_intent_is_durable_before_the_call_and_the_outcome_after_it(
    hand, command, store, gateway
):
    gateway.answers.append(
        lambda asked: {"code": f"{len(store.records('order-1'))} written"}
    )
    answer = hand.execute(command("authorize", 100))
    assert hand.log == CALL
    assert answer.evidence.code == "1 written"
    intent, outcome = events(store)
    assert isinstance(intent, Begun)
    assert isinstance(outcome, Reported)
    assert answer.status is Status.SUCCEEDED
    assert answer.transaction == store.load(None, "order-1", None).transaction


def test_nothing_is_written_while_the_call_is_under_way(authorized, command):
    authorized.execute(command("capture", 60))
    log = authorized.log
    assert log == CALL
    sends = [number for number, kind in enumerate(log) if kind == "Send"]
    for number in sends:
        assert log[number - 1] == "Append"
        assert log[number + 1 :].index("Append") >= 1


def test_the_file_that_a_transaction_runs_under_is_written_with_its_first_event(
    hand, command, store
):
    hand.execute(command("authorize", 100))
    first, second = (e.change for e in hand.effects if isinstance(e, Append))
    assert first.declaration is not None
    assert second.declaration is None
    assert store.declaration(first.declaration.hash) == first.declaration.document


def test_a_denial_is_written_and_nothing_is_sent(authorized, command, store, gateway):
    answer = authorized.execute(command("refund", 10))
    assert authorized.log == ["Load", "Now", "Append"]
    assert answer.status is Status.DENIED
    assert isinstance(events(store)[-1], Denied)
    assert gateway.commands == ["authorize"]


def test_a_command_on_nothing_is_denied_and_the_attempt_is_recorded(
    hand, command, store
):
    answer = hand.execute(command("capture", 10))
    assert answer.denial.codes == ("unknown_transaction",)
    assert kinds(store) == ["Denied"]
    assert not store.load(None, "order-1", None).transaction.exists
    # The id is still free: nothing ever came to be under it.
    assert hand.execute(command("authorize", 10)).status is Status.SUCCEEDED


def test_a_request_that_cannot_be_built_leaves_no_trace(hand, command, store, gateway):
    with pytest.raises(InvalidInput, match="cannot be said"):
        hand.execute(command("authorize", 100, note="unbuildable"))
    assert hand.log == ["Load", "Now"]
    assert store.records("order-1") == []
    assert list(store.transactions()) == []
    assert gateway.sent == []
    assert hand.execute(command("authorize", 100)).status is Status.SUCCEEDED


@pytest.mark.parametrize("name", ["pay", "authorize"])
def test_what_no_lifecycle_has_or_several_have_is_refused_and_leaves_nothing(
    hand, command, name
):
    with pytest.raises(InvalidCommand):
        hand.execute(command(name, 100, lifecycle=None))
    assert hand.log == ["Load"]


def test_the_same_key_and_request_give_the_recorded_answer_without_a_call(
    authorized, command, store, gateway
):
    first = authorized.execute(command("capture", 60, key="k"))
    before = store.records("order-1")
    again = authorized.execute(command("capture", 60, key="k"))
    assert authorized.log == ["Load"]
    assert (again.status, again.operation) == (first.status, first.operation)
    assert (again.is_recorded, first.is_recorded) == (True, False)
    assert gateway.commands == ["authorize", "capture"]
    assert store.records("order-1") == before


def test_a_denial_is_answered_again_word_for_word(authorized, command, store):
    first = authorized.execute(command("capture", 101, key="k"))
    again = authorized.execute(command("capture", 101, key="k"))
    assert again.is_recorded
    assert again.denial == first.denial
    assert again.denial.sentences("ja") == first.denial.sentences("ja")
    assert kinds(store).count("Denied") == 1


def test_a_denial_by_a_guard_of_the_lifecycle_can_be_read_again(hand, command):
    asked = command(
        "authorize",
        9,
        lifecycle="recurring",
        consent_only=True,
        with_capture=True,
        key="k",
    )
    first, again = hand.execute(asked), hand.execute(asked)
    assert again.is_recorded
    assert again.denial.codes == ("nothing_to_capture",)
    assert again.denial.sentences("ja") == first.denial.sentences("ja")


def test_a_denial_burns_no_key(hand, command, store, gateway):
    """What was too early can be done under the same key once its time has come."""
    early = command("capture", 60, key="k")
    assert hand.execute(early).denial.codes == ("unknown_transaction",)
    hand.execute(command("authorize", 100))
    answer = hand.execute(early)
    assert (answer.status, answer.is_recorded) == (Status.SUCCEEDED, False)
    again = hand.execute(early)
    assert (again.status, again.is_recorded) == (Status.SUCCEEDED, True)
    assert gateway.commands == ["authorize", "capture"]
    assert kinds(store) == ["Denied", "Begun", "Reported", "Begun", "Reported"]


def test_a_denial_for_other_reasons_is_recorded_anew(authorized, command, store):
    """The answer under a key tells the reasons of its last decision."""
    asked = command("capture", 101, key="k")
    assert authorized.execute(asked).denial.codes == ("amount_above_maximum",)
    authorized.execute(command("cancel"))
    answer = authorized.execute(asked)
    assert "state_not_allowed" in answer.denial.codes
    assert not answer.is_recorded
    again = authorized.execute(asked)
    assert again.is_recorded
    assert again.denial.codes == answer.denial.codes
    assert store.load("k", "order-1", None).recorded.reasons == answer.denial.reasons
    assert kinds(store).count("Denied") == 2


def test_a_denied_key_still_belongs_to_its_request(authorized, command, gateway):
    authorized.execute(command("capture", 101, key="k"))
    answer = authorized.execute(command("capture", 60, key="k"))
    assert answer.denial.codes == ("key_conflict",)
    assert gateway.commands == ["authorize"]


def test_the_same_key_with_another_request_is_a_conflict_that_is_recorded(
    authorized, command, store, gateway
):
    """Saleor #18196: the record of the conflict was rolled back with the error."""
    authorized.execute(command("capture", 60, key="k"))
    first = store.load("k", "order-1", None).recorded
    answer = authorized.execute(command("capture", 61, key="k"))
    assert answer.denial.codes == ("key_conflict",)
    assert answer.denial.sentences("en") == ("The key k belongs to another request.",)
    assert kinds(store)[-1] == "Denied"
    assert store.load("k", "order-1", None).recorded == first
    assert gateway.commands == ["authorize", "capture"]
    again = authorized.execute(command("capture", 60, key="k"))
    assert (again.status, again.is_recorded) == (Status.SUCCEEDED, True)


def test_a_key_of_another_transaction_is_a_conflict_too(authorized, command, store):
    authorized.execute(command("capture", 60, key="k"))
    answer = authorized.execute(command("authorize", 60, of="order-2", key="k"))
    assert answer.denial.codes == ("key_conflict",)
    assert kinds(store, "order-2") == ["Denied"]
    assert store.load("k", "order-2", None).recorded.transaction == "order-1"


def test_a_conflict_of_keys_that_is_overtaken_is_decided_again(
    authorized, command, store
):
    authorized.execute(command("capture", 60, key="k"))
    authorized.before = {2: lambda: another(authorized, command, "refund", 10)}
    answer = authorized.execute(command("capture", 61, key="k"))
    assert authorized.log == ["Load", "Now", "Append"] * 2
    assert answer.denial.codes == ("key_conflict",)


def another(hand, command, name, amount):
    """Another process carries out a command of its own meanwhile."""
    other = type(hand)(hand.store, hand.gateway, hand.clock)
    return other.execute(command(name, amount, key=f"other {name}"))


def test_an_intent_that_was_overtaken_is_decided_again(authorized, command, gateway):
    """Both saw an authorization of 100; the second must see the first's capture."""
    authorized.before = {2: lambda: another(authorized, command, "capture", 70)}
    answer = authorized.execute(command("capture", 60))
    assert authorized.log == [*["Load", "Now", "Append"] * 2]
    assert answer.status is Status.DENIED
    assert "state_not_allowed" in answer.denial.codes
    assert gateway.commands == ["authorize", "capture"]


def test_refunds_that_race_are_decided_on_what_the_other_reserved(
    authorized, command, gateway, lost
):
    """Hyperswitch #13182: two concurrent refunds of 60 both succeeded on 100."""
    authorized.execute(command("capture", 100))
    gateway.answers = [lost]
    authorized.before = {2: lambda: another(authorized, command, "refund", 60)}
    answer = authorized.execute(command("refund", 60))
    assert answer.denial.codes == ("amount_above_maximum",)
    assert answer.denial.bounds.maximum == 40
    assert gateway.commands == ["authorize", "capture", "refund"]


def test_of_two_with_the_same_key_at_once_one_acts_and_the_other_has_its_answer(
    authorized, command, gateway
):
    same = command("capture", 60, key="k")
    other = type(authorized)(authorized.store, gateway, authorized.clock)
    authorized.before = {2: lambda: other.execute(same)}
    answer = authorized.execute(same)
    assert authorized.log == ["Load", "Now", "Append", "Load"]
    assert (answer.status, answer.is_recorded) == (Status.SUCCEEDED, True)
    assert gateway.commands == ["authorize", "capture"]


def test_an_outcome_that_was_overtaken_is_applied_to_what_stands_now(
    authorized, command, store, gateway
):
    authorized.execute(command("capture", 100))
    authorized.before = {5: lambda: another(authorized, command, "refund", 30)}
    answer = authorized.execute(command("refund", 60))
    assert authorized.log == [*CALL, "Load", "Now", "Append"]
    assert answer.status is Status.SUCCEEDED
    assert answer.transaction.amounts["refunded"] == 90
    assert answer.transaction.operations == {}
    assert gateway.commands.count("refund") == 2


def test_the_call_of_an_operation_is_made_once_however_often_others_interfere(
    authorized, command, gateway
):
    for number in (5, 8, 11):
        authorized.before[number] = lambda n=number: (
            another(authorized, command, "get_address", None)
            and another_denied(authorized, command, n)
        )
    authorized.execute(command("capture", 60))
    assert gateway.commands.count("capture") == 1
    assert authorized.log.count("Send") == 1


def another_denied(hand, command, number):
    other = type(hand)(hand.store, hand.gateway, hand.clock)
    other.execute(command("refund", 1, key=f"denied {number}"))


@pytest.mark.parametrize("which", ["intent", "outcome"])
def test_a_transaction_that_is_never_left_alone_is_contended(
    authorized, command, store, gateway, which
):
    def overtake():
        raise VersionConflict

    # Once something was sent, nobody may take it for not having happened.
    first, error, message = {
        "intent": (2, VersionConflict, "others changed it 100 times"),
        "outcome": (5, CommitUnknown, "ask again with the same key"),
    }[which]
    authorized.before = dict.fromkeys(range(first, 700, 3), overtake)
    with pytest.raises(error, match=message):
        authorized.execute(command("capture", 60))
    captured = which == "outcome"
    assert gateway.commands.count("capture") == captured
    assert kinds(store) == ["Begun", "Reported", *["Begun"] * captured]


def test_an_intent_whose_commit_raised_is_written_again(
    authorized, command, gateway, store
):
    """It was not there: the second time it is, and the call goes out, once."""

    def fail():
        raise CommitUnknown

    authorized.before = {2: fail}
    answer = authorized.execute(command("capture", 60))
    assert answer.status is Status.SUCCEEDED
    assert authorized.log == ["Load", "Now", "Append", *CALL[2:]]
    assert gateway.commands == ["authorize", "capture"]


def test_an_intent_that_is_there_though_its_commit_raised_is_not_sent(
    authorized, command, gateway, store
):
    """Another caller may have written the very same, and sent it."""

    def fail():
        raise CommitUnknown

    authorized.after = {2: fail}
    with pytest.raises(CommitUnknown):
        authorized.execute(command("capture", 60))
    assert gateway.commands == ["authorize"]
    assert list(store.load(None, "order-1", None).transaction.operations)


def test_an_outcome_that_is_there_though_its_commit_raised_is_the_answer(
    authorized, command, store
):
    def fail():
        raise CommitUnknown

    authorized.after = {5: fail}
    answer = authorized.execute(command("capture", 60))
    assert authorized.log[5:] == ["Append", "Append", "History"]
    assert answer.status is Status.SUCCEEDED
    assert len(store.records("order-1")) == 4


def test_an_outcome_whose_commits_all_raise_is_asked_about_with_the_same_key(
    authorized, command, store
):
    def fail():
        raise CommitUnknown

    authorized.before = dict.fromkeys(range(5, 20), fail)
    with pytest.raises(CommitUnknown):
        authorized.execute(command("capture", 60))
    assert authorized.log[5:] == ["Append"] * 4


@pytest.mark.parametrize("error", [StoreBusy, StoreFailed])
def test_a_store_that_fails_at_the_intent_means_that_nothing_is_sent(
    authorized, command, gateway, error
):
    def fail():
        raise error

    authorized.before = {2: fail}
    with pytest.raises(error):
        authorized.execute(command("capture", 60))
    assert gateway.commands == ["authorize"]


def test_a_commit_whose_fate_is_unknown_is_asked_about_with_the_same_key(
    authorized, command, gateway, clock
):
    def fail():
        raise CommitUnknown

    authorized.after = {2: fail}
    same = command("capture", 60, key="k")
    with pytest.raises(CommitUnknown):
        authorized.execute(same)
    authorized.after = {}
    answer = authorized.execute(same)
    assert (answer.status, answer.is_recorded) == (Status.UNKNOWN, True)
    assert gateway.commands == ["authorize"]


# Every place at which a process may die, or a task be cancelled: around each effect of
# a capture. `stands` is what recovery must find out.
PLACES = [
    (number, when)
    for number in range(len(CALL))
    for when in ("before", "after")
    if (number, when) != (5, "after")
]


@pytest.mark.parametrize("signal", [KeyboardInterrupt, CancelledError, SystemExit])
@pytest.mark.parametrize(("number", "when"), PLACES)
def test_an_interrupt_leaves_an_intent_that_recovery_resolves_and_never_an_outcome(
    authorized, command, number, when, signal
):
    store, gateway = authorized.store, authorized.gateway

    def interrupt():
        raise signal

    setattr(authorized, when, {number: interrupt})
    with pytest.raises(signal):
        authorized.execute(command("capture", 60, key="k"))
    authorized.before, authorized.after = {}, {}
    place = 2 * number + (when == "after")
    begun, sent = place >= 5, place >= 7
    assert kinds(store) == ["Begun", "Reported", *["Begun"] * begun]
    assert store.open_transactions(9) == ["order-1"] * begun
    assert gateway.commands.count("capture") == sent
    authorized.clock.passes(minutes=11)
    recovery = Recovery(missing="decline")
    answers = authorized.run(recover(authorized.context, "order-1", recovery))
    expected = Status.SUCCEEDED if sent else Status.DECLINED
    assert [answer.status for answer in answers] == [expected] * begun
    state = store.load(None, "order-1", None).transaction
    assert state.status == ("payment.captured" if sent else "payment.authorized")
    assert state.operations == {}
    # And the caller, who knows only the key, is given the same.
    again = authorized.execute(command("capture", 60, key="k"))
    assert again.status is (expected if begun else Status.SUCCEEDED)
    assert gateway.commands.count("capture") == max(sent, not begun)


@pytest.mark.parametrize(
    ("notified", "replied", "kept"),
    [
        ("succeeded", "succeeded", 0),
        ("succeeded", "pending", 0),
        ("succeeded", "unknown", 0),
        ("succeeded", "declined", 1),
        ("declined", "declined", 0),
        ("declined", "succeeded", 1),
    ],
)
def test_a_reply_that_contradicts_an_earlier_notification_is_kept_as_a_discrepancy(
    shop, gateway, notified, replied, kept
):
    shop.asks("authorize", 100)

    def first_notification_then_reply(asked):
        notification(shop, "capture", notified, 60)
        return {"outcome": replied, "amount": 60}

    gateway.answers = [first_notification_then_reply]
    answer = shop.asks("capture", 60)
    assert answer.status == notified
    found = shop.transaction()
    assert len(found.discrepancies) == kept
    captured = notified == "succeeded"
    assert found.status == f"payment.{'captured' if captured else 'authorized'}"
    assert found.operations == {}


def notification(shop, *stated):
    """A notification arrives while a call is under way, taken in by another process."""
    other = type(shop)("sync", shop.store, shop.gateway, shop.clock)
    other.notification(*stated)


def test_a_preview_answers_without_writing_or_sending(authorized, command, store):
    before = store.records("order-1")
    denial = authorized.run(preview(authorized.context, command("capture", 101)))
    assert denial.codes == ("amount_above_maximum",)
    assert authorized.log == ["Load", "Now"]
    fine = authorized.run(preview(authorized.context, command("capture", 100)))
    assert fine is None
    unknown = command("capture", 1, of="order-2")
    denial = authorized.run(preview(authorized.context, unknown))
    assert denial.codes == ("unknown_transaction",)
    assert store.records("order-1") == before
    assert list(store.transactions())[-1].id == "order-1"


def test_a_read_is_asked_once_more_because_its_answer_is_kept_nowhere(
    authorized, command, store, gateway
):
    gateway.answers = [{"disclosed": {"address": "Chiyoda 1-1"}}] * 2
    first = authorized.execute(command("get_address", key="k"))
    again = authorized.execute(command("get_address", key="k"))
    assert first.disclosed == again.disclosed == {"address": "Chiyoda 1-1"}
    assert authorized.log == ["Load", "Send"]
    assert (first.is_recorded, again.is_recorded) == (False, True)
    assert "Chiyoda" not in repr(first) + repr(again)
    assert kinds(store) == ["Begun", "Reported"] * 2
    assert store.load("k", "order-1", None).recorded.evidence.disclosed == {}


def test_a_denied_read_is_answered_again_without_a_call(authorized, command, gateway):
    authorized.execute(command("cancel"))
    for _ in range(2):
        answer = authorized.execute(command("get_address", key="k"))
        assert answer.denial.codes == ("state_not_allowed",)
    assert gateway.commands == ["authorize", "cancel"]


def test_a_resend_is_the_same_request(authorized, command, gateway, clock, lost):
    """Saleor #19812: a retry had a fresh random idempotency key each time."""
    gateway.answers = [lost]
    authorized.execute(command("capture", 60))
    clock.passes(hours=1)
    gateway.answers = [{"listing": []}]
    recovery = Recovery(missing="resend")
    (answer,) = authorized.run(recover(authorized.context, "order-1", recovery))
    assert gateway.commands[1:] == ["capture", "inquiry", "capture"]
    first, again = (asked for asked in gateway.sent if asked["command"] == "capture")
    assert first == again
    assert answer.status is Status.SUCCEEDED


def test_every_operation_has_a_key_of_its_own_and_an_inquiry_has_none(
    authorized, command, gateway
):
    authorized.execute(command("capture", 100))
    for number in (1, 2):
        authorized.execute(command("refund", 10, key=f"refund {number}"))
    authorized.run(inquire(authorized.context, "order-1"))
    *keys, none = [asked["key"] for asked in gateway.sent]
    assert all(re.fullmatch("[A-Za-z0-9_-]{32}", key) for key in keys)
    assert (len(set(keys)), none) == (4, "")


def test_a_clock_is_read_for_every_decision_and_nowhere_else(authorized, command):
    authorized.execute(command("capture", 60))
    assert [type(effect) for effect in authorized.effects].count(Now) == 2
    assert isinstance(authorized.effects[0], Load)
    assert isinstance(authorized.effects[3], Send)


def test_an_older_lifecycle_file_is_read_back_from_the_store(
    authorized, command, store
):
    """A transaction is decided by the file it began under, as long as it lives."""
    later = type(authorized)(store, authorized.gateway, authorized.clock)
    later.context.machines._by_hash.clear()
    answer = later.execute(command("capture", 60))
    assert answer.status is Status.SUCCEEDED
    assert later.log == ["Load", "Declaration", *CALL[1:]]
    later.execute(command("refund", 60))
    assert "Declaration" not in later.log


def test_without_its_lifecycle_file_nothing_is_decided(authorized, command, store):
    later = type(authorized)(store, authorized.gateway, authorized.clock)
    later.context.machines._by_hash.clear()
    store._declarations.clear()
    with pytest.raises(
        UnknownLifecycle, match="its lifecycle file is not in the store"
    ):
        later.execute(command("capture", 60))


def test_a_lifecycle_file_that_was_exchanged_in_the_store_is_not_believed(
    authorized, command, store
):
    """Events are bound to the hash of the file they ran under; rules cannot be slipped in."""
    later = type(authorized)(store, authorized.gateway, authorized.clock)
    later.context.machines._by_hash.clear()
    (own,) = store._declarations
    charge = next(m for m in authorized.context.machines.current if m.name == "charge")
    store._declarations[own] = charge.lifecycle.document
    with pytest.raises(TrailBroken, match="is not the one it began under"):
        later.execute(command("capture", 60))
    assert later.log == ["Load", "Declaration"]


def test_an_operation_without_its_key_is_a_broken_trail(hand):
    flow = answer_for(Transaction("order-1"), "k")
    with pytest.raises(TrailBroken, match="nothing is stored under the key"):
        hand.run(flow)


def test_a_sweep_that_is_overtaken_leaves_the_deadline_for_later(
    authorized, command, store, clock
):
    clock.passes(days=30)
    authorized.before = {6: lambda: another(authorized, command, "cancel", None)}
    after = authorized.run(sweep(authorized.context, "order-1"))
    inquiry = ["Load", "Send", "Load", "History", "Now"]
    assert authorized.log == ["Load", "Now", *inquiry, "Append", "Load"]
    assert after.status == "payment.cancelled"


def test_a_sweep_of_nothing_finds_nothing(hand):
    after = hand.run(sweep(hand.context, "order-1"))
    assert (after.exists, hand.log) == (False, ["Load"])


def test_a_flow_can_be_left_at_any_effect_without_a_sound(hand, command):
    flow = execute(hand.context, command("authorize", 1))
    next(flow)
    flow.close()
    assert isinstance(hand.store, MemoryStore)
