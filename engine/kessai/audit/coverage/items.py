"""What of a lifecycle can be exercised: every move, guard, bound, deadline and refusal.

Derived from the declaration alone. A point's id is a short text that names nothing but
what the declaration names, so that counts by id can be kept, merged and compared.
"""

from collections.abc import Iterable, Iterator

import attrs

from kessai.machine import Machine, compile_lifecycle
from kessai.spec import CommandSpec, Deadline, Lifecycle, Move, Text
from kessai.words import Words, joined

TEXTS = Words("coverage.points")

KINDS = Words("coverage.kinds")
"""The kinds of points, in the order in which they are shown."""


@attrs.frozen
class Point:
    """One thing of a lifecycle that can be exercised, and the rule that it is from."""

    id: str
    kind: str
    command: str
    rule: str
    text: Text


def begin_id(command: str, state: str) -> str:
    """The id for `command` being begun in `state`, written `track.state`."""
    return f"begin {command} at {state}"


def commit_id(command: str, track: str, source: str, move: Move) -> str:
    """The id for a success of `command` by `move`."""
    target = source if move.target is None else move.target
    when = "" if move.when is None else f" when {move.when}"
    return f"commit {command} {track}.{source} -> {track}.{target}{when}"


def release_id(command: str, state: str) -> str:
    """The id for `command` being declined in `state`."""
    return f"release {command} at {state}"


def opening_id(command: str, track: str, *, opened: bool) -> str:
    """The id for a track that an opening command opens under a condition, or does not."""
    return f"opening {command} {track} {'opened' if opened else 'closed'}"


def guard_id(code: str, command: str, state: str, *, passed: bool) -> str:
    """The id for a guard's answer; `state` is empty for a guard of all moves."""
    at = f" at {state}" if state else ""
    return f"guard {code} {'passed' if passed else 'refused'} {command}{at}"


def bound_id(command: str, end: str) -> str:
    """The id for a bound: `minimum`, `maximum`, `below` or `above`."""
    return f"bound {command} {end}"


def reversal_id(command: str, track: str, source: str, move: Move) -> str:
    """The id for a success of `command` being taken back by `move`."""
    return f"reversal {commit_id(command, track, source, move)}"


def lapsed_id(deadline: str) -> str:
    """The id for a deadline's passing."""
    return f"deadline {deadline} lapsed"


def late_id(deadline: str, command: str) -> str:
    """The id for a passed deadline's refusal."""
    return f"deadline {deadline} denied {command}"


def agreement_id(command: str, what: str) -> str:
    """The id for a condition on the agreement: `held`, `state`, `open terminate`, …."""
    return f"agreement {command} {what}"


def denial_id(command: str, code: str) -> str:
    """The id for a refusal that is no guard's, bound's, deadline's or agreement's."""
    return f"denial {command} {code}"


def points(lifecycle: Lifecycle) -> tuple[Point, ...]:
    """Every point of `lifecycle`, by command, in the order of the declaration."""
    found: dict[str, Point] = {}
    for point in _Writer(compile_lifecycle(lifecycle)).points():
        found.setdefault(point.id, point)
    order = list(KINDS)
    return tuple(sorted(found.values(), key=lambda point: order.index(point.kind)))


def refusals(machine: Machine, command: CommandSpec) -> Iterator[tuple[str, str]]:
    """The code and rule of every reason for which `decide` can refuse `command`."""
    lifecycle = machine.lifecycle
    yield from _structural(machine, command)
    yield "currency_not_taken", command.rule
    if command.is_opening and len(lifecycle.currencies) > 1:
        yield "currency_missing", command.rule
    yield from _of_amount(command)
    needed = command.agreement
    if needed is None:
        yield "agreement_not_taken", command.rule
    else:
        for what in ("missing", "unknown", "state", "operation_open"):
            yield f"agreement_{what}", needed.rule
    codes = {*command.guards, *(code for m in command.moves for code in m.guards)}
    for code in sorted(codes):
        yield code, lifecycle.guards[code].rule
    yield from _of_parameters(lifecycle, command)
    for deadline in machine.commands[command.name].deadlines:
        yield deadline.code, deadline.rule


def _structural(machine: Machine, command: CommandSpec) -> Iterator[tuple[str, str]]:
    if command.is_opening:
        yield "transaction_exists", command.rule
        yield "transaction_id_invalid", machine.lifecycle.identifier.rule
        return
    yield (
        "state_not_allowed" if command.is_asked_for else "external_command",
        command.rule,
    )
    if machine.commands[command.name].excludes:
        yield "operation_open", command.rule


def _of_amount(command: CommandSpec) -> Iterator[tuple[str, str]]:
    if command.amount is None:
        yield "amount_not_taken", command.rule
        return
    ranges = command.amount.values()
    rule = next(iter(ranges)).rule
    if any(declared.default is None for declared in ranges):
        yield "amount_missing", rule
    yield "amount_below_minimum", rule
    yield "amount_above_maximum", rule


def _of_parameters(
    lifecycle: Lifecycle, command: CommandSpec
) -> Iterator[tuple[str, str]]:
    yield "parameter_not_taken", command.rule
    for name in (*command.required, *command.optional):
        declared = lifecycle.parameters[name]
        yield "parameter_invalid", declared.rule
        if name in command.required or declared.needs:
            yield "parameter_missing", declared.rule


Draft = tuple[str, str, str, dict[str, Text]]
"""A point's id, its kind and sentence, its rule, and what fills the sentence."""


class _Writer:
    """Writes the points of one lifecycle, with their sentences."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lifecycle = machine.lifecycle

    def points(self) -> Iterator[Point]:
        lifecycle = self._lifecycle
        for command in lifecycle.commands.values():
            yield from self._written(command, self._of_command(command))
        for reversal in lifecycle.reversals.values():
            command = lifecycle.commands[reversal.name]
            yield from self._written(command, self._of_reversal(reversal))
        for deadline in lifecycle.deadlines.values():
            yield from self._written(None, [self._lapsed(deadline)])
            for name, command in lifecycle.commands.items():
                if name in deadline.denies:
                    yield from self._written(command, [_late(deadline, name)])

    @staticmethod
    def _written(
        command: CommandSpec | None, drafts: Iterable[Draft]
    ) -> Iterator[Point]:
        name = command.name if command else ""
        title = {"command": command.title} if command else {}
        for point_id, how, rule, values in drafts:
            kind, _, sentence = how.partition(" ")
            text = TEXTS[sentence].filled({**values, **title})
            yield Point(point_id, kind, name, rule, text)

    def _of_command(self, command: CommandSpec) -> Iterator[Draft]:
        yield from self._moves(command)
        yield from self._openings(command)
        yield from self._guards(command)
        yield from self._bounds(command)
        yield from self._agreement(command)
        yield from self._denials(command)

    def _of_reversal(self, reversal: CommandSpec) -> Iterator[Draft]:
        for move in reversal.moves:
            for source in move.sources:
                found = reversal_id(reversal.name, move.track, source, move)
                yield found, "reversal taken_back", move.rule, self._ends(move, source)

    def _lapsed(self, deadline: Deadline) -> Draft:
        values = {
            "deadline": _same(deadline.name),
            "state": self._state(deadline.track, deadline.state),
            "target": self._state(deadline.track, deadline.target),
        }
        return lapsed_id(deadline.name), "deadline lapsed", deadline.rule, values

    def _moves(self, command: CommandSpec) -> Iterator[Draft]:
        for move in command.moves:
            for source in move.sources:
                name, state = command.name, f"{move.track}.{source}"
                at = {"state": self._state(move.track, source)}
                if not move.external:
                    yield begin_id(name, state), "begin begin", move.rule, at
                    yield release_id(name, state), "release release", move.rule, at
                committed = commit_id(name, move.track, source, move)
                ends = self._ends(move, source)
                yield committed, "commit commit", move.rule, ends

    def _ends(self, move: Move, source: str) -> dict[str, Text]:
        when = Text("", "")
        if move.when is not None:
            when = joined("when", when=_same(str(move.when)))
        return {
            "state": self._state(move.track, source),
            "target": self._state(move.track, move.target or source),
            "when": when,
        }

    def _openings(self, command: CommandSpec) -> Iterator[Draft]:
        for opening in command.opens:
            if opening.when is not None:
                track = self._lifecycle.tracks[opening.track].title
                values = {"track": track, "when": _same(opening.when.text)}
                for opened, how in ((True, "opened"), (False, "not_opened")):
                    found = opening_id(command.name, opening.track, opened=opened)
                    yield found, f"opening {how}", command.rule, values

    def _guards(self, command: CommandSpec) -> Iterator[Draft]:
        for code in command.guards:
            yield from self._guard(command, code, "", Text("", ""))
        for move in command.moves:
            for code in move.guards:
                for source in move.sources:
                    title = self._state(move.track, source)
                    at = joined("in_brackets", text=title)
                    yield from self._guard(command, code, f"{move.track}.{source}", at)

    def _guard(
        self, command: CommandSpec, code: str, state: str, at: Text
    ) -> Iterator[Draft]:
        rule, values = (
            self._lifecycle.guards[code].rule,
            {"code": _same(code), "at": at},
        )
        for passed, how in ((True, "guard_passed"), (False, "guard_refused")):
            found = guard_id(code, command.name, state, passed=passed)
            yield found, f"guard {how}", rule, values

    @staticmethod
    def _bounds(command: CommandSpec) -> Iterator[Draft]:
        ranges = tuple((command.amount or {}).values())
        for end in ("minimum", "maximum", "below", "above") if ranges else ():
            side = "minimum" if end in {"minimum", "below"} else "maximum"
            bounds = dict.fromkeys(getattr(each, side).text for each in ranges)
            values = {"bound": _same(" / ".join(bounds))}
            yield bound_id(command.name, end), f"bound {end}", ranges[0].rule, values

    @staticmethod
    def _agreement(command: CommandSpec) -> Iterator[Draft]:
        name, needed = command.name, command.agreement
        if needed is None:
            return
        for what in ("held", "missing", "unknown", "state"):
            how = f"agreement agreement_{what}"
            yield agreement_id(name, what), how, needed.rule, {}
        for other in needed.unless_open:
            found, values = agreement_id(name, f"open {other}"), {"other": _same(other)}
            yield found, "agreement agreement_open", needed.rule, values

    def _denials(self, command: CommandSpec) -> Iterator[Draft]:
        own = {
            *command.guards,
            *(code for move in command.moves for code in move.guards),
            *(d.code for d in self._machine.commands[command.name].deadlines),
            "amount_below_minimum",
            "amount_above_maximum",
        }
        for code, rule in refusals(self._machine, command):
            of_agreement = command.agreement and code.startswith("agreement_")
            if code not in own and not of_agreement:
                values = {"code": _same(code)}
                yield denial_id(command.name, code), "denial denial", rule, values

    def _state(self, track: str, state: str) -> Text:
        """What a state is called: that of its track, where there are several."""
        declared = self._lifecycle.tracks[track]
        title = declared.states[state]
        if len(self._lifecycle.tracks) == 1:
            return title
        return joined("of_track", track=declared.title, state=title)


def _late(deadline: Deadline, command: str) -> Draft:
    values = {"deadline": _same(deadline.name)}
    return late_id(deadline.name, command), "deadline late", deadline.rule, values


def _same(text: str) -> Text:
    """A name of the declaration, the same in all languages."""
    return Text(text, text)
