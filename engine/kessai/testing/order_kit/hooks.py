"""What an order system is to its tests: how it is opened, asked, notified, and read.

Each hook does what is right for an order system that is asked, notified and recovered
by the engine's own methods (`execute`, `receive_notification`, `resume`, `recover`), and
keeps no books; override those that yours does otherwise.
"""
# ruff: noqa: ARG002 - what a hook is given is for those that override it

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from kessai.machine import Command
from kessai.shell import Engine
from kessai.simulator import ALL, Fault
from kessai.testing.order_kit.books import Books
from kessai.testing.strategies.lifecycles import AnyLifecycle


class Hooks:
    """The order system under test, as its author describes it.

    `lifecycles` are those that it uses, by default those of VeriTrans4G; `faults` are
    those that may be injected; `emulator` is the name of an installed one.
    """

    lifecycles: ClassVar[Sequence[AnyLifecycle]] = ("charge", "one_time", "recurring")
    faults: ClassVar[Collection[Fault]] = ALL
    emulator: ClassVar[str] = "veritrans4g"
    emulator_options: ClassVar[Mapping[str, Any]] = {"approve": "ask"}

    def open(self, engine: Engine) -> Any:
        """Your order system, with `engine`; what you return is `system` below."""
        return engine

    def ask(self, system: Any, command: Command) -> None:
        """Have your order system carry out `command`.

        The order is `command.transaction`. Every wish has a `command.key` of
        its own: the same wish may come again, after an error for instance, with its
        key.
        """
        system.execute(command)

    def notification(
        self, system: Any, headers: Mapping[str, str], body: bytes
    ) -> None:
        """A notification came to your order system."""
        system.receive_notification(headers, body)

    def resume(self, system: Any, order: str, parameters: Mapping[str, str]) -> None:
        """The consumer of an order came back to your shop with `parameters`."""
        system.resume(order, parameters)

    def recover(self, system: Any) -> None:
        """Have your order system find out what it has no answer to."""
        system.recover()

    def restart(self, system: Any) -> None:
        """The process died amid a call, and your order system starts again."""

    def books(self, system: Any) -> Books | None:
        """What your order system has of each order: amounts by name, states by track.

        None if it keeps no books of its own.
        """
        return None

    def flagged(self, system: Any) -> Collection[str] | None:
        """The orders that your order system shows to a person; None if it never does."""
        return None

    def close(self, system: Any) -> None:
        """Let go of what your order system holds."""
