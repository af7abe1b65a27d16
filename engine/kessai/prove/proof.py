"""One lifecycle's proof: what is proved, what a story refutes, what stays open."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property, partial

import attrs

from kessai.machine import Machine, compile_lifecycle
from kessai.prove.agreements import ending, is_declared, paths_to_an_ending
from kessai.prove.algebra import Truth, load_solver
from kessai.prove.checks import (
    Condition,
    beyond_limit,
    checks,
    is_at,
    loses,
    overlapping,
)
from kessai.prove.induction import Gap, Induction
from kessai.prove.lemmas import declared, guessed
from kessai.prove.pools import GivingBack
from kessai.prove.replay import Replay
from kessai.prove.rules import Rules, in_each_currency
from kessai.prove.search import DEEP, FAR, SHALLOW, StateSearch, numbered
from kessai.prove.states import BrokenProperty, track_states
from kessai.prove.story import ProofStory, StoryStep, to_the_point
from kessai.prove.symbols import Symbols
from kessai.spec import Agreement, Lifecycle, load_shipped, shipped_names

Paths = Mapping[str, tuple[StoryStep, ...]]


class Verdict(StrEnum):
    """What came of one property."""

    PROVED = "proved"
    REFUTED = "refuted"  # a story shows the contrary
    OPEN = "open"  # not proved, and no short story shows the contrary


_GRAVITY = (Verdict.PROVED, Verdict.OPEN, Verdict.REFUTED)


@attrs.frozen(kw_only=True)
class PropertyResult:
    """One property, and what came of it.

    `property` is one of those that `kessai.prove` lists; `subject` is what it is about,
    and `rule` where the file has that from. A refuted one has its `story`, and so has a
    state that is reached or an amount that is moved. An open one may have a `gap`: where the proof failed.
    """

    property: str
    subject: str
    rule: str
    verdict: Verdict
    story: ProofStory | None = None
    gap: Gap | None = None


@attrs.frozen(kw_only=True)
class Proof:
    """Everything that was found out about one lifecycle.

    `lemmas` counts what was proved of every transaction on the way, `transitions` what
    it was proved over, and `states` those that the search went through. `too_late` are
    pairs of commands: the success of the second is a discrepancy if it is reported
    after that of the first, though it fits if it is reported before. `is_limited`: no
    amount can reach the engine's limit.
    """

    lifecycle: Lifecycle
    findings: tuple[PropertyResult, ...]
    lemmas: int
    transitions: int
    states: int
    too_late: tuple[tuple[str, str], ...] = ()
    is_limited: bool = True

    @property
    def holds(self) -> bool:
        """Whether everything is proved."""
        return all(found.verdict is Verdict.PROVED for found in self.findings)

    @property
    def refuted(self) -> tuple[PropertyResult, ...]:
        """What a story shows to be wrong; the shortest story first."""
        found = [f for f in self.findings if f.verdict is Verdict.REFUTED]
        return tuple(
            sorted(found, key=lambda f: len(f.story.replayed) if f.story else 0)
        )

    @property
    def is_unsound(self) -> bool:
        """Whether an invariant is refuted: what rests upon it cannot be proved."""
        return any(found.property == "invariant" for found in self.refuted)

    @property
    def open(self) -> tuple[PropertyResult, ...]:
        """What is neither proved nor refuted."""
        return tuple(f for f in self.findings if f.verdict is Verdict.OPEN)


def prove(
    lifecycle: Lifecycle | Machine, agreements: Iterable[Lifecycle] = ()
) -> Proof:
    """Prove what there is to prove of `lifecycle`, or find the stories that refute it.

    `agreements` are the lifecycles that it may be under, besides the shipped ones; one
    that is not known is taken as given.

    Every currency that has bounds of its own is looked at; what does not hold in one of
    them does not hold.

    Raises:
        InvalidInput: the solver is not installed (the extra `prove`).

    """
    if isinstance(lifecycle, Machine):
        lifecycle = lifecycle.lifecycle
    under = tuple(agreements)
    each = [
        Prover(compile_lifecycle(one), agreements=under).proof()
        for one in in_each_currency(lifecycle)
    ]
    findings: dict[BrokenProperty, PropertyResult] = {}
    for found in (found for proof in each for found in proof.findings):
        wrong = BrokenProperty(found.property, found.subject)
        known = findings.setdefault(wrong, found)
        if _GRAVITY.index(found.verdict) > _GRAVITY.index(known.verdict):
            findings[wrong] = found
    return Proof(
        lifecycle=lifecycle,
        findings=tuple(findings.values()),
        lemmas=sum(proof.lemmas for proof in each),
        transitions=sum(proof.transitions for proof in each),
        states=sum(proof.states for proof in each),
        too_late=tuple(
            dict.fromkeys(pair for proof in each for pair in proof.too_late)
        ),
        is_limited=all(proof.is_limited for proof in each),
    )


class Prover:
    """The work on one lifecycle: a search, an induction, perhaps a wider search."""

    def __init__(
        self,
        machine: Machine,
        giving_back: tuple[GivingBack, ...] | None = None,
        agreements: tuple[Lifecycle, ...] = (),
    ) -> None:
        self.rules = Rules(machine, giving_back)
        self.agreements = agreements
        self._machine = machine

    @cached_property
    def symbols(self) -> Symbols:
        """The solver's names."""
        return Symbols(load_solver(), self.rules)

    @cached_property
    def search(self) -> StateSearch:
        """A short search: for guesses, states, and the stories of plain mistakes."""
        return StateSearch(self.rules, SHALLOW)

    @cached_property
    def wide(self) -> StateSearch:
        """A long search, for what is not proved."""
        return StateSearch(self.rules, DEEP)

    @cached_property
    def induction(self) -> Induction:
        """What holds of every transaction."""
        guesses = (*declared(self.rules), *guessed(self.rules, self.search))
        return Induction.of(self.symbols, guesses)

    def proof(self) -> Proof:
        """Everything there is to find out."""
        findings = [
            *self._invariants(),
            *self._properties(),
            *self.under_agreements(),
            *self._reached(),
        ]
        beyond = self.induction.never(beyond_limit(self.symbols))
        return Proof(
            lifecycle=self.rules.lifecycle,
            findings=tuple(findings),
            lemmas=len(self.induction.lemmas),
            transitions=len(self.induction.transitions),
            states=len(self.search.came_by),
            too_late=self.too_late,
            is_limited=beyond is None,
        )

    @cached_property
    def too_late(self) -> tuple[tuple[str, str], ...]:
        """The pairs whose second cannot follow the first, though both are open."""
        pairs = list(overlapping(self.rules))
        both = dict.fromkeys((*pairs, *((b, a) for a, b in pairs)))
        return tuple(pair for pair in both if self._loses(*pair) is not None)

    def _loses(self, first: str, second: str) -> Mapping[str, int] | None:
        return self.induction.never(loses(self.symbols, first, second))

    # ── findings ────────────────────────────────────────────────────────────────────

    def _invariants(self) -> Iterator[PropertyResult]:
        found = self.rules.lifecycle.invariants
        rules = {name: invariant.rule for name, invariant in found.items()}
        for name in (*found, *self.rules.amounts):
            wrong = BrokenProperty("invariant", name)
            gap = self.induction.gaps.get(name)
            is_proved = name in self.induction.proved
            yield self.finding(wrong, rules.get(name, ""), is_proved=is_proved, gap=gap)

    def _properties(self) -> Iterator[PropertyResult]:
        for check in checks(self.symbols):
            gap = self.gap_in(check)
            yield self.finding(check.wrong, check.rule, is_proved=gap is None, gap=gap)

    def gap_in(self, check: Condition) -> Gap | None:
        """None if `check` is proved; else what may speak against it."""
        if check.wrong.property == "overlap":
            one, _, other = check.wrong.subject.partition(" ")
            if not {(one, other), (other, one)} <= set(self.too_late):
                return None
        for condition in check.bad:
            against = self.induction.never(condition)
            if against is not None:
                return Gap("", "", self.induction.shown(against), "")
        return None

    def under_agreements(self) -> Iterator[PropertyResult]:
        """Whether an agreement lasts until what began under it is carried out."""
        for name, rule in self.rules.openings.items():
            needed = rule.spec.agreement
            lifecycle = None if needed is None else self._lifecycle(needed.lifecycle)
            if needed is not None and lifecycle is not None:
                code = next(iter(lifecycle.currencies))
                machine = compile_lifecycle(lifecycle.in_currency(code))
                yield self._under(name, needed, machine)

    def _lifecycle(self, name: str) -> Lifecycle | None:
        known = {one.name: one for one in self.agreements}
        return known.get(name) or (
            load_shipped(name) if name in shipped_names() else None
        )

    def _under(
        self, command: str, needed: Agreement, machine: Machine
    ) -> PropertyResult:
        verdict, story = Verdict.PROVED, None
        if not is_declared(needed, machine):
            verdict = Verdict.REFUTED
        elif ending(needed, machine):
            story = self._story_under(command, needed, machine)
            verdict = Verdict.OPEN if story is None else Verdict.REFUTED
        return PropertyResult(
            property="agreement",
            subject=command,
            rule=needed.rule,
            verdict=verdict,
            story=story,
        )

    def _story_under(
        self, command: str, needed: Agreement, machine: Machine
    ) -> ProofStory | None:
        wrong = BrokenProperty("agreement", command)
        begins = next(s for s, _ in self.search.openings() if s.name == command)
        for steps in paths_to_an_ending(needed, machine):
            agreement = Replay(machine).run(steps)
            story = Replay(self._machine, agreement=agreement).run(numbered([begins]))
            if wrong in story.wrong:
                return story.story
        return None

    def finding(
        self, wrong: BrokenProperty, rule: str, *, is_proved: bool, gap: Gap | None
    ) -> PropertyResult:
        """The finding on one property: proved, or with the story against it."""
        story = None if is_proved else self.story_against(wrong)
        verdict = Verdict.PROVED if is_proved else Verdict.OPEN
        if story is not None:
            verdict, gap = Verdict.REFUTED, None
        return PropertyResult(
            property=wrong.property,
            subject=wrong.subject,
            rule=rule,
            verdict=verdict,
            story=story,
            gap=None if is_proved else gap,
        )

    def story_against(self, wrong: BrokenProperty) -> ProofStory | None:
        """The shortest story found that shows `wrong`, replayed on the real machine."""
        steps = self.search.story_of(wrong)
        if steps is None and not self._is_lost:
            steps = self.wide.story_of(wrong)
        if steps is None:
            return None
        story = Replay(self._machine).run(to_the_point(wrong, steps)).story
        return story if wrong in story.wrong else None

    @property
    def _is_lost(self) -> bool:
        """Whether an invariant is refuted, so that no more can be expected to hold."""
        return any(wrong.property == "invariant" for wrong in self.search.wrong)

    def _reached(self) -> Iterator[PropertyResult]:
        for name, track in self.rules.tracks.items():
            for state in track.states:
                there = is_at(self.symbols, name, state)
                yield self._reached_one("reached", f"{name}.{state}", there)
        for amount in self.rules.amounts:
            if amount in self.rules.named:
                there = self.symbols.names[amount] != 0
                yield self._reached_one("moved", amount, there)

    @cached_property
    def _paths(self) -> tuple[Callable[[], Paths], ...]:
        """Ways to states and amounts: by a short search, and by longer ones.

        One of those goes further, the other has several operations at a time.
        """
        searches = (lambda: self.search, self._far, lambda: self.wide)
        return tuple(cache(partial(_first_at, self.rules, each)) for each in searches)

    def _far(self) -> StateSearch:
        return StateSearch(self.rules, FAR)

    def _reached_one(self, kind: str, subject: str, there: Truth) -> PropertyResult:
        near, *farther = self._paths
        steps = near().get(subject)
        never = steps is None and not self.induction.may(there)
        if steps is None and not never:
            steps = next((p for each in farther if (p := each().get(subject))), None)
        story = None if steps is None else Replay(self._machine).run(steps).story
        is_there = story is not None and subject in _subjects(
            story.last.states, story.last.amounts
        )
        verdict = Verdict.REFUTED if never else Verdict.OPEN
        return PropertyResult(
            property=kind,
            subject=subject,
            rule="",
            verdict=Verdict.PROVED if is_there else verdict,
            story=story if is_there else None,
        )


def _first_at(rules: Rules, search: Callable[[], StateSearch]) -> Paths:
    """The shortest way to each state, and to where each amount is not 0."""
    ways: dict[str, tuple[StoryStep, ...]] = {}
    found = search()
    for at in found.came_by:
        states = track_states(rules, at)
        for subject in _subjects(
            states, dict(zip(rules.amounts, at.amounts, strict=True))
        ):
            if subject not in ways:
                ways[subject] = found.path_to(at)
    return ways


def _subjects(
    states: Mapping[str, str | None], amounts: Mapping[str, int]
) -> Iterator[str]:
    yield from (f"{track}.{state}" for track, state in states.items())
    yield from (name for name, amount in amounts.items() if amount)
