"""How many of the exchanges that an inquiry lists the trail accounts for.

A list has every exchange, but not the operation of each, and not every exchange has an
id that a reply or a notification states too. So exchanges are counted: by command,
amount and outcome. A trail with two refunds of 100 accounts for two of them in the
list; a third one is new. If an id shows what an exchange is about, only that accounts
for it: a listed refund that echoes the id of an open operation is new, whatever else
the trail holds. An exchange that was recorded as a discrepancy because it fitted
nothing is not accounted for: it is tried again with every inquiry, but not recorded
again, unless another one like it has explained that.
"""

from collections.abc import Container, Iterable, Iterator

import attrs

from kessai.evidence.attempts import Attempts, End, fitted_nothing
from kessai.evidence.attribution import Identities
from kessai.evidence.outcome import EXPIRE
from kessai.gateway import Evidence, ListedExchange, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy


@attrs.frozen
class Unconfirmed:
    """A success that the trail holds and the gateway does not list."""

    command: str
    amount: int | None


class Ledger:
    """What the attempts account for, and which evidence fitted nothing."""

    def __init__(self, machine: Machine, attempts: Attempts) -> None:
        self._machine = machine
        self._attempts = attempts
        ours, outside = self._counts = _Counts(), _Counts()
        self._recorded: dict[tuple[str | None, Outcome], list[int]] = {}
        for end in attempts.ends:
            if not end.report.evidence.never_sent:
                ours.add(*_key_of(machine, end))
        for command, amount, outcome in attempts.outside:
            outside.add(command, _amount(machine, command, amount), outcome)
        for number, known in attempts.discrepancies.items():
            if fitted_nothing(known):
                stated = known.evidence.command, known.evidence.outcome
                self._recorded.setdefault(stated, []).append(number)

    def new(
        self, listing: list[ListedExchange], *outcomes: Outcome
    ) -> list[ListedExchange]:
        """The exchanges of `listing` with one of `outcomes` that are not accounted for.

        They come in the order of `outcomes`.
        """
        left = _Left(self._machine, self._attempts, self._counts, listing)
        return [
            listed
            for outcome in outcomes
            for listed in left.in_turn
            if listed.outcome is outcome and not left.take(listed)
        ]

    def unconfirmed(self, listing: Iterable[ListedExchange]) -> Iterator[Unconfirmed]:
        """The successes that `listing` does not show; a read needs none to show it."""
        left = _Left(self._machine, self._attempts, self._counts, list(listing))
        for listed in left.in_turn:
            if listed.outcome is Outcome.SUCCEEDED:
                left.take(listed)
        for command, amount in left.of(Outcome.SUCCEEDED):
            rule = self._machine.commands.get(command)
            if rule is not None and not rule.spec.reads:
                yield Unconfirmed(command, amount)

    def has_recorded(
        self, discrepancy: Discrepancy, still_open: Container[int]
    ) -> bool:
        """Whether its evidence is recorded already; each recording counts once.

        What is neither `still_open` nor closed by an operator was explained: by
        another exchange, as this one does not fit.
        """
        if not fitted_nothing(discrepancy):
            return False
        stated = discrepancy.evidence.command, discrepancy.evidence.outcome
        recorded = self._recorded.get(stated, [])
        for number in recorded:
            counts = number in still_open or number in self._attempts.closed
            known = self._attempts.discrepancies[number].evidence
            if counts and self._may_be_same(known, discrepancy.evidence):
                recorded.remove(number)
                return True
        return False

    def _may_be_same(self, known: Evidence, stated: Evidence) -> bool:
        """Whether neither amounts nor the ids of one source tell the two apart."""
        amounts = {_key(self._machine, each)[1] for each in (known, stated)} - {None}
        ids = {known.exchange, stated.exchange} - {None}
        is_one_exchange = known.source is not stated.source or len(ids) <= 1
        return len(amounts) <= 1 and is_one_exchange


class _Left:
    """What of a trail has not been matched with the exchanges of one list, so far.

    The exchanges are matched in turn: first those with ids, last those without an
    amount, which would take the match of one that states it.
    """

    def __init__(
        self,
        machine: Machine,
        attempts: Attempts,
        counts: "tuple[_Counts, _Counts]",
        listing: list[ListedExchange],
    ) -> None:
        self._machine = machine
        self._ours, self._outside = map(_Counts, counts)
        self._ids = Identities(attempts, listing)
        self.in_turn = sorted(
            listing,
            key=lambda one: (not self._ids.are_certain(one), one.amount is None),
        )

    def take(self, listed: ListedExchange) -> bool:
        """Whether the trail accounts for `listed`; if so, the two are matched."""
        key = _key(self._machine, listed)
        attempt = self._ids.attempt(listed)
        if attempt is None:
            is_ours = not self._ids.are_certain(listed) and self._ours.take(*key)
            return is_ours or self._outside.take(*key)
        end = attempt.end
        if end is None:
            return False
        is_its_end = (
            end.report.outcome is listed.outcome and not end.report.evidence.never_sent
        )
        if is_its_end and self._ours.take(*_key_of(self._machine, end)):
            return not differs_in_amount(self._machine, end, listed)
        return self._outside.take(*key)

    def of(self, outcome: Outcome) -> Iterator[tuple[str, int | None]]:
        """The command and amount of each that is left with `outcome`."""
        for counts in (self._ours, self._outside):
            yield from counts.of(outcome)


def differs_in_amount(machine: Machine, end: End, listed: ListedExchange) -> bool:
    """Whether `listed` states the outcome of `end` with another amount."""
    _, known, outcome = _key_of(machine, end)
    stated = listed.amount
    is_same = outcome is listed.outcome
    return is_same and None not in {known, stated} and known != stated


_Key = tuple[str, int | None, Outcome]


def _key(machine: Machine, stated: Evidence | ListedExchange) -> _Key:
    command = stated.command or ""
    return command, _amount(machine, command, stated.amount), stated.outcome


def _key_of(machine: Machine, end: End) -> _Key:
    command = end.operation.command
    return command, _amount(machine, command, end.amount), end.report.outcome


def _amount(machine: Machine, command: str, amount: int | None) -> int | None:
    """`amount`; None for a command that is done once, as updates may change it."""
    rule = machine.commands.get(command)
    one_only = command == EXPIRE or (
        rule is not None and (rule.spec.is_opening or rule.spec.amount is None)
    )
    return None if one_only else amount


class _Counts:
    """How often there is each command, amount and outcome, in the order of arrival."""

    def __init__(self, of: "_Counts | None" = None) -> None:
        known = {} if of is None else of.left
        self.left: dict[tuple[str, Outcome], dict[int | None, int]] = {
            key: dict(counts) for key, counts in known.items()
        }

    def add(self, command: str, amount: int | None, outcome: Outcome) -> None:
        """Count one more."""
        counts = self.left.setdefault((command, outcome), {})
        counts[amount] = counts.get(amount, 0) + 1

    def take(self, command: str, amount: int | None, outcome: Outcome) -> bool:
        """Take away the first that agrees; an unstated amount agrees with any."""
        counts = self.left.get((command, outcome))
        if not counts:
            return False
        found = amount
        if amount is None:
            found = next(iter(counts))
        elif None in counts:
            found = next(known for known in counts if known in {None, amount})
        if found not in counts:
            return False
        counts[found] -= 1
        if not counts[found]:
            del counts[found]
        return True

    def of(self, outcome: Outcome) -> Iterator[tuple[str, int | None]]:
        """The command and amount of each that is left with `outcome`."""
        for (command, found), counts in self.left.items():
            for amount, count in counts.items():
                if found is outcome:
                    yield from [(command, amount)] * count
