"""One history, step by step through the machine: what was allowed, and why not.

No rule is repeated here. A row that succeeded is decided on by `decide`, begun and
resolved; one that is pending stays open until a later row ends it, and is weighed by
`resolve` then. A step that was not allowed changes nothing, and the history goes on
from where it was; what is not allowed after that is counted apart, as it may only
follow.
"""

from typing import Any

import attrs

from kessai.audit.log_check.classifier import Logged, RowClass
from kessai.audit.log_check.context import (
    GIVEN,
    JudgingContext,
    LoggedCommand,
    PreparedClass,
)
from kessai.audit.log_check.entries import Entry, Extra, until_of
from kessai.audit.log_check.expiry import expired
from kessai.audit.log_check.findings import LogViolation
from kessai.audit.log_check.position import Position
from kessai.audit.log_check.shortcuts import EVIDENCE, LoggedStep, PathKey, When
from kessai.evidence.attribution import candidates
from kessai.evidence.outcome import EXPIRE, resolve
from kessai.gateway import Outcome
from kessai.machine import (
    Denial,
    Discrepancy,
    Machine,
    Operation,
    Reason,
    Transaction,
    as_of,
    broken_invariants,
    decide,
    evolve,
)
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import unknown_transaction

_OUTCOMES = {
    Logged.SUCCEEDED: Outcome.SUCCEEDED,
    Logged.DECLINED: Outcome.DECLINED,
    Logged.PENDING: Outcome.PENDING,
    Logged.UNKNOWN: Outcome.UNKNOWN,
}


@attrs.define
class _LoggedOperation:
    """What was logged under one operation id."""

    command: str
    amount: int | None
    outcomes: set[Logged] = attrs.field(factory=set[Logged])

    def says_nothing_new(self, outcome: Logged) -> bool:
        """Whether a row with this outcome repeats one, or comes after the end."""
        if outcome in self.outcomes:
            return True
        has_ended = not self.outcomes.isdisjoint(_ENDS)
        return has_ended and outcome not in _ENDS


_ENDS = {Logged.SUCCEEDED, Logged.DECLINED}


class HistoryCheck:
    """One history, judged row by row; `is_uncertain`: what it finds is perhaps no fault."""

    def __init__(
        self, context: JudgingContext, order: str, *, is_uncertain: bool
    ) -> None:
        self.violations = self.violations_for_sure = 0
        self.begins_midway = False
        self.is_uncertain = is_uncertain
        self._context = context
        self._findings = context.findings
        self._order = order
        self._position = Position(context.any_id or order, context.situations)
        self._logged: dict[str, _LoggedOperation] = {}
        self._key: PathKey | None = None

    @property
    def transaction(self) -> Transaction:
        """The transaction as it held."""
        return self._position.transaction

    @property
    def left_open(self) -> int:
        """How many operations have no final outcome yet."""
        return self._position.open_operations

    def begin_as_older(self, first: Entry) -> bool:
        """Begin as an agreement that was consented to before the log, if it shows one."""
        older = self._context.older_agreement(self._order, first)
        if older is not None:
            self._position.move_to(*older)
        return older is not None

    def step(self, entry: Entry) -> None:
        """Judge one row, and take its step if it is allowed."""
        at, _, _, number, amount, extra, span = entry
        key: PathKey | None = ~number if amount is None else number
        if extra is not None:
            if extra[1] is not None and self._is_logged(entry, extra[1]):
                return
            key = self._key_of(entry, extra)
        self._key = key
        path = None
        if key is not None:
            latest = at if span is None else span.until
            path = self._position.repeat(key, at, latest, amount)
        if path is None:
            self._in_full(entry)
            return
        self._findings.allowed += 1
        if (amount is None) is path.takes_amount:
            kind = self._context.classes[number]
            self._tell_of_amount(kind, amount, is_taken=path.takes_amount)

    def _key_of(self, entry: Entry, extra: Extra) -> PathKey | None:
        """The key of the paths for a row that names no parameters.

        Of an agreement with nothing open, its lifecycle and states are all that counts.
        """
        agreement, _, parameters = extra
        if parameters:
            return None
        number = entry[3]
        key = ~number if entry[4] is None else number
        if agreement is None:
            return key
        held = self._agreement(entry, agreement, self._prepared(number))
        if held is None:
            return key, "", ""
        return None if held.operations else (key, held.lifecycle, held.status)

    def _agreement(
        self, entry: Entry, name: str, prepared: PreparedClass | None
    ) -> Transaction | None:
        if prepared is not None and prepared.asks_agreement:
            held = self._context.agreement(name, entry, prepared.rule)
        else:
            held = self._context.agreements.before(name, entry)
        if held is None or not held.deadlines:
            return held
        return as_of(self._context.machine_of(held), held, entry[0])

    def _in_full(self, entry: Entry) -> None:
        _, _, _, number, amount, extra, _ = entry
        kind = self._context.classes[number]
        if kind.command == EXPIRE:
            self._expire(entry)
            return
        prepared = self._prepared(number)
        if prepared is None:
            self._stray(entry, kind)
            return
        if amount is not None and not prepared.takes_amount:
            self._tell_of_amount(kind, amount, is_taken=False)
            amount = None
        operation = self._open(prepared, amount, extra)
        if operation is None:
            self._ask(entry, prepared, amount)
        else:
            self._resolve(entry, prepared, operation, amount)

    def _prepared(self, number: int) -> PreparedClass | None:
        """What the row asks for; None for what there is no transaction for."""
        machine = self._position.machine
        own = None if machine is None else self._context.prepared(machine, number)
        if own is not None and not own.rule.spec.is_opening:
            return own
        return self._context.opening(number, machine) or own

    def _stray(self, entry: Entry, kind: RowClass) -> None:
        """A command of a transaction that was never opened, or does not have it."""
        machine, transaction = self._position.machine, self.transaction
        asked = LoggedCommand(kind.command, transaction.id, key=GIVEN)
        denial: Denial | Operation = unknown_transaction(asked)
        if machine is not None:
            denial = decide(machine, transaction, asked, entry[0])
        if isinstance(denial, Denial):
            if kind.outcome not in {Logged.DENIED, Logged.DECLINED}:
                self._midway()
            self._refused(entry, kind, denial, machine)

    def _ask(self, entry: Entry, prepared: PreparedClass, amount: int | None) -> None:
        """Decide on a command, and carry it out if it may be."""
        kind = prepared.kind
        step = self._asked(entry, prepared, amount)
        verdict = step.decide(self.transaction, entry[0])
        if isinstance(verdict, Denial):
            self._refused(entry, kind, verdict, prepared.machine)
        elif kind.outcome is Logged.DENIED:
            self._findings.refused += 1
            self._findings.refused_though_allowed += 1
        else:
            self._carry_out(entry, prepared, step, verdict)

    def _refused(
        self, entry: Entry, kind: RowClass, denial: Denial, machine: Machine | None
    ) -> None:
        """What is not allowed is no violation where nothing came of it."""
        if kind.outcome is Logged.DENIED:
            self._findings.refused += 1
        elif kind.outcome is Logged.DECLINED:
            self._findings.declined_anyway += 1
        else:
            self._violated(entry, denial, machine)

    def _asked(
        self, entry: Entry, prepared: PreparedClass, amount: int | None
    ) -> LoggedStep:
        """What the row asks, with the agreement as it was then."""
        extra = entry[5]
        parameters, key = prepared.parameters, GIVEN
        agreement = prepared.agreement
        name = None if agreement is None else GIVEN
        if extra is not None:
            key = extra[1] or GIVEN
            taken = prepared.rule.parameters
            parameters = {**parameters, **{k: v for k, v in extra[2] if k in taken}}
            if prepared.asks_agreement and extra[0] is not None:
                name = extra[0]
                agreement = self._agreement(entry, name, prepared)
        asked = LoggedCommand(
            prepared.kind.command,
            self.transaction.id,
            key=key,
            agreement=name,
            amount=amount,
            currency=prepared.kind.currency,
            parameters=parameters,
        )
        named = None if extra is None else extra[0]
        outcome = _OUTCOMES.get(prepared.kind.outcome, Outcome.UNKNOWN)
        return LoggedStep(prepared.machine, asked, agreement, named, outcome)

    def _carry_out(
        self,
        entry: Entry,
        prepared: PreparedClass,
        step: LoggedStep,
        operation: Operation,
    ) -> None:
        """Begin the operation and report its outcome."""
        machine, kind, before = prepared.machine, prepared.kind, self.transaction
        when = _when(entry)
        after = step.carry_out(before, operation, when)
        broken = broken_invariants(machine, after)
        if broken:
            values = {"invariants": ", ".join(broken)}
            reason = Reason("invariant_broken", prepared.rule.spec.rule, values)
            self._violated(entry, self._denial(kind.command, reason), machine)
            return
        held, key = self._position.situation, self._key
        if kind.outcome is Logged.SUCCEEDED and held is not None and key is not None:
            changed = before, after
            self._context.situations.learn(key, step, changed, when)
        self._position.move_to(machine, after)
        self._allowed()
        amount = step.command.amount
        self._tell_of_amount(kind, amount, is_taken=prepared.takes_amount)

    def _tell_of_amount(
        self, kind: RowClass, amount: int | None, *, is_taken: bool
    ) -> None:
        """Count amounts that were not judged, and blank ones that stand for the whole."""
        if amount is not None and not is_taken:
            self._findings.ignored_amounts[kind.command] += 1
        elif amount is None and is_taken:
            self._findings.blank_amounts[kind.command] += 1

    def _is_logged(self, entry: Entry, operation: str) -> bool:
        """Whether the row is done with: its operation's id was logged before.

        It says nothing new, or it says something else under the same id: a violation.
        """
        kind, amount = self._context.classes[entry[3]], entry[4]
        logged = self._logged.get(operation)
        if logged is None:
            logged = _LoggedOperation(kind.command, amount, {kind.outcome})
            self._logged[operation] = logged
            return False
        if kind.command != logged.command:
            self._differs(entry, "command_differs", before=logged.command)
            return True
        if logged.amount is None:
            logged.amount = amount
        elif amount not in (None, logged.amount):
            self._differs(entry, "amount_differs")
            return True
        if logged.says_nothing_new(kind.outcome):
            self._findings.repeated += 1
            return True
        logged.outcomes.add(kind.outcome)
        return False

    def _differs(self, entry: Entry, code: str, **values: str) -> None:
        command = self._context.classes[entry[3]].command
        denial = self._denial(command, Reason(code, "request", values))
        self._violated(entry, denial, self._position.machine)

    def _open(
        self, prepared: PreparedClass, amount: int | None, extra: Extra | None
    ) -> Operation | None:
        """The open operation that a row speaks of, rather than of another one."""
        operations = self.transaction.operations
        kind = prepared.kind
        if not operations or kind.outcome is Logged.DENIED:
            return None
        if extra is not None and extra[1] is not None:
            asked = (extra[1], kind.command)
            by_key = (o for o in operations.values() if (o.key, o.command) == asked)
            return next(by_key, None)
        found = candidates(
            prepared.machine,
            self.transaction,
            kind.command,
            amount,
            _OUTCOMES[kind.outcome],
        )
        by_report = prepared.rule.spec.reports is not None
        return next((o for o in found if by_report or amount in (None, o.amount)), None)

    def _resolve(
        self,
        entry: Entry,
        prepared: PreparedClass,
        operation: Operation,
        amount: int | None,
    ) -> None:
        """What a later row makes of an open operation."""
        machine, kind = prepared.machine, prepared.kind
        evidence = EVIDENCE[_OUTCOMES[kind.outcome]]
        if amount is not None and prepared.rule.spec.reports is not None:
            evidence = attrs.evolve(evidence, amount=amount)
        elif amount not in (None, operation.amount):
            self._differs(entry, "amount_differs")
            return
        latest = until_of(entry)
        event = resolve(machine, self.transaction, operation, evidence, latest)
        if isinstance(event, Discrepancy):
            values = _values(prepared.rule, self.transaction)
            reason = Reason(event.reason, prepared.rule.spec.rule, values)
            self._violated(entry, self._denial(kind.command, reason), machine)
            return
        if event is not None:
            after = evolve(machine, self.transaction, event)
            self._position.move_to(machine, after)
        self._allowed()

    def _expire(self, entry: Entry) -> None:
        machine, transaction = self._position.machine, self.transaction
        if machine is None:
            self._midway()
            denial = unknown_transaction(
                LoggedCommand(EXPIRE, transaction.id, key=GIVEN)
            )
            self._violated(entry, denial, None)
            return
        found = expired(machine, transaction, until_of(entry))
        if isinstance(found, Reason):
            self._violated(entry, self._denial(EXPIRE, found), machine)
            return
        self._position.move_to(machine, found)
        self._allowed()

    def _midway(self) -> None:
        if self._position.machine is None and not self.violations:
            self.begins_midway = True

    def _denial(self, command: str, reason: Reason) -> Denial:
        return Denial(
            command=command,
            transaction=self._order,
            reasons=(reason,),
        )

    def _allowed(self) -> None:
        self._findings.allowed += 1

    def _violated(self, entry: Entry, denial: Denial, machine: Machine | None) -> None:
        at, _, line, number, amount, _, _ = entry
        texts, kind = self._context.texts(machine), self._context.classes[number]
        currency = denial.currency or self._context.currencies[kind.currency]
        self._findings.violation(
            LogViolation(
                lifecycle=machine.name if machine else "",
                command=kind.command,
                order=self._order,
                line=line,
                at=at,
                amount=amount,
                states=self.transaction.status,
                denial=attrs.evolve(
                    denial, transaction=self._order, currency=currency, texts=texts
                ),
                is_after=bool(self.violations),
                is_uncertain=self.is_uncertain,
            )
        )
        self.violations += 1
        self.violations_for_sure += not self.is_uncertain


def _when(entry: Entry) -> When:
    return entry[0], until_of(entry)


def _values(rule: CompiledCommand, transaction: Transaction) -> dict[str, Any]:
    """What sentences about an open operation's outcome name."""
    states = (
        f"{m.track}.{state}"
        for m in rule.spec.moves
        if not m.external
        for state in m.sources
    )
    return {
        "command": rule.spec.name,
        "allowed": ", ".join(dict.fromkeys(states)),
        "states": transaction.status,
    }
