"""From one state a command leads to exactly one state: never to two, never to none.

The conditions of the moves are tried with all small amounts that the invariants allow.
That is not a proof, but the mistakes that authors make (`<` for `<=`, a forgotten case)
show at small amounts, and the message names amounts that show them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from kessai.spec.expression import Expression
from kessai.spec.model import Lifecycle, Move
from kessai.spec.places import Path
from kessai.spec.table import NOTHING, Notebook

SMALL = range(3)
"""The amounts that are tried, in minor units: enough for one less, equal and more."""

MOST_NAMES = 8
"""With more names than this, reading the file would be slow: 3 ** 8 are 6561 cases."""


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
    read = frozenset(name for when in written for name in when.names)
    known = {*lifecycle.amounts, *lifecycle.flags, "amount"}
    if any(when is NOTHING for when in written) or not read <= known:
        return None  # what could not be read has been noted as such
    return _counterexample(lifecycle, written, read)


def _counterexample(
    lifecycle: Lifecycle, written: Sequence[Expression], read: frozenset[str]
) -> str | None:
    """Small amounts with which not exactly one of the conditions holds, in words."""
    invariants = _touching(lifecycle, read)
    names = sorted(read.union(*(holds.names for holds in invariants)))
    if len(names) > MOST_NAMES:
        return f"the choice hangs on more than {MOST_NAMES} names: {', '.join(names)}"
    for values in _small_values(lifecycle, names):
        if not all(holds.evaluate(values) for holds in invariants):
            continue
        enabled = sum(bool(when.evaluate(values)) for when in written)
        if enabled != 1:
            count = "no move is" if enabled == 0 else "two moves are"
            shown = ", ".join(f"{name} = {values[name]}" for name in sorted(read))
            return f"{count} enabled when {shown}"
    return None


def _touching(lifecycle: Lifecycle, names: frozenset[str]) -> list[Expression]:
    """The invariants that bound one of `names`."""
    known = lifecycle.amounts.keys()
    return [
        invariant.holds
        for invariant in lifecycle.invariants.values()
        if invariant.holds.names & names and invariant.holds.names <= known
    ]


def _small_values(lifecycle: Lifecycle, names: list[str]) -> Iterator[dict[str, int]]:
    flags = set(lifecycle.flags)
    ranges = [range(2) if name in flags else SMALL for name in names]
    for values in product(*ranges):
        yield dict(zip(names, values, strict=True))
