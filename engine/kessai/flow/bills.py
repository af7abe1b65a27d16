"""The bill of an agreement's period, and the charge of it: one, whatever its id or amount.

The store has one bill for an agreement and a period, which names the charge that has the
period. It is written before that charge is decided on, so a second charge is denied with
the first one named, whoever asks, and wherever. Only what ended without an effect makes
room for another charge.

    the shop asks to charge A in the period of 31 January, as A-7
        the bill (A, 31 January) is written: A-7 has the period
        A-7 goes the way of every command: intent, request, outcome
    somebody asks once more, as A-8
        the bill is there: A-8 is denied, and A-7 named
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import attrs
import msgspec
from msgspec.structs import replace

from kessai.errors import InvalidInput, LeaseLost, VersionConflict
from kessai.flow.answer import OPEN, Answer, Status
from kessai.flow.effects import (
    AddBills,
    Bill,
    ChunkLease,
    Flow,
    Load,
    Loaded,
    Now,
    WriteBill,
)
from kessai.flow.execute import answer_for, execute, to_answer
from kessai.flow.inquiry import Recovery
from kessai.flow.recover import recover
from kessai.flow.steps import Context
from kessai.machine import Command, Reason, Transaction
from kessai.machine.decide import REQUEST

Decide = Callable[[Bill, Answer, datetime], Bill]
"""What becomes of a bill after an answer to its charge, at a time."""

_WITHOUT_EFFECT = frozenset({Status.DECLINED, Status.DENIED})


def answered(bill: Bill, answer: Answer) -> Bill:
    """`bill` as the `answer` to its charge leaves it; nothing follows by itself."""
    reasons = "" if answer.denial is None else ", ".join(answer.denial.codes)
    code = "" if answer.evidence is None else answer.evidence.code or ""
    return replace(bill, status=answer.status.value, reason=reasons or code)


def charge_period(context: Context, command: Command, period: date) -> Flow[Answer]:
    """Carry out `command`, a charge of its agreement for the period of that date.

    Raises:
        InvalidInput: it names no agreement, or its id is the charge of another period.
        Others: see `execute`.

    """
    gate = _FirstOfPeriod(_bill_of(command, period))
    answer = yield from execute(context, command, gate=gate)
    if gate.standing is not None:
        yield from _note(gate.standing, answer)
    return answer


@attrs.define
class _FirstOfPeriod:
    """Lets a charge pass that has its period, or is the first to ask for it."""

    wanted: Bill
    standing: Bill | None = None
    """The bill that names it; None while another charge has the period."""

    @property
    def bill(self) -> tuple[str, date, int]:
        standing = self.standing or self.wanted
        return standing.agreement, standing.period, standing.version

    def ask(self, loaded: Loaded) -> Flow[Reason | None]:
        """See `Gate`: which charge was first is known once it is written."""
        del loaded
        self.standing = None
        found: list[Bill] = yield AddBills((self.wanted,))
        first = found[0] if found else self.wanted
        is_same = (first.charge, first.key) == (self.wanted.charge, self.wanted.key)
        if not is_same or first.status in _WITHOUT_EFFECT:
            first = yield from _as_it_stands(first)
            if first.status not in _WITHOUT_EFFECT or first.due_at is not None:
                return _is_taken(first)
            taken = replace(self.wanted, run=first.run, version=first.version + 1)
            yield WriteBill(taken)
            first = taken
        self.standing = first
        return None


def _bill_of(command: Command, period: date) -> Bill:
    if command.agreement is None:
        message = (
            f"{command.transaction}: a period is an agreement's; name the agreement"
        )
        raise InvalidInput(message)
    if type(period) is not date:
        message = "period: a date without a time is right"
        raise InvalidInput(message)
    return Bill(
        agreement=command.agreement,
        period=period,
        charge=command.transaction,
        key=command.key,
        command=command.name,
        amount=command.amount,
        currency=command.currency,
    )


def _as_it_stands(bill: Bill) -> Flow[Bill]:
    """`bill` as its charge stands by now: it may have ended since it was written."""
    if bill.due_at is not None:
        return bill  # it is planned, and tried again by itself
    loaded: Loaded = yield Load(bill.key, bill.charge)
    if loaded.recorded is None or loaded.recorded.transaction != bill.charge:
        return bill
    blank = Transaction(bill.charge)
    return answered(bill, to_answer(loaded.recorded, loaded.transaction or blank))


def _is_taken(first: Bill) -> Reason:
    values = {"period": first.period.isoformat(), "charge": first.charge}
    return Reason("period_taken", REQUEST, {"agreement": first.agreement, **values})


def _note(bill: Bill, answer: Answer) -> Flow[None]:
    """Write what came of a charge that the shop asked for, unless it is known already."""
    after = answered(bill, answer)
    if after == bill or bill.due_at is not None:
        return  # whoever carries out the plan finds the recorded answer
    try:
        yield WriteBill(replace(after, version=bill.version + 1))
    except VersionConflict:
        return  # another call with the same key was faster, and notes the same


def charge_bill(
    context: Context, bill: Bill, lease: ChunkLease, decide: Decide
) -> Flow[Bill]:
    """Charge a planned bill under a `lease` of its chunk, and write what comes of it.

    Asked again it sends nothing: the charge's key gives its recorded answer. What is
    still open then is inquired about first. `decide` says what follows.

    Raises:
        LeaseLost: somebody else has the chunk; nothing is written of what came of it.
        VersionConflict: the bill was written by somebody else.
        Others: see `execute`; the bill stays as it is.

    """
    answer = yield from execute(
        context, command_of(bill), gate=_AsPlanned(context, bill)
    )
    if answer.status in OPEN and answer.is_recorded:
        yield from recover(context, bill.charge, Recovery())
        answer = yield from answer_for(answer.transaction, bill.key)
    elif answer.denial is not None and "key_conflict" in answer.denial.codes:
        # The shop has asked for this very charge, in other words than the plan's.
        loaded: Loaded = yield Load(bill.key, bill.charge)
        if loaded.recorded is not None and loaded.recorded.transaction == bill.charge:
            answer = to_answer(loaded.recorded, answer.transaction)
    now: datetime = yield Now()
    after = replace(decide(bill, answer, now), version=bill.version + 1)
    yield WriteBill(after, lease)
    return after


def command_of(bill: Bill) -> Command:
    """The command that charges a planned bill.

    Raises:
        InvalidCommand: a field of it is none that a command could have.

    """
    return Command(
        bill.command,
        bill.charge,
        key=bill.key,
        agreement=bill.agreement,
        amount=bill.amount,
        currency=bill.currency,
        parameters=msgspec.json.decode(bill.parameters),
    )


@attrs.define
class _AsPlanned:
    """Lets a planned charge pass whose bill and agreement are what they were."""

    context: Context
    planned: Bill
    was_asked: bool = False

    @property
    def bill(self) -> tuple[str, date, int]:
        return self.planned.agreement, self.planned.period, self.planned.version

    def ask(self, loaded: Loaded) -> Flow[Reason | None]:
        """See `Gate`.

        Raises:
            LeaseLost: somebody else has written the bill since.

        """
        planned, agreement = self.planned, loaded.agreement
        if self.was_asked:  # somebody was faster: with the bill, or with the agreement
            (standing,) = yield AddBills((planned,))
            if standing.version != planned.version:
                message = f"{planned.charge}: its bill was written by another since"
                raise LeaseLost(message)
        self.was_asked = True
        if agreement is None:
            return None  # the lifecycle has its own reason
        current = terms_of(self.context, planned.command, agreement)
        if current == planned.terms:
            return None
        values = {"planned": planned.terms or "-", "current": current or "-"}
        named = {"agreement": planned.agreement, **values}
        return Reason("agreement_differs", REQUEST, named)


def charging_command(context: Context, agreement: Transaction) -> str | None:
    """The command that charges an agreement of its lifecycle; None if none does."""
    for machine in context.machines.current:
        for name, command in machine.commands.items():
            needed = command.spec.agreement
            if needed is not None and needed.lifecycle == agreement.lifecycle:
                return name
    return None


def terms_of(context: Context, command: str, agreement: Transaction) -> str:
    """What was agreed: the amounts that an agreement has and its charges have not.

    A text that compares: `agreed=980`. A change of it ends what was planned under it.
    """
    names = set(agreement.amounts)
    for machine in context.machines.current:
        rule = machine.commands.get(command)
        needed = None if rule is None else rule.spec.agreement
        if needed is not None and needed.lifecycle == agreement.lifecycle:
            names -= set(machine.lifecycle.amounts)
    amounts: Any = agreement.amounts
    return " ".join(f"{name}={amounts[name]}" for name in sorted(names))
