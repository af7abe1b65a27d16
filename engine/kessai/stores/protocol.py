"""What every store promises. The conformance suite asks each for all of it.

A store keeps three things: transactions as they stand, their records (append-only),
and what came of each key. One `append` writes them together or not at all, durably,
and only if nobody else moved the transaction meanwhile. Besides, it keeps how far each
subscriber of the feed is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol, overload, runtime_checkable

from kessai.errors import KessaiError, StoreUnsuitable
from kessai.machine import Record, Transaction
from kessai.stores.encoding import Answered

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import (
        Bill,
        Change,
        ChunkLease,
        Lease,
        Loaded,
        Published,
        RecoveryFailure,
        Reference,
        Search,
        SearchResult,
        Subscriber,
    )
    from kessai.stores.bills import BillTotal


class ForeignObject(NamedTuple):
    """A trigger, rule, policy or view (its `kind`) that is not kessai's.

    Triggers, rules and policies change or hide what is written to `table`. A view of it
    shows others what it likes, perhaps under a name that they take for the table's.
    """

    kind: str
    name: str
    table: str


class Within(Protocol):
    """A store within a database transaction that somebody else ends: see `Store.within`.

    `declaration` and `load` read through that transaction's connection, so they see what
    it sees. `append` writes through it, and commits nothing. Where it raises, nothing of
    the change is left there.
    """

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        ...

    def append(self, change: Change) -> None:
        """Write `change`, whole or not at all, for whoever commits it.

        Raises:
            VersionConflict: as `Store.append`; the transaction goes on.
            MustRollBack: it lost against another, and must be rolled back.
            StoreBusy, StoreFailed: nothing was written.

        """
        ...

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        ...

    def give_up(self) -> None:
        """Roll the transaction back if it was not open before `Store.within`.

        Never the shop's own, nor anything that was written in it.
        """
        ...


class AsyncWithin(Protocol):
    """The same, every method awaited."""

    async def load(
        self, key: str | None, transaction: str, agreement: str | None
    ) -> Loaded:
        """See `Within.load`."""
        ...

    async def append(self, change: Change) -> None:
        """See `Within.append`."""
        ...

    async def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Within.declaration`."""
        ...

    async def give_up(self) -> None:
        """See `Within.give_up`."""
        ...


class StatusGroup(NamedTuple):
    """What several transactions have in common: `status` is `Transaction.status`."""

    account: str
    lifecycle: str
    status: str


@runtime_checkable
class AppendsEach(Protocol):
    """What a store may be able to do besides: several changes in one commit."""

    def append_each(self, changes: Sequence[Change]) -> Sequence[KessaiError | None]:
        """Append each of `changes` in turn, whole or not at all; the error of each.

        Any other error is of all of them, and raised.
        """
        ...


class BillStore(Protocol):
    """What a store keeps of billing: bills, and the chunks that workers charge.

    A bill is the only one of its agreement and period, and of its charge. It is charged
    in a chunk. Who has a chunk's lease charges its bills; leases are counted, and end by
    the database's clock alone.
    """

    def add(self, bills: Sequence[Bill]) -> list[Bill]:
        """Write those whose periods have no bill; those that were there already.

        Raises:
            InvalidInput: a charge has a bill of another period. In memory and SQLite
                nothing was written, in PostgreSQL the others may have been.

        """
        ...

    def write(self, bill: Bill, lease: ChunkLease | None = None) -> None:
        """Write a bill whose stored version is `version - 1`, and take it from its chunk.

        Raises:
            VersionConflict: it has another version. Nothing was written.
            LeaseLost: `lease` is not the last one of its chunk. Nothing was written.

        """
        ...

    def standing(self, bills: Sequence[Bill]) -> list[Bill]:
        """The bills that are stored for the agreements and periods of `bills`."""
        ...

    def listed(self, run: str, after: tuple[str, str], limit: int) -> list[Bill]:
        """The bills of a run by agreement and period, from `after` on (`("", "")`)."""
        ...

    def totals(self, run: str) -> list[BillTotal]:
        """How many bills a run has of each status and currency, and their sums."""
        ...

    def next_due(self, run: str) -> datetime | None:
        """When the next bill of a run is due; None if none is to be charged any more."""
        ...

    def form_chunk(self, run: str, now: datetime, size: int) -> int | None:
        """Put at most `size` bills that are due into a new chunk; None if none is.

        Two that form chunks at the same time never have a bill in common.
        """
        ...

    def open_chunks(self, run: str, limit: int) -> list[int]:
        """The chunks of a run that are not done and that nobody has a lease of."""
        ...

    def claim_chunk(
        self, chunk: int, owner: str, lease: timedelta
    ) -> ChunkLease | timedelta | None:
        """A lease; or for how long somebody else has it still; None if it is done."""
        ...

    def renew_chunk(self, held: ChunkLease, lease: timedelta) -> None:
        """Let a lease last for so long from now on.

        Raises:
            LeaseLost: it is not the chunk's last one.

        """
        ...

    def bills_in(self, held: ChunkLease) -> list[Bill]:
        """The bills that are left in a chunk, by agreement and period."""
        ...

    def release_chunk(self, held: ChunkLease) -> None:
        """Give a lease back; the chunk is done if no bill is left in it.

        Raises:
            LeaseLost: it is not the chunk's last one.

        """
        ...


class AsyncBillStore(Protocol):
    """The part of it that commands need, every method awaited."""

    async def add(self, bills: Sequence[Bill]) -> list[Bill]:
        """See `BillStore.add`."""
        ...

    async def write(self, bill: Bill, lease: ChunkLease | None = None) -> None:
        """See `BillStore.write`."""
        ...


@overload
def bills_of(store: Store) -> BillStore: ...
@overload
def bills_of(store: Store | AsyncStore) -> BillStore | AsyncBillStore: ...
def bills_of(store: Store | AsyncStore) -> BillStore | AsyncBillStore:
    """What `store` keeps of billing.

    Raises:
        StoreUnsuitable: it keeps no bills.

    """
    found: BillStore | AsyncBillStore | None = getattr(store, "bills", None)
    if found is None:
        message = f"{type(store).__name__} keeps no bills, so nothing is charged once in a period"
        raise StoreUnsuitable(message)
    return found


class Store(Protocol):
    """The store protocol. All methods may be called from several threads.

    A process may fork while it has a store, and threads that use it. In the child the
    same store either reads and writes the same data, with connections and locks of its
    own, or raises a `KessaiError`.
    """

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """A key's record, a transaction and its agreement, read at one moment."""
        ...

    def append(self, change: Change) -> None:
        """Write `change` durably, whole or not at all.

        Raises:
            VersionConflict: the transaction or the agreement has another version, or
                the key is taken. Nothing was written.
            LeaseLost: the change has a lease that is not the transaction's last.
                Nothing was written.
            StoreBusy: another process did not let go in time. Nothing was written.
            StoreFailed: there was no room, or no permission. Nothing was written.
            CommitUnknown: the commit failed; it may or may not be there.
            StoreUnsuitable: it removes events, and the store never does.

        """
        ...

    def records(self, transaction: str, *, denials: bool = True) -> list[Record]:
        """The records of a transaction, in order.

        Without `denials` those of refused attempts are left out, and cost nothing.
        """
        ...

    def records_from(self, transaction: str, first: int) -> list[Record]:
        """The next records of a transaction from number `first` on, in order.

        At most 500, so that who goes through a long trail need not hold all of it.
        """
        ...

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """The document of a lifecycle file that records are bound to."""
        ...

    def find(self, account: str, kind: str, name: str) -> list[str]:
        """The ids of the transactions that have the gateway's id `name`, sorted.

        It is found from the append on that has it among its `references`. Mostly one
        has it, but a customer's id, say, may be many's.
        """
        ...

    def search(self, asked: Search) -> SearchResult:
        """The transactions that `asked` matches, in its order.

        Its cost must not grow with how many others there are (see `Search`). What
        changes while it is read may be found as it was, as it is, or not.
        """
        ...

    def transactions(self, now: datetime | None = None) -> Iterator[Transaction]:
        """All transactions as they stand, sorted by id, read at one moment.

        Each `next` may raise `TrailBroken` for a stored transaction that does not hold;
        the iteration goes on with the one after it. With `now`, one that no recoverer
        will take up within `LONGEST_REST` does not hold either.
        """
        ...

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """All records, sorted by id and number, read at one moment.

        Each list is of one transaction, and has at most 500: a long trail is several.
        """
        ...

    def answers(self) -> Iterator[Answered]:
        """What stands under all keys, sorted by transaction and key, of one moment."""
        ...

    def references(self) -> Iterator[tuple[str, Reference]]:
        """All that `find` finds, sorted by transaction, read at one moment."""
        ...

    def foreign_objects(self) -> list[ForeignObject]:
        """What others have put on the store's tables, sorted."""
        ...

    def status_groups(self) -> list[StatusGroup]:
        """Of what account, lifecycle and status transactions are, each once, sorted.

        Cheap however many there are. What never came to be belongs to none.
        """
        ...

    def accounts(self) -> list[str]:
        """The accounts that transactions belong to, sorted; cheap however many there are.

        What never came to be (a denied opening command, say) belongs to none.
        """
        ...

    def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """A lease, until `until`, of the transaction that is due longest at `now`.

        Only those of `accounts` are handed out: nobody else can be asked about others.
        Due is one with open operations, from its `Transaction.due_at` on; a released
        one from the moment of its release; none while another lease of it holds. An
        append makes it due anew, and its attempts are counted from 0 again.

        Raises:
            StoreBusy, StoreFailed: nothing was written.
            CommitUnknown: it may be leased to nobody until `until`.

        """
        ...

    def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """Give `lease` back, so that its transaction is due at `due_at` if still open.

        One more attempt is counted, and `failure` stands in place of the one before. A
        lease that is not the last changes nothing.

        Raises:
            StoreBusy, StoreFailed, CommitUnknown: the lease ends by itself.

        """
        ...

    def recovery_failure(self, transaction: str) -> RecoveryFailure | None:
        """How the last recovery of an open transaction failed; None if it did not.

        Nothing is kept of it once nothing is open any more.
        """
        ...

    def open_transactions(self, limit: int) -> list[str]:
        """The ids of at most `limit` transactions with open operations.

        Those that are open for longest come first (`Transaction.open_since`).
        """
        ...

    def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """The ids of at most `limit` transactions that wait for an operator, sorted.

        They have a discrepancy, a recovery that failed, or an operation that is open
        since `open_before`; what waits for its consumer is so only from the end of their
        time.
        """
        ...

    def within(self, connection: object) -> Within:
        """The store within the database transaction that is open on `connection`.

        It is the database driver's, open on the database of this store; the shop that
        opened it commits it or rolls it back. What is committed so must be seen by the
        store's own methods from then on, and nothing before.

        Raises:
            InvalidInput: it is another driver's, or has no transaction open.
            StoreUnsuitable: the store stands in no database that a shop could share.

        """
        ...

    def feed(self, after: str, limit: int) -> list[Published]:
        """At most `limit` events of all transactions after a position; `""` is before all.

        An event that is read once has its place for good: none ever comes before it.
        Those of a transaction come in their order.

        Raises:
            InvalidInput: `after` is no position of this store.

        """
        ...

    def held_back(self) -> Record | None:
        """The first event that is stored and that `feed` does not give yet.

        It may come behind one that is not committed yet. None where no event waits.
        """
        ...

    def misplaced(self) -> list[tuple[str, int]]:
        """The events, by transaction and number, whose position no append gave them."""
        ...

    def subscriber(self, name: str) -> Subscriber:
        """How far a subscriber of the feed is; before all events if it is not known."""
        ...

    def subscribers(self) -> list[Subscriber]:
        """All subscribers of the feed that are known, sorted by name."""
        ...

    def advance(self, subscriber: Subscriber) -> None:
        """Write how far a subscriber is, if its stored version is still `version - 1`.

        Raises:
            VersionConflict: it has another version. Nothing was written.
            StoreBusy, StoreFailed, CommitUnknown: see `append`.

        """
        ...

    def scrub(self) -> None:
        """Let no text stay in the store's own files that its rows have no more.

        What the database keeps elsewhere (a server's dead rows until its VACUUM, logs,
        replicas, backups) is its administrator's to remove.

        Raises:
            StoreBusy, StoreFailed: some may be there; it can be called again.

        """
        ...

    def close(self) -> None:
        """Let go of everything held. The store cannot be used afterwards."""
        ...


class AsyncStore(Protocol):
    """The same for `AsyncEngine`: every method is awaited; see `Store` for each."""

    async def load(
        self, key: str | None, transaction: str, agreement: str | None
    ) -> Loaded:
        """See `Store.load`."""
        ...

    async def append(self, change: Change) -> None:
        """See `Store.append`."""
        ...

    async def records(self, transaction: str, *, denials: bool = True) -> list[Record]:
        """See `Store.records`."""
        ...

    async def records_from(self, transaction: str, first: int) -> list[Record]:
        """See `Store.records_from`."""
        ...

    async def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        ...

    async def find(self, account: str, kind: str, name: str) -> list[str]:
        """See `Store.find`."""
        ...

    async def search(self, asked: Search) -> SearchResult:
        """See `Store.search`."""
        ...

    def transactions(self, now: datetime | None = None) -> AsyncIterator[Transaction]:
        """See `Store.transactions`."""
        ...

    def trails(self) -> AsyncIterator[tuple[str, list[Record]]]:
        """See `Store.trails`."""
        ...

    def answers(self) -> AsyncIterator[Answered]:
        """See `Store.answers`."""
        ...

    def references(self) -> AsyncIterator[tuple[str, Reference]]:
        """See `Store.references`."""
        ...

    async def foreign_objects(self) -> list[ForeignObject]:
        """See `Store.foreign_objects`."""
        ...

    async def status_groups(self) -> list[StatusGroup]:
        """See `Store.status_groups`."""
        ...

    async def accounts(self) -> list[str]:
        """See `Store.accounts`."""
        ...

    async def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        ...

    async def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """See `Store.release`."""
        ...

    async def recovery_failure(self, transaction: str) -> RecoveryFailure | None:
        """See `Store.recovery_failure`."""
        ...

    async def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        ...

    async def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        ...

    def within(self, connection: object) -> AsyncWithin:
        """See `Store.within`."""
        ...

    async def feed(self, after: str, limit: int) -> list[Published]:
        """See `Store.feed`."""
        ...

    async def held_back(self) -> Record | None:
        """See `Store.held_back`."""
        ...

    async def misplaced(self) -> list[tuple[str, int]]:
        """See `Store.misplaced`."""
        ...

    async def subscriber(self, name: str) -> Subscriber:
        """See `Store.subscriber`."""
        ...

    async def subscribers(self) -> list[Subscriber]:
        """See `Store.subscribers`."""
        ...

    async def advance(self, subscriber: Subscriber) -> None:
        """See `Store.advance`."""
        ...

    async def scrub(self) -> None:
        """See `Store.scrub`."""
        ...

    async def close(self) -> None:
        """See `Store.close`."""
        ...
