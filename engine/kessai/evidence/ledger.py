"""How often a trail accounts for what an inquiry lists.

A list names every exchange, but not whose it was, and not every exchange has an id that
a reply or a notification would share. So they are counted: by command, amount and
outcome. A trail with two refunds of 100 accounts for two of them in the list; a third
one is new. What was recorded as a discrepancy because it fitted nothing is not accounted
for: it is tried again with every inquiry, and only not recorded again.
"""

from collections.abc import Iterable, Iterator

import attrs

from kessai.evidence.attempts import Attempts, fitted_nothing
from kessai.evidence.outcome import EXPIRE
from kessai.gateway import Evidence, ListedExchange, Outcome
from kessai.machine.compile import Machine
from kessai.machine.events import Discrepancy, Lapsed, Reversed


@attrs.frozen
class Unconfirmed:
    """A success that the trail accounts for and the gateway's list does not show."""

    command: str
    amount: int | None


class Ledger:
    """What the attempts account for, and what was recorded as fitting nothing."""

    def __init__(self, machine: Machine, attempts: Attempts) -> None:
        self._machine = machine
        self._known = _Counts()
        self._recorded = _Counts()
        for end in attempts.ends:
            if not end.report.evidence.never_sent:
                amount = self._amount(end.operation.command, end.amount)
                self._known.add(end.operation.command, amount, end.report.outcome)
        for event in attempts.outside:
            if isinstance(event, Lapsed):
                self._known.add(EXPIRE, None, Outcome.SUCCEEDED)
                continue
            reversed_ = isinstance(event, Reversed)
            outcome = Outcome.REVERSED if reversed_ else Outcome.SUCCEEDED
            amount = self._amount(event.command, event.amount)
            self._known.add(event.command, amount, outcome)
        for discrepancy in filter(fitted_nothing, attempts.discrepancies):
            self._recorded.add(*self._key(discrepancy.evidence))

    def new(
        self, listing: list[ListedExchange], *outcomes: Outcome
    ) -> list[ListedExchange]:
        """Those of `listing` with one of `outcomes` that are not accounted for.

        The outcomes come in the order given.
        """
        left = _Counts(self._known)
        # Those without an amount come last: they would take what another one names.
        named_first = sorted(listing, key=lambda listed: listed.amount is None)
        return [
            listed
            for outcome in outcomes
            for listed in named_first
            if listed.outcome is outcome and not left.take(*self._key(listed))
        ]

    def unconfirmed(self, listing: Iterable[ListedExchange]) -> Iterator[Unconfirmed]:
        """The successes that `listing` does not show; a read needs no confirmation."""
        left = _Counts(self._known)
        for listed in sorted(listing, key=lambda listed: listed.amount is None):
            if listed.outcome is Outcome.SUCCEEDED:
                left.take(*self._key(listed))
        for command, amount in left.of(Outcome.SUCCEEDED):
            rule = self._machine.commands.get(command)
            if rule is not None and not rule.spec.reads:
                yield Unconfirmed(command, amount)

    def has_recorded(self, discrepancy: Discrepancy) -> bool:
        """Whether its evidence was recorded before; each time it was counts once."""
        if not fitted_nothing(discrepancy):
            return False
        return self._recorded.take(*self._key(discrepancy.evidence))

    def _key(
        self, stated: Evidence | ListedExchange
    ) -> tuple[str, int | None, Outcome]:
        command = stated.command or ""
        return command, self._amount(command, stated.amount), stated.outcome

    def _amount(self, command: str, amount: int | None) -> int | None:
        """None where there is one a transaction, whose amount may change meanwhile."""
        rule = self._machine.commands.get(command)
        one_only = command == EXPIRE or (
            rule is not None and (rule.spec.is_application or rule.spec.amount is None)
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
        """Take away the first that agrees; an amount that is not stated does with any."""
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
