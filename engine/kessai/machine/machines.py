"""All machines of an engine: one per current lifecycle, and those of older files.

A transaction is always decided by the file that it began under: its events are bound
to that file's hash.
"""

from collections.abc import Iterable

import attrs

from kessai.errors import InvalidCommand, InvalidInput, InvalidLifecycle, TrailBroken
from kessai.machine.command import Command
from kessai.machine.compile import Machine, compile_lifecycle
from kessai.machine.transaction import Transaction
from kessai.spec import Lifecycle, Text, rebuild


class Machines:
    """Machines by name and by the hash of their lifecycle file."""

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        machines = _speaking([compile_lifecycle(each) for each in lifecycles])
        self._current = {machine.name: machine for machine in machines}
        if len(self._current) < len(machines):
            message = "lifecycles: two have the same name"
            raise InvalidInput(message)
        self._by_hash = {machine.lifecycle.hash: machine for machine in machines}
        self._able: dict[str, list[Machine]] = {}
        for machine in machines:
            for name, rule in machine.commands.items():
                able = self._able.setdefault(name, [])
                if rule.spec.is_opening:
                    able.append(machine)

    @property
    def current(self) -> tuple[Machine, ...]:
        """The machine of each lifecycle that new transactions begin under."""
        return tuple(self._current.values())

    def by_hash(self, lifecycle_hash: str) -> Machine | None:
        """The machine of the file with that hash, if it is known here."""
        return self._by_hash.get(lifecycle_hash)

    def add(self, document: bytes, transaction: Transaction) -> Machine:
        """Add the machine of the older file that `transaction` began under.

        Raises:
            TrailBroken: its stored `document` is none, or of another file.

        """
        try:
            machine = compile_lifecycle(rebuild(document))
        except InvalidLifecycle as error:
            message = f"{transaction.id}: its lifecycle file was damaged in the store"
            raise TrailBroken(message, transaction=transaction.id) from error
        if machine.lifecycle.hash != transaction.lifecycle_hash:
            message = (
                f"{transaction.id}: the lifecycle file in the store is not the one it"
                " began under"
            )
            raise TrailBroken(message, transaction=transaction.id)
        return self._by_hash.setdefault(machine.lifecycle.hash, machine)

    def for_opening(
        self, command: Command, own: Machine | None = None
    ) -> Machine | None:
        """The machine under which `command` begins a transaction; None if it does not.

        `own` is the machine of the transaction, where it exists. A command or lifecycle
        that no current file knows any more is still known to it.

        Raises:
            InvalidCommand: no lifecycle has the command, or it must name its lifecycle.

        """
        able = self._able.get(command.name)
        is_current = command.lifecycle is None or command.lifecycle in self._current
        if (able is None or not is_current) and _is_of(own, command):
            return None
        if able is None:
            known = ", ".join(sorted(self._able))
            message = f"command: {command.name!r} is not known; known are: {known}"
            raise InvalidCommand(message)
        if not is_current:
            known = ", ".join(self._current)
            message = (
                f"lifecycle: {command.lifecycle!r} is not known; known are: {known}"
            )
            raise InvalidCommand(message)
        if not able or command.lifecycle is None:
            return self._only(command, able)
        asked = self._current[command.lifecycle]
        return asked if asked in able else self._only(command, able)

    def _only(self, command: Command, able: list[Machine]) -> Machine | None:
        if len(able) > 1:
            names = ", ".join(machine.name for machine in able)
            message = f"lifecycle: {command.name} needs one of {names}"
            raise InvalidCommand(message)
        return able[0] if able else None


def _is_of(own: Machine | None, command: Command) -> bool:
    """Whether `own` has the command, and is the lifecycle that it names, if any."""
    return (
        own is not None
        and command.name in own.commands
        and command.lifecycle in {None, own.name}
    )


def _speaking(machines: list[Machine]) -> list[Machine]:
    """The machines, each with all titles: a denial may name the agreement's state."""
    titles: dict[str, Text] = {}
    for machine in machines:
        titles.update(machine.texts)
    return [attrs.evolve(m, texts={**titles, **m.texts}) for m in machines]
