"""Charging the bills of one chunk under a lease, and a run chunk by chunk.

`run_chunk` is the seam for whoever drives a run: a loop here, or a workflow engine. Only
a chunk's id travels: what is charged stands in the store. It may be called by anybody, as
often as they like: whoever has the lease charges, the others hear for how long.

    worker 1 has the chunk (lease 1), and is frozen while it charges A
    its lease ends by the database's clock; worker 2 claims the chunk (lease 2)
        A: its key gives what became of the charge, nothing is sent again
        B, C: are charged
    worker 1 goes on: what it writes of A is refused, and it begins nothing more

An engine is a hint and the table is the truth: an open chunk whose lease has ended is
offered again. This module knows no gateway and no rule of a lifecycle.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

import attrs
from msgspec.structs import replace

from kessai.billing.ladder import RetryLadder
from kessai.errors import (
    KessaiError,
    LeaseLost,
    NeverResend,
    VersionConflict,
)
from kessai.flow import (
    Bill,
    ChunkLease,
    Flow,
    Now,
    WriteBill,
    charge_bill,
)
from kessai.flow.bills import Decide
from kessai.limits import CHUNK_BILLS, CHUNK_LEASE, LOOK_AFTER
from kessai.shell import Engine
from kessai.stores.protocol import BillStore, bills_of


@attrs.frozen
class ChunkDone:
    """Its bills are charged, or left for whoever claims it next; how many of each status.

    `left` are those that it had no time for, or that others wrote meanwhile.
    """

    statuses: Mapping[str, int]
    left: int = 0


@attrs.frozen
class ChunkBusy:
    """Somebody else has it, and may have it for as long as `retry_after`."""

    retry_after: timedelta


@attrs.frozen
class ChunkLost:
    """Somebody else has claimed it since; nothing more was written here."""


NO_LADDER = RetryLadder()

ChunkResult = ChunkDone | ChunkBusy | ChunkLost


def run_chunk(
    engine: Engine,
    chunk_id: int,
    *,
    owner: str,
    lease: timedelta = CHUNK_LEASE,
    ladder: RetryLadder = NO_LADDER,
) -> ChunkResult:
    """Charge the bills of a chunk, if nobody else has it.

    `owner` names the worker, for people. It takes a third of the `lease` at most; what
    is not charged by then is offered again. The `ladder` says what follows a decline.

    Raises:
        StoreBusy, StoreFailed, CommitUnknown: the store is in trouble; the chunk is
            offered again.

    """
    bills = bills_of(engine.store)
    held = bills.claim_chunk(chunk_id, owner, lease)
    if held is None:
        return ChunkDone({})
    if isinstance(held, timedelta):
        return ChunkBusy(held)
    try:
        with _Heartbeat(bills, held, lease) as heartbeat:
            done = _charge(engine, held, heartbeat, ladder.decide)
        bills.release_chunk(held)
    except LeaseLost:
        return ChunkLost()
    except BaseException:
        with suppress(KessaiError):
            bills.release_chunk(held)
        raise
    return done


def _charge(
    engine: Engine, held: ChunkLease, heartbeat: "_Heartbeat", decide: Decide
) -> ChunkDone:
    statuses: Counter[str] = Counter()
    bills = bills_of(engine.store).bills_in(held)
    for bill in bills:
        if heartbeat.is_time_over():
            break
        heartbeat.check()
        try:
            after = engine.drive(charge_bill(engine.context, bill, held, decide))
        except VersionConflict:  # somebody has charged it by hand, and it has left
            continue
        except NeverResend as error:
            after = engine.drive(_set_aside(bill, held, error))
        statuses[after.status] += 1
    return ChunkDone(statuses, len(bills) - statuses.total())


def _set_aside(bill: Bill, held: ChunkLease, error: NeverResend) -> Flow[Bill]:
    """Note why a bill cannot be charged now; it keeps none of the others waiting."""
    now: datetime = yield Now()
    after = replace(
        bill,
        reason=type(error).__name__,
        due_at=now + LOOK_AFTER,
        version=bill.version + 1,
    )
    yield WriteBill(after, held)
    return after


class _Heartbeat:
    """Renews a lease each third of it, from a thread; a frozen process renews none."""

    def __init__(self, bills: BillStore, held: ChunkLease, lease: timedelta) -> None:
        self._bills, self._held, self._lease = bills, held, lease
        self._third = lease.total_seconds() / 3
        self._renewed = self._began = monotonic()
        self._is_lost = False
        self._stop = Event()
        self._thread = Thread(target=self._beat, name="kessai-bill", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def is_time_over(self) -> bool:
        """Whether the chunk has taken a third of its lease."""
        return monotonic() - self._began > self._third

    def check(self) -> None:
        """See that the lease is still held, before anything is sent.

        Raises:
            LeaseLost: it is not.

        """
        if self._is_lost or monotonic() - self._renewed > self._third:
            self._renew()  # after any pause, by asking

    def _renew(self) -> None:
        at = monotonic()
        self._bills.renew_chunk(self._held, self._lease)
        self._renewed = at

    def _beat(self) -> None:
        while not self._stop.wait(self._third):
            try:
                self._renew()
            except LeaseLost:
                self._is_lost = True
                return
            except KessaiError:  # the next beat, or the next bill, asks again
                continue


@attrs.frozen(kw_only=True)
class BillRunner:
    """Charges what is due of a `run`, in chunks of `size` bills, `threads` at a time.

    Any number of them may do so at once, on any number of machines; `owner` names this
    one, for people. See `run_chunk` for the rest.
    """

    engine: Engine
    run: str
    owner: str
    lease: timedelta = CHUNK_LEASE
    size: int = CHUNK_BILLS
    ladder: RetryLadder = NO_LADDER
    threads: int = 1

    def results(self, is_stopped: Callable[[], bool]) -> Iterator[ChunkResult]:
        """What came of each chunk, until nothing is due or it `is_stopped`.

        Raises:
            See `run_chunk`; what the other threads have in hand is finished first.

        """
        with ThreadPoolExecutor(self.threads, "kessai-bill") as pool:
            under_way: dict[Future[ChunkResult], int] = {}
            while True:
                while len(under_way) < self.threads and not is_stopped():
                    chunk = self._next(under_way.values())
                    if chunk is None:
                        break
                    under_way[pool.submit(self._run, chunk)] = chunk
                if not under_way:
                    return
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    del under_way[done]
                    yield done.result()

    def _run(self, chunk: int) -> ChunkResult:
        return run_chunk(
            self.engine,
            chunk,
            owner=self.owner,
            lease=self.lease,
            ladder=self.ladder,
        )

    def _next(self, besides: Collection[int]) -> int | None:
        return next_chunk(self.engine, self.run, size=self.size, besides=besides)


def run_bills(
    engine: Engine, run: str, *, owner: str, **more: Any
) -> list[ChunkResult]:
    """Charge all that is due of a run; what came of each chunk. See `BillRunner`."""
    runner = BillRunner(engine=engine, run=run, owner=owner, **more)
    return list(runner.results(lambda: False))


def next_chunk(
    engine: Engine,
    run: str,
    *,
    size: int = CHUNK_BILLS,
    besides: Collection[int] = (),
) -> int | None:
    """The id of a chunk of a run that waits to be charged; None if nothing is due.

    Whoever has workers of its own submits it to one: a few at a time, not the whole run,
    and `besides` those that are submitted already.
    """
    bills = bills_of(engine.store)
    for chunk in bills.open_chunks(run, len(besides) + 1):
        if chunk not in besides:
            return chunk
    return bills.form_chunk(run, engine.drive(_now()), size)


def _now() -> Flow[datetime]:
    now: datetime = yield Now()
    return now
