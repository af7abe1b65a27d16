"""Writers that never leave a transaction alone, and trails that do not hold."""

import pytest

from kessai import Missing, Recovery, Status
from kessai.errors import (
    CommitUnknown,
    InvalidInput,
    SafeToResend,
    TrailBroken,
    VersionConflict,
)
from kessai.flow import Append, Change, History, Send, inquire, recover
from kessai.flow.operator import close_by_hand, resolve_by_hand
from kessai.flow.steps import ATTEMPTS, COMMITS, load_with_attempts
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Discrepancy, append


class Busy(dict):
    """Around every append that is no intent to send, another writer is faster."""

    def __init__(self, hand, error=VersionConflict, times=None):
        super().__init__()
        self.hand, self.error, self.left = hand, error, times

    def get(self, _number, nothing):
        effect = self.hand.effects[-1]
        if not isinstance(effect, Append) or self.left == 0:
            return nothing
        if self.left is not None:
            self.left -= 1
        return self.stop

    def stop(self):
        raise self.error


@pytest.fixture
def unknown(hand, command, gateway, lost, clock):
    """A capture of 60 without an answer, ten minutes and more ago."""
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60, key="c"))
    clock.passes(minutes=11)
    return hand


SEEN = {"note": "the portal shows it", "actor": "sato"}


def resolved(unknown, outcome=Outcome.SUCCEEDED, **more):
    """An operator says how the capture ended."""
    given = {**SEEN, **more}
    return resolve_by_hand(unknown.context, "order-1", "order-1.3", outcome, **given)


def test_an_operator_learns_that_others_never_leave_the_transaction_alone(
    unknown, store
):
    before = store.records("order-1")
    unknown.before = Busy(unknown)
    with pytest.raises(VersionConflict, match="order-1"):
        unknown.run(resolved(unknown))
    assert unknown.log.count("Append") == ATTEMPTS
    assert store.records("order-1") == before


def test_an_operator_who_was_overtaken_once_is_heard_the_next_time(unknown):
    unknown.before = Busy(unknown, times=1)
    assert unknown.run(resolved(unknown)).status is Status.SUCCEEDED
    assert unknown.log.count("Append") == 2


def test_an_operator_can_only_say_how_it_ended(unknown):
    with pytest.raises(InvalidInput, match="must be 'succeeded' or 'declined'"):
        unknown.run(resolved(unknown, Outcome.PENDING))


def test_no_card_number_is_written_down_as_evidence(unknown):
    with pytest.raises(InvalidInput, match="evidence: must hold no card number"):
        unknown.run(resolved(unknown, note="card 4111 1111 1111 1111"))
    with pytest.raises(InvalidInput, match="actor: must hold no card number"):
        unknown.run(resolved(unknown, actor="4111111111111111"))


def test_a_discrepancy_is_resolved_once_the_others_are_done(unknown, gateway):
    gateway.listed["order-1"].append(("capture", "succeeded", 59))
    unknown.run(inquire(unknown.context, "order-1"))
    (number,) = unknown.store.load(None, "order-1", None).transaction.discrepancies
    unknown.before = Busy(unknown, times=1)
    flow = close_by_hand(unknown.context, "order-1", number, **SEEN)
    assert unknown.run(flow).discrepancies == {}
    unknown.before = {}
    gateway.listed["order-1"].append(("refund", "succeeded", 7))
    unknown.run(inquire(unknown.context, "order-1"))
    (number,) = unknown.store.load(None, "order-1", None).transaction.discrepancies
    unknown.before = Busy(unknown)
    flow = close_by_hand(unknown.context, "order-1", number, **SEEN)
    with pytest.raises(VersionConflict):
        unknown.run(flow)
    assert unknown.log.count("Append") == ATTEMPTS


def test_a_resend_that_was_overtaken_is_not_sent(unknown, gateway):
    """Whoever was faster may have sent it."""
    gateway.answers = [{"listing": []}]
    unknown.before = Busy(unknown, times=1)
    recovery = Recovery(missing=Missing.RESEND)
    (answer,) = unknown.run(recover(unknown.context, "order-1", recovery))
    assert answer.status is Status.UNKNOWN
    assert gateway.commands == ["authorize", "capture", "inquiry"]


def test_an_inquiry_that_is_always_older_than_the_trail_gives_up(
    unknown, gateway, store, command
):
    """It never fits, and each time somebody has written while it was asked for."""

    def meanwhile():
        if isinstance(unknown.effects[-1], Send):
            other = type(unknown)(store, gateway, unknown.clock)
            other.execute(command("capture", 1, key=f"d{len(unknown.effects)}"))

    class Meanwhile(dict):
        def get(self, _number, _nothing):
            return meanwhile

    gateway.listed["order-1"].append(("capture", "succeeded", 59))
    unknown.after = Meanwhile()
    with pytest.raises(VersionConflict):
        unknown.run(inquire(unknown.context, "order-1"))
    assert unknown.log.count("Send") == ATTEMPTS
    assert unknown.store.load(None, "order-1", None).transaction.discrepancies == {}


def test_a_commit_of_which_nothing_is_ever_known_stays_unknown(unknown):
    unknown.before = Busy(unknown, CommitUnknown)
    flow = resolved(unknown)
    with pytest.raises(CommitUnknown):
        unknown.run(flow)
    assert unknown.log.count("Append") == 1 + COMMITS


def test_a_second_try_that_surely_wrote_nothing_shows_nothing_of_the_first(unknown):
    errors = [CommitUnknown("the first"), SafeToResend("the second")]

    class Twice(Busy):
        def stop(self):
            raise errors.pop(0)

    unknown.before = Twice(unknown)
    flow = resolved(unknown)
    with pytest.raises(CommitUnknown, match="the first"):
        unknown.run(flow)


def put_aside(store):
    """Another writer records what fits nothing."""
    transaction = store.load(None, "order-1", None).transaction
    strange = Evidence(
        source=Source.INQUIRY,
        transaction="order-1",
        command=None,
        outcome=Outcome.SUCCEEDED,
    )
    discrepancy = Discrepancy(
        transaction.deadlines["authorization"], "strange", strange
    )
    after, record = append(None, transaction, discrepancy)
    store.append(Change(transaction=after, records=(record,)))


def test_denials_between_two_readings_change_nothing_of_what_was_read(
    unknown, command, gateway
):
    def refuses():
        other = type(unknown)(unknown.store, gateway, unknown.clock)
        other.execute(command("capture", 1, key=f"d{len(unknown.effects)}"))

    unknown.before = {len(unknown.effects) + 2: refuses}
    transaction, attempts = unknown.run(load_with_attempts("order-1"))
    assert transaction.version == attempts.version == 4
    assert [attempt.number for attempt in attempts.of("capture")] == [3]


def test_what_is_read_beside_ten_denials_is_numbered_as_in_the_trail(
    unknown, command, store
):
    for number in range(10):
        unknown.execute(command("capture", 1, key=f"d{number}"))
    put_aside(store)
    transaction, attempts = unknown.run(load_with_attempts("order-1"))
    assert (transaction.version, transaction.denials) == (15, 10)
    assert attempts.version == 15
    assert len(attempts.discrepancies) == 1


def test_an_event_that_is_missing_beside_denials_is_missed(unknown, command, store):
    unknown.execute(command("capture", 1, key="d"))
    del store._weighed["order-1"][1]
    with pytest.raises(TrailBroken, match="its trail has 4 events of 5"):
        unknown.run(load_with_attempts("order-1"))


def test_a_trail_shorter_than_its_transaction_is_broken(unknown, store):
    store._weighed["order-1"].pop()
    with pytest.raises(TrailBroken, match="its trail has 3 events of 4"):
        unknown.run(load_with_attempts("order-1"))


def test_a_trail_that_grows_between_two_readings_is_read_until_it_stands_still(
    unknown, store
):
    def grows():
        if (
            isinstance(unknown.effects[-1], History)
            and unknown.log.count("History") < 3
        ):
            put_aside(store)

    class Growing(dict):
        def get(self, _number, _nothing):
            return grows

    unknown.before = Growing()
    transaction, attempts = unknown.run(load_with_attempts("order-1"))
    assert transaction.version == attempts.version == 6
    assert unknown.log.count("History") == 3


def test_a_trail_that_never_stands_still_is_left_for_later(unknown, store):
    def grows():
        if isinstance(unknown.effects[-1], History):
            put_aside(store)

    class Growing(dict):
        def get(self, _number, _nothing):
            return grows

    unknown.before = Growing()
    with pytest.raises(VersionConflict):
        unknown.run(load_with_attempts("order-1"))
    assert unknown.log.count("History") == ATTEMPTS


def test_after_a_commit_that_raised_another_writers_change_is_not_taken_for_ours(
    unknown, store, gateway, command
):
    """The trail shows whose record is there; then all is decided anew."""

    def overtaken():
        other = type(unknown)(store, gateway, unknown.clock)
        other.execute(command("capture", 1, key="d"))
        raise CommitUnknown

    class Once(Busy):
        def stop(self):
            overtaken()

    unknown.before = Once(unknown, times=1)
    assert unknown.run(resolved(unknown)).status is Status.SUCCEEDED
    kinds = [
        r.body.split(b'"kind":"')[1].split(b'"')[0] for r in store.records("order-1")
    ]
    assert kinds[-2:] == [b"denied", b"reported"]
