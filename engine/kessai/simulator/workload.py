"""What order systems ask for: possible things mostly, repeated ones, and nonsense.

Owns the orders that are alive and the commands that were asked for. What is possible
comes from the lifecycle files, by way of the engine's own machines.
"""

from collections import deque

import attrs

from kessai.errors import SafeToResend
from kessai.machine import Command, Machine, Transaction, possibility
from kessai.machine.decide import amount_bounds
from kessai.simulator.commands import (
    currency_for,
    is_in_force,
    opening_of,
    parameters_for,
    possible_names,
    right_amount,
    wrong_amount,
)
from kessai.simulator.faults import Fault
from kessai.simulator.moves import Ask, WorldMove
from kessai.simulator.randomness import Randomness
from kessai.simulator.tasks import Role, Task
from kessai.simulator.world import World
from kessai.spec import Agreement

ORDERS = 7
"""How many orders are alive at once."""

_LIFE = (6, 30)


@attrs.define
class Live:
    """An order that commands are asked for, and how many more."""

    order: str
    machine: Machine
    left: int


class Workload:
    """The order systems of a world; `queue` takes what must come right after."""

    def __init__(
        self, world: World, randomness: Randomness, queue: deque[WorldMove]
    ) -> None:
        self._world = world
        self._randomness = randomness
        self.queue = queue
        self.asked: list[Command] = []
        self.live: list[Live] = []
        self._orders = 0
        self._machines = list(world.context.machines.current)
        self._accounts = world.gateway.accounts

    def ask(self) -> WorldMove | None:
        """An order system asks; None when all orders must wait for something."""
        if self._world.retries and self._randomness.happens(0.6):  # some give up
            again = self._again(self._world.retries.pop())
            if again is not None:
                return self._worker(again)
        if self.asked and self._randomness.happens(0.05):  # what was asked before
            return self._once_more(self._randomness.rng.choice(self.asked[-20:]))
        if self._randomness.injects(Fault.TERMINATION_RACE, 0.05):
            race = self._termination_race()
            if race is not None:
                return race
        command = self._compose()
        return None if command is None else self._with_company(command)

    def ask_again(self, command: Command) -> WorldMove:
        """An order system asks for what it asked for before, as often as it likes."""
        return self._worker(command)

    def _with_company(self, command: Command) -> WorldMove:
        """A worker for `command`, and perhaps another who meets it."""
        if self._randomness.injects(Fault.OTHER_PARAMETERS, 0.01):
            other = self._apply(self._new(self._machines[0]))
            other = attrs.evolve(other, key=command.key)
            self.queue.append(self._worker(other, Fault.OTHER_PARAMETERS))
        elif self._randomness.injects(Fault.SAME_KEY, 0.03):
            self.queue.append(self._worker(command, Fault.SAME_KEY))
        elif self._randomness.injects(Fault.TWO_WORKERS, 0.05):
            twin = attrs.evolve(command, key=self._key())
            self.queue.append(self._worker(twin, Fault.TWO_WORKERS))
        return self._worker(command)

    def _again(self, task: Task) -> Command | None:
        """The same command: under another key only if the error states that it is safe."""
        command = task.command
        if command is None:
            return None
        is_safe = isinstance(task.outcome, SafeToResend)
        # What was begun before stands under its key, whatever became of carrying it out.
        if is_safe and task.role is not Role.CARRIER and self._randomness.happens(0.5):
            return attrs.evolve(command, key=self._key())
        return command

    def _once_more(self, command: Command) -> WorldMove:
        if self._randomness.injects(Fault.OTHER_PARAMETERS, 0.3):
            amount = (command.amount or 0) + 1
            other = attrs.evolve(command, amount=amount)
            return self._worker(other, Fault.OTHER_PARAMETERS)
        return self._worker(command)

    def _worker(self, command: Command, fault: Fault | None = None) -> Ask:
        self.asked.append(command)
        number, skew = self._randomness.number(), self._randomness.skew()
        account = self._randomness.account(self._accounts, 0.03)
        return Ask(number, command, skew, fault, account)

    def _key(self) -> str:
        return f"key-{len(self.asked)}-{self._randomness.rng.randrange(1000)}"

    def _compose(self) -> Command | None:
        """A command for one of the orders; None when all must wait for something."""
        live = self._alive()
        transaction = self._world.transaction(live.order)
        if not transaction.exists:
            return self._begin(live)
        if self._randomness.happens(0.06):  # the impossible is asked too
            return self._anything(live, transaction)
        name = self._possible(live, transaction)
        return None if name is None else self._follow(live, transaction, name)

    def _begin(self, live: Live) -> Command | None:
        """An opening command; where there is no agreement for it, hardly ever."""
        live.left -= 1
        needed = opening_of(live.machine).spec.agreement
        if needed is not None and not self._agreements(needed):
            live.left = 0
            if not self._randomness.happens(0.1):
                return None
        return self._apply(live)

    def _possible(self, live: Live, transaction: Transaction) -> str | None:
        """A command that is possible now; an order without any is soon forgotten."""
        machine, now = live.machine, self._world.now
        names = possible_names(machine, transaction)
        live.left -= 1 if names else live.left
        self._randomness.rng.shuffle(names)
        for name in names:
            if possibility(machine, transaction, name, now).is_allowed:
                return name
        return None

    def _follow(self, live: Live, transaction: Transaction, name: str) -> Command:
        rule = live.machine.commands[name]
        bounds = amount_bounds(rule, transaction.names(None), transaction.currency)
        wrong = self._randomness.happens(0.04)  # amounts are checked
        choose = wrong_amount if wrong else right_amount
        amount = choose(self._randomness, bounds)
        return Command(
            name,
            live.order,
            key=self._key(),
            amount=amount if amount is None or amount >= 0 else 0,
            parameters=parameters_for(self._randomness, live.machine, rule.spec),
        )

    def _anything(self, live: Live, transaction: Transaction) -> Command:
        name = self._randomness.rng.choice(list(live.machine.commands))
        if live.machine.commands[name].spec.is_opening:
            return self._apply(live)
        return self._follow(live, transaction, name)

    def _apply(self, live: Live, agreement: str | None = None) -> Command:
        machine = live.machine
        rule = opening_of(machine)
        if rule.spec.agreement is not None and agreement is None:
            found = self._agreements(rule.spec.agreement)
            agreement = self._randomness.rng.choice(found) if found else "nobody"
        names = {**machine.zeros, **machine.flags_off}
        currency = currency_for(self._randomness, machine)
        bounds = amount_bounds(rule, names, currency)
        return Command(
            rule.spec.name,
            live.order,
            key=self._key(),
            lifecycle=machine.name,
            agreement=agreement,
            account=None if agreement else self._account(live.order),
            amount=right_amount(self._randomness, bounds),
            currency=currency,
            parameters=parameters_for(self._randomness, machine, rule.spec),
        )

    def _account(self, order: str) -> str | None:
        """The account that an order is opened in, where there are several."""
        if len(self._accounts) == 1:
            return None
        return self._accounts[int(order.rpartition("-")[2]) % len(self._accounts)]

    def _agreements(self, needed: Agreement) -> list[str]:
        """The ids of live agreements that allow a charge now, by their states."""
        return [
            live.order
            for live in self.live
            if live.machine.name == needed.lifecycle
            and is_in_force(needed, self._world.transaction(live.order))
        ]

    def _termination_race(self) -> WorldMove | None:
        charges = [m for m in self._machines if opening_of(m).spec.agreement]
        if not charges:
            return None
        machine = charges[0]
        needed = opening_of(machine).spec.agreement
        agreements = self._agreements(needed) if needed else []
        if needed is None or not agreements:
            return None
        agreement = self._randomness.rng.choice(agreements)
        live = self._new(machine)
        self.queue.append(
            self._worker(self._apply(live, agreement), Fault.TERMINATION_RACE)
        )
        name = needed.unless_open[0]
        return self._worker(Command(name, agreement, key=self._key()))

    # ── orders ──────────────────────────────────────────────────────────────────────

    def _alive(self) -> Live:
        gone = self._world.gone
        self.live = [one for one in self.live if one.left > 0 and one.order not in gone]
        if len(self.live) < ORDERS:
            return self._new(self._lifecycle())
        return self._randomness.rng.choice(self.live)

    def _lifecycle(self) -> Machine:
        machine = self._randomness.rng.choice(self._machines)
        needed = opening_of(machine).spec.agreement
        if needed is not None and not self._agreements(needed):
            machine = next(m for m in self._machines if m.name == needed.lifecycle)
        return machine

    def _new(self, machine: Machine) -> Live:
        self._orders += 1
        live = Live(
            f"{machine.name}-{self._orders}",
            machine,
            self._randomness.rng.randint(*_LIFE),
        )
        self.live.append(live)
        return live
