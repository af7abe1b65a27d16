"""What is wrong with a step itself, at one point of a story."""

from collections.abc import Iterator

from kessai.machine.compile import CompiledCommand
from kessai.prove import transition
from kessai.prove.algebra import KNOWN
from kessai.prove.rules import Rules
from kessai.prove.states import (
    BrokenProperty,
    ProofState,
    broken_at,
    has_footing,
    moved,
    names_at,
    track_states,
)
from kessai.prove.story import StoryStep, TransitionKind


def wrongs_of_step(
    rules: Rules, before: ProofState | None, step: StoryStep, after: ProofState | None
) -> Iterator[BrokenProperty]:
    """What is wrong with `step`, from `before` (None: it opens) to `after`."""
    match step.kind:
        case TransitionKind.BEGINS if after and step.name in rules.moving:
            yield from _of_begin(rules, step, after)
        case TransitionKind.SUCCEEDS if before and step.name in rules.moving:
            yield from _of_success(rules, before, step, rules.moving[step.name])
        case TransitionKind.EXTERNAL if before and step.name in rules.others:
            yield from _of_external(rules, before, step)
        case TransitionKind.REVERSES if before:
            yield from _of_reversal(rules, before, step)
        case _:
            pass
    if step.kind in _ENDING and before and after:
        yield from _kept_for_good(rules, before, after)


_ENDING = {TransitionKind.SUCCEEDS, TransitionKind.LAPSES}


def _kept_for_good(
    rules: Rules, before: ProofState, after: ProofState
) -> Iterator[BrokenProperty]:
    """What was taken where nothing can be paid back any more."""
    for pair in rules.giving_back:
        states = track_states(rules, after)
        if any(rules.is_final(t, states[t]) for t in rules.giving_tracks[pair]):
            was, rest = (pair.pool.rest(names_at(rules, at)) for at in (before, after))
            if rest > was:
                yield BrokenProperty("give_back", pair.command)


def _of_begin(
    rules: Rules, step: StoryStep, after: ProofState
) -> Iterator[BrokenProperty]:
    rule = rules.moving[step.name]
    if not rule.spec.is_opening and step.amount is not None and step.amount < 1:
        yield BrokenProperty("positive", step.name)
    if transition.misreported(KNOWN, rule, _asked_at(rules, after, step)):
        yield BrokenProperty("evidence", step.name)


def _of_success(
    rules: Rules,
    before: ProofState,
    step: StoryStep,
    rule: CompiledCommand,
    subject: str = "",
) -> Iterator[BrokenProperty]:
    subject = subject or step.name
    steps = rules.steps_from(rule, track_states(rules, before))
    if not steps:
        return
    names = _asked_at(rules, before, step)
    success = transition.succeeded(KNOWN, steps, names)
    yield from broken_at(rules, success.after)
    if transition.undecided(KNOWN, success):
        yield BrokenProperty("choice", subject)
    if transition.misaccounted(KNOWN, rules, (rule, steps), names):
        yield BrokenProperty("accounted", subject)


def _of_external(
    rules: Rules, before: ProofState, step: StoryStep
) -> Iterator[BrokenProperty]:
    """Of what cannot be asked for; the success of what can is looked at as such."""
    rule, states = rules.others[step.name], track_states(rules, before)
    steps = rules.outside_from(rule, states)
    if steps and not rules.steps_from(rule, states):
        asked = _asked_at(rules, before, step)
        names = transition.applied(KNOWN, rule.spec.reserve, asked)
        if transition.misaccounted(KNOWN, rules, (rule, steps), names):
            yield BrokenProperty("accounted", step.name)


def _of_reversal(
    rules: Rules, before: ProofState, step: StoryStep
) -> Iterator[BrokenProperty]:
    subject, rule = f"reversed {step.name}", rules.machine.reversals[step.name]
    if step.amount is not None and step.amount < 1:
        yield BrokenProperty("positive", subject)
    yield from _of_success(rules, before, step, rule, subject)
    steps = rules.steps_from(rule, track_states(rules, before))
    names = _asked_at(rules, before, step)
    success = transition.succeeded(KNOWN, steps, names)
    after = moved(rules, before, rule, success)
    for name in dict.fromkeys(name for name, _ in before.open):
        if has_footing(rules, before, name) and not has_footing(rules, after, name):
            yield BrokenProperty("footing", f"{step.name} {step.kind} {name}")


def _asked_at(rules: Rules, state: ProofState, step: StoryStep) -> dict[str, int]:
    return {**names_at(rules, state), "amount": step.amount or 0}
