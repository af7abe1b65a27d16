"""Many recoverers, one at a time on each transaction; a stale one changes nothing."""

from datetime import timedelta

import pytest

from kessai import Missing, Recovery, Status
from kessai.errors import RecoveryFailed, StoreBusy
from kessai.flow import RecoveryFailure, recover, recover_due
from kessai.machine import Begun, Resent, read_events

HOUR = timedelta(hours=1)
RESEND = Recovery(missing=Missing.RESEND)


@pytest.fixture
def lost_capture(hand, command, gateway, lost):
    """A capture whose request was lost; the gateway never got it."""
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    gateway.sent.clear()
    return hand


def kinds_of(store):
    return list(read_events(store.records("order-1")))


def test_a_recovery_claims_what_is_due_and_gives_it_back(lost_capture):
    (answer,) = lost_capture.run(recover_due(lost_capture.context, Recovery()))
    assert answer.status is Status.UNKNOWN
    assert lost_capture.log[:2] == ["Now", "Claim"]
    assert lost_capture.log[-2:] == ["Now", "Release"]


def test_what_another_recoverer_has_is_left_to_it(lost_capture, store, clock):
    assert store.claim(clock.now, clock.now + HOUR, ["plain"]) is not None
    assert lost_capture.run(recover_due(lost_capture.context, Recovery())) is None


def test_the_pauses_grow_up_to_six_hours(lost_capture, clock, gateway, lost):
    pauses = []
    for _ in range(14):
        gateway.answers = [lost]
        assert lost_capture.run(recover_due(lost_capture.context, Recovery()))
        pauses.append(lost_capture.effects[-1].due_at - clock.now)
        clock.now += pauses[-1] - timedelta(microseconds=1)
        assert lost_capture.run(recover_due(lost_capture.context, Recovery())) is None
        clock.passes(microseconds=1)
    assert pauses[:3] == [timedelta(seconds=s) for s in (30, 60, 120)]
    assert pauses[-2:] == [timedelta(hours=6)] * 2


def test_a_recoverer_that_is_overtaken_while_it_waits_changes_nothing(
    lost_capture, store, clock, gateway
):
    """It was paused for longer than its lease; the gateway has answered since."""
    clock.passes(minutes=20)

    def overtaken():
        clock.passes(minutes=11)
        assert store.claim(clock.now, clock.now + HOUR, ["plain"]) is not None

    lost_capture.before = {5: overtaken}  # Now, Claim, Load, Load, Now, then the call
    before = len(store.records("order-1"))
    (answer,) = lost_capture.run(recover_due(lost_capture.context, Recovery()))
    assert answer.status is Status.UNKNOWN
    assert len(store.records("order-1")) == before


def test_before_a_resend_it_is_written_down(lost_capture, store, clock, gateway):
    """Whoever looks the operation up next sees that a request may be on its way."""
    clock.passes(minutes=20)
    (answer,) = lost_capture.run(recover_due(lost_capture.context, RESEND))
    assert answer.status is Status.SUCCEEDED
    assert gateway.commands == ["inquiry", "capture"]
    resent = [e for e in kinds_of(store) if isinstance(e, Resent)]
    assert [event.at for event in resent] == [clock.now]
    sends = [n for n, e in enumerate(lost_capture.log) if e == "Send"]
    assert lost_capture.log[sends[1] - 1] == "Append"


def test_a_resend_that_is_paused_for_too_long_is_not_sent(
    engine_with, clock, gateway, lost
):
    """The worker wakes up after its request was presumed lost."""
    shop = engine_with(lambda: clock.passes(minutes=30))
    shop.asks("authorize", 100)
    gateway.answers = [lost]
    shop.asks("capture", 60)
    gateway.sent.clear()
    clock.passes(minutes=20)
    shop.sleeps_before_append = True
    answers = shop.recover(RESEND)
    assert gateway.commands == ["inquiry"]
    assert answers[0].status is not Status.SUCCEEDED


def test_a_command_that_is_paused_for_too_long_is_not_sent(engine_with, clock, gateway):
    """Between its intent and its call; by then it may count as never arrived."""
    shop = engine_with(lambda: clock.passes(seconds=61))
    shop.asks("authorize", 100)
    gateway.sent.clear()
    shop.sleeps_before_append = True
    answer = shop.asks("capture", 60)
    assert gateway.commands == []
    assert answer.status is Status.DECLINED
    assert answer.may_send_again


def test_of_two_recoverers_that_resend_at_once_one_sends(
    lost_capture, clock, gateway, store
):
    """Both found it missing; the intent to send again is written by one."""
    clock.passes(minutes=20)

    def other_resends():
        if lost_capture.nested:
            return
        lost_capture.nested = True
        inner = type(lost_capture)(store, gateway, clock)
        inner.run(recover(inner.context, "order-1", RESEND))

    lost_capture.nested = False
    flow = recover(lost_capture.context, "order-1", RESEND)
    # Its own reading before the resend is the second Load after the inquiry was
    # resolved.
    lost_capture.before = {6: other_resends}
    lost_capture.run(flow)
    assert gateway.commands.count("capture") == 1
    begun = [e for e in kinds_of(store) if isinstance(e, Begun)]
    assert len(begun) == 2


def test_a_store_that_is_busy_at_the_claim_is_reported(lost_capture):
    def busy():
        raise StoreBusy

    lost_capture.before = {1: busy}
    with pytest.raises(StoreBusy):
        lost_capture.run(recover_due(lost_capture.context, Recovery()))


def test_one_that_cannot_be_recovered_gives_the_others_their_turn(
    shop, gateway, clock, lost, store
):
    for name in ("order-1", "order-2"):
        gateway.answers = [lost]
        shop.asks("authorize", 10, of=name)
        clock.passes(seconds=1)
    store._weighed["order-1"].pop()
    with pytest.raises(RecoveryFailed, match="failed: order-1: ") as failed:
        shop.recover()
    assert list(failed.value.failures) == ["order-1"]
    (answer,) = failed.value.answers
    assert answer.transaction.id == "order-2"
    assert shop.recover() == []
    noted = store.recovery_failure("order-1")
    assert (noted.at, noted.times) == (clock.now, 1)
    assert noted.error.startswith("TrailBroken: ")


def test_a_fault_of_an_adapter_stops_the_recovery_of_one_transaction_alone(
    shop, gateway, clock, lost, monkeypatch
):
    """It rests, and is recovered once the adapter is mended. Its text is nobody's."""
    for name in ("order-1", "order-2"):
        gateway.answers = [lost]
        shop.asks("authorize", 10, of=name)
    clock.passes(hours=1)

    def stumbles(adapter, call):
        if call.transaction == "order-1":
            message = "Yamada, Hanako"
            raise LookupError(message)
        return request(adapter, call)

    request = type(shop.adapter).request
    with monkeypatch.context() as patch:
        patch.setattr(type(shop.adapter), "request", stumbles)
        with pytest.raises(RecoveryFailed) as failed:
            shop.recover()
        (error,) = failed.value.failures.values()
        line = stumbles.__code__.co_firstlineno + 3
        assert error == f"builtins.LookupError in {__name__}, line {line}"
        assert [answer.transaction.id for answer in failed.value.answers] == ["order-2"]
        clock.passes(minutes=31)
        assert shop.recover() == []
        clock.passes(minutes=2)
        with pytest.raises(RecoveryFailed):
            shop.recover()
    assert shop.store.recovery_failure("order-1") == RecoveryFailure(
        clock.now, 2, error
    )
    clock.passes(hours=7)
    assert [answer.transaction.id for answer in shop.recover()] == ["order-1"]
    assert shop.store.recovery_failure("order-1") is None


def test_a_failure_is_still_noted_after_a_store_that_was_busy(
    lost_capture, store, clock
):
    """Nothing was found out about what failed before."""
    clock.passes(hours=1)
    failure = RecoveryFailure(clock.now, 3, "KeyError in shop, line 3")
    lease = store.claim(clock.now, clock.now + HOUR, ["plain"])
    store.release(lease, clock.now, failure)

    def busy():
        raise StoreBusy

    lost_capture.before = {2: busy}
    with pytest.raises(StoreBusy):
        lost_capture.run(recover_due(lost_capture.context, Recovery()))
    assert store.recovery_failure("order-1") == failure
