"""Every lifecycle against the gateway's stand-in, by commands made from its own file.

The gateway keeps its own books and its own rules. Two machines play against it:

- `Faultless`: nothing goes wrong, so the two must agree both ways at every step. What
  the engine allows the gateway carries out; what the engine denies for its state the
  gateway's own rule refuses too.
- `Faulty`: requests and replies get lost, notifications come twice, late, in any order
  or not at all, the process dies in the middle of a call, someone works in the
  gateway's portal, a month passes. Whatever happened, once all of it is resolved the
  two sets of books agree to the yen, and at no moment has the engine counted more than
  happened.

Names of commands, parameters and bounds of amounts come from the lifecycle files; a new
command in a file is played without a change here.

With the environment variable HYPOTHESIS_PROFILE set to `long`, many more and longer
histories are played.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import attrs
from counting import Counted, in_steps, play
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kessai import (
    Command,
    Engine,
    MemoryStore,
    Missing,
    NotificationNotConfirmed,
    Recovery,
    Status,
)
from kessai.gateway import Failure, Reply
from kessai.machine import broken_invariants, fold, read_record
from kessai.machine.decide import amount_bounds
from kessai.spec import FlagParameter, FrequencyParameter
from kessai_adapters.emulators import Fault, Lost, NotConnected, OutOfPlay
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    OwnFault,
    Payment,
    Refused,
    Result,
    rules,
)
from kessai_adapters.emulators.veritrans4g import Command as Wire
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G
from kessai_adapters.veritrans4g.commands import COMMANDS

NOTIFICATION_URL = "https://shop.example/push"

FAULTS = (*Fault, *OwnFault)
MOMENTS = (
    timedelta(seconds=1),
    timedelta(minutes=11),
    timedelta(days=1),
    timedelta(days=29, hours=23),
    timedelta(days=30),
    timedelta(days=31),
)


class DiedError(Exception):
    """The process ended in the middle of a call; nobody is left to hear the reply."""


def die():
    raise DiedError


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.now = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)

    def __call__(self):
        return self.now


@attrs.define
class Line:
    """The wire to the emulator, and what happens while a request is on it."""

    emulator: Emulator
    before: object = None
    after: object = None
    forbidden: bool = False

    def send(self, request):
        assert not self.forbidden
        before, self.before = self.before, None
        after, self.after = self.after, None
        if before is not None:
            before()
        answer = self._carry(request)
        if after is not None:
            after()
        return answer

    def _carry(self, request):
        path = request.url.removeprefix("https://api3.veritrans.co.jp")
        try:
            reply = self.emulator.handle(
                request.method, path, dict(request.headers), request.body
            )
        except Lost as lost:
            sent = not isinstance(lost, NotConnected)
            return Failure(sent=sent, reason=type(lost).__name__)
        return Reply(status=reply.status, body=reply.body)

    def close(self):
        pass


def parameter_values(lifecycle, name):
    """The values that the lifecycle declares for a parameter."""
    declared = lifecycle.parameters[name]
    if isinstance(declared, FlagParameter):
        return st.booleans()
    if isinstance(declared, FrequencyParameter):
        return st.sampled_from(sorted(declared.limits)).flatmap(
            lambda unit: st.fixed_dictionaries(
                {"unit": st.just(unit), "value": st.integers(1, declared.limits[unit])}
            )
        )
    if name.endswith("_url"):
        return st.just(f"https://shop.example/{name}")
    most = min([*declared.limits.values(), 9])
    return st.text(alphabet="aあ&", min_size=1, max_size=most)


@st.composite
def parameters(draw, lifecycle, spec):
    """The parameters of a command: the required, some of the optional, and company."""
    notifications = {
        name for name in spec.optional if name.endswith("notification_url")
    }
    optional = sorted(set(spec.optional) - notifications)
    chosen = list(spec.required)
    if optional:
        chosen += draw(st.lists(st.sampled_from(optional), unique=True, max_size=3))
    values = {name: draw(parameter_values(lifecycle, name)) for name in chosen}
    for name in tuple(values):
        needed = lifecycle.parameters[name].needs
        if needed is None:
            continue
        flag = needed in lifecycle.flags
        values.setdefault(
            needed, True if flag else draw(parameter_values(lifecycle, needed))
        )
        if flag:
            values[needed] = True
    return values


def amounts(bounds):
    """Amounts around the bounds, mostly within."""
    if bounds is None:
        return st.none()
    low, high = bounds.minimum, bounds.maximum
    around = {low - 1, low, (low + high) // 2, high - 1, high, high + 1}
    inside = sorted(a for a in around if low <= a <= high) or [low]
    some = st.sampled_from(inside)
    small = st.integers(low, max(low, min(high, 100)))
    default = [] if bounds.default is None else [st.none()]
    return st.one_of(some, small, some, *default, st.sampled_from(sorted(around)))


class Play(Counted, RuleBasedStateMachine):
    """A merchant, the gateway, a consumer, and a handful of orders of every kind."""

    ids_each = 3

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.emulator = Emulator(clock=self.clock, approve="ask")
        self.line = Line(self.emulator)
        self.engine = Engine(
            adapters=[
                VeriTrans4G(
                    Credentials(DEFAULT_CCID, DEFAULT_KEY),
                    dummy=True,
                    notification_url=NOTIFICATION_URL,
                )
            ],
            store=MemoryStore(),
            transport=self.line,
            clock=self.clock,
        )
        self.machines = {machine.name: machine for machine in self.engine.machines}
        self.mail = []
        self.asked = []

    # ── what there is ──────────────────────────────────────────────────────────────

    def ids(self, lifecycle):
        return [f"{lifecycle}-{number}" for number in range(self.ids_each)]

    def all_ids(self):
        return [name for machine in self.machines for name in self.ids(machine)]

    def begun(self):
        transactions = self.engine.store.transactions()
        return [transaction for transaction in transactions if transaction.exists]

    def begun_ids(self):
        return [transaction.id for transaction in self.begun()]

    def machine_of(self, transaction):
        return self.machines[transaction.lifecycle]

    def spec_of(self, command):
        name = command.lifecycle or command.transaction.partition("-")[0]
        return self.machines[name].commands[command.name].spec

    # ── one command ────────────────────────────────────────────────────────────────

    def compose(self, data, machine, identity, name):
        """A command as the lifecycle file describes it."""
        spec = machine.commands[name].spec
        if identity in self.begun_ids():
            bounds = self.engine.can(identity, name)[0].bounds
        else:
            rule = machine.commands[name]
            bounds = amount_bounds(rule, {**machine.zeros, **machine.flags_off}, "JPY")
        agreement = None
        if spec.agreement is not None:
            ids = self.ids(spec.agreement.lifecycle)
            track, state = spec.agreement.track, spec.agreement.state
            good = [t.id for t in self.begun() if t.states.get(track) == state]
            agreement = data.draw(st.sampled_from(good * 3 + ids), label="agreement")
        return Command(
            name,
            identity,
            key=f"key-{len(self.asked)}",
            lifecycle=machine.name if spec.is_opening else None,
            agreement=agreement,
            amount=data.draw(amounts(bounds), label="amount"),
            parameters=data.draw(parameters(machine.lifecycle, spec), label="with"),
        )

    def applicable(self):
        """Ids not used yet; those of charges only where there is something to charge."""
        known = self.begun()
        agreed = any(t.states.get("consent") == "consented" for t in known)
        ids = [name for name in self.all_ids() if name not in self.begun_ids()]
        return [name for name in ids if agreed or not name.startswith("charge")]

    def draw_opening(self, data):
        identity = data.draw(st.sampled_from(self.applicable()), label="id")
        return self.compose_opening(data, identity)

    def compose_opening(self, data, identity):
        machine = self.machines[identity.rpartition("-")[0]]
        names = [n for n, rule in machine.commands.items() if rule.spec.is_opening]
        name = data.draw(st.sampled_from(sorted(names)), label="command")
        return self.compose(data, machine, identity, name)

    def draw_possible(self, data):
        """A command that the engine would carry out, with an amount of any kind."""
        possible = [
            (transaction.id, possibility.command)
            for transaction in self.begun()
            for possibility in self.engine.can(transaction.id)
            if possibility.is_allowed
        ]
        if not possible:
            return None
        # By name first: what is possible nearly always shall not crowd out the rest.
        names = sorted({name for _, name in possible})
        name = data.draw(st.sampled_from(names), label="command")
        ids = [identity for identity, other in possible if other == name]
        identity = data.draw(st.sampled_from(ids), label="id")
        machine = self.machines[identity.rpartition("-")[0]]
        return self.compose(data, machine, identity, name)

    def draw_anything(self, data):
        name = data.draw(st.sampled_from(sorted(self.machines)), label="lifecycle")
        machine = self.machines[name]
        identity = data.draw(st.sampled_from(self.ids(name)), label="id")
        name = data.draw(st.sampled_from(sorted(machine.commands)), label="command")
        return self.compose(data, machine, identity, name)

    def execute(self, command):
        """Carry out a command, and check that its answer was foretold."""
        denial, possible = self.foretold(command)
        self.asked.append(command)
        answer = self.engine.execute(command)
        note(f"{command.name} {command.transaction}: {answer.status}")
        self.check_foretold(command, denial, possible, answer)
        return answer

    def waiting_for_a_consumer(self):
        return [
            order.order_id
            for order in self.emulator.books
            if order.application.result is Result.PENDING and not order.held
        ]

    def foretold(self, command):
        """What the engine answers beforehand: by `can`, and by `preview`."""
        denial = self.engine.preview(command)
        possible = None
        if command.transaction in self.begun_ids():
            (possible,) = self.engine.can(command.transaction, command.name)
        return denial, possible

    def check_foretold(self, command, denial, possible, answer):
        denied = answer.status is Status.DENIED
        assert denied == (denial is not None), (denial, answer)
        if denied:
            assert answer.denial.codes == denial.codes
        if possible is None:
            return
        bounds, amount = possible.bounds, command.amount
        fits = (
            bounds is None
            or amount is None
            or (bounds.minimum <= amount <= bounds.maximum)
        )
        missing = bounds is not None and amount is None and bounds.default is None
        asks = possible.asks_first(amount)
        assert denied == (not possible.is_allowed or not fits or missing or asks), (
            possible,
            answer,
        )
        if not possible.is_allowed:
            # Of amounts `can` judges the one taken when none is given.
            codes = {c for c in possible.denial.codes if not c.startswith("amount_")}
            assert codes - {"external_unclaimed"} <= set(answer.denial.codes)

    # ── what must hold at every step ────────────────────────────────────────────────

    @invariant()
    def amounts_hold(self):
        for transaction in self.begun():
            assert not broken_invariants(self.machine_of(transaction), transaction)

    @invariant()
    def nothing_is_counted_that_did_not_happen(self):
        for transaction in self.begun():
            if transaction.id not in self.emulator.books:
                assert not transaction.amounts["captured"]
                continue
            order = self.emulator.books[transaction.id]
            assert transaction.amounts["captured"] <= order.captured
            assert transaction.amounts["refunded"] <= order.refunded

    @invariant()
    def the_trail_gives_the_state(self):
        for transaction in self.begun():
            head, events = "", []
            for record in self.engine.store.records(transaction.id):
                events.append(read_record(record, head).event)
                head = record.hash
            again = fold(self.machine_of(transaction), events, transaction.id)
            assert attrs.evolve(again, head=head) == transaction

    # ── the end ────────────────────────────────────────────────────────────────────

    def books_agree(self):
        for transaction in self.begun():
            assert not transaction.operations, transaction
            if transaction.id not in self.emulator.books:
                assert set(transaction.states.values()) == {"failed"}
                continue
            order = self.emulator.books[transaction.id]
            states = {
                **({} if order.payment is Payment.NONE else {"payment": order.payment}),
                **({} if order.consent is None else {"consent": order.consent}),
            }
            assert transaction.states == states, (transaction, order)
            for name in ("authorized", "captured", "released", "refunded"):
                theirs = getattr(order, name)
                assert transaction.amounts[name] == theirs, (name, transaction, order)
            assert order.refunding == 0
        known = {transaction.id for transaction in self.begun()}
        assert {order.order_id for order in self.emulator.books} <= known


class Faultless(Play):
    """Nothing goes wrong: the engine and the gateway agree both ways."""

    @initialize(data=st.data())
    def begin(self, data):
        for identity in ("one_time-0", "recurring-0"):
            self.carry_out(self.compose_opening(data, identity))
            with suppress(OutOfPlay):
                self.emulator.consumer.approve(identity)
        self.deliver()

    @precondition(Play.applicable)
    @rule(data=st.data())
    def opening(self, data):
        self.carry_out(self.draw_opening(data))

    @rule(data=st.data())
    def command(self, data):
        command = self.draw_possible(data)
        if command is not None:
            self.carry_out(command)

    @rule(data=st.data())
    def one_more_command(self, data):
        self.command(data)

    @rule(data=st.data())
    def any_command(self, data):
        self.carry_out(self.draw_anything(data))

    def carry_out(self, command):
        answer = self.execute(command)
        if answer.status is not Status.DENIED:
            spec = self.spec_of(command)
            waits = spec.is_opening and spec.agreement is None
            wanted = Status.PENDING if waits else Status.SUCCEEDED
            assert answer.status is wanted, (answer, self.emulator.books)
            if waits:
                self.emulator.consumer.log_in(command.transaction)
        self.deliver()

    @precondition(Play.waiting_for_a_consumer)
    @rule(
        data=st.data(),
        how=st.sampled_from(
            ["approve", "approve", "approve", "decline", "refuse_card"]
        ),
    )
    def consumer(self, data, how):
        identity = data.draw(st.sampled_from(self.waiting_for_a_consumer()))
        with suppress(OutOfPlay):
            getattr(self.emulator.consumer, how)(identity)
        self.deliver()

    @rule(moment=st.sampled_from(MOMENTS))
    def time_passes(self, moment):
        self.clock.now += moment
        for transaction in self.begun():
            self.engine.sweep(transaction.id)

    def deliver(self):
        for notification in self.emulator.take_notifications():
            self.engine.receive_notification(notification.headers, notification.body)

    @invariant()
    def both_allow_the_same(self):
        for transaction in self.begun():
            order = self.emulator.books.find(transaction.id, self.clock())
            for possible in self.engine.can(transaction.id):
                spec = self.machine_of(transaction).commands[possible.command].spec
                if spec.is_opening:
                    continue
                bounds = possible.bounds
                for amount in self.probes(bounds):
                    fits = bounds is None or bounds.minimum <= amount <= bounds.maximum
                    theirs = self.gateway_allows(order, possible.command, amount)
                    ours = possible.is_allowed and fits
                    assert ours == theirs, (possible, amount, order)

    @staticmethod
    def probes(bounds):
        if bounds is None:
            return (None,)
        edges = {1, bounds.minimum, bounds.maximum, bounds.maximum + 1}
        return sorted(amount for amount in edges if amount > 0)

    def gateway_allows(self, order, name, amount):
        wire = Wire(COMMANDS[name])
        if wire is Wire.UPDATE_CONSENT and amount > rules.MOST_RECURRING:
            return False  # refused with the parameters, before the order is looked at
        try:
            rules.allow(order, wire, amount)
        except Refused:
            return False
        return True

    @invariant()
    def both_allow_the_same_charges(self):
        for transaction in self.begun():
            if transaction.lifecycle != "recurring":
                continue
            asked = Command(
                "reauthorize",
                "charge-new",
                key="-",
                lifecycle="charge",
                agreement=transaction.id,
                amount=1,
            )
            try:
                rules.allow_reauthorization(self.emulator.books[transaction.id])
            except Refused:
                assert self.engine.preview(asked) is not None
            else:
                assert self.engine.preview(asked) is None

    def teardown(self):
        for identity in self.all_ids():
            with suppress(OutOfPlay):
                self.emulator.consumer.decline(identity)
        for identity in self.waiting_for_a_consumer():  # their sessions have lapsed
            self.emulator.portal.expire(identity)
        self.deliver()
        self.books_agree()


class Faulty(Play):
    """Everything goes wrong, and in the end the books agree."""

    @initialize(data=st.data())
    def begin(self, data):
        for identity in ("one_time-0", "recurring-0"):
            self.opening_by(self.compose_opening(data, identity), "now")
        self.deliver_all()

    @precondition(Play.applicable)
    @rule(data=st.data(), approve=st.sampled_from(["now", "now", "ask", "decline"]))
    def opening(self, data, approve):
        self.opening_by(self.draw_opening(data), approve)

    def opening_by(self, command, approve):
        self.emulator.approve = approve
        self.carry_out(command)

    @rule(data=st.data())
    def command(self, data):
        command = self.draw_possible(data)
        if command is not None:
            self.carry_out(command)

    @rule(data=st.data())
    def one_more_command(self, data):
        self.command(data)

    @rule(data=st.data())
    def a_third_command(self, data):
        self.command(data)

    @rule(data=st.data())
    def any_command(self, data):
        self.carry_out(self.draw_anything(data))

    @rule(data=st.data(), fault=st.sampled_from(FAULTS))
    def a_command_that_suffers(self, data, fault):
        command = self.draw_possible(data)
        if command is None:
            return
        with suppress(ValueError):  # a read cannot be pending
            self.emulator.misbehave(fault, command=COMMANDS[command.name])
        self.carry_out(command)

    def carry_out(self, command):
        with suppress(DiedError):
            self.execute(command)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def the_same_key_again(self, data):
        command = data.draw(st.sampled_from(self.asked))
        recorded = self.engine.store.load(command.key, "-", None).recorded
        if recorded is None or self.spec_of(command).reads:
            return
        if recorded.outcome == "denied":  # it is decided anew, as any wish
            self.carry_out(command)
            return
        before = self.engine.store.load(None, command.transaction, None).transaction
        self.line.forbidden = True
        answer = self.engine.execute(command)
        self.line.forbidden = False
        assert answer.is_recorded
        assert answer.transaction == before
        if command.amount is not None:
            other = attrs.evolve(command, amount=command.amount + 1)
            assert self.engine.execute(other).denial.codes == ("key_conflict",)

    # ── what goes wrong ────────────────────────────────────────────────────────────

    @rule(
        data=st.data(),
        event=st.sampled_from(["fault", "death", "recovery", "notification"]),
    )
    def the_next_exchange_suffers(self, data, event):
        match event:
            case "fault":
                fault = data.draw(st.sampled_from(FAULTS))
                wire = data.draw(st.sampled_from([None, *Wire]))
                with suppress(ValueError):  # a read cannot be pending
                    self.emulator.misbehave(fault, command=wire)
            case "death" if data.draw(st.booleans(), label="before"):
                self.line.before = die
            case "death":
                self.line.after = die
            case "recovery":  # someone recovers while the reply is on its way
                missing = data.draw(st.sampled_from(Missing))
                self.line.after = lambda: self.engine.recover(Recovery(missing=missing))
            case "notification":  # the notification overtakes the reply
                self.line.after = self.deliver_all

    # ── what others do ─────────────────────────────────────────────────────────────

    @precondition(Play.waiting_for_a_consumer)
    @rule(
        data=st.data(),
        how=st.sampled_from(
            ["log_in", "approve", "approve", "decline", "refuse_card", "close_browser"]
        ),
    )
    def consumer(self, data, how):
        identity = data.draw(st.sampled_from(self.waiting_for_a_consumer()))
        with suppress(OutOfPlay):
            getattr(self.emulator.consumer, how)(identity)

    def gateways_ids(self):
        return [order.order_id for order in self.emulator.books]

    @precondition(gateways_ids)
    @rule(data=st.data(), how=st.sampled_from(["complete", "fail"]))
    def pending_ends(self, data, how):
        identity = data.draw(st.sampled_from(self.gateways_ids()))
        with suppress(OutOfPlay):
            getattr(self.emulator, how)(identity)

    @precondition(gateways_ids)
    @rule(
        data=st.data(),
        act=st.sampled_from(["capture", "cancel", "refund", "terminate", "expire"]),
    )
    def portal(self, data, act):
        identity = data.draw(st.sampled_from(self.gateways_ids()))
        asked = []
        if act in {"capture", "refund"}:
            asked = [data.draw(st.sampled_from([None, 1, 50]))]
        with suppress(Refused):
            getattr(self.emulator.portal, act)(identity, *asked)

    @rule(moment=st.sampled_from((*MOMENTS[:2] * 3, *MOMENTS)))
    def time_passes(self, moment):
        self.clock.now += moment

    # ── what resolves it ────────────────────────────────────────────────────────────

    @rule(data=st.data(), missing=st.sampled_from(Missing), whole=st.booleans())
    def recover(self, data, missing, whole):
        with suppress(DiedError):
            if whole:
                self.engine.recover(Recovery(missing=missing))
            else:
                identity = data.draw(st.sampled_from(self.all_ids()))
                self.engine.recover_transaction(identity, Recovery(missing=missing))

    @rule()
    def sweep(self):
        """As one should: the gateway is asked before the clock alone decides."""
        self.line.before = self.line.after = None
        self.emulator.behave()
        for transaction in self.begun():
            self.engine.recover_transaction(transaction.id)
            self.engine.sweep(transaction.id)

    @rule(data=st.data(), batch=st.booleans(), lost=st.booleans())
    def a_notification_arrives(self, data, batch, lost):
        self.mail += self.emulator.take_notifications(batch=batch)
        if self.mail:
            place = data.draw(st.sampled_from(range(len(self.mail))))
            self.take_in(self.mail[place])
            if lost:  # otherwise it may come again
                del self.mail[place]

    def deliver_all(self):
        self.mail += self.emulator.take_notifications()
        for notification in self.mail:
            self.take_in(notification)

    def take_in(self, notification):
        with suppress(NotificationNotConfirmed, DiedError):
            self.engine.receive_notification(notification.headers, notification.body)

    def teardown(self):
        self.line.before = self.line.after = None
        self.emulator.behave()
        for order in list(self.emulator.books):
            while any(e.result is Result.PENDING for e in order.exchanges):
                try:
                    self.emulator.complete(order.order_id)
                except OutOfPlay:
                    self.emulator.portal.expire(order.order_id)
        # Twice: what stood in the way of a piece of evidence ends in the first round.
        for _ in range(2):
            self.clock.now += timedelta(hours=1)
            for identity in self.all_ids():
                self.engine.recover_transaction(
                    identity, Recovery(missing=Missing.DECLINE)
                )
                self.engine.sweep(identity)
        for order in self.emulator.books:
            self.emulator.books.find(order.order_id, self.clock())
        self.deliver_all()
        self.books_agree()


@in_steps("faultless")
def test_without_faults_the_engine_and_the_gateway_agree_at_every_step(steps):
    play(Faultless, steps)


@in_steps("faulty")
def test_whatever_goes_wrong_the_books_agree_in_the_end(steps):
    play(Faulty, steps)
