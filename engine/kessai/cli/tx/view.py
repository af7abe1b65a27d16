"""A transaction in the words of the lifecycle file that it began under, and no later."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from kessai.cli.tx.titles import TransactionTitles
from kessai.errors import TrailBroken, UnknownLifecycle
from kessai.flow.steps import machine_of
from kessai.gateway import Evidence, Source
from kessai.machine import Denial, Machine, Reason, Transaction
from kessai.machine.denial import STRUCTURAL
from kessai.shell import Engine


@attrs.frozen
class TransactionView(TransactionTitles):
    """A transaction and its machine; without one, names stand for themselves."""

    machine: Machine | None

    @classmethod
    def of(
        cls, engine: Engine, transaction: Transaction, language: str
    ) -> "TransactionView":
        """The view by the lifecycle file that the engine or its store has.

        Raises:
            TrailBroken: the file in the store is not the one it began under.

        """
        try:
            machine = engine.drive(machine_of(engine.context, transaction))
        except UnknownLifecycle:
            return cls(transaction, None, language, None)
        declared = None if machine is None else machine.lifecycle
        return cls(transaction, declared, language, machine)

    @classmethod
    def listed(
        cls, engine: Engine, transaction: Transaction, language: str
    ) -> "TransactionView":
        """The view among others: what is wrong with one hides none of them."""
        try:
            return cls.of(engine, transaction, language)
        except TrailBroken:
            return cls(transaction, None, language, None)

    def command(self, name: str) -> str:
        """The title of a command."""
        found = self.machine.commands.get(name) if self.machine else None
        return found.spec.title.in_language(self.language) if found else name

    def opens(self, command: str) -> bool:
        """Whether a command opens a transaction."""
        found = self.machine.commands.get(command) if self.machine else None
        return found is not None and bool(found.spec.opens)

    def why(self, command: str, reasons: tuple[Reason, ...]) -> str:
        """A sentence for each reason of a denial."""
        texts = self.machine.texts if self.machine else {}
        denial = Denial(
            command=command,
            transaction=self.transaction.id,
            reasons=reasons,
            currency=self.currency,
            texts={**STRUCTURAL, **texts},
        )
        return " ".join(denial.sentences(self.language))

    def deadlines(self) -> Iterator[tuple[str, datetime]]:
        """The deadlines that are running: those of a state that is left do not count."""
        for name, ends in self.transaction.deadlines.items():
            declared = self.machine.deadlines.get(name) if self.machine else None
            state = self.transaction.states.get(declared.track) if declared else None
            if declared is None or state == declared.state:
                yield name, ends


def outcome_of(stated: str, evidence: Evidence | None) -> str:
    """`stated`, or what sets a request that never arrived apart from a decline."""
    if evidence is None or not evidence.never_sent:
        return stated
    return "presumed_lost" if evidence.source is Source.INQUIRY else "never_sent"
