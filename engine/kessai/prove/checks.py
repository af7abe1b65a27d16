"""The properties of a lifecycle, as questions to the solver.

Each is a `Condition`: the `BrokenProperty` that it excludes, the rule that it rests
upon, and the conditions under which it would be wrong, made when they are asked for.
`kessai.prove.search` looks for a story that shows the same `BrokenProperty`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import attrs

from kessai.machine.compile import CompiledCommand
from kessai.money import AMOUNT_LIMIT
from kessai.prove import transition
from kessai.prove.algebra import Names, Truth
from kessai.prove.pools import GivingBack
from kessai.prove.rules import Rules, Situation, clock_of
from kessai.prove.states import BrokenProperty
from kessai.prove.story import TransitionKind
from kessai.prove.symbols import Symbols, count_of, state_of
from kessai.spec import Deadline

Cases = Callable[[], Iterator[tuple[Truth, Situation]]]
"""When something is taken, and from which situation: each case anew."""


@attrs.frozen
class Condition:
    """What must never be: none of the `bad` conditions, in any reachable transaction."""

    wrong: BrokenProperty
    rule: str
    bad: Iterable[Truth] = attrs.field(eq=False, repr=False)


def checks(symbols: Symbols) -> Iterator[Condition]:
    """Every property of the lifecycle, except invariants and reachable states."""
    yield from _successes(symbols)
    yield from _reserved(symbols)
    yield from _begins(symbols)
    yield from _overlaps(symbols)
    yield from _reversals(symbols)
    yield from _dead_ends(symbols)
    yield from _clocks(symbols)
    yield from _giving_back(symbols)
    yield from _left_over(symbols)


def _joined(rules: Iterable[str]) -> str:
    """Rules in the order in which they come, each once."""
    each = (one for rule in rules for one in rule.split(", "))
    return ", ".join(dict.fromkeys(each))


# ── a success, or its being taken back: one move, and the amount once ───────────────


def _successes(symbols: Symbols) -> Iterator[Condition]:
    for name, rule in symbols.rules.moving.items():
        yield from _of_success(symbols, rule, name, partial(_ends, symbols, name))


def _of_success(
    symbols: Symbols, rule: CompiledCommand, subject: str, cases: Cases
) -> Iterator[Condition]:
    moves = _joined(move.rule for move in rule.spec.moves)
    undecided = _undecided(symbols, cases)
    yield Condition(BrokenProperty("choice", subject), moves, undecided)
    if rule.spec.amount is not None:
        wrong = BrokenProperty("accounted", subject)
        yield Condition(wrong, rule.spec.rule, _misaccounted(symbols, rule, cases))


def _ends(symbols: Symbols, name: str) -> Iterator[tuple[Truth, Situation]]:
    """Every success of an open operation."""
    for situation in symbols.rules.situations[name]:
        stands = symbols.stands(situation.states)
        yield symbols.terms.every([stands, symbols.is_one_of(name)]), situation


def _undecided(symbols: Symbols, cases: Cases) -> Iterator[Truth]:
    for when, situation in cases():
        tracks = {step.track for step in situation.steps}
        whens = [step.move.when for step in situation.steps if step.move.when]
        if whens or len(tracks) != len(situation.steps):
            wrong = transition.undecided(symbols.terms, symbols.success(situation))
            yield symbols.terms.every([when, wrong])


def _misaccounted(
    symbols: Symbols, rule: CompiledCommand, cases: Cases
) -> Iterator[Truth]:
    terms, rules, name = symbols.terms, symbols.rules, rule.spec.name

    def wrong(when: Truth, situation: Situation, names: Names) -> Truth:
        asked = (rule, situation.steps)
        bad = transition.misaccounted(terms, rules, asked, names)
        return terms.every([when, bad])

    for when, situation in cases():
        yield wrong(when, situation, symbols.asked)
    for situation in rules.outside[name] if rules.others.get(name) is rule else ():
        if situation not in rules.situations[name]:
            when, _ = symbols.external(rule, situation)
            yield wrong(when, situation, symbols.reserved(rule))


def _reversals(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for name, reversal in rules.machine.reversals.items():
        subject, cases = f"reversed {name}", partial(_taken_back, symbols, name)
        yield from _of_success(symbols, reversal, subject, cases)
        if (amount := rules.range_of(reversal.spec)) is not None:
            bad = _not_positive(symbols, cases)
            yield Condition(BrokenProperty("positive", subject), amount.rule, bad)
        for other, rule in rules.moving.items():
            if reversal.steps.keys() & rule.steps.keys():
                about = f"{name} {TransitionKind.REVERSES} {other}"
                bad = _footing_taken(symbols, cases, other)
                rule_of_it = _joined([reversal.spec.rule])
                yield Condition(BrokenProperty("footing", about), rule_of_it, bad)


def _taken_back(symbols: Symbols, name: str) -> Iterator[tuple[Truth, Situation]]:
    """Every success of `name` that the gateway may take back."""
    for situation in symbols.rules.reversals[name]:
        yield symbols.reverses(name, situation)[0], situation


def _footing_taken(symbols: Symbols, cases: Cases, other: str) -> Iterator[Truth]:
    for when, situation in cases():
        is_open = symbols.names[count_of(other)] >= 1
        lost = _loses_footing(symbols, symbols.success(situation), other)
        yield symbols.terms.every([when, is_open, lost])


def _loses_footing(
    symbols: Symbols, success: transition.Success, command: str
) -> Truth:
    """That `success` takes the state away in which one of `command` could be applied."""
    sources = symbols.rules.situations[command]
    fits = symbols.terms.some(symbols.stands(source.states) for source in sources)
    moved = symbols.moved(success).items()
    changes = [(symbols.names[name], term) for name, term in moved]
    then = symbols.z3.substitute(fits, *changes)
    return symbols.terms.every([fits, symbols.terms.no(then)])


# ── what begins ─────────────────────────────────────────────────────────────────────


def _reserved(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for amount, commands in rules.reserved.items():
        rule = _joined(rules.moving[name].spec.rule for name in commands)
        bad = _left_reserved(symbols, amount, commands)
        yield Condition(BrokenProperty("reserved", amount), rule, bad)


def _left_reserved(
    symbols: Symbols, amount: str, commands: Iterable[str]
) -> Iterator[Truth]:
    left = symbols.terms.no(symbols.names[amount] == 0)
    yield symbols.terms.every([symbols.none_open(commands), left])


def _begins(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for name, rule in rules.moving.items():
        if (amount := rules.range_of(rule.spec)) is None:
            continue
        if not rule.spec.is_opening:
            bad = _not_positive(symbols, partial(_asked, symbols, rule))
            yield Condition(BrokenProperty("positive", name), amount.rule, bad)
        wrong = BrokenProperty("evidence", name)
        yield Condition(wrong, rule.spec.rule, _misreported(symbols, rule))


def _asked(
    symbols: Symbols, rule: CompiledCommand
) -> Iterator[tuple[Truth, Situation]]:
    """Everything that `decide` lets begin."""
    for situation in symbols.rules.situations[rule.spec.name]:
        yield symbols.terms.every(symbols.may_begin(rule, situation)), situation


def _not_positive(symbols: Symbols, cases: Cases) -> Iterator[Truth]:
    for when, _ in cases():
        yield symbols.terms.every([when, symbols.amount < 1])


def _misreported(symbols: Symbols, rule: CompiledCommand) -> Iterator[Truth]:
    terms = symbols.terms
    if rule.spec.is_opening:
        names = symbols.born(rule)
        reserved = transition.applied(terms, rule.spec.reserve, names)
        allowed = transition.allowed(terms, symbols.rules, (rule, ()), names)
        yield terms.every([*allowed, transition.misreported(terms, rule, reserved)])
        return
    wrong = transition.misreported(terms, rule, symbols.reserved(rule))
    for when, _ in _asked(symbols, rule):
        yield terms.every([when, wrong])


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


def _overlaps(symbols: Symbols) -> Iterator[Condition]:
    """Pairs that do not fit one way; `kessai.prove.proof` asks for the other as well."""
    for one, other in overlapping(symbols.rules):
        subject = " ".join(sorted((one, other)))
        pair = (one,) if one == other else (one, other)
        rule = _joined(symbols.rules.moving[name].spec.rule for name in pair)
        bad = (loses(symbols, name, other if name == one else one) for name in pair)
        yield Condition(BrokenProperty("overlap", subject), rule, bad)


def loses(symbols: Symbols, first: str, second: str) -> Truth:
    """That the success of `first` leaves an open `second` without a step to take."""
    names = symbols.names
    both = [
        names[count_of(first)] >= (2 if first == second else 1),
        names[count_of(second)] >= 1,
    ]
    lost = [
        symbols.terms.every(
            [when, _loses_footing(symbols, symbols.success(situation), second)]
        )
        for when, situation in _ends(symbols, first)
    ]
    return symbols.terms.every([*both, symbols.terms.some(lost)])


# ── ways on ─────────────────────────────────────────────────────────────────────────


def _dead_ends(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for track, declared in rules.tracks.items():
        for state in declared.states:
            if state not in declared.final:
                wrong = BrokenProperty("dead_end", f"{track}.{state}")
                rule = _leading_on(rules, track, state)
                yield Condition(wrong, rule, _stuck(symbols, track, state))


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


def _stuck(symbols: Symbols, track: str, state: str) -> Iterator[Truth]:
    rules, terms = symbols.rules, symbols.terms
    nothing = symbols.none_open(rules.moving)
    for states in rules.combinations(rules.linked(track)):
        if states[track] == state:
            goal = rules.to_the_end[track]
            on = transition.leads_on(terms, rules, states, symbols.names, goal)
            yield terms.every([symbols.stands(states), nothing, terms.no(on)])


def _clocks(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for name, deadline in rules.deadlines.items():
        wrong = BrokenProperty("clock", name)
        yield Condition(wrong, deadline.rule, _not_running(symbols, deadline))


def _not_running(symbols: Symbols, deadline: Deadline) -> Iterator[Truth]:
    stands = symbols.stands({deadline.track: deadline.state})
    stopped = symbols.names[clock_of(deadline.name)] == 0
    yield symbols.terms.every([stands, stopped])


def _giving_back(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for pair in rules.giving_back:
        amount = rules.range_of(rules.moving[pair.command].spec)
        rule = "" if amount is None else amount.rule
        yield Condition(
            BrokenProperty("give_back", pair.command),
            rule,
            _not_given_back(symbols, pair),
        )


def _not_given_back(symbols: Symbols, pair: GivingBack) -> Iterator[Truth]:
    yield from _kept_for_good(symbols, pair)
    rules, terms, names = symbols.rules, symbols.terms, symbols.names
    nothing = symbols.none_open(rules.moving)
    more = pair.pool.rest(names) > 0
    for states in rules.combinations(rules.giving_tracks[pair]):
        can = transition.can_give_back(terms, rules, pair, states, names)
        yield terms.every([symbols.stands(states), nothing, more, terms.no(can)])


def _left_over(symbols: Symbols) -> Iterator[Condition]:
    rules = symbols.rules
    for pool, tracks in rules.used_up.items():
        ending = [
            command.rule
            for command, move, _ in rules.lifecycle.moves()
            if move.track in tracks and move.target in rules.tracks[move.track].final
        ]
        wrong = BrokenProperty("left_over", pool.whole)
        yield Condition(wrong, _joined(ending), _left_of(symbols, pool.whole, tracks))


def _left_of(symbols: Symbols, whole: str, tracks: tuple[str, ...]) -> Iterator[Truth]:
    rules, terms = symbols.rules, symbols.terms
    nothing = symbols.none_open(rules.moving)
    for states in rules.combinations(tracks):
        left = transition.left_over(terms, rules, states, symbols.names)
        for name, is_left in left:
            if name == whole:
                yield terms.every([symbols.stands(states), nothing, is_left])


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
