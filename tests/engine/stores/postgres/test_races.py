"""Many at once, in threads and in processes: one truth, one winner, no circle of waits."""

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from pg.shop import Shop

from kessai import Status
from kessai.errors import LeaseLost, VersionConflict
from kessai.testing.store_kit.conformance import NOON, OURS, Book, race

WRITER = Path(__file__).with_name("writer.py")
ROUNDS = 20
MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


@pytest.fixture
def processes():
    """Starts processes, lets them go at the same moment, and gives what each told."""
    started = []

    def run(what, url, arguments):
        for argument in arguments:
            process = subprocess.Popen(
                [sys.executable, str(WRITER), what, url, str(argument)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            started.append(process)
        assert {process.stdout.readline() for process in started} == {"ready\n"}
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        reported = [process.communicate(timeout=300)[0].split() for process in started]
        assert {process.returncode for process in started} == {0}
        return reported

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_of_two_processes_that_race_for_each_order_id_exactly_one_wins(
    postgres, processes, url
):
    """Medusa #16012: check, then act, under READ COMMITTED."""
    store, count = postgres(), 60
    won = processes("race", url, [count, count])
    names = sorted(f"order-{number}" for number in range(count))
    assert sorted(won[0] + won[1]) == names
    assert [found.id for found in store.transactions()] == names
    assert [len(trail) for _, trail in store.trails()] == [1] * count


@pytest.mark.parametrize("many", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_find_a_new_database_make_it_once(
    postgres, processes, url, many
):
    assert processes("open", url, range(many)) == [["open"]] * many
    assert len(list(postgres().transactions())) == many
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT version FROM kessai_schema").fetchall()
    assert made == [(1,), (2,)]


def test_no_two_workers_claim_the_same(postgres, processes, url):
    store, count = postgres(), 60
    for number in range(count):
        Book(store, f"order-{number}").begin()
    claimed = [
        one for reported in processes("claim", url, range(4)) for one in reported
    ]
    assert Counter(claimed) == {f"order-{n}/1": 1 for n in range(count)}


def test_who_finds_a_row_locked_claims_the_next(postgres, url):
    store = postgres()
    for minute, name in enumerate(["a", "b"]):
        Book(store, name).begin(at=NOON + timedelta(minutes=minute))
    now, until = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    with psycopg.connect(url) as holder:
        holder.execute("SELECT 1 FROM kessai_states WHERE id = 'a' FOR UPDATE")
        assert store.claim(now, until, OURS).transaction == "b"
        assert store.claim(now, until, OURS) is None
    assert store.claim(now, until, OURS).transaction == "a"


def test_a_lease_that_is_lost_while_its_holder_waits_to_write_is_lost(postgres, url):
    """The newest row is asked, not the one that the statement saw first."""
    store = postgres()
    book = Book(store)
    operation = book.begin()
    lease = store.claim(NOON + timedelta(hours=1), NOON + timedelta(hours=2), OURS)
    with psycopg.connect(url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("UPDATE kessai_states SET lease = lease + 1")
        ending = pool.submit(store.append, book.ended(operation, lease=lease))
        wait_for_lock(other)
        other.commit()
        with pytest.raises(LeaseLost):
            ending.result()
    assert len(store.records("order-1")) == 1


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_an_agreement_that_is_just_being_moved_is_waited_for(postgres, url, ends):
    """And then seen as it stands; no later moment can come between."""
    store = postgres()
    agreement = Book(store, "plan")
    agreement.begin()
    change, _ = Book(store, "charge").begun(agreement=("plan", 1))
    with psycopg.connect(url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("UPDATE kessai_states SET version = 2 WHERE id = 'plan'")
        beginning = pool.submit(store.append, change)
        wait_for_lock(other)
        getattr(other, ends)()
        if ends == "rollback":
            beginning.result()
        else:
            with pytest.raises(VersionConflict, match="plan: not at version 1"):
                beginning.result()
    assert len(store.records("charge")) == (ends == "rollback")


def wait_for_lock(connection):
    query = "SELECT 1 FROM pg_locks WHERE NOT granted"
    until = monotonic() + 60
    while not connection.execute(query).fetchall():
        assert monotonic() < until, "nobody waits"


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_charges_and_their_agreements_end_race_in_an_order_and_in_no_circle(
    postgres, url, isolation
):
    level = isolation.replace(" ", "%5C%20")
    store = postgres(f"{url}%20-cdefault_transaction_isolation%3D{level}")
    for number in range(ROUNDS):
        plan = Book(store, f"plan-{number}")
        operation = plan.begin()
        seen = (plan.transaction.id, plan.transaction.version)
        charges = [
            Book(store, f"charge-{number}-{n}").begun(agreement=seen)[0]
            for n in range(4)
        ]
        changes = [*charges, plan.ended(operation)]
        outcomes = race([lambda c=change: store.append(c) for change in changes])
        begun = {f"charge-{number}-{n}" for n in range(4) if outcomes[n] is None}
        assert begun == {
            charge.transaction.id
            for charge in charges
            if store.records(charge.transaction.id)
        }
        if isolation == "read committed":  # there nobody is put off without a reason
            assert outcomes[-1] is None


def test_of_thirty_refunds_at_once_no_more_is_paid_back_than_was_taken(postgres):
    """Hyperswitch #13182: two concurrent refunds of 60 both succeed on 100."""
    shop = Shop(postgres())
    shop.authorized("order-1", 100)
    shop.do("capture", "order-1", "c")
    together = threading.Barrier(30)

    def refund(number):
        together.wait()
        return shop.insist("refund", "order-1", f"r{number}", amount=60).status

    with ThreadPoolExecutor(30) as pool:
        statuses = Counter(pool.map(refund, range(30)))
    assert statuses == {Status.SUCCEEDED: 1, Status.DENIED: 29}
    assert shop.sent("order-1", "Refund") == 1
    shop.books_agree()
    shop.emulator.close()


def test_one_key_used_by_thirty_at_once_has_one_effect(postgres):
    shop = Shop(postgres())
    shop.authorized("order-1", 100)
    together = threading.Barrier(30)

    def capture(_):
        together.wait()
        return shop.insist("capture", "order-1", "c")

    with ThreadPoolExecutor(30) as pool:
        operations = {answer.operation for answer in pool.map(capture, range(30))}
    assert len(operations) == 1
    assert shop.sent("order-1", "Capture") == 1
    shop.books_agree()
    shop.emulator.close()
