"""What a look-up lists, held against what the trail accounts for.

A gateway's list names every exchange, but not whose it was, and not every exchange has
an id that a reply or a push would share. So they are counted: by command, amount and
outcome. What is listed more often than the trail knows is news.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from kessai.gateway import Evidence, Fact, Outcome, Source
from kessai.machine.compile import Machine
from kessai.machine.events import (
    Discrepancy,
    Event,
    External,
    Lapsed,
    Reported,
    Reversed,
    endings,
)
from kessai.machine.evolve import evolve
from kessai.machine.phases import Phase
from kessai.machine.settle import EXPIRE, settle, settle_external
from kessai.machine.transaction import Operation, Transaction
from kessai.machine.whose import (
    MAY_BE_ANOTHER,
    fitted_nothing,
    may_be_another,
    meant,
)


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
    trail = list(history)
    ledger = _Ledger(machine, trail)
    listed = _effects(machine, facts)
    news = ledger.news(
        listed,
        *(Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.REVERSED),
    )
    # An update that succeeded alongside an application is settled before it: afterwards
    # the lifecycle may not allow it any more.
    news.sort(key=lambda f: (f.outcome is not Outcome.SUCCEEDED, _applied(machine, f)))
    answer = _Answer(machine, trail, listed, news, now)
    while events := _next_events(answer, transaction):
        for event in events:
            if isinstance(event, Discrepancy) and ledger.has_kept(event):
                continue
            yield event
            trail.append(event)
            transaction = evolve(machine, transaction, event)


@attrs.frozen
class Unlisted:
    """A success that the trail accounts for and the gateway's look-up does not list."""

    command: str
    amount: int | None


def unlisted(
    machine: Machine, history: Iterable[Event], facts: Iterable[Fact]
) -> tuple[Unlisted, ...]:
    """The successes of `history` that `facts` do not account for.

    A deadline that passed by the clock needs no word of the gateway.
    """
    told = [f for f in _each_end(facts) if f.outcome is Outcome.SUCCEEDED]
    return tuple(
        Unlisted(command, amount)
        for command, amount in _Ledger(machine, history).beyond(told)
    )


def unaccounted(
    machine: Machine, history: Iterable[Event], facts: Iterable[Fact]
) -> list[Fact]:
    """The ends that `facts` list and `history` does not account for."""
    listed = _effects(machine, facts)
    return _Ledger(machine, history).news(listed, Outcome.SUCCEEDED, Outcome.DECLINED)


def _effects(machine: Machine, facts: Iterable[Fact]) -> list[Fact]:
    """Those of `facts` that are no read: nothing depends on one."""
    commands = machine.commands
    return [
        fact
        for fact in _each_end(facts)
        if fact.command not in commands or not commands[fact.command].spec.reads
    ]


def _each_end(facts: Iterable[Fact]) -> Iterator[Fact]:
    """`facts`, each that was reversed as the success before, and as the reversal."""
    for fact in facts:
        if fact.outcome is Outcome.REVERSED:
            yield attrs.evolve(fact, outcome=Outcome.SUCCEEDED)
        yield fact


@attrs.frozen
class _Answer:
    """What a look-up listed, and what of that is news still; read at `now`.

    What is made of it joins `trail` at once.
    """

    machine: Machine
    trail: list[Event]
    listed: list[Fact]
    news: list[Fact]
    now: datetime

    def meant(self, transaction: Transaction, fact: Fact) -> list[Operation]:
        return meant(self.machine, transaction, self.trail, fact)

    def is_unasked(self, transaction: Transaction, fact: Fact) -> bool:
        """Whether `fact` is a success that nothing open asked for, or its reversal."""
        if fact.outcome is Outcome.REVERSED:  # not before the success itself is settled
            return attrs.evolve(fact, outcome=Outcome.SUCCEEDED) not in self.news
        return fact.outcome is Outcome.SUCCEEDED and not self.meant(transaction, fact)


def _next_events(answer: _Answer, transaction: Transaction) -> tuple[Event, ...]:
    """What follows next from the news; what it comes from is taken out.

    An amount that one fact changes (an update before the authorization) may make
    another fit, so all are tried anew after each event. What came from outside is last:
    it may have to wait for the end of ours that the same list tells.
    """
    for fact in tuple(answer.news):
        operation = _match(answer, transaction, fact)
        if operation is not None:
            return tuple(_settled(answer, transaction, operation, fact))
    machine = answer.machine
    for fact in sorted(answer.news, key=lambda fact: _turn(machine, fact)):
        if answer.is_unasked(transaction, fact):
            answer.news.remove(fact)
            return tuple(_unasked(answer, transaction, fact))
    return ()


def _settled(
    answer: _Answer, transaction: Transaction, operation: Operation, fact: Fact
) -> Iterator[Event]:
    """How `fact` ends `operation`, and the doubt that it may be of another one."""
    answer.news.remove(fact)
    # Always news: what is known to be pending, `_match` has left out.
    evidence, now = _evidence(transaction, fact), answer.now
    event = settle(answer.machine, transaction, operation, evidence, now)
    if event is not None:
        yield event
    told = (fact.outcome, fact.amount)
    if isinstance(event, Reported) and told == (Outcome.SUCCEEDED, None):
        others = (answer.meant(transaction, f) for f in _alike(answer.news, fact))
        successes = 1 + sum(operation in found for found in others)
        if may_be_another(answer.trail, operation, successes):
            yield Discrepancy(now, MAY_BE_ANOTHER, evidence, operation.id)


def _unasked(answer: _Answer, transaction: Transaction, fact: Fact) -> Iterator[Event]:
    """What comes of a success that no open operation of ours asked for as it is."""
    machine, now = answer.machine, answer.now
    evidence = _evidence(transaction, fact)
    operation = _overtaken(answer, transaction, fact)
    if fact.outcome is Outcome.REVERSED:
        yield settle_external(machine, transaction, evidence, now)
    elif operation is not None:
        untold = attrs.evolve(evidence, amount=None)
        event = settle(machine, transaction, operation, untold, now)
        if event is not None:
            yield event
    elif _is_overwritten(answer, fact):
        yield Discrepancy(now, "contradicts_earlier", evidence)
    else:
        yield settle_external(machine, transaction, evidence, now)


def _is_overwritten(answer: _Answer, fact: Fact) -> bool:
    """Whether a later success, which the trail has, set what `fact` did anew.

    Of those that set an amount the last one holds: an update that was given up, and
    arrived before the next one, must not be applied after that.
    """
    rule = answer.machine.commands.get(fact.command)
    if rule is None or not rule.sets_amount:
        return False
    later = answer.listed[answer.listed.index(fact) + 1 :]
    return any(
        other.command == fact.command
        and other.outcome is Outcome.SUCCEEDED
        and other not in answer.news
        for other in later
    )


def _overtaken(
    answer: _Answer, transaction: Transaction, fact: Fact
) -> Operation | None:
    """The open application that succeeded before its last update did.

    The engine cannot tell whether the consumer had finished when it asked for an update,
    so the list may tell an amount that an update has changed since. It must be the one
    applied for, or that of a listed update.
    """
    machine = answer.machine
    if not _is_application(machine, fact):
        return None
    updates = {
        other.amount
        for other in answer.listed
        if other.outcome is Outcome.SUCCEEDED
        and fact.command in _alongside(machine, other)
    }
    if not updates:
        return None
    for operation in transaction.operations.values():
        told = {*updates, operation.amount}
        if operation.command == fact.command and fact.amount in told:
            return operation
    return None


def _alongside(machine: Machine, fact: Fact) -> frozenset[str]:
    rule = machine.commands.get(fact.command)
    return frozenset() if rule is None else rule.spec.alongside


def _turn(machine: Machine, fact: Fact) -> tuple[bool, bool]:
    """What runs alongside an application comes before it, all else after it."""
    names = _alongside(machine, fact)
    is_beside = any(machine.commands[name].spec.is_application for name in names)
    return not is_beside, not _is_application(machine, fact)


def _applied(machine: Machine, fact: Fact) -> bool:
    return fact.outcome is Outcome.SUCCEEDED and _is_application(machine, fact)


def _is_application(machine: Machine, fact: Fact) -> bool:
    rule = machine.commands.get(fact.command)
    return rule is not None and rule.spec.is_application


def _match(answer: _Answer, transaction: Transaction, fact: Fact) -> Operation | None:
    """The open operation that `fact` settles, the oldest first.

    None also while two could be meant and one of them may still be in flight: its own
    reply will tell, and guessing now could count one success for both.
    """
    candidates = answer.meant(transaction, fact)
    if not candidates:
        return None
    alike = sum(
        bool(answer.meant(transaction, other)) for other in _alike(answer.news, fact)
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


def _alike(news: list[Fact], fact: Fact) -> list[Fact]:
    """Those of `news` that tell just what `fact` does."""
    told = (fact.command, fact.amount, fact.outcome)
    return [
        other for other in news if (other.command, other.amount, other.outcome) == told
    ]


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
        trail = tuple(history)
        for operation, report in endings(trail):
            if not report.evidence.never_sent:
                told = report.evidence.amount
                amount = operation.amount if told is None else told
                key = self._key(operation.command, amount, report.outcome)
                self._seen[key] += 1
        for event in trail:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case External(command=command, amount=amount):
                self._seen[self._key(command, amount, Outcome.SUCCEEDED)] += 1
            case Reversed(command=command, amount=amount):
                self._seen[self._key(command, amount, Outcome.REVERSED)] += 1
            case Lapsed():
                self._seen[self._key(EXPIRE, None, Outcome.SUCCEEDED)] += 1
            case Discrepancy(evidence=evidence) if fitted_nothing(event):
                self._kept[self._key_of(evidence)] += 1
            case _:  # the rest says nothing of what the gateway did
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

    def news(self, facts: list[Fact], *outcomes: Outcome) -> list[Fact]:
        """Those of `facts` with one of `outcomes` that the trail does not account for.

        The outcomes come in the order given.
        """
        left = Counter(self._seen)
        # Those without an amount come last: they would take what another one names.
        named_first = sorted(facts, key=lambda fact: fact.amount is None)
        return [
            fact
            for outcome in outcomes
            for fact in named_first
            if fact.outcome is outcome
            and not _take(left, self._key(fact.command, fact.amount, outcome))
        ]

    def beyond(self, facts: list[Fact]) -> Iterator[tuple[str, int | None]]:
        """The command and amount of each success that `facts` do not account for."""
        left = Counter(self._seen)
        for fact in sorted(facts, key=lambda fact: fact.amount is None):
            _take(left, self._key(fact.command, fact.amount, Outcome.SUCCEEDED))
        for (command, amount, outcome), count in left.items():
            rule = self._machine.commands.get(command)
            if outcome is Outcome.SUCCEEDED and rule and not rule.spec.reads:
                yield from [(command, amount)] * count

    def has_kept(self, discrepancy: Discrepancy) -> bool:
        """Whether its evidence was kept before; each time it was counts once."""
        key = self._key_of(discrepancy.evidence)
        return fitted_nothing(discrepancy) and _take(self._kept, key)


def _take(left: Counter[_Key], wanted: _Key) -> bool:
    """Take `wanted` out of `left`; an amount that is not told agrees with any."""
    command, amount, outcome = wanted
    for key, count in left.items():
        agrees = amount is None or key[1] is None or amount == key[1]
        if count > 0 and key[0] == command and key[2] is outcome and agrees:
            left[key] -= 1
            return True
    return False
