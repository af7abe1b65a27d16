"""A run is charged once, by as many workers as there are, whatever becomes of one."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from kessai import PostgresStore
from kessai.billing import (
    BillRunner,
    ChunkBusy,
    ChunkDone,
    ChunkLost,
    next_chunk,
    run_bills,
    run_chunk,
)
from kessai.billing.chunks import NO_LADDER
from kessai.errors import StoreFailed

RUN = "2026-01"
NAMES = ("A", "B", "C", "D")


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def due(shop):
    """A shop whose four agreements are planned, on the day that they are due."""
    shop.agrees(*NAMES)
    shop.plan(*NAMES)
    shop.at(2026, 1, 31)
    return shop


def bill(shop, **more):
    return run_bills(shop.engine, RUN, owner="worker", **more)


def charged_once(shop, names=NAMES):
    assert shop.orders() == {f"{name}-20260131": name for name in names}
    assert {shop.transaction(order).status for order in shop.orders()} == {
        "payment.captured"
    }
    assert set(shop.statuses().values()) == {"succeeded"}


def test_a_planned_run_is_charged_on_its_day_and_the_books_agree(due):
    due.at(2026, 1, 30)
    assert bill(due) == []
    due.at(2026, 1, 31)
    assert bill(due, size=3) == [
        ChunkDone(Counter(succeeded=3)),
        ChunkDone(Counter(succeeded=1)),
    ]
    charged_once(due)
    for order in due.orders():
        assert due.engine.reconcile(order).events == ()
    assert bill(due) == []


def test_an_agreement_of_31_january_is_charged_on_28_february(shop):
    shop.agrees("A")
    shop.plan("A", until=date(2026, 3, 1))
    shop.at(2026, 2, 28)
    bill(shop)
    assert set(shop.orders()) == {"A-20260131", "A-20260228"}


def test_a_chunk_that_somebody_has_is_busy_and_one_that_is_done_is_done(due):
    chunk = next_chunk(due.engine, RUN)
    held = due.bills.claim_chunk(chunk, "other", timedelta(hours=1))
    found = run_chunk(due.engine, chunk, owner="worker")
    assert isinstance(found, ChunkBusy)
    assert timedelta(minutes=59) < found.retry_after <= timedelta(hours=1)
    assert due.orders() == {}
    due.bills.release_chunk(held)
    assert run_chunk(due.engine, chunk, owner="worker") == ChunkDone({"succeeded": 4})
    assert run_chunk(due.engine, chunk, owner="worker") == ChunkDone({})
    charged_once(due)


def test_what_a_killed_worker_had_comes_back_after_its_lease(due, monkeypatch):
    def die(*_):
        if due.wire.sent == third:  # two are charged, one has just begun
            raise Killed

    third = due.wire.sent + 3
    due.wire.before = die
    chunk = next_chunk(due.engine, RUN)
    monkeypatch.setattr(type(due.bills), "release_chunk", die)
    with pytest.raises(Killed):
        run_chunk(due.engine, chunk, owner="killed")
    monkeypatch.undo()
    due.wire.before = lambda: None
    assert next_chunk(due.engine, RUN) is None
    due.lease_ends()
    assert next_chunk(due.engine, RUN) == chunk
    assert bill(due) == [ChunkDone(Counter(unknown=1, succeeded=1))]
    due.passes(hours=2)
    assert bill(due) == [ChunkDone(Counter(planned=1))]  # it never arrived
    due.passes(minutes=15)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    orders = {"A-20260131", "B-20260131", "C-20260131-2", "D-20260131"}
    assert set(due.orders()) == orders


def test_a_frozen_worker_writes_nothing_and_sends_nothing_more(due):
    other = due.worker()

    def freeze():
        due.wire.before = lambda: None
        due.lease_ends()
        assert run_bills(other, RUN, owner="other") == [
            ChunkDone(Counter(unknown=1, succeeded=3))
        ]

    due.wire.before = freeze
    before = due.wire.sent
    assert run_chunk(due.engine, next_chunk(due.engine, RUN), owner="frozen") == (
        ChunkLost()
    )
    assert due.wire.sent == before + 1  # the one that was in flight
    due.passes(minutes=20)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    charged_once(due)


def test_a_worker_that_was_frozen_before_it_began_begins_nothing(due):
    """The bill was written by another since: the intent itself is refused."""
    from kessai.errors import LeaseLost
    from kessai.flow import charge_bill

    chunk = next_chunk(due.engine, RUN)
    frozen = due.bills.claim_chunk(chunk, "frozen", timedelta(0))
    seen, *_ = due.bills.bills_in(frozen)
    due.agrees_to("A", 500)
    assert bill(due) == [ChunkDone(Counter(denied=1, succeeded=3))]
    due.agrees_to("A", 980)
    assert due.charge("A-by-hand").status == "succeeded"
    before = due.wire.sent
    with pytest.raises(LeaseLost):
        due.engine.drive(
            charge_bill(due.engine.context, seen, frozen, NO_LADDER.decide)
        )
    assert due.wire.sent == before


def test_a_charge_without_an_answer_is_looked_after_and_never_sent_again(due):
    due.local.emulator.misbehave("lose_reply", command="ReAuthorize")
    assert bill(due) == [ChunkDone(Counter(unknown=1, succeeded=3))]
    assert bill(due) == []
    due.passes(minutes=20)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    charged_once(due)


def test_a_charge_that_stays_open_is_looked_after_again(due):
    due.local.emulator.misbehave("lose_reply", command="ReAuthorize")
    bill(due)
    due.passes(minutes=20)
    due.local.emulator.misbehave("lose_reply", command="Search")
    assert bill(due) == [ChunkDone(Counter(unknown=1))]
    due.passes(minutes=20)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    charged_once(due)


def test_an_agreement_that_ended_since_is_denied_and_listed(due):
    due.do("terminate", "B")
    assert bill(due) == [ChunkDone(Counter(succeeded=3, denied=1))]
    (denied,) = [each for each in due.listed() if each.status == "denied"]
    assert (denied.agreement, denied.reason) == ("B", "agreement_state")
    assert denied.due_at is None


def test_an_agreement_that_was_changed_since_is_denied_and_listed(due):
    due.agrees_to("B", 500)
    assert bill(due) == [ChunkDone(Counter(succeeded=3, denied=1))]
    (denied,) = [each for each in due.listed() if each.status == "denied"]
    assert denied.reason == "agreement_differs"
    again = due.charge("B-new", agreement="B", amount=500)
    assert again.status == "succeeded"  # what was denied makes room for another


def test_a_charge_that_the_shop_makes_itself_is_not_made_again(due):
    planned = due.listed()[0]
    answer = due.charge(
        planned.charge, key=planned.key, parameters={"with_capture": True}
    )
    assert answer.status == "succeeded"
    bill(due)
    charged_once(due)


def test_a_store_in_trouble_ends_the_chunk_and_it_is_offered_again(due, monkeypatch):
    append, failed = due.store.append, []

    def fails_once(change):
        if not failed and change.bill is not None:
            failed.append(change)
            raise StoreFailed("no room")
        append(change)

    monkeypatch.setattr(due.store, "append", fails_once)
    chunk = next_chunk(due.engine, RUN)
    with pytest.raises(StoreFailed):
        run_chunk(due.engine, chunk, owner="worker")
    assert next_chunk(due.engine, RUN) == chunk
    bill(due)
    charged_once(due)


def test_a_chunk_takes_a_third_of_its_lease_at_most_and_is_offered_again(due):
    chunk = next_chunk(due.engine, RUN)
    moment = timedelta(microseconds=3)
    found = run_chunk(due.engine, chunk, owner="slow", lease=moment)
    assert found == ChunkDone({}, 4)
    bill(due)
    charged_once(due)


def test_two_workers_on_a_server_charge_a_run_once(url, shop):
    """Threads with engines of their own, as two machines have them."""
    store = PostgresStore(url)
    shop.store, shop.bills = store, store.bills
    shop.engine, other = shop.worker(), shop.worker()
    names = [f"A{number}" for number in range(12)]
    shop.agrees(*names)
    shop.plan(*names)
    shop.at(2026, 1, 31)

    def work(engine):
        return run_bills(engine, RUN, owner="worker", size=2, threads=2)

    with ThreadPoolExecutor(2) as pool:
        done = [
            each for found in pool.map(work, (shop.engine, other)) for each in found
        ]
    succeeded = [
        d.statuses.get("succeeded", 0) for d in done if isinstance(d, ChunkDone)
    ]
    assert sum(succeeded) == 12
    charged_once(shop, names)
    store.close()


def test_a_run_that_is_stopped_finishes_the_chunk_in_hand(due):
    runner = BillRunner(engine=due.engine, run=RUN, owner="worker", size=1)
    done = runner.results(lambda: bool(due.orders()))
    assert list(done) == [ChunkDone(Counter(succeeded=1))]
    assert list(runner.results(lambda: True)) == []
    bill(due)
    charged_once(due)
