"""Stories of one transaction, told in a line: `authorize 1000, capture 600, refund? 60`.

A command succeeds unless a mark says otherwise: `?` leaves it without an answer, `!`
has it declined. Digits are the amount, words are flags; `expire` lets 30 days pass and
moves the transaction over its deadline. `close` is an operator's word that what nobody
claims is another thing.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

from kessai import Command, Denial, Operation, Transaction, load_shipped
from kessai.evidence.attempts import Attempts, Case
from kessai.evidence.outcome import overdue, resolve
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Begun, Closed, append, compile_lifecycle, decide
from kessai.machine.decide import opened_tracks

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MONTHLY = {"unit": "Month", "value": 1}
MARKS = {"?": None, "!": Outcome.DECLINED}


@cache
def machine_of(lifecycle: str):
    return compile_lifecycle(load_shipped(lifecycle))


class Story:
    """A transaction, its machine and its trail, at a time moved by hand."""

    def __init__(self, lifecycle: str, history: str = "", name: str = "order-1"):
        self.machine = machine_of(lifecycle)
        self.transaction = Transaction(name)
        self.events = []
        self.records = []
        self.now = NOW
        for step in filter(None, map(str.strip, history.split(","))):
            self.tell(step)

    def tell(self, step: str):
        """Carry out one step of the line; returns the operation."""
        name, *words = step.split()
        if name == "expire":
            self.now += timedelta(days=30)
            for event in list(overdue(self.machine, self.transaction, self.now)):
                self.append(event)
            return None
        if name == "close":
            here = self.transaction
            self.close(*here.discrepancies, *here.unclaimed_events)
            return None
        outcome = MARKS.get(name[-1], Outcome.SUCCEEDED)
        amounts = [int(word) for word in words if word.isdigit()]
        flags = {word: True for word in words if not word.isdigit()}
        operation = self.begin(name.rstrip("?!"), *amounts, **flags)
        if outcome is not None:
            self.resolve(operation, outcome)
        return operation

    def command(
        self, name, amount=None, *, key="key", lifecycle=None, currency=None, **given
    ):
        """A command on this transaction, with what it needs to be well-formed."""
        rule = self.machine.commands.get(name)
        agreement = given.pop("agreement", None)
        if rule is not None and "frequency" in rule.spec.required:
            given.setdefault("frequency", MONTHLY)
        if given.get("merchant_page"):
            given.setdefault("merchant_page_url", "https://shop.example/confirm")
        return Command(
            name,
            self.transaction.id,
            key=key,
            lifecycle=lifecycle,
            agreement=agreement,
            amount=amount,
            currency=currency,
            parameters={k: v for k, v in given.items() if v is not None},
        )

    def ask(self, name, amount=None, *, under=None, **given):
        """What the machine decides; `under` is the story of the agreement."""
        if under is not None:
            given.setdefault("agreement", under.transaction.id)
        command = self.command(name, amount, **given)
        agreement = None if under is None else under.transaction
        return decide(self.machine, self.transaction, command, self.now, agreement)

    def codes(self, name, amount=None, **given):
        """The codes of a denial in their order, or `ok`."""
        verdict = self.ask(name, amount, **given)
        return " ".join(verdict.codes) if isinstance(verdict, Denial) else "ok"

    def begin(self, name, amount=None, *, prepared=False, **given):
        rule = self.machine.commands[name].spec
        if rule.agreement is not None:
            given.setdefault("under", CONSENT)
        given.setdefault("key", f"key-{self.transaction.version + 1}")
        operation = self.ask(name, amount, **given)
        assert isinstance(operation, Operation), str(operation)
        opened = opened_tracks(self.machine, operation)
        under = given.get("under")
        agreement = None if under is None else under.transaction.id
        begun = Begun(self.now, operation, agreement, opened, prepared=prepared)
        self.append(begun)
        return operation

    def resolve(self, operation, outcome=Outcome.SUCCEEDED, amount=None, **more):
        """Weigh evidence of an open operation; what it makes enters the trail."""
        evidence = self.evidence(operation.command, outcome, amount, **more)
        current = self.transaction.operations[operation.id]
        event = resolve(self.machine, self.transaction, current, evidence, self.now)
        if event is not None:
            self.append(event)
        return event

    def evidence(self, command, outcome=Outcome.SUCCEEDED, amount=None, **more):
        more.setdefault("source", Source.REPLY)
        return Evidence(
            transaction=self.transaction.id,
            command=command,
            outcome=outcome,
            amount=amount,
            **more,
        )

    def close(self, *numbers):
        """Close the events of these numbers, as an operator does."""
        found = self.evidence(None, source=Source.OPERATOR, actor="sato", note="seen")
        for number in numbers:
            self.append(Closed(self.now, number, found))

    def append(self, event):
        self.transaction, record = append(self.machine, self.transaction, event)
        self.events.append(event)
        self.records.append(record)

    @property
    def attempts(self):
        """What the trail is folded into, as evidence is weighed against it."""
        return Attempts(self.events)

    @property
    def case(self):
        return Case(self.machine, self.transaction, self.attempts, self.now)

    @property
    def status(self):
        return self.transaction.status

    def amounts(self, *names):
        return tuple(self.transaction.amounts[name] for name in names)


CONSENT = Story("recurring", "authorize 500 consent_only", "agreement-1")
