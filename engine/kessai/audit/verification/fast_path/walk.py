"""A trail replayed event by event, over compiled paths where they are known.

The rules themselves found out once what an event does in an abstract state (the module
`record` beside this one); that is repeated as comparisons and sums. The first event of
an abstract state, and whatever is unusual, is read, replayed and decided in full, by
`replay` and `allowed`. Only they find faults: whatever does not fit here goes to them.

Checked here, of every single event: its hash, its place in the chain, the lifecycle
file that it is bound to, its operation's id, and the fingerprint of its request.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple, cast

import msgspec

from kessai.audit.verification.allowed import check
from kessai.audit.verification.canonical import (
    BegunForm,
    DeniedForm,
    EventForm,
    EvidenceForm,
    OperationForm,
    Reader,
    ReportedForm,
    as_json,
    bounds_of,
    reasons_of,
)
from kessai.audit.verification.fast_path.record import Asked, Note, path_of
from kessai.audit.verification.fast_path.requests import RequestForm, form_of, is_plain
from kessai.audit.verification.fast_path.states import (
    AbstractState,
    AbstractStates,
    CompiledPath,
    Particulars,
    particulars,
    values_of,
)
from kessai.audit.verification.replay import HISTORY, Library, ReplayBroken, follow
from kessai.gateway import Outcome
from kessai.machine import (
    Begun,
    Denied,
    Event,
    Operation,
    Record,
    Transaction,
)
from kessai.machine.chain import AppliedEvent, left_of
from kessai.machine.movements import moved_as_json
from kessai.machine.transaction import Notified, remember

AGREEMENTS = 20_000
"""Of how many agreements the abstract states are remembered."""

_DENIED = ("denied",)
_sha256 = hashlib.sha256


Key = tuple[Hashable, ...]
Values = tuple[Any, ...]

Known = tuple[EventForm, Key, Values]
"""An event as it was read: the key of its path from a state, and its four values.

A plain tuple, as one is made of every event.
"""


def _nothing(step: AppliedEvent) -> Iterable[str]:
    del step
    return ()


class WalkedEvent(NamedTuple):
    """An event as it was gone by: the abstract state that it led to, and what was noted of it.

    `applied` is there where the event is more than its path: where it was gone by in
    full, or is a denial.
    """

    event: EventForm | Event
    state: AbstractState
    noted: tuple[str, ...]
    applied: AppliedEvent | None


class Walks:
    """What all walks through one store have in common.

    With a `note`, every walk keeps the events that it went by, and what that finds.
    """

    def __init__(self, library: Library, note: Note | None = None) -> None:
        self.library = library
        self.keeps_events = note is not None
        self.note = note or _nothing
        self.reader = Reader()
        self.states = AbstractStates()
        self.blank = self.states.of(Transaction("-"), None)
        self.agreements = AgreementStates(self)


class TrailWalk(Particulars):
    """The replay of one transaction's trail, from its beginning."""

    def __init__(self, walks: Walks, name: str, left: Mapping[int, str]) -> None:
        super().__init__(name)
        self._walks = walks
        self._left = left
        self._json = as_json(name)
        self._may_be_asked = is_plain(name)
        self._state = walks.blank
        self._values: tuple[Any, ...] = ()
        self._operations: list[OperationForm | Operation] = []
        self.events: list[EventForm | Event] = []
        self.history = [walks.blank]
        """The abstract state after each of the first events, from before them all.

        What refers to a later one is decided in full.
        """
        self.walked: list[WalkedEvent] = []

    @property
    def lifecycle(self) -> str:
        """The hash of the lifecycle file that it runs under."""
        return self._state.outline.lifecycle

    def anew(self) -> "TrailWalk":
        """A walk through the same trail, again from its beginning."""
        return TrailWalk(self._walks, self.id, self._left)

    def forget(self) -> None:
        """Forget the events that were gone by: what they lead to stays."""
        self.events.clear()
        self.walked.clear()

    def step(self, record: Record) -> str | Event:
        """Replay one event: return its kind, or all of it where it was read in full.

        Raises:
            Broken: it is not what its place in the chain demands, or was not allowed.

        """
        known = None
        if (
            record.number == self.version + 1
            and record.number not in self._left
            and _sha256(record.body).hexdigest() == record.hash
        ):
            known = self._read(record)
            if known is not None and self._goes_on(known, record):
                return known[0].kind
        return self._in_full(record, known)

    def transaction(self) -> Transaction:
        """The transaction as the trail so far leaves it."""
        opened = [_operation(operation) for operation in self._operations]
        return self._state.transaction(self, self._values, opened)

    def leads_to(self, stored: Transaction) -> bool:
        """Whether `stored` surely is the transaction; False leaves it open.

        Asked of every transaction: putting one together to compare it costs more.
        """
        return (
            particulars(stored) == particulars(self)
            and not self._operations
            and not stored.operations
            and self._state.is_of(stored, self._values)
        )

    # ── what is known ───────────────────────────────────────────────────────────────

    def _read(self, record: Record) -> Known | None:
        read = self._walks.reader.read(record, self.head, self._json)
        if read is None or self.archived:
            return None
        lifecycle, event = read
        if isinstance(event, BegunForm):
            return self._begun(event, lifecycle, record.number)
        if lifecycle != self._state.outline.lifecycle:
            return None
        if isinstance(event, ReportedForm):
            return self._reported(event)
        return event, _DENIED, (event.at, None, None, None)

    def _begun(self, event: BegunForm, lifecycle: str, number: int) -> Known | None:
        walks, operation = self._walks, event.operation
        machine = self._state.machine or walks.library.known(lifecycle)
        if machine is None or machine.lifecycle.hash != lifecycle:
            return None
        if operation.id != f"{self.id}.{number}" or not self._may_be_asked:
            return None
        parameters = bytes(operation.parameters)
        asked_on = self.id, self._state.outline.currency, self.account
        form = form_of(machine, asked_on, event)
        if form is None:
            return None
        agreement = None
        if event.agreement is not None:
            needed = machine.commands[operation.command].spec.agreement
            agreement = walks.agreements.charged_by(event, event.agreement)
            if agreement is None or needed is None or agreement.may_lapse(needed.track):
                return None
        # An operation must hold the references, and must equal nothing unclaimed: both
        # are decided in full.
        if self.references or self.unclaimed or self.discrepancies:
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
        return event, key, (event.at, operation.begun_at, amount, None)

    def _reported(self, event: ReportedForm) -> Known | None:
        for index, held in enumerate(self._operations):  # noqa: B007 - it is its place
            if held.id == event.operation:
                break
        else:
            return None
        if self.discrepancies:  # it may explain one
            return None
        if isinstance(held, Operation) and (held.not_before or held.resumed_at):
            return None
        evidence = event.evidence
        key = (
            index,
            event.outcome,
            evidence.source,
            evidence.command,
            evidence.outcome,
            evidence.amount is None,
            evidence.reported_at is None,
            evidence.found,
            evidence.needs_inquiry,
            evidence.never_sent,
        )
        inputs = event.at, None, evidence.amount, evidence.reported_at
        return event, key, inputs

    def _goes_on(self, known: Known, record: Record) -> bool:
        """Take the path of the event, if it is known."""
        event, key, inputs = known
        old, keeps = self._values, self._walks.keeps_events
        for path in self._state.paths.get(key, ()):
            try:
                values = path.repeat(*old, *inputs)
            except OverflowError:
                continue
            if values is not None:
                break
        else:
            return False
        before = self._denied_on(event) if keeps else None
        self.head, self.version = record.hash, record.number
        self._take_in(event, path.ends)
        self._arrive(event, path.after, values)
        if keeps:
            self._keep(event, path, before)
        moved = path.moved(old, values) if path.moves else None
        if record.moved != moved:
            raise _moved_otherwise(record, moved)
        return True

    def _denied_on(self, event: EventForm) -> Transaction | None:
        """What a denial was of, which depends on more than its path."""
        return self.transaction() if isinstance(event, DeniedForm) else None

    def _keep(
        self, event: EventForm, path: CompiledPath, before: Transaction | None
    ) -> None:
        if before is None or not isinstance(event, DeniedForm):
            self.walked.append(WalkedEvent(event, path.after, path.noted, None))
            return
        denied = _denied(event)
        step = AppliedEvent(denied, path.after.machine, before, self.transaction())
        noted = tuple(self._walks.note(step))
        self.walked.append(WalkedEvent(denied, path.after, noted, step))

    def _take_in(self, event: EventForm, ends: int | None) -> None:
        if isinstance(event, ReportedForm):
            self.changed_at = event.at
            if ends is not None:
                del self._operations[ends]
                if event.evidence.source == "notification":
                    self._remember(event.evidence)
        elif isinstance(event, BegunForm):
            self._operations.append(event.operation)
            if self.opened_at is None:
                self.opened_at = self.changed_at = event.at
                self.agreement = event.agreement
                self.account = event.account or ""
        else:
            self.denials += 1

    def _remember(self, evidence: EvidenceForm) -> None:
        """Keep a notified item as `Transaction.with_notified` does."""
        if evidence.exchange is not None:
            outcome = Outcome(evidence.outcome)
            last = Notified(
                evidence.command, outcome, evidence.amount, evidence.exchange
            )
            self.notified = remember(self.notified, last)

    def _arrive(
        self, event: EventForm | Event, state: AbstractState, values: Values
    ) -> None:
        self.events.append(event)
        self._state = state
        self._values = values
        if len(self.history) <= HISTORY:
            self.history.append(state)

    # ── what is not ─────────────────────────────────────────────────────────────────

    def _in_full(self, record: Record, known: Known | None) -> str | Event:
        walks, before = self._walks, self._state
        left = self._left.get(record.number)
        step = follow(walks.library, self.transaction(), record, left)
        check(walks.library, step, is_forgotten=left is not None)
        after = step.after
        machine = step.machine if after.exists else None
        self.take(after)
        self._operations = list(after.operations.values())
        state = walks.states.of(after, machine)
        self._arrive(step.event, state, values_of(after))
        if walks.keeps_events:
            noted = tuple(walks.note(step))
            self.walked.append(WalkedEvent(step.event, state, noted, step))
        if known is not None and walks.states.room and not _has_text(known[0]):
            asked = _asked(known[1]) if isinstance(step.event, Begun) else None
            path = path_of(walks.states, before, step, asked, walks.note)
            if path is not None:
                walks.states.add(before, known[1], path)
        moved = moved_as_json(step.machine, step.before.amounts, after.amounts)
        if record.moved != moved:
            raise _moved_otherwise(record, moved)
        return step.event


def _moved_otherwise(record: Record, moved: str | None) -> ReplayBroken:
    """An event `moved` something else than stands beside it in the store."""
    detail = f"{record.moved}, not {moved}"
    return ReplayBroken(record.number, "movement_differs", detail)


def _asked(key: Key) -> Asked:
    """What the key of a path says of the request: `TrailWalk._begun` puts it first."""
    form, agreement, *_ = key
    return cast("RequestForm", form), cast("AbstractState | None", agreement)


def _has_text(event: EventForm) -> bool:
    """Whether it has parameters that are hardly the same twice."""
    return isinstance(event, BegunForm) and any(
        isinstance(value, str)
        for value in msgspec.json.decode(event.operation.parameters).values()
    )


def _denied(form: DeniedForm) -> Denied:
    return Denied(
        form.at,
        form.command,
        form.key,
        form.request,
        reasons_of(form),
        form.amount,
        bounds_of(form),
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
    """The abstract states of agreements by version, as charges refer to them."""

    def __init__(self, walks: Walks) -> None:
        self._walks = walks
        self._histories: OrderedDict[str, list[AbstractState]] = OrderedDict()
        self._accounts: dict[str, str] = {}
        self._lifecycles: set[str] = set()
        self._is_walking = False

    def passed(self, name: str, walk: TrailWalk) -> None:
        """Remember a walk, if it was that of an agreement."""
        if walk.lifecycle in self._lifecycles:
            self._keep(name, walk)

    def state(self, name: str, version: int | None) -> AbstractState | None:
        """An agreement's abstract state at `version`; None if that is not certain."""
        history = self._histories.get(name)
        if history is None:
            history = self._found(name)
        if version is None or not 0 <= version < len(history):
            return None
        return history[version]

    def charged_by(self, event: BegunForm, name: str) -> AbstractState | None:
        """The agreement's state when a charge under it began; None as above.

        What has its agreement's ids, or an account of its own, is decided in full.
        """
        found = self.state(name, event.agreement_version)
        if found is None or found.outline.has_references:
            return None
        return found if self._accounts[name] == (event.account or "") else None

    def _found(self, name: str) -> list[AbstractState]:
        pages = self._walks.library.pages(name)
        left = left_of(chain.from_iterable(pages))
        walk = TrailWalk(self._walks, name, left)
        if not self._is_walking:  # an agreement under another is left to the replay
            self._is_walking = True
            try:
                for record in chain.from_iterable(pages):
                    walk.step(record)
                    walk.forget()
            except ReplayBroken:
                pass  # reported where it is broken; what comes before holds
            finally:
                self._is_walking = False
            self._lifecycles.add(walk.lifecycle)
            self._keep(name, walk)
        return walk.history

    def _keep(self, name: str, walk: TrailWalk) -> None:
        self._histories[name] = walk.history
        self._accounts[name] = walk.account
        if len(self._histories) > AGREEMENTS:
            oldest, _ = self._histories.popitem(last=False)
            del self._accounts[oldest]
