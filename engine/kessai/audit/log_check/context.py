"""What all histories of a log are judged by: machines, what is taken as given."""

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from kessai.audit.log_check.agreements import AgreementPositions
from kessai.audit.log_check.classifier import RowClass
from kessai.audit.log_check.entries import Entry
from kessai.audit.log_check.findings import Findings
from kessai.audit.log_check.ordering import RowOrder
from kessai.audit.log_check.shortcuts import Situations
from kessai.machine import Command, Machine, Transaction
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import id_pattern
from kessai.spec.model import Agreement
from kessai.words import Text, Words

_DENIALS = Words("log_check.denials")

GIVEN = "given"
"""The id of an agreement, a key: what is taken as given."""


@attrs.frozen(kw_only=True)
class LogTerms:
    """Machines by name, the fields that have columns, and what is not judged.

    `any_id`: the form of ids. `older_agreements`: how agreements began that the log does
    not see begin; they were consented to before it.
    """

    machines: Mapping[str, Machine]
    has_columns: frozenset[str]
    any_id: bool
    older_agreements: bool = False

    def judges(self, rule: CompiledCommand) -> bool:
        """Whether the agreement that `rule` needs can be judged."""
        needed = rule.spec.agreement
        return (
            needed is not None
            and "agreement" in self.has_columns
            and needed.lifecycle in self.machines
        )


@attrs.frozen
class LoggedCommand(Command):
    """A command of a log: its form was checked there, and nobody needs its hash."""

    def __attrs_post_init__(self) -> None:
        pass

    @property
    def fingerprint(self) -> str:
        """None: the log's rows are not kept."""
        return ""


@attrs.frozen
class PreparedClass:
    """What all rows of one class have in common under one machine.

    `agreement` is the one that is taken as given.
    """

    machine: Machine
    kind: RowClass
    rule: CompiledCommand
    parameters: Mapping[str, Any]
    agreement: Transaction | None

    @property
    def takes_amount(self) -> bool:
        """Whether the command has an amount."""
        return self.rule.spec.amount is not None

    @property
    def asks_agreement(self) -> bool:
        """Whether an agreement is needed that is in the log."""
        return self.rule.spec.agreement is not None and self.agreement is None


class JudgingContext:
    """The terms of a check, with everything that is worked out from them once."""

    def __init__(
        self,
        terms: LogTerms,
        classes: Sequence[RowClass],
        order: RowOrder,
        findings: Findings,
    ) -> None:
        self.findings = findings
        self.order = order
        self.agreements = AgreementPositions(order)
        self.situations = Situations()
        self.classes = classes
        self._machines = terms.machines
        self._terms = terms
        self._first = next(iter(terms.machines.values()))
        self.currencies = {
            code: currency
            for machine in terms.machines.values()
            for code, currency in machine.lifecycle.currencies.items()
        }
        self.any_id = _any_id(terms.machines.values()) if terms.any_id else ""
        """The id that is used for every order where the form of ids is not judged."""
        self._prepared: dict[tuple[str, int], PreparedClass | None] = {}
        self._texts: dict[str, Mapping[str, Text]] = {}

    def prepared(self, machine: Machine, number: int) -> PreparedClass | None:
        """A class of rows under `machine`; None: it has no such command."""
        key = (machine.name, number)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(machine, self.classes[number])
        return self._prepared[key]

    def opening(self, number: int, own: Machine | None) -> PreparedClass | None:
        """What a class of rows begins; None if it begins no transaction.

        That of the lifecycle that its row names, else of the history's own, else of
        the one that has it.
        """
        kind = self.classes[number]
        asked = None if kind.lifecycle is None else self._machines[kind.lifecycle]
        for machine in (asked, own, *self._machines.values()):
            prepared = None if machine is None else self.prepared(machine, number)
            if prepared is not None and prepared.rule.spec.is_opening:
                return prepared
        return None

    def texts(self, machine: Machine | None) -> Mapping[str, Text]:
        """The sentences of `machine`, and those of a log's own denials."""
        machine = machine or self._first
        if machine.name not in self._texts:
            self._texts[machine.name] = {**machine.texts, **_DENIALS}
        return self._texts[machine.name]

    def machine_of(self, transaction: Transaction) -> Machine:
        """The machine that `transaction` was opened under."""
        return self._machines[transaction.lifecycle]

    def agreement(
        self, name: str, entry: Entry, rule: CompiledCommand
    ) -> Transaction | None:
        """The agreement `name` as it was when a row asks `rule` of it.

        None if it was not there, or is older than the log and must not be.
        """
        held, needed = self.agreements.before(name, entry), rule.spec.agreement
        if needed is None or (held is not None and held.exists):
            return held
        if not self.agreements.is_older(name):
            return held
        self.findings.older_agreements.add(name)
        return _consented(name, needed) if self._terms.older_agreements else held

    def older_agreement(
        self, name: str, first: Entry
    ) -> tuple[Machine, Transaction] | None:
        """The agreement `name` as it must have been before its `first` row.

        None if that row does not show that there was one: it begins it, or is about
        something else.
        """
        if not self._terms.older_agreements:
            return None
        kind = self.classes[first[3]]
        for machine in self._machines.values():
            for rule in machine.commands.values():
                needed = rule.spec.agreement
                own = self._machines.get("" if needed is None else needed.lifecycle)
                if needed is None or own is None:
                    continue
                asked = own.commands.get(kind.command)
                if asked is None or asked.spec.is_opening:
                    continue
                if any(move.track == needed.track for move in asked.spec.moves):
                    self.findings.older_agreements.add(name)
                    return own, attrs.evolve(
                        _consented(name, needed),
                        lifecycle_hash=own.lifecycle.hash,
                        currency=kind.currency,
                        amounts=own.zeros,
                        flags=own.flags_off,
                    )
        return None

    def _prepare(self, machine: Machine, kind: RowClass) -> PreparedClass | None:
        rule = machine.commands.get(kind.command)
        if rule is None:
            return None
        given: dict[str, Any] = dict.fromkeys(kind.flags, True)
        given |= {name: True for name in kind.columns if name in rule.parameters}
        self._fill(machine, rule, given)
        agreement = None
        needed = rule.spec.agreement
        if needed is not None and not self._terms.judges(rule):
            agreement = _consented(GIVEN, needed)
        return PreparedClass(machine, kind, rule, given, agreement)

    def _fill(
        self, machine: Machine, rule: CompiledCommand, given: dict[str, Any]
    ) -> None:
        """Take as given what the log has no column for."""
        declared = machine.lifecycle.parameters
        needed = [*rule.spec.required]
        needed += [n for name in given if (n := declared[name].needs) is not None]
        for name in needed:
            if name not in given and name not in self._terms.has_columns:
                # A flag that the row's words do not name is off.
                is_flag = name in machine.lifecycle.flags
                given[name] = not is_flag and declared[name].sample()


def _consented(name: str, needed: Agreement) -> Transaction:
    return Transaction(
        name, lifecycle=needed.lifecycle, states={needed.track: needed.state}
    )


def _any_id(machines: Iterable[Machine]) -> str:
    """An id that every lifecycle takes; the order's own id is reported all the same."""
    patterns = [id_pattern(machine.lifecycle.identifier) for machine in machines]
    return next(
        (c for c in string.printable if all(p.fullmatch(c) for p in patterns)), GIVEN
    )
