"""A live agreement for charges: the shortest history that leads to one."""

from collections.abc import Iterator

from kessai.errors import InvalidInput
from kessai.evidence.outcome import resolve
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, Event, Machine, Operation, Record, Transaction, append
from kessai.machine.decide import opened_tracks
from kessai.simulator.commands import is_in_force, opening_of
from kessai.simulator.world import BEGINNING
from kessai.spec import Agreement
from kessai.testing.strategies.lifecycles import machine_of
from kessai.testing.strategies.variants import (
    CommandCase,
    CommandVariant,
    plainest,
    ways,
)

AGREEMENT = "agreement-1"
_DEPTH = 3
_Trail = tuple[Record, ...]


def agreement_for(machine: Machine) -> Transaction | None:
    """An agreement in force, if this lifecycle's opening command needs one, else None.

    Raises:
        InvalidInput: none is reached in a few commands; one must be given.

    """
    found = agreement_with_trail(machine)
    return None if found is None else found[0]


def agreement_with_trail(machine: Machine) -> tuple[Transaction, _Trail] | None:
    """The same, with the records that lead to it."""
    needed = opening_of(machine).spec.agreement
    if needed is None:
        return None
    key = (machine.lifecycle.hash, needed)
    if key not in _FOUND:
        _FOUND[key] = _reach(machine_of(needed.lifecycle), needed)
    return _FOUND[key]


_FOUND: dict[tuple[str, Agreement], tuple[Transaction, _Trail]] = {}


def _reach(machine: Machine, needed: Agreement) -> tuple[Transaction, _Trail]:
    level: list[tuple[Transaction, _Trail]] = [(Transaction(AGREEMENT), ())]
    for _ in range(_DEPTH):
        level = [after for before in level for after in _successors(machine, *before)]
        for transaction, trail in level:
            if is_in_force(needed, transaction):
                return transaction, trail
    message = (
        f"agreement: no history of {needed.lifecycle!r} was found in which"
        f" {needed.track} is {needed.state}; give one as `agreement`"
    )
    raise InvalidInput(message)


def _successors(
    machine: Machine, transaction: Transaction, trail: _Trail
) -> Iterator[tuple[Transaction, _Trail]]:
    case = CommandCase(machine, transaction, BEGINNING)
    for name in machine.commands:
        for way in ways(case, name):
            yield _carried_out(case, way, trail)


def _carried_out(
    case: CommandCase, way: CommandVariant, trail: _Trail
) -> tuple[Transaction, _Trail]:
    """The transaction after a success of the plainest command of that way."""
    machine, now = case.machine, case.now
    given = plainest(machine, machine.commands[way.name], way.flags)
    amount = None if way.bounds is None else way.bounds.minimum
    asked = case.command(way.name, amount, parameters=given, currency=way.currency)
    operation = case.decide(asked)
    if not isinstance(operation, Operation):  # a guard looks at the amount
        return case.transaction, trail
    begun = Begun(now, operation, None, opened_tracks(machine, operation))
    transaction, record = append(machine, case.transaction, begun)
    evidence = Evidence(
        source=Source.REPLY,
        transaction=transaction.id,
        command=way.name,
        outcome=Outcome.SUCCEEDED,
    )
    event: Event | None = resolve(machine, transaction, operation, evidence, now)
    assert event is not None  # noqa: S101 - a success is always an event
    transaction, ended = append(machine, transaction, event)
    return transaction, (*trail, record, ended)
