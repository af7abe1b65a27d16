"""`kessai prove`: are the declared rules right? A proof, or the story that loses money."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

import attrs
import click
from rich.text import Text as Styled

from kessai.cli.lifecycle.command import found_lifecycle
from kessai.cli.prove.words import (
    KINDS,
    PROPERTIES,
    claim,
    in_short,
    reason_words,
    story_lines,
    subjects,
)
from kessai.cli.terminal.exits import AUDIT, DONE, UNKNOWN
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.prove import (
    Proof,
    ProofStory,
    PropertyResult,
    Removal,
    Verdict,
    as_test,
    prove,
    removals,
)
from kessai.spec import Lifecycle, shipped_names
from kessai.words import Words

_WORDS = Words("prove.lines")


@click.command("prove")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--stories", is_flag=True, help="Show how each state is reached.")
@click.option(
    "--ablation",
    "is_ablation",
    is_flag=True,
    help="Leave out each rule in turn: what would be lost, or why nothing.",
)
@shared_options("json")
def prove_command(
    asked: Asked, names: tuple[str, ...], *, stories: bool, is_ablation: bool
) -> int:
    """Prove that the rules are right, or show the story that loses money.

    For the shipped lifecycles, or those named: a shipped one, or the path of a .toml
    file. Proved are the invariants, that no state is a dead end, that all that was
    captured can be refunded, and more: for any amounts, and any number of operations
    open at once.

    Exit code 5 if a story refutes something, 4 if something is neither proved nor
    refuted. Needs the extra `prove`.
    """
    found = [(name, found_lifecycle(name)) for name in names or shipped_names()]
    presentation = ProofPresentation(
        asked.language,
        {lifecycle.name: (name, lifecycle) for name, lifecycle in found},
        stories=stories,
        is_ablation=is_ablation,
        as_json=asked.as_json,
    )
    results = [presentation.show(name, lifecycle) for name, lifecycle in found]
    if asked.as_json:
        print_json({"lifecycles": [data for _, data in results]})
    return max((code for code, _ in results), key=_worst, default=DONE)


def _worst(code: int) -> int:
    return (DONE, UNKNOWN, AUDIT).index(code)


@attrs.frozen
class ProofPresentation:
    """How proofs are shown."""

    language: str
    asked: Mapping[str, tuple[str, Lifecycle]]
    stories: bool = attrs.field(kw_only=True)
    is_ablation: bool = attrs.field(kw_only=True)
    as_json: bool = attrs.field(kw_only=True)

    def show(self, source: str, lifecycle: Lifecycle) -> tuple[int, dict[str, Any]]:
        """Prove one lifecycle, and print what came of it unless that is for a program.

        The exit code, and the data for a program.
        """
        started = perf_counter()
        proof = prove(lifecycle, self._known)
        seconds = perf_counter() - started
        self._say(self._lines(source, proof, seconds))
        data = {
            **proof_data(source, proof, self._sources),
            "seconds": round(seconds, 3),
        }
        code = _code(proof)
        if self.is_ablation and proof.holds:
            code, data["ablation"] = self._ablation(lifecycle)
        elif self.is_ablation:
            self._say([self._word("first")])
        return code, data

    def _say(self, lines: Iterable[str | Styled]) -> None:
        if not self.as_json:
            for line in lines:
                say(line)

    @property
    def _sources(self) -> Mapping[str, str]:
        return {name: source for name, (source, _) in self.asked.items()}

    @property
    def _known(self) -> list[Lifecycle]:
        return [lifecycle for _, lifecycle in self.asked.values()]

    def _word(self, name: str, /, **values: object) -> str:
        return _WORDS(name, self.language, **values)

    # ── a proof ─────────────────────────────────────────────────────────────────────

    def _lines(
        self, source: str, proof: Proof, seconds: float
    ) -> Iterator[str | Styled]:
        lifecycle = proof.lifecycle
        title = lifecycle.title.in_language(self.language)
        yield Styled(lifecycle.name, "bold") + f"  {title}"
        for kind in PROPERTIES:
            found = [f for f in proof.findings if f.property == kind]
            if found:
                yield self._line(kind, found)
        if self.stories:
            yield from self._ways(proof)
        yield self._summary(proof, seconds)
        yield from self._remarks(proof)
        for finding in proof.refuted:
            yield from self._refuted(proof, finding)
        yield from self._all_open(proof)
        if proof.refuted and proof.refuted[0].story:
            yield from self._test(source, proof.refuted[0], proof.refuted[0].story)
        yield ""

    def _line(self, kind: str, found: list[PropertyResult]) -> Styled:
        good = [f for f in found if f.verdict is Verdict.PROVED]
        is_good = len(good) == len(found)
        mark = Styled("  ✓", "green") if is_good else Styled("  ✗", "red")
        title = PROPERTIES(kind, self.language)
        count = str(len(found)) if is_good else f"{len(good)}/{len(found)}"
        line = mark + f" {title}: {count}"
        is_plain = kind in {"reached", "moved"}
        return line if is_plain else line.append(f"  {subjects(found)}", "dim")

    def _ways(self, proof: Proof) -> Iterator[str | Styled]:
        for finding in proof.findings:
            if finding.property == "reached" and finding.story is not None:
                name = Styled(f"      {finding.subject}", "bold")
                yield name + f": {in_short(finding.story, self.language)}"

    def _summary(self, proof: Proof, seconds: float) -> Styled:
        text = self._word(
            "holds" if proof.holds else "fails",
            count=len(proof.findings),
            transitions=proof.transitions,
            seconds=seconds,
            refuted=len(proof.refuted),
            open=len(proof.open),
        )
        return Styled(f"  {text}", "" if proof.holds else "red")

    def _remarks(self, proof: Proof) -> Iterator[str | Styled]:
        if not proof.holds:
            return
        for first, second in proof.too_late:
            text = self._word("too_late", first=first, second=second)
            yield Styled(f"  {text}", "dim")
        if not proof.is_limited:
            yield Styled(f"  {self._word('unlimited')}", "dim")

    def _headed(
        self, code: str, proof: Proof, finding: PropertyResult, style: str
    ) -> Iterator[str | Styled]:
        """An empty line, then what is refuted or open."""
        kind, subject = finding.property, finding.subject
        text = claim(proof.lifecycle, kind, subject, self.language)
        if finding.rule:
            text += self._word("rule", rule=finding.rule)
        yield ""
        yield Styled(f"  {self._word(code, claim=text)}", style)

    def _refuted(self, proof: Proof, finding: PropertyResult) -> Iterator[str | Styled]:
        yield from self._headed("refuted", proof, finding, "red")
        if finding.story is None:
            yield self._word("unreached")
        else:
            yield from self._story(finding.story)

    def _story(self, story: ProofStory) -> Iterator[str | Styled]:
        for number, sentence, stands in story_lines(story, self.language):
            yield f"    {number:>2}  {sentence}"
            yield Styled(f"        {stands}", "dim")

    def _all_open(self, proof: Proof) -> Iterator[str | Styled]:
        if proof.is_unsound and proof.open:
            named = "; ".join(
                claim(proof.lifecycle, each.property, each.subject, self.language)
                for each in proof.open
            )
            yield ""
            yield f"  {self._word('rests', named=named)}"
            return
        for finding in proof.open:
            yield from self._open(proof, finding)

    def _open(self, proof: Proof, finding: PropertyResult) -> Iterator[str | Styled]:
        yield from self._headed("open", proof, finding, "yellow")
        gap = finding.gap
        if gap is not None and gap.before:
            yield self._word("gap", before=gap.before)
        if gap is not None and gap.after:
            yield self._word(
                "transition", name=gap.name, kind=gap.kind, after=gap.after
            )

    def _test(
        self, source: str, finding: PropertyResult, story: ProofStory
    ) -> Iterator[str | Styled]:
        yield ""
        yield f"  {self._word('test')}"
        yield ""
        for line in _pasted(source, finding, story, self._sources).splitlines():
            yield f"    {line}".rstrip()

    # ── without each rule ───────────────────────────────────────────────────────────

    def _ablation(self, lifecycle: Lifecycle) -> tuple[int, Mapping[str, Any]]:
        started = perf_counter()
        found = list(removals(lifecycle, self._known))
        seconds = perf_counter() - started
        self._say(self._ablation_lines(lifecycle, found, seconds))
        is_open = any(removal.is_open for removal in found)
        data = {
            "seconds": round(seconds, 3),
            "parts": [removal_data(removal, self.language) for removal in found],
        }
        return (UNKNOWN if is_open else DONE), data

    def _ablation_lines(
        self, lifecycle: Lifecycle, found: Sequence[Removal], seconds: float
    ) -> Iterator[str | Styled]:
        missed = [r for r in found if r.story is not None]
        redundant = [r for r in found if r.reason is not None]
        unknown = [r for r in found if r.is_open]
        yield self._word(
            "ablation",
            name=lifecycle.name,
            refuted=len(missed),
            count=len(found),
            redundant=len(redundant),
            open=len(unknown),
            seconds=seconds,
        )
        groups = (("missed", missed), ("redundant", redundant), ("unknown", unknown))
        for title, removed in groups:
            if removed:
                yield Styled(f"  {self._word(title)}", "bold")
                for removal in removed:
                    yield from self._removed(lifecycle, removal)
        yield ""

    def _removed(
        self, lifecycle: Lifecycle, removal: Removal
    ) -> Iterator[str | Styled]:
        part = removal.part
        kind = KINDS(part.kind, self.language)
        name = f"{part.command}: {kind} {part.what}"
        yield f"    {name}"
        if removal.story is None or removal.wrong is None:
            if reason := reason_words(removal, self.language):
                yield Styled(f"      {reason}", "dim")
            return
        wrong = removal.wrong
        lost = claim(lifecycle, wrong.property, wrong.subject, self.language)
        yield Styled(f"      {self._word('lost', claim=lost)}", "dim")
        for number, sentence, _ in story_lines(removal.story, self.language):
            yield Styled(f"      {number:>2}  {sentence}", "dim")


def _code(proof: Proof) -> int:
    if proof.refuted:
        return AUDIT
    return UNKNOWN if proof.open else DONE


# ── for programs ────────────────────────────────────────────────────────────────────


def proof_data(source: str, proof: Proof, sources: Mapping[str, str]) -> dict[str, Any]:
    """A proof as JSON shows it; `sources` is where lifecycles come from, by name."""
    return {
        "source": source,
        "lifecycle": proof.lifecycle.name,
        "hash": proof.lifecycle.hash,
        "holds": proof.holds,
        "lemmas": proof.lemmas,
        "transitions": proof.transitions,
        "states": proof.states,
        "too_late": [{"first": a, "second": b} for a, b in proof.too_late],
        "is_limited": proof.is_limited,
        "properties": [_finding_data(source, f, sources) for f in proof.findings],
    }


def _pasted(
    source: str,
    finding: PropertyResult,
    story: ProofStory,
    sources: Mapping[str, str],
) -> str:
    under = "" if story.agreement is None else story.agreement.lifecycle
    about = f"{finding.property} {finding.subject}"
    return as_test(story, source, about, sources.get(under, under))


def _finding_data(
    source: str, finding: PropertyResult, sources: Mapping[str, str]
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "property": finding.property,
        "subject": finding.subject,
        "rule": finding.rule,
        "verdict": finding.verdict,
        "story": None if finding.story is None else story_data(finding.story),
    }
    if finding.gap is not None:
        data["gap"] = attrs.asdict(finding.gap)
    if finding.verdict is Verdict.REFUTED and finding.story is not None:
        data["test"] = _pasted(source, finding, finding.story, sources)
        if finding.story.agreement is not None:
            data["agreement"] = story_data(finding.story.agreement)
    return data


def story_data(story: ProofStory) -> list[dict[str, Any]]:
    """A story as JSON shows it: each step, and the transaction after it."""
    return [
        {
            "kind": step.step.kind,
            "name": step.step.name,
            "amount": step.step.amount,
            "operation": step.step.operation or None,
            "flags": step.step.flags,
            "states": step.states,
            "amounts": step.amounts,
            "refused": step.refused,
            "wrong": [f"{wrong.property} {wrong.subject}" for wrong in step.wrong],
        }
        for step in story.replayed
    ]


def removal_data(removal: Removal, language: str) -> dict[str, Any]:
    """What came of leaving a rule out, as JSON shows it."""
    part, wrong = removal.part, removal.wrong
    return {
        "kind": part.kind,
        "command": part.command,
        "what": part.what,
        "rule": part.rule,
        "lost": None if wrong is None else f"{wrong.property} {wrong.subject}",
        "story": None if removal.story is None else story_data(removal.story),
        "reason": removal.reason,
        "sentence": reason_words(removal, language) or None,
    }
