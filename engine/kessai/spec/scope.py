"""Which names an expression may read and which amounts an effect may change.

A name that nothing defines would fail in the middle of a payment, so it is refused when
the file is read. `amount` is the amount that the command was asked for; it has no
meaning where no command with an amount runs.
"""

from collections.abc import Iterator

from kessai.spec.expression import AmountEffect, Expression
from kessai.spec.model import CommandSpec, Lifecycle
from kessai.spec.places import Path
from kessai.spec.table import Notebook

Names = frozenset[str]
Placed = tuple[Path, Expression, Names]

ASKED = frozenset({"amount"})


def check_scope(lifecycle: Lifecycle, notebook: Notebook) -> None:
    """Note every name that has no meaning where it stands."""
    for path, expression, known in expressions(lifecycle):
        for name in sorted(expression.names - known):
            message = f"{expression.text!r}: unknown name '{name}'"
            notebook.wrong(path, f"{message}; known are: {', '.join(sorted(known))}")
    for path, effect, _ in _effects(lifecycle):
        if effect.target not in lifecycle.amounts:
            message = f"{effect.text!r}: '{effect.target}' is not a declared amount"
            notebook.wrong(path, message)
    _check_beginning(lifecycle, notebook)


def _check_beginning(lifecycle: Lifecycle, notebook: Notebook) -> None:
    nothing = dict.fromkeys(lifecycle.amounts, 0)
    for invariant in lifecycle.invariants.values():
        known = invariant.holds.names <= nothing.keys()
        if known and not invariant.holds.evaluate(nothing):
            path = ("invariants", invariant.name)
            notebook.wrong(path, "does not hold when all amounts are 0")


def expressions(lifecycle: Lifecycle) -> Iterator[Placed]:
    """Every expression of `lifecycle`: its place, and the names it may read."""
    amounts = frozenset(lifecycle.amounts)
    standing = amounts | frozenset(lifecycle.flags)
    for guard in lifecycle.guards.values():
        yield ("guards", guard.code, "holds"), guard.holds, standing | ASKED
    for invariant in lifecycle.invariants.values():
        yield ("invariants", invariant.name, "holds"), invariant.holds, amounts
    for section, command in lifecycle.changes:
        yield from _of_command((section, command.name), command, standing)
        yield from _of_guards(lifecycle, command)
    for path, effect, known in _effects(lifecycle):
        yield path, effect.value, known


def _of_command(path: Path, command: CommandSpec, standing: Names) -> Iterator[Placed]:
    every = standing if command.amount is None else standing | ASKED
    for amount in dict.fromkeys((command.amount or {}).values()):
        yield (*path, "amount", "min"), amount.minimum, standing
        yield (*path, "amount", "max"), amount.maximum, standing
        if amount.default is not None:
            yield (*path, "amount", "default"), amount.default, standing
    optional = [
        ((*path, "reports"), command.reports),
        *(((*path, "opens", n), o.when) for n, o in enumerate(command.opens)),
        *(((*path, "moves", n), m.when) for n, m in enumerate(command.moves)),
    ]
    yield from ((at, found, every) for at, found in optional if found is not None)


def _of_guards(lifecycle: Lifecycle, command: CommandSpec) -> Iterator[Placed]:
    """Give the guards again that read an amount where the command has none."""
    path: Path = ("commands", command.name)
    standing = frozenset(lifecycle.amounts) | frozenset(lifecycle.flags)
    places = [
        ((*path, "guards"), command.guards),
        *(((*path, "moves", n), m.guards) for n, m in enumerate(command.moves)),
    ]
    for at, codes in places:
        for guard in map(lifecycle.guards.get, codes):
            if command.amount is None and guard and "amount" in guard.holds.names:
                yield at, guard.holds, standing | (guard.holds.names - ASKED)


def _effects(lifecycle: Lifecycle) -> Iterator[tuple[Path, AmountEffect, Names]]:
    standing = frozenset(lifecycle.amounts) | frozenset(lifecycle.flags)
    for section, command in lifecycle.changes:
        known = standing if command.amount is None else standing | ASKED
        path: Path = (section, command.name)
        for key, effects in (
            ("reserve", command.reserve),
            ("commit", command.commit),
            ("release", command.release),
        ):
            yield from (((*path, key), effect, known) for effect in effects)
        for number, move in enumerate(command.moves):
            at: Path = (*path, "moves", number)
            yield from ((at, effect, known) for effect in move.commit or ())
    for deadline in lifecycle.deadlines.values():
        at = ("deadlines", deadline.name, "commit")
        yield from ((at, effect, standing) for effect in deadline.commit)
