"""Where commands are asked for at each gateway: what was opened before, and by what.

All of it comes from the lifecycles of a stage. A transaction that needs an agreement is
asked for under one that its consumer has agreed to.
"""

import attrs
from applying import NOTIFICATIONS, steps

from kessai import Command
from kessai.machine import Machine
from kessai.simulator import Stage
from kessai.simulator.commands import opening_of
from kessai.simulator.moves import Ask, ComeBack, Consume, Deliver, WorldMove

AGREED, APPLIED = 400, 500
PLENTY = 24
"""More steps than any task has left; what is past its end does nothing."""


@attrs.frozen
class Setting:
    """A lifecycle whose commands are asked for; `under` is that of its agreement."""

    machine: Machine
    under: "Setting | None" = None

    @property
    def order(self) -> str:
        return f"{self.machine.name}-1"

    @property
    def opening(self) -> str:
        return opening_of(self.machine).spec.name

    @property
    def own(self) -> list[str]:
        """The commands that change it, except the one that opens it."""
        specs = [rule.spec for rule in self.machine.commands.values()]
        found = [
            s.name for s in specs if s.is_asked_for and not (s.is_opening or s.reads)
        ]
        in_parts = "several_captures" in opening_of(self.machine).spec.optional
        return [name for name in found if in_parts or name != "capture_part"]

    def pairs(self) -> list[tuple[str, str]]:
        """Any two of its commands; of its agreement's, each beside its opening one."""
        found = [
            (one, other) for one in (self.opening, *self.own) for other in self.own
        ]
        for name in () if self.under is None else self.under.own:
            if name not in self.own:
                found += [(self.opening, name), (name, self.opening)]
        return found

    def has(self, commands: tuple[str, ...]) -> bool:
        under = [] if self.under is None else self.under.own
        return {*commands} <= {self.opening, *self.own, *under}

    def asked(self, name: str, key: str, amount: int, **given: object) -> Command:
        """One of its commands, or of its agreement's."""
        if name not in self.machine.commands:
            assert self.under is not None
            return self.under.asked(name, key, amount)
        spec = self.machine.commands[name].spec
        declared = self.machine.lifecycle.parameters
        parameters = {each: declared[each].sample() for each in spec.required}
        if spec.is_opening:
            parameters |= {
                k: v
                for k, v in {**NOTIFICATIONS, **given}.items()
                if k in spec.optional
            }
        opens = {} if not spec.is_opening else self._opens()
        return Command(
            name,
            self.order,
            key=key,
            amount=None if spec.amount is None else amount,
            parameters=parameters,
            **opens,
        )

    def _opens(self) -> dict[str, str | None]:
        return {
            "lifecycle": self.machine.name,
            "agreement": None if self.under is None else self.under.order,
            "currency": "JPY" if "JPY" in self.machine.lifecycle.currencies else None,
        }

    def moves(self, commands: tuple[str, ...]) -> list[WorldMove]:
        """What happens before `commands` are asked for."""
        story = [] if self.under is None else self.under.opened(AGREED)
        return (
            story
            if self.opening in commands
            else story + self.opened(APPLIED, commands)
        )

    def opened(self, amount: int, commands: tuple[str, ...] = ()) -> list[WorldMove]:
        """It is applied for, and its consumer approves."""
        order, given = self.order, self.flags(commands)
        asked = self.asked(self.opening, f"apply-{order}", amount, **given)
        return [
            Ask(1, asked),
            *steps(1, PLENTY),
            Consume(order, "log_in"),
            Consume(order, "approve"),
            ComeBack(2, order),
            *steps(2, PLENTY),
            Deliver(2, order, 0),
            *steps(2, PLENTY),
        ]

    def flags(self, commands: tuple[str, ...]) -> dict[str, bool]:
        """What begins with a refund finds it captured; parts are asked for beforehand."""
        others = [name for name in commands if name != self.opening]
        is_captured = others[:1] == ["refund"]
        is_in_parts = "capture_part" in commands and not is_captured
        return {"with_capture": is_captured, "several_captures": is_in_parts}


def settings_of(stage: Stage) -> list[Setting]:
    """One for each lifecycle that is played there."""
    machines = {machine.name: machine for machine in stage.machines.current}

    def of(machine: Machine) -> Setting:
        needed = opening_of(machine).spec.agreement
        return Setting(machine, needed and of(machines[needed.lifecycle]))

    return sorted(map(of, machines.values()), key=lambda one: one.under is not None)


def setting_of(stage: Stage, commands: tuple[str, ...]) -> Setting:
    """The first lifecycle that has all of `commands`."""
    return next(each for each in settings_of(stage) if each.has(commands))


def pairs_of(stage: Stage) -> list[tuple[str, str]]:
    """Any two commands, each pair once."""
    found = [pair for setting in settings_of(stage) for pair in setting.pairs()]
    return list(dict.fromkeys(found))
