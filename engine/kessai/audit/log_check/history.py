"""One history, step by step through the machine: what was allowed, and why not.

No rule is repeated here. A row that succeeded is decided on by `decide`, begun and
resolved; one that is pending stays open until a later row ends it, and is weighed by
`resolve` then. A step that was not allowed changes nothing, and the history goes on
from where it was; what is not allowed after that is counted apart, as it may only
follow.
"""

from datetime import datetime, timedelta
from typing import Any

import attrs

from kessai.audit.log_check.classifier import Logged, RowClass
from kessai.audit.log_check.context import (
    GIVEN,
    JudgingContext,
    LoggedCommand,
    PreparedClass,
)
from kessai.audit.log_check.entries import Entry, Extra
from kessai.audit.log_check.expiry import expired
from kessai.audit.log_check.findings import LogViolation
from kessai.audit.log_check.position import DecidedStep, Position, When, learn
from kessai.audit.log_check.shortcuts import PlanKey
from kessai.evidence.attribution import candidates
from kessai.evidence.outcome import EXPIRE, resolve
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Denial,
    Discrepancy,
    Machine,
    Operation,
    Reason,
    Reported,
    Transaction,
    broken_invariants,
    decide,
    evolve,
)
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import opened_tracks, unknown_transaction

_DAY = timedelta(days=1) - timedelta(microseconds=1)
_OUTCOMES = {
    Logged.SUCCEEDED: Outcome.SUCCEEDED,
    Logged.DECLINED: Outcome.DECLINED,
    Logged.PENDING: Outcome.PENDING,
    Logged.UNKNOWN: Outcome.UNKNOWN,
}
_EVIDENCE = {
    outcome: Evidence(
        source=Source.OPERATOR, transaction="", command=None, outcome=outcome
    )
    for outcome in Outcome
}


class HistoryCheck:
    """One history, judged row by row."""

    def __init__(
        self, context: JudgingContext, order: str, *, is_uncertain: bool
    ) -> None:
        self.violations = 0
        self.begins_midway = False
        self._context = context
        self._findings = context.findings
        self._order = order
        self._is_uncertain = is_uncertain
        self._position = Position(context.any_id or order, context.situations)
        self._used: set[tuple[str, str, Logged]] | None = None
        self._key: PlanKey | None = None

    @property
    def transaction(self) -> Transaction:
        """The transaction as it held."""
        return self._position.transaction

    @property
    def left_open(self) -> int:
        """How many operations have no final outcome yet."""
        return self._position.open_operations

    def step(self, entry: Entry) -> None:
        """Judge one row, and take its step if it is allowed."""
        at, _, number, amount, extra = entry
        position = self._position
        situation = position.situation
        key: PlanKey | None = number
        if extra is not None:
            if self._is_repeated(extra, self._context.classes[number]):
                return
            key = self._key_of(entry, extra)
        self._key = key
        if situation is not None and key is not None:
            plan = situation.plans.get(key)
            if plan is not None:
                kind = self._context.classes[number]
                if position.takes(plan, amount, _when(at, kind)):
                    self._allowed()
                    if amount is not None and not plan.takes_amount:
                        self._findings.ignored_amounts[kind.command] += 1
                    return
        self._in_full(entry)

    def _key_of(self, entry: Entry, extra: Extra) -> PlanKey | None:
        """The key of the plan for a row that names no parameters.

        Of an agreement with nothing open, its lifecycle and states are all that counts.
        """
        agreement, _, parameters = extra
        if parameters:
            return None
        if agreement is None:
            return entry[2]
        held = self._context.agreements.before(agreement, entry[0], entry[1])
        if held is None:  # taken as given, or else never allowed
            return entry[2], "", ""
        return None if held.operations else (entry[2], held.lifecycle, held.status)

    def _in_full(self, entry: Entry) -> None:
        _, _, number, amount, extra = entry
        kind = self._context.classes[number]
        if kind.command == EXPIRE:
            self._expire(entry, kind)
            return
        prepared = self._prepared(number)
        if prepared is None:
            self._stray(entry, kind)
            return
        if amount is not None and not prepared.takes_amount:
            self._findings.ignored_amounts[kind.command] += 1
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
        verdict = self._decide(entry, prepared, amount)
        if isinstance(verdict, Denial):
            self._refused(entry, kind, verdict, prepared.machine)
        elif kind.outcome is Logged.DENIED:
            self._findings.refused += 1
            self._findings.refused_though_allowed += 1
        else:
            self._carry_out(entry, prepared, verdict, amount)

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

    def _decide(
        self, entry: Entry, prepared: PreparedClass, amount: int | None
    ) -> Operation | Denial:
        at, line, _, _, extra = entry
        parameters, key = prepared.parameters, GIVEN
        agreement = prepared.agreement
        name = None if agreement is None else GIVEN
        if extra is not None:
            key = extra[1] or GIVEN
            taken = prepared.rule.parameters
            parameters = {**parameters, **{k: v for k, v in extra[2] if k in taken}}
            if prepared.asks_agreement and extra[0] is not None:
                name = extra[0]
                agreement = self._context.agreements.before(name, at, line)
        asked = LoggedCommand(
            prepared.kind.command,
            self.transaction.id,
            key=key,
            agreement=name,
            amount=amount,
            currency=prepared.kind.currency,
            parameters=parameters,
        )
        return decide(prepared.machine, self.transaction, asked, at, agreement)

    def _carry_out(
        self,
        entry: Entry,
        prepared: PreparedClass,
        operation: Operation,
        amount: int | None,
    ) -> None:
        """Begin the operation and report its outcome."""
        at, _, _, _, extra = entry
        machine, kind, before = prepared.machine, prepared.kind, self.transaction
        opens: tuple[str, ...] = ()
        if prepared.rule.spec.is_opening:
            opens = opened_tracks(machine, operation)
        agreement = None if extra is None else extra[0]
        begun = evolve(machine, before, Begun(at, operation, agreement, opens))
        outcome = _OUTCOMES[kind.outcome]
        when = _when(at, kind)
        # A deadline counts from the last moment at which it may have happened.
        report = Reported(when[1], operation.id, outcome, _EVIDENCE[outcome])
        after = evolve(machine, begun, report)
        broken = broken_invariants(machine, after)
        if broken:
            values = {"invariants": ", ".join(broken)}
            reason = Reason("invariant_broken", prepared.rule.spec.rule, values)
            self._violated(entry, self._denial(kind.command, reason), machine)
            return
        situation, key = self._position.situation, self._key
        if kind.outcome is Logged.SUCCEEDED and situation is not None:
            step = DecidedStep(machine, prepared.rule, before, after, amount, when)
            if key is not None and key not in situation.plans:
                learn(situation, key, step, self._context.situations)
        self._position.move_to(machine, after)
        self._allowed()

    def _is_repeated(self, extra: Extra, kind: RowClass) -> bool:
        """Whether the same operation was logged with the same outcome before."""
        if extra[1] is None:
            return False
        used = (extra[1], kind.command, kind.outcome)
        if self._used is None:
            self._used = set()
        elif used in self._used:
            self._findings.repeated += 1
            return True
        self._used.add(used)
        return False

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
        evidence = _EVIDENCE[_OUTCOMES[kind.outcome]]
        if amount is not None and prepared.rule.spec.reports is not None:
            evidence = attrs.evolve(evidence, amount=amount)
        _, latest = _when(entry[0], kind)
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

    def _expire(self, entry: Entry, kind: RowClass) -> None:
        machine, transaction = self._position.machine, self.transaction
        if machine is None:
            self._midway()
            denial = unknown_transaction(
                LoggedCommand(EXPIRE, transaction.id, key=GIVEN)
            )
            self._violated(entry, denial, None)
            return
        found = expired(machine, transaction, _when(entry[0], kind)[1])
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
        at, line, number, amount, _ = entry
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
                is_uncertain=self._is_uncertain,
            )
        )
        self.violations += 1


def _when(at: datetime, kind: RowClass) -> When:
    return at, at + _DAY if kind.whole_day else at


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
