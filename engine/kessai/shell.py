"""`Engine`: drives the flows synchronously, and what it shares with `AsyncEngine`.

What a flow asks for is performed here, one effect at a time; no store transaction is
ever open while a request is under way.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from kessai import flow
from kessai.closable import Closable
from kessai.driver import (
    Clock,
    Nonces,
    Observer,
    drive,
    drive_together,
    in_utc,
    perform,
    perform_within,
    utc_now,
)
from kessai.feed.event import FeedEvent
from kessai.feed.following import lag, pass_over, passed, subscribed
from kessai.feed.reading import FeedReader
from kessai.flow import (
    Answer,
    Context,
    Flow,
    Forgetting,
    ImportedCommand,
    Inquiry,
    Prepared,
    Recovery,
    Search,
    SearchResult,
)
from kessai.gateway import AnyAdapter
from kessai.given import with_checked_arguments
from kessai.machine import (
    Command,
    Denial,
    Machine,
    Machines,
    Possibility,
    Transaction,
)
from kessai.spec import Lifecycle, load_shipped, shipped_names
from kessai.stores import Store
from kessai.stores.connections import driver_connection
from kessai.transport import Transport

if TYPE_CHECKING:
    from kessai.billing.plan import BilledAgreement, PlanReport

T = TypeVar("T")


def shipped_lifecycles() -> tuple[Lifecycle, ...]:
    """The lifecycles that ship with kessai."""
    return tuple(load_shipped(name) for name in shipped_names())


def _http() -> Transport:
    from kessai.transport.http import HttpTransport  # not for who brings another one

    return HttpTransport()


class BaseEngine:
    """What both engines share: everything but the waiting."""

    def __init__(
        self,
        adapters: Iterable[AnyAdapter],
        lifecycles: Iterable[Lifecycle] | None,
        observer: Observer | None,
    ) -> None:
        chosen = shipped_lifecycles() if lifecycles is None else lifecycles
        self._context = Context(Machines(chosen), adapters)
        self._observer = observer

    @property
    def context(self) -> Context:
        """What the flows of this engine work with: its machines and its adapters."""
        return self._context

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machine of each lifecycle that new transactions begin under."""
        return self._context.machines.current


@with_checked_arguments
class Engine(BaseEngine, Closable):
    """Carries payments through their lifecycles, one call at a time.

    `adapters` speak the gateways' languages, one for each account; a transaction is
    acted on by that of its own account alone. `store` keeps the truth, `transport`
    carries bytes (HTTP by default). `lifecycles` are the shipped ones by default.
    `clock` gives aware times; `observer` sees what is done. Threads may share an engine
    if they may share its parts.

    Raises:
        InvalidInput: two adapters are for one account, or the clock's times are naive.

    """

    def __init__(
        self,
        *,
        adapters: Iterable[AnyAdapter],
        store: Store,
        transport: Transport | None = None,
        lifecycles: Iterable[Lifecycle] | None = None,
        clock: Clock = utc_now,
        observer: Observer | None = None,
        nonces: Nonces = os.urandom,
    ) -> None:
        super().__init__(adapters, lifecycles, observer)
        self._store = store
        self._transport = _http() if transport is None else transport
        self._clock = in_utc(clock)
        self._perform = partial(
            perform,
            store=self._store,
            transport=self._transport,
            clock=self._clock,
            nonces=nonces,
        )

    @property
    def store(self) -> Store:
        """The store that the engine writes to."""
        return self._store

    def drive(self, flow: Flow[T]) -> T:
        """Carry a flow to its end with this engine's store, transport and clock."""
        return drive(flow, self._perform, self._observer)

    def drive_together(self, flows: Iterable[Flow[T]]) -> list[T]:
        """As `drive`, for several that do not depend on each other: see the driver's."""
        return drive_together(flows, self._perform, self._store, self._observer)

    def transaction(self, transaction_id: str) -> Transaction:
        """The transaction as it stands.

        Raises:
            UnknownTransaction: no transaction has that id.

        """
        return self.drive(flow.existing(transaction_id))

    def search(self, asked: Search | None = None) -> SearchResult:
        """The transactions that are looked for: by default those that changed last.

        Raises:
            StoreBusy, StoreFailed: the store cannot be read.
            TrailBroken: a transaction that would be found is not readable.

        """
        return self.drive(flow.search(asked or Search()))

    def execute(self, command: Command) -> Answer:
        """Carry out `command`, or say why not.

        One key, one effect: the same key with the same request gives the recorded
        answer; after a denial, which had no effect, it is decided anew. While a checkout
        waits for its consumer, that answer has their page again, if the gateway gives it
        again. Whatever interrupts a call, the intent is in the store, and `recover`
        finds out what came of it.

        Raises:
            InvalidCommand: the command is not well-formed, or no lifecycle has it.
            AccountUnknown: the transaction's account has no adapter here, or the
                account that it is to be opened in must be named.
            StoreBusy, StoreFailed, VersionConflict: nothing was sent; send it again.
            CommitUnknown: send it again with the same key.

        """
        return self.drive(flow.execute(self._context, command))

    def begin(self, command: Command, *, connection: object) -> Prepared:
        """Write the intent to carry out `command` in the shop's own transaction.

            with psycopg.connect(…) as connection:
                …                                 # the order's row
                prepared = engine.begin(command, connection=connection)
            answer = engine.carry_out(prepared)   # after the commit

        `connection` is open on the database of the engine's store, and in a transaction:
        of psycopg 3 or `sqlite3`, a connection or session of SQLAlchemy 2, or Django's.
        It is not committed. Rolled back, also to a savepoint, it was never begun, and its
        key is free. Should nobody carry it out, `recover` sends it, or declines it after
        an hour (`limits.CARRY_OUT_WITHIN`). An observer is shown the event though it may
        be rolled back. Where this raises, the connection is as it was.

        Raises:
            InvalidInput: the connection is of another driver or another database, has
                no transaction open or one that only reads, is in a pipeline, or lacks
                characters of a text. See also `execute`.
            StoreUnsuitable: the store is in memory.
            MustRollBack: the transaction lost against another. Roll it back, and begin
                it anew.
            StoreBusy, StoreFailed, VersionConflict: nothing was written.

        """
        within = self._store.within(driver_connection(connection))
        performing: Any = partial(perform_within, store=within, clock=self._clock)
        try:
            return drive(flow.begin(self._context, command), performing, self._observer)
        except BaseException:
            within.give_up()
            raise

    def carry_out(self, prepared: Prepared) -> Answer:
        """Send what `begin` has prepared, after the shop's transaction was committed.

        As often as it is called, and by however many processes, it is sent once; the
        others get the recorded answer. What must not be sent any more is declined: as
        it was prepared an hour ago, say, or its deadline has passed since. `execute` with
        the same command carries it out, too: another process needs nothing else.

        Raises:
            NotCommitted: the transaction is not committed, or was rolled back; nothing
                was sent.
            Others: see `execute`.

        """
        return self.drive(flow.carry_out_prepared(self._context, prepared))

    def resume(self, transaction_id: str, parameters: Mapping[str, str]) -> Answer:
        """Send on what the consumer came back with, while the opening command is open.

        `parameters` are texts, as the gateway's page gave them to the shop. They are
        sent and stored nowhere. A page that is loaded twice does no harm: the same
        parameters are sent again only while their outcome is not known.

        Raises:
            InvalidInput: they are not texts, or the gateway takes nothing of the kind.
            UnknownTransaction: no transaction has that id.
            StillUnderWay, StoreBusy, StoreFailed, VersionConflict: nothing was sent;
                try again.
            CommitUnknown: try again with the same parameters.

        """
        return self.drive(flow.resume(self._context, transaction_id, parameters))

    def abandon(self, transaction_id: str) -> Answer:
        """End a checkout whose consumer can finish it no more, as `abandoned`.

        The gateway is asked first. What it reports instead is the answer: whoever has
        approved by now has paid. Without its answer, or with another command under way,
        the checkout stays open. An approval that comes later is a discrepancy.

        Raises:
            UnknownTransaction: no transaction has that id.
            StoreBusy, StoreFailed, VersionConflict, CommitUnknown: try again.

        """
        return self.drive(flow.abandon(self._context, transaction_id))

    def charge_period(self, command: Command, period: date) -> Answer:
        """Carry out `command`, which charges its agreement for the `period` of that date.

        As `execute`, and once for a period: a second charge is denied as `period_taken`,
        which names the first one, whatever its id or amount, planned or not. Only one
        that was denied or declined makes room for another.

        Raises:
            InvalidInput: it names no agreement, the period is no date, the charge is one
                of another period, or the store keeps no bills.
            Others: see `execute`.

        """
        return self.drive(flow.charge_period(self._context, command, period))

    def plan(
        self,
        run: str,
        agreements: Iterable["BilledAgreement"],
        *,
        since: date,
        until: date,
        parameters: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> "PlanReport":
        """Write what `run` is to charge: a bill for each agreement and period date.

        These are the dates from `since` on and before `until`. Planned again, nothing is
        written twice, and no period ever has a second bill: see `charge_period`. All
        charges have the `parameters`; by default they capture at once. A `dry_run`
        reports the same, and writes nothing.

        Raises:
            InvalidInput: the run's name is none, the store keeps no bills, or of an
                agreement something is none that a command could have.
            StoreBusy, StoreFailed, CommitUnknown: plan it again.

        """
        from kessai.billing.plan import Planning  # who plans nothing needs no calendar

        chosen = {"with_capture": True} if parameters is None else parameters
        planning = Planning(self._context, self._store, run, chosen)
        return planning.write(agreements, since, until, dry_run=dry_run)

    def preview(self, command: Command) -> Denial | None:
        """Whether `command` would be denied now, and why. Writes and sends nothing."""
        return self.drive(flow.preview(self._context, command))

    def can(
        self, transaction_id: str, command: str | None = None
    ) -> tuple[Possibility, ...]:
        """Every command (or one): allowed with its exact bounds, or every reason.

        Raises:
            UnknownTransaction: no transaction has that id.

        """
        return self.drive(flow.possibilities(self._context, transaction_id, command))

    def receive_notification(
        self, headers: Mapping[str, str], body: bytes, account: str | None = None
    ) -> None:
        """Take in a notification from the gateway; answer it 200 once this returns.

        `account` is whose endpoint it came to: needed where there are several.
        `kessai.answer_notification` gives the status to answer with.

        Raises:
            AccountUnknown: there is no such account here, or one must be named.
            NotificationRefused: it is not the gateway's; nothing changed. Answer 4xx.
            NotificationNotConfirmed, StoreBusy, CommitUnknown: the gateway must send it
                again. Answer 503.
            TrailBroken, UnknownLifecycle: a transaction must be mended. Answer 500.

        """
        self.drive(flow.receive_notification(self._context, headers, body, account))

    def recover(
        self, recovery: Recovery | None = None, *, limit: int = 100
    ) -> list[Answer]:
        """Inquire about at most `limit` transactions with open operations that are due.

        Only those of this engine's accounts are.
        Several processes may recover at once, also on other machines: each transaction
        is leased to one of them. What stays open is due again after a growing pause.
        Returns the answers that now stand under the keys of all operations found open.

        Raises:
            RecoveryFailed: some cannot be recovered, by a broken trail or a fault of the
                adapter. They rest; all others that were due have been recovered.
            StoreBusy, StoreFailed, CommitUnknown: the store is in trouble.

        """
        chosen = recovery or Recovery()
        return self.drive(flow.recover_all_due(self._context, chosen, limit))

    def recover_next(self, recovery: Recovery | None = None) -> list[Answer] | None:
        """As `recover`, for the transaction that is due longest; None if none is."""
        return self.drive(flow.recover_due(self._context, recovery or Recovery()))

    def recover_transaction(
        self, transaction_id: str, recovery: Recovery | None = None
    ) -> list[Answer]:
        """As `recover`, for one transaction."""
        chosen = recovery or Recovery()
        return self.drive(flow.recover(self._context, transaction_id, chosen))

    def sweep(self, transaction_id: str) -> Transaction:
        """Let the deadlines of a transaction lapse that have passed.

        The gateway is asked first; without its answer nothing lapses.
        """
        return self.drive(flow.sweep(self._context, transaction_id))

    def reconcile(self, transaction_id: str, *, record: bool = True) -> Inquiry:
        """Compare a transaction with all that the gateway knows of it.

        `events` of the inquiry are what the trail did not know; they are recorded
        unless `record` is false. `unconfirmed` is what only the trail knows.
        """
        return self.drive(flow.reconcile(self._context, transaction_id, record=record))

    def resolve(
        self,
        transaction_id: str,
        operation: str,
        outcome: str,
        *,
        evidence: str,
        actor: str,
    ) -> Answer:
        """End an open operation by what `actor` found out; `evidence` says how.

        `outcome` is `succeeded` or `declined`. A success that the lifecycle does not
        allow becomes a discrepancy, as with any other evidence.

        Raises:
            InvalidInput: no operation of that id is open, its caller still waits for
                the gateway, or the name or the reason is missing.

        """
        resolving = flow.resolve_by_hand(
            self._context,
            transaction_id,
            operation,
            outcome,
            note=evidence,
            actor=actor,
        )
        return self.drive(resolving)

    def import_command(
        self, imported: ImportedCommand, *, evidence: str, actor: str
    ) -> Answer:
        """Record that a command was carried out elsewhere, before the order came here.

        `actor` answers for it, and `evidence` says how it is known: both go into the
        trail. Nothing is sent. It is decided as of the time when it happened; an order
        comes here command by command, in their order, and is carried on from there.
        Asked again, it is answered as before.

        Raises:
            InvalidCommand, AccountUnknown: see `execute`.
            InvalidInput: it is said to have happened in the future, or only reads; a
                deadline is not the lifecycle's; another order has the references; or
                the name or the reason is missing.
            VersionConflict, StoreBusy, StoreFailed, CommitUnknown: ask again.

        """
        importing = flow.import_command(
            self._context, imported, note=evidence, actor=actor
        )
        return self.drive(importing)

    def close_discrepancy(
        self, transaction_id: str, discrepancy: int, *, evidence: str, actor: str
    ) -> Transaction:
        """Close the discrepancy with that event number: `actor` has dealt with it.

        Raises:
            InvalidInput: that event is no open discrepancy, or the name or the reason
                is missing.

        """
        closing = flow.close_by_hand(
            self._context, transaction_id, discrepancy, note=evidence, actor=actor
        )
        return self.drive(closing)

    def forget(
        self,
        *transaction_ids: str,
        reason: str,
        actor: str,
        dry_run: bool = False,
        scrub: bool = True,
    ) -> tuple[Forgetting, ...]:
        """Remove the personal texts of transactions: `actor` does it for `reason`.

        These are the texts among the parameters of their commands, and what operators
        wrote: notes and names. An event says which; the trail still holds, under seals
        made before, too. What is forgotten already is left as it is. A `dry_run`
        returns the same and writes nothing. At last SQLite's file is written anew, which
        takes its time and keeps writers waiting. Without `scrub` it is not: then what was
        removed may stand in its free space, until it is called with it, be it without
        ids.

        Raises:
            UnknownTransaction: nothing is recorded under an id.
            InvalidInput: an operation is open; or the name or the reason is missing.
            TrailBroken: a trail does not hold.
            StoreBusy, StoreFailed, CommitUnknown: call it again, with the same ids.

        """
        forgetting = flow.forget(
            self._context,
            transaction_ids,
            note=reason,
            actor=actor,
            is_trial=dry_run,
            scrub=scrub,
        )
        return self.drive(forgetting)

    def events(
        self, after: str = "", *, with_notes: bool = False
    ) -> Iterator[FeedEvent]:
        """The events of all transactions after a position, as many as there are now.

        To follow them, ask again after the last one's `position`: no event is passed
        over, and those of a transaction come in their order. `""` is before all.

        Raises:
            InvalidInput: `after` is no position of this store.
            TrailBroken: an event does not hold; `kessai audit verify` has more.

        """
        reader = FeedReader(self._context, after, with_notes=with_notes)
        while events := self.drive(reader.page()):
            yield from events

    def relay(self, subscriber: str, handle: Callable[[FeedEvent], object]) -> int:
        """Give each event that `subscriber` has not passed yet to `handle`, in order.

        Its position is stored after each call. What raises or dies in between gets the
        same event again, so `handle` must take one twice: each has its `id`. Where two
        follow, one that is slow hands on an older status after the other has handed on
        a newer one: the event's `number` tells which is newer. Returns how many there
        were.

        Raises:
            VersionConflict: another process relays for `subscriber` at the same time.

        """
        standing, count = self.drive(subscribed(subscriber)), 0
        for event in self.events(standing.position):
            handle(event)
            standing = passed(self.drive(pass_over(standing, event.position)))
            count += 1
        return count

    def feed_lag(self) -> timedelta:
        """For how long the first event that is stored has not been given yet.

        Usually nothing, or the time of a commit. If it grows, a transaction stays open
        somewhere on PostgreSQL's server (`pg_stat_activity`, `pg_prepared_xacts`).
        """
        return self.drive(lag())

    def close(self) -> None:
        """Close the transport and the store."""
        self._transport.close()
        self._store.close()
