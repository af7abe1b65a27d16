"""What must hold of an order system: after each move, and once everything has resolved."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kessai.machine import Command, Transaction, broken_invariants
from kessai.simulator import World
from kessai.simulator.gateway import ahead
from kessai.testing.order_kit.books import Books, differences
from kessai.testing.order_kit.hooks import Hooks


class Checks:
    """Looks at an order system, the engine and the gateway of one story.

    `wanted` are the commands asked for so far, by key.
    """

    def __init__(
        self,
        world: World,
        wanted: Mapping[str, Sequence[Command]],
        hooks: Hooks,
        system: Any,
    ) -> None:
        self._world = world
        self._wanted = wanted
        self._hooks = hooks
        self._system = system
        self._counted = 0

    def after_each_move(self) -> None:
        """No invariant is broken, nothing is counted too early or begun too often.

        Raises:
            AssertionError: the order system, or the engine, has done wrong.

        """
        books = self._hooks.books(self._system)
        for transaction in self._world.transactions():
            self._invariants_hold(transaction)
            if books is not None:
                booked = self._world.gateway.booked(transaction.id)
                found = ", ".join(ahead(books.get(transaction.id, {}), booked))
                _must(not found, f"{transaction.id}: in the order system {found}")
        operations = len(self._world.monitor.operations)
        if operations != self._counted:
            self._counted = operations
            self._wishes_hold()

    def at_the_end(self) -> None:
        """The books are the same, and what a person must see is shown.

        Raises:
            AssertionError: they differ.

        """
        books = self._hooks.books(self._system)
        if books is not None:
            for found in self._differences(books):
                raise AssertionError(found)
        flagged = self._hooks.flagged(self._system)
        if flagged is not None:
            for transaction in self._world.transactions():
                _must(
                    not transaction.discrepancies or transaction.id in flagged,
                    f"{transaction.id}: the engine shows a discrepancy, and the order"
                    " system shows it to nobody",
                )

    def _invariants_hold(self, transaction: Transaction) -> None:
        machines = self._world.context.machines
        machine = machines.by_hash(transaction.lifecycle_hash)
        broken = broken_invariants(machine, transaction) if machine else ()
        _must(not broken, f"{transaction.id}: {', '.join(broken)} does not hold")

    def _differences(self, books: Books) -> Iterator[str]:
        known = {found.id: found for found in self._world.transactions()}
        for order, transaction in known.items():
            found = ", ".join(differences(books, transaction))
            if found:
                yield f"{order}: in the order system {found}"
        for order, entry in books.items():
            has_money = any(isinstance(v, int) and v for v in entry.values())
            if has_money and order not in known:
                yield f"{order}: in the order system {dict(entry)}, not in the engine"

    # ── wishes ──────────────────────────────────────────────────────────────────────

    def _wishes_hold(self) -> None:
        """What was wanted once is begun once, however often it is asked for.

        Another operation is right only when the one before it moved nothing.
        """
        for (order, command, amount), times in self._begun().items():
            wanted = self._times_wanted(order, command, amount)
            shown = command if amount is None else f"{command} {amount}"
            _must(
                times <= wanted,
                f"{order}: {shown} was wanted {wanted} times, and begun {times} times",
            )

    def _begun(self) -> Counter[tuple[str, str, int | None]]:
        """How often each thing was begun that took effect, or may do so yet."""
        world = self._world
        begun: Counter[tuple[str, str, int | None]] = Counter()
        for intent in world.monitor.operations.values():
            recorded = world.store.load(intent.key, intent.order, None).recorded
            is_over = recorded is not None and recorded.outcome == "declined"
            if not is_over and intent.command not in world.reads:
                begun[intent.order, intent.command, intent.amount] += 1
        return begun

    def _times_wanted(self, order: str, command: str, amount: int | None) -> int:
        """A wish counts once; of another request under its key only one comes true."""
        return sum(
            any(
                (asked.transaction, asked.name) == (order, command)
                and asked.amount in {None, amount}
                for asked in wish
            )
            for wish in self._wanted.values()
        )


def _must(holds: object, message: str) -> None:
    # No assert: pytest would rewrite it, and add to a message that a story repeats.
    if not holds:
        raise AssertionError(message)
