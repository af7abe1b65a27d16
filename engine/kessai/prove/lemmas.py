"""Guesses that make the declared invariants inductive, drawn from reached states.

A guess is kept here if it holds at every state of a short search; the solver
decides whether it always holds (`kessai.prove.induction`). A wrong guess costs time,
nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from kessai.prove.algebra import KNOWN, Algebra, Names, Truth
from kessai.prove.pools import AmountPool
from kessai.prove.rules import Rules, clock_of
from kessai.prove.search import StateSearch
from kessai.prove.states import ProofState, names_at, track_states
from kessai.prove.symbols import ABSENT, count_of, most, state_of, sum_of
from kessai.spec import Expression

Holds = Callable[[Algebra, Names], Truth]
Row = Mapping[str, int]


@attrs.frozen(eq=False)
class Lemma:
    """Something that may hold of every transaction; `name` where the file declares it."""

    holds: Holds
    name: str = ""


def declared(rules: Rules) -> Iterator[Lemma]:
    """What the file demands: its invariants, and no amount below zero."""
    for invariant in rules.lifecycle.invariants.values():
        yield Lemma(_true(invariant.holds), invariant.name)
    for amount in rules.amounts:
        yield Lemma(_at_least(amount, 0), amount)


def guessed(rules: Rules, search: StateSearch) -> list[Lemma]:
    """What holds at every state of `search`, in the forms that lifecycles need."""
    rows = _rows(rules, search)
    lemmas = [Lemma(h) for h in _everywhere(rules) if _holds(h, rows)]
    lemmas += [Lemma(_among(state_of(track), rows)) for track in rules.tracks]
    for track in rules.tracks:
        name = state_of(track)
        for code in sorted({row[name] for row in rows}):
            here = [row for row in rows if row[name] == code]
            lemmas += _given(_is(name, code), _at_state(rules, here))
            for deadline in rules.deadlines.values():
                if deadline.track == track:
                    running = _is(clock_of(deadline.name), 1)
                    lemmas += _given(_is(name, code), _if(running, here))
    for command in rules.moving:
        name = count_of(command)
        busy = [row for row in rows if row[name]]
        idle = [row for row in rows if not row[name]]
        lemmas += _given(_some(name), _while_open(rules, command, busy))
        lemmas += _given(_is(name, 0), _at_rest(rules, idle))
    for flag in rules.flags:
        for value in (0, 1):
            here = [row for row in rows if row[flag] == value]
            lemmas += _given(_flag(flag, value), _with_flag(rules, here))
    return lemmas


def _rows(rules: Rules, search: StateSearch) -> list[Row]:
    return [row_of(rules, state) for state in search.came_by]


def row_of(rules: Rules, at: ProofState) -> Row:
    """The proof state `at` under the names that lemmas use."""
    row = names_at(rules, at)
    for track, state in track_states(rules, at).items():
        row[state_of(track)] = ABSENT if state is None else rules.codes[track][state]
    for command in rules.moving:
        mine = [amount for name, amount in at.open if name == command]
        row[count_of(command)] = len(mine)
        row[sum_of(command)] = sum(mine)
    return row


def _holds(holds: Holds, rows: Iterable[Row]) -> bool:
    return all(holds(KNOWN, row) for row in rows)


def _given(when: Holds, found: Iterable[Holds]) -> Iterator[Lemma]:
    for holds in found:
        yield Lemma(_implies(when, holds))


# ── shapes ──────────────────────────────────────────────────────────────────────────


def _everywhere(rules: Rules) -> Iterator[Holds]:
    """What may hold wherever a transaction is."""
    yield from _of_operations(rules)
    yield from _sums(rules)
    yield from (_at_least(state_of(track), 0) for track in rules.tracks)
    for limit in _limits(rules):
        yield from (_at_most(amount, limit) for amount in rules.amounts)
    yield from (_below(one, other) for one, other in rules.together)


def _sums(rules: Rules) -> Iterator[Holds]:
    """That what is held back is what open operations asked for."""
    for amount, commands in rules.reserved.items():
        sums = [sum_of(c) for c in commands if rules.moving[c].spec.amount is not None]
        yield _is_sum(amount, sums)


def _of_operations(rules: Rules) -> Iterator[Holds]:
    for command, rule in rules.moving.items():
        if command not in rule.spec.alongside or rule.spec.is_opening:
            yield _at_most(count_of(command), 1)


def _at_state(rules: Rules, rows: list[Row]) -> Iterator[Holds]:
    yield from _zeros(rules, rows)
    zeros = {a for a in rules.amounts if all(row[a] == 0 for row in rows)}
    others = [a for a in rules.amounts if a not in zeros]
    for amount in others:
        yield from _if(_at_least(amount, 1), rows)
    for one, other in rules.together:
        if one in zeros or other in zeros:
            continue
        if one < other:
            yield from _if(_equal(one, other), rows)
        yield from _if(_less(one, other), rows)
    for pool in rules.pools:
        if pool.whole not in zeros and len(pool.parts) > 1:
            yield from _if(_leaves(pool, 1), rows)
            yield from _if(_leaves_nothing(pool), rows)
    for command in rules.moving:
        yield from _if(_is(count_of(command), 0), rows)
        yield from _if(_some(count_of(command)), rows)


def _while_open(rules: Rules, command: str, rows: list[Row]) -> Iterator[Holds]:
    yield from _zeros(rules, rows)
    for other in rules.moving:
        if other != command:
            yield from _if(_is(count_of(other), 0), rows)
    for track in rules.tracks:
        yield _among(state_of(track), rows)
    if rules.moving[command].spec.amount is not None:
        for amount in rules.amounts:
            yield from _if(_below(sum_of(command), amount), rows)
        for pool in rules.pools:
            yield from _if(_leaves_for(pool, sum_of(command)), rows)


def _at_rest(rules: Rules, rows: list[Row]) -> Iterator[Holds]:
    for amount in rules.amounts:
        yield from _if(_is(amount, 0), rows)


def _with_flag(rules: Rules, rows: list[Row]) -> Iterator[Holds]:
    yield from _zeros(rules, rows)
    for holds in _sums(rules):
        yield from _if(holds, rows)
    for track in rules.tracks:
        yield _among(state_of(track), rows)


def _zeros(rules: Rules, rows: list[Row]) -> Iterator[Holds]:
    for amount in rules.amounts:
        yield from _if(_is(amount, 0), rows)


def _if(holds: Holds, rows: list[Row]) -> Iterator[Holds]:
    if _holds(holds, rows):
        yield holds


def _true(expression: Expression) -> Holds:
    return lambda a, n: a.truth(expression, n)


def _implies(when: Holds, then: Holds) -> Holds:
    return lambda a, n: a.some([a.no(when(a, n)), then(a, n)])


def _equal(one: str, other: str) -> Holds:
    return lambda _, n: n[one] == n[other]


def _is_sum(name: str, others: list[str]) -> Holds:
    return lambda _, n: n[name] == sum(n[other] for other in others)


def _leaves(pool: AmountPool, least: int) -> Holds:
    return lambda _, n: pool.rest(n) >= least


def _leaves_nothing(pool: AmountPool) -> Holds:
    return lambda _, n: pool.rest(n) == 0


def _leaves_for(pool: AmountPool, asked: str) -> Holds:
    return lambda _, n: n[asked] <= pool.rest(n)


def _below(one: str, other: str) -> Holds:
    return lambda _, n: n[one] <= n[other]


def _less(one: str, other: str) -> Holds:
    return lambda _, n: n[one] < n[other]


def _is(name: str, value: int) -> Holds:
    return lambda _, n: n[name] == value


def _some(name: str) -> Holds:
    return lambda _, n: n[name] >= 1


def _at_least(name: str, least: int) -> Holds:
    return lambda _, n: n[name] >= least


def _at_most(name: str, most: int) -> Holds:
    return lambda _, n: n[name] <= most


def _flag(name: str, value: int) -> Holds:
    return lambda a, n: n[name] if value else a.no(n[name])


def _among(name: str, rows: list[Row]) -> Holds:
    codes = sorted({row[name] for row in rows})
    return lambda a, n: a.some([n[name] == code for code in codes])


def _limits(rules: Rules) -> list[int]:
    """The numbers that the file writes as largest amounts."""
    found = (most(rules, rule) for rule in rules.moving.values())
    return sorted({limit for limit in found if limit is not None})
