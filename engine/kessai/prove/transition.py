"""What each transition does, written once for known amounts and for all amounts.

The steps, effects and exclusions come from the compiled machine; the order in which
they are taken is that of `decide`, `evolve` and `resolve`.
"""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from kessai.machine.compile import CompiledCommand, Step
from kessai.money import AMOUNT_LIMIT
from kessai.prove.algebra import Algebra, Names, Truth, Value
from kessai.prove.pools import GivingBack
from kessai.prove.rules import Goal, Rules, States, clock_of
from kessai.spec import AmountEffect, AmountRange, Deadline, Expression

_ASKED = Expression.parse("amount")

Asked = tuple[CompiledCommand, Sequence[Step]]
"""A command, and its steps from the states that hold; none for an opening command."""


def applied(algebra: Algebra, effects: Iterable[AmountEffect], names: Names) -> Names:
    """`names` after `effects`, one after the other; each sees the one before."""
    seen = dict(names)
    for effect in effects:
        seen[effect.target] = algebra.number(effect.value, seen)
    return seen


def allowed(algebra: Algebra, rules: Rules, asked: Asked, names: Names) -> list[Truth]:
    """What `decide` asks of amounts and flags; `names` has the amount asked for."""
    rule, steps = asked
    spec = rule.spec
    conditions = within(algebra, rules.range_of(spec), names)
    conditions += [algebra.truth(guard.holds, names) for guard in rule.guards]
    if not spec.is_opening:
        conditions += [
            algebra.truth(guard.holds, names) for step in steps for guard in step.guards
        ]
    return conditions


def within(algebra: Algebra, amount: AmountRange | None, names: Names) -> list[Truth]:
    """That the amount asked for is between its bounds."""
    if amount is None:
        return []
    return [
        algebra.number(amount.minimum, names) <= names["amount"],
        names["amount"] <= algebra.number(amount.maximum, names),
    ]


@attrs.frozen
class Success:
    """Amounts after a success, and for each step whether it is the enabled one."""

    after: Names
    enabled: tuple[tuple[Step, Truth], ...]


def succeeded(algebra: Algebra, steps: Sequence[Step], names: Names) -> Success:
    """What a success does from where `steps` start."""
    after = applied(algebra, steps[0].commit, names)
    enabled = tuple(
        (
            step,
            algebra.every([])
            if step.move.when is None
            else algebra.truth(step.move.when, after),
        )
        for step in steps
    )
    return Success(after, enabled)


def whole_success(
    algebra: Algebra, rule: CompiledCommand, steps: Sequence[Step], names: Names
) -> Success:
    """The same of a command that begins and succeeds at once."""
    return succeeded(algebra, steps, applied(algebra, rule.spec.reserve, names))


# ── what must never be ──────────────────────────────────────────────────────────────


def broken(algebra: Algebra, rules: Rules, names: Names) -> Iterator[tuple[str, Truth]]:
    """For each invariant, and each amount's being negative, whether it is broken."""
    for invariant in rules.lifecycle.invariants.values():
        yield invariant.name, algebra.no(algebra.truth(invariant.holds, names))
    for amount in rules.amounts:
        yield amount, names[amount] < 0


def kept_by_the_net(algebra: Algebra, rules: Rules, names: Names) -> list[Truth]:
    """What `resolve` asks of amounts before it applies a success."""
    kept = [algebra.no(is_broken) for _, is_broken in broken(algebra, rules, names)]
    return kept + [names[amount] < AMOUNT_LIMIT for amount in rules.amounts]


def undecided(algebra: Algebra, success: Success) -> Truth:
    """Whether, on some track, not exactly one step is enabled."""
    by_track: dict[str, list[Truth]] = {}
    for step, enabled in success.enabled:
        by_track.setdefault(step.track, []).append(enabled)
    wrong: list[Truth] = []
    for choices in by_track.values():
        wrong.append(algebra.no(algebra.some(choices)))
        wrong += [
            algebra.every([one, other])
            for number, one in enumerate(choices)
            for other in choices[number + 1 :]
        ]
    return algebra.some(wrong)


def still_reserved(
    algebra: Algebra, rules: Rules, names: Names
) -> Iterator[tuple[str, Truth]]:
    """With nothing open: for each reservation, whether something is left in it."""
    for amount in rules.reserved:
        yield amount, algebra.no(names[amount] == 0)


def misreported(algebra: Algebra, rule: CompiledCommand, names: Names) -> Truth:
    """Whether evidence of the amount that was just asked for would not fit."""
    if rule.spec.amount is None or rule.spec.reports is None:
        return algebra.some([])
    return algebra.no(algebra.number(rule.spec.reports, names) == names["amount"])


def misaccounted(algebra: Algebra, rules: Rules, asked: Asked, names: Names) -> Truth:
    """Whether a success accounts for something else than what was asked for, once.

    Some amount must become what evidence states, or grow or shrink by it; what the
    command held back itself does not count. With one unit more, no amount and nothing
    that is left of a pool may differ by more than that.
    """
    rule, steps = asked
    stated = rule.spec.reports or (_ASKED if rule.spec.amount else None)
    if stated is None:
        return algebra.some([])
    held = {effect.target for effect in rule.spec.reserve}
    commit = steps[0].commit
    touched = dict.fromkeys(e.target for e in commit if e.target not in held)
    after, worth = applied(algebra, commit, names), algebra.number(stated, names)
    exact = algebra.some(
        is_it
        for amount in touched
        for is_it in (
            after[amount] == worth,
            after[amount] - names[amount] == worth,
            names[amount] - after[amount] == worth,
        )
    )
    more = {**names, **{name: names[name] + 1 for name in (*held, "amount")}}
    differing = applied(algebra, commit, more)
    by = [differing[amount] - after[amount] for amount in touched]
    by += [pool.rest(differing) - pool.rest(after) for pool in rules.pools]
    once = (within for each in by for within in (each >= -1, each <= 1))
    return algebra.no(algebra.every([exact, *once]))


def left_over(
    algebra: Algebra, rules: Rules, states: States, names: Names
) -> Iterator[tuple[str, Truth]]:
    """Where it has ended: for each pool, whether something is left that must not be."""
    for pool, tracks in rules.used_up.items():
        at = [(track, states[track]) for track in tracks]
        if all(s is None or s in rules.tracks[track].final for track, s in at):
            yield pool.whole, algebra.no(pool.rest(names) == 0)


# ── ways on ─────────────────────────────────────────────────────────────────────────


def amounts_to_try(
    algebra: Algebra, declared: AmountRange | None, names: Names
) -> tuple[Value, ...]:
    """The amounts that a way on may take: the largest, the least, the one by default."""
    if declared is None:
        return (algebra.zero,)
    bounds = [declared.maximum, declared.minimum]
    if declared.default is not None and declared.default != declared.maximum:
        bounds.append(declared.default)
    return tuple(algebra.number(bound, names) for bound in bounds)


def leads_on(
    algebra: Algebra,
    rules: Rules,
    states: States,
    names: Names,
    goal: Goal,
) -> Truth:
    """With nothing open: whether some command or deadline leads nearer to `goal`.

    `states` are those of all tracks that its commands move.
    """
    track, here = goal.track, states.get(goal.track)
    ways: list[Truth] = []
    for rule in rules.others.values():
        steps = rules.ways_from(rule, states)
        nearer = [
            s for s in steps if s.track == track and (here, s.target) in goal.nearer
        ]
        if nearer:
            ways += _ways(algebra, rules, (rule, steps), names, nearer)
    ways += [
        names[clock_of(deadline.name)] == 1
        for deadline in deadlines_of(rules, states)
        if deadline.track == track and (here, deadline.target) in goal.nearer
    ]
    return algebra.some(ways)


def _ways(
    algebra: Algebra,
    rules: Rules,
    way: Asked,
    names: Names,
    nearer: Sequence[Step],
) -> Iterator[Truth]:
    rule, steps = way
    for amount in amounts_to_try(algebra, rules.range_of(rule.spec), names):
        asked = {**names, "amount": amount}
        success = whole_success(algebra, rule, steps, asked)
        taken = [on for step, on in success.enabled if any(step is s for s in nearer)]
        yield algebra.every([*allowed(algebra, rules, way, asked), algebra.some(taken)])


def deadlines_of(rules: Rules, states: States) -> Iterator[Deadline]:
    """The deadlines of the states that hold."""
    for deadline in rules.lifecycle.deadlines.values():
        if states.get(deadline.track) == deadline.state:
            yield deadline


def gives_back(
    algebra: Algebra, rules: Rules, pair: GivingBack, states: States, names: Names
) -> Truth:
    """Whether the whole rest can be paid back at once from `states`."""
    rule = rules.machine.commands[pair.command]
    steps = rules.steps_from(rule, states)
    if not steps:
        return algebra.some([])
    asked = {**names, "amount": pair.pool.rest(names)}
    success = whole_success(algebra, rule, steps, asked)
    is_whole = pair.pool.rest(success.after) == 0
    unchanged = success.after[pair.pool.whole] == names[pair.pool.whole]
    return algebra.every(
        [*allowed(algebra, rules, (rule, steps), asked), is_whole, unchanged]
    )


def can_give_back(
    algebra: Algebra, rules: Rules, pair: GivingBack, states: States, names: Names
) -> Truth:
    """Whether the rest can be paid back from `states`: at once, or a few moves on.

    Where all is final nothing more can be asked for, and nothing is demanded.
    """
    held = [(t, state) for t, state in states.items() if state is not None]
    if any(state in rules.tracks[track].final for track, state in held):
        return algebra.every([])
    return algebra.some(
        [
            gives_back(algebra, rules, pair, states, names),
            *(
                leads_on(
                    algebra,
                    rules,
                    states,
                    names,
                    rules.to_give_back[t, pair.command],
                )
                for t, _ in held
            ),
        ]
    )
