"""What evidence means for a transaction: the event to append, or none.

All evidence goes through here: replies, pushes, look-ups, operators. Success is applied
only where the lifecycle allows it and its invariants still hold afterwards; otherwise
it becomes a discrepancy. Evidence is never dropped and never forces a state.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

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
from kessai.machine.evolve import committed, evolve
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
    if rule is not None and rule.spec.is_application:
        # One application a transaction: this is ours, but not what we asked for.
        ours = [o.id for o in transaction.operations.values() if o.command == name]
        reason = "amount_differs" if ours else "not_in_lifecycle"
        return Discrepancy(now, reason, evidence, *ours)
    if rule is None:
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

    What the gateway lists, less what the trail already accounts for, is news: it
    settles an open operation of that command and amount, else a success is external.
    Counting works without the gateway's exchange ids, which not every exchange names.
    """
    ledger = _Ledger(machine, history)
    listed = [fact for fact in facts if not _is_read(machine, fact)]
    news = [
        fact
        for outcome in (Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING)
        for fact in ledger.news([f for f in listed if f.outcome is outcome], outcome)
    ]
    # An update that succeeded alongside an application is settled before it: afterwards
    # the lifecycle may not allow it any more.
    news.sort(key=lambda f: (f.outcome is not Outcome.SUCCEEDED, _applied(machine, f)))
    while news:
        event = _next_event(machine, transaction, news, listed, now)
        if event is None:
            return
        if isinstance(event, Discrepancy) and ledger.has_kept(event.evidence):
            continue
        yield event
        transaction = evolve(machine, transaction, event)


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
    if _moving(machine, transaction):
        return
    for name, ends in transaction.deadlines.items():
        deadline = machine.deadlines.get(name)
        if deadline is None or now < ends:
            continue
        if transaction.states.get(deadline.track) == deadline.state:
            yield Lapsed(now, name)


def _moving(machine: Machine, transaction: Transaction) -> bool:
    """Whether anything is open that may change a state: a read never blocks."""
    commands = machine.commands
    return any(
        not commands[operation.command].spec.reads
        for operation in transaction.operations.values()
    )


def broken_invariants(machine: Machine, transaction: Transaction) -> tuple[str, ...]:
    """The names of the invariants that do not hold, `amounts` for one out of range."""
    return _broken(machine, transaction.amounts)


def _broken(machine: Machine, amounts: Mapping[str, int]) -> tuple[str, ...]:
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
    names = transaction.names(operation.amount)
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
        names = transaction.names(amount)
        bounds = amount_bounds(rule, names)
        if bounds and not bounds.minimum <= (amount or 0) <= bounds.maximum:
            return "amount_out_of_bounds"
        after = evolve(machine, transaction, event).amounts
    else:  # as evolve would, without making the rest of the transaction
        after, _ = committed(rule, transaction, amount)
    return "invariant_broken" if _broken(machine, after) else ""


def _lapse(
    machine: Machine, transaction: Transaction, evidence: Evidence, now: datetime
) -> Event:
    for deadline in machine.deadlines.values():
        if transaction.states.get(deadline.track) == deadline.state:
            if _moving(machine, transaction):
                return Discrepancy(now, "operation_open", evidence)
            return Lapsed(now, deadline.name, evidence)
    return Discrepancy(now, "state_not_allowed", evidence)


def _is_read(machine: Machine, fact: Fact) -> bool:
    rule = machine.commands.get(fact.command)
    return rule is not None and rule.spec.reads


def _next_event(
    machine: Machine,
    transaction: Transaction,
    news: list[Fact],
    listed: list[Fact],
    now: datetime,
) -> Event | None:
    """The next event that follows from `news`; what it comes from is taken out.

    An amount that one fact changes (an update before the authorization) may make
    another fit, so all are tried anew after each event. What came from outside is last:
    it may have to wait for the end of ours that the same list tells.
    """
    for fact in tuple(news):
        operation = _match(machine, transaction, fact, news)
        if operation is None:
            continue
        news.remove(fact)
        evidence = _evidence(transaction, fact)
        event = settle(machine, transaction, operation, evidence, now)
        if event is not None:
            return event
    for fact in sorted(news, key=lambda fact: _is_application(machine, fact)):
        if fact.outcome is Outcome.SUCCEEDED and not matching(
            machine, transaction, fact.command, fact.amount
        ):
            news.remove(fact)
            evidence = _evidence(transaction, fact)
            operation = _overtaken(machine, transaction, fact, listed)
            if operation is not None:
                untold = attrs.evolve(evidence, amount=None)
                return settle(machine, transaction, operation, untold, now)
            return settle_external(machine, transaction, evidence, now)
    return None


def _overtaken(
    machine: Machine, transaction: Transaction, fact: Fact, listed: list[Fact]
) -> Operation | None:
    """The open application that succeeded before its last update did.

    The engine cannot tell whether the consumer had finished when it asked for an update,
    so the list may tell an amount that an update has changed since. It must be the one
    applied for, or that of a listed update.
    """
    for operation in transaction.operations.values():
        rule = machine.commands[operation.command].spec
        if not rule.is_application or operation.command != fact.command:
            continue
        amounts = {
            other.amount
            for other in listed
            if other.outcome is Outcome.SUCCEEDED
            and operation.command in _alongside(machine, other)
        }
        if amounts and fact.amount in {*amounts, operation.amount}:
            return operation
    return None


def _alongside(machine: Machine, fact: Fact) -> frozenset[str]:
    rule = machine.commands.get(fact.command)
    return frozenset() if rule is None else rule.spec.alongside


def _applied(machine: Machine, fact: Fact) -> bool:
    return fact.outcome is Outcome.SUCCEEDED and _is_application(machine, fact)


def _is_application(machine: Machine, fact: Fact) -> bool:
    rule = machine.commands.get(fact.command)
    return rule is not None and rule.spec.is_application


def _match(
    machine: Machine, transaction: Transaction, fact: Fact, news: list[Fact]
) -> Operation | None:
    """The open operation that `fact` settles, the oldest first.

    None also while two could be meant and one of them may still be in flight: its own
    reply will tell, and guessing now could count one success for both.
    """
    candidates = matching(machine, transaction, fact.command, fact.amount, fact.outcome)
    alike = sum(
        (other.command, other.amount, other.outcome)
        == (fact.command, fact.amount, fact.outcome)
        for other in news
    )
    if fact.outcome is Outcome.PENDING:  # those that are known to be are no news
        known = [o for o in candidates if o.phase is Phase.PENDING]
        candidates, alike = candidates[len(known) :], alike - len(known)
    if not candidates or alike < 1:
        return None
    in_flight = any(operation.phase is Phase.BEGUN for operation in candidates)
    if in_flight and alike < len(candidates):
        return None
    return candidates[0]


def matching(
    machine: Machine,
    transaction: Transaction,
    command: str,
    amount: int | None,
    outcome: Outcome = Outcome.SUCCEEDED,
) -> list[Operation]:
    """The open operations of `command` that evidence of `amount` may be about.

    A decline moved nothing: it may tell of an application the amount first asked for,
    whatever an update has made of it since. Those that are pending come first: they
    have surely arrived, where the unknown may never have.
    """
    rule = machine.commands.get(command)
    if rule is None:
        return []
    if outcome is Outcome.DECLINED and rule.spec.is_application:
        amount = None
    found: list[Operation] = []
    for operation in transaction.operations.values():
        if operation.command != command:
            continue
        expected = expected_amount(rule, transaction, operation)
        if amount is None or expected is None or amount == expected:
            found.append(operation)
    return sorted(found, key=lambda operation: operation.phase is not Phase.PENDING)


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


_Key = tuple[str, int | None, Outcome]


class _Ledger:
    """How often the trail accounts for each command, amount and outcome.

    What fitted nothing and was kept as a discrepancy is not accounted for: it is tried
    again with every look-up, and only not kept again.
    """

    def __init__(self, machine: Machine, history: Iterable[Event]) -> None:
        self._machine = machine
        self._seen: Counter[_Key] = Counter()
        self._kept: Counter[_Key] = Counter()
        self._operations: dict[str, Operation] = {}
        for event in history:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Begun(operation=operation):
                self._operations[operation.id] = operation
            case Reported(operation=name, outcome=outcome, evidence=evidence):
                operation = self._operations[name]
                ended = outcome in {Outcome.SUCCEEDED, Outcome.DECLINED}
                if ended and not evidence.never_sent:
                    told = evidence.amount
                    amount = operation.amount if told is None else told
                    self._seen[self._key(operation.command, amount, outcome)] += 1
            case External(command=command, amount=amount):
                self._seen[self._key(command, amount, Outcome.SUCCEEDED)] += 1
            case Lapsed():
                self._seen[self._key(EXPIRE, None, Outcome.SUCCEEDED)] += 1
            case Discrepancy(evidence=evidence):
                self._kept[self._key_of(evidence)] += 1
            case Denied():  # pragma: no branch - mypy sees: none is left
                pass

    def _key_of(self, evidence: Evidence) -> _Key:
        return self._key(evidence.command or "", evidence.amount, evidence.outcome)

    def _key(self, command: str, amount: int | None, outcome: Outcome) -> _Key:
        """One a transaction needs no amount to be told apart, and may change it."""
        rule = self._machine.commands.get(command)
        one_only = command == EXPIRE or (
            rule is not None and (rule.spec.is_application or rule.spec.amount is None)
        )
        return command, None if one_only else amount, outcome

    def news(self, facts: list[Fact], outcome: Outcome) -> list[Fact]:
        """Those of `facts` that the trail does not account for yet."""
        left = Counter(self._seen)
        # Those without an amount come last: they would take what another one names.
        named_first = sorted(facts, key=lambda fact: fact.amount is None)
        return [
            fact
            for fact in named_first
            if not _take(left, self._key(fact.command, fact.amount, outcome))
        ]

    def has_kept(self, evidence: Evidence) -> bool:
        """Whether `evidence` was kept before; each time it was counts once."""
        return _take(self._kept, self._key_of(evidence))


def _take(left: Counter[_Key], wanted: _Key) -> bool:
    """Take `wanted` out of `left`; an amount that is not told agrees with any."""
    command, amount, outcome = wanted
    for key, count in left.items():
        agrees = amount is None or key[1] is None or amount == key[1]
        if count > 0 and key[0] == command and key[2] is outcome and agrees:
            left[key] -= 1
            return True
    return False
