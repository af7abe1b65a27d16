"""The properties of a lifecycle, as questions to the solver.

Each is a `Condition`: the `BrokenProperty` that it excludes, the rule that it rests
upon, and the conditions under which it would be wrong. `kessai.prove.search` looks for
a story that shows the same `BrokenProperty`.
"""

from collections.abc import Callable, Iterator

import attrs

from kessai.machine.compile import CompiledCommand
from kessai.money import AMOUNT_LIMIT
from kessai.prove import transition
from kessai.prove.algebra import Truth
from kessai.prove.pools import GivingBack
from kessai.prove.rules import Rules, clock_of
from kessai.prove.states import BrokenProperty
from kessai.prove.story import TransitionKind
from kessai.prove.symbols import Symbols, count_of, state_of
from kessai.spec import Deadline

Conditions = Callable[[Symbols], Iterator[Truth]]


@attrs.frozen
class Condition:
    """What must never be: none of the `bad` conditions, in any reachable transaction."""

    wrong: BrokenProperty
    rule: str
    bad: Conditions = attrs.field(eq=False, repr=False)


def checks(rules: Rules) -> Iterator[Condition]:
    """Every property of the lifecycle, except invariants and reachable states."""
    yield from _choices(rules)
    yield from _reserved(rules)
    yield from _amounts_taken(rules)
    yield from _overlaps(rules)
    yield from _reversals(rules)
    yield from _dead_ends(rules)
    yield from _clocks(rules)
    yield from _giving_back(rules)
    yield from _left_over(rules)


def _joined(rules: Iterator[str] | list[str]) -> str:
    """Rules in the order in which they come, each once."""
    each = (one for rule in rules for one in rule.split(", "))
    return ", ".join(dict.fromkeys(each))


# ── one move, and no other ──────────────────────────────────────────────────────────


def _choices(rules: Rules) -> Iterator[Condition]:
    for name, rule in rules.moving.items():
        moves = _joined([move.rule for move in rule.spec.moves])
        yield Condition(BrokenProperty("choice", name), moves, _undecided(name))


def _undecided(name: str) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        terms = symbols.terms
        for situation in symbols.rules.situations[name]:
            if all(step.move.when is None for step in situation.steps) and len(
                {step.track for step in situation.steps}
            ) == len(situation.steps):
                continue  # one step a track, without a condition
            stands = symbols.stands(situation.states)
            wrong = transition.undecided(terms, symbols.success(situation))
            yield terms.every([stands, symbols.is_one_of(name), wrong])

    return bad


# ── reservations ────────────────────────────────────────────────────────────────────


def _reserved(rules: Rules) -> Iterator[Condition]:
    for amount, commands in rules.reserved.items():
        rule = _joined([rules.moving[name].spec.rule for name in commands])
        yield Condition(
            BrokenProperty("reserved", amount), rule, _left(amount, commands)
        )


def _left(amount: str, commands: tuple[str, ...]) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        left = symbols.terms.no(symbols.names[amount] == 0)
        yield symbols.terms.every([symbols.none_open(commands), left])

    return bad


# ── amounts that are asked for ──────────────────────────────────────────────────────


def _amounts_taken(rules: Rules) -> Iterator[Condition]:
    for name, rule in rules.moving.items():
        amount = rules.range_of(rule.spec)
        if amount is None:
            continue
        if not rule.spec.is_opening:
            yield Condition(
                BrokenProperty("positive", name),
                amount.rule,
                _not_positive(name, rule),
            )
        yield Condition(
            BrokenProperty("evidence", name), rule.spec.rule, _misreported(name, rule)
        )
        yield Condition(
            BrokenProperty("accounted", name), rule.spec.rule, _misaccounted(name, rule)
        )


def _not_positive(name: str, rule: CompiledCommand) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        for situation in symbols.rules.situations[name]:
            may = symbols.may_begin(rule, situation)
            yield symbols.terms.every([*may, symbols.amount < 1])

    return bad


def _misreported(name: str, rule: CompiledCommand) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        terms = symbols.terms
        if rule.spec.is_opening:
            names = symbols.born(rule)
            reserved = transition.applied(terms, rule.spec.reserve, names)
            allowed = transition.allowed(terms, symbols.rules, (rule, ()), names)
            yield terms.every([*allowed, transition.misreported(terms, rule, reserved)])
            return
        wrong = transition.misreported(terms, rule, symbols.reserved(rule))
        for situation in symbols.rules.situations[name]:
            yield terms.every([*symbols.may_begin(rule, situation), wrong])

    return bad


def _misaccounted(name: str, rule: CompiledCommand) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        terms, rules = symbols.terms, symbols.rules
        for situation in rules.situations[name]:
            asked = (rule, situation.steps)
            wrong = transition.misaccounted(terms, rules, asked, symbols.asked)
            stands = symbols.stands(situation.states)
            yield terms.every([stands, symbols.is_one_of(name), wrong])
        for situation in rules.outside.get(name, ()):
            if situation not in rules.situations[name]:
                when, _ = symbols.external(rule, situation)
                names, asked = symbols.reserved(rule), (rule, situation.steps)
                wrong = transition.misaccounted(terms, rules, asked, names)
                yield terms.every([when, wrong])

    return bad


# ── what is open together ───────────────────────────────────────────────────────────


def overlapping(rules: Rules) -> Iterator[tuple[str, str]]:
    """The pairs of commands of which the file lets one begin while the other is open."""
    names = list(rules.moving)
    for number, one in enumerate(names):
        for other in names[number:]:
            first, second = rules.moving[one], rules.moving[other]
            if not first.steps.keys() & second.steps.keys():
                continue
            if other in first.excludes and one in second.excludes:
                continue
            yield one, other


def _overlaps(rules: Rules) -> Iterator[Condition]:
    for one, other in overlapping(rules):
        subject = " ".join(sorted((one, other)))
        rule = _joined([rules.moving[name].spec.rule for name in (one, other)])
        yield Condition(
            BrokenProperty("overlap", subject), rule, _never_fit(one, other)
        )


def _never_fit(one: str, other: str) -> Conditions:
    """Pairs that do not fit one way; `kessai.prove.proof` asks for the other as well."""

    def bad(symbols: Symbols) -> Iterator[Truth]:
        yield loses(symbols, one, other)
        if one != other:
            yield loses(symbols, other, one)

    return bad


def _fits(symbols: Symbols, command: str) -> Truth:
    """That a success of `command` could be applied, as far as states show."""
    sources = symbols.rules.situations[command]
    return symbols.terms.some(symbols.stands(source.states) for source in sources)


def loses(symbols: Symbols, first: str, second: str) -> Truth:
    """That the success of `first` leaves an open `second` without a step to take."""
    terms, names = symbols.terms, symbols.names
    fits_now = _fits(symbols, second)
    both = [
        names[count_of(first)] >= (2 if first == second else 1),
        names[count_of(second)] >= 1,
        symbols.is_one_of(first),
        fits_now,
    ]
    ways: list[Truth] = []
    for situation in symbols.rules.situations[first]:
        success = symbols.success(situation)
        changes = [(names[name], term) for name, term in symbols.moved(success).items()]
        then = symbols.z3.substitute(fits_now, *changes)
        ways.append(terms.every([symbols.stands(situation.states), terms.no(then)]))
    return terms.every([*both, terms.some(ways)])


# ── successes that are taken back ───────────────────────────────────────────────────


def _reversals(rules: Rules) -> Iterator[Condition]:
    for name, reversal in rules.machine.reversals.items():
        spec, subject = reversal.spec, f"reversed {name}"
        moves = _joined([move.rule for move in spec.moves])
        yield Condition(
            BrokenProperty("choice", subject), moves, _undecided_reversal(name)
        )
        amount = rules.range_of(spec)
        if amount is not None:
            bad = _not_positive_reversal(name)
            yield Condition(BrokenProperty("positive", subject), amount.rule, bad)
            wrong = BrokenProperty("accounted", subject)
            yield Condition(wrong, spec.rule, _misaccounted_reversal(name, reversal))
        for other, rule in rules.moving.items():
            if reversal.steps.keys() & rule.steps.keys():
                wrong = BrokenProperty(
                    "footing", f"{name} {TransitionKind.REVERSES} {other}"
                )
                yield Condition(wrong, _joined([spec.rule]), _taken_away(name, other))


def _undecided_reversal(name: str) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        for situation in symbols.rules.reversals[name]:
            when, success = symbols.reverses(name, situation)
            wrong = transition.undecided(symbols.terms, success)
            yield symbols.terms.every([when, wrong])

    return bad


def _not_positive_reversal(name: str) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        for situation in symbols.rules.reversals[name]:
            when, _ = symbols.reverses(name, situation)
            yield symbols.terms.every([when, symbols.amount < 1])

    return bad


def _misaccounted_reversal(name: str, reversal: CompiledCommand) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        terms, rules = symbols.terms, symbols.rules
        for situation in rules.reversals[name]:
            when, _ = symbols.reverses(name, situation)
            asked = (reversal, situation.steps)
            wrong = transition.misaccounted(terms, rules, asked, symbols.asked)
            yield terms.every([when, wrong])

    return bad


def _taken_away(name: str, other: str) -> Conditions:
    """That a reversal leaves an open operation of `other` without a step to take."""

    def bad(symbols: Symbols) -> Iterator[Truth]:
        terms, names = symbols.terms, symbols.names
        fits_now = _fits(symbols, other)
        for situation in symbols.rules.reversals[name]:
            when, success = symbols.reverses(name, situation)
            changes = [(names[at], term) for at, term in symbols.moved(success).items()]
            then = symbols.z3.substitute(fits_now, *changes)
            is_open = names[count_of(other)] >= 1
            yield terms.every([when, is_open, fits_now, terms.no(then)])

    return bad


# ── ways on ─────────────────────────────────────────────────────────────────────────


def _dead_ends(rules: Rules) -> Iterator[Condition]:
    for track, declared in rules.tracks.items():
        for state in declared.states:
            if state not in declared.final:
                wrong = BrokenProperty("dead_end", f"{track}.{state}")
                rule = _leading_on(rules, track, state)
                yield Condition(wrong, rule, _stuck(track, state))


def _leading_on(rules: Rules, track: str, state: str) -> str:
    steps = [
        move.rule
        for command, move, source in rules.lifecycle.moves()
        if (move.track, source) == (track, state) and not command.reads
    ]
    deadlines = [
        deadline.rule
        for deadline in rules.lifecycle.deadlines.values()
        if (deadline.track, deadline.state) == (track, state)
    ]
    return _joined([*steps, *deadlines])


def _stuck(track: str, state: str) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        rules, terms = symbols.rules, symbols.terms
        nothing = symbols.none_open(rules.moving)
        for states in rules.combinations(rules.linked(track)):
            if states[track] == state:
                goal = rules.to_the_end[track]
                on = transition.leads_on(terms, rules, states, symbols.names, goal)
                yield terms.every([symbols.stands(states), nothing, terms.no(on)])

    return bad


def _clocks(rules: Rules) -> Iterator[Condition]:
    for name, deadline in rules.deadlines.items():
        wrong = BrokenProperty("clock", name)
        yield Condition(wrong, deadline.rule, _not_running(deadline))


def _not_running(deadline: Deadline) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        stands = symbols.stands({deadline.track: deadline.state})
        stopped = symbols.names[clock_of(deadline.name)] == 0
        yield symbols.terms.every([stands, stopped])

    return bad


def _giving_back(rules: Rules) -> Iterator[Condition]:
    for pair in rules.giving_back:
        amount = rules.range_of(rules.moving[pair.command].spec)
        rule = "" if amount is None else amount.rule
        yield Condition(
            BrokenProperty("give_back", pair.command), rule, _not_given_back(pair)
        )


def _not_given_back(pair: GivingBack) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        yield from _kept_for_good(symbols, pair)
        rules, terms, names = symbols.rules, symbols.terms, symbols.names
        nothing = symbols.none_open(rules.moving)
        more = pair.pool.rest(names) > 0
        for states in rules.combinations(rules.giving_tracks[pair]):
            can = transition.can_give_back(terms, rules, pair, states, names)
            yield terms.every([symbols.stands(states), nothing, more, terms.no(can)])

    return bad


def _left_over(rules: Rules) -> Iterator[Condition]:
    for pool, tracks in rules.used_up.items():
        ending = [
            command.rule
            for command, move, _ in rules.lifecycle.moves()
            if move.track in tracks and move.target in rules.tracks[move.track].final
        ]
        wrong = BrokenProperty("left_over", pool.whole)
        yield Condition(wrong, _joined(ending), _left_of(pool.whole, tracks))


def _left_of(whole: str, tracks: tuple[str, ...]) -> Conditions:
    def bad(symbols: Symbols) -> Iterator[Truth]:
        rules, terms = symbols.rules, symbols.terms
        nothing = symbols.none_open(rules.moving)
        for states in rules.combinations(tracks):
            left = transition.left_over(terms, rules, states, symbols.names)
            for name, is_left in left:
                if name == whole:
                    yield terms.every([symbols.stands(states), nothing, is_left])

    return bad


def _kept_for_good(symbols: Symbols, pair: GivingBack) -> Iterator[Truth]:
    """That something is taken where nothing can be paid back any more."""
    rules, terms = symbols.rules, symbols.terms
    before, tracks = pair.pool.rest(symbols.asked), rules.giving_tracks[pair]
    for name, situations in rules.situations.items():
        for situation in situations:
            success = symbols.success(situation)
            ending = [
                enabled
                for step, enabled in success.enabled
                if step.track in tracks and rules.is_final(step.track, step.target)
            ]
            stands, more = (
                symbols.stands(situation.states),
                pair.pool.rest(success.after),
            )
            if ending:
                ends = [symbols.is_one_of(name), terms.some(ending), more > before]
                yield terms.every([stands, *ends])
    for deadline in rules.deadlines.values():
        if deadline.track in tracks and rules.is_final(deadline.track, deadline.target):
            after = transition.applied(terms, deadline.commit, symbols.asked)
            stands = symbols.stands({deadline.track: deadline.state})
            yield terms.every([stands, pair.pool.rest(after) > before])


# ── beyond the file ─────────────────────────────────────────────────────────────────


def beyond_limit(symbols: Symbols) -> Truth:
    """That some amount reaches what the engine takes at most."""
    names = symbols.names
    return symbols.terms.some(
        names[amount] >= AMOUNT_LIMIT for amount in symbols.rules.amounts
    )


def is_at(symbols: Symbols, track: str, state: str) -> Truth:
    """That `track` is in `state`."""
    return symbols.names[state_of(track)] == symbols.code(track, state)
