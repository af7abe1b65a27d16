"""The position of one history: a transaction, or what shortcuts need of it."""

from datetime import datetime

from kessai.audit.log_check.shortcuts import (
    LoggedPath,
    PathKey,
    QuietSituation,
    Situations,
    Values,
    values_of,
)
from kessai.machine import Machine, Transaction, broken_invariants


class Position:
    """The position of a transaction; its machine is None while it was not begun."""

    def __init__(self, name: str, situations: Situations) -> None:
        self.machine: Machine | None = None
        self.situation: QuietSituation | None = situations.blank
        self._name = name
        self._situations = situations
        self._values: Values = ()
        self._transaction: Transaction | None = None

    @property
    def transaction(self) -> Transaction:
        """The transaction itself."""
        if self._transaction is None:
            situation = self.situation or self._situations.blank
            self._transaction = situation.transaction(self._name, self._values)
        return self._transaction

    @property
    def open_operations(self) -> int:
        """How many operations are open."""
        return 0 if self.situation is not None else len(self.transaction.operations)

    def move_to(self, machine: Machine | None, transaction: Transaction) -> None:
        """Move to `transaction`, of `machine`."""
        self.machine = machine
        self._transaction = transaction
        self._values, self.situation = values_of(transaction), None
        is_broken = machine is not None and broken_invariants(machine, transaction)
        if not transaction.operations and not is_broken:
            self.situation = self._situations.of(machine, transaction)

    def repeat(
        self, key: PathKey, at: datetime, latest: datetime, amount: int | None
    ) -> LoggedPath | None:
        """The path that a row with `key` takes, now taken; None, and nothing done, if none.

        `at` is the first moment at which it may have happened, and `latest` the last.
        """
        if self.situation is None:
            return None
        for path in self.situation.paths.get(key, ()):
            try:
                values = path.repeat(*self._values, at, latest, amount)
            except OverflowError:
                continue
            if values is None:
                continue
            if path.fits_id is not None and path.fits_id(self._name) is None:
                continue
            self.situation, self._values = path.after, values
            self.machine, self._transaction = path.after.machine, None
            return path
        return None
