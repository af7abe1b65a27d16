"""A trail gone through event by event, each as fast as it is known.

What an event does to a transaction of the same shape was found out once, by the rules
themselves (`kessai.audit.verification.fast_path.record`), and is repeated: comparisons and sums. The first
of a shape, and all that is out of the ordinary, is read, replayed and decided in full,
by `kessai.audit.verification.replay` and `kessai.audit.verification.allowed`. Only they find faults: whatever does
not fit here goes to them.

Checked here, of every single event: its hash, its place in the chain, the lifecycle file
it is bound to, its operation's id, and the fingerprint of its request.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, cast

import msgspec

from kessai.audit.verification.allowed import check
from kessai.audit.verification.canonical import (
    BegunForm,
    EventForm,
    EvidenceForm,
    OperationForm,
    Reader,
    ReportedForm,
    as_json,
    place,
)
from kessai.audit.verification.fast_path.record import Passed, way_of
from kessai.audit.verification.fast_path.requests import RequestForm, Requests, is_plain
from kessai.audit.verification.fast_path.states import (
    AbstractState,
    Alike,
    Shapes,
    values_of,
)
from kessai.audit.verification.replay import Library, ReplayBroken, follow
from kessai.gateway import Outcome
from kessai.machine import Begun, Event, Operation, Record, Transaction
from kessai.machine.chain import AppliedEvent
from kessai.machine.transaction import Notified, remember

AGREEMENTS = 20_000
"""Of how many agreements the shapes are remembered."""

_DENIED = ("denied",)
_sha256 = hashlib.sha256


Key = tuple[Hashable, ...]
Values = tuple[Any, ...]

Known = tuple[EventForm, Key, Any, Any, Any, Any]
"""An event as it was read: by what it goes on from a shape, and its four values.

A plain tuple, as one is made of every event.
"""


class Walks:
    """What all walks through one store have in common."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.reader = Reader()
        self.shapes = Shapes()
        self.requests = Requests()
        self.blank = self.shapes.of(Transaction("-"), None)
        self.agreements = AgreementStates(self)


class TrailWalk(Alike):
    """The way through the trail of one transaction, from its beginning."""

    def __init__(self, walks: Walks, name: str) -> None:
        super().__init__(name)
        self._walks = walks
        self._json = as_json(name)
        self._may_be_asked = is_plain(name)
        self._shape = walks.blank
        self._values: tuple[Any, ...] = ()
        self._operations: list[OperationForm | Operation] = []
        self.events: list[EventForm | Event] = []
        self.history = [walks.blank]
        """The shape after each event, from before the first."""

    def step(self, record: Record) -> str | Event:
        """Go one event on: its kind, or the whole of it where it was read in full.

        Raises:
            Broken: it is not what its place in the chain demands, or was not allowed.

        """
        number, body, digest = self.version + 1, record.body, record.hash
        known = None
        if record.number == number and _sha256(body).hexdigest() == digest:
            known = self._read(body, number)
            if known is not None and self._goes_on(known, digest):
                return known[0].kind
        return self._in_full(record, known)

    def transaction(self) -> Transaction:
        """The transaction as the trail so far leaves it."""
        opened = [_operation(operation) for operation in self._operations]
        return self._shape.transaction(self, self._values, opened)

    def leads_to(self, standing: Transaction) -> bool:
        """Whether `standing` surely is the transaction; if not, it may be all the same.

        Asked of every transaction: putting one together to compare it costs more.
        """
        return (
            standing.version == self.version
            and standing.head == self.head
            and standing.id == self.id
            and standing.agreement == self.agreement
            and standing.discrepancies == self.discrepancies
            and standing.notified == self.notified
            and standing.references == self.references
            and standing.account == self.account
            and not self._operations
            and not standing.operations
            and self._shape.is_of(standing, self._values)
        )

    # ── what is known ───────────────────────────────────────────────────────────────

    def _read(self, body: bytes, number: int) -> Known | None:
        end = place(number, self.head.encode(), self._json)
        read = self._walks.reader.read(body, end)
        if read is None:
            return None
        middle, event = read
        if isinstance(event, BegunForm):
            return self._begun(event, middle.lifecycle, number)
        if middle.lifecycle != self._shape.outline.lifecycle:
            return None
        if isinstance(event, ReportedForm):
            return self._reported(event)
        return event, _DENIED, event.at, None, None, None

    def _begun(self, event: BegunForm, lifecycle: str, number: int) -> Known | None:
        walks, operation = self._walks, event.operation
        machine = self._shape.machine or walks.library.known(lifecycle)
        if machine is None or machine.lifecycle.hash != lifecycle:
            return None
        if operation.id != f"{self.id}.{number}" or not self._may_be_asked:
            return None
        parameters = bytes(operation.parameters)
        asked_on = self.id, self._shape.outline.currency, self.account
        form = walks.requests.form(machine, asked_on, event)
        if form is None:
            return None
        agreement = None
        if event.agreement is not None:
            agreement = walks.agreements.charged_by(event, event.agreement)
            if agreement is None:
                return None
        if self.references:  # the operation must hold them: that is decided in full
            return None
        amount = operation.amount
        key = (
            form,
            agreement,
            lifecycle,
            operation.command,
            parameters,
            amount is None,
            event.opens,
            operation.currency,
            event.account is None,
        )
        return event, key, event.at, operation.begun_at, amount, None

    def _reported(self, event: ReportedForm) -> Known | None:
        index = self._place_of(event.operation)
        if index is None:
            return None
        held = self._operations[index]
        if isinstance(held, Operation) and (held.not_before or held.resumed_at):
            return None
        told = event.evidence
        key = (
            index,
            event.outcome,
            told.source,
            told.command,
            told.outcome,
            told.amount is None,
            told.reported_at is None,
            told.found,
            told.needs_inquiry,
            told.never_sent,
        )
        return event, key, event.at, None, told.amount, told.reported_at

    def _place_of(self, operation: str) -> int | None:
        for index, held in enumerate(self._operations):
            if held.id == operation:
                return index
        return None

    def _goes_on(self, known: Known, digest: str) -> bool:
        """Go the way that the event takes, if that is known."""
        event, key, at, begun_at, amount, told = known
        for way in self._shape.ways.get(key, ()):
            try:
                values = way.repeat(self._values, at, begun_at, amount, told)
            except OverflowError:
                continue
            if values is None:
                continue
            self._take_in(event, way.ends)
            self.events.append(event)
            self._arrive(way.after, values, digest)
            return True
        return False

    def _take_in(self, event: EventForm, ends: int | None) -> None:
        if isinstance(event, BegunForm):
            self._operations.append(event.operation)
            if event.agreement is not None:
                self.agreement = event.agreement
            if event.account is not None:
                self.account = event.account
        elif ends is not None:
            del self._operations[ends]
            if isinstance(event, ReportedForm):
                self._remember(event.evidence)

    def _remember(self, told: EvidenceForm) -> None:
        """Keep a item as `Transaction.with_notified` does."""
        if told.source == "notification" and told.exchange is not None:
            outcome = Outcome(told.outcome)
            last = Notified(told.command, outcome, told.amount, told.exchange)
            self.notified = remember(self.notified, last)

    def _arrive(self, shape: AbstractState, values: Values, digest: str) -> None:
        self._shape = shape
        self._values = values
        self.head = digest
        self.version += 1
        self.history.append(shape)

    # ── what is not ─────────────────────────────────────────────────────────────────

    def _in_full(self, record: Record, known: Known | None) -> str | Event:
        walks, before = self._walks, self._shape
        step = follow(walks.library, self.transaction(), record)
        check(walks.library, step)
        after = step.after
        machine = step.machine if after.exists else None
        self.agreement, self.discrepancies = after.agreement, after.discrepancies
        self.notified = after.notified
        self.references, self.account = after.references, after.account
        self._operations = list(after.operations.values())
        self.events.append(step.event)
        shape = walks.shapes.of(after, machine)
        self._arrive(shape, values_of(after), record.hash)
        if known is not None and walks.shapes.room and not _has_text(known[0]):
            way = way_of(walks.shapes, _passed(step, before, known[1]))
            if way is not None:
                walks.shapes.add(before, known[1], way)
        return step.event


def _passed(step: AppliedEvent, before: AbstractState, key: Key) -> Passed:
    if not isinstance(step.event, Begun):
        return Passed(step, before)
    form, agreement, *_ = key
    return Passed(
        step, before, cast("RequestForm", form), cast("AbstractState | None", agreement)
    )


def _has_text(event: EventForm) -> bool:
    """Whether it has parameters that are hardly the same twice."""
    return isinstance(event, BegunForm) and any(
        isinstance(value, str)
        for value in msgspec.json.decode(event.operation.parameters).values()
    )


def _operation(held: OperationForm | Operation) -> Operation:
    if isinstance(held, Operation):
        return held
    return Operation(
        held.id,
        held.command,
        held.key,
        held.request,
        held.amount,
        msgspec.json.decode(held.parameters),
        held.begun_at,
        currency=held.currency,
    )


class AgreementStates:
    """The shapes that agreements had, by version, as charges refer to them."""

    def __init__(self, walks: Walks) -> None:
        self._walks = walks
        self._histories: OrderedDict[str, list[AbstractState]] = OrderedDict()
        self._accounts: dict[str, str] = {}
        self._lifecycles: set[str] = set()
        self._is_walking = False

    def passed(self, name: str, walk: TrailWalk) -> None:
        """Remember a walk, if it was that of an agreement."""
        if walk.history[-1].outline.lifecycle in self._lifecycles:
            self._keep(name, walk)

    def shape(self, name: str, version: int | None) -> AbstractState | None:
        """The shape of an agreement at `version`; None if that is not certain."""
        history = self._histories.get(name)
        if history is None:
            history = self._found(name)
        if version is None or not 0 <= version < len(history):
            return None
        return history[version]

    def charged_by(self, event: BegunForm, name: str) -> AbstractState | None:
        """The shape of the agreement `name` as a charge under it began; None as above.

        What has its agreement's ids, or an account of its own, is decided in full.
        """
        found = self.shape(name, event.agreement_version)
        if found is None or found.outline.has_references:
            return None
        return found if self._accounts[name] == (event.account or "") else None

    def _found(self, name: str) -> list[AbstractState]:
        walk = TrailWalk(self._walks, name)
        if not self._is_walking:  # an agreement under another is left to the replay
            self._is_walking = True
            try:
                for record in self._walks.library.records(name):
                    walk.step(record)
            except ReplayBroken:
                pass  # told where it is broken; what comes before holds
            finally:
                self._is_walking = False
            self._lifecycles.add(walk.history[-1].outline.lifecycle)
            self._keep(name, walk)
        return walk.history

    def _keep(self, name: str, walk: TrailWalk) -> None:
        self._histories[name] = walk.history
        self._accounts[name] = walk.account
        if len(self._histories) > AGREEMENTS:
            oldest, _ = self._histories.popitem(last=False)
            del self._accounts[oldest]
