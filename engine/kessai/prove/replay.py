"""A story replayed on the real machine: `decide`, `resolve` and `evolve`, step by step.

A gateway that does as it is asked stands behind it. An agreement, where one is needed,
is taken as given, or is the transaction of another replay. A step that the machine refuses ends the story: what would follow did
not happen.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from kessai.errors import InvalidCommand
from kessai.evidence.outcome import EXPIRE, overdue, resolve, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Command,
    Denial,
    Discrepancy,
    Event,
    Machine,
    Operation,
    Transaction,
    compile_lifecycle,
    evolve,
)
from kessai.machine.decide import decide, opened_tracks
from kessai.prove.agreements import is_ending
from kessai.prove.rules import Rules
from kessai.prove.states import (
    BrokenProperty,
    ProofState,
    proof_state,
    wrongs_at,
)
from kessai.prove.story import ProofStory, ReplayedStep, StoryStep, TransitionKind
from kessai.prove.wrongs import wrongs_of_step
from kessai.spec import Agreement, Lifecycle

AGREEMENT = "agreement-1"
NOT_POSSIBLE = "not_possible"
"""Why a step is refused that no machine is asked about: nothing such is open, say."""

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Replay:
    """One transaction of `lifecycle`, from its beginning, in `currency`.

    `agreement` is the replay of the agreement that it is under.

    Each method is a step and returns the replay. `wrong` is everything that does not
    hold so far: invariants, and the properties that `kessai.prove` proves.
    """

    def __init__(
        self,
        lifecycle: Lifecycle | Machine,
        currency: str | None = None,
        agreement: "Replay | None" = None,
    ) -> None:
        if isinstance(lifecycle, Lifecycle):
            code = currency or next(iter(lifecycle.currencies))
            lifecycle = compile_lifecycle(lifecycle.in_currency(code))
        self._machine = lifecycle
        self._rules = Rules(self._machine)
        self._transaction = Transaction(self._rules.lifecycle.identifier.sample)
        self._agreement = agreement
        self._now = _BEGINNING
        self._operations: list[str] = []
        self._replayed: list[ReplayedStep] = []
        self._is_over = False

    @property
    def transaction(self) -> Transaction:
        """The transaction as it stands."""
        return self._transaction

    @property
    def story(self) -> ProofStory:
        """What happened so far."""
        lifecycle = self._machine.lifecycle
        currency = lifecycle.currencies[self._rules.currency]
        under = None if self._agreement is None else self._agreement.story
        return ProofStory(lifecycle.name, currency, tuple(self._replayed), under)

    @property
    def wrong(self) -> tuple[BrokenProperty, ...]:
        """What does not hold, or did not on the way."""
        return self.story.wrong

    @property
    def refused(self) -> tuple[str, ...]:
        """Why the machine refused the last step; empty if it did not."""
        return self._replayed[-1].refused if self._replayed else ()

    def ends(self, needed: Agreement) -> bool:
        """Whether a charge may begin under this, though what is open will end it."""
        state = self._state()
        return state is not None and is_ending(needed, self._rules, state)

    # ── steps ───────────────────────────────────────────────────────────────────────

    def begins(
        self, command: str, amount: int | None = None, **flags: bool
    ) -> "Replay":
        """`command` is asked for; if it is allowed its operation is begun.

        `amount` is in minor units. `flags` are those of an opening command; what else
        it requires is filled in.
        """
        on = tuple(name for name, is_on in flags.items() if is_on)
        number = len(self._operations) + 1
        return self._take(StoryStep(TransitionKind.BEGINS, command, amount, number, on))

    def succeeds(self, operation: int, *, is_stated: bool = False) -> "Replay":
        """The gateway reports that the operation begun as number `operation` succeeded.

        With `is_stated` it names the amount that was asked for.
        """
        return self._ends(TransitionKind.SUCCEEDS, operation, is_stated=is_stated)

    def declines(self, operation: int) -> "Replay":
        """The gateway reports that it did not carry the operation out."""
        return self._ends(TransitionKind.DECLINES, operation)

    def external(self, command: str, amount: int | None = None) -> "Replay":
        """The gateway reports that it carried out what the engine did not ask for."""
        return self._take(StoryStep(TransitionKind.EXTERNAL, command, amount))

    def reverses(self, command: str, amount: int | None = None) -> "Replay":
        """The gateway reports that it took a success of `command` back."""
        return self._take(StoryStep(TransitionKind.REVERSES, command, amount))

    def lapses(self, deadline: str) -> "Replay":
        """The deadline passes."""
        return self._take(StoryStep(TransitionKind.LAPSES, deadline))

    def run(self, steps: Iterable[StoryStep]) -> "Replay":
        """All of `steps`."""
        for step in steps:
            self._take(step)
        return self

    # ── how ─────────────────────────────────────────────────────────────────────────

    def _ends(
        self, kind: TransitionKind, number: int, *, is_stated: bool = False
    ) -> "Replay":
        operation = self._open(number)
        name = "" if operation is None else operation.command
        amount = None if operation is None else operation.amount
        return self._take(StoryStep(kind, name, amount, number, (), is_stated))

    def _open(self, number: int) -> Operation | None:
        if not 0 < number <= len(self._operations):
            return None
        return self._transaction.operations.get(self._operations[number - 1])

    def _take(self, step: StoryStep) -> "Replay":
        if self._is_over:
            return self
        self._now += timedelta(seconds=1)
        event = self._event(step)
        if isinstance(event, Denial):
            self._add(step, event.codes, ())
            self._is_over = True
            return self
        if event is None:
            self._add(step, (NOT_POSSIBLE,), ())
            self._is_over = True
            return self
        before = self._state()
        after = evolve(self._machine, self._transaction, event)
        # An operator has dealt with whatever happened at the gateway unasked.
        self._transaction = attrs.evolve(after, unclaimed=())
        refused = (event.reason,) if isinstance(event, Discrepancy) else ()
        self._add(step, refused, tuple(self._wrongs(before, step, refused)))
        self._is_over = bool(refused)
        return self

    def _state(self) -> ProofState | None:
        if not self._transaction.exists:
            return None
        return proof_state(self._rules, self._transaction)

    def _wrongs(
        self, before: ProofState | None, step: StoryStep, refused: tuple[str, ...]
    ) -> dict[BrokenProperty, None]:
        after, found = self._state(), dict[BrokenProperty, None]()
        if step.kind is TransitionKind.SUCCEEDS or set(refused) <= {"state_conflict"}:
            found.update(
                dict.fromkeys(wrongs_of_step(self._rules, before, step, after))
            )
        if after is not None:
            found.update(dict.fromkeys(wrongs_at(self._rules, after)))
        needed = (
            self._machine.commands[step.name].spec.agreement if not before else None
        )
        if needed and not refused and self._agreement and self._agreement.ends(needed):
            found[BrokenProperty("agreement", step.name)] = None
        return found

    def _add(
        self,
        step: StoryStep,
        refused: tuple[str, ...],
        wrong: tuple[BrokenProperty, ...],
    ) -> None:
        states, amounts = self._transaction.states, self._transaction.amounts
        self._replayed.append(ReplayedStep(step, states, amounts, refused, wrong))

    def _event(self, step: StoryStep) -> Event | Denial | None:
        match step.kind:
            case TransitionKind.BEGINS:
                return self._begin(step)
            case TransitionKind.EXTERNAL | TransitionKind.REVERSES:
                taken_back = step.kind is TransitionKind.REVERSES
                outcome = Outcome.REVERSED if taken_back else Outcome.SUCCEEDED
                evidence = self._evidence(step.name, outcome, step.amount)
                return resolve_external(
                    self._machine, self._transaction, evidence, self._now
                )
            case TransitionKind.LAPSES:
                return self._lapse(step.name)
            case _:
                return self._end(step)

    def _begin(self, step: StoryStep) -> Event | Denial | None:
        rule = self._machine.commands.get(step.name)
        needed = rule.spec.agreement if rule is not None else None
        agreement = None
        if needed is not None and self._agreement is not None:
            agreement = self._agreement.transaction
        elif needed is not None:
            states = {needed.track: needed.state}
            agreement = Transaction(AGREEMENT, needed.lifecycle, states=states)
        command = self._command(step, None if agreement is None else agreement.id)
        if command is None:
            return None
        verdict = decide(
            self._machine, self._transaction, command, self._now, agreement
        )
        if isinstance(verdict, Denial):
            return verdict
        self._operations.append(verdict.id)
        opened = opened_tracks(self._machine, verdict)
        return Begun(self._now, verdict, command.agreement, opened)

    def _command(self, step: StoryStep, agreement: str | None) -> Command | None:
        try:
            return Command(
                step.name,
                self._transaction.id,
                key=f"key-{len(self._operations) + 1}",
                lifecycle=self._machine.name,
                agreement=agreement,
                amount=step.amount,
                currency=self._rules.currency,
                parameters=self._parameters(step),
            )
        except InvalidCommand:
            return None  # an amount that looks like a card number, for instance

    def _parameters(self, step: StoryStep) -> dict[str, Any]:
        rule = self._machine.commands.get(step.name)
        if rule is None:
            return {}
        declared = self._machine.lifecycle.parameters
        given = [*rule.spec.required, *step.flags]
        for name in given:  # it grows while it is gone through
            needed = declared[name].needs
            if needed is not None and needed not in given:
                given.append(needed)
        return {name: declared[name].sample() for name in given}

    def _end(self, step: StoryStep) -> Event | None:
        operation = self._open(step.operation)
        if operation is None:
            return None
        succeeded = step.kind is TransitionKind.SUCCEEDS
        outcome = Outcome.SUCCEEDED if succeeded else Outcome.DECLINED
        amount = operation.amount if step.is_stated else None
        evidence = self._evidence(operation.command, outcome, amount)
        return resolve(self._machine, self._transaction, operation, evidence, self._now)

    def _lapse(self, name: str) -> Event | None:
        ends = self._transaction.deadlines.get(name)
        if (
            ends is None
        ):  # it was never started here: the gateway reports that it passed
            evidence = self._evidence(EXPIRE, Outcome.SUCCEEDED, None)
            return resolve_external(
                self._machine, self._transaction, evidence, self._now
            )
        self._now = max(self._now, ends)
        for event in overdue(self._machine, self._transaction, self._now):
            if event.deadline == name:
                return event
        return None

    def _evidence(self, command: str, outcome: Outcome, amount: int | None) -> Evidence:
        return Evidence(
            source=Source.REPLY,
            transaction=self._transaction.id,
            command=command,
            outcome=outcome,
            amount=amount,
        )
