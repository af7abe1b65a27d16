"""Each rule of a lifecycle file that can be left out, and the lifecycle without it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import attrs

from kessai.money import AMOUNT_LIMIT
from kessai.prove.rules import Rules
from kessai.spec import AmountEffect, CommandSpec, Deadline, Expression, Lifecycle, Move

_LEAST = Expression.parse(f"-{AMOUNT_LIMIT - 1}")
_MOST = Expression.parse(f"{AMOUNT_LIMIT - 1}")


class PartKind(StrEnum):
    """What is left out."""

    GUARD = "guard"
    MINIMUM = "min"
    MAXIMUM = "max"
    EXCLUSION = "exclusion"  # of another command's open operations
    RESERVE = "reserve"
    COMMIT = "commit"
    RELEASE = "release"
    CONDITION = "when"
    DENIAL = "denies"  # by a deadline
    AGREEMENT = "agreement"


@attrs.frozen
class Part:
    """One rule: of `command` (or of a deadline), `what` in the file's own words.

    `is_reversal`: it is of the command's reversal. `ablated` is the lifecycle that
    lacks it, and nothing else.
    """

    kind: PartKind
    command: str
    what: str
    rule: str
    ablated: Lifecycle = attrs.field(repr=False, eq=False)
    is_reversal: bool = False


def parts(rules: Rules) -> Iterator[Part]:
    """Everything that can be left out of a lifecycle file, one at a time."""
    lifecycle = rules.lifecycle
    for spec in lifecycle.commands.values():
        yield from _guards(lifecycle, spec)
        yield from _bounds(lifecycle, spec)
        if spec.name in rules.others:
            yield from _exclusions(rules, spec)
        yield from _effects(lifecycle, spec)
        yield from _conditions(lifecycle, spec)
        yield from _agreement(lifecycle, spec)
    for spec in lifecycle.reversals.values():
        for part in (
            *_bounds(lifecycle, spec),
            *_effects(lifecycle, spec),
            *_conditions(lifecycle, spec),
        ):
            yield attrs.evolve(part, is_reversal=True)
    for deadline in lifecycle.deadlines.values():
        yield from _deadline(lifecycle, deadline)


def _with(lifecycle: Lifecycle, spec: CommandSpec, **changes: Any) -> Lifecycle:
    changed = {spec.name: attrs.evolve(spec, **changes)}
    if any(spec is own for own in lifecycle.reversals.values()):
        return attrs.evolve(lifecycle, reversals={**lifecycle.reversals, **changed})
    return attrs.evolve(lifecycle, commands={**lifecycle.commands, **changed})


def _with_move(
    lifecycle: Lifecycle, spec: CommandSpec, number: int, **changes: Any
) -> Lifecycle:
    moves = list(spec.moves)
    moves[number] = attrs.evolve(moves[number], **changes)
    return _with(lifecycle, spec, moves=tuple(moves))


def _guards(lifecycle: Lifecycle, spec: CommandSpec) -> Iterator[Part]:
    for code in spec.guards:
        rest = tuple(other for other in spec.guards if other != code)
        ablated = _with(lifecycle, spec, guards=rest)
        yield Part(
            PartKind.GUARD, spec.name, code, lifecycle.guards[code].rule, ablated
        )
    for number, move in enumerate(spec.moves):
        for code in move.guards:
            rest = tuple(other for other in move.guards if other != code)
            ablated = _with_move(lifecycle, spec, number, guards=rest)
            rule = lifecycle.guards[code].rule
            yield Part(
                PartKind.GUARD, spec.name, f"{code} ({_at(move)})", rule, ablated
            )


def _bounds(lifecycle: Lifecycle, spec: CommandSpec) -> Iterator[Part]:
    if spec.amount is None:
        return
    ((currency, amount),) = spec.amount.items()
    low = attrs.evolve(amount, minimum=_LEAST)
    high = attrs.evolve(amount, maximum=_MOST)
    for kind, bound, weak in (
        (PartKind.MINIMUM, amount.minimum, low),
        (PartKind.MAXIMUM, amount.maximum, high),
    ):
        ablated = _with(lifecycle, spec, amount={currency: weak})
        yield Part(kind, spec.name, bound.text, amount.rule, ablated)


def _exclusions(rules: Rules, spec: CommandSpec) -> Iterator[Part]:
    excluded = rules.moving[spec.name].excludes
    for name in rules.moving:
        if name in excluded:
            ablated = _with(rules.lifecycle, spec, alongside=spec.alongside | {name})
            yield Part(PartKind.EXCLUSION, spec.name, name, spec.rule, ablated)


def _effects(lifecycle: Lifecycle, spec: CommandSpec) -> Iterator[Part]:
    for kind in (PartKind.RESERVE, PartKind.COMMIT, PartKind.RELEASE):
        effects: tuple[AmountEffect, ...] = getattr(spec, kind.value)
        for effect, rest in _each_left_out(effects):
            ablated = _with(lifecycle, spec, **{kind.value: rest})
            yield Part(kind, spec.name, effect.text, spec.rule, ablated)
    for number, move in enumerate(spec.moves):
        for effect, rest in _each_left_out(move.commit or ()):
            ablated = _with_move(lifecycle, spec, number, commit=rest)
            what = f"{effect.text} ({_at(move)})"
            yield Part(PartKind.COMMIT, spec.name, what, move.rule, ablated)


def _each_left_out(
    effects: tuple[AmountEffect, ...],
) -> Iterator[tuple[AmountEffect, tuple[AmountEffect, ...]]]:
    for number, effect in enumerate(effects):
        yield effect, (*effects[:number], *effects[number + 1 :])


def _conditions(lifecycle: Lifecycle, spec: CommandSpec) -> Iterator[Part]:
    for number, move in enumerate(spec.moves):
        if move.when is not None:
            ablated = _with_move(lifecycle, spec, number, when=None)
            what = f"{move.when.text} ({_at(move)})"
            yield Part(PartKind.CONDITION, spec.name, what, move.rule, ablated)


def _agreement(lifecycle: Lifecycle, spec: CommandSpec) -> Iterator[Part]:
    needed = spec.agreement
    if needed is None:
        return
    state = f"{needed.track}.{needed.state}"
    ablated = _with(lifecycle, spec, agreement=None)
    yield Part(PartKind.AGREEMENT, spec.name, state, needed.rule, ablated)
    for name in needed.unless_open:
        rest = tuple(other for other in needed.unless_open if other != name)
        changed = attrs.evolve(needed, unless_open=rest)
        ablated = _with(lifecycle, spec, agreement=changed)
        what = f"unless_open {name}"
        yield Part(PartKind.AGREEMENT, spec.name, what, needed.rule, ablated)


def _deadline(lifecycle: Lifecycle, deadline: Deadline) -> Iterator[Part]:
    def changed(**changes: Any) -> Lifecycle:
        after = attrs.evolve(deadline, **changes)
        deadlines = {**lifecycle.deadlines, deadline.name: after}
        return attrs.evolve(lifecycle, deadlines=deadlines)

    for effect, rest in _each_left_out(deadline.commit):
        ablated = changed(commit=rest)
        yield Part(PartKind.COMMIT, deadline.name, effect.text, deadline.rule, ablated)
    for name in sorted(deadline.denies):
        ablated = changed(denies=deadline.denies - {name})
        yield Part(PartKind.DENIAL, deadline.name, name, deadline.rule, ablated)


def _at(move: Move) -> str:
    """Which move it is: where from, and where to if that is elsewhere."""
    sources = ", ".join(move.sources)
    target = "" if move.target in (None, *move.sources) else f" → {move.target}"
    return f"{move.track}.{sources}{target}"
