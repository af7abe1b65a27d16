"""A transaction as far as its rules look at it, and what must not be true of one."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kessai.machine import Transaction
from kessai.machine.compile import CompiledCommand
from kessai.prove import transition
from kessai.prove.algebra import KNOWN, Names
from kessai.prove.rules import Rules, clock_of


class ProofState(NamedTuple):
    """States by track, amounts, flags, and the open operations with their amounts.

    `clocks` are 1 for each deadline that was started, else 0.
    """

    states: tuple[str | None, ...]
    amounts: tuple[int, ...]
    flags: tuple[int, ...]
    clocks: tuple[int, ...]
    open: tuple[tuple[str, int], ...]


class BrokenProperty(NamedTuple):
    """A property that does not hold, and of what: `invariant`, `captured`."""

    property: str
    subject: str


def proof_state(rules: Rules, transaction: Transaction) -> ProofState:
    """The proof state of a transaction of the real machine."""
    moving = [
        (operation.command, operation.amount or 0)
        for operation in transaction.operations.values()
        if operation.command in rules.moving
    ]
    return ProofState(
        tuple(transaction.states.get(track) for track in rules.tracks),
        tuple(transaction.amounts[amount] for amount in rules.amounts),
        tuple(transaction.flags[flag] for flag in rules.flags),
        tuple(int(name in transaction.deadlines) for name in rules.deadlines),
        tuple(sorted(moving)),
    )


def names_at(rules: Rules, state: ProofState) -> dict[str, int]:
    """What expressions may name at `state`."""
    return {
        **dict(zip(rules.amounts, state.amounts, strict=True)),
        **dict(zip(rules.flags, state.flags, strict=True)),
        **dict(zip(map(clock_of, rules.deadlines), state.clocks, strict=True)),
        "amount": 0,
    }


def track_states(rules: Rules, state: ProofState) -> dict[str, str | None]:
    """The state of each track at `state`."""
    return dict(zip(rules.tracks, state.states, strict=True))


def has_footing(rules: Rules, state: ProofState, command: str) -> bool:
    """Whether a success of `command` could be applied, as far as states show."""
    return bool(rules.steps_from(rules.moving[command], track_states(rules, state)))


def moved(
    rules: Rules,
    state: ProofState,
    rule: CompiledCommand,
    success: transition.Success,
) -> ProofState:
    """`state` after `success` of `rule`."""
    states = track_states(rules, state)
    states.update({s.track: s.target for s, on in success.enabled if on})
    clocks = zip(rules.deadlines.values(), state.clocks, strict=True)
    return state._replace(
        states=tuple(states.values()),
        amounts=tuple(success.after[amount] for amount in rules.amounts),
        clocks=tuple(int(one in rule.starts or on) for one, on in clocks),
    )


def broken_at(rules: Rules, names: Names) -> Iterator[BrokenProperty]:
    """The invariants that amounts break."""
    for name, is_broken in transition.broken(KNOWN, rules, names):
        if is_broken:
            yield BrokenProperty("invariant", name)


def wrongs_at(rules: Rules, state: ProofState) -> Iterator[BrokenProperty]:
    """Everything that is wrong with being at `state`."""
    names = names_at(rules, state)
    yield from broken_at(rules, names)
    for deadline in transition.deadlines_of(rules, track_states(rules, state)):
        if not names[clock_of(deadline.name)]:
            yield BrokenProperty("clock", deadline.name)
    busy = {command for command, _ in state.open}
    for amount, is_left in transition.still_reserved(KNOWN, rules, names):
        if is_left and not busy.intersection(rules.reserved[amount]):
            yield BrokenProperty("reserved", amount)
    if busy:
        yield from _overlaps(rules, state)
        return
    states = track_states(rules, state)
    for whole, is_left in transition.left_over(KNOWN, rules, states, names):
        if is_left:
            yield BrokenProperty("left_over", whole)
    yield from _dead_ends(rules, states, names)
    yield from _not_given_back(rules, states, names)


def _dead_ends(
    rules: Rules, states: Mapping[str, str | None], names: Names
) -> Iterator[BrokenProperty]:
    for track, state in states.items():
        if state is None or state in rules.tracks[track].final:
            continue
        if not transition.leads_on(
            KNOWN, rules, states, names, rules.to_the_end[track]
        ):
            yield BrokenProperty("dead_end", f"{track}.{state}")


def _not_given_back(
    rules: Rules, states: Mapping[str, str | None], names: Names
) -> Iterator[BrokenProperty]:
    for pair in rules.giving_back:
        if pair.pool.rest(names) > 0:
            here = {t: states[t] for t in rules.giving_tracks[pair]}
            if not transition.can_give_back(KNOWN, rules, pair, here, names):
                yield BrokenProperty("give_back", pair.command)


def _overlaps(rules: Rules, state: ProofState) -> Iterator[BrokenProperty]:
    operations = state.open
    for number, one in enumerate(operations):
        for other in operations[number + 1 :]:
            if not _fit(rules, state, one, other):
                yield BrokenProperty("overlap", " ".join(sorted((one[0], other[0]))))


def _fit(
    rules: Rules, state: ProofState, one: tuple[str, int], other: tuple[str, int]
) -> bool:
    """Whether both could succeed, in one order at least, if both can now."""
    if not all(has_footing(rules, state, name) for name, _ in (one, other)):
        return True
    return _fits(rules, state, one, other) or _fits(rules, state, other, one)


def _fits(
    rules: Rules, state: ProofState, first: tuple[str, int], second: tuple[str, int]
) -> bool:
    names = {**names_at(rules, state), "amount": first[1]}
    rule = rules.moving[first[0]]
    steps = rules.steps_from(rule, track_states(rules, state))
    after = moved(rules, state, rule, transition.succeeded(KNOWN, steps, names))
    return has_footing(rules, after, second[0])
