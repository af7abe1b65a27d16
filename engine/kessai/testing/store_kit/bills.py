"""What a store promises that keeps bills, as stories that its author can run."""
# ruff: noqa: S101 - asserting is what a test suite is for

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from kessai.errors import InvalidInput, LeaseLost, VersionConflict
from kessai.flow import Bill, ChunkLease
from kessai.stores import Store
from kessai.stores.protocol import BillStore, bills_of
from kessai.testing.store_kit.conformance import Book, StoreSuite

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)
NOW, HOUR = timedelta(0), timedelta(hours=1)
RUN = "2026-01"


def bill(agreement: str = "A", period: date = JANUARY, **more: Any) -> Bill:
    """A bill that is due at noon."""
    charge = more.pop("charge", f"{agreement}-{period}")
    fields: dict[str, Any] = {"amount": 980, "currency": "JPY", "due_at": NOON}
    return Bill(
        agreement=agreement,
        period=period,
        charge=charge,
        key=f"key-{charge}",
        command="reauthorize",
        run=RUN,
        **(fields | more),
    )


class BillConformance(StoreSuite):
    """The suite; `make_store` must give a new store."""

    @pytest.fixture
    def bills(self, store: Store) -> BillStore:
        """What it keeps of billing."""
        return bills_of(store)

    def claimed(self, bills: BillStore, lease: timedelta = HOUR) -> ChunkLease:
        """A lease of a chunk with all that is due."""
        chunk = bills.form_chunk(RUN, NOON, 100)
        assert chunk is not None
        held = bills.claim_chunk(chunk, "worker", lease)
        assert isinstance(held, ChunkLease)
        return held

    def test_a_period_has_one_bill_whatever_its_charge_or_amount(
        self, bills: BillStore
    ) -> None:
        """The first bill of an agreement and period stands, and is given back."""
        first = bill()
        assert bills.add([first, bill("B")]) == []
        other = bill(charge="A-other", amount=1)
        assert bills.add([other, bill("C")]) == [first]
        assert bills.standing([other]) == [first]
        assert bills.listed(RUN, ("", ""), 9) == [first, bill("B"), bill("C")]

    def test_a_bill_is_given_back_as_it_was(self, bills: BillStore) -> None:
        """No field is lost, nor the moment that it is due."""
        full = bill(
            terms="agreed=980",
            parameters='{"note":"毎月"}',
            reason="AG33",
            remedy="consumer",
            attempts=2,
            declines=1,
            due_at=datetime(2026, 1, 31, 0, 0, 0, 250000, tzinfo=UTC),
        )
        bills.add([full, bill("B", amount=None, currency=None, due_at=None)])
        assert bills.standing([full]) == [full]
        assert bills.next_due(RUN) == full.due_at

    def test_a_charge_has_one_bill(self, bills: BillStore) -> None:
        """A charge is of one period only."""
        bills.add([bill(charge="A-7")])
        with pytest.raises(InvalidInput, match="A-7"):
            bills.add([bill(period=FEBRUARY, charge="A-7")])
        assert bills.standing([bill(period=FEBRUARY)]) == []

    def test_of_two_that_write_a_bill_one_wins(self, bills: BillStore) -> None:
        """A bill is written only if it still has the version before."""
        bills.add([bill()])
        after = bill(status="succeeded", version=2, due_at=None)
        bills.write(after)
        with pytest.raises(VersionConflict):
            bills.write(bill(status="declined", version=2))
        assert bills.standing([after]) == [after]

    def test_an_intent_is_written_only_under_the_bill_that_was_decided_on(
        self, store: Store, bills: BillStore
    ) -> None:
        """A change with a bill of another version conflicts, and leaves nothing."""
        bills.add([bill()])
        book = Book(store)
        change, _ = book.begun(bill=("A", JANUARY, 2))
        with pytest.raises(VersionConflict):
            store.append(change)
        assert store.load(None, change.transaction.id, None).transaction is None
        store.append(replace(change, bill=("A", JANUARY, 1)))
        assert store.load(None, change.transaction.id, None).transaction is not None

    def test_only_what_is_due_is_put_into_a_chunk(self, bills: BillStore) -> None:
        """What is due first comes first, and what is in a chunk comes into no other."""
        late = bill("C", due_at=NOON + HOUR)
        bills.add([late, bill("A"), bill("B", due_at=NOON - HOUR), bill("D")])
        chunk = bills.form_chunk(RUN, NOON, 2)
        assert chunk is not None
        held = bills.claim_chunk(chunk, "worker", HOUR)
        assert isinstance(held, ChunkLease)
        assert [each.agreement for each in bills.bills_in(held)] == ["A", "B"]
        assert bills.form_chunk("another", NOON, 2) is None
        rest = self.claimed(bills)
        assert [each.agreement for each in bills.bills_in(rest)] == ["D"]
        assert bills.form_chunk(RUN, NOON, 2) is None

    def test_two_that_form_chunks_never_have_a_bill_in_common(
        self, bills: BillStore
    ) -> None:
        """Eight threads take a hundred bills, seven at a time."""
        bills.add([bill(f"A-{number:03}") for number in range(100)])

        def form(_: int) -> list[str]:
            taken: list[str] = []
            while (chunk := bills.form_chunk(RUN, NOON, 7)) is not None:
                held = bills.claim_chunk(chunk, "worker", HOUR)
                assert isinstance(held, ChunkLease)
                taken += [each.agreement for each in bills.bills_in(held)]
            return taken

        with ThreadPoolExecutor(8) as pool:
            taken = [name for names in pool.map(form, range(8)) for name in names]
        assert sorted(taken) == [f"A-{number:03}" for number in range(100)]

    def test_one_has_a_chunk_until_its_lease_ends(self, bills: BillStore) -> None:
        """Others hear for how long; what nobody has is offered."""
        bills.add([bill()])
        held = self.claimed(bills)
        busy = bills.claim_chunk(held.chunk, "other", HOUR)
        assert isinstance(busy, timedelta)
        assert HOUR / 2 < busy <= HOUR
        assert bills.open_chunks(RUN, 9) == []
        bills.release_chunk(held)
        assert bills.open_chunks(RUN, 9) == [held.chunk]
        again = bills.claim_chunk(held.chunk, "other", HOUR)
        assert again == ChunkLease(held.chunk, held.number + 1)

    def test_what_a_lease_left_is_offered_once_it_has_ended(
        self, bills: BillStore
    ) -> None:
        """A dead worker's bills come back by themselves."""
        bills.add([bill()])
        dead = self.claimed(bills, NOW)
        assert bills.open_chunks(RUN, 9) == [dead.chunk]
        held = bills.claim_chunk(dead.chunk, "other", HOUR)
        assert isinstance(held, ChunkLease)
        assert bills.bills_in(held) == [bill()]

    def test_who_has_lost_a_lease_writes_nothing(self, bills: BillStore) -> None:
        """A worker that was frozen and goes on neither writes, renews nor releases."""
        bills.add([bill()])
        frozen = self.claimed(bills, NOW)
        held = bills.claim_chunk(frozen.chunk, "other", HOUR)
        assert isinstance(held, ChunkLease)
        after = bill(status="succeeded", version=2, due_at=None)
        attempts: tuple[Callable[[], None], ...] = (
            partial(bills.write, after, frozen),
            partial(bills.renew_chunk, frozen, HOUR),
            partial(bills.release_chunk, frozen),
        )
        for attempt in attempts:
            with pytest.raises(LeaseLost):
                attempt()
        bills.write(after, held)
        bills.release_chunk(held)
        assert bills.standing([after]) == [after]
        assert bills.claim_chunk(held.chunk, "third", HOUR) is None

    def test_a_lease_that_is_renewed_lasts_on(self, bills: BillStore) -> None:
        """A heartbeat keeps the chunk."""
        bills.add([bill()])
        held = self.claimed(bills, NOW)
        bills.renew_chunk(held, HOUR)
        assert isinstance(bills.claim_chunk(held.chunk, "other", HOUR), timedelta)

    def test_a_bill_that_is_written_leaves_its_chunk(self, bills: BillStore) -> None:
        """It is due anew, in another chunk; its first one is done without it."""
        bills.add([bill()])
        held = self.claimed(bills)
        bills.write(bill(version=2, due_at=NOON + HOUR), held)
        assert bills.bills_in(held) == []
        bills.release_chunk(held)
        assert bills.open_chunks(RUN, 9) == []
        assert bills.form_chunk(RUN, NOON, 9) is None
        chunk = bills.form_chunk(RUN, NOON + HOUR, 9)
        assert chunk not in {None, held.chunk}

    def test_totals_are_by_status_and_currency(self, bills: BillStore) -> None:
        """Numbers and sums, in minor units."""
        ended = bill("C", status="succeeded", due_at=None, amount=20)
        bills.add([bill("A"), bill("B", amount=20), ended])
        bills.add([bill("D", currency="USD", amount=None)])
        assert [*map(tuple, bills.totals(RUN))] == [
            ("planned", "JPY", 2, 1000),
            ("planned", "USD", 1, 0),
            ("succeeded", "JPY", 1, 20),
        ]
        assert bills.totals("another") == []
        assert bills.next_due("another") is None

    def test_bills_are_listed_by_pages(self, bills: BillStore) -> None:
        """From the last one of the page before."""
        planned = [bill("A"), bill("A", FEBRUARY), bill("B")]
        bills.add(planned)
        assert bills.listed(RUN, ("", ""), 2) == planned[:2]
        assert bills.listed(RUN, ("A", str(FEBRUARY)), 2) == planned[2:]
