"""May this command be carried out now? An operation to begin, or every reason why not.

Pure: time is an argument, nothing is changed, nothing is read from elsewhere. All
guards are checked, in declared order, so that one answer lists all there is to mend.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import attrs

from kessai.machine.command import Command
from kessai.machine.compile import CompiledCommand, Machine
from kessai.machine.denial import NO_STATES, Bounds, Denial, Reason, Value
from kessai.machine.transaction import Operation, Transaction, Unclaimed
from kessai.machine.unclaimed import all_unclaimed, equal_to, every_amount_asks
from kessai.money import Currency
from kessai.spec import Guard, Identifier

REQUEST = "request"
"""The rule that a reason names when it comes from the request's shape alone."""

EXTERNAL_UNCLAIMED = "external_unclaimed"
"""The code of a denial: the gateway shows an equal movement that nobody claims."""

_GIVEN = ("parameter", "agreement", "amount", "currency")
"""What only the caller can give; without it, a denial's code ends in `_missing`."""


@attrs.frozen
class Possibility:
    """Whether a command is possible now: the amounts it takes, or why not.

    What equals one of `unclaimed` is denied all the same, until that is closed.
    """

    command: str
    bounds: Bounds | None
    denial: Denial | None
    unclaimed: tuple[Unclaimed, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """Whether the command would be carried out."""
        return self.denial is None

    def asks_first(self, amount: int | None = None) -> bool:
        """Whether `amount`, or the one by default, equals what nobody claims."""
        if amount is None and self.bounds is not None:
            amount = self.bounds.default
        return any(equal_to(self.unclaimed, self.command, amount))


def decide(
    machine: Machine,
    transaction: Transaction,
    command: Command,
    now: datetime,
    agreement: Transaction | None = None,
) -> Operation | Denial:
    """The operation that `command` begins on `transaction`, or its denial.

    `transaction` is blank for an opening command. `agreement` is the transaction that
    `command.agreement` names, if it exists, as it is at `now`: see `as_of`. Changes
    nothing.
    """
    rule = machine.commands.get(command.name)
    if rule is None:
        return _not_in_lifecycle(machine, transaction, command)
    names = names_for(machine, transaction, command, rule)
    of_amount: list[Reason] = []
    currency = _currency_of(machine, rule, transaction, command)
    bounds = amount_bounds(rule, names, currency.code if currency else "")
    amount = _amount(rule, command, bounds, of_amount)
    names["amount"] = amount or 0
    reasons = _structure(machine, rule, transaction, command, names)
    if currency is None or command.currency is not None:
        reasons.extend(_currency(machine, rule, transaction, command))
    reasons.extend(of_amount)
    if rule.spec.agreement is not None or command.agreement is not None:
        reasons.extend(_agreement(rule, command, agreement))
    if rule.guards:
        reasons.extend(_guards(rule.guards, names))
    if command.parameters or rule.spec.required:
        reasons.extend(_parameters(machine, rule, command))
    if not rule.spec.is_opening:
        reasons.extend(_deadlines(rule, transaction, now))
    reasons += _unclaimed(rule, transaction, amount)
    if reasons:
        return _denial(machine, transaction, command, tuple(reasons), bounds)
    return Operation(
        f"{transaction.id}.{transaction.version + 1}",
        command.name,
        command.key,
        command.fingerprint,
        amount,
        command.parameters,
        now,
        currency=currency.code if currency and rule.spec.is_opening else None,
        references=transaction.references,
        agreement_references=agreement.references if agreement else {},
    )


def as_of(machine: Machine, transaction: Transaction, now: datetime) -> Transaction:
    """`transaction` with the states that its passed deadlines lead to, swept or not."""
    states = dict(transaction.states)
    for name, ends in transaction.deadlines.items():
        step = machine.lapse_from(name, states) if now >= ends else None
        if step is not None:
            states[step.track] = step.target
    if states == transaction.states:  # as nearly always
        return transaction
    return attrs.evolve(transaction, states=states)


def can(
    machine: Machine, transaction: Transaction, now: datetime
) -> tuple[Possibility, ...]:
    """Every command of the lifecycle: possible with its exact bounds, or every reason.

    What only the caller can know (an amount or a parameter) is taken as given.
    """
    return tuple(
        possibility(machine, transaction, name, now) for name in machine.commands
    )


def possibility(
    machine: Machine, transaction: Transaction, name: str, now: datetime
) -> Possibility:
    """Whether the command `name` is possible on `transaction`, whatever its request."""
    command = Command(name, transaction.id, key="-")
    rule = machine.commands.get(name)
    if rule is None:
        denial = _not_in_lifecycle(machine, transaction, command)
        return Possibility(name, None, denial)
    verdict = decide(machine, transaction, command, now)
    bounds = bounds_of(machine, transaction, command)
    unclaimed = tuple(u for u in all_unclaimed(transaction) if u.command == name)
    if isinstance(verdict, Operation):
        return Possibility(name, bounds, None, unclaimed)
    asked = {f"{what}_missing" for what in _GIVEN}
    if "amount_missing" in verdict.codes:
        asked |= rule.amount_guards
    if bounds is not None and not every_amount_asks(
        unclaimed, name, bounds.minimum, bounds.maximum
    ):
        asked.add(EXTERNAL_UNCLAIMED)
    reasons = tuple(r for r in verdict.reasons if r.code not in asked)
    if not reasons and bounds is not None and bounds.maximum < bounds.minimum:
        reasons = tuple(r for r in verdict.reasons if r.code == "amount_missing")
    if not reasons:
        return Possibility(name, bounds, None, unclaimed)
    return Possibility(name, bounds, attrs.evolve(verdict, reasons=reasons))


def unknown_transaction(command: Command) -> Denial:
    """The denial of a command on a transaction that does not exist."""
    reason = Reason("unknown_transaction", REQUEST)
    return Denial(
        command=command.name, transaction=command.transaction, reasons=(reason,)
    )


def key_conflict(command: Command) -> Denial:
    """The denial of a command whose key was used for another request."""
    reason = Reason("key_conflict", REQUEST, {"key": command.key})
    return Denial(
        command=command.name, transaction=command.transaction, reasons=(reason,)
    )


def names_for(
    machine: Machine,
    transaction: Transaction,
    command: Command,
    rule: CompiledCommand,
) -> dict[str, int]:
    """The names that expressions may use before `command` begins, without `amount`."""
    if rule.spec.is_opening or not transaction.exists:
        return {**machine.zeros, **opening_flags(machine, command.parameters)}
    return {**transaction.amounts, **transaction.flags}


def opening_flags(machine: Machine, parameters: Mapping[str, Any]) -> dict[str, int]:
    """The flags of an opening command, 1 or 0, including those that are not given."""
    flags = dict(machine.flags_off)
    for name in parameters:
        if name in flags:
            flags[name] = int(parameters[name] is True)
    return flags


def opened_tracks(machine: Machine, operation: Operation) -> tuple[str, ...]:
    """The tracks that `operation` opens; none unless its command is an opening one."""
    rule = machine.commands[operation.command].spec
    if not rule.is_opening:
        return ()
    flags = opening_flags(machine, operation.parameters)
    names = {**machine.zeros, **flags, "amount": operation.amount or 0}
    return tuple(
        opening.track
        for opening in rule.opens
        if opening.when is None or opening.when.evaluate(names)
    )


def _not_in_lifecycle(
    machine: Machine, transaction: Transaction, command: Command
) -> Denial:
    values: dict[str, Value] = {"lifecycle": machine.name, "command": command.name}
    reason = Reason("not_in_lifecycle", REQUEST, values)
    return _denial(machine, transaction, command, (reason,), None)


def _denial(
    machine: Machine,
    transaction: Transaction,
    command: Command,
    reasons: tuple[Reason, ...],
    bounds: Bounds | None,
) -> Denial:
    return Denial(
        command=command.name,
        transaction=transaction.id,
        reasons=reasons,
        bounds=bounds,
        currency=_currency_of(
            machine, machine.commands.get(command.name), transaction, command
        ),
        texts=machine.texts,
    )


def _structure(
    machine: Machine,
    rule: CompiledCommand,
    transaction: Transaction,
    command: Command,
    names: Mapping[str, int],
) -> list[Reason]:
    """Whether the transaction exists, is in a state to start from, and is not busy."""
    spec = rule.spec
    if spec.is_opening:
        return list(_opening(machine, spec.rule, transaction, command))
    reasons: list[Reason] = []
    if command.lifecycle is not None and command.lifecycle != machine.name:
        values: dict[str, Value] = {
            "lifecycle": machine.name,
            "asked": command.lifecycle,
        }
        reasons.append(Reason("lifecycle_differs", REQUEST, values))
    steps = rule.steps_from(transaction.states)
    if not steps:
        reasons.append(_state_not_allowed(rule, transaction))
    elif any(step.guards for step in steps):
        once = {guard.code: guard for step in steps for guard in step.guards}
        reasons.extend(_guards(once.values(), names))
    if transaction.operations:
        reasons.extend(_busy(rule, transaction))
    return reasons


def _opening(
    machine: Machine, rule: str, transaction: Transaction, command: Command
) -> Iterator[Reason]:
    identifier = machine.lifecycle.identifier
    if transaction.exists:
        yield Reason("transaction_exists", rule)
    if not id_pattern(identifier).fullmatch(transaction.id):
        values: dict[str, Value] = {
            "most": identifier.max_characters,
            "characters": identifier.characters,
        }
        yield Reason("transaction_id_invalid", identifier.rule, values)
    if command.lifecycle is not None and command.lifecycle != machine.name:
        values = {"lifecycle": machine.name, "asked": command.lifecycle}
        yield Reason("lifecycle_differs", REQUEST, values)


@cache
def id_pattern(identifier: Identifier) -> re.Pattern[str]:
    """The pattern of transaction ids under a lifecycle."""
    characters = re.sub(r"[\\\[\]^]", r"\\\g<0>", identifier.characters)
    return re.compile(f"[{characters}]{{1,{identifier.max_characters}}}")


def _state_not_allowed(rule: CompiledCommand, transaction: Transaction) -> Reason:
    if not rule.spec.is_asked_for:
        return Reason("external_command", rule.spec.rule, {"command": rule.spec.name})
    allowed = ", ".join(
        dict.fromkeys(
            f"{move.track}.{state}"
            for move in rule.spec.moves
            if not move.external
            for state in move.sources
        )
    )
    values: dict[str, Value] = {
        "command": rule.spec.name,
        "allowed": allowed,
        "states": transaction.status or NO_STATES,
    }
    return Reason("state_not_allowed", rule.spec.rule, values)


def _busy(rule: CompiledCommand, transaction: Transaction) -> Iterator[Reason]:
    others = [
        f"{operation.command} ({operation.phase})"
        for operation in transaction.operations.values()
        if operation.command in rule.excludes
    ]
    if others:
        values: dict[str, Value] = {"operations": ", ".join(others)}
        yield Reason("operation_open", rule.spec.rule, values)


def _currency_of(
    machine: Machine,
    rule: CompiledCommand | None,
    transaction: Transaction,
    command: Command,
) -> Currency | None:
    """The currency of the amounts of `command`; None if the request leaves it open."""
    opens = rule is not None and rule.spec.is_opening
    code = command.currency if opens else transaction.currency
    return machine.lifecycle.currency(code)


def _currency(
    machine: Machine, rule: CompiledCommand, transaction: Transaction, command: Command
) -> Iterator[Reason]:
    """Whether the currency is one of the lifecycle's, or the transaction's own."""
    taken = list(machine.lifecycle.currencies)
    if transaction.exists and not rule.spec.is_opening:
        taken = [transaction.currency]
    values: dict[str, Value] = {"currencies": ", ".join(taken)}
    if command.currency is None:
        yield Reason("currency_missing", rule.spec.rule, values)
    elif command.currency not in taken:
        values["currency"] = command.currency
        yield Reason("currency_not_taken", rule.spec.rule, values)


def bounds_of(
    machine: Machine, transaction: Transaction, command: Command
) -> Bounds | None:
    """The amounts that `command` may ask for; None if it takes none in its currency."""
    rule = machine.commands[command.name]
    currency = _currency_of(machine, rule, transaction, command)
    names = names_for(machine, transaction, command, rule)
    return amount_bounds(rule, names, currency.code if currency else "")


def amount_bounds(
    rule: CompiledCommand, names: Mapping[str, int], currency: str
) -> Bounds | None:
    """The amounts of `currency` that the command takes under `names`.

    None if it takes none, or none of this currency.
    """
    declared = None if rule.spec.amount is None else rule.spec.amount.get(currency)
    if declared is None:
        return None
    default = declared.default
    return Bounds(
        declared.minimum.evaluate(names),
        declared.maximum.evaluate(names),
        None if default is None else default.evaluate(names),
    )


def _amount(
    rule: CompiledCommand,
    command: Command,
    bounds: Bounds | None,
    reasons: list[Reason],
) -> int | None:
    """The amount that the operation takes; amounts are checked, never clamped."""
    amount = command.amount
    if rule.spec.amount is None:
        if amount is not None:
            values: dict[str, Value] = {"command": command.name}
            reasons.append(Reason("amount_not_taken", rule.spec.rule, values))
        return None
    if bounds is None:  # the request leaves the currency open
        return amount
    declared = next(iter(rule.spec.amount.values())).rule
    if amount is None:
        amount = bounds.default
    if amount is None:
        values = {"minimum": bounds.minimum, "maximum": bounds.maximum}
        reasons.append(Reason("amount_missing", declared, values))
    elif amount < bounds.minimum:
        values = {"amount": amount, "minimum": bounds.minimum}
        reasons.append(Reason("amount_below_minimum", declared, values))
    elif amount > bounds.maximum:
        values = {"amount": amount, "maximum": bounds.maximum}
        reasons.append(Reason("amount_above_maximum", declared, values))
    return amount


def _guards(guards: Iterable[Guard], names: Mapping[str, int]) -> Iterator[Reason]:
    for guard in guards:
        if not guard.holds.evaluate(names):
            yield Reason(guard.code, guard.rule, {"amount": names["amount"]})


def _agreement(
    rule: CompiledCommand, command: Command, agreement: Transaction | None
) -> Iterator[Reason]:
    needed = rule.spec.agreement
    if needed is None:
        yield Reason("agreement_not_taken", rule.spec.rule, {"command": command.name})
        return
    if command.agreement is None:
        yield Reason("agreement_missing", needed.rule)
        return
    values: dict[str, Value] = {"agreement": command.agreement}
    if agreement is None or agreement.lifecycle != needed.lifecycle:
        yield Reason("agreement_unknown", needed.rule, values)
        return
    if agreement.states.get(needed.track) != needed.state:
        allowed = f"{needed.track}.{needed.state}"
        states = {**values, "allowed": allowed, "states": agreement.status}
        yield Reason("agreement_state", needed.rule, states)
    ending = [
        f"{operation.command} ({operation.phase})"
        for operation in agreement.operations.values()
        if operation.command in needed.unless_open
    ]
    if ending:
        busy = {**values, "operations": ", ".join(ending)}
        yield Reason("agreement_operation_open", needed.rule, busy)


def _parameters(
    machine: Machine, rule: CompiledCommand, command: Command
) -> Iterator[Reason]:
    given = command.parameters
    for name in rule.spec.required:
        if name not in given:
            declared = machine.lifecycle.parameters[name]
            yield Reason("parameter_missing", declared.rule, {"parameter": name})
    for name, value in given.items():
        if name not in rule.parameters:
            values: dict[str, Value] = {"parameter": name, "command": command.name}
            yield Reason("parameter_not_taken", rule.spec.rule, values)
            continue
        declared = machine.lifecycle.parameters[name]
        limit = declared.broken(value)
        if limit is not None:
            values = {"parameter": name, "limit": limit}
            yield Reason("parameter_invalid", declared.rule, values)
        elif declared.needs and value is not False and not given.get(declared.needs):
            values = {"parameter": declared.needs}
            yield Reason("parameter_missing", declared.rule, values)


def _deadlines(
    rule: CompiledCommand, transaction: Transaction, now: datetime
) -> Iterator[Reason]:
    for deadline in rule.deadlines:
        ends = transaction.deadlines.get(deadline.name)
        if (
            ends is not None
            and now >= ends
            and transaction.states.get(deadline.track) == deadline.state
        ):
            values: dict[str, Value] = {"deadline": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
            yield Reason(deadline.code, deadline.rule, values)


def _unclaimed(
    rule: CompiledCommand, transaction: Transaction, amount: int | None
) -> tuple[Reason, ...]:
    """Whether the gateway shows as done what is asked for, and nobody claims it."""
    name, is_open = rule.spec.name, rule.spec.amount is not None and amount is None
    shown = all_unclaimed(transaction)
    events = [str(each.event) for each in equal_to(shown, name, amount)]
    if is_open or not events:
        return ()
    values: dict[str, Value] = {"command": name, "events": ", ".join(events)}
    return (Reason(EXTERNAL_UNCLAIMED, rule.spec.rule, values),)
