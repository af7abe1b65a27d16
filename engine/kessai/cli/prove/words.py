"""How proofs are shown, in both languages: properties, stories, reasons."""

from collections.abc import Iterator

from kessai.evidence.reasons import discrepancy_sentence
from kessai.prove import (
    ProofStory,
    PropertyResult,
    Removal,
    ReplayedStep,
    StoryStep,
    TransitionKind,
)
from kessai.spec import Lifecycle
from kessai.words import Words

PROPERTIES = Words("prove.properties")
"""What is proved, as a heading says it."""

_CLAIMS = Words("prove.claims")

REASONS = Words("prove.reasons")
"""Why nothing that is proved is lost without a rule."""

KINDS = Words("prove.kinds")
"""What was left out."""

_TRANSITIONS = Words("prove.transitions")


def claim(lifecycle: Lifecycle, kind: str, subject: str, language: str) -> str:
    """The property `kind` of `subject`, as a sentence."""
    if kind == "invariant" and subject in lifecycle.invariants:
        subject = lifecycle.invariants[subject].holds.text
    elif kind == "invariant":
        kind = "amount"
    return _CLAIMS(kind, language, subject=subject)


def subjects(findings: list[PropertyResult]) -> str:
    """What a property was proved of, with the rules it rests upon, in a line."""
    declared = [f for f in findings if f.rule or f.property != "invariant"]
    parts = [f"{f.subject} ({f.rule})" if f.rule else f.subject for f in declared]
    return ", ".join(parts)


def step_words(step: StoryStep, story: ProofStory, language: str) -> str:
    """A step as a sentence."""
    what = [step.name]
    if step.amount is not None:
        what.append(story.currency.show(step.amount))
    if step.flags:
        what.append(f"({', '.join(step.flags)})")
    return _TRANSITIONS(step.kind, language, what=" ".join(what))


def state_words(step: ReplayedStep, language: str) -> str:
    """Where the transaction stands after a step."""
    states = " ".join(f"{track}.{state}" for track, state in step.states.items())
    amounts = [f"{name} {amount:,}" for name, amount in step.amounts.items() if amount]
    shown = "  ".join(part for part in (states, ", ".join(amounts)) if part)
    if not step.refused:
        return shown
    reasons = (discrepancy_sentence(code, language) for code in step.refused)
    codes = _TRANSITIONS("refused", language, codes=", ".join(reasons))
    return f"{shown}  [{codes}]"


def story_lines(story: ProofStory, language: str) -> Iterator[tuple[str, str, str]]:
    """A story, a step a row: number, what happens, where the transaction then stands.

    What happened to its agreement comes first.
    """
    under = story.agreement
    rows = [] if under is None else [(under, replayed) for replayed in under.replayed]
    rows += [(story, replayed) for replayed in story.replayed]
    for number, (whose, replayed) in enumerate(rows, 1):
        sentence = step_words(replayed.step, whose, language)
        if whose is under:
            sentence = _TRANSITIONS("agreement", language, what=sentence)
        yield str(number), sentence, state_words(replayed, language)


def in_short(story: ProofStory, language: str) -> str:
    """A story in a line: commands that succeed, others with what came of them."""
    ended = {
        step.operation for step in story.steps if step.kind is TransitionKind.SUCCEEDS
    }
    parts: list[str] = []
    for step in story.steps:
        amount = "" if step.amount is None else f" {step.amount:,}"
        flags = "".join(f" +{flag}" for flag in step.flags)
        match step.kind:
            case TransitionKind.DECLINES:
                parts[-1] = f"{step.name}{amount} ✗"
            case TransitionKind.SUCCEEDS:
                pass
            case TransitionKind.BEGINS:
                still = "" if step.operation in ended else " …"
                parts.append(f"{step.name}{amount}{flags}{still}")
            case _:
                parts.append(step_words(step, story, language))
    return " → ".join(parts)


def reason_words(removal: Removal, language: str) -> str:
    """Why nothing is lost without the part."""
    if removal.reason is None:
        return ""
    return REASONS(removal.reason, language, rule=removal.part.rule)
