"""One pass over a store: everything verified, and all that a report shows counted.

Memory holds counts, the first finds of each kind and one trail, however large the
store.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import version
from typing import Any

import attrs

from kessai.audit.coverage.exercised import exercised, refused
from kessai.audit.coverage.totals import Coverage, covered, denial_of, fits
from kessai.audit.reporting.facts import (
    Closing,
    Facts,
    LifecycleFigures,
    Outside,
    Refusals,
    Standings,
    Waiting,
)
from kessai.audit.reporting.spans import Spans
from kessai.audit.verification.canonical import BegunForm
from kessai.audit.verification.fast_path.states import AbstractState
from kessai.audit.verification.fast_path.walk import WalkedEvent
from kessai.audit.verification.report import FaultTally
from kessai.audit.verification.verify import Examined, verify
from kessai.machine import (
    Begun,
    Closed,
    Denied,
    External,
    Lapsed,
    Machine,
    Reversed,
    Transaction,
    compile_lifecycle,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.events import KIND_OF
from kessai.spec import Lifecycle
from kessai.stores import Store


def gather(
    store: Store,
    name: str,
    at: datetime,
    *,
    coverage: Coverage | None = None,
    known: Sequence[Lifecycle] = (),
) -> Facts:
    """All that a report shows of `store`, called `name`, as of `at`.

    `coverage` is what tests exercised. `known` are the lifecycles that a transaction
    which was never opened may have been meant for, besides those in the store.

    Raises:
        StoreBusy, StoreFailed: the store cannot be read.

    """
    gatherer = _Gatherer(known)
    report = verify(store, gatherer.visit, note=exercised)
    lifecycles = gatherer.lifecycles()
    if coverage is not None:
        rivals = [*known, *(one.lifecycle for one in lifecycles)]
        for one in lifecycles:
            one.tested = covered(one.lifecycle, coverage, rivals)
    return Facts(
        store=name,
        at=at,
        version=version("kessai"),
        first=gatherer.first,
        last=gatherer.last,
        days={
            day: (gatherer.days[day, False], gatherer.days[day, True])
            for day in sorted({day for day, _ in gatherer.days})
        },
        heads=gatherer.heads.hexdigest(),
        report=report,
        lifecycles=lifecycles,
        unbound=gatherer.unbound,
        waiting=gatherer.waiting,
        closed=gatherer.closed,
        outside=gatherer.outside,
        has_coverage=coverage is not None,
    )


@attrs.define
class _Loose:
    """Refusals of one kind that are bound to no lifecycle file."""

    count: int
    transaction: str
    event: Denied


class _Gatherer:
    """Counts as the transactions go by."""

    def __init__(self, known: Sequence[Lifecycle]) -> None:
        self._known = {one.hash: one for one in known}
        self._by_hash: dict[str, LifecycleFigures] = {}
        self._machines: dict[str, Machine] = {}
        self._loose: dict[Any, _Loose] = {}
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.days: Counter[tuple[date, bool]] = Counter()
        self.heads = hashlib.sha256()
        self.unbound = Refusals()
        self.waiting: FaultTally[Waiting] = FaultTally()
        self.closed: FaultTally[Closing] = FaultTally()
        self.outside: FaultTally[Outside] = FaultTally()

    def visit(self, examined: Examined) -> None:
        """Count one transaction."""
        head = examined.last.hash if examined.last else ""
        self.heads.update(f"{examined.name}\0{examined.events}\0{head}\n".encode())
        stays, machine = _Stays(), None
        for passed in examined.walked:
            self._event(examined.name, passed)
            if passed.applied is not None:
                self._resolutions(examined.name, passed.applied)
            machine = passed.state.machine
            if machine is not None:
                stays.count(self._figures(machine), passed)
        stored = examined.stored
        if isinstance(stored, Transaction):
            for operation in stored.operations.values():
                self.waiting.add(Waiting(stored.id, operation, stored.currency))
        if machine is not None:
            figures = self._figures(machine)
            figures.transactions += 1
            if isinstance(stored, Transaction) and examined.fault is None:
                _count_standing(figures, stored)  # else nobody knows where it stands

    def lifecycles(self) -> tuple[LifecycleFigures, ...]:
        """All lifecycle files of the store, the busiest first."""
        for one in self._by_hash.values():
            for noted, count in one.noted.items():
                for point in noted:
                    one.counts[point] += count
        self._bind()
        return tuple(
            sorted(
                self._by_hash.values(),
                key=lambda t: (-t.transactions, t.lifecycle.name, t.lifecycle.hash),
            )
        )

    def _figures(self, machine: Machine) -> LifecycleFigures:
        key = machine.lifecycle.hash
        found = self._by_hash.get(key)
        if found is None:
            # The same file, but in the order in which it was written: a store keeps
            # its names sorted.
            as_written = self._known.get(key, machine.lifecycle)
            found = self._by_hash[key] = LifecycleFigures(as_written)
            self._machines[key] = machine
        return found

    def _event(self, name: str, passed: WalkedEvent) -> None:
        event, state, noted, step = passed
        self.first = event.at if self.first is None else min(self.first, event.at)
        self.last = event.at if self.last is None else max(self.last, event.at)
        if isinstance(event, Begun | BegunForm | Denied):
            self.days[event.at.date(), type(event) is Denied] += 1
        if state.machine is None:
            if isinstance(event, Denied):
                kind = denial_of(event)
                loose = self._loose.setdefault(kind, _Loose(0, name, event))
                loose.count += 1
            return
        figures = self._figures(state.machine)
        figures.events += 1
        figures.noted[noted] += 1
        if step is None:  # an operation began or ended, as thousands do
            return
        match event:
            case Denied():
                figures.refusals.add(step.before, event)
            case External() | Reversed():
                self._outside(name, step, event)
            case Lapsed():
                how = "clock" if event.evidence is None else "gateway"
                figures.lapsed[event.deadline, how] += 1
            case _:
                return

    def _resolutions(self, name: str, step: AppliedEvent) -> None:
        """What an operator has closed, or an event has explained.

        Discrepancies, and movements at the gateway that nobody claimed.
        """
        event = step.event
        signed = event.evidence if isinstance(event, Closed) else None
        who = (signed.actor, signed.note) if signed else ("", "")
        for number in step.closes:
            open_before = step.before.discrepancies.get(number)
            reason = open_before.reason if open_before else KIND_OF[External]
            found = Closing(name, number, reason, event.at, step.number, *who)
            self.closed.add(found)

    def _outside(
        self, name: str, step: AppliedEvent, event: External | Reversed
    ) -> None:
        self.outside.add(
            Outside(
                name,
                step.number,
                event.command,
                event.amount,
                step.after.currency,
                event.at,
                event.evidence.source.value,
                isinstance(event, Reversed),
            )
        )

    def _bind(self) -> None:
        """Count the refusals that are bound to no file where only one lifecycle fits."""
        stored = {one.lifecycle.name for one in self._by_hash.values()}
        others = (one for one in self._known.values() if one.name not in stored)
        machines = [*self._machines.values(), *map(compile_lifecycle, others)]
        for kind, loose in self._loose.items():
            fitting = [machine for machine in machines if fits(machine, kind)]
            standing, event = Transaction(loose.transaction), loose.event
            if len(fitting) != 1:
                self.unbound.add(standing, event, loose.count)
                continue
            figures = self._figures(fitting[0])
            found = refused(fitting[0], Transaction(""), event.command, event.reasons)
            figures.counts.update(dict.fromkeys(found, loose.count))
            figures.refusals.add(standing, event, loose.count)


class _Stays:
    """How long a transaction stayed in each state that it has left."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[str, datetime]] = {}
        self._state: AbstractState | None = None

    def count(self, figures: LifecycleFigures, passed: WalkedEvent) -> None:
        """Count what the next event has ended and begun."""
        event, reached, *_ = passed
        if reached is self._state:
            return
        self._state = reached
        for track, state in reached.states.items():
            known = self._since.get(track)
            if known is not None and known[0] == state:
                continue
            if known is not None:
                left = f"{track}.{known[0]}"
                figures.spans.setdefault(left, Spans()).add(event.at - known[1])
            self._since[track] = state, event.at
            figures.entered[f"{track}.{state}"] += 1


def _count_standing(figures: LifecycleFigures, standing: Transaction) -> None:
    figures.standing.update(
        f"{track}.{state}" for track, state in standing.states.items()
    )
    here = figures.statuses.setdefault(
        (standing.status, standing.currency), Standings()
    )
    here.count += 1
    here.amounts.update({name: sum_ for name, sum_ in standing.amounts.items() if sum_})
