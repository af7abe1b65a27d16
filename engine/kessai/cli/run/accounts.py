"""Whose payments the lines of a command file are: all those of the gateway's account."""

from functools import cached_property

import attrs

from kessai.cli.run.command_fields import WrongField
from kessai.cli.terminal.accounts import check_owner
from kessai.cli.terminal.gateways import Wiring, account_of
from kessai.cli.terminal.json_line import short
from kessai.cli.terminal.options import Asked
from kessai.errors import AccountUnknown
from kessai.machine import Command


@attrs.frozen(slots=False)
class OfAccount:
    """Sees that a line names no account but that of the gateway asked for."""

    asked: Asked

    def __call__(self, command: Command) -> WrongField | None:
        """What is wrong with the account that `command` names."""
        if command.account in {None, self._account}:
            return None
        what = f"{short(str(command.account))} is not known here; known is"
        return WrongField(("account",), f"account: {what} {self._account}")

    @cached_property
    def _account(self) -> str:
        return account_of(self.asked)


def wrong_owner(wiring: Wiring, language: str, command: Command) -> WrongField | None:
    """What is wrong with a line about an order of another account, in this store."""
    for field in ("transaction", "agreement"):
        name = getattr(command, field)
        try:
            check_owner(wiring.engine.store, name or "", wiring.account, language)
        except AccountUnknown as error:
            return WrongField((field,), f"{field}: {error}")
    return None
