"""Which operation a piece of evidence may be about, where several could be meant.

Where a listed exchange bears an id that we know, nothing is guessed (`Identities`). Many
bear none, and not always an amount. So evidence has candidates: the open operations of
its command, and of its amount where it states one. Candidates that are alike in both are
indistinguishable, and nothing is guessed unseen. Three cases need more than the
operations that are open now; each has its story below.
"""

from collections.abc import Iterable, Iterator

from kessai.evidence.attempts import Attempt, Attempts
from kessai.evidence.outcome import expected_amount
from kessai.gateway import ListedExchange, Outcome
from kessai.machine.compile import CompiledCommand, Machine
from kessai.machine.phases import Phase
from kessai.machine.transaction import Operation, Transaction


def candidates(
    machine: Machine,
    transaction: Transaction,
    command: str | None,
    amount: int | None,
    outcome: Outcome = Outcome.SUCCEEDED,
) -> list[Operation]:
    """The open operations of `command` that evidence of `amount` may be about.

    Those that are pending come first: they have surely arrived, where the unknown may
    never have. Then comes what was sent first: what was sent later may still be on its
    way when the other is presumed lost.
    """
    rule = machine.commands.get(command or "")
    if rule is None:
        return []
    if ignores_amount(rule, outcome):
        amount = None
    found: list[Operation] = []
    for operation in transaction.operations.values():
        if operation.command != command:
            continue
        expected = expected_amount(rule, transaction, operation)
        if amount is None or expected is None or amount == expected:
            found.append(operation)
    return in_turn(found)


# Refunds order.4 and order.6, both of 100, get no reply. The inquiry lists one refund of
# 100. By command and amount it is that of order.4, the first that was sent. But the
# gateway echoes our id order.6 (or gives the id that the reply to order.6, "pending",
# gave): it ends order.6, and order.4 is not listed. Another refund of 100 in the same
# list, which bears no id, can then be about order.4 alone. One that echoes `desk-7` is
# nobody's here: it came from outside, whatever is open.


class Identities:
    """The attempts that the exchanges of one list are surely about, by their ids.

    Our id of the operation goes before the gateway's id of the exchange. `claimed` are
    the open operations among them: no other exchange of the list is about those.
    """

    def __init__(self, attempts: Attempts, listing: Iterable[ListedExchange]) -> None:
        self._attempts = attempts
        # A reversal bears the ids of the success before it, and is another exchange.
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
        """The attempt that `listed` is about; None if no id says so."""
        return self._known[listed]

    def are_certain(self, listed: ListedExchange) -> bool:
        """Whether it is known by an id what `listed` is about, or that it is not ours."""
        if listed.outcome is Outcome.REVERSED:
            return False
        return self._known[listed] is not None or self._attempts.is_outside(listed)


def ignores_amount(rule: CompiledCommand, outcome: Outcome) -> bool:
    """Whether evidence of `outcome` is of the command's operation whatever its amount.

    A decline moved nothing: it may name the amount that the opening command first asked
    for, whatever an update has made of it since.
    """
    return outcome is Outcome.DECLINED and rule.spec.is_opening


def in_turn(operations: Iterable[Operation]) -> list[Operation]:
    """Candidates in the order in which evidence is attributed to them."""
    return sorted(operations, key=lambda o: (o.phase is not Phase.PENDING, o.sent_at))


# A list grows, and an exchange that once fitted nothing is listed again each time. An
# update of the consent, presumed lost, arrives after all; the inquiry lists it without
# an amount as `A`, nothing is open, and it is recorded as a discrepancy (event 9). Then
# another update begins (order.10) and gets no reply. The next inquiry lists `A` again:
# it was there before order.10 began, so it cannot be about that.


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


# A success without an amount ends whatever is open, and may be another one's. Update to
# 100 is presumed lost, update to 200 is sent and gets no reply; the inquiry lists one
# update, without an amount. It ends the one to 200, as the more likely; but both
# requests are unacknowledged, and only one success is listed. If it was that to 100
# which arrived late, the consent now stands at 100: a discrepancy says so. Had the list
# two successes, both were carried out, and nothing would be in doubt.


def may_be_another(attempts: Attempts, operation: Operation, successes: int) -> bool:
    """Whether so many listed successes without amounts may leave out `operation`'s.

    They may when they are fewer than the requests of its command that can have been
    carried out without being acknowledged, and those did not all ask for its amount.
    """
    possible = list(_unacknowledged(attempts, operation.command))
    differ = any(amount != operation.amount for amount in possible)
    return differ and successes < len(possible)


def _unacknowledged(attempts: Attempts, command: str) -> Iterator[int | None]:
    """The amounts of all requests of `command` whose end no gateway has stated.

    Those that were presumed lost are among them, and the first ones of those that were
    sent again: a request can arrive later than every limit.
    """
    for attempt in attempts.of(command):
        waiting = attempt.requests - attempt.acknowledged
        yield from [attempt.operation.amount] * waiting


# A list does not say whose refund of 100 it was. Refunds order.4 and order.5, both of
# 100, get no reply for long: the request of order.4 was lost on its way, that of order.5
# was carried out. An inquiry lists one refund of 100, and attributes it to order.4, the
# first that was sent. Now the caller of order.5 reads its reply at last: "succeeded".
# Believed, it would make two refunds of one, for the very exchange that it reports was
# attributed already. Only another inquiry can say what became of order.5.


def is_attributed_to_another(attempts: Attempts, operation: Operation) -> bool:
    """Whether an inquiry attributed to another operation what may be this one's.

    That is so if it listed no amount, or if both asked for the same one. What was
    listed before this one began cannot have been about it.
    """
    own = attempts.get(operation.id)
    return own is not None and any(
        other.listed_bare_at > own.number
        or (other.operation.amount == operation.amount and other.listed_at > own.number)
        for other in attempts.of(operation.command)
        if other is not own
    )
