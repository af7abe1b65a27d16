"""A transaction in the words of the lifecycle file that it began under, and no later."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs

from kessai.errors import TrailBroken, UnknownLifecycle
from kessai.flow.steps import machine_of
from kessai.gateway import Evidence, Source
from kessai.machine import Denial, Machine, Reason, Transaction
from kessai.machine.denial import STRUCTURAL
from kessai.money import Currency, show_amount
from kessai.shell import Engine
from kessai.spec import Lifecycle
from kessai.words import Text


@attrs.frozen
class TransactionView:
    """A transaction and its machine; without one, names stand for themselves."""

    transaction: Transaction
    machine: Machine | None
    language: str

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
            machine = None
        return cls(transaction, machine, language)

    @classmethod
    def listed(
        cls, engine: Engine, transaction: Transaction, language: str
    ) -> "TransactionView":
        """The view among others: what is wrong with one hides none of them."""
        try:
            return cls.of(engine, transaction, language)
        except TrailBroken:
            return cls(transaction, None, language)

    @property
    def currency(self) -> Currency | None:
        """The declared currency of its amounts."""
        if self.machine is None:
            return None
        return self.machine.lifecycle.currency(self.transaction.currency)

    @property
    def lifecycle(self) -> str:
        """The title of its lifecycle."""
        if self.machine is None:
            return self.transaction.lifecycle
        return self.machine.lifecycle.title.in_language(self.language)

    def command(self, name: str) -> str:
        """The title of a command."""
        found = self.machine.commands.get(name) if self.machine else None
        return found.spec.title.in_language(self.language) if found else name

    def opens(self, command: str) -> bool:
        """Whether a command opens a transaction."""
        found = self.machine.commands.get(command) if self.machine else None
        return found is not None and bool(found.spec.opens)

    def amount_title(self, name: str) -> str:
        """The title of an amount."""
        known: Mapping[str, Text] = (
            self.machine.lifecycle.amounts if self.machine else {}
        )
        return known[name].in_language(self.language) if name in known else name

    def money(self, amount: int | None) -> str:
        """An amount with its currency; nothing for none."""
        return "" if amount is None else show_amount(amount, self.currency)

    def states(self) -> Iterator[tuple[str, str]]:
        """The titles of each track and of the state it is in."""
        lifecycle = self.machine.lifecycle if self.machine else None
        for track, state in self.transaction.states.items():
            yield state_titles(lifecycle, track, state, self.language)

    def state(self) -> str:
        """The titles of all the states that it is in."""
        return ", ".join(state for _, state in self.states())

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


def state_titles(
    lifecycle: Lifecycle | None, track: str, state: str, language: str
) -> tuple[str, str]:
    """The titles of a track and of one of its states."""
    declared = lifecycle.tracks.get(track) if lifecycle else None
    if declared is None or state not in declared.states:
        return track, state
    title = declared.title.in_language(language)
    return title, declared.states[state].in_language(language)
