"""What evidence means for a transaction: the event to append, or none.

All evidence goes through here: replies, pushes, look-ups, operators. Success is applied
only where the lifecycle allows it and its invariants still hold afterwards; otherwise
it becomes a discrepancy. Evidence is never dropped and never forces a state.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from kessai.gateway import Evidence, Fact, Outcome, Source
from kessai.machine.compile import CompiledCommand, Machine
from kessai.machine.decide import amount_bounds
from kessai.machine.events import (
    Begun,
    Denied,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Reported,
)
from kessai.machine.evolve import evolve
from kessai.machine.transaction import Operation, Phase, Transaction
from kessai.money import is_amount

EXPIRE = "expire"
"""The command under which a look-up tells that the gateway let a deadline lapse."""


def settle(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
    now: datetime,
) -> Event | None:
    """The event by which `evidence` about `operation` enters the trail.

    None when it says nothing new: an open operation stays as open as it was.
    """
    rule = machine.commands[operation.command]
    if rule.spec.reads:
        return _settle_read(operation, evidence, now)
    outcome = evidence.outcome
    if outcome is Outcome.DECLINED:
        return Reported(now, operation.id, outcome, evidence)
    if outcome is not Outcome.SUCCEEDED:
        # Evidence never goes backwards: what is pending stays so when a look-up fails.
        weaker = outcome is Outcome.UNKNOWN and operation.phase is not Phase.BEGUN
        if weaker or operation.phase.value == outcome.value:
            return None
        return Reported(now, operation.id, outcome, evidence)
    event = Reported(now, operation.id, outcome, evidence)
    wrong = _wrong_amount(rule, transaction, operation, evidence)
    wrong = wrong or _impossible(machine, rule, transaction, operation.amount, event)
    if wrong:
        return Discrepancy(now, wrong, evidence, operation.id)
    return event


def settle_external(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Event:
    """The event for what happened at the gateway without the engine's asking."""
    name = evidence.command or ""
    if name == EXPIRE:
        return _lapse(machine, transaction, evidence, now)
    rule = machine.commands.get(name)
    if rule is None or rule.spec.is_application:
        return Discrepancy(now, "not_in_lifecycle", evidence)
    amount = evidence.amount if rule.spec.amount else None
    if rule.spec.amount and amount is None:
        return Discrepancy(now, "amount_missing", evidence)
    busy = [o for o in transaction.operations.values() if o.command in rule.excludes]
    if busy:
        return Discrepancy(now, "operation_open", evidence)
    event = External(now, name, amount, evidence)
    wrong = _impossible(machine, rule, transaction, amount, event)
    return Discrepancy(now, wrong, evidence) if wrong else event


def settle_facts(
    machine: Machine,
    transaction: Transaction,
    history: Iterable[Event],
    facts: Iterable[Fact],
    now: datetime,
) -> Iterator[Event]:
    """The events that bring `transaction` in step with what a look-up lists.

    What the gateway lists as carried out, less what the trail already accounts for, is
    news: it settles an open operation of that command and amount, else it is external.
    Counting works without the gateway's exchange ids, which not every exchange names.
    """
    ledger = _Ledger(machine, history)
    known = [fact for fact in facts if _is_known(machine, fact)]
    for outcome in (Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING):
        news = ledger.news([f for f in known if f.outcome is outcome], outcome)
        # An amount that a later fact changes (an update before the authorization) may
        # make an earlier one fit, so facts that fit nothing yet are tried again last.
        for event in _settle_news(machine, transaction, news, now):
            transaction = evolve(machine, transaction, event)
            yield event


def missing_event(operation: Operation, now: datetime) -> Event:
    """The event for an operation that the gateway surely never received."""
    evidence = Evidence(
        source=Source.LOOK_UP,
        transaction=operation.id.rpartition(".")[0],
        command=operation.command,
        outcome=Outcome.DECLINED,
        code="not_found",
        never_sent=True,
    )
    return Reported(now, operation.id, Outcome.DECLINED, evidence)


def overdue(
    machine: Machine, transaction: Transaction, now: datetime
) -> Iterator[Lapsed]:
    """The deadlines of `transaction` that have passed; none while anything is open."""
    if transaction.operations:
        return
    for name, ends in transaction.deadlines.items():
        deadline = machine.deadlines.get(name)
        if deadline is None or now < ends:
            continue
        if transaction.states.get(deadline.track) == deadline.state:
            yield Lapsed(now, name)


def broken_invariants(machine: Machine, transaction: Transaction) -> tuple[str, ...]:
    """The names of the invariants that do not hold, `amounts` for one out of range."""
    amounts = transaction.amounts
    broken = [] if _in_range(amounts.values()) else ["amounts"]
    if amounts:
        broken.extend(n for n, holds in machine.invariants if not holds(amounts))
    return tuple(broken)


def _in_range(values: Iterable[int]) -> bool:
    return all(value >= 0 and is_amount(value) for value in values)


def _settle_read(operation: Operation, evidence: Evidence, now: datetime) -> Event:
    """A read ends at once whatever came of it: nothing depends on it."""
    good = evidence.outcome is Outcome.SUCCEEDED
    outcome = Outcome.SUCCEEDED if good else Outcome.DECLINED
    return Reported(now, operation.id, outcome, evidence)


def _wrong_amount(
    rule: CompiledCommand,
    transaction: Transaction,
    operation: Operation,
    evidence: Evidence,
) -> str:
    expected = expected_amount(rule, transaction, operation)
    if evidence.amount is None or expected is None or evidence.amount == expected:
        return ""
    return "amount_differs"


def expected_amount(
    rule: CompiledCommand, transaction: Transaction, operation: Operation
) -> int | None:
    """The amount that evidence of this operation's success must show."""
    if rule.spec.reports is None:
        return None
    names = {
        **transaction.amounts,
        **transaction.flags,
        "amount": operation.amount or 0,
    }
    return rule.spec.reports.evaluate(names)


def _impossible(
    machine: Machine,
    rule: CompiledCommand,
    transaction: Transaction,
    amount: int | None,
    event: Reported | External,
) -> str:
    """Why a success cannot be applied; empty when it can."""
    if not rule.steps_from(transaction.states):
        return "state_not_allowed"
    if isinstance(event, External):
        names = {**transaction.amounts, **transaction.flags, "amount": amount or 0}
        bounds = amount_bounds(rule, names)
        if bounds and not bounds.minimum <= (amount or 0) <= bounds.maximum:
            return "amount_out_of_bounds"
    if broken_invariants(machine, evolve(machine, transaction, event)):
        return "invariant_broken"
    return ""


def _lapse(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Event:
    for deadline in machine.deadlines.values():
        if transaction.states.get(deadline.track) == deadline.state:
            if transaction.operations:
                return Discrepancy(now, "operation_open", evidence)
            return Lapsed(now, deadline.name, evidence)
    return Discrepancy(now, "state_not_allowed", evidence)


def _is_known(machine: Machine, fact: Fact) -> bool:
    rule = machine.commands.get(fact.command)
    return fact.command == EXPIRE or (rule is not None and not rule.spec.reads)


def _settle_news(
    machine: Machine, transaction: Transaction, news: list[Fact], now: datetime
) -> Iterator[Event]:
    waiting = list(news)
    progress = True
    while progress:
        progress = False
        for fact in tuple(waiting):
            operation = _match(machine, transaction, fact, waiting)
            if operation is None:
                continue
            waiting.remove(fact)
            evidence = _evidence(transaction, fact)
            event = settle(machine, transaction, operation, evidence, now)
            if event is not None:
                progress = True
                yield event
                transaction = evolve(machine, transaction, event)
    for fact in waiting:
        if fact.outcome is Outcome.SUCCEEDED and not matching(
            machine, transaction, fact.command, fact.amount
        ):
            evidence = _evidence(transaction, fact)
            event = settle_external(machine, transaction, evidence, now)
            yield event
            transaction = evolve(machine, transaction, event)


def _match(
    machine: Machine, transaction: Transaction, fact: Fact, news: list[Fact]
) -> Operation | None:
    """The open operation that `fact` settles, the oldest first.

    None also while two could be meant and one of them may still be in flight: its own
    reply will tell, and guessing now could count one success for both.
    """
    candidates = matching(machine, transaction, fact.command, fact.amount)
    if not candidates:
        return None
    alike = sum(
        (other.command, other.amount) == (fact.command, fact.amount) for other in news
    )
    in_flight = any(operation.phase is Phase.BEGUN for operation in candidates)
    if in_flight and alike < len(candidates):
        return None
    return candidates[0]


def matching(
    machine: Machine, transaction: Transaction, command: str, amount: int | None
) -> list[Operation]:
    """The open operations of `command` that evidence of `amount` may be about."""
    rule = machine.commands.get(command)
    found: list[Operation] = []
    for operation in transaction.operations.values():
        if rule is None or operation.command != command:
            continue
        expected = expected_amount(rule, transaction, operation)
        if amount is None or expected is None or amount == expected:
            found.append(operation)
    return found


def _evidence(transaction: Transaction, fact: Fact) -> Evidence:
    return Evidence(
        source=Source.LOOK_UP,
        transaction=transaction.id,
        command=fact.command,
        outcome=fact.outcome,
        amount=fact.amount,
        exchange=fact.exchange,
        reported_at=fact.at,
    )


class _Ledger:
    """How often the trail accounts for each command, amount and outcome."""

    def __init__(self, machine: Machine, history: Iterable[Event]) -> None:
        self._machine = machine
        self._seen: Counter[tuple[str, int | None, Outcome]] = Counter()
        self._operations: dict[str, Operation] = {}
        for event in history:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Begun(operation=operation):
                self._operations[operation.id] = operation
            case Reported(operation=name, outcome=outcome, evidence=evidence):
                operation = self._operations[name]
                if outcome in {Outcome.SUCCEEDED, Outcome.DECLINED} and not (
                    evidence.never_sent
                ):
                    amount = self._key_amount(operation, evidence)
                    self._seen[operation.command, amount, outcome] += 1
            case External(command=command, amount=amount):
                self._seen[command, amount, Outcome.SUCCEEDED] += 1
            case Discrepancy(evidence=evidence):
                key = (evidence.command or "", evidence.amount, evidence.outcome)
                self._seen[key] += 1
            case Lapsed():
                self._seen[EXPIRE, None, Outcome.SUCCEEDED] += 1
            case Denied():
                pass

    def _key_amount(self, operation: Operation, evidence: Evidence) -> int | None:
        rule = self._machine.commands[operation.command]
        if rule.spec.is_application:
            return None  # one a transaction: an update may have changed its amount
        return operation.amount if evidence.amount is None else evidence.amount

    def news(self, facts: list[Fact], outcome: Outcome) -> list[Fact]:
        """Those of `facts` that the trail does not account for yet."""
        left = Counter(self._seen)
        fresh: list[Fact] = []
        for fact in facts:
            key = self._accounted(left, fact, outcome)
            if key is None:
                fresh.append(fact)
            else:
                left[key] -= 1
        return fresh

    def _accounted(
        self,
        left: Counter[tuple[str, int | None, Outcome]],
        fact: Fact,
        outcome: Outcome,
    ) -> tuple[str, int | None, Outcome] | None:
        rule = self._machine.commands.get(fact.command)
        one_only = rule is None or rule.spec.is_application or rule.spec.amount is None
        if one_only or fact.amount is not None:
            key = (fact.command, None if one_only else fact.amount, outcome)
            return key if left[key] > 0 else None
        for key, count in left.items():
            if key[0] == fact.command and key[2] is outcome and count > 0:
                return key
        return None
