"""What `kessai audit check` prints: the most common violations first."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from itertools import islice

import attrs
from rich.text import Text as Styled

from kessai.audit.log_check import (
    BadRows,
    Checked,
    Findings,
    LogViolation,
    ViolationGroup,
)
from kessai.cli.terminal.columns import paragraph
from kessai.cli.terminal.output import reason_lines
from kessai.machine import Denial, Reason
from kessai.money import show_amount
from kessai.words import Words

_NARROWEST, _WIDEST = 32, 100
_BY_AMOUNT = {"amount_above_maximum", "amount_below_minimum", "amount_missing"}

_WORDS, _joining = Words("log_check.result"), Words("joining")


def checked_lines(
    checked: Checked,
    language: str,
    limit: int,
    zone: tzinfo | None,
    *,
    details: bool = False,
) -> Iterator[Styled]:
    """The result for a person; times are shown in `zone`, else in UTC."""
    lines = _ReportLines(language, limit, zone or UTC, checked.unit)
    return lines.all(checked, details=details)


class _ReportLines:
    def __init__(self, language: str, limit: int, zone: tzinfo, unit: str) -> None:
        self._language = language
        self._words = _WORDS.in_language(language)
        self._named: dict[str, str] = {}
        self._limit = limit
        self._zone = zone
        self._unit = unit
        columns = shutil.get_terminal_size((_WIDEST, 0))[0]
        self._width = max(_NARROWEST, min(columns, _WIDEST)) - 1

    def all(self, checked: Checked, *, details: bool) -> Iterator[Styled]:
        findings = checked.findings
        yield from self._verdict(findings)
        yield from self._counts(findings)
        if findings.groups:
            yield from self._headed("common")
            groups = findings.most_common()
            for group in groups[: self._limit]:
                yield from self._group(group)
            yield from self._rest(len(groups) - self._limit)
        if findings.bad_rows:
            yield from self._headed("bad", count=f"{findings.bad_rows:,}")
            bad = findings.most_common_bad()
            for rows in bad[: self._limit]:
                yield from self._bad(rows)
            yield from self._rest(len(bad) - self._limit)
        if details:
            yield from self._details(findings)
        yield from self._rules()
        yield from self._headed("taken")
        for note in checked.notes:
            yield from self._indented(note.sentence(self._language), 2, "dim")

    def _verdict(self, findings: Findings) -> Iterator[Styled]:
        wrong = findings.histories - findings.histories_allowed
        counts = {
            "histories": f"{findings.histories:,}",
            "events": f"{findings.events:,}",
            "violations": f"{findings.violations + findings.after:,}",
            "wrong": f"{wrong - findings.histories_uncertain:,}",
            "percent": percent(findings.allowed_share),
        }
        if not findings.holds:
            yield from self._marked("✗", "red", "faulty", counts)
        elif findings.bad_rows:
            code = "partly" if findings.events else "none"
            yield from self._marked("!", "yellow", code, counts)
        elif findings.uncertain:
            yield from self._marked("!", "yellow", "perhaps", counts)
        else:
            yield from self._marked("✓", "green", "holds", counts)

    def _marked(
        self, mark: str, colour: str, code: str, counts: Mapping[str, str]
    ) -> Iterator[Styled]:
        text = self._words[code].format_map(counts)
        first = Styled(f"{mark} ", colour)
        return paragraph(text, self._width, first=first, indent=2)

    def _counts(self, findings: Findings) -> Iterator[Styled]:
        if findings.first is not None and findings.last is not None:
            first, last = self._time(findings.first), self._time(findings.last)
            yield from self._line("span", first=first, last=last)
        uncertain = f"{findings.histories_uncertain:,}"
        for code, count, more in (
            ("after", findings.after, {}),
            ("uncertain", findings.uncertain, {"histories": uncertain}),
            ("unsure", findings.histories_unsure, {}),
            ("open", findings.left_open, {}),
            (
                "denied",
                findings.refused,
                {"allowed": f"{findings.refused_though_allowed:,}"},
            ),
            ("declined", findings.declined_anyway, {}),
            ("repeated", findings.repeated, {}),
            ("left_out", findings.left_out, {}),
        ):
            if count:
                yield from self._line(code, count=f"{count:,}", **more)

    def _line(self, code: str, **values: str) -> Iterator[Styled]:
        return self._indented(self._words[code].format_map(values), 2)

    def _headed(self, code: str, **values: str) -> Iterator[Styled]:
        yield Styled()
        text = self._words[code].format_map(values)
        yield from paragraph(text, self._width, style="bold")

    def _group(self, group: ViolationGroup) -> Iterator[Styled]:
        found = group.example
        yield from self._titled(f"{group.count:,} × {self._what(found)}")
        yield from self._reasons(found)
        where = self._where([found.line])
        example = self._words["example"].format(
            order=found.order, where=where, time=self._time(found.at)
        )
        yield from self._indented(example, 6, "dim")

    def _titled(self, text: str) -> Iterator[Styled]:
        return paragraph(text, self._width, first="  ", indent=4, style="bold")

    def _what(self, found: LogViolation, *, with_amount: bool = False) -> str:
        states = states_shown(found, self._language) or self._words["nothing"]
        command = title(found.denial, found.command, self._language)
        if with_amount and found.amount is not None:
            command += f" {show_amount(found.amount, found.denial.currency)}"
        return self._words["when"].format(command=command, states=states)

    def _rules(self) -> Iterator[Styled]:
        """The sentences of the rules that were named so far."""
        if self._named:
            yield from self._headed("rules")
        for code, sentence in self._named.items():
            yield from self._indented(f"{code}: {sentence}", 2)

    def _reasons(self, found: LogViolation) -> Iterator[Styled]:
        denial = self._in_zone(found.denial)
        self._named |= denial.rules(self._language)
        for line in reason_lines(denial, self._language):
            yield from self._indented(line, 6)
        if denial.bounds is not None and _BY_AMOUNT.issuperset(denial.codes):
            yield from self._indented(self._passing(denial), 6)

    def _in_zone(self, denial: Denial) -> Denial:
        """`denial` with the deadlines in its sentences in the zone of all else."""
        if self._zone is UTC:
            return denial
        reasons = tuple(
            attrs.evolve(reason, values={**reason.values, "deadline": self._time(ends)})
            if (ends := _deadline_of(reason)) is not None
            else reason
            for reason in denial.reasons
        )
        return attrs.evolve(denial, reasons=reasons)

    def _passing(self, denial: Denial) -> str:
        bounds = denial.bounds
        if bounds is None or bounds.maximum < bounds.minimum:
            return self._words["no_pass"]
        return self._words["pass"].format(
            minimum=show_amount(bounds.minimum, denial.currency),
            maximum=show_amount(bounds.maximum, denial.currency),
        )

    def _bad(self, rows: BadRows) -> Iterator[Styled]:
        where = self._where(rows.lines, more=rows.count > len(rows.lines))
        text = f"{rows.count:,} × {rows.sentence(self._language)} ({where})"
        yield from self._indented(text, 2)

    def _where(self, numbers: Sequence[int], *, more: bool = False) -> str:
        """The rows of these numbers, counted as the log's format has them."""
        listed = ", ".join(f"{number:,}" for number in numbers) + ", …" * more
        many = more or len(numbers) > 1
        return self._words[self._unit + "s" * many].format(numbers=listed)

    def _details(self, findings: Findings) -> Iterator[Styled]:
        yield from self._headed("details")
        shown = 0
        for found in islice(findings.in_file_order(), self._limit):
            shown += 1
            marks = [w for w in ("is_after", "is_uncertain") if getattr(found, w)]
            remarks = "".join(f" ({self._words[mark]})" for mark in marks)
            where = self._where([found.line])
            text = f"{found.order}: {self._what(found, with_amount=True)}{remarks}"
            yield from self._titled(f"{where}  {text}")
            yield from self._indented(self._time(found.at), 6, "dim")
            yield from self._reasons(found)
        yield from self._rest(findings.not_allowed - shown)

    def _rest(self, count: int) -> Iterator[Styled]:
        if count > 0:
            yield from self._line("more", count=f"{count:,}")

    def _indented(self, text: str, indent: int, style: str = "") -> Iterator[Styled]:
        return paragraph(text, self._width, indent=indent, style=style)

    def _time(self, at: datetime) -> str:
        if self._zone is UTC:
            return f"{at:%Y-%m-%d %H:%M:%SZ}"
        return at.astimezone(self._zone).isoformat(" ", "seconds")


def _deadline_of(reason: Reason) -> datetime | None:
    """The deadline that a sentence names, unless it stands for none (`-`)."""
    with suppress(ValueError):
        return datetime.fromisoformat(str(reason.values.get("deadline")))
    return None


def title(denial: Denial, name: str, language: str) -> str:
    """What the lifecycle calls a command, or `track.state`; its name if nothing."""
    text = denial.texts.get(f"title {name}")
    return name if text is None else text.in_language(language)


def states_shown(found: LogViolation, language: str) -> str:
    """The states before a violation, in words."""
    return _joining("and", language).join(
        title(found.denial, state, language) for state in found.states.split()
    )


def percent(share: float) -> str:
    """A share in per cent, never rounded up to the whole."""
    return f"{int(share * 1000) / 10:.1f} %"
