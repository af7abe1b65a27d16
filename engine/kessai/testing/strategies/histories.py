"""Whole histories of one transaction, drawn from its lifecycle alone.

Built forwards, one step after the other, from what the machine itself allows: nothing
is drawn to be thrown away. Commands succeed, are declined, stay pending or unknown, or
without any answer; the gateway acts on its own, and so does the cardholder's bank;
deadlines pass; the impossible is asked for and refused.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs
from hypothesis import strategies as st

from kessai.evidence.outcome import (
    beside,
    close_discrepancy,
    expected_amount,
    overdue,
    resolve,
    resolve_external,
)
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Bounds,
    Closed,
    Command,
    Denial,
    Denied,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Learned,
    Machine,
    Operation,
    Record,
    Resent,
    Resumed,
    Reversed,
    Sent,
    Transaction,
    append,
)
from kessai.machine.command import fingerprint
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import amount_bounds, opened_tracks
from kessai.machine.phases import RESENT, RESUMED, SENT, phase_after
from kessai.simulator.commands import opening_of, possible_names
from kessai.stores import Store
from kessai.testing.store_kit.written import changes
from kessai.testing.strategies.agreements import agreement_with_trail
from kessai.testing.strategies.commands import NOW, command_in
from kessai.testing.strategies.denied import denial
from kessai.testing.strategies.lifecycles import AnyLifecycle, machine_of
from kessai.testing.strategies.values import T, among, amounts, order_ids
from kessai.testing.strategies.variants import CommandCase, ways

MOST_STEPS = 20
"""How many steps a history has at most, unless another number is given."""

_SUCCEEDED = (Outcome.SUCCEEDED,)
_ANSWERS = (*_SUCCEEDED * 6, Outcome.DECLINED, Outcome.PENDING, Outcome.UNKNOWN, None)
_ENDS = (*_SUCCEEDED * 3, Outcome.DECLINED)
_PREPARED = (*[False] * 7, True)
_PAUSES = tuple(map(timedelta, (0, 0, 0, 1), (1, 40, 3600, 0)))
_PATIENCE = 6
_STRANGE = "no_such_command"
_IDS = ("order_1", "order_1", "buyer_1", "order_2")
"""Ids of the gateway, by the kinds that they begin with."""


@attrs.frozen(kw_only=True)
class TransactionHistory:
    """One transaction with everything that led to it, as a store would hold it.

    `records` are its trail, `events` the same in plain; `now` is the moment after the
    last. `asked` are the commands that were asked for, the refused ones among them.
    `agreement` is what a charge is made under, with the trail of that.
    """

    machine: Machine = attrs.field(repr=False)
    transaction: Transaction
    events: tuple[Event, ...] = attrs.field(repr=False)
    records: tuple[Record, ...] = attrs.field(repr=False)
    asked: tuple[Command, ...]
    now: datetime
    agreement: Transaction | None = attrs.field(default=None, repr=False)
    agreement_records: tuple[Record, ...] = attrs.field(default=(), repr=False)

    def write_to(self, store: Store) -> None:
        """Put the transaction and its trail into `store`, and the agreement before it.

        Raises:
            VersionConflict: the store has one of that id.

        """
        agreement = self.agreement
        if agreement is not None:
            machine = machine_of(agreement.lifecycle)
            for change in changes(machine, agreement.id, self.agreement_records):
                store.append(change)
        for change in changes(self.machine, self.transaction.id, self.records):
            store.append(change)


def histories(
    lifecycle: AnyLifecycle,
    *,
    most_steps: int = MOST_STEPS,
    begun: datetime = NOW,
    order_id: str | None = None,
) -> st.SearchStrategy[TransactionHistory]:
    """Histories of one transaction of the lifecycle, each of them possible.

    They begin at `begun` and have from 1 to `most_steps` steps. The order id is drawn
    unless it is given. Every state of the lifecycle is reached. In none is a text
    forgotten, and none is archived.

    Raises:
        InvalidInput: the lifecycle is none, has mistakes, or needs an agreement that no
            short history leads to.

    """
    machine = machine_of(lifecycle)
    agreement_with_trail(machine)  # raises now if there is none
    ids = order_ids(machine) if order_id is None else st.just(order_id)
    return _histories(machine, most_steps, begun, ids)


@st.composite
def _histories(
    draw: st.DrawFn,
    machine: Machine,
    most_steps: int,
    begun: datetime,
    ids: st.SearchStrategy[str],
) -> TransactionHistory:
    agreement, trail = agreement_with_trail(machine) or (None, ())
    course = Course(draw, machine, draw(ids), begun, agreement)
    course.ask(opening_of(machine).spec.name)
    for _ in range(among(draw, range(most_steps))):
        course.go_on()
    return TransactionHistory(
        machine=machine,
        transaction=course.transaction,
        events=tuple(course.events),
        records=tuple(course.records),
        asked=tuple(course.asked),
        now=course.now,
        agreement=agreement,
        agreement_records=trail,
    )


def last_events(lifecycle: AnyLifecycle, kind: type[Event]) -> st.SearchStrategy[Event]:
    """Events of one kind, each the last of a history that leads to it."""
    machine = machine_of(lifecycle)
    under = agreement_with_trail(machine)
    return _last_events(machine, kind, None if under is None else under[0])


@st.composite
def _last_events(
    draw: st.DrawFn, machine: Machine, kind: type[Event], agreement: Transaction | None
) -> Event:
    course = Course(draw, machine, draw(order_ids(machine)), NOW, agreement)
    course.prepares = kind is Sent
    opening = opening_of(machine).spec.name
    is_open = kind in {Resent, Resumed, Sent}
    course.ask(opening, (Outcome.UNKNOWN,) if is_open else _SUCCEEDED)
    for _ in range(_PATIENCE):
        for event in reversed(course.events):
            if isinstance(event, kind):
                return event
        course.go_towards(kind)
    return draw(st.nothing())


class Course:
    """A history as it grows."""

    def __init__(
        self,
        draw: st.DrawFn,
        machine: Machine,
        order: str,
        now: datetime,
        agreement: Transaction | None,
    ) -> None:
        self._draw = draw
        self._agreement = agreement
        self.machine = machine
        self.transaction = Transaction(order)
        self.now = now
        self.events: list[Event] = []
        self.records: list[Record] = []
        self.asked: list[Command] = []
        self.prepares = False
        """Whether all commands are begun in a shop's own transaction; some always are."""

    def _among(self, options: Sequence[T]) -> T:
        return among(self._draw, options)

    def go_on(self) -> None:
        """One step more: mostly a command, or what came of one before."""
        self.now += self._among(_PAUSES)
        is_open = bool(self.transaction.operations)
        weights: Mapping[Callable[[], None], int] = {
            self.command: 5 * bool(possible_names(self.machine, self.transaction)),
            self.gateway_acts: self._unasked_weight(),
            self.taken_back: 2 * bool(self.reversible()),
            self.ends: 3 * is_open,
            self.resent: is_open,
            self.sent: is_open,
            self.resumed: bool(self.resumable()),
            self.lapses: bool(self.deadlines()),
            self.closed: bool(self.closable()),
            self.learned: self.transaction.exists,
            self.refused: 1,
            self.strange: 1,
        }
        steps = [step for step, weight in weights.items() for _ in range(weight)]
        self._among(steps)()

    def append(self, event: Event | None) -> None:
        """Let `event` happen; None changes nothing."""
        if event is None:
            return
        is_bound = self.transaction.exists or isinstance(event, Begun)
        machine = self.machine if is_bound else None
        self.transaction, record = append(machine, self.transaction, event)
        self.events.append(event)
        self.records.append(record)

    @property
    def case(self) -> CommandCase:
        """What commands are asked of."""
        return CommandCase(self.machine, self.transaction, self.now, self._agreement)

    # ── commands ────────────────────────────────────────────────────────────────────

    def go_towards(self, kind: type[Event]) -> None:
        """A step that may give an event of that kind."""
        steps: Mapping[type[Event], Callable[[], None]] = {
            Resent: self.resent,
            Resumed: self.resumed,
            Learned: self.learned,
            External: self.gateway_acts,
            Reversed: self.taken_back,
            Lapsed: self.lapses,
            Discrepancy: self.strange,
            Closed: self.closed,
            Denied: self.refused,
        }
        if kind is Closed:
            self.strange()
        if kind is External and not self.unasked():
            return
        if kind is Reversed and not self.reversible():
            self.command()
            return
        if kind is Lapsed and not self.deadlines():
            self.ask(opening_of(self.machine).spec.name)
            return
        steps[kind]()

    def ask(self, name: str, answers: Sequence[Outcome | None] = _ANSWERS) -> bool:
        """Ask for `name` in any way that is allowed; whether there is one."""
        case = self.case
        found = ways(case, name)
        if not found:
            return False
        command = command_in(self._draw, case, found, self._next_key())
        operation = case.decide(command)
        assert isinstance(operation, Operation)  # noqa: S101 - it is allowed
        self.asked.append(command)
        self._begin(operation)
        outcome = self._among(answers)
        if outcome is not None:
            self.now += timedelta(seconds=1)
            self.sent()
            self._resolve(self.transaction.operations[operation.id], outcome)
        return True

    def _next_key(self) -> str:
        """A key that no other command has, in any store."""
        return f"{self.transaction.id}:{len(self.asked) + 1}"

    def _begin(self, operation: Operation) -> None:
        needed = self.machine.commands[operation.command].spec.agreement
        under = self._agreement if needed is not None else None
        named = (None, None) if under is None else (under.id, under.version)
        opens = opened_tracks(self.machine, operation)
        prepared = self.prepares or self._among(_PREPARED)
        self.append(
            Begun(self.now, operation, named[0], opens, named[1], None, prepared)
        )

    def sent(self) -> None:
        """What was only prepared is about to be sent."""
        for operation in self.transaction.operations.values():
            if phase_after(operation.phase, SENT) is not None:
                self.append(Sent(self.now, operation.id))

    def command(self) -> None:
        """Any command that is possible; those that must wait give way to another."""
        names = possible_names(self.machine, self.transaction)
        first = self._among(range(len(names)))
        any(self.ask(name) for name in (*names[first:], *names[:first]))

    def refused(self) -> None:
        """What must be denied is asked for, and is."""
        command = denial(self._draw, self.case, key=self._next_key()).command
        verdict = self.case.decide(command)
        assert isinstance(verdict, Denial)  # noqa: S101 - it must be denied
        self.asked.append(command)
        request, amount = command.fingerprint, command.amount
        denied = Denied(
            self.now, command.name, command.key, request, verdict.reasons, amount
        )
        self.append(denied)

    # ── evidence ────────────────────────────────────────────────────────────────────

    def _evidence(
        self, command: str, outcome: Outcome, amount: int | None, source: Source
    ) -> Evidence:
        return Evidence(
            source=source,
            transaction=self.transaction.id,
            command=command,
            outcome=outcome,
            amount=amount,
            reported_at=self.now,
        )

    def _resolve(self, operation: Operation, outcome: Outcome) -> None:
        machine = self.machine
        rule = machine.commands[operation.command]
        amount = None
        if outcome is Outcome.SUCCEEDED:
            amount = expected_amount(rule, self.transaction, operation)
        source = self._among([Source.REPLY, Source.NOTIFICATION])
        evidence = self._evidence(operation.command, outcome, amount, source)
        self.append(resolve(machine, self.transaction, operation, evidence, self.now))

    def ends(self) -> None:
        """Something that is open succeeds or is declined."""
        operations = list(self.transaction.operations.values())
        self._resolve(self._among(operations), self._among(_ENDS))

    def unasked(self) -> list[CompiledCommand]:
        """What the gateway may do now though nobody here asks for it.

        Someone works in its portal; or the cardholder's bank decides, which alone may.
        """
        rules = self.machine.commands.values()
        states = self.transaction.states
        return [r for r in rules if not r.spec.is_opening and r.outside_from(states)]

    def _unasked_weight(self) -> int:
        """More where nobody here could bring about the same."""
        found = self.unasked()
        return bool(found) + 3 * sum(not rule.spec.is_asked_for for rule in found)

    def gateway_acts(self) -> None:
        """Something is done there, and perhaps the lifecycle allows it."""
        self._outside(self._among(self.unasked()), Outcome.SUCCEEDED)

    def reversible(self) -> list[CompiledCommand]:
        """The reversals that the gateway may do now."""
        rules = self.machine.reversals.values()
        states = self.transaction.states
        return [r for r in rules if r.steps_from(states) and self._is_possible(r)]

    def _is_possible(self, rule: CompiledCommand) -> bool:
        bounds = self._bounds(rule)
        return bounds is None or bounds.minimum <= bounds.maximum

    def taken_back(self) -> None:
        """The gateway takes a success back."""
        rule = self._among(self.reversible())
        self._outside(rule, Outcome.REVERSED)

    def _bounds(self, rule: CompiledCommand) -> Bounds | None:
        names = self.transaction.names(None)
        return amount_bounds(rule, names, self.transaction.currency)

    def _outside(self, rule: CompiledCommand, outcome: Outcome) -> None:
        """What nobody asked for, of an amount within its bounds if there is any."""
        bounds, amount = self._bounds(rule), None
        if bounds is not None and self._is_possible(rule):
            amount = self._draw(amounts(attrs.evolve(bounds, default=None)))
        self._hear(self._evidence(rule.spec.name, outcome, amount, Source.INQUIRY))

    def _hear(self, evidence: Evidence) -> None:
        """Evidence of what nobody asked for."""
        self.append(
            resolve_external(self.machine, self.transaction, evidence, self.now)
        )

    def strange(self) -> None:
        """Evidence of what no lifecycle has: it becomes a discrepancy."""
        if self.transaction.exists:
            source = Source.NOTIFICATION
            self._hear(self._evidence(_STRANGE, Outcome.SUCCEEDED, None, source))

    def closable(self) -> list[int]:
        """The events that a person may close, each once."""
        here = self.transaction
        return sorted({*here.discrepancies, *here.unclaimed_events})

    def closed(self) -> None:
        """A person has dealt with a discrepancy, or with what nobody claims."""
        number = self._among(self.closable())
        evidence = attrs.evolve(
            self._evidence(_STRANGE, Outcome.SUCCEEDED, None, Source.OPERATOR),
            actor="operator",
            note="found out by hand",
        )
        self.append(close_discrepancy(self.transaction, number, evidence, self.now))

    def learned(self) -> None:
        """The gateway names an id, its own or another than before, and nothing else."""
        name = self._among(_IDS)
        stated = Evidence(
            source=Source.INQUIRY,
            transaction=self.transaction.id,
            command=None,
            outcome=Outcome.SUCCEEDED,
            references={name.partition("_")[0]: name},
        )
        for event in beside(self.machine, self.transaction, stated, self.now):
            self.append(event)

    def resumable(self) -> list[str]:
        """The open opening command, if the consumer may come back for it."""
        return [
            operation.id
            for operation in self.transaction.operations.values()
            if self.machine.commands[operation.command].spec.is_opening
            and phase_after(operation.phase, RESUMED) is not None
            and not operation.is_awaited(self.now)
        ]

    def resumed(self) -> None:
        """What the consumer came back with is about to be sent on."""
        token = self._among(_IDS)
        for operation in self.resumable():
            self.append(Resumed(self.now, operation, fingerprint({"token": token})))

    # ── time ────────────────────────────────────────────────────────────────────────

    def resent(self) -> None:
        """What may have been lost on its way is about to be sent again."""
        lost = [
            operation.id
            for operation in self.transaction.operations.values()
            if phase_after(operation.phase, RESENT) is not None
        ]
        if lost:
            self.append(Resent(self.now, self._among(lost)))

    def deadlines(self) -> list[datetime]:
        """When the deadlines of the states that hold now end."""
        states, declared = self.transaction.states.items(), self.machine.deadlines
        return [
            ends
            for name, ends in self.transaction.deadlines.items()
            if (declared[name].track, declared[name].state) in states
        ]

    def lapses(self) -> None:
        """A deadline passes; what it is about lapses unless something is open."""
        self.now = max(self.now, self._among(self.deadlines()))
        for event in tuple(overdue(self.machine, self.transaction, self.now)):
            self.append(event)
