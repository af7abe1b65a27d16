"""What of a lifecycle can be exercised: every move, guard, bound, deadline and refusal.

Derived from the declaration alone. A point's id is a short text that names nothing but
what the declaration names, so that counts by id can be kept, merged and compared.
"""

from collections.abc import Iterable, Iterator

import attrs

from kessai.machine import Machine, compile_lifecycle
from kessai.spec import CommandSpec, Deadline, Expression, Lifecycle, Move, Text
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
    machine = compile_lifecycle(lifecycle)
    writer = _Writer(machine)
    found: dict[str, Point] = {}
    for command in lifecycle.commands.values():
        for point in writer.of_command(command):
            found.setdefault(point.id, point)
    for reversal in lifecycle.reversals.values():
        for point in writer.of_reversal(reversal):
            found.setdefault(point.id, point)
    for deadline in lifecycle.deadlines.values():
        for point in writer.of_deadline(deadline):
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
    yield "state_not_allowed", command.rule
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


class _Writer:
    """Writes the points of one lifecycle, with their sentences."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lifecycle = machine.lifecycle

    def of_command(self, command: CommandSpec) -> Iterator[Point]:
        yield from self._moves(command)
        yield from self._openings(command)
        yield from self._guards(command)
        yield from self._bounds(command)
        yield from self._agreement(command)
        yield from self._denials(command)

    def of_reversal(self, reversal: CommandSpec) -> Iterator[Point]:
        for move in reversal.moves:
            for source in move.sources:
                yield self._point(
                    reversal_id(reversal.name, move.track, source, move),
                    "reversal taken_back",
                    reversal.name,
                    move.rule,
                    state=self._state(move.track, source),
                    target=self._state(move.track, move.target or source),
                    when=_when(move.when),
                )

    def of_deadline(self, deadline: Deadline) -> Iterator[Point]:
        name, track = deadline.name, deadline.track
        yield self._point(
            lapsed_id(name),
            "deadline lapsed",
            "",
            deadline.rule,
            deadline=_same(name),
            state=self._state(track, deadline.state),
            target=self._state(track, deadline.target),
        )
        for command in self._lifecycle.commands:
            if command in deadline.denies:
                yield self._point(
                    late_id(name, command),
                    "deadline late",
                    command,
                    deadline.rule,
                    deadline=_same(name),
                )

    def _moves(self, command: CommandSpec) -> Iterator[Point]:
        for move in command.moves:
            for source in move.sources:
                state = f"{move.track}.{source}"
                values = {"state": self._state(move.track, source)}
                begun, released = (
                    make(command.name, state) for make in (begin_id, release_id)
                )
                yield self._point(
                    begun, "begin begin", command.name, move.rule, **values
                )
                yield self._point(
                    commit_id(command.name, move.track, source, move),
                    "commit commit",
                    command.name,
                    move.rule,
                    target=self._state(move.track, move.target or source),
                    when=_when(move.when),
                    **values,
                )
                yield self._point(
                    released, "release release", command.name, move.rule, **values
                )

    def _openings(self, command: CommandSpec) -> Iterator[Point]:
        for opening in command.opens:
            if opening.when is None:
                continue
            for opened in (True, False):
                yield self._point(
                    opening_id(command.name, opening.track, opened=opened),
                    "opening opened" if opened else "opening not_opened",
                    command.name,
                    command.rule,
                    track=self._lifecycle.tracks[opening.track].title,
                    when=_same(opening.when.text),
                )

    def _guards(self, command: CommandSpec) -> Iterator[Point]:
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
    ) -> Iterator[Point]:
        for passed in (True, False):
            yield self._point(
                guard_id(code, command.name, state, passed=passed),
                "guard guard_passed" if passed else "guard guard_refused",
                command.name,
                self._lifecycle.guards[code].rule,
                code=_same(code),
                at=at,
            )

    def _bounds(self, command: CommandSpec) -> Iterator[Point]:
        ranges = tuple((command.amount or {}).values())
        for end in ("minimum", "maximum", "below", "above") if ranges else ():
            side = "minimum" if end in {"minimum", "below"} else "maximum"
            bounds = dict.fromkeys(getattr(each, side).text for each in ranges)
            yield self._point(
                bound_id(command.name, end),
                f"bound {end}",
                command.name,
                ranges[0].rule,
                bound=_same(" / ".join(bounds)),
            )

    def _agreement(self, command: CommandSpec) -> Iterator[Point]:
        needed = command.agreement
        if needed is None:
            return
        for what in ("held", "missing", "unknown", "state"):
            yield self._point(
                agreement_id(command.name, what),
                f"agreement agreement_{what}",
                command.name,
                needed.rule,
            )
        for other in needed.unless_open:
            yield self._point(
                agreement_id(command.name, f"open {other}"),
                "agreement agreement_open",
                command.name,
                needed.rule,
                other=_same(other),
            )

    def _denials(self, command: CommandSpec) -> Iterator[Point]:
        own = {
            *command.guards,
            *(code for move in command.moves for code in move.guards),
            *(d.code for d in self._machine.commands[command.name].deadlines),
            "amount_below_minimum",
            "amount_above_maximum",
        }
        for code, rule in refusals(self._machine, command):
            is_elsewhere = code in own or (
                command.agreement is not None and code.startswith("agreement_")
            )
            if not is_elsewhere:
                yield self._point(
                    denial_id(command.name, code),
                    "denial denial",
                    command.name,
                    rule,
                    code=_same(code),
                )

    def _point(
        self, point_id: str, how: str, command: str, rule: str, **values: Text
    ) -> Point:
        """A point of the kind and with the sentence that `how` names."""
        kind, _, sentence = how.partition(" ")
        titles = self._lifecycle.commands
        if command:
            values["command"] = titles[command].title
        return Point(point_id, kind, command, rule, TEXTS[sentence].filled(values))

    def _state(self, track: str, state: str) -> Text:
        """What a state is called: that of its track, where there are several."""
        declared = self._lifecycle.tracks[track]
        title = declared.states[state]
        if len(self._lifecycle.tracks) == 1:
            return title
        return joined("of_track", track=declared.title, state=title)


def _same(text: str) -> Text:
    """A name of the declaration, the same in all languages."""
    return Text(text, text)


def _when(when: Expression | None) -> Text:
    if when is None:
        return Text("", "")
    return joined("when", when=_same(str(when)))


def ids(found: Iterable[Point]) -> frozenset[str]:
    """The ids of `found`."""
    return frozenset(point.id for point in found)
