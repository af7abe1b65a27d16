"""From one state a command leads to exactly one state: never to two, never to none.

Here that is asked of conditions that hang on flags alone, which a request may set as it
likes. Which amounts can be there is a matter of history: what a condition on amounts
leaves open is found by `kessai prove`, and is a discrepancy should it happen.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

from kessai.spec.expression import Expression
from kessai.spec.model import Lifecycle, Move
from kessai.spec.places import Path
from kessai.spec.table import NOTHING, Notebook

MOST_FLAGS = 12
"""With more flags than this, reading the file would be slow: 2 ** 12 are 4096 cases."""


def check_choices(lifecycle: Lifecycle, notebook: Notebook) -> None:
    """Note every state from which a command may lead to two states, or to none."""
    for section, command in lifecycle.changes:
        choices: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, move in enumerate(command.moves):
            for source in move.sources:
                choices[move.track, source].append(number)
        sources: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for (track, state), numbers in choices.items():
            sources[tuple(numbers)].append(f"'{track}.{state}'")
        for numbers_, states in sources.items():
            path: Path = (section, command.name, "moves", numbers_[-1])
            if wrong := _wrong(lifecycle, [command.moves[n] for n in numbers_]):
                notebook.wrong(path, f"from {' and '.join(states)} {wrong}")


def _wrong(lifecycle: Lifecycle, moves: Sequence[Move]) -> str | None:
    """What is wrong with the choice between `moves`, if anything is."""
    written = [move.when for move in moves if move.when is not None]
    if not written and len(moves) == 1:
        return None
    if len(written) < len(moves):
        return "two moves are enabled: each of several moves needs its own 'when'"
    flags = sorted({name for when in written for name in when.names})
    unread = any(when is NOTHING for when in written)
    if unread or not set(lifecycle.flags).issuperset(flags):
        return None  # noted when it was read, or `kessai prove` knows
    if len(flags) > MOST_FLAGS:
        return f"the choice hangs on more than {MOST_FLAGS} flags: {', '.join(flags)}"
    return _counterexample(written, flags)


def _counterexample(written: Sequence[Expression], flags: Sequence[str]) -> str | None:
    """Flags with which not exactly one of the conditions holds, in words."""
    for values in product((0, 1), repeat=len(flags)):
        given = dict(zip(flags, values, strict=True))
        enabled = sum(bool(when.evaluate(given)) for when in written)
        if enabled != 1:
            count = "no move is" if enabled == 0 else "two moves are"
            shown = ", ".join(f"{name} = {value}" for name, value in given.items())
            return f"{count} enabled" + (f" when {shown}" if shown else "")
    return None
