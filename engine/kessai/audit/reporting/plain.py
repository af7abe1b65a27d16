"""What a report shows, as plain data in one language: the source of every format.

Amounts are integers in minor units, lengths of time are seconds, times are UTC.
"""

from collections.abc import Iterator, Mapping

import attrs

from kessai.audit.coverage.exercised import denied_at, external_at
from kessai.audit.coverage.items import (
    begin_id,
    commit_id,
    lapsed_id,
    late_id,
    release_id,
    reversal_id,
)
from kessai.audit.coverage.totals import Covered
from kessai.audit.reporting.facts import (
    Example,
    Facts,
    LifecycleFigures,
    Refusal,
    Refusals,
)
from kessai.audit.reporting.finds import Plain, command_titles, finds
from kessai.audit.reporting.spans import Spans
from kessai.diagram.titles import condition
from kessai.machine import Denial, Machine, compile_lifecycle
from kessai.machine.denial import STRUCTURAL
from kessai.spec import Lifecycle, Text, rule_codes
from kessai.words import Words

_joining = Words("joining")

GAP = "…"
"""What stands in a sentence where each refusal has a value of its own."""


def plain(facts: Facts, language: str) -> Plain:
    """All of `facts`, with sentences and titles in `language`, `en` or `ja`."""
    report = facts.report
    return {
        "kessai": facts.version,
        "language": language,
        "store": facts.store,
        "at": facts.at,
        "first": facts.first,
        "last": facts.last,
        "days": [
            {"day": day, "begun": begun, "denied": denied}
            for day, (begun, denied) in facts.days.items()
        ],
        "heads": facts.heads,
        "holds": report.holds,
        "trails": report.trails,
        "transactions": report.transactions,
        "events": report.events,
        "accounts": report.accounts,
        "kinds": report.kinds,
        "has_coverage": facts.has_coverage,
        **finds(facts, language),
        "unbound_refusals": _refusals(
            facts.unbound,
            _Sentences(None, language, command_titles(facts.lifecycles, language)),
        ),
        "lifecycles": [
            lifecycle_data(figures, language) for figures in facts.lifecycles
        ],
    }


def lifecycle_data(figures: LifecycleFigures, language: str) -> Plain:
    """What the report shows of one lifecycle file."""
    lifecycle, machine = figures.lifecycle, compile_lifecycle(figures.lifecycle)
    sentences = _Sentences(machine, language, command_titles([figures], language))
    return {
        "name": lifecycle.name,
        "title": lifecycle.title.in_language(language),
        "hash": lifecycle.hash,
        "source": lifecycle.source,
        "currencies": list(lifecycle.currencies),
        "transactions": figures.transactions,
        "events": figures.events,
        "commands": [
            {"command": c.name, "title": c.title.in_language(language), "rule": c.rule}
            for c in lifecycle.commands.values()
        ],
        "matrix": list(_matrix(figures, language)),
        "moves": list(_moves(figures, language)),
        "refusals": _refusals(figures.refusals, sentences),
        "states": list(_states(figures, language)),
        "amounts": list(_amounts(figures, language)),
        "amount_names": {
            name: title.in_language(language)
            for name, title in lifecycle.amounts.items()
        },
        "deadlines": list(_deadlines(figures, language)),
        "rules": [
            {
                "code": rule.code,
                "sentence": rule.text.in_language(language),
                "source": rule.source,
            }
            for rule in lifecycle.rules_named()
        ],
        "coverage": None
        if figures.tested is None
        else _coverage(figures.tested, language),
    }


def state_title(lifecycle: Lifecycle, track: str, state: str, language: str) -> str:
    """What a state is called, with its track where there are several."""
    declared = lifecycle.tracks[track]
    title = declared.states[state].in_language(language)
    if len(lifecycle.tracks) == 1:
        return title
    of = declared.title.in_language(language)
    return _joining("state_of_track", language, track=of, state=title)


def _tested(figures: LifecycleFigures, *ids: str) -> int | None:
    if figures.tested is None:
        return None
    return sum(figures.tested.counts.get(one, 0) for one in ids)


def _matrix(figures: LifecycleFigures, language: str) -> Iterator[Plain]:
    """Every state against every command: declared or not, and what happened."""
    lifecycle = figures.lifecycle
    declared: dict[tuple[str, str, str], list[str]] = {}
    for command, move, source in lifecycle.moves():
        if move.external:
            continue
        rules = declared.setdefault((move.track, source, command.name), [])
        rules.append(move.rule)
    for track, about in lifecycle.tracks.items():
        for state in about.states:
            title = state_title(lifecycle, track, state, language)
            for name in lifecycle.commands:
                rules = declared.get((track, state, name), [])
                yield {
                    "track": track,
                    "state": state,
                    "title": title,
                    "command": name,
                    "declared": bool(rules),
                    "rule": ", ".join(dict.fromkeys(rule_codes(", ".join(rules)))),
                    **_cell(figures, name, f"{track}.{state}"),
                }


def _cell(figures: LifecycleFigures, command: str, state: str) -> Plain:
    begin, outside = begin_id(command, state), external_at(command, state)
    denied = denied_at(command, state)
    return {
        "reached": figures.counts[begin] + figures.counts[outside],
        "declined": figures.counts[release_id(command, state)],
        "denied": figures.counts[denied],
        "tested": _tested(figures, begin, outside),
        "tested_denied": _tested(figures, denied),
    }


def _moves(figures: LifecycleFigures, language: str) -> Iterator[Plain]:
    """Every declared move, with how often it succeeded; then those of reversals."""
    lifecycle = figures.lifecycle
    every = (
        (section == "reversals", *found)
        for section in ("commands", "reversals")
        for found in lifecycle.moves(section)
    )
    for is_reversal, command, move, source in every:
        state = f"{move.track}.{source}"
        target = source if move.target is None else move.target
        make = reversal_id if is_reversal else commit_id
        committed = make(command.name, move.track, source, move)
        begun, declined = (
            0 if is_reversal else figures.counts[point_id(command.name, state)]
            for point_id in (begin_id, release_id)
        )
        yield {
            "is_reversal": is_reversal,
            "track": move.track,
            "source": source,
            "source_title": state_title(lifecycle, move.track, source, language),
            "command": command.name,
            "command_title": command.title.in_language(language),
            "target": target,
            "target_title": state_title(lifecycle, move.track, target, language),
            "when": "" if move.when is None else move.when.text,
            "when_title": condition(lifecycle, move.when, language),
            "guards": [
                {
                    "code": code,
                    "sentence": lifecycle.guards[code].text.in_language(language),
                }
                for code in (*command.guards, *move.guards)
            ],
            "rule": move.rule,
            "begun": begun,
            "succeeded": figures.counts[committed],
            "declined": declined,
            "tested": _tested(figures, committed),
        }


def _states(figures: LifecycleFigures, language: str) -> Iterator[Plain]:
    for track, about in figures.lifecycle.tracks.items():
        for state in about.states:
            named = f"{track}.{state}"
            spans = figures.spans.get(named, Spans())
            yield {
                "track": track,
                "state": state,
                "title": state_title(figures.lifecycle, track, state, language),
                "final": state in about.final,
                "entered": figures.entered[named],
                "standing": figures.standing[named],
                "ended": spans.count,
                "median_seconds": round(spans.share(0.5), 3),
                "p90_seconds": round(spans.share(0.9), 3),
                "longest_seconds": round(spans.longest, 3),
                "bars": list(spans.bars),
            }


def _amounts(figures: LifecycleFigures, language: str) -> Iterator[Plain]:
    lifecycle = figures.lifecycle
    for (status, currency), standings in sorted(figures.statuses.items()):
        states = [part.partition(".") for part in status.split()]
        titles = [state_title(lifecycle, t, state, language) for t, _, state in states]
        yield {
            "status": status,
            "title": _joining("slash", language).join(titles),
            "transactions": standings.count,
            "currency": currency,
            "sums": {name: standings.amounts[name] for name in lifecycle.amounts},
        }


def _deadlines(figures: LifecycleFigures, language: str) -> Iterator[Plain]:
    lifecycle = figures.lifecycle
    for name, deadline in lifecycle.deadlines.items():
        late = [late_id(name, command) for command in sorted(deadline.denies)]
        yield {
            "deadline": name,
            "state": f"{deadline.track}.{deadline.state}",
            "title": state_title(lifecycle, deadline.track, deadline.state, language),
            "target_title": state_title(
                lifecycle, deadline.track, deadline.target, language
            ),
            "rule": deadline.rule,
            "seconds": deadline.seconds,
            "lapsed_by_clock": figures.lapsed[name, "clock"],
            "lapsed_at_gateway": figures.lapsed[name, "gateway"],
            "denied_late": sum(figures.counts[one] for one in late),
            "tested": _tested(figures, lapsed_id(name)),
        }


def _coverage(tested: Covered, language: str) -> Plain:
    never = tested.never
    return {
        "points": len(tested.points),
        "exercised": len(tested.points) - len(never),
        "percent": round(tested.share, 2),
        "other_versions": list(tested.others),
        "never": [
            {
                "id": point.id,
                "kind": point.kind,
                "rule": point.rule,
                "sentence": point.text.in_language(language),
            }
            for point in never
        ],
    }


class _Gaps(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return GAP


@attrs.frozen
class _Sentences:
    """The sentences of one lifecycle's refusals; the engine's own without a machine."""

    machine: Machine | None
    language: str
    titles: Mapping[str, str]

    def command(self, name: str) -> str:
        """A command's title; its name where no lifecycle has it."""
        return self.titles.get(name, name)

    @property
    def _texts(self) -> Mapping[str, Text]:
        return STRUCTURAL if self.machine is None else self.machine.texts

    def of(self, refusal: Refusal) -> str:
        """What all refusals of the kind have in common."""
        text = self._texts.get(refusal.code)
        if text is None:
            return refusal.code
        command = self.command(refusal.command)
        return text.in_language(self.language).format_map(_Gaps(command=command))

    def example(self, refusal: Refusal, example: Example) -> str:
        """The sentence of one of them."""
        lifecycle = None if self.machine is None else self.machine.lifecycle
        currency = None if lifecycle is None else lifecycle.currency(example.currency)
        denial = Denial(
            command=refusal.command,
            transaction=example.transaction,
            reasons=(example.reason,),
            currency=currency,
            texts=self._texts,
        )
        return denial.sentences(self.language)[0]


def _refusals(refusals: Refusals, sentences: _Sentences) -> list[Plain]:
    """Refusals, the most frequent first."""
    examples = refusals.examples
    ordered = sorted(
        refusals.counts.items(),
        key=lambda one: (-one[1], one[0].command, one[0].code, one[0].rule),
    )
    return [
        {
            "command": refusal.command,
            "command_title": sentences.command(refusal.command),
            "code": refusal.code,
            "rule": refusal.rule,
            "sentence": sentences.of(refusal),
            "count": count,
            "example": {
                "transaction": examples[refusal].transaction,
                "sentence": sentences.example(refusal, examples[refusal]),
            },
        }
        for refusal, count in ordered
    ]
