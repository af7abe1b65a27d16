"""The words of `kessai tx` that no lifecycle declares, and declared titles by name."""

from kessai.machine import Machine, Transaction
from kessai.words import Words

_WORDS = Words("tx")


def word(name: str, language: str, /, **values: object) -> str:
    """The word `name` in `language`; a name without one stands for itself."""
    return _WORDS(name, language, **values) if name in _WORDS else name


def command_title(machine: Machine | None, name: str, language: str) -> str:
    """The declared title of a command, its name where nothing is declared."""
    found = machine.commands.get(name) if machine else None
    return found.spec.title.in_language(language) if found else name


def amount_title(machine: Machine | None, name: str, language: str) -> str:
    """The declared title of an amount."""
    found = machine.lifecycle.amounts.get(name) if machine else None
    return found.in_language(language) if found else name


def state_titles(
    machine: Machine | None, transaction: Transaction, language: str
) -> list[tuple[str, str]]:
    """The titles of each track and of the state it is in."""
    return [
        _state(machine, track, state, language)
        for track, state in transaction.states.items()
    ]


def _state(
    machine: Machine | None, track: str, state: str, language: str
) -> tuple[str, str]:
    declared = machine.lifecycle.tracks.get(track) if machine else None
    if declared is None or state not in declared.states:
        return track, state
    return (
        declared.title.in_language(language),
        declared.states[state].in_language(language),
    )
