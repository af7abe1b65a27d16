"""What an inquiry lists, and the events that bring the trail in step with it.

What the gateway lists, less what the trail accounts for (`ledger`), is new. A new
exchange ends an open operation of its command and amount; if there is none, its success
is external. Applying one may make room for another, so an exchange that does not fit
waits until something changes that it depends on:

    trail  authorize 100 (no reply), update_authorization 150 (no reply)
    list   authorize 150, update_authorization 150

`authorize 150` fits nothing: it must show 100, the amount that is being authorized. But
the update fits. Once it is applied, 150 is being authorized, and `authorize 150` fits.

An exchange that was reversed is listed once, and counts twice: as the success that it
was, and then as its reversal. Ids take precedence over all that: see
`attribution.Identities`.

An exchange is tried again only when an operation that it may be about has changed, so
800 listed refunds cost ten times what 80 do.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

import attrs

from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.attribution import (
    Identities,
    OpenOperations,
    begun_before_listed,
    may_be_another,
)
from kessai.evidence.ledger import Ledger, Unconfirmed, differs_in_amount
from kessai.evidence.outcome import expected_amount, resolve, resolve_external
from kessai.gateway import Evidence, ListedExchange, Outcome, Source
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Event, External, Reported
from kessai.machine.phase import Phase
from kessai.machine.transaction import Operation, Transaction
from kessai.machine.unclaimed import MAY_BE_ANOTHER


def resolve_listing(case: Case, listing: Iterable[ListedExchange]) -> list[Event]:
    """Add the events that bring a case in step with what an inquiry lists."""
    machine, known = case.machine, len(case.events)
    ledger = Ledger(machine, case.attempts)
    listed = _effects(machine, listing)
    new = ledger.new(
        listed,
        *(Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.REVERSED),
    )
    # An update that succeeded alongside an opening command is applied before it:
    # afterwards the lifecycle may no longer allow it.
    new.sort(
        key=lambda one: (one.outcome is not Outcome.SUCCEEDED, _opened(machine, one))
    )
    worklist = _Worklist(case, listed, new)
    for event in worklist.events():
        still_open = case.transaction.discrepancies
        if not (
            isinstance(event, Discrepancy) and ledger.has_recorded(event, still_open)
        ):
            worklist.apply(event)
    return case.events[known:]


def unconfirmed(
    machine: Machine, attempts: Attempts, listing: Iterable[ListedExchange]
) -> tuple[Unconfirmed, ...]:
    """The successes of a trail that `listing` does not show.

    A deadline that passed by the clock needs no confirmation.
    """
    return tuple(Ledger(machine, attempts).unconfirmed(_each_end(listing)))


def may_be_listed(case: Case, listing: Iterable[ListedExchange]) -> set[str]:
    """The open operations that an unaccounted exchange may be about."""
    opened = OpenOperations(case.machine, case.transaction)
    left = unaccounted(case, listing)
    ids = Identities(case.attempts, left)
    uncertain = [one for one in left if not ids.are_certain(one)]
    return ids.claimed | {
        operation.id
        for one in uncertain
        for operation in begun_before_listed(
            case.attempts,
            one,
            opened.candidates(one.command, one.amount, one.outcome),
        )
        if operation.id not in ids.claimed
    }


def unaccounted(case: Case, listing: Iterable[ListedExchange]) -> list[ListedExchange]:
    """The successes and declines in `listing` that the trail does not account for."""
    ledger = Ledger(case.machine, case.attempts)
    listed = _effects(case.machine, listing)
    return ledger.new(listed, Outcome.SUCCEEDED, Outcome.DECLINED)


def _effects(
    machine: Machine, listing: Iterable[ListedExchange]
) -> list[ListedExchange]:
    """The exchanges of `listing` without reads, on which nothing depends."""
    rules = machine.commands
    return [
        listed
        for listed in _each_end(listing)
        if listed.command not in rules or not rules[listed.command].spec.reads
    ]


def _each_end(listing: Iterable[ListedExchange]) -> Iterator[ListedExchange]:
    """`listing`, with each reversed exchange as its success and as its reversal."""
    for listed in listing:
        if listed.outcome is Outcome.REVERSED:
            yield attrs.evolve(listed, outcome=Outcome.SUCCEEDED)
        yield listed


_Stated = tuple[str, int | None, Outcome]


def _stated(listed: ListedExchange) -> _Stated:
    return listed.command, listed.amount, listed.outcome


class _Worklist:
    """A list as it is worked through: which exchanges are new, and what they wait for.

    An exchange is known by its place in `new`. A place is ready until it was tried and
    did not fit. Then it waits until an operation changes that it may be about.
    """

    def __init__(
        self,
        case: Case,
        listed: list[ListedExchange],
        new: list[ListedExchange],
    ) -> None:
        self.machine, self.attempts, self.now = case.machine, case.attempts, case.now
        self._case = case
        self._listed = listed
        self._new = new
        self._ids = Identities(self.attempts, new)
        self._open = OpenOperations(case.machine, case.transaction)
        self._ready = list(range(len(new)))
        self._waiting: dict[int, bool] = {}  # place: whether it has candidates
        self._waiting_for: dict[str, dict[int | None, list[int]]] = {}
        self._externals: list[tuple[tuple[bool, bool], int]] = []
        self._left = Counter(new)
        uncertain = [one for one in new if not self._ids.are_certain(one)]
        self._times_stated = Counter(map(_stated, uncertain))
        # An exchange listed before has fewer candidates than a new one like it.
        self._seen: dict[_Stated, list[int]] = {}
        self._seen_as: dict[tuple[str | None, str | None], list[int]] = {}
        for place, one in enumerate(new):
            if self._ids.are_certain(one):
                continue
            if self.attempts.unmatched_since(one) is not None:
                self._seen.setdefault(_stated(one), []).append(place)
                by_id = self._seen_as.setdefault((one.command, one.exchange), [])
                by_id.append(place)

    @property
    def transaction(self) -> Transaction:
        """The transaction, with all that was applied so far."""
        return self._case.transaction

    def events(self) -> Iterator[Event]:
        """What follows from each exchange that fits; each is applied before the next.

        External exchanges come last: one may have to wait for the end of an operation
        of the engine that the same list reports.
        """
        while (found := self._next()) is not None:
            place, operation = found
            self._take(place)
            listed = self._new[place]
            if operation is None:
                yield from tuple(self._external(listed))
            else:
                yield from tuple(self._resolved(operation, listed))

    def _next(self) -> tuple[int, Operation | None] | None:
        """The next exchange that fits, with the operation that it ends, if any."""
        while self._ready:
            place = heappop(self._ready)
            found = self._candidates(self._new[place])
            operation = self._match(self._new[place], found)
            if operation is not None:
                return place, operation
            self._wait(place, has_candidates=bool(found))
        external = self._next_external()
        return None if external is None else (external, None)

    def _next_external(self) -> int | None:
        early: list[tuple[tuple[bool, bool], int]] = []
        found = None
        while self._externals and found is None:
            turn, place = heappop(self._externals)
            if self._waiting.get(place) is not False:
                continue  # it has candidates by now
            if self._is_early(self._new[place]):
                early.append((turn, place))
            else:
                found = place
        for each in early:
            heappush(self._externals, each)
        return found

    def _is_early(self, listed: ListedExchange) -> bool:
        """Whether it is the reversal of a success that is not applied yet."""
        success = attrs.evolve(listed, outcome=Outcome.SUCCEEDED)
        return listed.outcome is Outcome.REVERSED and bool(self._left[success])

    def apply(self, event: Event) -> None:
        """Add an event that follows from the list; wake what depends on it."""
        before = self.transaction
        self._case.add(event)
        for command, amount in self._open.changed(before, self.transaction, event):
            waiting = self._waiting_for.get(command, {})
            for each in tuple(waiting) if amount is None else (amount, None):
                self._wake(waiting.pop(each, ()))
        if isinstance(event, Reported | External):  # the exchange has its place now
            applied = event.evidence.command, event.evidence.exchange
            self._wake(self._seen_as.get(applied, ()))

    def _wait(self, place: int, *, has_candidates: bool) -> None:
        listed = self._new[place]
        self._waiting[place] = has_candidates
        by_amount = self._waiting_for.setdefault(listed.command, {})
        by_amount.setdefault(listed.amount, []).append(place)
        ended = listed.outcome in {Outcome.SUCCEEDED, Outcome.REVERSED}
        if not has_candidates and ended:
            heappush(self._externals, (_turn(self.machine, listed), place))

    def _wake(self, places: Iterable[int]) -> None:
        for place in places:
            if self._waiting.pop(place, None) is not None:
                heappush(self._ready, place)

    def _take(self, place: int) -> None:
        listed = self._new[place]
        self._waiting.pop(place, None)
        self._left[listed] -= 1
        stated = _stated(listed)
        if self._ids.are_certain(listed):
            return
        self._times_stated[stated] -= 1
        if place in (seen := self._seen.get(stated, [])):
            seen.remove(place)

    def _candidates(self, listed: ListedExchange) -> list[Operation]:
        if self._ids.are_certain(listed):
            return self._identified(listed)
        found = self._open.candidates(listed.command, listed.amount, listed.outcome)
        found = [each for each in found if each.id not in self._ids.claimed]
        return begun_before_listed(self.attempts, listed, found)

    def _identified(self, listed: ListedExchange) -> list[Operation]:
        """The open operation that `listed` names by an id, if its amount fits."""
        attempt = self._ids.attempt(listed)
        opened = self.transaction.operations
        operation = None if attempt is None else opened.get(attempt.operation.id)
        if operation is None:
            return []
        rule = self.machine.commands[listed.command]
        expected = expected_amount(rule, self.transaction, operation)
        fits = listed.amount is None or expected is None or listed.amount == expected
        return [operation] if fits or listed.outcome is not Outcome.SUCCEEDED else []

    def _match(
        self, listed: ListedExchange, found: list[Operation]
    ) -> Operation | None:
        """The operation of the candidates `found` that `listed` ends, the oldest first.

        It is also None while two are indistinguishable and one of them may still be in
        flight: its own reply will decide, and a guess now could count one success for
        both.
        """
        if not found:
            return None
        if self._ids.are_certain(listed):
            return found[0]
        count = len(self._listed_before_like(listed)) + self._first_listed_like(listed)
        if listed.outcome is Outcome.PENDING:  # those known to be pending are not new
            known = sum(o.phase is Phase.PENDING for o in found)
            found, count = found[known:], count - known
        if not found or count < 1:
            return None
        in_flight = any(operation.phase is Phase.BEGUN for operation in found)
        return None if in_flight and count < len(found) else found[0]

    def _first_listed_like(self, listed: ListedExchange) -> int:
        """How many new exchanges state the same and were not listed before."""
        stated = _stated(listed)
        return self._times_stated[stated] - len(self._seen.get(stated, ()))

    def _listed_before_like(self, listed: ListedExchange) -> list[list[Operation]]:
        """The candidates of each one that states the same and was listed before."""
        seen = (self._new[place] for place in self._seen.get(_stated(listed), ()))
        return [found for one in seen if (found := self._candidates(one))]

    def _resolved(
        self, operation: Operation, listed: ListedExchange
    ) -> Iterator[Event]:
        """The end of `operation` by `listed`, and the doubt if it may be another's."""
        evidence = _evidence(self.transaction, listed)
        event = resolve(self.machine, self.transaction, operation, evidence, self.now)
        if event is not None:
            yield event
        success = (listed.outcome, listed.amount) == (Outcome.SUCCEEDED, None)
        in_doubt = success and not self._ids.are_certain(listed)
        if isinstance(event, Reported) and in_doubt:
            seen = self._listed_before_like(listed)
            successes = 1 + self._first_listed_like(listed)
            successes += sum(operation in found for found in seen)
            if may_be_another(self.attempts, operation, successes):
                yield Discrepancy(self.now, MAY_BE_ANOTHER, evidence, operation.id)

    def _external(self, listed: ListedExchange) -> Iterator[Event]:
        """What follows from a success that no open operation asked for as it is."""
        machine, transaction = self.machine, self.transaction
        evidence = _evidence(transaction, listed)
        operation = self._overtaken(listed)
        if listed.outcome is Outcome.REVERSED:
            yield resolve_external(machine, transaction, evidence, self.now)
        elif operation is not None:
            unnamed = attrs.evolve(evidence, amount=None)
            event = resolve(machine, transaction, operation, unnamed, self.now)
            if event is not None:
                yield event
        elif self._is_overwritten(listed):
            yield Discrepancy(self.now, "contradicts_earlier", evidence)
        else:
            yield self._misfit(listed, evidence)

    def _misfit(self, listed: ListedExchange, evidence: Evidence) -> Event:
        """What follows from a success that no operation waits for as it is.

        An id may show that it is the engine's all the same, with another amount.
        """
        machine, transaction = self.machine, self.transaction
        attempt = self._ids.attempt(listed)
        if attempt is not None:
            name = attempt.operation.id
            if operation := transaction.operations.get(name):
                event = resolve(machine, transaction, operation, evidence, self.now)
                assert event is not None  # noqa: S101 - a success is never no event
                return event
            if attempt.end and differs_in_amount(machine, attempt.end, listed):
                return Discrepancy(self.now, "contradicts_earlier", evidence, name)
        return resolve_external(machine, transaction, evidence, self.now)

    # Of successes that set an amount, the last one counts. An update to 150 is presumed
    # lost, an update to 200 succeeds. Then an inquiry lists 150 before 200: the first
    # update did arrive, but was overwritten. Applied now, it would set the amount back
    # to 150.

    def _is_overwritten(self, listed: ListedExchange) -> bool:
        """Whether a later success, which the trail holds, overwrote it."""
        rule = self.machine.commands.get(listed.command)
        if rule is None or not rule.sets_amount:
            return False
        later = self._listed[self._listed.index(listed) + 1 :]
        return any(
            other.command == listed.command
            and other.outcome is Outcome.SUCCEEDED
            and not self._left[other]
            for other in later
        )

    # The engine cannot know whether the consumer had finished when it asked for an
    # update. Authorize 100 and update to 150 both get no reply. The list shows both
    # successes, and authorize with 100, its amount at that time. The update is applied
    # first; then authorize should show 150. It is the engine's all the same, and its
    # amount is 150 by now.

    def _overtaken(self, listed: ListedExchange) -> Operation | None:
        """The opening command, still open, that succeeded before its last update did.

        The listed amount must be the one first asked for, or that of a listed update.
        """
        if not _is_opening(self.machine, listed):
            return None
        updates = {
            other.amount
            for other in self._listed
            if other.outcome is Outcome.SUCCEEDED
            and listed.command in _alongside(self.machine, other)
        }
        if not updates:
            return None
        for operation in self.transaction.operations.values():
            amounts = {*updates, operation.amount}
            is_sent = operation.phase is not Phase.PREPARED
            is_like = operation.command == listed.command and listed.amount in amounts
            if is_sent and is_like:
                return operation
        return None


def _alongside(machine: Machine, listed: ListedExchange) -> frozenset[str]:
    rule = machine.commands.get(listed.command)
    return frozenset() if rule is None else rule.spec.alongside


def _turn(machine: Machine, listed: ListedExchange) -> tuple[bool, bool]:
    """Commands alongside an opening command come before it, all others after it."""
    names = _alongside(machine, listed)
    is_beside = any(machine.commands[name].spec.is_opening for name in names)
    return not is_beside, not _is_opening(machine, listed)


def _opened(machine: Machine, listed: ListedExchange) -> bool:
    return listed.outcome is Outcome.SUCCEEDED and _is_opening(machine, listed)


def _is_opening(machine: Machine, listed: ListedExchange) -> bool:
    rule = machine.commands.get(listed.command)
    return rule is not None and rule.spec.is_opening


def _evidence(transaction: Transaction, listed: ListedExchange) -> Evidence:
    return Evidence(
        source=Source.INQUIRY,
        transaction=transaction.id,
        command=listed.command,
        outcome=listed.outcome,
        amount=listed.amount,
        exchange=listed.exchange,
        echoed=listed.operation,
        reported_at=listed.at,
    )
