"""What every store promises, as stories that its author can run.

`StoreConformance` is for any store, `SharedStoreConformance` for one whose data outlive
it: two stores made from the same directory then see the same data. A store passes when
all of it passes; nothing here knows how a store is built.
"""
# ruff: noqa: S101 - asserting is what a test suite is for

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from threading import Barrier, Semaphore
from time import monotonic, sleep
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from kessai.errors import (
    InvalidInput,
    KessaiError,
    LeaseLost,
    StoreUnsuitable,
    VersionConflict,
)
from kessai.flow import (
    AmountBounds,
    Change,
    Lease,
    Loaded,
    Published,
    RecoveryFailure,
    Reference,
    Search,
    Subscriber,
    Undelivered,
)
from kessai.flow.archive import reduced, stub_of
from kessai.gateway import Evidence, Outcome, Source
from kessai.limits import REPLY_WITHIN
from kessai.machine import (
    Archived,
    Begun,
    Bounds,
    Closed,
    Denied,
    Discrepancy,
    Event,
    Forgotten,
    Machine,
    Operation,
    Reason,
    Record,
    Reported,
    Transaction,
    append,
    compile_lifecycle,
    read_events,
)
from kessai.machine.forgotten import FORGOTTEN, without_texts
from kessai.spec import load_shipped
from kessai.stores import StatusGroup, Store
from kessai.testing.forked import Child
from kessai.testing.store_kit.written import recorded, recorded_denial
from kessai.testing.transport_kit.waits import PATIENCE_SECONDS

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LATER = NOON + HOUR
THREADS = 8
ENOUGH = 1_000
FEW = 5
ACCOUNT, OTHER = "shop-1/test", "shop-2/test"
OURS = (ACCOUNT,)


class Book:
    """Writes the changes that a flow would write, one transaction at a time."""

    def __init__(
        self, store: Store, name: str = "order-1", account: str = ACCOUNT
    ) -> None:
        self.store, self.account = store, account
        self.machine = machine()
        self.transaction = Transaction(name)

    def begun(
        self, command: str = "authorize", key: str = "", **more: Any
    ) -> tuple[Change, Operation]:
        """The change that begins an operation of `command`; it is not yet written."""
        number = self.transaction.version + 1
        operation = Operation(
            id=f"{self.transaction.id}.{number}",
            command=command,
            key=key or f"{self.transaction.id}:{number}",
            request="",
            amount=more.pop("amount", 100),
            parameters=more.pop("parameters", {}),
            begun_at=more.pop("at", NOON),
            currency="JPY" if command == "authorize" else None,
        )
        opens = ("payment",) if command == "authorize" else ()
        account = self.account if opens else None
        event = Begun(operation.begun_at, operation, None, opens, account=account)
        opened = recorded(operation, "begun")
        return self.change([event], opens=opened, **more), operation

    def ended(self, operation: Operation, **more: Any) -> Change:
        """The change that ends `operation` well; it is not yet written."""
        evidence = attrs.evolve(
            _evidence(operation, Outcome.SUCCEEDED),
            source=Source.REPLY,
            code="A001",
            amount=operation.amount,
            reported_at=NOON,
            disclosed=more.pop("disclosed", {}),
            references={each.kind: each.id for each in more.get("references", ())},
        )
        at = more.pop("at", NOON)
        event = Reported(at, operation.id, Outcome.SUCCEEDED, evidence)
        closed = recorded(operation, "succeeded", evidence)
        return self.change([event], closes=(closed,), **more)

    def denied(self, key: str = "", **more: Any) -> Change:
        """The change that records a refusal; it is not yet written."""
        reasons = (
            Reason("amount_above_maximum", "O2", {"amount": 9, "maximum": 5}),
            Reason("state_not_allowed", "O2", {"states": "-", "allowed": "与信済"}),
        )
        key = key or f"{self.transaction.id}:{self.transaction.version + 1}"
        event = Denied(NOON, "capture", key, "f" * 64, reasons, 9)
        opened = recorded_denial(self.transaction.id, event, Bounds(1, 5, None))
        return self.change([event], opens=opened, **more)

    def change(self, events: list[Event], **more: Any) -> Change:
        """A change of `events` at the version that this book has seen last."""
        after, records = self.transaction, []
        for event in events:
            after, record = append(self.machine, after, event)
            records.append(record)
        return Change(transaction=after, records=tuple(records), **more)

    def write(self, change: Change) -> Change:
        """Append `change` and go on from it."""
        self.store.append(change)
        self.transaction = change.transaction
        return change

    def begin(self, command: str = "authorize", **more: Any) -> Operation:
        """Write the beginning of an operation."""
        change, operation = self.begun(command, **more)
        self.write(change)
        return operation

    def end(self, operation: Operation, **more: Any) -> Change:
        """Write the good end of an operation."""
        return self.write(self.ended(operation, **more))


def machine() -> Machine:
    """The machine that the stories run under."""
    return compile_lifecycle(load_shipped("one_time"))


def race(actions: list[Callable[[], None]]) -> list[Exception | None]:
    """What came of `actions`, all let go at the same moment, a thread each."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], None]) -> Exception | None:
        barrier.wait()
        try:
            action()
        except VersionConflict as error:
            return error
        return None

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


class StoreSuite:
    """What each suite for stores needs: `make_store` must give a new store."""

    def make_store(self, tmp_path: Path) -> Store:
        """A new store, empty, which may keep its data in `tmp_path`."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """The store under test."""
        store = self.make_store(tmp_path)
        yield store
        store.close()


class StoreConformance(StoreSuite):
    """Subclass it as `Test…`, give `make_store`, and run pytest."""

    def test_an_empty_store_knows_nothing(self, store: Store) -> None:
        """Nothing is found, and nothing is an error."""
        assert store.load("key", "order-1", "order-2") == Loaded(None, None, None)
        assert store.load(None, "order-1", None) == Loaded(None, None, None)
        assert store.records("order-1") == []
        assert store.declaration("0" * 64) is None
        assert list(store.transactions()) == []
        assert list(store.trails()) == []
        assert store.open_transactions(10) == []

    def test_what_was_appended_is_loaded_as_it_was(self, store: Store) -> None:
        """The transaction and what stands under the key, equal in every field."""
        book = Book(store)
        parameters = {
            "note": "ありがとう\n\x01",
            "with_capture": True,
            "frequency": {"unit": "Month", "value": 12},
        }
        at = NOON + timedelta(microseconds=1)
        change, operation = book.begun(key="k", parameters=parameters, at=at)
        book.write(change)
        loaded = store.load("k", "order-1", None)
        assert loaded == Loaded(change.opens, change.transaction, None)
        assert loaded.transaction is not None
        kept = loaded.transaction.operations[operation.id]
        assert (kept.parameters, kept.begun_at) == (parameters, at)
        ending = book.end(operation)
        loaded = store.load("k", "order-1", None)
        assert loaded == Loaded(ending.closes[0], ending.transaction, None)

    def test_a_refusal_stands_under_its_key_with_all_its_reasons(
        self, store: Store
    ) -> None:
        """A denied attempt is answered from the store, word for word."""
        change = Book(store).write(Book(store).denied(key="k"))
        loaded = store.load("k", "order-1", None)
        assert loaded.recorded == change.opens
        assert loaded.transaction == change.transaction

    def test_a_transaction_and_its_agreement_are_loaded_together(
        self, store: Store
    ) -> None:
        """In one reading, also when they are the same."""
        agreement, charge = Book(store, "agreement-1"), Book(store, "charge-1")
        agreement.begin()
        charge.begin()
        loaded = store.load(None, "charge-1", "agreement-1")
        assert loaded.transaction == charge.transaction
        assert loaded.agreement == agreement.transaction
        same = store.load(None, "charge-1", "charge-1")
        assert same.transaction == same.agreement == charge.transaction

    def test_names_are_kept_apart_to_the_letter(self, store: Store) -> None:
        """Case, blanks, likeness and marks of any script do not join two names."""
        names = ["a", "A", "a ", "á", "a\u0301", "１", "1", "%", "_", "'", "null"]
        for name in names:
            Book(store, name).begin(key=f"key {name}")
        for name in names:
            loaded = store.load(f"key {name}", name, None)
            assert loaded.transaction is not None
            assert loaded.transaction.id == name
            assert loaded.recorded is not None
            assert loaded.recorded.transaction == name
            assert [record.transaction for record in store.records(name)] == [name]

    def test_records_come_back_byte_for_byte_and_in_order(self, store: Store) -> None:
        """The trail is what it was, however long."""
        book = Book(store)
        written: list[Record] = []
        for _ in range(6):
            operation = book.begin("authorize" if not written else "get_address")
            written += [*store.records("order-1")[-1:], *book.end(operation).records]
        for _ in range(3):
            written += book.write(book.denied()).records
        assert store.records("order-1") == written
        assert [record.number for record in written] == list(range(1, 16))

    def test_denials_are_left_out_where_they_are_not_asked_for(
        self, store: Store
    ) -> None:
        """What says nothing of the gateway is not read with what does."""
        book = Book(store)
        written = [*book.write(book.denied()).records]
        operation = book.begin()
        written += store.records("order-1")[-1:]
        for _ in range(3):
            written += book.write(book.denied()).records
        written += book.end(operation).records
        assert store.records("order-1") == written
        assert store.records_from("order-1", 2) == written[1:]
        assert store.records_from("order-1", len(written) + 1) == []
        weighed = store.records("order-1", denials=False)
        assert [record.number for record in weighed] == [2, 6]
        assert weighed == [written[1], written[5]]
        assert store.records("order-2", denials=False) == []

    def test_several_records_are_written_in_one_change(self, store: Store) -> None:
        """An inquiry may resolve several things at once."""
        book = Book(store)
        operation = book.begin()
        events: list[Event] = [
            Reported(NOON, operation.id, outcome, _evidence(operation, outcome))
            for outcome in (Outcome.UNKNOWN, Outcome.PENDING, Outcome.SUCCEEDED)
        ]
        change = book.write(book.change(events))
        assert store.records("order-1")[1:] == list(change.records)
        assert store.load(None, "order-1", None).transaction == change.transaction

    @pytest.mark.parametrize("behind", [1, 2])
    def test_a_change_to_an_older_version_conflicts(
        self, store: Store, behind: int
    ) -> None:
        """Whoever was slower must decide again."""
        book = Book(store)
        late = [book.begun(key="late")[0]]
        operation = book.begin()
        late.append(book.ended(operation))
        book.end(operation)
        before = _everything(store)
        with pytest.raises(VersionConflict):
            store.append(late[-behind])
        assert _everything(store) == before

    def test_a_change_to_a_version_that_never_was_conflicts(self, store: Store) -> None:
        """A trail has no gaps."""
        book = Book(store)
        change, operation = book.begun()
        book.transaction = change.transaction
        with pytest.raises(VersionConflict):
            store.append(book.ended(operation))
        assert store.load(None, "order-1", None).transaction is None
        assert store.records("order-1") == []

    def test_a_key_is_taken_once_in_all_transactions(self, store: Store) -> None:
        """One key, one effect; nothing of the second is there."""
        Book(store).begin(key="k")
        before = _everything(store)
        other = Book(store, "order-2")
        with pytest.raises(VersionConflict):
            store.append(other.begun(key="k")[0])
        with pytest.raises(VersionConflict):
            store.append(other.denied(key="k"))
        assert _everything(store) == before
        assert store.load("k", "order-2", None).transaction is None

    def test_a_denied_key_can_be_decided_anew(self, store: Store) -> None:
        """What stands under the key from then on is what was begun, once."""
        book = Book(store)
        book.write(book.denied(key="k"))
        change, _ = book.begun(key="k")
        assert change.opens is not None
        book.write(replace(change, opens=None, closes=(change.opens,)))
        assert store.load("k", "order-1", None).recorded == change.opens
        assert [answer.outcome for answer in store.answers()] == ["begun"]

    def test_an_attempt_without_a_key_of_its_own_leaves_the_keys_alone(
        self, store: Store
    ) -> None:
        """A conflict of keys is recorded in the trail; the first record stands."""
        book = Book(store)
        first, _ = book.begun(key="k")
        book.write(first)
        book.write(replace(book.denied(key="k"), opens=None))
        assert store.load("k", "order-1", None).recorded == first.opens
        assert len(store.records("order-1")) == 2  # noqa: PLR2004 - both attempts

    def test_an_agreement_that_moved_meanwhile_conflicts(self, store: Store) -> None:
        """A termination and a re-authorization that race have one winner."""
        agreement = Book(store, "agreement-1")
        operation = agreement.begin()
        charge = Book(store, "charge-1")
        seen = ("agreement-1", agreement.transaction.version)
        change, _ = charge.begun(key="k", agreement=seen)
        agreement.end(operation)
        before = _everything(store)
        with pytest.raises(VersionConflict):
            store.append(change)
        assert _everything(store) == before
        assert store.load("k", "charge-1", None) == Loaded(None, None, None)
        seen = ("agreement-1", agreement.transaction.version)
        charge.write(charge.begun(key="k", agreement=seen)[0])

    def test_an_agreement_that_is_not_there_conflicts(self, store: Store) -> None:
        """Nothing is begun under an agreement that nobody has."""
        change, _ = Book(store).begun(agreement=("nobody", 3))
        with pytest.raises(VersionConflict):
            store.append(change)
        assert store.load(None, "order-1", None).transaction is None

    def test_a_lifecycle_file_is_kept_under_its_hash(self, store: Store) -> None:
        """Once, however many transactions begin under it."""
        lifecycle = machine().lifecycle
        for number in range(3):
            book = Book(store, f"order-{number}")
            book.write(book.begun(declaration=lifecycle)[0])
        assert store.declaration(lifecycle.hash) == lifecycle.document
        assert store.declaration("0" * 64) is None

    def test_a_lifecycle_file_of_a_failed_change_is_not_kept(
        self, store: Store
    ) -> None:
        """A change is there whole or not at all, and can be made later."""
        lifecycle = machine().lifecycle
        Book(store).begin(key="k")
        other = Book(store, "order-2")
        with pytest.raises(VersionConflict):
            store.append(other.begun(key="k", declaration=lifecycle)[0])
        assert store.declaration(lifecycle.hash) is None
        other.write(other.begun(key="other", declaration=lifecycle)[0])
        assert store.declaration(lifecycle.hash) == lifecycle.document

    def test_what_was_disclosed_to_the_caller_is_not_kept(self, store: Store) -> None:
        """An address is for the caller of the moment alone."""
        book = Book(store)
        operation = book.begin(key="k")
        book.end(operation, disclosed={"address": "Chiyoda 1-1"})
        recorded = store.load("k", "order-1", None).recorded
        assert recorded is not None
        assert recorded.evidence is not None
        assert recorded.evidence.disclosed == {}
        bodies = b"".join(record.body for record in store.records("order-1"))
        assert b"Chiyoda" not in bodies

    def test_what_is_left_of_a_record_takes_its_place(self, store: Store) -> None:
        """Everywhere that it is read, with the event that says so, or nowhere."""
        book = Book(store)
        operation = book.begin(key="k", parameters={"note": "Chiyoda 1-1"})
        book.end(operation)
        first, second = store.records("order-1")
        left = without_texts(first.body)
        assert left.fields == ("note",)
        kept = replace(first, body=left.body)
        event = Forgotten(NOON, "sato", "asked for", {"1": left.digest})
        written = replace(book.change([event]), rewrites=(kept,))
        late = replace(written, transaction=book.transaction.next())
        with pytest.raises(VersionConflict):
            store.append(replace(late, records=()))
        assert store.records("order-1") == [first, second]
        book.write(written)
        store.scrub()
        expected = [kept, second, *written.records]
        assert store.records("order-1") == expected
        assert store.records("order-1", denials=False) == expected
        assert [each.record for each in store.feed("", 10)] == expected
        assert list(store.trails()) == [("order-1", expected)]
        events = list(read_events(expected))
        assert isinstance(events[0], Begun)
        assert events[0].operation.parameters == {"note": FORGOTTEN}
        assert events[2] == event

    def test_what_is_archived_leaves_its_last_event(self, store: Store) -> None:
        """It keeps its id, its key and its place in the feed; or nothing is removed."""
        book = Book(store)
        book.end(book.begin(key="k"), references=(Reference("a", "order", "o_1"),))
        hashes = tuple(record.hash for record in store.records("order-1"))
        book.write(book.change([Archived(NOON, "2025.db", "sato", hashes)]))
        *_, last = published = store.feed("", 10)
        answer = store.load("k", "order-1", None).recorded
        assert answer is not None
        left = stub_of(book.transaction)
        removal = Change(
            transaction=left, records=(), closes=(reduced(answer),), removes=True
        )
        try:
            store.append(removal)
        except StoreUnsuitable:
            assert store.feed("", 10) == published
            return
        assert store.load("k", "order-1", None) == Loaded(reduced(answer), left, None)
        assert store.records("order-1") == [last.record]
        assert store.feed("", 10) == [last]
        assert store.find("a", "order", "o_1") == ["order-1"]
        assert store.search(Search()).transactions == ()
        with pytest.raises(VersionConflict):
            store.append(Book(store).begun(key="k2")[0])
        with pytest.raises(VersionConflict):
            store.append(Book(store, "order-2").begun(key="k")[0])
        Book(store, "order-3").begin()
        (after,) = store.feed(last.position, 10)
        assert after.record.transaction == "order-3"

    def test_subscribers_are_listed_by_name(self, store: Store) -> None:
        """Each as it was stored last; one that was only asked for is not known."""
        known = [Subscriber(name=name, version=1) for name in ("mail", "books", "Mail")]
        for each in known:
            store.advance(each)
        moved = known[1].moved(position="")
        store.advance(moved)
        store.subscriber("nobody")
        assert store.subscribers() == [known[2], moved, known[0]]

    def test_transactions_and_trails_come_sorted_by_id(self, store: Store) -> None:
        """In the order of their characters, whatever the order of writing."""
        names = ["b", "a", "B", "a-1", "一", "a_1", "10", "9"]
        for name in names:
            Book(store, name).begin()
        assert [found.id for found in store.transactions()] == sorted(names)
        trails = list(store.trails())
        assert [name for name, _ in trails] == sorted(names)
        for name, trail in trails:
            assert store.records(name) == store.records_from(name, 1) == trail

    def test_a_reading_of_all_shows_one_moment_while_others_write(
        self, store: Store
    ) -> None:
        """What is written after the first was read is not seen, and can be written."""
        books = [Book(store, f"order-{number}") for number in range(4)]
        operations = [book.begin() for book in books]
        transactions, trails = store.transactions(), store.trails()
        seen = [next(transactions)]
        read = [next(trails)]
        for book, operation in zip(books, operations, strict=True):
            book.end(operation)
        Book(store, "order-9").begin()
        seen += transactions
        read += trails
        assert [found.version for found in seen] == [1, 1, 1, 1]
        assert [len(trail) for _, trail in read] == [1, 1, 1, 1]
        versions = [found.version for found in store.transactions()]
        assert versions == [2, 2, 2, 2, 1]

    def test_a_reading_that_is_broken_off_leaves_the_store_as_it_was(
        self, store: Store
    ) -> None:
        """Nothing stays locked behind it."""
        book = Book(store)
        operation = book.begin()
        Book(store, "order-2").begin()
        for reading in (store.transactions(), store.trails()):
            next(reading)
            del reading
        book.end(operation)

    def test_open_transactions_come_oldest_first_and_only_while_open(
        self, store: Store
    ) -> None:
        """Whoever waits longest comes first."""
        opened = {}
        for name, minute in {"c": 2, "a": 3, "d": 0, "b": 1}.items():
            book = Book(store, name)
            opened[name] = book, book.begin(at=NOON + timedelta(minutes=minute))
        assert store.open_transactions(10) == ["d", "b", "c", "a"]
        assert store.open_transactions(2) == ["d", "b"]
        book, operation = opened["b"]
        book.end(operation)
        assert store.open_transactions(10) == ["d", "c", "a"]

    def test_the_oldest_open_operation_of_a_transaction_counts(
        self, store: Store
    ) -> None:
        """To the microsecond, and after its end the next one."""
        steps = [timedelta(0), timedelta(microseconds=500), timedelta(seconds=1)]
        first, second = Book(store, "first"), Book(store, "second")
        operation = first.begin(at=NOON + steps[0])
        first.begin("get_address", at=NOON + steps[2])
        second.begin(at=NOON + steps[1])
        assert store.open_transactions(10) == ["first", "second"]
        first.end(operation)
        assert store.open_transactions(10) == ["second", "first"]

    def test_the_oldest_comes_first_in_whatever_zone_its_clock_was(
        self, store: Store
    ) -> None:
        """The same moment has many names; their order is not that of the moments."""
        tokyo = timezone(timedelta(hours=9))
        for minute, name in enumerate(["a", "b", "c"]):
            at = NOON + timedelta(minutes=minute)
            Book(store, name).begin(at=at.astimezone(tokyo) if name == "b" else at)
        assert store.open_transactions(10) == ["a", "b", "c"]

    def test_what_is_due_longest_is_leased_first_and_to_one_alone(
        self, store: Store
    ) -> None:
        """Two recoverers never work on the same transaction."""
        for minute, name in enumerate(["a", "b"]):
            Book(store, name).begin(at=NOON + timedelta(minutes=minute))
        assert store.claim(NOON + REPLY_WITHIN - SECOND, LATER, OURS) is None
        first = store.claim(LATER, LATER + HOUR, OURS)
        assert first == Lease(transaction="a", number=1, attempts=0, until=LATER + HOUR)
        second = _leased(store, LATER)
        assert second.transaction == "b"
        assert store.claim(LATER, LATER + HOUR, OURS) is None

    def test_only_what_is_open_is_leased(self, store: Store) -> None:
        """There is nothing to find out about what has ended."""
        book = Book(store)
        book.end(book.begin())
        Book(store, "order-2").write(Book(store, "order-2").denied())
        assert store.claim(LATER, LATER + HOUR, OURS) is None

    def test_what_has_no_answer_is_due_at_once(self, store: Store) -> None:
        """Its caller waits no longer; only a begun operation's does."""
        book = Book(store)
        operation = book.begin()
        unknown = _evidence(operation, Outcome.UNKNOWN)
        book.write(
            book.change([Reported(NOON, operation.id, Outcome.UNKNOWN, unknown)])
        )
        lease = _leased(store, NOON)
        assert lease.transaction == "order-1"

    def test_a_lease_ends_by_time_and_the_next_one_is_another(
        self, store: Store
    ) -> None:
        """A recoverer that died holds nothing up for ever."""
        Book(store).begin()
        first = _leased(store, LATER)
        assert store.claim(LATER + HOUR - SECOND, LATER + HOUR, OURS) is None
        again = _leased(store, LATER + HOUR, LATER + 2 * HOUR)
        assert again.number > first.number

    def test_a_lease_outlives_what_it_was_given_for(self, store: Store) -> None:
        """Something new begins under it: it is not leased to a second one as well."""
        book = Book(store)
        operation = book.begin()
        first = _leased(store, LATER)
        book.end(operation)
        book.begin("capture")
        assert store.claim(LATER + SECOND, LATER + 2 * HOUR, OURS) is None
        again = _leased(store, LATER + HOUR, LATER + 2 * HOUR)
        assert again.number > first.number

    def test_a_change_under_a_lease_that_was_lost_is_not_written(
        self, store: Store
    ) -> None:
        """A recoverer that was paused, and wakes up late, changes nothing."""
        book = Book(store)
        operation = book.begin()
        lost = store.claim(LATER, LATER + HOUR, OURS)
        held = store.claim(LATER + HOUR, LATER + 2 * HOUR, OURS)
        before = _everything(store)
        with pytest.raises(LeaseLost):
            store.append(book.ended(operation, lease=lost))
        assert _everything(store) == before
        book.end(operation, lease=held)

    def test_a_lease_that_was_never_given_is_lost(self, store: Store) -> None:
        """One of another store, or of this one before it was made anew."""
        book = Book(store)
        operation = book.begin()
        strange = Lease(transaction="order-1", number=1, attempts=0, until=LATER)
        with pytest.raises(LeaseLost):
            store.append(book.ended(operation, lease=strange))
        store.release(strange, LATER + HOUR)
        assert store.claim(LATER, LATER + HOUR, OURS) is not None

    def test_a_released_transaction_rests_and_its_attempts_are_counted(
        self, store: Store
    ) -> None:
        """It is due again at the given time, not before."""
        Book(store).begin()
        for attempts in range(3):
            lease = _leased(store, LATER + attempts * HOUR, LATER + 12 * HOUR)
            assert lease.attempts == attempts
            due_at = LATER + (attempts + 1) * HOUR
            store.release(lease, due_at)
            assert store.claim(due_at - SECOND, LATER + 9 * HOUR, OURS) is None

    def test_a_release_of_a_lease_that_was_lost_changes_nothing(
        self, store: Store
    ) -> None:
        """The transaction is somebody else's now."""
        Book(store).begin()
        lost = _leased(store, LATER)
        held = _leased(store, LATER + HOUR, LATER + 2 * HOUR)
        store.release(lost, LATER)
        assert store.claim(LATER + HOUR, LATER + 2 * HOUR, OURS) is None
        store.release(held, LATER)
        again = _leased(store, LATER + HOUR, LATER + 2 * HOUR)
        assert again.attempts == 1

    def test_what_happens_to_a_transaction_makes_it_due_anew(
        self, store: Store
    ) -> None:
        """And its attempts are counted from 0 again; a lease of it still holds."""
        book = Book(store)
        book.begin()
        lease = _leased(store, LATER)
        book.begin("get_address")
        assert store.claim(LATER, LATER + HOUR, OURS) is None
        store.release(lease, LATER + HOUR)
        book.begin("get_address")
        again = _leased(store, LATER)
        assert again.attempts == 0

    def test_a_release_after_the_end_leaves_nothing_due(self, store: Store) -> None:
        """What was resolved under the lease is done with."""
        book = Book(store)
        operation = book.begin()
        lease = _leased(store, LATER)
        book.end(operation, lease=lease)
        store.release(lease, LATER)
        assert store.claim(LATER + HOUR, LATER + 2 * HOUR, OURS) is None

    def test_the_failure_of_a_recovery_is_noted_until_one_succeeds(
        self, store: Store
    ) -> None:
        """Whoever looks at the transaction sees it, and the next recoverer gets it."""
        Book(store).begin()
        assert store.recovery_failure("order-1") is None
        failure = RecoveryFailure(LATER, 1, "KeyError in shop_é, line 3")
        lost = _leased(store, LATER)
        held = _leased(store, LATER + HOUR, LATER + 2 * HOUR)
        store.release(lost, LATER, failure)
        assert store.recovery_failure("order-1") is None
        store.release(held, LATER, failure)
        assert store.recovery_failure("order-1") == failure
        assert store.unresolved(NOON - SECOND, 10) == ["order-1"]
        assert [each.id for each in store.transactions(LATER)] == ["order-1"]
        again = _leased(store, LATER)
        assert again.failure == failure
        store.release(again, LATER)
        assert store.recovery_failure("order-1") is None
        assert store.unresolved(NOON - SECOND, 10) == []
        assert _leased(store, LATER).failure is None

    def test_a_noted_failure_stays_while_anything_is_open(self, store: Store) -> None:
        """What happens meanwhile mends nothing; what has ended is not recovered."""
        book = Book(store)
        operation = book.begin()
        failure = RecoveryFailure(LATER, 1, "KeyError in shop, line 3")
        store.release(_leased(store, LATER), LATER + HOUR, failure)
        book.write(book.denied())
        assert store.recovery_failure("order-1") == failure
        lease = _leased(store, LATER)
        book.end(operation)
        assert store.recovery_failure("order-1") is None
        store.release(lease, LATER + HOUR, failure)
        book.begin("capture")
        assert store.recovery_failure("order-1") is None
        assert store.unresolved(NOON - SECOND, 10) == []

    def test_of_many_threads_that_claim_no_two_get_the_same(self, store: Store) -> None:
        """Each transaction is leased once, and none is left out."""
        names = [f"order-{number}" for number in range(2 * THREADS)]
        for name in names:
            Book(store, name).begin()

        def claim(_: int) -> list[str]:
            found = []
            while (lease := store.claim(LATER, LATER + HOUR, OURS)) is not None:
                found.append(lease.transaction)
            return found

        with ThreadPoolExecutor(THREADS) as pool:
            claimed = [
                name for found in pool.map(claim, range(THREADS)) for name in found
            ]
        assert sorted(claimed) == sorted(names)

    def test_only_what_belongs_to_the_accounts_asked_for_is_leased(
        self, store: Store
    ) -> None:
        """What another merchant's gateway has open, this one's knows nothing of."""
        Book(store, "theirs", OTHER).begin(at=NOON)
        Book(store, "ours").begin(at=NOON + SECOND)
        assert store.claim(LATER, LATER + HOUR, ()) is None
        ours = _leased(store, LATER)
        assert ours.transaction == "ours"
        assert store.claim(LATER, LATER + HOUR, OURS) is None
        theirs = store.claim(LATER, LATER + HOUR, ("none", OTHER))
        assert theirs is not None
        assert theirs.transaction == "theirs"

    def test_of_several_accounts_what_is_due_longest_is_leased_first(
        self, store: Store
    ) -> None:
        """No account waits for another one's to be done."""
        for minute, (name, account) in enumerate(
            [("c", OTHER), ("b", ACCOUNT), ("a", OTHER), ("d", ACCOUNT)]
        ):
            at = NOON + timedelta(minutes=minute)
            Book(store, name, account).begin(at=at)
        leases = [store.claim(LATER, LATER + HOUR, (ACCOUNT, OTHER)) for _ in "cbad"]
        assert [lease and lease.transaction for lease in leases] == list("cbad")

    def test_the_accounts_of_all_transactions_are_known(self, store: Store) -> None:
        """What was only denied has none: it never came to be."""
        assert store.accounts() == []
        refused = Book(store, "refused")
        refused.write(refused.denied())
        assert store.accounts() == []
        for name, account in (("b", OTHER), ("a", ACCOUNT), ("c", OTHER)):
            book = Book(store, name, account)
            book.end(book.begin())
        assert store.accounts() == [ACCOUNT, OTHER]

    def test_what_states_there_are_is_known(self, store: Store) -> None:
        """Each account, lifecycle and status once; what was only denied has none."""
        assert store.status_groups() == []
        _fill(store)
        assert store.status_groups() == [
            StatusGroup(ACCOUNT, "one_time", "payment.authorized"),
            StatusGroup(ACCOUNT, "one_time", "payment.captured"),
            StatusGroup(ACCOUNT, "one_time", "payment.requested"),
            StatusGroup(OTHER, "one_time", "payment.authorized"),
        ]

    def test_a_search_finds_what_was_asked_for_and_nothing_else(
        self, store: Store
    ) -> None:
        """By state, account, period, what is open or discrepant, reference, amount."""
        _fill(store)
        for expected, asked in (
            ("taken ordered other odd", Search()),
            ("odd other ordered taken", Search(by="opened")),
            ("taken", Search(states=["captured"])),
            (
                "taken ordered other",
                Search(states=["captured", "payment.authorized", "none"]),
            ),
            ("", Search(states=["capture"])),
            ("other", Search(account=OTHER)),
            ("ordered other", Search(account=None, states=["authorized"])),
            ("taken ordered", Search(since=NOON + 4 * HOUR)),
            ("other odd", Search(until=NOON + 4 * HOUR)),
            ("ordered", Search(since=NOON + 4 * HOUR, until=NOON + 5 * HOUR)),
            ("odd other", Search(by="opened", since=NOON + 2 * HOUR)),
            ("ordered taken", Search(by="opened", until=NOON + 2 * HOUR)),
            ("other", Search(by="opened", account=OTHER, newest_first=False)),
            ("odd", Search(is_open=True)),
            ("odd", Search(is_discrepant=True, by="opened")),
            ("other ordered", Search(reference="r_1", by="opened")),
            ("ordered", Search(reference="r_1", reference_kind="order")),
            ("other", Search(reference="r_1", reference_kind="buyer")),
            ("ordered", Search(reference="r_1", account=ACCOUNT)),
            ("ordered other odd", Search(prefix="o")),
            ("ordered", Search(prefix="order")),
            (
                "taken ordered other",
                Search(amount=AmountBounds("authorized", "JPY", 100, 100)),
            ),
            ("taken", Search(amount=AmountBounds("captured", "JPY", minimum=1))),
            ("", Search(amount=AmountBounds("captured", "EUR", 1))),
            ("", Search(lifecycle="charge")),
            ("taken", Search(lifecycle="one_time", limit=1)),
        ):
            found = [each.id for each in store.search(asked).transactions]
            assert found == expected.split(), asked

    def test_a_found_transaction_is_what_is_loaded(self, store: Store) -> None:
        """Equal in every field, so nothing needs to be asked again."""
        _fill(store)
        for found in store.search(Search()).transactions:
            assert found == store.load(None, found.id, None).transaction

    @pytest.mark.parametrize("by", ["changed", "opened"])
    def test_a_search_goes_on_at_its_cursor_though_others_are_added(
        self, store: Store, by: Any
    ) -> None:
        """Each is found once, also of those with the same time; a new one shifts none."""
        names = [f"order-{number}" for number in range(7)]
        for name in names:
            book = Book(store, name, OTHER if name > "order-3" else ACCOUNT)
            book.end(book.begin(at=NOON if name > "order-1" else NOON - HOUR))
        for newest_first in (True, False):
            asked = Search(by=by, newest_first=newest_first, limit=3)
            found: list[str] = []
            for added in ("x", "y", "z"):
                result = store.search(asked)
                found += [each.id for each in result.transactions]
                asked = attrs.evolve(asked, after=result.cursor)
                if newest_first:
                    Book(store, added).begin(at=LATER)
            newer = [] if newest_first else ["x", "y"]
            assert found == sorted(names, reverse=newest_first) + newer
            assert (asked.after is None) is newest_first

    def test_a_denial_and_an_intent_change_no_place_in_a_search(
        self, store: Store
    ) -> None:
        """A caller who is refused, or waits for the gateway, has changed nothing yet."""
        _fill(store)
        before = [each.id for each in store.search(Search()).transactions]
        loaded = store.load(None, "other", None).transaction
        assert loaded is not None
        book = Book(store, "other", OTHER)
        book.transaction = loaded
        book.write(book.denied(key="denied"))
        operation = book.begin("capture", at=NOON + 9 * HOUR)
        assert [each.id for each in store.search(Search()).transactions] == before
        book.end(operation, at=NOON + 10 * HOUR)
        first, *_ = store.search(Search()).transactions
        assert (first.id, first.changed_at) == ("other", NOON + 10 * HOUR)

    def test_what_waits_for_an_operator_is_found(self, store: Store) -> None:
        """Discrepancies until they are resolved, and what is open for too long."""
        Book(store, "young").begin(at=NOON + HOUR)
        Book(store, "old").begin(at=NOON)
        ended = Book(store, "ended")
        ended.end(ended.begin(at=NOON))
        book = Book(store, "discrepant")
        operation = book.begin(at=NOON + HOUR)
        stated = _evidence(operation, Outcome.SUCCEEDED)
        book.end(operation)
        book.write(book.change([Discrepancy(NOON, "state_not_allowed", stated)]))
        assert store.unresolved(NOON, 10) == ["discrepant", "old"]
        assert store.unresolved(NOON - SECOND, 10) == ["discrepant"]
        assert store.unresolved(NOON, 1) == ["discrepant"]
        signed = attrs.evolve(stated, source=Source.OPERATOR, actor="sato", note="ok")
        book.write(book.change([Closed(NOON, 3, signed)]))
        assert store.unresolved(NOON, 10) == ["old"]

    def test_a_checkout_waits_for_its_consumer_before_it_waits_for_an_operator(
        self, store: Store
    ) -> None:
        """From the end of the time that the lifecycle allows; nobody can help before."""
        book = Book(store)
        operation = book.begin(at=NOON)
        assert store.unresolved(NOON, 10) == ["order-1"]
        stated = _evidence(operation, Outcome.PENDING)
        accepted = Reported(NOON, operation.id, Outcome.PENDING, stated)
        book.write(book.change([accepted]))
        (open_one,) = book.transaction.operations.values()
        assert open_one.finish_by is not None
        assert store.unresolved(open_one.finish_by - SECOND, 10) == []
        assert store.unresolved(open_one.finish_by, 10) == ["order-1"]

    def test_a_transaction_is_found_by_the_ids_that_its_gateway_gave(
        self, store: Store
    ) -> None:
        """Under the account and the kind that they were given in, and no other."""
        book = Book(store)
        order, customer = Reference("a", "order", "o_1"), Reference("a", "buyer", "b_é")
        book.end(book.begin(), references=(order, customer))
        book.end(book.begin("capture"), references=(order,))  # once more is no harm
        assert store.find("a", "order", "o_1") == ["order-1"]
        assert store.find("a", "buyer", "b_é") == ["order-1"]
        for account, kind, name in (
            ("b", "order", "o_1"),
            ("a", "buyer", "o_1"),
            ("a", "order", "O_1"),
            ("a", "order", ""),
        ):
            assert store.find(account, kind, name) == []

    def test_all_ids_that_gateways_gave_are_listed_by_transaction(
        self, store: Store
    ) -> None:
        """The audit compares them with what the transactions know."""
        buyer, order = Reference("a", "buyer", "b_1"), Reference("a", "order", "o_1")
        second, first = Book(store, "order-2"), Book(store, "order-1")
        for book in (second, first):
            book.end(book.begin(), references=(buyer,))
        first.end(first.begin("capture"), references=(order,))
        assert list(store.references()) == [
            ("order-1", buyer),
            ("order-1", order),
            ("order-2", buyer),
        ]

    def test_the_feed_gives_all_events_in_pages_and_each_transaction_in_its_order(
        self, store: Store
    ) -> None:
        """Whoever reads on after the last position misses none, and has none twice."""
        assert store.feed("", 10) == []
        books = [Book(store, name) for name in ("b", "a")]
        operations = [book.begin() for book in books]
        for book, operation in zip(books, operations, strict=True):
            book.end(operation)
        books[0].write(books[0].denied())
        read = followed(store, 2)
        trails = dict(store.trails())
        assert {name: _of(name, read) for name in trails} == trails
        assert len({each.position for each in read}) == len(read)
        assert store.feed(read[-1].position, 10) == []
        assert store.feed(read[1].position, 10) == read[2:]
        assert (store.held_back(), store.misplaced()) == (None, [])

    def test_what_is_no_position_of_the_store_is_refused(self, store: Store) -> None:
        """Whoever went on after it would miss what comes until then."""
        book = Book(store)
        book.begin()
        for wrong in ("x", "9" * 18, "9" * 30, "-1", "1.5"):
            with pytest.raises(InvalidInput):
                store.feed(wrong, 10)

    def test_a_reader_beside_many_writers_misses_no_event(self, store: Store) -> None:
        """None is given its place before one that was read already."""
        writing = Semaphore(0)
        read: list[Published] = []
        with ThreadPoolExecutor(THREADS) as pool:
            books = [Book(store, f"order-{n}") for n in range(THREADS)]
            written = [pool.submit(_deny, book, writing) for book in books]
            while not all(each.done() for each in written):
                writing.acquire(timeout=1)
                read += _pages(store, 3, read[-1].position if read else "")
            for each in written:
                each.result()
        read += followed(store, 3, read[-1].position if read else "")
        trails = dict(store.trails())
        assert {name: _of(name, read) for name in trails} == trails
        assert len(read) == THREADS * FEW

    def test_how_far_a_subscriber_is_is_stored_once_a_version(
        self, store: Store
    ) -> None:
        """Of two processes that carry it on, one is refused."""
        first = store.subscriber("mail")
        assert first == Subscriber(name="mail")
        waiting = Undelivered(
            position="1", transaction="b", number=2, id="é", attempts=1, due_at=LATER
        )
        moved = first.moved(position="7", undelivered=(waiting,))
        store.advance(moved)
        assert store.subscriber("mail") == moved
        assert store.subscriber("Mail") == Subscriber(name="Mail")
        with pytest.raises(VersionConflict):
            store.advance(first.moved(position="8"))
        with pytest.raises(VersionConflict):
            store.advance(moved.moved().moved())
        dead = replace(waiting, due_at=None, reason="status 500")
        store.advance(moved.moved(undelivered=(dead,)))
        assert store.subscriber("mail").undelivered == (dead,)

    def test_nothing_foreign_stands_on_the_tables_of_a_new_store(
        self, store: Store
    ) -> None:
        """The audit reports what others have put there."""
        assert store.foreign_objects() == []

    def test_a_transaction_that_rests_and_one_that_is_leased_hold(
        self, store: Store
    ) -> None:
        """What recoverers leave behind is no fault of the store."""
        book = Book(store, "ended")
        operation = book.begin(at=NOON - HOUR)
        lease = _leased(store, NOON)
        book.end(operation, lease=lease)
        store.release(lease, LATER)
        for name in ("leased", "resting"):
            Book(store, name).begin()
        _leased(store, LATER)
        store.release(_leased(store, LATER), LATER + HOUR)
        held = [transaction.id for transaction in store.transactions(LATER)]
        assert held == ["ended", "leased", "resting"]

    def test_an_id_may_be_that_of_several_transactions(self, store: Store) -> None:
        """A customer's, for instance; those that have it come sorted."""
        buyer = Reference("a", "buyer", "b_1")
        for name in ("order-2", "order-10", "order-1"):
            book = Book(store, name)
            book.end(book.begin(), references=(buyer,))
        assert store.find("a", "buyer", "b_1") == ["order-1", "order-10", "order-2"]

    def test_an_id_of_a_change_that_conflicts_is_not_kept(self, store: Store) -> None:
        """It is written with its change, or not at all."""
        book = Book(store)
        change = book.ended(book.begin(), references=(Reference("a", "order", "o_1"),))
        book.write(book.denied())
        with pytest.raises(VersionConflict):
            store.append(change)
        assert store.find("a", "order", "o_1") == []

    def test_of_many_threads_that_race_for_one_version_exactly_one_wins(
        self, store: Store
    ) -> None:
        """Whatever was decided on the same state, only one of it happens."""
        book = Book(store)
        book.end(book.begin())
        changes = [
            book.begun("capture", key=f"key-{number}")[0] for number in range(THREADS)
        ]
        outcomes = race([partial(store.append, change) for change in changes])
        assert outcomes.count(None) == 1
        winner = changes[outcomes.index(None)]
        loaded = store.load(None, "order-1", None)
        assert loaded.transaction == winner.transaction
        assert store.records("order-1")[-1:] == list(winner.records)
        keys = [f"key-{number}" for number in range(THREADS)]
        recorded = [store.load(key, "order-1", None).recorded for key in keys]
        assert [found for found in recorded if found is not None] == [winner.opens]

    def test_of_many_threads_that_race_for_one_order_id_exactly_one_wins(
        self, store: Store
    ) -> None:
        """An order id is used once."""
        changes = [
            Book(store).begun(key=f"key-{number}")[0] for number in range(THREADS)
        ]
        outcomes = race([partial(store.append, change) for change in changes])
        assert outcomes.count(None) == 1

    def test_of_many_threads_that_race_for_one_key_exactly_one_wins(
        self, store: Store
    ) -> None:
        """Even when they are about different transactions."""
        changes = [
            Book(store, f"order-{number}").begun(key="k")[0]
            for number in range(THREADS)
        ]
        outcomes = race([partial(store.append, change) for change in changes])
        assert outcomes.count(None) == 1
        assert len(list(store.transactions())) == 1

    def test_threads_on_different_transactions_do_not_disturb_each_other(
        self, store: Store
    ) -> None:
        """Everything that was acknowledged is there."""

        def write(number: int) -> None:
            book = Book(store, f"order-{number}")
            for _ in range(5):
                book.write(book.denied())

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(write, range(THREADS)))
        lengths = {name: len(trail) for name, trail in store.trails()}
        assert lengths == {f"order-{number}": 5 for number in range(THREADS)}

    def test_what_a_forked_child_is_acknowledged_is_in_the_store(
        self, store: Store
    ) -> None:
        """Both processes have one truth, or the child is refused; neither hangs.

        Other threads of the parent write at the moment of each fork.
        """
        Book(store, "before").begin()
        names = [f"thread-{number}" for number in range(THREADS)]
        over, wrote = threading.Event(), Semaphore(0)
        with ThreadPoolExecutor(THREADS) as pool, ExitStack() as last:
            last.callback(over.set)
            writing = [
                pool.submit(_write_until, over, wrote, Book(store, name))
                for name in names
            ]
            children: list[Child] = []
            for number in range(4):
                assert wrote.acquire(timeout=PATIENCE_SECONDS)
                work = partial(_write_in_child, Book(store, f"child-{number}"))
                children.append(Child(work))
            ended = [child.ended() for child in children]
            Book(store, "after").begin()
        assert None not in ended, "a child process broke, or hung"
        written = {f"child-{n}": int(text or 0) for n, text in enumerate(ended)}
        written |= {
            name: one.result() for name, one in zip(names, writing, strict=True)
        }
        found = Counter(name for name, part in store.trails() for _ in part)
        for name, count in written.items():
            assert found[name] >= count, "an acknowledged change is not there"

    def test_a_reading_goes_on_in_the_parent_though_a_child_reads_on(
        self, store: Store
    ) -> None:
        """A child has what was read before, or is refused the rest."""
        names = [f"order-{number:03}" for number in range(250)]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda name: Book(store, name).begin(), names))
        trails = store.trails()
        found = [next(trails)[0]]
        child = Child(partial(_read_in_child, trails))
        ended = child.ended()
        assert ended is not None, "a child process broke, or hung"
        found += [name for name, _ in trails]
        assert found == names
        read = ended.split()
        assert read == names[1 : 1 + len(read)]

    def test_a_store_can_be_closed_once_it_is_done_with(self, tmp_path: Path) -> None:
        """Closing is quiet, whether anything was written or not."""
        self.make_store(tmp_path).close()


class SharedStoreConformance(StoreConformance):
    """For a store whose data outlive it and may be shared by several.

    Two calls of `make_store` with the same directory give stores on the same data.
    """

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Store]:
        """A second store on the data of the first."""
        other = self.make_store(tmp_path)
        yield other
        other.close()

    def test_data_outlive_the_store(self, store: Store, tmp_path: Path) -> None:
        """What was acknowledged is there when the store is opened again."""
        book = Book(store)
        lifecycle = machine().lifecycle
        book.write(book.begun(key="k", declaration=lifecycle)[0])
        before = _everything(store)
        store.close()
        again = self.make_store(tmp_path)
        assert _everything(again) == before
        assert again.load("k", "order-1", None).transaction == book.transaction
        assert again.declaration(lifecycle.hash) == lifecycle.document
        again.close()

    def test_what_one_store_wrote_another_sees_at_once(
        self, store: Store, other: Store
    ) -> None:
        """There is one truth, not one a process."""
        book = Book(store)
        operation = book.begin()
        assert other.open_transactions(1) == ["order-1"]
        book.end(operation)
        assert _everything(other) == _everything(store)

    def test_of_two_stores_that_race_for_one_version_exactly_one_wins(
        self, store: Store, other: Store
    ) -> None:
        """Medusa #16012: a check and an act apart are not one; here they are."""
        for number in range(10):
            changes = [
                Book(store, f"order-{number}").begun(key=f"{number} {which}")[0]
                for which in range(2)
            ]
            stores = (store, other)
            outcomes = race(
                [partial(s.append, c) for s, c in zip(stores, changes, strict=True)]
            )
            assert outcomes.count(None) == 1

    def test_a_lifecycle_file_that_another_store_wrote_is_no_conflict(
        self, store: Store, other: Store
    ) -> None:
        """Both may begin transactions under it."""
        lifecycle = machine().lifecycle
        first, second = Book(store), Book(other, "order-2")
        first.write(first.begun(declaration=lifecycle)[0])
        second.write(second.begun(declaration=lifecycle)[0])
        assert other.declaration(lifecycle.hash) == lifecycle.document


def followed(store: Store, limit: int, after: str = "") -> list[Published]:
    """All events after a position, once none is held back, in pages of `limit`.

    What else the database's server does, such as tidying up, may hold some back.
    """
    until = monotonic() + PATIENCE_SECONDS
    while store.held_back() is not None:
        assert monotonic() < until
        sleep(0.01)
    return _pages(store, limit, after)


def _pages(store: Store, limit: int, after: str) -> list[Published]:
    read: list[Published] = []
    while page := store.feed(after, limit):
        assert len(page) <= limit
        read += page
        after = page[-1].position
    return read


def _of(transaction: str, read: list[Published]) -> list[Record]:
    return [each.record for each in read if each.record.transaction == transaction]


def _deny(book: Book, writing: Semaphore) -> None:
    for _ in range(FEW):
        book.write(book.denied())
        writing.release()


def _write_until(over: threading.Event, wrote: Semaphore, book: Book) -> int:
    """How often a refusal was written until it was `over`, or often enough."""
    while not over.is_set() and book.transaction.version < ENOUGH:
        book.write(book.denied())
        wrote.release()
    return book.transaction.version


def _write_in_child(book: Book) -> str:
    """How often a child process was acknowledged that it wrote."""
    with suppress(KessaiError):
        assert book.store.load(None, "before", None).transaction is not None
        for _ in range(5):
            book.write(book.denied())
    return str(book.transaction.version)


def _read_in_child(trails: Iterator[tuple[str, list[Record]]]) -> str:
    """What a child process could read on, until it was refused."""
    read: list[str] = []
    with suppress(KessaiError):
        for name, _ in trails:
            read.append(name)
    return " ".join(read)


def _leased(store: Store, now: datetime, until: datetime = LATER + HOUR) -> Lease:
    """The lease of what is due longest at `now`."""
    lease = store.claim(now, until, OURS)
    assert lease is not None
    return lease


def _evidence(operation: Operation, outcome: Outcome) -> Evidence:
    return Evidence(
        source=Source.INQUIRY,
        transaction=operation.id.rpartition(".")[0],
        command=operation.command,
        outcome=outcome,
    )


def _fill(store: Store) -> None:
    """Four transactions that a search tells apart, and one that was never opened."""
    never = Book(store, "never")
    never.write(never.denied())
    taken, ordered = Book(store, "taken"), Book(store, "ordered")
    other, odd = Book(store, "other", OTHER), Book(store, "odd")
    taken.end(taken.begin(at=NOON), at=NOON)
    taken.end(taken.begin("capture", at=NOON), at=NOON + 5 * HOUR)
    order = Reference(ACCOUNT, "order", "r_1")
    operation = ordered.begin(at=NOON + HOUR)
    ordered.end(operation, at=NOON + 4 * HOUR, references=(order,))
    buyer = Reference(OTHER, "buyer", "r_1")
    operation = other.begin(at=NOON + 2 * HOUR)
    other.end(operation, at=NOON + 3 * HOUR, references=(buyer,))
    stated = _evidence(odd.begin(at=NOON + 3 * HOUR), Outcome.SUCCEEDED)
    odd.write(odd.change([Discrepancy(NOON + HOUR, "operation_closed", stated)]))


def _everything(store: Store) -> tuple[list[Transaction], list[object], list[str]]:
    return (
        list(store.transactions()),
        list(store.trails()),
        store.open_transactions(100),
    )
