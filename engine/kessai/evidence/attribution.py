"""Attribution: which operation a piece of evidence may be about.

If a listed exchange has an id that the trail knows, there is nothing to guess
(`Identities`). Many have no id, and not always an amount. So evidence has candidates:
the open operations of its command, and of its amount if it states one. Candidates with
the same command and amount are indistinguishable, and no guess among them stays hidden.
Three cases need more than the operations that are open now; each has its story below.
"""

from collections.abc import Iterable, Iterator

from kessai.evidence.attempts import Attempt, Attempts
from kessai.evidence.outcome import expected_amount
from kessai.gateway import ListedExchange, Outcome
from kessai.machine.compile import CompiledCommand, Machine
from kessai.machine.events import Event, Reported
from kessai.machine.phase import Phase
from kessai.machine.transaction import Operation, Transaction


class OpenOperations:
    """The open operations of a transaction, by command and the amount to be shown."""

    def __init__(self, machine: Machine, transaction: Transaction) -> None:
        self._machine = machine
        self._by_command: dict[str, dict[int | None, dict[str, Operation]]] = {}
        self._place = {name: at for at, name in enumerate(transaction.operations)}
        for operation in transaction.operations.values():
            if operation.phase is not Phase.PREPARED:  # no gateway has heard of it
                self._put(transaction, operation)

    def candidates(
        self, command: str | None, amount: int | None, outcome: Outcome
    ) -> list[Operation]:
        """The operations of `command` that evidence of `amount` may be about.

        Pending operations come first: they have certainly arrived, and an unknown one
        may never have. Then comes the one that was sent first: one that was sent later
        may still be in flight when the earlier is presumed lost.
        """
        rule = self._machine.commands.get(command or "")
        by_amount = self._by_command.get(command or "")
        # A reversal is about what has ended.
        if rule is None or not by_amount or outcome is Outcome.REVERSED:
            return []
        asked: tuple[int | None, ...] = (amount, None)
        # A decline moved nothing: it may state the amount that the opening command
        # first asked for, even if an update has changed that since.
        declines_opening = outcome is Outcome.DECLINED and rule.spec.is_opening
        if amount is None or declines_opening:
            asked = tuple(by_amount)
        found = [o for each in asked for o in by_amount.get(each, {}).values()]
        return sorted(
            found,
            key=lambda o: (o.phase is not Phase.PENDING, o.sent_at, self._place[o.id]),
        )

    def changed(
        self, before: Transaction, after: Transaction, event: Event
    ) -> Iterator[tuple[str, int | None]]:
        """Follow `event`; the commands and amounts that may have other candidates now.

        None as the amount stands for every amount.
        """
        if after.amounts != before.amounts:
            for command in tuple(self._by_command):
                if _depends(self._machine.commands[command]):
                    del self._by_command[command]
                    for operation in after.operations.values():
                        is_sent = operation.phase is not Phase.PREPARED
                        if is_sent and operation.command == command:
                            self._put(after, operation)
                    yield command, None
        if isinstance(event, Reported):
            yield from self._reported(before, after, event.operation)

    def _reported(
        self, before: Transaction, after: Transaction, name: str
    ) -> Iterator[tuple[str, int | None]]:
        was, now = before.operations[name], after.operations.get(name)
        rule = self._machine.commands[was.command]
        amount = expected_amount(rule, before, was)
        by_amount = self._by_command.get(was.command, {})
        if now is None:
            by_amount.get(amount, {}).pop(name, None)
        else:
            self._put(after, now)
        yield was.command, None if rule.spec.is_opening else amount

    def _put(self, transaction: Transaction, operation: Operation) -> None:
        rule = self._machine.commands[operation.command]
        amount = expected_amount(rule, transaction, operation)
        by_amount = self._by_command.setdefault(operation.command, {})
        by_amount.setdefault(amount, {})[operation.id] = operation


def _depends(rule: CompiledCommand) -> bool:
    """Whether the amount that a success must show changes with the transaction's."""
    reports = rule.spec.reports
    return reports is not None and not reports.names <= {"amount"}


def candidates(
    machine: Machine,
    transaction: Transaction,
    command: str | None,
    amount: int | None,
    outcome: Outcome = Outcome.SUCCEEDED,
) -> list[Operation]:
    """The open operations that evidence may be about: see `OpenOperations`."""
    return OpenOperations(machine, transaction).candidates(command, amount, outcome)


# Refunds order.4 and order.6, both of 100, get no reply. The inquiry lists one refund
# of 100. By command and amount it would be order.4's, the first that was sent. But the
# gateway echoes our id order.6 (or its own id, which the pending reply to order.6 had
# stated). So it ends order.6, and order.4 is not listed. Another refund of 100 in the
# same list, without an id, can then only be about order.4. One that echoes `desk-7` is
# about no operation of the engine: it is external, whatever is open.


class Identities:
    """The attempts that the exchanges of one list are certainly about, by their ids.

    Our id of the operation takes precedence over the gateway's id of the exchange.
    `claimed` are the open operations among them: no other exchange is about those.
    """

    def __init__(self, attempts: Attempts, listing: Iterable[ListedExchange]) -> None:
        self._attempts = attempts
        # A reversal has the ids of the success before it, and is another exchange.
        self._known = {
            listed: None
            if listed.outcome is Outcome.REVERSED
            else attempts.identified(listed)
            for listed in listing
        }
        known = self._known.values()
        self.claimed = {
            attempt.operation.id
            for attempt in known
            if attempt is not None and attempt.end is None
        }

    def attempt(self, listed: ListedExchange) -> Attempt | None:
        """The attempt that `listed` is about; None if no id shows it."""
        return self._known[listed]

    def are_certain(self, listed: ListedExchange) -> bool:
        """Whether an id shows what `listed` is about, or that it is external."""
        if listed.outcome is Outcome.REVERSED:
            return False
        return self._known[listed] is not None or self._attempts.is_outside(listed)


# A list grows, and an exchange that once fitted nothing is listed again each time. An
# update of the consent that was presumed lost arrives after all. The inquiry lists it
# without an amount, with the gateway's id `A`. Nothing is open, so it is recorded as a
# discrepancy (event 9). Then another update begins (order.10) and gets no reply. The
# next inquiry lists `A` again: it was listed before order.10 began, so it cannot be
# about order.10.


def begun_before_listed(
    attempts: Attempts, listed: ListedExchange, found: list[Operation]
) -> list[Operation]:
    """Those of the candidates `found` that began before `listed` was first listed."""
    since = attempts.unmatched_since(listed)
    if since is None:
        return found
    return [o for o in found if _number(attempts, o) < since]


def _number(attempts: Attempts, operation: Operation) -> int:
    attempt = attempts.get(operation.id)
    return 0 if attempt is None else attempt.number


# A success without an amount ends whatever is open, and may be another operation's. An
# update to 100 is presumed lost; an update to 200 is sent and gets no reply. The
# inquiry lists one update, without an amount. It ends the update to 200, as the more
# likely one. But both requests are unacknowledged, and only one success is listed. If
# the update to 100 arrived late, the consent is now at 100: a discrepancy records the
# doubt. If the list had two successes, both were carried out, and there is no doubt.


def may_be_another(attempts: Attempts, operation: Operation, successes: int) -> bool:
    """Whether listed successes without amounts may all be of other operations.

    That is so if `successes` is less than the number of unacknowledged requests of the
    command of `operation`, and those did not all ask for its amount.
    """
    possible = list(_unacknowledged(attempts, operation.command))
    differ = any(amount != operation.amount for amount in possible)
    return differ and successes < len(possible)


def _unacknowledged(attempts: Attempts, command: str) -> Iterator[int | None]:
    """The amounts of all requests of `command` that no gateway has acknowledged.

    Requests that are presumed lost are among them, and so are the first requests of
    resent operations: a request can arrive later than every limit.
    """
    for attempt in attempts.of(command):
        waiting = attempt.requests - attempt.acknowledged
        yield from [attempt.operation.amount] * waiting


# A list may not show which refund of 100 was carried out. Refunds order.4 and order.5,
# both of 100, get no reply for a long time: the request of order.4 was lost, that of
# order.5 was carried out. An inquiry lists one refund of 100, and it is attributed to
# order.4, the first that was sent. Now the caller of order.5 reads its reply at last:
# "succeeded". If that were applied, one refund would count twice, because the exchange
# that the reply reports is attributed already. Only another inquiry can show what
# became of order.5.


def is_attributed_to_another(attempts: Attempts, operation: Operation) -> bool:
    """Whether an exchange attributed to another operation may be about this one.

    That is so if it was listed without an amount, or if both asked for the same amount.
    An exchange that was listed before this one began cannot be about it.
    """
    own = attempts.get(operation.id)
    return own is not None and any(
        other.listed_bare_at > own.number
        or (other.operation.amount == operation.amount and other.listed_at > own.number)
        for other in attempts.of(operation.command)
        if other is not own
    )
