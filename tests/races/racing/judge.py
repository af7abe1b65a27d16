"""The gateway's books beside the engine's: what stands in one must stand in the other."""

from datetime import timedelta

from kessai.audit import verify
from kessai.machine import Begun, broken_invariants, read_events
from kessai.simulator import differences
from kessai_adapters.veritrans4g.played import booked_order
from racing.contests import Outcome, demand

LONG_ENOUGH = timedelta(hours=1)


class Judge:
    """Asks the engine and the emulator about orders, and compares them."""

    def __init__(self, runner):
        self.engine = runner.engine
        self.emulator = runner.emulator
        self.clock = runner.clock
        self.machines = {machine.name: machine for machine in self.engine.machines}

    # ── what contests ask ───────────────────────────────────────────────────────────

    def refunded(self, order):
        return self.emulator.books[order].refunded

    def exchanges(self, order, wire):
        found = self.emulator.books[order].exchanges
        return [exchange for exchange in found if exchange.command == wire]

    def has_authorized(self, order):
        return (
            order in self.emulator.books and self.emulator.books[order].authorized > 0
        )

    def agreement_at_begin(self, order):
        """The version of its agreement that a charge was decided on; None if it never."""
        begun = self._begun(order, "reauthorize")
        return None if begun is None else begun[1].agreement_version

    def terminated_at(self, order):
        """The number of the event that began the termination."""
        return self._begun(order, "terminate")[0]

    def _begun(self, order, name):
        for number, event in enumerate(self.events(order), 1):
            if isinstance(event, Begun) and event.operation.command == name:
                return number, event
        return None

    def events(self, order):
        return list(read_events(self.engine.store.records(order)))

    # ── the comparison ──────────────────────────────────────────────────────────────

    def deliver(self):
        """All notifications that are ready, each twice."""
        for notification in self.emulator.take_notifications():
            for _ in range(2):
                self.engine.receive_notification(
                    notification.headers, notification.body
                )

    def resolve(self, orders):
        """Find out what came of all that has no answer, once no request can arrive."""
        self.deliver()
        self.clock.ahead = LONG_ENOUGH
        for order in orders:
            transaction = self._find(order)
            if transaction is not None and transaction.operations:
                self.engine.recover_transaction(order)
        self.clock.ahead = timedelta()
        self.deliver()

    def final(self, outcome):
        """What stands under the key of `outcome`; what ended something still does."""
        command = outcome.command
        kept = self.engine.store.load(command.key, command.transaction, None).recorded
        demand(kept is not None, "no answer is kept:", outcome)
        if kept.request != command.fingerprint:
            return outcome
        ended = outcome.status in {"succeeded", "declined", "denied"}
        demand(not ended or kept.outcome == outcome.status, "kept:", kept, outcome)
        return Outcome(command, kept.outcome)

    def compare(self, orders):
        """Demand that of all `orders` the books agree."""
        for order in orders:
            self._compare(order)

    def _find(self, order):
        return self.engine.store.load(None, order, None).transaction

    def _compare(self, order):
        transaction = self._find(order)
        if transaction is None or not transaction.exists:
            demand(order not in self.emulator.books, "only the gateway knows", order)
            return
        machine = self.machines[transaction.lifecycle]
        broken = broken_invariants(machine, transaction)
        demand(not broken, "invariants are broken:", order, broken)
        demand(not transaction.operations, "it is still open:", order)
        demand(not transaction.discrepancies, "a discrepancy:", transaction)
        theirs = self.emulator.books.orders.get(order)
        standing = None if theirs is None else booked_order(theirs)
        found = list(differences(transaction, standing))
        demand(not found, "the books differ:", order, found)

    def audit(self):
        """Replay every trail of the store."""
        report = verify(self.engine.store)
        demand(report.holds, "the audit finds faults:", report.faults.first[:3])
        demand(report.open_operations.count == 0, "left open:", report.open_operations)
        return report
