"""What a file takes parts from: a whole, its parts, and what is left of it.

`captured + capturing + released <= authorized` says that two lasting amounts are parts
of `authorized`, and one that is only held; so does the largest amount of a command,
`authorized - captured - capturing`. What is left is the whole without its lasting parts.
"""

from collections.abc import Collection, Iterable, Iterator

import attrs

from kessai.prove.algebra import Names, Value
from kessai.spec import AmountEffect, CommandSpec, Expression, Lifecycle
from kessai.spec.expression import Binary, Integer, Name, Node, Unary

_Linear = dict[str, int]


@attrs.frozen
class AmountPool:
    """An amount and its lasting parts."""

    whole: str
    parts: tuple[str, ...]

    def rest(self, names: Names) -> Value:
        """What is left of the whole."""
        rest = names[self.whole]
        for part in self.parts:
            rest = rest - names[part]
        return rest


@attrs.frozen
class GivingBack:
    """A command that pays back what is left of `pool`; each success raises a part."""

    command: str
    pool: AmountPool


def pool_of(bound: Expression, held: Collection[str]) -> AmountPool | None:
    """The pool of which `bound` is what is left, if it is; `held` only hold back."""
    return _pool(_linear(bound.tree), held)


def pools_in(holds: Expression, held: Collection[str]) -> Iterator[AmountPool]:
    """The pools that an invariant speaks of."""
    for difference in _differences(holds.tree):
        if (pool := _pool(difference, held)) is not None:
            yield pool


def used_up(
    lifecycle: Lifecycle, pools: Collection[AmountPool]
) -> Iterator[AmountPool]:
    """The pools of which the file accounts for all there is, so nothing may be left.

    Some effect gives a part what the others leave of the whole, and some part is a pool
    itself: what is kept is told from what was given back.
    """
    wholes = {pool.whole for pool in pools}
    commits = [
        *(effect for _, spec in lifecycle.changes for effect in commits_of(spec)),
        *(e for deadline in lifecycle.deadlines.values() for e in deadline.commit),
    ]
    for pool in pools:
        gives_rest = any(
            effect.target in pool.parts
            and (_linear(effect.value.tree) or {}).get(pool.whole) == 1
            for effect in commits
        )
        if gives_rest and len(pool.parts) > 1 and not wholes.isdisjoint(pool.parts):
            yield pool


def commits_of(spec: CommandSpec) -> Iterator[AmountEffect]:
    """What a success may do to amounts, whichever of its moves is made."""
    yield from spec.commit
    for move in spec.moves:
        yield from move.commit or ()


def giving_back(
    bounds: Iterable[tuple[CommandSpec, Expression]], held: Collection[str]
) -> tuple[GivingBack, ...]:
    """The commands that pay back what another one took, found by their shape.

    Such a command's largest amount is what is left of a pool, and its success does
    `part += amount`. A capture may look the same (of an authorization); it is the last
    of such a chain that pays back.
    """
    pairs: list[tuple[GivingBack, set[str]]] = []
    for spec, most in bounds:
        pool = pool_of(most, held)
        raised = {e.target for e in commits_of(spec) if _adds_the_amount(e)}
        if pool is not None and (given := raised.intersection(pool.parts)):
            pairs.append((GivingBack(spec.name, pool), given))
    wholes = {pair.pool.whole for pair, _ in pairs}
    return tuple(pair for pair, given in pairs if wholes.isdisjoint(given))


def _pool(difference: _Linear | None, held: Collection[str]) -> AmountPool | None:
    """What `whole - part - …` is about; None of any other sum."""
    named = {name: by for name, by in (difference or {}).items() if name and by}
    wholes = [name for name, by in named.items() if by == 1]
    parts = tuple(name for name, by in named.items() if by == -1 and name not in held)
    if len(wholes) != 1 or not parts or set(named.values()) != {1, -1}:
        return None
    return AmountPool(wholes[0], parts)


def _differences(tree: Node) -> Iterator[_Linear | None]:
    """What an invariant says is not negative."""
    if isinstance(tree, Binary) and tree.operator == "and":
        yield from _differences(tree.left)
        yield from _differences(tree.right)
    elif isinstance(tree, Binary) and tree.operator in {"<=", "<", "=="}:
        yield _linear(Binary("-", tree.right, tree.left))
    elif isinstance(tree, Binary) and tree.operator in {">=", ">"}:
        yield _linear(Binary("-", tree.left, tree.right))


def _linear(tree: Node) -> _Linear | None:
    """How often each name is added in a sum; what is not named, under no name."""
    match tree:
        case Name(name):
            return {name: 1}
        case Integer(value):
            return {"": value}
        case Unary("-", operand):
            return _linear(Binary("-", Integer(0), operand))
        case Binary("+" | "-" as operator, left, right):
            one, other = _linear(left), _linear(right)
            if one is None or other is None:
                return None
            sign = 1 if operator == "+" else -1
            names = dict.fromkeys((*one, *other))
            return {n: one.get(n, 0) + sign * other.get(n, 0) for n in names}
        case _:
            return None


def _adds_the_amount(effect: AmountEffect) -> bool:
    asked = Name("amount")
    return effect.value.tree == Binary("+", Name(effect.target), asked)
