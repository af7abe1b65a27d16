"""What a flow asks of its driver: every contact with the world, as a value.

A flow is a generator that yields these and receives their results, so the same flow
runs under `Engine`, under `AsyncEngine`, and step by step in a test. No flow knows
which one drives it.
"""

from collections.abc import Callable, Generator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from kessai.flow.failures import RecoveryFailure
from kessai.flow.search import Search, SearchResult
from kessai.gateway import Evidence, Failure, Reply, Request
from kessai.machine import Bounds, Reason, Record, Transaction

if TYPE_CHECKING:
    from kessai.machine.chain import AppliedEvent
    from kessai.spec import Lifecycle

T = TypeVar("T")

ARCHIVED = "archived"
"""The outcome under a key whose transaction was removed to an archive."""


# Most of these are structs: a command makes many, and frozen attrs objects take longer.


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored under a command's key: the request, and its outcome so far.

    `outcome` is `begun`, `pending`, `unknown`, `succeeded`, `declined` or `denied`,
    or `archived` (`ARCHIVED`).
    """

    key: str
    request: str
    command: str
    transaction: str
    outcome: str
    operation: str | None = None
    reasons: tuple[Reason, ...] = ()
    bounds: Bounds | None = None
    evidence: Evidence | None = None


class Loaded(msgspec.Struct, frozen=True):
    """What a command needs to know, read at one moment."""

    recorded: Recorded | None
    transaction: Transaction | None
    agreement: Transaction | None


@attrs.frozen(kw_only=True)
class Lease:
    """The right to recover one transaction for a while, given to one at a time.

    `number` counts the leases of the transaction; an older one is no longer valid.
    `attempts` is how often recovery changed nothing since the last event; `failure` is
    how the last recovery ended, if it failed.
    """

    transaction: str
    number: int
    attempts: int
    until: datetime
    failure: RecoveryFailure | None = None


@attrs.frozen
class Reference:
    """An id that a gateway gave, with its account and the adapter's name for it."""

    account: str
    kind: str
    id: str


def learned_references(
    known: Mapping[str, str], transaction: Transaction
) -> tuple[Reference, ...]:
    """The references of `transaction` whose names were not `known` before."""
    return tuple(
        [
            Reference(transaction.account, kind, name)
            for kind, name in transaction.references.items()
            if kind not in known
        ]
    )


class Published(msgspec.Struct, frozen=True):
    """A record with its position in the feed: a text that only its store reads."""

    position: str
    record: Record


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a subscriber of the feed did not take, though it is past it.

    `attempts` were made, `reason` is how the last one failed. `due_at` is the time of
    the next one; without it none follows: it is a dead letter. `id` is the event's hash.
    """

    position: str
    transaction: str
    number: int
    id: str
    attempts: int = 0
    due_at: datetime | None = None
    reason: str = ""

    @property
    def is_dead(self) -> bool:
        """Whether it is sent again only if an operator asks for it."""
        return self.due_at is None


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """How far a subscriber of the feed is: the position of the last event that it passed.

    `version` counts how often this was stored; 0 for a subscriber that never was.
    """

    name: str
    position: str = ""
    version: int = 0
    undelivered: tuple[Undelivered, ...] = ()

    def moved(self, **changes: Any) -> "Subscriber":
        """What is to be stored next: with other fields, one version later."""
        return msgspec.structs.replace(self, version=self.version + 1, **changes)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one step writes, all of it or nothing.

    `transaction` is the state after `records`; it is appended only if the store still
    has the version before them. `opens` is a key used for the first time, `closes` are
    the new outcomes of earlier keys of this transaction: of operations that ended, and
    of denials that were decided anew. `agreement` (id, version) must still have that
    version. `declaration` is the lifecycle file that the records are bound to. A
    `lease` must still be the last one given for the transaction. `is_intent` means that
    a request is sent once this is written. `references` are the gateway's ids by which
    the transaction can be found from now on. A `bill` (agreement, period, version) must
    still have that version: it is what names this transaction as the period's charge.
    `steps` shows the events of `records` to observers; it is not stored. `rewrites` are
    earlier records without the texts that `records` declare as forgotten: their bytes
    take the place of those that are there.
    With `removes` all events before the version of `transaction` are removed: an archive
    has them.
    """

    transaction: Transaction
    records: tuple[Record, ...]
    opens: Recorded | None = None
    closes: tuple[Recorded, ...] = ()
    agreement: tuple[str, int] | None = None
    bill: tuple[str, date, int] | None = None
    declaration: "Lifecycle | None" = None
    lease: Lease | None = None
    is_intent: bool = False
    rewrites: tuple[Record, ...] = ()
    removes: bool = False
    steps: "tuple[AppliedEvent, ...]" = ()
    references: tuple[Reference, ...] = ()

    @property
    def expected_version(self) -> int:
        """The version that the transaction must still have in the store."""
        return self.transaction.version - len(self.records)

    @property
    def begins(self) -> Recorded | None:
        """What now stands under the key of the operation that begins; None if none."""
        found = (self.opens, *self.closes)
        return next((each for each in found if each and each.outcome == "begun"), None)


PLANNED = "planned"
"""The status of a bill whose charge nobody has asked for yet."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What is charged of an agreement for one period, which it is the only one for.

    `period` is the date that names the period. `charge` is the id of the transaction
    that has it, `key` its command's. `amount` is in minor units of `currency`; both are
    None where the lifecycle decides. `run` names the plan that it is part of: a shop's
    own charge is of none. `command`, `parameters` (JSON) and `terms` are what is asked
    for, and what the agreement was then.

    `status` is `planned`, or what came of the charge, with its `reason`. From `due_at`
    on it is charged, or looked after; nothing follows where that is None. `attempts`
    counts the charges there were, `declines` those that the gateway declined. `remedy`
    is what else would help. `version` counts how often the bill was written.
    """

    agreement: str
    period: date
    charge: str
    key: str
    command: str
    amount: int | None = None
    currency: str | None = None
    run: str = ""
    parameters: str = "{}"
    terms: str = ""
    status: str = PLANNED
    reason: str = ""
    remedy: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    declines: int = 0
    version: int = 1


class ChunkLease(msgspec.Struct, frozen=True):
    """The right to charge the bills of one chunk for a while, given to one at a time.

    `number` counts the leases of the chunk; an older one is no longer valid.
    """

    chunk: int
    number: int


class Now(msgspec.Struct, frozen=True):
    """Ask for the time: an aware datetime in UTC."""


class Load(msgspec.Struct, frozen=True):
    """Ask for a key's record, a transaction and its agreement; gives `Loaded`."""

    key: str | None
    transaction: str
    agreement: str | None = None


class Append(msgspec.Struct, frozen=True):
    """Write a `Change` durably.

    Raises into the flow:
        VersionConflict: someone was faster, or the key was taken; nothing was written.
        LeaseLost: someone else recovers the transaction now; nothing was written.
        CommitUnknown: the commit itself failed.

    """

    change: Change


class History(msgspec.Struct, frozen=True):
    """Ask for the records of a transaction, in order; gives a list of `Record`.

    Its `denials` can be left out: nothing that a gateway states is about them, and
    there may be thousands.
    """

    transaction: str
    denials: bool = True


class Declaration(msgspec.Struct, frozen=True):
    """Ask for the document of a lifecycle file by its hash; gives bytes."""

    hash: str


class Claim(msgspec.Struct, frozen=True):
    """Ask for a `Lease` of the transaction that is due longest; None when none is.

    A transaction under another lease is not due; only those of `accounts` are.
    """

    now: datetime
    until: datetime
    accounts: tuple[str, ...]


class Release(msgspec.Struct, frozen=True):
    """Give a lease back; the transaction is due again at `due_at`, if still open.

    A lease that was lost changes nothing. `failure` is noted until another release.
    """

    lease: Lease
    due_at: datetime
    failure: RecoveryFailure | None = None


class Find(msgspec.Struct, frozen=True):
    """Ask which transactions have an id that the gateway gave; gives a list of ids."""

    reference: Reference


class ReadFeed(msgspec.Struct, frozen=True):
    """Ask for at most `limit` events after a position; gives a list of `Published`."""

    after: str
    limit: int


class HeldBack(msgspec.Struct, frozen=True):
    """Ask for the first event that the feed does not give yet; a `Record` or None."""


class Scrub(msgspec.Struct, frozen=True):
    """Have what was overwritten leave the store's files, too; see `Store.scrub`."""


class FindSubscriber(msgspec.Struct, frozen=True):
    """Ask how far a subscriber of the feed is; gives a `Subscriber`."""

    name: str


class Advance(msgspec.Struct, frozen=True):
    """Write how far a subscriber is; see `Store.advance`."""

    subscriber: Subscriber


class AddBills(msgspec.Struct, frozen=True):
    """Write the bills whose periods have none; gives those that were there already."""

    bills: tuple[Bill, ...]


class WriteBill(msgspec.Struct, frozen=True):
    """Write a bill, of which the version before is stored; under a `lease`, or by hand.

    Raises into the flow:
        VersionConflict: the stored one has another version, or the charge another bill.
        LeaseLost: someone else has the chunk of the bill now.

    """

    bill: Bill
    lease: ChunkLease | None = None


TOO_LATE = Failure(sent=False, reason="too late to send")
"""The failure of a request whose time was over: it must not be sent any more."""

NONCE_BYTES = 16


@attrs.frozen
class Send:
    """Have a request sent, once, and not begun after `until`; a `Reply` or a `Failure`.

    A process that was stopped in between must not send what others presume lost.
    `seal` is the adapter's: it signs the request at the moment of sending.
    """

    request: Request
    until: datetime | None = None
    seal: Callable[[Request, datetime, bytes], Request] | None = attrs.field(
        default=None, eq=False, repr=False
    )

    def sealed(self, now: datetime, nonce: Callable[[int], bytes]) -> Request | Failure:
        """The request as it is sent now, or why it must not be; `nonce` draws bytes.

        Never raises: a request that the adapter cannot sign is not sent.
        """
        if self.until is not None and now > self.until:
            return TOO_LATE
        if self.seal is None:
            return self.request
        try:
            sealed: Any = self.seal(self.request, now, nonce(NONCE_BYTES))
        except Exception as error:  # noqa: BLE001 - the intent is written: this is its end
            return Failure(sent=False, reason=f"not sealed: {type(error).__name__}")
        if isinstance(sealed, Request):
            return sealed
        return Failure(sent=False, reason="not sealed: it is no request any more")


StoreEffect = (
    Load
    | Append
    | History
    | Declaration
    | Claim
    | Release
    | Find
    | Search
    | ReadFeed
    | HeldBack
    | FindSubscriber
    | Advance
    | Scrub
    | AddBills
    | WriteBill
)
Effect = Now | Send | StoreEffect
Result = (
    datetime
    | Loaded
    | Record
    | list[Record]
    | list[str]
    | list[Published]
    | list[Bill]
    | Subscriber
    | bytes
    | Lease
    | SearchResult
    | Reply
    | Failure
    | None
)
Flow = Generator[Effect, Any, T]
