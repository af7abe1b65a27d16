"""A caller that heeds the errors: sends again what is safe, with the same key."""

from kessai import Command
from kessai.errors import ResendWithSameKey, SafeToResend

TIMES = 5


def carry_out(engine, command):
    """The status of the answer to `command`."""
    for _ in range(TIMES):
        try:
            return str(engine.execute(command).status)
        except (SafeToResend, ResendWithSameKey) as error:
            failed = error
    raise failed


def to_data(command):
    """What of a command goes through a pipe."""
    return {
        "name": command.name,
        "transaction": command.transaction,
        "key": command.key,
        "lifecycle": command.lifecycle,
        "agreement": command.agreement,
        "amount": command.amount,
        "parameters": dict(command.parameters),
    }


def from_data(data):
    return Command(data.pop("name"), data.pop("transaction"), **data)
