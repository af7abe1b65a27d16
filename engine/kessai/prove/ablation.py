"""A lifecycle without one of its rules: refuted by a story, or why nothing is lost.

A proof that holds of anything is worth nothing. So each rule is left out in turn, and
what was proved must fail, with a story that shows what the rule was there for. What can
be left out is listed, with the reason: it never applies, what else is declared denies
the same, or it keeps a rule that no property of the file's own amounts rests upon.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import attrs

from kessai.machine import Machine, compile_lifecycle
from kessai.prove.algebra import Truth
from kessai.prove.checks import checks
from kessai.prove.induction import Induction
from kessai.prove.parts import Part, PartKind, parts
from kessai.prove.proof import Prover
from kessai.prove.replay import Replay
from kessai.prove.rules import Rules, in_each_currency
from kessai.prove.search import DEEP, SHALLOW, Breadth, StateSearch
from kessai.prove.states import BrokenProperty
from kessai.prove.story import (
    ProofStory,
    StoryStep,
    TransitionKind,
    still_open,
    to_the_point,
)
from kessai.prove.symbols import Symbols, count_of
from kessai.spec import Lifecycle


class Redundancy(StrEnum):
    """Why nothing that is proved is lost without a rule."""

    NEVER_MEET = "never_meet"  # the other is never open where this one can begin
    IMPLIED = "implied"  # all else together denies whatever this denies
    READS = "reads"  # the command changes nothing
    TIME = "time"  # amounts are the same at any time
    OTHER_TRANSACTION = "other_transaction"  # it is about an agreement
    UNNEEDED = "unneeded"  # everything is still proved without it


@attrs.frozen(kw_only=True)
class Removal:
    """What came of leaving one part out.

    `wrong` and `story` where that is refuted; `reason` where everything is still
    proved. None of them where it could neither be proved nor refuted.
    """

    part: Part
    wrong: BrokenProperty | None = None
    story: ProofStory | None = None
    reason: Redundancy | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is neither refuted nor shown to be redundant."""
        return self.story is None and self.reason is None


def removals(
    lifecycle: Lifecycle | Machine, agreements: Iterable[Lifecycle] = ()
) -> Iterator[Removal]:
    """Leave out each rule of `lifecycle`, one after the other.

    The lifecycle itself should be proved; what it lacks is not missed without a rule.
    `agreements` are as `kessai.prove.prove` takes them.

    Raises:
        InvalidInput: as `kessai.prove.prove`.

    """
    if isinstance(lifecycle, Machine):
        lifecycle = lifecycle.lifecycle
    known = tuple(agreements)
    wholes = [
        Prover(compile_lifecycle(one), agreements=known)
        for one in in_each_currency(lifecycle)
    ]
    for each in zip(*(parts(whole.rules) for whole in wholes), strict=True):
        found = [removal(w, part) for w, part in zip(wholes, each, strict=True)]
        yield min(found, key=lambda one: (one.story is None, not one.is_open))


def removal(whole: Prover, part: Part) -> Removal:
    """What comes of leaving `part` out of the lifecycle that `whole` proved."""
    if part.kind is PartKind.AGREEMENT:
        return _without_agreement(whole, part)
    reason = None if part.is_reversal else _plain_reason(whole, part)
    if reason is not None:
        return Removal(part=part, reason=reason)
    return _Ablation(whole, part).removal()


def _without_agreement(whole: Prover, part: Part) -> Removal:
    """What comes of asking less of an agreement: charges while it is about to end."""
    prover = Prover(compile_lifecycle(part.ablated), agreements=whole.agreements)
    for found in prover.under_agreements():
        if found.story is not None:
            wrong = BrokenProperty(found.property, found.subject)
            return Removal(part=part, wrong=wrong, story=found.story)
    return Removal(part=part, reason=Redundancy.OTHER_TRANSACTION)


class _Ablation:
    """The lifecycle without `part`, held against what the whole one proved."""

    def __init__(self, whole: Prover, part: Part) -> None:
        self._whole = whole
        self._part = part
        self._machine = compile_lifecycle(part.ablated)
        self._rules = Rules(self._machine, whole.rules.giving_back)

    def removal(self) -> Removal:
        return (
            self._refuted_within(SHALLOW)
            or self._proved()
            or self._refuted_within(DEEP)
            or Removal(part=self._part)
        )

    def _refuted_within(self, breadth: Breadth) -> Removal | None:
        search = StateSearch(self._rules, breadth, until_wrong=True)
        for wrong in search.wrong:
            steps = search.story_of(wrong)
            story = Replay(self._machine).run(to_the_point(wrong, steps or ())).story
            if wrong in story.wrong:
                return Removal(part=self._part, wrong=wrong, story=story)
        return self._too_late(search)

    def _too_late(self, search: StateSearch) -> Removal | None:
        """A success that was allowed and cannot be applied, as it could in the whole."""
        for wrong in search.lost:
            first, kind, second = wrong.subject.split()
            known = (first, second) in self._whole.too_late
            if known or kind != TransitionKind.SUCCEEDS:
                continue
            steps = search.story_of(wrong) or ()
            last = _last_open(steps, second)
            story = Replay(self._machine).run((*steps, last)).story
            if "state_not_allowed" in story.last.refused:
                return Removal(part=self._part, wrong=wrong, story=story)
        return None

    def _proved(self) -> Removal | None:
        """Whether everything is still proved.

        Where all that held keeps holding, only what is about the command, or about ways
        on, must be asked again.
        """
        prover = Prover(self._machine, giving_back=self._whole.rules.giving_back)
        prover.induction = self._kept(prover.symbols)
        if prover.induction.proved != self._whole.induction.proved:
            return None
        if not set(prover.too_late) <= set(self._whole.too_late):
            return None
        for check in checks(prover.symbols):
            if self._is_about_it(check.wrong) and prover.gap_in(check) is not None:
                return None
        return Removal(part=self._part, reason=Redundancy.UNNEEDED)

    def _kept(self, symbols: Symbols) -> Induction:
        whole = self._whole.induction
        # A bound stands in what is known of the sum of open amounts, everywhere.
        if self._part.kind not in {PartKind.MINIMUM, PartKind.MAXIMUM}:
            kept = whole.again(symbols, self._part.command)
            if kept.lemmas == whole.lemmas:
                return kept
        return whole.again(symbols)

    def _is_about_it(self, wrong: BrokenProperty) -> bool:
        about = wrong.subject.split()
        everywhere = {"dead_end", "give_back", "reserved"}
        is_bound = self._part.kind in {PartKind.MINIMUM, PartKind.MAXIMUM}
        return is_bound or wrong.property in everywhere or self._part.command in about


def _last_open(steps: tuple[StoryStep, ...], command: str) -> StoryStep:
    """The success of what was begun last of `command` and has not ended."""
    begun = [step for step in still_open(steps) if step.name == command][-1]
    return attrs.evolve(begun, kind=TransitionKind.SUCCEEDS, flags=())


# ── reasons that need no second proof ───────────────────────────────────────────────


def _plain_reason(whole: Prover, part: Part) -> Redundancy | None:
    if part.kind is PartKind.DENIAL:
        return Redundancy.TIME
    if part.kind is PartKind.GUARD and part.command not in whole.rules.moving:
        return Redundancy.READS
    if part.kind is PartKind.EXCLUSION and _never_meet(whole, part):
        return Redundancy.NEVER_MEET
    if part.kind in {PartKind.GUARD, PartKind.MINIMUM, PartKind.MAXIMUM} and _implied(
        whole, part
    ):
        return Redundancy.IMPLIED
    return None


def _never_meet(whole: Prover, part: Part) -> bool:
    """Whether the other is never open where the command could begin without the rule."""
    is_open = whole.symbols.names[count_of(part.what)] >= 1
    return all(
        whole.induction.never(whole.symbols.terms.every([is_open, *begins])) is None
        for begins in _beginnings(whole, part)
    )


def _implied(whole: Prover, part: Part) -> bool:
    """Whether the whole denies whatever the lifecycle without the rule denies."""
    if part.command in whole.rules.openings:
        return False
    terms = whole.symbols.terms
    rule = whole.rules.moving[part.command]
    kept = zip(
        _beginnings(whole, part), whole.rules.situations[part.command], strict=True
    )
    for begins, situation in kept:
        asked = whole.symbols.may_begin(rule, situation)
        more = terms.every([*begins, terms.no(terms.every(asked))])
        if whole.induction.never(more) is not None:
            return False
    return True


def _beginnings(whole: Prover, part: Part) -> Iterator[list[Truth]]:
    """When the command may begin without the rule, in each situation of the whole."""
    rules = Rules(compile_lifecycle(part.ablated))
    rule = rules.moving[part.command]
    for situation in rules.situations[part.command]:
        yield whole.symbols.may_begin(rule, situation)
